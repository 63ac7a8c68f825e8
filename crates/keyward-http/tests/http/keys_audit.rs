//! What the log holds of keys: each change, each refusal of a key that is known, and never a value.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::{
    AGENT, Call, Client, DAY, Key, PEER, TestApp, VERIFY, admin, delete, forward, get, id_of, made_up, patch,
    post,
};

struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    verifier: Client,
    key: Key,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let partner = app.partner("reseller").await;
    let tenant = json!({ "name": "Acme", "slug": "acme", "partner_id": partner });
    let acme = id_of(&app.create("tenants", &tenant).await);
    let verifier = app.verifier().await;
    let key = app.key(&acme, &["points:read"]).await;
    Fixture { app, partner, acme, verifier, key }
}

impl Fixture {
    async fn of_request(&self, request_id: &str) -> Vec<Value> {
        let all = self.app.events("").await;
        all.into_iter().filter(|event| event["context"]["request_id"] == request_id).collect()
    }

    async fn total(&self) -> u64 {
        self.app.ok(get(&admin("audit"))).await["pagination"]["total"].as_u64().unwrap()
    }

    /// Sends a write of the administrator's; its records.
    async fn write(&self, call: Call) -> (Value, Vec<Value>) {
        let what = format!("{} {}", call.method, call.uri);
        let reply = self.app.admin(call).await;
        assert!(reply.status < 300, "{what}: {} {}", reply.status, reply.text());
        (reply.json(), self.of_request(reply.header("x-request-id")).await)
    }
}

#[actix_web::test]
async fn every_change() {
    let it = fixture().await;
    let path = |key: &Key, rest: &str| admin(&format!("api-keys/{}{rest}", key.id));
    let create = post(&admin("api-keys")).json(&json!({ "name": "x", "tenant_id": it.acme }));
    let (made, created) = it.write(create).await;
    let other = Key::of(&made);
    let mut cases = vec![("api_key.created", other.id.clone(), created)];
    for (action, key, call) in [
        ("api_key.updated", &other, patch(&path(&other, "")).json(&json!({ "name": "Renamed" }))),
        ("api_key.updated", &other, patch(&path(&other, "")).json(&json!({ "status": "disabled" }))),
        ("api_key.revoked", &other, post(&path(&other, "/revoke")).json(&json!({}))),
        ("api_key.deleted", &other, delete(&path(&other, ""))),
    ] {
        cases.push((action, key.id.clone(), it.write(call).await.1));
    }
    for (action, id, records) in cases {
        assert_eq!(records.len(), 1, "{action}: {records:?}");
        check(&it, &records[0], action, &id);
    }
    let rotate = post(&path(&it.key, "/rotate")).json(&json!({ "overlap_seconds": 60 }));
    let (made, records) = it.write(rotate).await;
    let rotated: Vec<&Value> = records.iter().filter(|event| event["action"] == "api_key.rotated").collect();
    assert_eq!(rotated.len(), 1, "{records:?}");
    let ids = [it.key.id.clone(), id_of(&made)];
    assert!(ids.iter().any(|id| rotated[0]["resource"]["id"] == *id), "{}", rotated[0]);
    check(&it, rotated[0], "api_key.rotated", rotated[0]["resource"]["id"].as_str().unwrap());
    // One record per resource changed: at most the rotated key's and its successor's.
    assert!(records.len() <= 2, "{records:?}");
    let (_, records) = it.write(patch(&path(&it.key, "")).json(&json!({ "name": "Till" }))).await;
    assert_eq!(records, Vec::<Value>::new(), "nothing was changed");
}

#[track_caller]
fn check(it: &Fixture, event: &Value, action: &str, id: &str) {
    assert_eq!(event["action"], action, "{event}");
    assert_eq!(event["result"], "success", "{event}");
    assert_eq!((&event["resource"]["type"], &event["resource"]["id"]), (&json!("api_key"), &json!(id)));
    assert_eq!((&event["tenant_id"], &event["partner_id"]), (&json!(it.acme), &json!(it.partner)), "{event}");
    assert_eq!(event["actor"]["id"], it.app.root.id, "{event}");
    assert_eq!((&event["context"]["ip"], &event["context"]["user_agent"]), (&json!(PEER), &json!(AGENT)));
}

