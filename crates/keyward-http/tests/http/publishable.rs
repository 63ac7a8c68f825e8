//! The tenant's publishable key: it names the tenant, grants nothing, and can be read and replaced.

use serde_json::{Value, json};

use crate::support::{
    Client, TestApp, World, admin, forward, get, id_of, is_well_formed, made_up, nobody, patch, post,
    verdict_of,
};

struct Fixture {
    app: TestApp,
    acme: String,
    verifier: Client,
    key: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let verifier = app.verifier().await;
    let key = app.publishable_key(&acme).await;
    Fixture { app, acme, verifier, key }
}

impl Fixture {
    async fn verdict(&self, key: &str) -> String {
        self.app.verdict(&self.verifier, key, &[]).await
    }

    async fn replace(&self) -> String {
        let path = admin(&format!("tenants/{}/publishable-key", self.acme));
        let tenant = self.app.ok(post(&path).json(&json!({}))).await;
        assert_eq!(tenant["id"], self.acme);
        tenant["publishable_key"].as_str().unwrap().to_owned()
    }
}

/// A key that is refused as if there were none, or as one that was stopped: the contract leaves it open.
#[track_caller]
fn stopped(verdict: &str, why: &str) {
    assert!(["key_invalid", "key_revoked"].contains(&verdict), "{why}: {verdict}");
}

/// It can be read at any time, with its tenant.
#[actix_web::test]
async fn reading() {
    let it = World::new().await;
    let path = admin(&format!("tenants/{}", it.acme.tenant));
    let key = it.app.publishable_key(&it.acme.tenant).await;
    assert!(is_well_formed(&key, "kwt_live_"), "{key}");
    assert_ne!(key, it.app.publishable_key(&it.annex.tenant).await);
    for person in [&it.boss, &it.of_north, &it.acme.admin] {
        for _ in 0..2 {
            let seen = it.app.by(person, get(&path)).await.expect(200, &person.email);
            assert_eq!(seen.json()["publishable_key"], key, "{}", person.email);
        }
        let list = it.app.by(person, get(&admin("tenants?q=acme"))).await.json();
        assert_eq!(list["data"][0]["publishable_key"], key, "{}", person.email);
    }
    for person in [&it.annex.admin, &it.of_south] {
        it.app.by(person, get(&path)).await.expect(404, &person.email);
    }
    let list = it.app.ok(get(&admin("api-keys?per_page=100"))).await;
    let kinds = list["data"].as_array().unwrap().iter().map(|key| key["kind"].clone());
    assert!(kinds.into_iter().all(|kind| kind == "secret"), "it is no API key of the list: {list}");
}

/// Nobody chooses it.
#[actix_web::test]
async fn it_is_in_no_body() {
    let it = fixture().await;
    let wanted = made_up('t', "live");
    let body = json!({ "name": "x", "slug": "x", "publishable_key": wanted });
    it.app.admin(post(&admin("tenants")).json(&body)).await.expect_invalid("/publishable_key", "created");
    let path = admin(&format!("tenants/{}", it.acme));
    for value in [json!(wanted), json!(it.key), Value::Null] {
        let change = patch(&path).json(&json!({ "publishable_key": value }));
        it.app.admin(change).await.expect_invalid("/publishable_key", "changed");
    }
    let path = format!("{path}/publishable-key");
    let reply = it.app.admin(post(&path).json(&json!({ "publishable_key": wanted }))).await;
    reply.expect_invalid("/publishable_key", "replaced");
    assert_eq!(it.app.publishable_key(&it.acme).await, it.key);
    it.app.admin(get(&path)).await.expect(405, "it is read with its tenant");
}

/// It answers with its tenant and no permission; any that is asked of it is denied.
#[actix_web::test]
async fn it_grants_nothing() {
    let it = fixture().await;
    let seen = it.app.verify(&it.verifier, &json!({ "key": it.key })).await;
    for (name, value) in [
        ("valid", json!(true)),
        ("code", Value::Null),
        ("key_id", Value::Null),
        ("tenant_id", json!(it.acme)),
        ("permissions", json!([])),
        ("missing", json!([])),
        ("kind", json!("publishable")),
    ] {
        assert_eq!(seen[name], value, "{name} of {seen}");
    }
    let body = json!({ "key": it.key, "permissions": ["points:read"] });
    let seen = it.app.verify(&it.verifier, &body).await;
    for (name, value) in [
        ("valid", json!(false)),
        ("code", json!("permission_denied")),
        ("tenant_id", json!(it.acme)),
        ("permissions", json!([])),
        ("missing", json!(["points:read"])),
    ] {
        assert_eq!(seen[name], value, "{name} of {seen}");
    }
    assert_eq!(it.verdict(&it.key).await, "ok");
    for permission in ["points:read", "keys:verify", "admin:read"] {
        let seen = it.app.verdict(&it.verifier, &it.key, &[permission]).await;
        assert_eq!(seen, "permission_denied", "{permission}");
        let call = forward(&format!("require=either&permission={permission}")).header("x-api-key", &it.key);
        assert_eq!(verdict_of(&it.app.send(call).await, permission), "permission_denied");
    }
    let secret = it.app.key(&it.acme, &["points:read"]).await;
    let seen = it.app.verdict(&it.verifier, &secret.value, &["points:read"]).await;
    assert_eq!(seen, "ok", "a secret key has what it was given");
}

