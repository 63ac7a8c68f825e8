//! Keys in lists, keys that end, and values that are shown once.

use serde_json::{Value, json};

use crate::support::{DAY, HOUR, Key, TestApp, admin, column, delete, get, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    Fixture { app, acme }
}

fn body(tenant: &str, name: &str) -> Value {
    json!({ "name": name, "tenant_id": tenant, "permissions": ["points:read"] })
}

#[actix_web::test]
async fn lists() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    for (tenant, name, environment, days) in [
        (&it.acme, "soon", "production", Some(5)),
        (&it.acme, "later", "staging", Some(25)),
        (&it.acme, "ever", "production", None),
        (&globex, "other", "production", Some(5)),
    ] {
        let expires_at = days.map(|days| it.app.moment(days * DAY));
        let fields = json!({ "name": name, "environment": environment, "expires_at": expires_at });
        let key = it.app.key_with(tenant, &fields).await;
        if name == "ever" {
            it.app.edit(&format!("api-keys/{}", key.id), &json!({ "status": "disabled" })).await;
        }
    }
    let (acme, globex) = (&it.acme, &globex);
    let nobody = format!("tnt_{}", "0".repeat(26));
    let cases: [(&str, &[&str]); 13] = [
        ("sort=name", &["ever", "later", "other", "soon"]),
        ("sort=-name", &["soon", "other", "later", "ever"]),
        ("sort=name&per_page=1&page=2", &["later"]),
        ("sort=name&status=disabled", &["ever"]),
        ("sort=name&status=active", &["later", "other", "soon"]),
        ("sort=name&environment=staging", &["later"]),
        (&format!("sort=name&tenant_id={acme}"), &["ever", "later", "soon"]),
        (&format!("tenant_id={globex}"), &["other"]),
        (&format!("tenant_id={nobody}"), &[]),
        (&format!("tenant_id={acme}&environment=production&status=active"), &["soon"]),
        ("sort=name&expires_within_days=6", &["other", "soon"]),
        (&format!("sort=name&expires_within_days=30&tenant_id={acme}"), &["later", "soon"]),
        ("q=ATE", &["later"]),
    ];
    for (query, names) in cases {
        let list = it.app.ok(get(&admin(&format!("api-keys?{query}")))).await;
        assert_eq!(column(&list, "name"), names, "{query}");
        let total = if query.contains("page=") { 4 } else { names.len() };
        assert_eq!(list["pagination"]["total"], total, "{query}");
    }
    for (query, statuses) in [
        ("page=0", &[400][..]),
        ("per_page=101", &[400]),
        ("colour=blue", &[422]),
        ("status=nonsense", &[400, 422]),
        ("sort=value", &[400, 422]),
        ("sort=hash", &[400, 422]),
        ("value=x", &[422]),
    ] {
        let reply = it.app.admin(get(&admin(&format!("api-keys?{query}")))).await;
        assert!(statuses.contains(&reply.status), "{query}: {} {}", reply.status, reply.text());
    }
}

/// A key can't be found by its value, nor by a part of it that is no part of the hint.
#[actix_web::test]
async fn the_value_is_no_search_term() {
    let it = fixture().await;
    let key = it.app.key(&it.acme, &[]).await;
    for part in [&key.value[..], &key.value[13..20], &key.value[20..]] {
        let list = it.app.ok(get(&admin(&format!("api-keys?q={part}")))).await;
        assert_eq!(list["data"], json!([]), "{part}");
    }
    assert_eq!(it.app.ok(get(&admin("api-keys?q=till"))).await["pagination"]["total"], 1);
}

/// The reply that creates it, and nothing else ever, has the value: no replay, no reading, no record.
#[actix_web::test]
async fn shown_once() {
    let it = fixture().await;
    let create = || post(&admin("api-keys")).json(&body(&it.acme, "Till")).header("idempotency-key", "k-1");
    let first = it.app.admin(create()).await.expect(201, "a key");
    let key = Key::of(&first.json());
    let again = it.app.admin(create()).await.expect(201, "a replay");
    assert_eq!(again.json()["id"], key.id);
    assert_eq!(again.header("location"), first.header("location"));
    assert!(again.json()["value"].is_null(), "the value is replayed: {}", again.text());
    let other = it.app.admin(post(&admin("api-keys")).json(&body(&it.acme, "x"))).await.expect(201, "other");
    assert_ne!(other.json()["id"], key.id);
    let reuse = post(&admin("api-keys")).json(&body(&it.acme, "x")).header("idempotency-key", "k-1");
    it.app.admin(reuse).await.expect(422, "another body under the same key");
    let path = format!("api-keys/{}", key.id);
    let mut texts = vec![again.text()];
    for seen in [
        get(&admin(&path)),
        get(&admin("api-keys")),
        get(&admin(&format!("{path}/usage"))),
        get(&admin(&format!("{path}/predecessor-callers"))),
        patch(&admin(&path)).json(&json!({ "name": "Renamed" })),
        patch(&admin(&path)).json(&json!({ "status": "disabled" })),
        patch(&admin(&path)).json(&json!({ "status": "active" })),
        post(&admin(&format!("{path}/revoke"))).json(&json!({})),
        get(&admin("audit?per_page=100")),
        get(&admin("audit/export?format=ndjson")),
        get(&admin("audit/export?format=csv")),
        get(&admin("dashboard/activity")),
    ] {
        let what = format!("{} {}", seen.method, seen.uri);
        let reply = it.app.admin(seen).await;
        assert!(reply.status < 300, "{what}: {}", reply.text());
        texts.push(reply.text());
    }
    for text in texts {
        assert!(!text.contains(&key.value), "the value is shown again: {text}");
        assert!(!text.contains(&key.value[13..]), "a part of it is shown: {text}");
    }
}

