//! Signing keys belong to the platform.

use serde_json::{Value, json};

use crate::support::{Client, DAY, TestApp, admin, decode, get, post};

async fn fixture() -> (TestApp, Client) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    (app, client)
}

fn names(jwks: &Value, algorithm: &str) -> Vec<String> {
    let keys = jwks["keys"].as_array().unwrap();
    let of = keys.iter().filter(|key| key["alg"] == algorithm);
    of.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Where keys are rotated, which the OpenAPI document says.
async fn rotation_path(app: &TestApp) -> String {
    let document = app.send(get("/openapi.json")).await.json();
    let paths = document["paths"].as_object().unwrap();
    let rotation =
        paths.iter().find(|(path, item)| path.contains("signing-keys") && item.get("post").is_some());
    rotation.expect("there is no operation that rotates signing keys").0.clone()
}

async fn rotate(app: &TestApp, idempotency_key: &str) {
    let path = rotation_path(app).await;
    let reply = app.admin(post(&path).json(&json!({})).header("idempotency-key", idempotency_key)).await;
    assert!([200, 201].contains(&reply.status), "{}", reply.text());
    private_parts(&reply.text());
}

#[track_caller]
fn private_parts(text: &str) {
    for name in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"k\"", "sealed", "PRIVATE", "private"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
}

/// The list has the published keys, and nothing private.
#[actix_web::test]
async fn listing() {
    let (app, _) = fixture().await;
    let reply = app.admin(get(&admin("signing-keys"))).await.expect(200, "the list");
    private_parts(&reply.text());
    let list = reply.json();
    assert_eq!(list["pagination"]["total"], 3);
    let jwks = app.jwks().await;
    for key in jwks["keys"].as_array().unwrap() {
        assert!(
            list["data"].as_array().unwrap().iter().any(|row| row["kid"] == key["kid"]),
            "{key} is not listed"
        );
    }
}

/// Only a global service token with `admin:write` lists or rotates them; a refused rotation is in the log.
#[actix_web::test]
async fn who_may() {
    let (app, client) = fixture().await;
    let path = rotation_path(&app).await;
    let reader = app.global("reader", &["admin:read"]).await;
    for (name, who) in [("a reader", &reader), ("a tenant's client", &client)] {
        let token = app.token(who).await;
        app.send(get(&admin("signing-keys")).bearer(&token)).await.expect(403, name);
        app.send(post(&path).json(&json!({})).bearer(&token)).await.expect(403, name);
        let denied = app.events(&format!("result=denied&actor={}", who.id)).await;
        assert!(!denied.is_empty(), "{name}: no record of the refused rotation");
    }
    assert_eq!(names(&app.jwks().await, "ES256").len(), 1, "nothing was rotated");
    app.ok(get(&admin("signing-keys"))).await;
}

/// Listing and rotating are always audited.
#[actix_web::test]
async fn audited() {
    let (app, _) = fixture().await;
    let total = async || {
        let events = app.events("").await;
        let of = |event: &&Value| {
            let action = event["action"].as_str().unwrap();
            action.starts_with("signing_key.") && event["actor"]["id"] == app.root.id
        };
        events.iter().filter(of).count()
    };
    assert_eq!(total().await, 0);
    app.ok(get(&admin("signing-keys"))).await;
    let listed = total().await;
    assert!(listed >= 1, "listing left no record");
    rotate(&app, "k").await;
    assert!(total().await > listed, "rotating left no record");
}

/// A new key is published before it signs, the old one as long as its tokens live.
#[actix_web::test]
async fn rotation() {
    let (app, client) = fixture().await;
    let before = app.token(&client).await;
    let old = decode(&before).header["kid"].as_str().unwrap().to_owned();
    let max_age: i64 = {
        let reply = app.send(get("/.well-known/jwks.json")).await;
        let value = reply.header("cache-control").split("max-age=").nth(1).unwrap().to_owned();
        value.split(',').next().unwrap().trim().parse().unwrap()
    };
    rotate(&app, "k").await;
    rotate(&app, "k").await;
    let published = names(&app.jwks().await, "ES256");
    assert_eq!(published.len(), 2, "one new key, published at once, and the old one");
    let token = app.token(&client).await;
    assert_eq!(decode(&token).header["kid"], old, "nobody who cached the JWKS can know the new key yet");
    app.advance(max_age - 1);
    assert_eq!(decode(&app.token(&client).await).header["kid"], old, "a second before the caches end");
    app.advance(301);
    let after = app.token(&client).await;
    let new = decode(&after).header["kid"].as_str().unwrap().to_owned();
    assert!(new != old && published.contains(&new), "the new key signs");
    let jwks = app.jwks().await;
    assert!(decode(&after).verifies(&jwks));
    assert!(decode(&before).verifies(&jwks), "earlier tokens can be verified");
    assert_eq!(app.introspect(&client, &before).await["active"], true);
    app.advance(3 * DAY);
    app.ok(get(&admin("signing-keys"))).await;
    let left = decode(&app.token(&client).await);
    assert_eq!(left.header["kid"], new);
    assert!(left.verifies(&app.jwks().await));
}
