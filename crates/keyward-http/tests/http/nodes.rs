//! Two nodes on one database: what one writes counts on the other within a second.

use std::time::Duration;

use serde_json::json;

use crate::support::{Client, TestApp, admin, get, post, put};

/// Waits for what must come true within a second; as long again for a machine that is busy with other tests.
async fn within_a_second(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            actix_web::rt::task::yield_now().await;
        }
    };
    assert!(actix_web::rt::time::timeout(Duration::from_secs(2), wait).await.is_ok(), "{what} took too long");
}

async fn is_active(node: &TestApp, client: &Client, token: &str) -> bool {
    node.introspect(client, token).await["active"] == true
}

#[actix_web::test]
async fn what_dies_on_one_dies_on_the_other() {
    let here = TestApp::start().await;
    here.catalogue().await;
    let acme = here.tenant("acme").await;
    let there = here.neighbour().await;
    let reader = here.global("reader", &["admin:read"]).await;
    let mut clients = Vec::new();
    for name in ["disabled", "deleted", "secret-revoked", "token-revoked"] {
        let client = here.client(&acme, name, &["points:read"]).await;
        let token = there.token(&client).await;
        assert!(is_active(&there, &reader, &token).await, "{name}");
        assert!(is_active(&here, &reader, &token).await, "{name}");
        clients.push((client, token));
    }
    let path = |index: usize| format!("applications/{}", clients[index].0.id);
    here.edit(&path(0), &json!({ "status": "disabled" })).await;
    here.remove(&path(1)).await;
    here.remove(&format!("{}/secrets/{}", path(2), clients[2].0.secret_id)).await;
    here.revoke(&clients[3].0, &clients[3].1).await.expect(200, "revoked");
    for (client, token) in &clients {
        assert!(!is_active(&here, &reader, token).await, "{} at once where it was written", client.client_id);
    }
    for (index, (client, token)) in clients.iter().enumerate() {
        within_a_second(&client.client_id, async || !is_active(&there, &reader, token).await).await;
        let status = there.ask(client, &[]).await.status;
        assert_eq!(status, if index == 3 { 200 } else { 401 }, "{}", client.client_id);
    }
}

#[actix_web::test]
async fn what_is_given_on_one_is_there_on_the_other() {
    let here = TestApp::start().await;
    let there = here.neighbour().await;
    here.catalogue().await;
    let acme = here.tenant("acme").await;
    let hub = here.global("hub", &["points:read"]).await;
    within_a_second("a new client", async || there.ask(&hub, &[]).await.status == 200).await;
    let grants = json!({ "grants": [{ "tenant_id": acme, "permissions": ["points:read"] }] });
    there.ok(put(&admin(&format!("applications/{}/grants", hub.id))).json(&grants)).await;
    within_a_second("a grant", async || here.ask(&hub, &[("tenant", "acme")]).await.status == 200).await;
    here.ok(get(&admin(&format!("applications/{}", hub.id)))).await;
}

/// A token is good on both, and so is a replay.
#[actix_web::test]
async fn they_are_one_server() {
    let here = TestApp::start().await;
    let there = here.neighbour().await;
    let body = json!({ "name": "Acme", "slug": "acme" });
    let create = || post(&admin("tenants")).json(&body).header("idempotency-key", "k");
    let first = here.admin(create()).await.expect(201, "here").json();
    let again = there.admin(create()).await.expect(201, "there").json();
    assert_eq!(again, first);
    let token = here.admin_token().await;
    there.send(get(&admin("tenants")).bearer(&token)).await.expect(200, "a token from here");
    let names = |jwks: &serde_json::Value| crate::support::column(&json!({ "data": jwks["keys"] }), "kid");
    assert_eq!(names(&here.jwks().await), names(&there.jwks().await));
    let logs = [here.events("").await.len(), there.events("").await.len()];
    assert!(logs[0] > 0 && logs[1] >= logs[0], "one log: {logs:?}");
}
