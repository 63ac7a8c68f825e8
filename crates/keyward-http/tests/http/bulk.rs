//! Many changes in one request: a result, an audit record and a secret for each.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{TestApp, World, admin, get, is_well_formed, post};

fn create(tenant: &str, name: &str) -> Value {
    json!({ "op": "create", "body": { "type": "service", "client_id": name, "tenant_id": tenant } })
}

fn bulk(collection: &str, items: &[Value]) -> crate::support::Call {
    post(&admin(&format!("{collection}/bulk"))).json(&json!({ "items": items }))
}

/// A thousand clients: each with its secret, shown once, and its record; one more is refused whole.
#[actix_web::test]
async fn a_thousand() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let items: Vec<Value> = (0..1_001).map(|index| create(&acme, &format!("client-{index}"))).collect();
    let reply = app.admin(bulk("applications", &items)).await;
    reply.expect_invalid("/items", "1,001");
    assert_eq!(
        app.ok(get(&admin("applications?q=client-"))).await["pagination"]["total"],
        0,
        "refused whole"
    );
    let reply = app.admin(bulk("applications", &items[..1_000])).await.expect(200, "1,000");
    assert!(reply.header("cache-control").contains("no-store"));
    let results = reply.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 1_000);
    let (mut ids, mut secrets) = (BTreeSet::new(), BTreeSet::new());
    for result in &results {
        assert_eq!(result["status"], 201, "{result}");
        ids.insert(result["id"].as_str().unwrap().to_owned());
        let secret = result["secret"]["value"].as_str().unwrap();
        assert!(is_well_formed(secret, "kws_live_"), "{result}");
        secrets.insert(secret.to_owned());
    }
    assert_eq!((ids.len(), secrets.len()), (1_000, 1_000));
    assert_eq!(app.ok(get(&admin("applications?q=client-"))).await["pagination"]["total"], 1_000);
    let recorded = |action: &str| get(&admin(&format!("audit?action={action}&tenant_id={acme}&per_page=1")));
    for action in ["application.created", "secret.created"] {
        assert_eq!(app.ok(recorded(action)).await["pagination"]["total"], 1_000, "{action}");
    }
    let last = app.ok(get(&admin(&format!("applications/{}", results[999]["id"].as_str().unwrap())))).await;
    assert_eq!(last["client_id"], "acme.client-999", "in order");
}

/// Good and bad in one request: each its own result, in order, and what failed stops nothing.
#[actix_web::test]
async fn mixed() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "old", &["points:read"]).await;
    let doomed = app.client(&acme, "doomed", &["points:read"]).await;
    let unknown = format!("app_{}", "0".repeat(26));
    let items = [
        (create(&acme, "one"), 201),
        (create(&acme, "one"), 409),
        (json!({ "op": "create", "body": { "type": "service" } }), 422),
        (json!({ "op": "create" }), 422),
        (json!({ "op": "update", "id": client.id, "body": { "notes": "Nightly" } }), 200),
        (json!({ "op": "update", "id": client.id, "body": { "client_id": "x" } }), 422),
        (json!({ "op": "update", "id": unknown, "body": { "notes": "x" } }), 404),
        (json!({ "op": "update", "id": "nonsense", "body": { "notes": "x" } }), 404),
        (json!({ "op": "update", "body": { "notes": "x" } }), 422),
        (json!({ "op": "update", "id": client.id }), 422),
        (json!({ "op": "revoke", "id": doomed.id }), 204),
        (json!({ "op": "revoke", "id": doomed.id }), 404),
        (json!({ "op": "revoke" }), 422),
        (create(&acme, "two"), 201),
    ];
    let request: Vec<Value> = items.iter().map(|(item, _)| item.clone()).collect();
    let reply = app.admin(bulk("applications", &request)).await.expect(200, "mixed");
    let body = reply.json();
    let results = body["results"].as_array().unwrap();
    assert_eq!(results.len(), items.len());
    for ((item, status), result) in items.iter().zip(results) {
        assert_eq!(result["status"], *status, "{item}: {result}");
        let failed = *status >= 400;
        assert_eq!(result["error"].is_object(), failed, "{item}: {result}");
        if failed {
            assert_eq!(result["error"]["status"], *status, "{item}");
            assert!(result["error"]["detail"].is_string() && result["error"]["code"].is_string(), "{item}");
        }
        let named = item["id"].as_str().is_some_and(|id| id.starts_with("app_"));
        assert!(!named || result["id"] == item["id"], "{item}: {result}");
    }
    assert_eq!(app.ok(get(&admin(&format!("applications/{}", client.id)))).await["notes"], "Nightly");
    app.ask(&doomed, &[]).await.expect(401, "revoked for good");
    let events = app.events("").await;
    let records: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["context"]["request_id"] == reply.header("x-request-id"))
        .filter(|event| event["result"] == "success")
        .map(|event| (event["action"].as_str().unwrap(), event["resource"]["type"].as_str().unwrap()))
        .collect();
    let count = |action: &str| records.iter().filter(|(known, _)| *known == action).count();
    let counts =
        ["application.created", "secret.created", "application.updated", "application.deleted"].map(count);
    assert_eq!(counts, [2, 2, 1, 1], "{records:?}");
    assert_eq!(records.len(), 6, "{records:?}");
}

