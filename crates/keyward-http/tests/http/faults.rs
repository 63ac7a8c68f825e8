//! Storage fails: nothing is done that is not written down, and nothing is answered that was not checked.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::support::{Client, Reply, TestApp, admin, check_discreet, delete, get, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    app.admin_token().await;
    Fixture { app, acme, client }
}

#[track_caller]
fn unavailable(reply: &Reply, why: &str) {
    assert_eq!(reply.status, 503, "{why}: {}", reply.text());
    assert_eq!(reply.json()["error"], "temporarily_unavailable", "{why}");
    assert!(reply.json().get("access_token").is_none(), "{why}");
    check_discreet(&reply.text(), why);
}

/// The audit record cannot be written: 503 `temporarily_unavailable`, and no token.
#[actix_web::test]
async fn no_token_without_its_record() {
    let Fixture { app, client, .. } = fixture().await;
    let token = app.token(&client).await;
    let before = app.events("action=token.issued").await.len();
    app.store.no_writes.store(true, Ordering::SeqCst);
    unavailable(&app.ask(&client, &[]).await, "a token");
    let stranger = Client { secret: client.secret.replace("_live_", "_test_"), ..client.clone() };
    unavailable(&app.ask(&stranger, &[]).await, "a refusal is not written down either");
    unavailable(&app.revoke(&client, &token).await, "a revocation");
    app.send(get("/.well-known/jwks.json")).await.expect(200, "the keys are still there");
    assert_eq!(app.introspect(&client, &token).await["active"], true, "reads go on");
    app.ok(get(&admin("tenants"))).await;
    app.store.no_writes.store(false, Ordering::SeqCst);
    app.ask(&client, &[]).await.expect(200, "storage is back");
    let after = app.events("action=token.issued").await.len();
    assert_eq!(after, before + 1, "what was refused left no record of success");
}

/// No write without its record, and the next attempt finds everything as it was.
#[actix_web::test]
async fn no_write_without_its_record() {
    let Fixture { app, acme, client } = fixture().await;
    let tenant = json!({ "name": "Globex", "slug": "globex" });
    let secrets = format!("applications/{}/secrets", client.id);
    let writes = || {
        [
            post(&admin("tenants")).json(&tenant),
            patch(&admin(&format!("tenants/{acme}"))).json(&json!({ "name": "Other" })),
            delete(&admin(&format!("tenants/{acme}"))),
            post(&admin(&secrets)).json(&json!({})),
        ]
    };
    app.store.no_writes.store(true, Ordering::SeqCst);
    for write in writes() {
        let what = format!("{} {}", write.method, write.uri);
        let reply = app.admin(write).await.expect(503, &what);
        check_discreet(&reply.text(), &what);
    }
    app.store.no_writes.store(false, Ordering::SeqCst);
    assert_eq!(app.ok(get(&admin(&format!("tenants/{acme}")))).await["name"], "acme");
    assert_eq!(app.ok(get(&admin(&secrets))).await["pagination"]["total"], 1);
    app.create("tenants", &tenant).await;
}

/// What can't be checked is refused: 503, never a guess.
#[actix_web::test]
async fn unreadable_storage() {
    let Fixture { mut app, client, .. } = fixture().await;
    let token = app.token(&client).await;
    let admin_token = app.admin_token().await;
    app.restart(|_| {}).await;
    app.store.no_reads.store(true, Ordering::SeqCst);
    unavailable(&app.ask(&client, &[]).await, "an unknown client or no database?");
    let form = [("token", token.as_str())];
    let introspection = post("/oauth2/introspect").basic(&client.client_id, &client.secret).form(&form);
    unavailable(&app.send(introspection).await, "introspection");
    let reply = app.send(get(&admin("tenants")).bearer(&admin_token)).await.expect(503, "the admin API");
    check_discreet(&reply.text(), "the admin API");
    app.store.no_reads.store(false, Ordering::SeqCst);
    app.ask(&client, &[]).await.expect(200, "storage is back");
    app.send(get(&admin("tenants")).bearer(&admin_token)).await.expect(200, "storage is back");
}