/// The old one stops at once, and for good; every replacement is another.
#[actix_web::test]
async fn replacing() {
    let mut it = fixture().await;
    assert_eq!(it.verdict(&it.key).await, "ok");
    let second = it.replace().await;
    assert!(is_well_formed(&second, "kwt_live_"), "{second}");
    assert_eq!(it.app.publishable_key(&it.acme).await, second);
    stopped(&it.verdict(&it.key).await, "the first");
    assert_eq!(it.verdict(&second).await, "ok");
    let third = it.replace().await;
    stopped(&it.verdict(&it.key).await, "the first");
    stopped(&it.verdict(&second).await, "the second");
    assert_eq!(it.verdict(&third).await, "ok");
    it.app.restart(|_| {}).await;
    stopped(&it.verdict(&second).await, "the second, after a restart");
    assert_eq!(it.verdict(&third).await, "ok");
    let there = it.app.neighbour().await;
    assert_eq!(there.verdict(&it.verifier, &third, &[]).await, "ok");
}

/// By the super admin or a service token with `admin:write`: tenants are written by nobody else.
#[actix_web::test]
async fn who_may_replace_it() {
    let it = World::new().await;
    let call = |tenant: &str| post(&admin(&format!("tenants/{tenant}/publishable-key"))).json(&json!({}));
    let before = it.app.publishable_key(&it.acme.tenant).await;
    let looker = it.app.staff(&it.acme.tenant, "looker", &["keyward:api-keys:write"]).await;
    for person in [&it.of_north, &it.of_south, &it.acme.admin, &it.annex.admin, &it.acme.user, &looker] {
        let reply = it.app.by(person, call(&it.acme.tenant)).await.expect(403, &person.email);
        if person.id != looker.id && person.id != it.acme.user.id {
            assert_eq!(reply.json()["detail"], "Access denied", "{}", person.email);
        }
    }
    let reader = it.app.global("reader", &["admin:read"]).await;
    let reader = it.app.token(&reader).await;
    let reply = it.app.send(call(&it.acme.tenant).bearer(&reader)).await.expect(403, "a reader");
    assert_eq!(reply.json()["required_permissions"], json!(["admin:write"]));
    it.app.send(call(&it.acme.tenant)).await.expect(401, "nobody");
    assert_eq!(it.app.publishable_key(&it.acme.tenant).await, before);
    it.app.by(&it.boss, call(&it.acme.tenant)).await.expect(200, "the super admin");
    it.app.admin(call(&it.acme.tenant)).await.expect(200, "a service token with admin:write");
    for unknown in [nobody(&it.acme.tenant).as_str(), "nonsense", &it.acme.client.id] {
        it.app.by(&it.boss, call(unknown)).await.expect(404, unknown);
    }
    let other = it.app.publishable_key(&it.annex.tenant).await;
    let verifier = it.app.verifier().await;
    assert_eq!(it.app.verdict(&verifier, &other, &[]).await, "ok", "another tenant's");
}

/// One record for each replacement, in the tenant's log.
#[actix_web::test]
async fn it_is_in_the_log() {
    let it = fixture().await;
    it.replace().await;
    it.replace().await;
    let events = it.app.events("action=tenant.publishable_key_replaced").await;
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!(
            (&event["resource"]["type"], &event["resource"]["id"]),
            (&json!("tenant"), &json!(it.acme))
        );
        assert_eq!((&event["tenant_id"], &event["result"]), (&json!(it.acme), &json!("success")), "{event}");
        assert_eq!(event["actor"]["id"], it.app.root.id, "{event}");
    }
}

/// It lives and dies with its tenant and the partner above.
#[actix_web::test]
async fn it_dies_with_its_tenant() {
    let it = fixture().await;
    let partner = json!({ "name": "Reseller", "slug": "reseller" });
    let partner = id_of(&it.app.create("partners", &partner).await);
    let tenant = format!("tenants/{}", it.acme);
    it.app.edit(&tenant, &json!({ "partner_id": partner })).await;
    for path in [&tenant, &format!("partners/{partner}")] {
        assert_eq!(it.verdict(&it.key).await, "ok", "{path}");
        it.app.edit(path, &json!({ "status": "suspended" })).await;
        assert_eq!(it.verdict(&it.key).await, "key_revoked", "{path} is suspended");
        it.app.edit(path, &json!({ "status": "active" })).await;
        assert_eq!(it.verdict(&it.key).await, "ok", "{path} is back");
    }
    it.app.remove(&tenant).await;
    stopped(&it.verdict(&it.key).await, "its tenant is deleted");
}

/// Beside a token it says which tenant is meant; the token brings the permission.
#[actix_web::test]
async fn beside_a_token() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    let foreign = it.app.publishable_key(&globex).await;
    let client = it.app.client(&it.acme, "crm-sync", &["points:read"]).await;
    let token = it.app.token(&client).await;
    let ask = async |key: &str, permission: &str| {
        let call = forward(&format!("require=both&permission={permission}")).bearer(&token);
        it.app.send(call.header("x-api-key", key)).await
    };
    let reply = ask(&it.key, "points:read").await;
    assert_eq!(verdict_of(&reply, "both"), "ok");
    assert_eq!(reply.header("x-keyward-tenant"), it.acme);
    assert_eq!(reply.header("x-keyward-client"), client.client_id);
    assert_eq!(reply.header("x-keyward-scope"), "points:read");
    for (key, permission, code) in [
        (it.key.as_str(), "points:adjust", "permission_denied"),
        (&foreign, "points:read", "tenant_mismatch"),
        (&made_up('t', "live"), "points:read", "key_invalid"),
        ("kwt_live_nonsense", "points:read", "key_invalid"),
    ] {
        let what = format!("{key}, {permission}");
        assert_eq!(verdict_of(&ask(key, permission).await, &what), code, "{what}");
    }
    let second = it.replace().await;
    stopped(&verdict_of(&ask(&it.key, "points:read").await, "the old one"), "the old one");
    assert_eq!(verdict_of(&ask(&second, "points:read").await, "the new one"), "ok");
}
