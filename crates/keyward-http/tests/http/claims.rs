//! What an access token says, how it is signed, and how long it lives.

use keyward_model::{Clock as _, Timestamp};
use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, ISSUER, Jwt, TestApp, admin, decode, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read", "points:adjust"]).await;
    Fixture { app, acme, client }
}

impl Fixture {
    async fn claims(&self) -> Jwt {
        decode(&self.app.token(&self.client).await)
    }
}

#[actix_web::test]
async fn claims_of_a_tenants_client() {
    let Fixture { app, acme, client } = fixture().await;
    let token = decode(&app.token(&client).await);
    let now = app.clock.now().unix_seconds();
    assert_eq!(token.header["typ"], "at+jwt");
    assert_eq!(token.header["alg"], "ES256", "the default algorithm");
    assert!(token.header["kid"].is_string());
    assert_eq!(token.text("iss"), ISSUER);
    assert_eq!(token.audiences(), [format!("{ISSUER}/api")]);
    assert_eq!(token.number("iat"), now);
    assert_eq!(token.number("exp"), now + HOUR);
    assert_eq!(token.text("client_id"), "acme.crm-sync");
    let subjects = [client.client_id.as_str(), client.id.as_str()];
    assert!(subjects.contains(&token.text("sub")), "the subject is the client: {}", token.claims);
    assert_eq!(token.scopes(), ["points:adjust", "points:read"]);
    assert_eq!(token.text("env"), "production");
    assert_eq!(token.tenants(), [acme.as_str()]);
    assert_eq!(token.text("tenant_id"), acme);
    for absent in ["partner_id", "roles"] {
        assert!(token.claims.get(absent).is_none(), "{absent}: {}", token.claims);
    }
    assert!(token.verifies(&app.jwks().await));
}

#[actix_web::test]
async fn claims_of_a_global_client() {
    let app = TestApp::start().await;
    let token = decode(&app.token(&app.root).await);
    assert_eq!(token.text("client_id"), "root");
    assert_eq!(token.scopes(), ["admin:read", "admin:write"]);
    for absent in ["tenants", "tenant_id", "partner_id", "roles"] {
        assert!(token.claims.get(absent).is_none(), "{absent}: {}", token.claims);
    }
}

#[actix_web::test]
async fn the_partner_of_the_tenant() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let partner = app.partner("reseller").await;
    let body = json!({ "name": "Acme", "slug": "acme", "partner_id": partner });
    let acme = app.create("tenants", &body).await["id"].as_str().unwrap().to_owned();
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let token = decode(&app.token(&client).await);
    assert_eq!(token.text("partner_id"), partner);
    assert_eq!(token.text("tenant_id"), acme);
}

#[actix_web::test]
async fn every_token_is_another() {
    let fixture = fixture().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let token = fixture.claims().await;
        let jti = token.text("jti").to_owned();
        assert!(jti.len() >= 22, "at least 128 bits, or a UUID: {jti}");
        assert!(seen.insert(jti));
    }
}

#[actix_web::test]
async fn the_environment_is_the_applications() {
    let Fixture { app, acme, .. } = fixture().await;
    let staging = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "staging", "environment": "staging",
        "allowed_scopes": ["points:read"]
    });
    let client = app.application(&staging).await;
    assert!(client.secret.starts_with("kws_test_"), "staging is not production");
    assert_eq!(decode(&app.token(&client).await).text("env"), "staging");
}

/// ES256 unless told otherwise; every signature is good under the published key of its name.
#[actix_web::test]
async fn algorithms() {
    let Fixture { app, client, .. } = fixture().await;
    for algorithm in ["EdDSA", "RS256", "ES256"] {
        app.edit(&format!("applications/{}", client.id), &json!({ "token_alg": algorithm })).await;
        let token = app.token(&client).await;
        let jwks = app.jwks().await;
        assert_eq!(decode(&token).header["alg"], algorithm);
        assert_eq!(decode(&token).header["typ"], "at+jwt");
        assert!(decode(&token).verifies(&jwks), "{algorithm}");
        assert_eq!(app.introspect(&client, &token).await["active"], true, "{algorithm}");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(
            !decode(&format!("{head}.{other}{}", &signature[1..])).verifies(&jwks),
            "altered {algorithm}"
        );
    }
    for wrong in [json!("HS256"), json!("none"), json!("es256"), json!(7), json!([])] {
        let path = admin(&format!("applications/{}", client.id));
        let reply = app.admin(patch(&path).json(&json!({ "token_alg": wrong }))).await;
        reply.expect_invalid("/token_alg", &wrong.to_string());
    }
}

/// 3600 s as configured; per application 60 to 86400.
#[actix_web::test]
async fn lifetimes() {
    let Fixture { app, client, .. } = fixture().await;
    let path = format!("applications/{}", client.id);
    for seconds in [60, 61, 7_200, DAY] {
        app.edit(&path, &json!({ "token_lifetime": seconds })).await;
        let reply = app.ask(&client, &[]).await.expect(200, "a token").json();
        assert_eq!(reply["expires_in"], seconds);
        let token = decode(reply["access_token"].as_str().unwrap());
        assert_eq!(token.number("exp") - token.number("iat"), seconds);
    }
    for wrong in
        [json!(59), json!(0), json!(-1), json!(DAY + 1), json!(1e12), json!(60.5), json!("3600"), json!([60])]
    {
        let reply = app.admin(patch(&admin(&path)).json(&json!({ "token_lifetime": wrong }))).await;
        reply.expect_invalid("/token_lifetime", &wrong.to_string());
    }
    app.edit(&path, &json!({ "token_lifetime": null })).await;
    let reply = app.ask(&client, &[]).await.expect(200, "a token").json();
    assert_eq!(reply["expires_in"], HOUR, "as configured again");
}