/// Deleted is gone: from every list, for every operation, and for whoever holds the value.
#[actix_web::test]
async fn deletion() {
    let it = fixture().await;
    let (gone, stays) = (it.app.key(&it.acme, &[]).await, it.app.key(&it.acme, &[]).await);
    let verifier = it.app.verifier().await;
    assert_eq!(it.app.verdict(&verifier, &gone.value, &[]).await, "ok");
    let path = format!("api-keys/{}", gone.id);
    it.app.remove(&path).await;
    for call in [
        get(&admin(&path)),
        patch(&admin(&path)).json(&json!({ "name": "x" })),
        patch(&admin(&path)).json(&json!({ "status": "active" })),
        post(&admin(&format!("{path}/rotate"))).json(&json!({})),
        post(&admin(&format!("{path}/revoke"))).json(&json!({})),
        get(&admin(&format!("{path}/usage"))),
        get(&admin(&format!("{path}/predecessor-callers"))),
        delete(&admin(&path)),
    ] {
        let what = format!("{} {}", call.method, call.uri);
        it.app.admin(call).await.expect(404, &what);
    }
    assert_eq!(column(&it.app.ok(get(&admin("api-keys"))).await, "id"), [stays.id.as_str()]);
    let verdict = it.app.verdict(&verifier, &gone.value, &[]).await;
    assert!(["key_invalid", "key_revoked"].contains(&verdict.as_str()), "{verdict}");
    assert_eq!(it.app.verdict(&verifier, &stays.value, &[]).await, "ok");
}

/// `If-Match` is honoured, by actions too, and evidence of use is no change.
#[actix_web::test]
async fn conditions() {
    let it = fixture().await;
    let key = it.app.key(&it.acme, &[]).await;
    let path = format!("api-keys/{}", key.id);
    let etag = async || it.app.admin(get(&admin(&path))).await.header("etag").to_owned();
    let first = etag().await;
    it.app.edit(&path, &json!({ "name": "Renamed" })).await;
    let stale = [
        patch(&admin(&path)).json(&json!({ "name": "x" })),
        post(&admin(&format!("{path}/revoke"))).json(&json!({})),
        delete(&admin(&path)),
    ];
    for call in stale {
        let what = format!("{} {}", call.method, call.uri);
        it.app.admin(call.header("if-match", &first)).await.expect(412, &what);
    }
    let now = etag().await;
    let verifier = it.app.verifier().await;
    assert_eq!(it.app.verdict(&verifier, &key.value, &[]).await, "ok");
    it.app.settle().await;
    let call = patch(&admin(&path)).json(&json!({ "name": "Again" })).header("if-match", &now);
    it.app.admin(call).await.expect(200, "the present version, used meanwhile");
    assert_eq!(it.app.read_key(&key.id).await["name"], "Again");
}

/// A rotation that was meant for another state of the key does not happen.
#[actix_web::test]
async fn a_stale_rotation() {
    let it = fixture().await;
    let key = it.app.key(&it.acme, &[]).await;
    let path = format!("api-keys/{}", key.id);
    let etag = async || it.app.admin(get(&admin(&path))).await.header("etag").to_owned();
    let rotate = |etag: &str| {
        post(&admin(&format!("{path}/rotate")))
            .json(&json!({ "overlap_seconds": 0 }))
            .header("if-match", etag)
    };
    let first = etag().await;
    it.app.edit(&path, &json!({ "permissions": ["points:read"] })).await;
    it.app.admin(rotate(&first)).await.expect(412, "a stale version");
    assert_eq!(it.app.read_key(&key.id).await["state"], "active");
    it.app.admin(rotate(&etag().await)).await.expect(201, "the present one");
}

/// Keys are still there after a restart, and still the same.
#[actix_web::test]
async fn they_survive_a_restart() {
    let mut it = fixture().await;
    let fields = json!({ "permissions": ["points:read"], "expires_at": it.app.moment(HOUR) });
    let key = it.app.key_with(&it.acme, &fields).await;
    let (revoked, verifier) = (it.app.key(&it.acme, &[]).await, it.app.verifier().await);
    it.app.revoke_key(&revoked.id).await;
    let before = it.app.read_key(&key.id).await;
    it.app.restart(|_| {}).await;
    assert_eq!(it.app.read_key(&key.id).await, before);
    assert_eq!(it.app.verdict(&verifier, &key.value, &["points:read"]).await, "ok");
    assert_eq!(it.app.verdict(&verifier, &revoked.value, &[]).await, "key_revoked");
    it.app.advance(HOUR);
    assert_eq!(it.app.verdict(&verifier, &key.value, &["points:read"]).await, "key_expired");
}
