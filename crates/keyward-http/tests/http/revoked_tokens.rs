//! Revoking tokens by name, through the admin API: one, or all that were issued up to a moment.

use serde_json::{Value, json};

use crate::support::{Client, TestApp, admin, decode, get, post};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    other: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let other = app.client(&globex, "crm-sync", &["points:read"]).await;
    Fixture { app, acme, client, other }
}

impl Fixture {
    async fn revoke(&self, body: &Value) -> Value {
        self.app.ok(post(&admin("revocations")).json(body)).await
    }

    /// Tokens of both clients, and whether they work; time passes before, so that later ones are told from earlier ones.
    async fn tokens(&self) -> [String; 2] {
        self.app.clock.advance_seconds(1);
        [self.app.token(&self.client).await, self.app.token(&self.other).await]
    }

    async fn alive(&self, [mine, others]: &[String; 2]) -> [bool; 2] {
        let active = async |client: &Client, token: &str| {
            self.app.introspect(client, token).await["active"] == json!(true)
        };
        [active(&self.client, mine).await, active(&self.other, others).await]
    }

    fn now(&self) -> String {
        keyward_model::Clock::now(&*self.app.clock).to_string()
    }
}

#[actix_web::test]
async fn one_by_its_jti() {
    let mut it = fixture().await;
    let (tokens, siblings) = (it.tokens().await, it.tokens().await);
    let jti = decode(&tokens[0]).text("jti").to_owned();
    let body = json!({ "jti": jti });
    assert_eq!(it.revoke(&body).await["jti"], json!(jti));
    it.revoke(&body).await;
    assert_eq!(it.alive(&tokens).await, [false, true]);
    assert_eq!(it.alive(&siblings).await, [true, true]);
    let entry = it.app.feed("").await.about(&format!("jti:{jti}")).cloned();
    assert!(entry.is_some_and(|entry| entry.get("before").is_none()));
    let events = it.app.events("action=token.revoked").await;
    assert_eq!(events[0]["resource"]["id"], json!(jti));
    it.app.restart(|_| {}).await;
    assert_eq!(it.alive(&tokens).await, [false, true], "after a restart");
}

#[actix_web::test]
async fn those_of_a_client_or_tenant_up_to_a_moment() {
    for of_tenant in [false, true] {
        let it = fixture().await;
        let earlier = it.tokens().await;
        let moment = it.now();
        let later = it.tokens().await;
        let (name, subject) = if of_tenant {
            (json!({ "tenant_id": it.acme }), format!("tenant:{}", it.acme))
        } else {
            (json!({ "client_id": it.client.client_id }), format!("client:{}", it.client.client_id))
        };
        let mut body = name.clone();
        body["before"] = json!(moment);
        it.revoke(&body).await;
        assert_eq!(it.alive(&earlier).await, [false, true], "{name}");
        assert_eq!(it.alive(&later).await, [true, true], "{name}");
        let entry = it.app.feed("").await.about(&subject).cloned().unwrap();
        assert!(entry["before"].is_i64(), "{entry}");
        // An earlier moment takes nothing back.
        body["before"] = json!("2026-01-01T00:00:00Z");
        it.revoke(&body).await;
        assert_eq!(it.alive(&earlier).await, [false, true], "{name}");
        assert_eq!(it.app.feed("").await.about(&subject), Some(&entry), "{name}");
    }
}

#[actix_web::test]
async fn all_up_to_a_moment() {
    let mut it = fixture().await;
    let earlier = it.tokens().await;
    let moment = it.now();
    let later = it.tokens().await;
    let fresh = it.app.token(&it.app.root).await;
    it.revoke(&json!({ "before": moment })).await;
    assert_eq!(it.alive(&earlier).await, [false, false]);
    assert_eq!(it.alive(&later).await, [true, true]);
    let log = get(&admin("audit?action=tokens.revoked"));
    it.app.admin(log.clone()).await.expect(401, "the administrator's own token was one of them");
    let log = it.app.send(log.bearer(&fresh)).await.expect(200, "a later one").json();
    assert_eq!(log["data"].as_array().unwrap().len(), 1);
    it.app.restart(|_| {}).await;
    assert_eq!(it.alive(&earlier).await, [false, false], "after a restart");
    assert!(it.app.feed("").await.about("all").is_some());
}

#[actix_web::test]
async fn a_disabled_client_is_not_brought_back() {
    let it = fixture().await;
    let path = format!("applications/{}", it.client.id);
    it.app.edit(&path, &json!({ "status": "disabled" })).await;
    it.revoke(&json!({ "client_id": it.client.client_id, "before": it.now() })).await;
    let feed = it.app.feed("").await;
    let entry = feed.about(&format!("client:{}", it.client.client_id)).unwrap();
    assert!(entry.get("before").is_none(), "all of its tokens, whenever they were issued: {entry}");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let tokens = it.tokens().await;
    let future = "2099-01-01T00:00:00Z";
    let cases = [
        (json!({}), "/before"),
        (json!({ "client_id": it.client.client_id }), "/before"),
        (json!({ "before": future }), "/before"),
        (json!({ "before": 7 }), "/before"),
        (json!({ "jti": "x" }), "/jti"),
        (json!({ "jti": decode(&tokens[0]).text("jti"), "before": it.now() }), "/jti"),
        (json!({ "before": it.now(), "client_id": "acme.nobody" }), "/client_id"),
        (json!({ "before": it.now(), "tenant_id": "tnt_00000000000000000000000007" }), "/tenant_id"),
        (json!({ "before": it.now(), "tenant_id": it.acme, "client_id": "acme.crm-sync" }), "/tenant_id"),
        (json!({ "before": it.now(), "user_id": "x" }), "/user_id"),
    ];
    for (body, pointer) in cases {
        let reply =
            it.app.admin(post(&admin("revocations")).json(&body)).await.expect(422, &body.to_string());
        assert_eq!(reply.pointers(), [pointer], "{body}: {}", reply.text());
    }
    assert_eq!(it.alive(&tokens).await, [true, true]);
    assert!(it.app.feed("").await.entries().is_empty());
}
