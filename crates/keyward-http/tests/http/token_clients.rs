//! How clients authenticate themselves at the token endpoint.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    support::{Call, Client, TOKEN, TestApp, basic_value, is_well_formed, made_up, post},
    token::{INVALID_CLIENT, INVALID_REQUEST, NO_CLIENT, OK, Row, UNAUTHORIZED, World, row},
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// A request whose `Authorization` header is this.
fn authorized(value: &str) -> Call {
    post(TOKEN).header("authorization", value).form(&[GRANT])
}

/// A request by Basic with this text under the base64.
fn encoded(text: impl AsRef<[u8]>) -> Call {
    authorized(&format!("Basic {}", STANDARD.encode(text)))
}

/// `.`, `_` and `-` percent-encoded, as some clients do it.
fn escaped(text: &str) -> String {
    text.replace('.', "%2E").replace('_', "%5f").replace('-', "%2D")
}

fn basic(world: &World) -> Vec<Row> {
    let (id, secret) = (world.live.client_id.as_str(), world.live.secret.as_str());
    let base64 = basic_value(id, secret);
    let base64 = base64.trim_start_matches("Basic ");
    vec![
        row("Basic", authorized(&basic_value(id, secret)), OK),
        row("the scheme in small letters", authorized(&format!("basic {base64}")), OK),
        row("percent-encoded", encoded(format!("{}:{}", escaped(id), escaped(secret))), OK),
        row("the ID percent-encoded, the secret not", encoded(format!("{}:{secret}", escaped(id))), OK),
        row("a broken percent-encoding", encoded(format!("{id}:{secret}%2")), NO_CLIENT),
        row("a plus that decodes to a space", encoded(format!("{id}:{secret}+")), INVALID_CLIENT),
        row("no base64", authorized("Basic ~~~not*base64~~~"), NO_CLIENT),
        row("base64 cut short", authorized(&format!("Basic {}", &base64[..base64.len() - 7])), NO_CLIENT),
        row("no colon", encoded(id), NO_CLIENT),
        row("an empty ID", encoded(format!(":{secret}")), NO_CLIENT),
        row("an empty secret", encoded(format!("{id}:")), NO_CLIENT),
        row("nothing but a colon", encoded(":"), NO_CLIENT),
        row("nothing", authorized("Basic "), NO_CLIENT),
        row("no UTF-8", encoded([b"acme.crm-sync:" as &[u8], &[0xFF, 0xFE]].concat()), NO_CLIENT),
        row("the bare secret", authorized(secret), NO_CLIENT),
        row("Bearer", authorized(&format!("Bearer {secret}")), NO_CLIENT),
        row("two headers", authorized(&basic_value(id, secret)).basic(id, secret), INVALID_REQUEST),
    ]
}

fn two_ways(world: &World) -> Vec<Row> {
    let (id, secret) = (world.live.client_id.as_str(), world.live.secret.as_str());
    let assertion = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    ];
    vec![
        row("the same client ID beside Basic", world.form(&[("client_id", id)]), OK),
        row(
            "another client ID beside Basic",
            world.form(&[("client_id", "globex.crm-sync")]),
            INVALID_REQUEST,
        ),
        row("both secrets", world.form(&[("client_secret", secret)]), INVALID_REQUEST),
        row(
            "both secrets and the ID",
            world.form(&[("client_id", id), ("client_secret", secret)]),
            INVALID_REQUEST,
        ),
        row("a wrong secret beside Basic", world.form(&[("client_secret", "wrong")]), INVALID_REQUEST),
        row("Basic and an assertion", world.form(&assertion), INVALID_REQUEST),
        row("a body secret and an assertion", world.body(&assertion), INVALID_REQUEST),
        row("an assertion that is none", post(TOKEN).form(&[GRANT, assertion[0], assertion[1]]), NO_CLIENT),
    ]
}

fn missing(world: &World) -> Vec<Row> {
    let (id, secret) = (world.live.client_id.as_str(), world.live.secret.as_str());
    vec![
        row("nothing at all", post(TOKEN).form(&[GRANT]), INVALID_CLIENT),
        row("a client ID alone", post(TOKEN).form(&[GRANT, ("client_id", id)]), INVALID_CLIENT),
        row(
            "an empty secret in the body",
            post(TOKEN).form(&[GRANT, ("client_id", id), ("client_secret", "")]),
            INVALID_CLIENT,
        ),
        row("a secret alone", post(TOKEN).form(&[GRANT, ("client_secret", secret)]), NO_CLIENT),
    ]
}

fn grant_types(world: &World) -> Vec<Row> {
    let (id, secret) = (world.live.client_id.as_str(), world.live.secret.as_str());
    let plain = |pairs: &[(&str, &str)]| post(TOKEN).basic(id, secret).form(pairs);
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "abc"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let refresh = made_up('r', "live");
    let wrong = [code[0], code[1], code[2], code[3]];
    vec![
        row("authorization_code", plain(&code), UNAUTHORIZED),
        row(
            "refresh_token",
            plain(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]),
            UNAUTHORIZED,
        ),
        row(
            "authorization_code of a stranger",
            post(TOKEN).basic(id, &made_up('s', "live")).form(&wrong),
            INVALID_CLIENT,
        ),
    ]
}

