//! Envoy asks with the original request's method and path: what is required stands in headers, and nowhere else.

use serde_json::json;

use crate::support::{Call, Client, IDENTITY, Key, TestApp, call, check_problem, verdict_of};

const OTHER_API: &str = "https://points.example";

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    token: String,
    key: Key,
}

async fn fixture() -> Fixture {
    let app = TestApp::with(|options, _| options.resources = vec![OTHER_API.to_owned()]).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    Fixture {
        token: app.token(&client).await,
        key: app.key(&acme, &["points:adjust", "points:read"]).await,
        client,
        acme,
        app,
    }
}

/// A request for a protected path as Envoy passes it on.
fn envoy(method: &str, path: &str, requirement: &[(&str, &str)]) -> Call {
    let mut it = call(method.parse().unwrap(), &format!("/forward-auth/envoy{path}"));
    for (name, value) in requirement {
        it = it.header(&format!("x-keyward-{name}"), value);
    }
    it
}

impl Fixture {
    async fn verdict(&self, call: Call, what: &str) -> String {
        verdict_of(&self.app.send(call).await, what)
    }
}

/// Any method, any path, any query: they are those of the protected API.
#[actix_web::test]
async fn any_request() {
    let it = fixture().await;
    let requirement = [("require", "bearer"), ("permission", "points:read")];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for path in [
            "/",
            "/points",
            "/points/7/history",
            "/points?page=2&colour=blue",
            "/api/v1/admin/tenants",
            "/points%2F7",
        ] {
            let what = format!("{method} {path}");
            let good = envoy(method, path, &requirement).bearer(&it.token);
            let reply = it.app.send(good).await;
            assert_eq!(verdict_of(&reply, &what), "ok", "{what}");
            assert_eq!(reply.header("x-keyward-subject"), it.client.client_id, "{what}");
            assert_eq!(reply.header("x-keyward-tenant"), it.acme, "{what}");
            let without = envoy(method, path, &requirement);
            assert_eq!(it.verdict(without, &what).await, "credentials_missing", "{what}");
        }
    }
    let body = envoy("POST", "/points", &requirement).bearer(&it.token).json(&json!({ "points": 7 }));
    assert_eq!(it.verdict(body, "a body is the protected API's").await, "ok");
}

/// The requirement is in the headers.
#[actix_web::test]
async fn requirements() {
    let it = fixture().await;
    let elsewhere = it.app.token_for(&it.client, &[("resource", OTHER_API)]).await;
    let (read, adjust) = (("permission", "points:read"), ("permission", "points:adjust"));
    let bearer = ("require", "bearer");
    let with = |requirement: &[(&str, &str)], token: &str, key: &str| {
        let mut call = envoy("GET", "/points", requirement);
        if !token.is_empty() {
            call = call.bearer(token);
        }
        if key.is_empty() { call } else { call.header("x-api-key", key) }
    };
    let (token, key) = (it.token.as_str(), it.key.value.as_str());
    for (name, call, code) in [
        ("a token", with(&[bearer, read], token, ""), "ok"),
        ("another permission", with(&[bearer, adjust], token, ""), "permission_denied"),
        ("a key for a token", with(&[bearer, read], "", key), "credentials_missing"),
        ("a key", with(&[("require", "api_key"), adjust], "", key), "ok"),
        ("either, by default", with(&[read], "", key), "ok"),
        ("both", with(&[("require", "both"), read], token, key), "ok"),
        ("both, one lacks it", with(&[("require", "both"), adjust], token, key), "permission_denied"),
        ("both, one is missing", with(&[("require", "both"), read], token, ""), "credentials_missing"),
        (
            "another environment",
            with(&[read, ("environment", "staging")], token, ""),
            "token_wrong_environment",
        ),
        ("the environment", with(&[read, ("environment", "production")], token, ""), "ok"),
        ("another audience", with(&[read, ("audience", OTHER_API)], token, ""), "token_wrong_audience"),
        ("the audience", with(&[read, ("audience", OTHER_API)], &elsewhere, ""), "ok"),
        ("without the audience", with(&[read], &elsewhere, ""), "token_wrong_audience"),
    ] {
        assert_eq!(it.verdict(call, name).await, code, "{name}");
    }
    let wrong = it.app.send(with(&[("require", "anything")], token, "")).await.expect(400, "an unknown mode");
    check_problem(&wrong, "an unknown mode");
    let unknown = it.app.send(with(&[("permission", "points:steal")], token, "")).await;
    assert!([400, 403].contains(&unknown.status), "an unknown permission: {}", unknown.text());
    for (name, call) in [
        ("the token twice", with(&[read], token, "").bearer(token)),
        ("the key twice", with(&[read], "", key).header("x-api-key", key)),
    ] {
        it.app.send(call).await.expect(400, name);
    }
}

/// A query belongs to the protected API and can't soften what is required, whoever wrote it.
#[actix_web::test]
async fn never_from_the_query() {
    let it = fixture().await;
    let strict = [("require", "both"), ("permission", "points:adjust"), ("environment", "production")];
    for query in [
        "require=bearer",
        "require=either&permission=points:read",
        "permission=points:read",
        "permission=",
        "environment=staging",
        "x-keyward-require=bearer",
    ] {
        let call = envoy("GET", &format!("/points?{query}"), &strict).bearer(&it.token);
        assert_eq!(it.verdict(call, query).await, "credentials_missing", "{query}");
        let call = envoy("GET", &format!("/points?{query}"), &strict)
            .bearer(&it.token)
            .header("x-api-key", &it.key.value);
        assert_eq!(it.verdict(call, query).await, "permission_denied", "{query}");
    }
    let harder =
        envoy("GET", "/points?require=both&permission=points:adjust&require=x", &[]).bearer(&it.token);
    assert_eq!(it.verdict(harder, "nor make it harder").await, "ok");
}

/// And the other way round: the plain address takes nothing from those headers.
#[actix_web::test]
async fn the_plain_address_knows_no_such_headers() {
    let it = fixture().await;
    let softened = |query: &str| {
        let mut call = crate::support::forward(query).bearer(&it.token);
        for (name, value) in [("require", "bearer"), ("permission", "points:read")] {
            call = call.header(&format!("x-keyward-{name}"), value);
        }
        call
    };
    let call = softened("require=both&permission=points:read");
    assert_eq!(it.verdict(call, "both").await, "credentials_missing");
    let call = softened("require=bearer&permission=points:adjust");
    assert_eq!(it.verdict(call, "adjust").await, "permission_denied");
    let staging = crate::support::forward("permission=points:read")
        .header("x-keyward-environment", "staging")
        .bearer(&it.token);
    assert_eq!(it.verdict(staging, "an environment in a header").await, "ok");
}

/// Identity headers that the caller sent do not come back.
#[actix_web::test]
async fn forged_identities() {
    let it = fixture().await;
    let mut call = envoy("GET", "/points", &[("require", "bearer")]);
    // `X-Keyward-Environment` is the proxy's word here, and so is left out.
    for name in &IDENTITY[..4] {
        call = call.header(name, "forged");
    }
    let reply = it.app.send(call.clone().bearer(&it.token)).await;
    assert_eq!(verdict_of(&reply, "forged"), "ok");
    for name in IDENTITY {
        assert!(!reply.header(name).contains("forged"), "{name}: {}", reply.header(name));
    }
    assert_eq!(it.verdict(call, "forged, without a credential").await, "credentials_missing");
}