/// From what to what.
#[actix_web::test]
async fn changes() {
    let it = fixture().await;
    let body = json!({ "permissions": ["points:adjust"], "allowed_ips": ["10.0.0.0/8"], "name": "Till" });
    let path = admin(&format!("api-keys/{}", it.key.id));
    let (_, records) = it.write(patch(&path).json(&body)).await;
    let mut list = records[0]["changes"].as_array().unwrap().clone();
    list.sort_by_key(|change| change["field"].as_str().unwrap().to_owned());
    let expected = json!([
        { "field": "allowed_ips", "from": [], "to": ["10.0.0.0/8"] },
        { "field": "permissions", "from": ["points:read"], "to": ["points:adjust"] }
    ]);
    assert_eq!(json!(list), expected, "what stayed is not there");
}

/// A write that was refused has one record of the refusal; one that failed at most one, and none of success.
#[actix_web::test]
async fn refused_writes() {
    let it = fixture().await;
    let clerk = it.app.staff(&it.acme, "clerk", &["keyward:api-keys:write", "points:read"]).await;
    let nobody = it.app.person("nobody", &json!({ "tenant_id": it.acme })).await;
    let path = admin(&format!("api-keys/{}", it.key.id));
    let strong = json!({ "permissions": ["points:adjust"] });
    let create = json!({ "name": "x", "tenant_id": it.acme, "permissions": ["points:adjust"] });
    for (name, person, call, denied) in [
        ("more than held", &clerk, post(&admin("api-keys")).json(&create), true),
        ("more than held, later", &clerk, patch(&path).json(&strong), true),
        ("without any right", &nobody, post(&format!("{path}/rotate")).json(&json!({})), true),
        ("without any right", &nobody, post(&format!("{path}/revoke")).json(&json!({})), true),
        ("without any right", &nobody, delete(&path), true),
        ("an unknown key", &clerk, delete(&admin("api-keys/nonsense")), false),
        ("a wrong body", &clerk, patch(&path).json(&json!({ "colour": "blue" })), false),
        ("a stale version", &clerk, delete(&path).header("if-match", "\"0\""), false),
    ] {
        let reply = it.app.by(person, call).await;
        assert_eq!(reply.status == 403, denied, "{name}: {} {}", reply.status, reply.text());
        let records = it.of_request(reply.header("x-request-id")).await;
        assert!(records.iter().all(|event| event["result"] != "success"), "{name}: {records:?}");
        if denied {
            assert_eq!(records.len(), 1, "{name}: {records:?}");
            assert_eq!(records[0]["result"], "denied", "{name}");
            assert_eq!(records[0]["actor"]["id"], person.id, "{name}");
        } else {
            assert!(records.len() <= 1, "{name}: {records:?}");
        }
    }
}

