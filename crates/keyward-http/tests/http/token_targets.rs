//! Scopes, tenants and resources of token requests.

use serde_json::{Value, json};

use crate::{
    support::{ISSUER, decode, made_up},
    token::{INVALID_REQUEST, INVALID_SCOPE, INVALID_TARGET, OK, RESOURCE, Row, World, row},
};

fn scopes(world: &World) -> Vec<Row> {
    let with = |scope: &str| world.form(&[("scope", scope)]);
    vec![
        row("one of two", with("points:read"), OK),
        row("both", with("points:adjust points:read"), OK),
        row("not allowed", with("read:users"), INVALID_SCOPE),
        row("not known", with("points:steal"), INVALID_SCOPE),
        row("one allowed, one not", with("points:read read:users"), INVALID_SCOPE),
        row("one allowed, one not known", with("points:read points:steal"), INVALID_SCOPE),
        row("the platform's", with("admin:read"), INVALID_SCOPE),
        row("capitals", with("POINTS:READ"), INVALID_SCOPE),
        row("a prefix", with("points"), INVALID_SCOPE),
        row("a wildcard", with("*"), INVALID_SCOPE),
        row("a comma", with("points:read,points:adjust"), INVALID_SCOPE),
        row("a tab", with("points:read\tpoints:adjust"), INVALID_SCOPE),
        row("a line break", with("points:read\npoints:adjust"), INVALID_SCOPE),
        row("two spaces", with("points:read  points:adjust"), INVALID_SCOPE),
        row("a space in front", with(" points:read"), INVALID_SCOPE),
        row("a space behind", with("points:read "), INVALID_SCOPE),
        row("a quotation mark", with("points:\"read"), INVALID_SCOPE),
        row("a backslash", with("points:\\read"), INVALID_SCOPE),
        row("no ASCII", with("püints:read"), INVALID_SCOPE),
        row("a NUL", with("points:read\0"), INVALID_SCOPE),
        row("very long", with(&"x".repeat(10_000)), INVALID_SCOPE),
        row("a secret by mistake", with(&made_up('s', "live")), INVALID_SCOPE),
    ]
}

fn tenants(world: &World) -> Vec<Row> {
    let own = |tenant: &str| world.form(&[("tenant", tenant)]);
    let hub = |tenant: &str| world.form_of(&world.hub, &[("tenant", tenant)]);
    let unknown = format!("tnt_{}", "0".repeat(26));
    vec![
        row("its own by slug", own("acme"), OK),
        row("its own by ID", own(&world.acme), OK),
        row("another's by slug", own("globex"), INVALID_TARGET),
        row("another's by ID", own(&world.globex), INVALID_TARGET),
        row("unknown slug", own("nowhere"), INVALID_TARGET),
        row("unknown ID", own(&unknown), INVALID_TARGET),
        row("no slug", own("a c m e"), INVALID_TARGET),
        row("capitals", own("ACME"), INVALID_TARGET),
        row("granted by slug", hub("acme"), OK),
        row("granted by ID", hub(&world.globex), OK),
        row("not granted", hub("frozen"), INVALID_TARGET),
        row("deleted", hub("gone"), INVALID_TARGET),
        row("unknown to a client with grants", hub("nowhere"), INVALID_TARGET),
        row("two in one", hub("acme globex"), INVALID_TARGET),
        row(
            "to a global client without grants",
            world.form_of(&world.app.root, &[("tenant", "acme")]),
            INVALID_TARGET,
        ),
        row(
            "a wrong tenant and a wrong scope",
            world.form(&[("tenant", "nowhere"), ("scope", "read:users")]),
            &[(400, "invalid_target"), (400, "invalid_scope")],
        ),
    ]
}

