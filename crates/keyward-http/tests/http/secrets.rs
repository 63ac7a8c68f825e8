//! Secrets: several may be live, each is shown once, each has evidence of its use.

use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, TestApp, admin, delete, get, id_of, is_well_formed, post};

struct Fixture {
    app: TestApp,
    client: Client,
    path: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let path = admin(&format!("applications/{}/secrets", client.id));
    Fixture { app, client, path }
}

impl Fixture {
    async fn read(&self, secret: &str) -> Value {
        let list = self.app.ok(get(&self.path)).await;
        let found = list["data"].as_array().unwrap().iter().find(|one| one["id"] == secret).cloned();
        found.unwrap_or_else(|| panic!("{secret} is not in {list}"))
    }

    async fn use_from(&self, client: &Client, address: &str) -> u16 {
        let form = [("grant_type", "client_credentials")];
        let call = post("/oauth2/token").basic(&client.client_id, &client.secret).form(&form);
        self.app.send(call.from(address)).await.status
    }
}

#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let reply = it.app.admin(post(&it.path).json(&json!({}))).await.expect(201, "a secret");
    assert!(reply.header("cache-control").contains("no-store"));
    let made = reply.json();
    let value = made["value"].as_str().unwrap();
    assert!(is_well_formed(value, "kws_live_"), "{value}");
    assert!(id_of(&made).starts_with("sec_"));
    assert_eq!(made["hint"], value[..13]);
    assert_eq!(made["expires_at"], Value::Null, "null unless one is given");
    let read = it.read(&id_of(&made)).await;
    for name in ["id", "hint", "expires_at"] {
        assert_eq!(read[name], made[name], "{name}");
    }
    assert_eq!(read["state"], "active");
    assert!(read.get("value").is_none());
    let text = it.app.admin(get(&it.path)).await.text();
    for secret in [value, &it.client.secret] {
        assert!(!text.contains(secret), "a secret is shown again");
        assert!(!text.contains(&secret[13..]), "a part of a secret is shown");
    }
    let until =
        it.app.create(&it.path["/api/v1/admin/".len()..], &json!({ "expires_at": "2026-12-31" })).await;
    assert_eq!(until["expires_at"], "2026-12-31T23:59:59.000Z");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    for wrong in [json!(it.app.moment(0)), json!("2026-11-01"), json!("soon"), json!(7)] {
        let reply = it.app.admin(post(&it.path).json(&json!({ "expires_at": wrong }))).await;
        reply.expect_invalid("/expires_at", &wrong.to_string());
    }
    for name in ["value", "hint", "id", "hash"] {
        let reply = it.app.admin(post(&it.path).json(&json!({ name: "x" }))).await;
        reply.expect_invalid(&format!("/{name}"), name);
    }
    assert_eq!(it.app.ok(get(&it.path)).await["pagination"]["total"], 1);
}

/// Both work until one is revoked, at once and for good, with the tokens that it obtained.
#[actix_web::test]
async fn rotation() {
    let it = fixture().await;
    let second = it.app.another_secret(&it.client, &json!({})).await;
    assert_ne!(second.secret, it.client.secret);
    let (old, new) = (it.app.token(&it.client).await, it.app.token(&second).await);
    let revoke = || delete(&format!("{}/{}", it.path, it.client.secret_id));
    it.app.admin(revoke()).await.expect(204, "revoked");
    it.app.ask(&it.client, &[]).await.expect(401, "the revoked secret");
    it.app.ask(&second, &[]).await.expect(200, "the other one");
    assert_eq!(it.app.introspect(&second, &old).await, json!({ "active": false }));
    assert_eq!(it.app.introspect(&second, &new).await["active"], true);
    assert_eq!(it.read(&it.client.secret_id).await["state"], "revoked");
    assert_eq!(it.read(&second.secret_id).await["state"], "active");
    let again = it.app.admin(revoke()).await;
    assert!([204, 404, 409].contains(&again.status), "{}", again.text());
    it.app.ask(&it.client, &[]).await.expect(401, "it never comes back");
}

/// Expiry ends the secret, not the tokens that it obtained, and not its siblings.
#[actix_web::test]
async fn expiry() {
    let it = fixture().await;
    let brief = it.app.another_secret(&it.client, &json!({ "expires_at": it.app.moment(600) })).await;
    assert_eq!(it.read(&brief.secret_id).await["state"], "expiring");
    it.app.advance(599);
    let token = it.app.token(&brief).await;
    it.app.advance(1);
    let reply = it.app.ask(&brief, &[]).await.expect(401, "expired");
    assert_eq!(reply.json()["error"], "invalid_client");
    assert_eq!(it.read(&brief.secret_id).await["state"], "expired");
    assert_eq!(it.app.introspect(&it.client, &token).await["active"], true);
    it.app.ask(&it.client, &[]).await.expect(200, "its sibling");
    it.app.advance(HOUR - 1);
    assert_eq!(it.app.introspect(&it.client, &token).await["active"], false, "its own expiry");
}

/// The last secret may go; the application waits for the next.
#[actix_web::test]
async fn without_any() {
    let it = fixture().await;
    it.app.admin(delete(&format!("{}/{}", it.path, it.client.secret_id))).await.expect(204, "the last");
    it.app.ask(&it.client, &[]).await.expect(401, "no secret is left");
    let next = it.app.another_secret(&it.client, &json!({})).await;
    it.app.ask(&next, &[]).await.expect(200, "the next");
}

/// When, from where, how often: per secret.
#[actix_web::test]
async fn evidence_of_use() {
    let it = fixture().await;
    let unused = it.read(&it.client.secret_id).await;
    assert_eq!((&unused["last_used_at"], &unused["callers"]), (&Value::Null, &json!([])));
    let other = it.app.another_secret(&it.client, &json!({})).await;
    let first = it.app.moment(0);
    for _ in 0..2 {
        assert_eq!(it.use_from(&it.client, "198.51.100.1").await, 200);
    }
    it.app.advance(60);
    let last = it.app.moment(0);
    assert_eq!(it.use_from(&it.client, "198.51.100.1").await, 200);
    assert_eq!(it.use_from(&it.client, "2001:db8::1").await, 200);
    let wrong = Client { secret: crate::support::made_up('s', "live"), ..it.client.clone() };
    assert_eq!(it.use_from(&wrong, "198.51.100.99").await, 401);
    let used = it.read(&it.client.secret_id).await;
    assert_eq!(used["last_used_at"], last);
    let mut callers = used["callers"].as_array().unwrap().clone();
    callers.sort_by_key(|caller| caller["address"].as_str().unwrap().to_owned());
    let expected = json!([
        { "address": "198.51.100.1", "count": 3, "first_used_at": first, "last_used_at": last },
        { "address": "2001:db8::1", "count": 1, "first_used_at": last, "last_used_at": last }
    ]);
    assert_eq!(json!(callers), expected, "a refused attempt is no use");
    assert_eq!(it.read(&other.secret_id).await["last_used_at"], Value::Null, "the other secret was not used");
}

/// It is still there after a restart, and goes on from there.
#[actix_web::test]
async fn evidence_survives_a_restart() {
    let mut it = fixture().await;
    assert_eq!(it.use_from(&it.client, "198.51.100.1").await, 200);
    it.app.restart(|_| {}).await;
    it.app.advance(DAY);
    assert_eq!(it.use_from(&it.client, "198.51.100.1").await, 200);
    let used = it.read(&it.client.secret_id).await;
    assert_eq!(used["callers"][0]["count"], 2);
    assert_eq!(used["last_used_at"], it.app.moment(0));
}