/// A known key that is refused has its record, with the reason, in its tenant's log; both ways of asking alike.
#[actix_web::test]
async fn refusals() {
    let it = fixture().await;
    let fresh = async |fields: Value| it.app.key_with(&it.acme, &fields).await;
    let (disabled, revoked) = (fresh(json!({})).await, fresh(json!({})).await);
    let expired = fresh(json!({ "expires_at": it.app.moment(DAY) })).await;
    let staging = fresh(json!({ "environment": "staging" })).await;
    let elsewhere = fresh(json!({ "allowed_ips": ["192.0.2.1"] })).await;
    it.app.edit(&format!("api-keys/{}", disabled.id), &json!({ "status": "disabled" })).await;
    it.app.revoke_key(&revoked.id).await;
    it.app.advance(DAY);
    let token = it.app.token(&it.verifier).await;
    for (key, permission, code) in [
        (&disabled, None, "key_revoked"),
        (&revoked, None, "key_revoked"),
        (&expired, None, "key_expired"),
        (&staging, None, "token_wrong_environment"),
        (&elsewhere, None, "permission_denied"),
        (&it.key, Some("points:adjust"), "permission_denied"),
    ] {
        let permissions: Vec<&str> = permission.into_iter().collect();
        let body = json!({ "key": key.value, "permissions": permissions });
        let query = permission.map_or(String::new(), |permission| format!("&permission={permission}"));
        for call in [
            post(VERIFY).json(&body).bearer(&token),
            forward(&format!("require=api_key{query}")).header("x-api-key", &key.value),
        ] {
            let what = format!("{code} at {}", call.uri);
            let reply = it.app.send(call).await;
            assert_eq!(reply.json()["code"], code, "{what}: {}", reply.text());
            let records = it.of_request(reply.header("x-request-id")).await;
            assert_eq!(records.len(), 1, "{what}: {records:?}");
            let event = &records[0];
            assert_eq!(
                (&event["action"], &event["result"], &event["reason"]),
                (&json!("api_key.denied"), &json!("denied"), &json!(code)),
                "{what}: {event}"
            );
            assert_eq!(event["tenant_id"], it.acme, "{what}");
            let named = [&event["resource"]["id"], &event["actor"]["id"], &event["context"]["credential_id"]];
            assert!(named.contains(&&json!(key.id)), "{what}: which key? {event}");
            assert_eq!(event["context"]["ip"], PEER, "{what}");
        }
    }
    let before = it.total().await;
    let good = forward("require=api_key&permission=points:read").header("x-api-key", &it.key.value);
    it.app.send(good).await.expect(200, "a good key");
    assert_eq!(it.total().await, before, "a good key's use is evidence of use, and no record");
}

/// What nobody was given leaves nothing: a stranger can't fill the log.
#[actix_web::test]
async fn strangers_leave_nothing() {
    let it = fixture().await;
    let token = it.app.token(&it.verifier).await;
    let value = &it.key.value;
    let before = it.total().await;
    for wrong in [
        format!("{}000000", &value[..value.len() - 6]),
        value[..value.len() - 1].to_owned(),
        "nonsense".to_owned(),
        made_up('k', "live"),
    ] {
        let call = forward("require=api_key&permission=points:read").header("x-api-key", &wrong);
        it.app.send(call).await.expect(401, &wrong);
        let body = json!({ "key": wrong });
        let seen = it.app.send(post(VERIFY).json(&body).bearer(&token)).await.expect(200, &wrong);
        assert_eq!(seen.json()["code"], "key_invalid", "{wrong}");
    }
    it.app.send(forward("require=either")).await.expect(401, "nothing at all");
    it.app.send(forward("require=either").bearer("nonsense")).await.expect(401, "garbage");
    assert_eq!(it.total().await, before, "a record of a stranger");
}

/// A token that is good but lacks the permission: one `access.denied`, of its client and its tenant.
#[actix_web::test]
async fn tokens_that_lack_a_permission() {
    let it = fixture().await;
    let client = it.app.client(&it.acme, "crm-sync", &["points:read"]).await;
    let token = it.app.token(&client).await;
    let before = it.total().await;
    let good = forward("require=bearer&permission=points:read").bearer(&token);
    it.app.send(good).await.expect(200, "what it has");
    assert_eq!(it.total().await, before, "what succeeds leaves no record");
    let reply = it.app.send(forward("require=bearer&permission=points:adjust").bearer(&token)).await;
    let reply = reply.expect(403, "what it lacks");
    let records = it.of_request(reply.header("x-request-id")).await;
    assert_eq!(records.len(), 1, "{records:?}");
    let event = &records[0];
    assert_eq!((&event["action"], &event["result"]), (&json!("access.denied"), &json!("denied")), "{event}");
    assert_eq!(event["actor"]["id"], client.id, "{event}");
    assert_eq!(event["tenant_id"], it.acme, "{event}");
    assert_eq!((&event["context"]["ip"], &event["context"]["user_agent"]), (&json!(PEER), &json!(AGENT)));
}