/// Bodies that are no bulk request at all.
#[actix_web::test]
async fn bodies_that_are_refused() {
    let app = TestApp::start().await;
    for (pointer, body) in [
        ("", json!([])),
        ("/items", json!({})),
        ("/items", json!({ "items": null })),
        ("/items", json!({ "items": {} })),
        ("/items/0", json!({ "items": [7] })),
        ("/items/0", json!({ "items": [{}] })),
        ("/items/1/op", json!({ "items": [{ "op": "create" }, { "op": "delete" }] })),
        ("/items/0/id", json!({ "items": [{ "op": "revoke", "id": 7 }] })),
        ("/items/0/colour", json!({ "items": [{ "op": "revoke", "colour": "blue" }] })),
        ("/dry_run", json!({ "items": [], "dry_run": true })),
    ] {
        let reply = app.admin(post(&admin("users/bulk")).json(&body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    }
    let empty = app.admin(bulk("users", &[])).await.expect(200, "nothing to do");
    assert_eq!(empty.json(), json!({ "results": [] }));
}

/// An item is refused as the change alone is: outside the reach 404, above the tier 403, each with its record.
#[actix_web::test]
async fn bulk_is_no_way_around() {
    let it = World::new().await;
    let person = &it.acme.admin;
    let body = |name: &str, more: &Value| {
        let mut body = json!({ "email": format!("{name}@people.example"), "tenant_id": it.acme.tenant });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "op": "create", "body": body })
    };
    let items = [
        (body("fine", &json!({})), 201),
        (body("foreign", &json!({ "tenant_id": it.globex.tenant })), 422),
        (body("platform", &json!({ "tenant_id": null, "admin_role": "super_admin" })), 403),
        (json!({ "op": "update", "id": it.globex.user.id, "body": { "name": "Mine" } }), 404),
        (json!({ "op": "revoke", "id": it.of_north.id }), 404),
        (json!({ "op": "update", "id": it.acme.user.id, "body": { "admin_role": "super_admin" } }), 403),
        (json!({ "op": "revoke", "id": person.id }), 409),
        (json!({ "op": "update", "id": it.acme.user.id, "body": { "name": "Renamed" } }), 200),
    ];
    let request: Vec<Value> = items.iter().map(|(item, _)| item.clone()).collect();
    let reply = it.app.by(person, bulk("users", &request)).await.expect(200, "mixed");
    for ((item, status), result) in items.iter().zip(reply.json()["results"].as_array().unwrap()) {
        // A tier without its place may be said before that it is too high.
        let allowed = if *status == 403 { vec![403, 422] } else { vec![*status] };
        assert!(allowed.iter().any(|status| result["status"] == *status), "{item}: {result}");
    }
    it.app.by(person, bulk("tenants", &[])).await.expect(403, "the hierarchy");
    it.app.by(&it.acme.user, bulk("users", &[])).await.expect(403, "without any right");
}

/// A replay contains no secret again and makes nothing again.
#[actix_web::test]
async fn replays() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let request = || bulk("applications", &[create(&acme, "one")]).header("idempotency-key", "k");
    let first = app.admin(request()).await.expect(200, "the first").json();
    assert_eq!(first["results"][0]["status"], 201);
    let again = app.admin(request()).await.expect(200, "a replay");
    assert!(!again.text().contains("kws_"), "{}", again.text());
    assert_eq!(again.json()["results"][0]["status"], 201, "honoured for 24 h: {}", again.text());
    assert_eq!(again.json()["results"][0]["id"], first["results"][0]["id"]);
}
