//! Renewing an application: a separate, audited action.

use serde_json::{Value, json};

use crate::support::{Client, DAY, Reply, TestApp, admin, get, patch, post};

struct Fixture {
    app: TestApp,
    client: Client,
}

async fn fixture() -> Fixture {
    with(true).await
}

async fn with(allow_renew: bool) -> Fixture {
    let app = TestApp::with(|options, _| options.allow_renew = allow_renew).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let body = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "crm-sync", "allowed_scopes": ["points:read"],
        "expires_at": app.moment(DAY)
    });
    let client = app.application(&body).await;
    Fixture { app, client }
}

impl Fixture {
    async fn renew(&self, body: &Value) -> Reply {
        self.app.admin(post(&admin(&format!("applications/{}/renew", self.client.id))).json(body)).await
    }

    async fn read(&self) -> Value {
        self.app.ok(get(&admin(&format!("applications/{}", self.client.id)))).await
    }
}

/// One year ahead by default, or as asked.
#[actix_web::test]
async fn new_expiries() {
    let it = fixture().await;
    let cases = [
        (json!({}), "2027-11-02T"),
        (json!({ "expires_at": "2027-05-01" }), "2027-05-01T23:59:59.000Z"),
        (json!({ "expires_at": "2026-11-03T00:00:00+01:00" }), "2026-11-02T23:00:00.000Z"),
        (json!({ "expires_at": it.app.moment(730 * DAY) }), "2028-11-01T12:00:00.000Z"),
        (json!({ "expires_at": null }), "2027-11-02T"),
    ];
    for (body, expires_at) in cases {
        let reply = it.renew(&body).await.expect(200, &body.to_string());
        assert!(
            reply.json()["expires_at"].as_str().unwrap().starts_with(expires_at),
            "{body}: {}",
            reply.text()
        );
        assert!(reply.json().get("secret").is_none(), "{body}");
        assert_eq!(it.read().await, reply.json(), "{body}");
    }
    let path = admin(&format!("applications/{}/renew", it.client.id));
    it.app.admin(post(&path)).await.expect(200, "the body is optional");
    assert!(it.read().await["expires_at"].as_str().unwrap().starts_with("2027-11-02T"));
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let before = it.read().await;
    for wrong in [
        json!(it.app.moment(0)),
        json!("2026-11-01"),
        json!(it.app.moment(730 * DAY + 1)),
        json!("soon"),
        json!(7),
    ] {
        it.renew(&json!({ "expires_at": wrong })).await.expect_invalid("/expires_at", &wrong.to_string());
    }
    it.renew(&json!({ "status": "active" })).await.expect_invalid("/status", "not here");
    assert_eq!(it.read().await, before);
}

/// An expired client can be renewed, and then works again, with the secret that it has.
#[actix_web::test]
async fn expired_clients() {
    let it = fixture().await;
    it.app.advance(DAY);
    it.app.ask(&it.client, &[]).await.expect(401, "expired");
    assert_eq!(it.read().await["state"], "expired");
    it.renew(&json!({})).await.expect(200, "renewed");
    assert_eq!(it.read().await["state"], "active");
    it.app.ask(&it.client, &[]).await.expect(200, "renewed");
    let events = it.app.events(&format!("action=application.renewed&resource={}", it.client.id)).await;
    assert_eq!(events.len(), 1);
    let change = &events[0]["changes"][0];
    assert_eq!(change["field"], "expires_at", "{}", events[0]);
    assert_eq!(change["from"], "2026-11-03T12:00:00.000Z");
}

/// Renewing is not enabling, and an edit is not renewing.
#[actix_web::test]
async fn what_it_is_not() {
    let it = fixture().await;
    let path = admin(&format!("applications/{}", it.client.id));
    it.app.admin(patch(&path).json(&json!({ "status": "disabled" }))).await.expect(200, "disabled");
    it.renew(&json!({})).await.expect(200, "renewed");
    assert_eq!(it.read().await["state"], "disabled");
    it.app.ask(&it.client, &[]).await.expect(401, "disabled");
    let reply = it.app.admin(patch(&path).json(&json!({ "expires_at": "2027-01-01" }))).await;
    reply.expect_invalid("/expires_at", "not by an edit");
}

/// Policy can switch it off.
#[actix_web::test]
async fn switched_off() {
    let it = with(false).await;
    let before = it.read().await;
    let reply = it.renew(&json!({})).await;
    assert!([403, 409].contains(&reply.status), "{}", reply.text());
    assert_eq!(it.read().await, before);
    it.app.advance(DAY);
    let reply = it.renew(&json!({})).await;
    assert!([403, 409].contains(&reply.status), "{}", reply.text());
    it.app.ask(&it.client, &[]).await.expect(401, "expired for good");
}