fn resources(world: &World) -> Vec<Row> {
    let with = |resource: &str| world.form(&[("resource", resource)]);
    let api = format!("{ISSUER}/api");
    vec![
        row("the audience itself", with(&api), OK),
        row("a configured one", with(RESOURCE), OK),
        row("unknown", with("https://other.example/api"), INVALID_TARGET),
        row("below a configured one", with(&format!("{RESOURCE}/v1")), INVALID_TARGET),
        row("with a slash behind", with(&format!("{RESOURCE}/")), INVALID_TARGET),
        row("relative", with("/api"), INVALID_TARGET),
        row("no URI", with("points"), INVALID_TARGET),
        row("with a fragment", with(&format!("{RESOURCE}#x")), INVALID_TARGET),
        row("with a query", with(&format!("{RESOURCE}?x=1")), INVALID_TARGET),
        row("twice", world.form(&[("resource", RESOURCE), ("resource", &api)]), INVALID_REQUEST),
    ]
}

#[actix_web::test]
async fn table_of_scopes() {
    let world = World::start().await;
    world.check(scopes(&world)).await;
}

#[actix_web::test]
async fn table_of_tenants() {
    let world = World::start().await;
    world.check(tenants(&world)).await;
}

#[actix_web::test]
async fn table_of_resources() {
    let world = World::start().await;
    world.check(resources(&world)).await;
}

/// A tenant without a live grant and an unknown one are answered alike.
#[actix_web::test]
async fn tenants_that_are_not_for_the_client_look_alike() {
    let world = World::start().await;
    let unknown = format!("tnt_{}", "0".repeat(26));
    for client in [&world.live, &world.hub] {
        let first = world.app.send(world.form_of(client, &[("tenant", "nowhere")])).await.json();
        assert_eq!(first["error"], "invalid_target");
        for tenant in ["frozen", "gone", unknown.as_str()] {
            let reply = world.app.send(world.form_of(client, &[("tenant", tenant)])).await;
            assert_eq!(reply.json(), first, "{} asks for {tenant}", client.client_id);
        }
    }
    let dead = world.app.send(world.form_of(&world.dead_grants, &[("tenant", "acme")])).await.json();
    let unknown = world.app.send(world.form_of(&world.dead_grants, &[("tenant", "nowhere")])).await.json();
    assert_eq!(dead, unknown);
    assert_eq!(dead["error"], "invalid_target");
}

/// An application whose grants are all dead gets no token at all: not one for the whole platform, above all.
#[actix_web::test]
async fn dead_grants_give_nothing() {
    let world = World::start().await;
    for params in [&[][..], &[("scope", "points:read")], &[("tenant", "acme")], &[("tenant", "")]] {
        let reply = world.app.send(world.form_of(&world.dead_grants, params)).await;
        assert!([400, 401].contains(&reply.status), "{params:?}: {}", reply.text());
        assert!(reply.json().get("access_token").is_none(), "{params:?}");
    }
    // The positive control: a live grant beside the dead one.
    let grants = json!([{ "tenant_id": world.globex, "permissions": ["points:read"] }]);
    world.app.grant(&world.dead_grants, &grants).await;
    world.app.token(&world.dead_grants).await;
}

/// `resource` names the audience, and nothing else does.
#[actix_web::test]
async fn the_audience_is_what_was_asked_for() {
    let world = World::start().await;
    let api = format!("{ISSUER}/api");
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], &api),
        (&[("resource", "")], &api),
        (&[("resource", &api)], &api),
        (&[("resource", RESOURCE)], RESOURCE),
    ];
    for (params, audience) in cases {
        let token = world.app.token_for(&world.live, params).await;
        assert_eq!(decode(&token).audiences(), [audience], "{params:?}");
    }
}

/// The reply has the four members of RFC 6749 and no refresh token.
#[actix_web::test]
async fn the_reply() {
    let world = World::start().await;
    for call in [world.form(&[]), world.body(&[]), world.json("")] {
        let reply = world.app.send(call).await.expect(200, "a token");
        assert!(reply.header("content-type").starts_with("application/json"));
        let body = reply.json();
        let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], Value::from(3_600));
        let claims = decode(body["access_token"].as_str().unwrap());
        assert_eq!(claims.claims["scope"], body["scope"]);
        assert_eq!(claims.scopes(), ["points:adjust", "points:read"]);
    }
}