/// Requests that must look alike: a stranger can't tell a client that exists from one that does not.
fn strangers(world: &World) -> Vec<(&'static str, String, String)> {
    let live = world.live.client_id.clone();
    let right = world.live.secret.clone();
    let wrong = made_up('s', "live");
    let mut flipped = right.clone().into_bytes();
    let last = flipped.len() - 1;
    flipped[last] = if flipped[last] == b'0' { b'1' } else { b'0' };
    let flipped = String::from_utf8(flipped).unwrap();
    let of = |client: &Client| client.client_id.clone();
    vec![
        ("a wrong secret", live.clone(), wrong.clone()),
        ("an unknown client", "acme.nobody".to_owned(), wrong.clone()),
        ("an unknown client with a right secret", "acme.nobody".to_owned(), right.clone()),
        ("an unknown tenant", "nowhere.crm-sync".to_owned(), right.clone()),
        ("another client's secret", live.clone(), world.other.secret.clone()),
        ("a wrong checksum", live.clone(), flipped),
        ("cut short", live.clone(), right[..right.len() - 1].to_owned()),
        ("one character too many", live.clone(), format!("{right}x")),
        ("a space behind the secret", live.clone(), format!("{right}%20")),
        ("an API key's prefix", live.clone(), made_up('k', "live")),
        ("a publishable key's prefix", live.clone(), made_up('t', "live")),
        ("an agent secret's prefix", live.clone(), made_up('a', "live")),
        ("a refresh token's prefix", live.clone(), made_up('r', "live")),
        ("a setup code's prefix", live.clone(), made_up('b', "live")),
        ("the other environment's tag", live.clone(), made_up('s', "test")),
        ("no credential at all", live.clone(), "hunter2".to_owned()),
        ("a very long secret", live.clone(), "x".repeat(5_000)),
        ("capitals in the client ID", "ACME.crm-sync".to_owned(), right.clone()),
        ("the local part alone", "crm-sync".to_owned(), right.clone()),
        ("a dot too many", "acme..crm-sync".to_owned(), right.clone()),
        ("the application's identifier", world.live.id.clone(), right.clone()),
        ("a wildcard", "acme.%25".to_owned(), right),
        ("a disabled client, wrong secret", of(&world.disabled), wrong.clone()),
        ("an expired client, wrong secret", of(&world.expired), wrong.clone()),
        ("a suspended tenant's client, wrong secret", of(&world.suspended), wrong),
        ("a deleted client, right secret", of(&world.deleted), world.deleted.secret.clone()),
        (
            "a client of a deleted tenant, right secret",
            of(&world.of_deleted_tenant),
            world.of_deleted_tenant.secret.clone(),
        ),
    ]
}

#[actix_web::test]
async fn table_of_basic() {
    let world = World::start().await;
    world.check(basic(&world)).await;
}

#[actix_web::test]
async fn table_of_ways() {
    let world = World::start().await;
    world.check(two_ways(&world)).await;
    world.check(missing(&world)).await;
}

#[actix_web::test]
async fn table_of_grant_types() {
    let world = World::start().await;
    world.check(grant_types(&world)).await;
}

/// Everything of the reply that a stranger could compare.
async fn seen(app: &TestApp, call: Call) -> (u16, Value, Vec<(String, String)>) {
    let reply = app.send(call).await;
    let mut headers: Vec<(String, String)> = reply
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (reply.status, reply.json(), headers)
}

#[actix_web::test]
async fn strangers_learn_nothing() {
    let world = World::start().await;
    assert!(is_well_formed(&world.live.secret, "kws_live_"));
    let right = seen(&world.app, world.form(&[])).await;
    assert_eq!(right.0, 200, "the same request with the right secret");
    let by_basic = |id: &str, secret: &str| encoded(format!("{id}:{secret}"));
    let by_body = |id: &str, secret: &str| {
        let plain = |text: &str| text.replace("%20", " ").replace("%25", "%");
        post(TOKEN).form(&[
            GRANT,
            ("client_id", plain(id).as_str()),
            ("client_secret", plain(secret).as_str()),
        ])
    };
    let mut basics = Vec::new();
    let mut bodies = Vec::new();
    for (name, id, secret) in strangers(&world) {
        basics.push((name, seen(&world.app, by_basic(&id, &secret)).await));
        bodies.push((name, seen(&world.app, by_body(&id, &secret)).await));
    }
    for (way, replies) in [("Basic", basics), ("body", bodies)] {
        let first = &replies[0].1;
        assert_eq!((first.0, &first.1["error"]), (401, &Value::from("invalid_client")), "{way}");
        for (name, reply) in &replies {
            assert_eq!(reply, first, "{way}, {name}, differs from a wrong secret");
        }
    }
}

/// After the right secret the description says exactly what is wrong.
#[actix_web::test]
async fn the_owner_of_the_secret_learns_why() {
    let world = World::start().await;
    let generic = world
        .app
        .send(world.form_of(&Client { secret: made_up('s', "live"), ..world.live.clone() }, &[]))
        .await;
    let generic = generic.json()["error_description"].clone();
    let cases = [
        ("disabled", &world.disabled, "disabled"),
        ("expired", &world.expired, "This client expired on 3 Nov 2026."),
        ("suspended", &world.suspended, "suspended"),
        ("the secret expired", &world.expired_secret, "expired"),
        ("the secret was revoked", &world.revoked_secret, ""),
    ];
    for (name, client, says) in cases {
        let reply = world.app.send(world.form_of(client, &[])).await.expect(401, name);
        assert_eq!(reply.json()["error"], "invalid_client", "{name}");
        assert!(reply.header("www-authenticate").starts_with("Basic"), "{name}");
        let description = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(says), "{name}: {description}");
        if !says.is_empty() {
            assert_ne!(generic, description, "{name}");
        }
    }
}