/// What can't be written down does not happen; a good key needs nothing to be written.
#[actix_web::test]
async fn without_a_disk() {
    let it = fixture().await;
    let revoked = it.app.key(&it.acme, &["points:read"]).await;
    it.app.revoke_key(&revoked.id).await;
    let token = it.app.token(&it.verifier).await;
    let ask = |key: &Key| forward("require=api_key&permission=points:read").header("x-api-key", &key.value);
    let verify = |key: &Key| post(VERIFY).json(&json!({ "key": key.value })).bearer(&token);
    it.app.store.no_writes.store(true, Ordering::SeqCst);
    it.app.send(ask(&it.key)).await.expect(200, "a good key");
    let seen = it.app.send(verify(&it.key)).await.expect(200, "a good key");
    assert_eq!(seen.json()["valid"], true);
    let refused = it.app.send(ask(&revoked)).await;
    assert!([401, 503].contains(&refused.status), "{} {}", refused.status, refused.text());
    let refused = it.app.send(verify(&revoked)).await;
    assert!(refused.json()["valid"] != true, "{} {}", refused.status, refused.text());
    let path = admin(&format!("api-keys/{}", it.key.id));
    for write in [
        post(&admin("api-keys")).json(&json!({ "name": "x", "tenant_id": it.acme })),
        patch(&path).json(&json!({ "name": "x" })),
        post(&format!("{path}/rotate")).json(&json!({})),
        post(&format!("{path}/revoke")).json(&json!({})),
        delete(&path),
    ] {
        let what = format!("{} {}", write.method, write.uri);
        let reply = it.app.admin(write).await.expect(503, &what);
        assert!(!reply.text().contains("kwk_live_"), "{what}: {}", reply.text());
    }
    it.app.store.no_writes.store(false, Ordering::SeqCst);
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["pagination"]["total"], 2);
    let read = it.app.read_key(&it.key.id).await;
    assert_eq!((&read["state"], &read["successor_id"]), (&json!("active"), &Value::Null), "{read}");
}

/// Neither the value nor a part of it is in any record, however it came here.
#[actix_web::test]
async fn no_value_is_in_it() {
    let it = fixture().await;
    let made = Key::of(&it.app.rotate(&it.key.id, &json!({})).await);
    let stray = made_up('k', "live");
    let token = it.app.token(&it.verifier).await;
    let client = it.app.client(&it.acme, "crm-sync", &["points:read"]).await;
    let own = it.app.token(&client).await;
    for mistake in [
        post(VERIFY).json(&json!({ "key": made.value, "permissions": [stray] })).bearer(&token),
        post(VERIFY).json(&json!({ "key": made.value, "environment": stray })).bearer(&token),
        forward(&format!("require=api_key&permission={stray}")).header("x-api-key", &made.value),
        forward("require=api_key&permission=points:adjust")
            .header("x-api-key", &made.value)
            .header("user-agent", &stray)
            .header("x-request-id", &it.key.value),
        forward("require=bearer&permission=points:adjust").bearer(&own).header("user-agent", &made.value),
        get(&admin(&format!("api-keys/{}", made.value))).bearer(&own),
        delete(&admin(&format!("api-keys/{}", made.value))).bearer(&own),
    ] {
        it.app.send(mistake).await;
    }
    it.app.revoke_key(&it.key.id).await;
    let denied = forward("require=api_key").header("x-api-key", &it.key.value);
    it.app.send(denied).await.expect(401, "revoked");
    let log = Value::from(it.app.events("").await).to_string();
    for action in ["api_key.created", "api_key.rotated", "api_key.revoked", "api_key.denied"] {
        assert!(log.contains(action), "{action} is not in the log");
    }
    for secret in [&it.key.value, &made.value, &stray] {
        assert!(!log.contains(secret.as_str()), "the log holds {secret}");
        assert!(!log.contains(&secret[20..40]), "the log holds a part of {secret}");
    }
}