/// An application without `token_lifetime` follows the configuration at the time of issue.
#[actix_web::test]
async fn lifetimes_follow_the_configuration() {
    let Fixture { mut app, client, acme } = fixture().await;
    let body = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "own", "token_lifetime": 120,
        "allowed_scopes": ["points:read"]
    });
    let own = app.application(&body).await;
    for seconds in [HOUR, 1_200, DAY] {
        app.restart(|options| options.token_lifetime = u32::try_from(seconds).unwrap()).await;
        let reply = app.ask(&client, &[]).await.expect(200, "a token").json();
        assert_eq!(reply["expires_in"], seconds, "as configured");
        let reply = app.ask(&own, &[]).await.expect(200, "a token").json();
        assert_eq!(reply["expires_in"], 120, "its own");
    }
}

/// No token outlives its client, or the grants that it is made of.
#[actix_web::test]
async fn lifetimes_end_with_what_they_rest_on() {
    let Fixture { app, acme, .. } = fixture().await;
    let globex = app.tenant("globex").await;
    let until = |seconds: i64| json!(app.moment(seconds));
    let body = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "brief", "allowed_scopes": ["points:read"],
        "expires_at": until(600), "token_lifetime": 3_600
    });
    let brief = app.application(&body).await;
    let hub = app.global("hub", &["points:read"]).await;
    let grants = json!([
        { "tenant_id": acme, "permissions": ["points:read"], "expires_at": until(300) },
        { "tenant_id": globex, "permissions": ["points:read"], "expires_at": until(900) }
    ]);
    app.grant(&hub, &grants).await;
    let cases = [
        ("the client's expiry", &brief, "", 600),
        ("the first grant's expiry", &hub, "", 300),
        ("that of the tenant asked for", &hub, "globex", 900),
        ("that of the other tenant", &hub, "acme", 300),
    ];
    let now = app.clock.now().unix_seconds();
    for (what, client, tenant, at_most) in cases {
        let reply = app.ask(client, &[("tenant", tenant)]).await.expect(200, what).json();
        assert_eq!(reply["expires_in"], at_most, "{what}");
        let token = decode(reply["access_token"].as_str().unwrap());
        assert_eq!(token.number("exp"), now + at_most, "{what}");
    }
    app.advance(599);
    let reply = app.ask(&brief, &[]).await.expect(200, "the client's last second").json();
    assert_eq!(reply["expires_in"], 1);
    let rest = app.ask(&hub, &[]).await.expect(200, "the grant that is left").json();
    assert_eq!(decode(rest["access_token"].as_str().unwrap()).tenants(), [globex.as_str()]);
    app.advance(1);
    app.ask(&brief, &[]).await.expect(401, "the client expired");
}

/// A token is good until the second of its expiry and no longer.
#[actix_web::test]
async fn expiry_is_judged_at_use() {
    let Fixture { app, client, .. } = fixture().await;
    let token = app.token(&client).await;
    app.advance(HOUR - 1);
    assert_eq!(app.introspect(&client, &token).await["active"], true, "the last second");
    app.advance(1);
    assert_eq!(app.introspect(&client, &token).await, json!({ "active": false }), "expired");
    let root = app.token(&app.root).await;
    let tenants = || crate::support::get(&admin("tenants")).bearer(&root);
    app.advance(HOUR - 1);
    app.send(tenants()).await.expect(200, "the last second in the admin API");
    app.advance(1);
    app.send(tenants()).await.expect(401, "expired in the admin API");
}

/// Dates: a date alone is the end of that day in UTC, and what is in the past is refused.
#[actix_web::test]
async fn expiry_dates() {
    let Fixture { app, acme, .. } = fixture().await;
    let cases = [
        ("a", json!("2027-03-01"), "2027-03-01T23:59:59.000Z"),
        ("b", json!("2027-03-01T10:00:00Z"), "2027-03-01T10:00:00.000Z"),
        ("c", json!("2027-03-01T10:00:00+02:00"), "2027-03-01T08:00:00.000Z"),
        ("d", json!("2027-03-01T10:00:00.123456Z"), "2027-03-01T10:00:00.123Z"),
    ];
    let body = |local: &str, expires_at: &Value| {
        json!({
            "name": local, "type": "service", "reach": "tenant", "tenant_id": acme, "client_id": local,
            "expires_at": expires_at
        })
    };
    for (local, sent, read) in cases {
        let made = app.create("applications", &body(local, &sent)).await;
        assert_eq!(made["expires_at"], read, "{sent}");
    }
    let today = Timestamp::parse("2026-11-02").unwrap();
    assert!(app.clock.now() < today, "today ends later");
    app.create("applications", &body("today", &json!("2026-11-02"))).await;
    for wrong in
        ["2026-11-01", "2026-11-02T11:59:59Z", "2027-02-30", "tomorrow", "1793620800", "2027-03-01T10:00", ""]
    {
        let reply = app.admin(post(&admin("applications")).json(&body("x", &json!(wrong)))).await;
        reply.expect_invalid("/expires_at", wrong);
    }
    for wrong in [json!(1_793_620_800), json!(true), json!({})] {
        let reply = app.admin(post(&admin("applications")).json(&body("x", &wrong))).await;
        reply.expect_invalid("/expires_at", &wrong.to_string());
    }
}
