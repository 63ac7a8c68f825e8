//! `ETag` and `If-Match`, `Idempotency-Key` and its replays.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Call, DAY, TestApp, admin, call, delete, get, patch, post, put};

struct Fixture {
    app: TestApp,
    acme: String,
    /// An object of each kind, and a change of it.
    objects: Vec<(String, Value)>,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let row = app.permission("cards", "cards:read", &[]).await;
    let role = app.role(Some(&acme), "clerk", &["cards:read"]).await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let objects = vec![
        (format!("tenants/{acme}"), json!({ "name": "Changed" })),
        (format!("permissions/{row}"), json!({ "label": "Changed" })),
        (format!("roles/{role}"), json!({ "name": "changed" })),
        (format!("applications/{}", client.id), json!({ "notes": "Changed" })),
    ];
    Fixture { app, acme, objects }
}

impl Fixture {
    async fn etag(&self, path: &str) -> String {
        let reply = self.app.admin(get(&admin(path))).await.expect(200, path);
        let etag = reply.header("etag").to_owned();
        let quoted = etag.trim_start_matches("W/");
        assert!(quoted.len() > 2 && quoted.starts_with('"') && quoted.ends_with('"'), "{path}: {etag}");
        etag
    }
}

/// Every object has an `ETag`, which changes with the object and with nothing else.
#[actix_web::test]
async fn etags() {
    let it = fixture().await;
    for (path, change) in &it.objects {
        let first = it.etag(path).await;
        assert_eq!(it.etag(path).await, first, "{path}: reading changes nothing");
        let reply = it.app.admin(patch(&admin(path)).json(change)).await.expect(200, path);
        assert_ne!(reply.header("etag"), first, "{path}: the change answers with the old one");
        assert_eq!(it.etag(path).await, reply.header("etag"), "{path}");
    }
    let body = json!({ "name": "Globex", "slug": "globex" });
    let made = it.app.admin(post(&admin("tenants")).json(&body)).await.expect(201, "a tenant");
    assert!(!made.header("etag").is_empty(), "creation answers with an ETag");
    let location = made.header("location").to_owned();
    let read = it.app.admin(get(&location)).await.expect(200, &location);
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(read.json(), made.json());
}

/// A stale `If-Match` is 412 and changes nothing; the present one, one of several, and `*` are honoured.
#[actix_web::test]
async fn if_match() {
    let it = fixture().await;
    for (path, change) in &it.objects {
        let first = it.etag(path).await;
        let with = |value: &str| patch(&admin(path)).json(change).header("if-match", value);
        it.app.admin(with(&first)).await.expect(200, path);
        let now = it.etag(path).await;
        let before = it.app.ok(get(&admin(path))).await;
        for stale in [first.as_str(), "\"nonsense\"", "\"0\""] {
            it.app.admin(with(stale)).await.expect(412, &format!("{path}: {stale}"));
            let remove = delete(&admin(path)).header("if-match", stale);
            it.app.admin(remove).await.expect(412, &format!("{path}: delete, {stale}"));
        }
        assert_eq!(it.app.ok(get(&admin(path))).await, before, "{path}: nothing changed");
        it.app.admin(with(&format!("\"nonsense\", {now}"))).await.expect(200, "one of several");
        it.app.admin(with("*")).await.expect(200, "any");
        let now = it.etag(path).await;
        if !path.starts_with("tenants") {
            it.app.admin(delete(&admin(path)).header("if-match", &now)).await.expect(204, path);
            it.app.admin(get(&admin(path))).await.expect(404, path);
        }
    }
}

/// Actions on an object honour it too.
#[actix_web::test]
async fn if_match_of_actions() {
    let it = fixture().await;
    let hub = it.app.global("hub", &["points:read"]).await;
    let path = format!("applications/{}", hub.id);
    let first = it.etag(&path).await;
    it.app.edit(&path, &json!({ "notes": "Changed" })).await;
    let actions = || {
        [
            post(&admin(&format!("{path}/renew"))).json(&json!({})),
            put(&admin(&format!("{path}/grants"))).json(&json!({ "grants": [] })),
        ]
    };
    for action in actions() {
        let what = action.uri.clone();
        it.app.admin(action.header("if-match", &first)).await.expect(412, &what);
    }
    for action in actions() {
        let what = action.uri.clone();
        let now = it.etag(&path).await;
        it.app.admin(action.header("if-match", &now)).await.expect(200, &what);
    }
}

fn creations(acme: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("tenants", json!({ "name": "Globex", "slug": "globex" })),
        (
            "permissions",
            json!({ "resource": "wallets", "label": "Wallets", "view": "wallets:read", "change": [] }),
        ),
        ("roles", json!({ "name": "viewer", "tenant_id": acme, "permissions": ["points:read"] })),
        (
            "applications",
            json!({
                "name": "Sync", "type": "service", "reach": "tenant", "tenant_id": acme, "client_id": "sync"
            }),
        ),
    ]
}

/// The same key and body: the first answer again, once done, without its secret. Another body: 422.
#[actix_web::test]
async fn replays() {
    let it = fixture().await;
    for (collection, body) in creations(&it.acme) {
        let total =
            async || it.app.ok(get(&admin(collection))).await["pagination"]["total"].as_u64().unwrap();
        let before = total().await;
        let with = |body: &Value| post(&admin(collection)).json(body).header("idempotency-key", "k-1");
        let first = it.app.admin(with(&body)).await.expect(201, collection);
        let again = it.app.admin(with(&body)).await.expect(201, collection);
        assert_eq!(again.json()["id"], first.json()["id"], "{collection}");
        assert_eq!(again.header("location"), first.header("location"), "{collection}");
        assert_eq!(total().await, before + 1, "{collection}: created once");
        let mut other = body.clone();
        other["name"] = json!("other");
        if collection == "permissions" {
            other = json!({ "resource": "other", "label": "x", "view": "other:read", "change": [] });
        }
        it.app.admin(with(&other)).await.expect(422, &format!("{collection}: another body"));
        assert_eq!(total().await, before + 1, "{collection}: another body created something");
        if let Some(secret) = first.json()["secret"]["value"].as_str() {
            assert!(!again.text().contains(secret), "{collection}: the secret is shown again");
            assert!(!again.text().contains("\"value\""), "{collection}: a value is shown");
        }
        let mut new = body.clone();
        for name in ["name", "slug", "resource", "client_id"] {
            if new.get(name).is_some() {
                new[name] = json!("second");
            }
        }
        let second = post(&admin(collection)).json(&new).header("idempotency-key", "k-2");
        let second = it.app.admin(second).await.expect(201, "another key");
        assert_ne!(second.json()["id"], first.json()["id"], "{collection}");
    }
}

/// A second secret is created once, and shown once.
#[actix_web::test]
async fn replays_of_secrets() {
    let it = fixture().await;
    let path = admin(&format!("{}/secrets", it.objects[3].0));
    let create = || post(&path).json(&json!({})).header("idempotency-key", "rotate-1");
    let first = it.app.admin(create()).await.expect(201, "a secret");
    let again = it.app.admin(create()).await.expect(201, "a replay");
    let (first, again) = (first.json(), again.json());
    assert_eq!((&again["id"], &again["hint"]), (&first["id"], &first["hint"]));
    assert!(!again.to_string().contains(first["value"].as_str().unwrap()));
    assert_eq!(it.app.ok(get(&path)).await["pagination"]["total"], 2, "the first, and one more");
}

/// A renewal that is sent again moves the expiry once.
#[actix_web::test]
async fn replays_of_renewals() {
    let it = fixture().await;
    let path = admin(&format!("{}/renew", it.objects[3].0));
    let renew = |body: Value| post(&path).json(&body).header("idempotency-key", "renew-1");
    let first = it.app.admin(renew(json!({}))).await.expect(200, "renewed").json();
    it.app.advance(DAY / 2);
    let again = it.app.admin(renew(json!({}))).await.expect(200, "a replay").json();
    assert_eq!(again["expires_at"], first["expires_at"], "the first answer again");
    assert_eq!(it.app.ok(get(&admin(&it.objects[3].0))).await["expires_at"], first["expires_at"]);
    it.app.admin(renew(json!({ "expires_at": "2027-01-01" }))).await.expect(422, "another body");
    assert_eq!(it.app.events("action=application.renewed").await.len(), 1);
}

/// A key is its caller's, and its operation's.
#[actix_web::test]
async fn keys_are_not_shared() {
    let it = fixture().await;
    let other = it.app.global("other", &["admin:write"]).await;
    let other = it.app.token(&other).await;
    let with = |slug: &str| {
        let body = json!({ "name": "Same", "slug": slug });
        post(&admin("tenants")).json(&body).header("idempotency-key", "shared")
    };
    let mine = it.app.admin(with("mine")).await.expect(201, "mine");
    let theirs = it.app.send(with("theirs").bearer(&other)).await.expect(201, "another caller, another body");
    assert_ne!(mine.json()["id"], theirs.json()["id"]);
    let same = it.app.send(with("mine").bearer(&other)).await;
    assert!([409, 422].contains(&same.status), "another caller gets my answer: {}", same.text());
    let body = json!({ "name": "r", "permissions": [] });
    let role = post(&admin("roles")).json(&body).header("idempotency-key", "shared");
    it.app.admin(role).await.expect(201, "another operation");
}

/// Honoured for 24 hours.
#[actix_web::test]
async fn keys_expire() {
    let it = fixture().await;
    let body = json!({ "name": "Globex", "slug": "globex" });
    let create = || post(&admin("tenants")).json(&body).header("idempotency-key", "k");
    let first = it.app.admin(create()).await.expect(201, "the first");
    it.app.advance(DAY - 1);
    let again = it.app.admin(create()).await.expect(201, "within 24 hours");
    assert_eq!(again.json()["id"], first.json()["id"]);
    it.app.advance(2);
    it.app.admin(create()).await.expect(409, "a new request for a slug that is taken");
}

/// Two requests at the same moment are one.
#[actix_web::test]
async fn replays_that_overlap() {
    let it = fixture().await;
    let body = json!({ "name": "Globex", "slug": "globex" });
    it.app.admin_token().await;
    let create = || it.app.admin(post(&admin("tenants")).json(&body).header("idempotency-key", "k"));
    let replies = futures_util::future::join_all([create(), create(), create(), create()]).await;
    let created: Vec<Value> =
        replies.iter().filter(|reply| reply.status == 201).map(|reply| reply.json()["id"].clone()).collect();
    assert!(!created.is_empty());
    assert!(created.iter().all(|id| *id == created[0]), "two were created: {created:?}");
    for reply in &replies {
        assert!([201, 409].contains(&reply.status), "{}", reply.text());
    }
    assert_eq!(it.app.ok(get(&admin("tenants?q=globex"))).await["pagination"]["total"], 1);
}

/// Without `If-Match` changes that meet are tried again or answered with 409: none is lost.
#[actix_web::test]
async fn changes_that_overlap() {
    let it = fixture().await;
    it.app.admin_token().await;
    let path = format!("tenants/{}", it.acme);
    let edit = |name: &str| -> Call {
        call(Method::PATCH, &admin(&path)).json(&json!({ "settings": { name: true } }))
    };
    let names = ["a", "b", "c", "d", "e", "f"];
    let replies = futures_util::future::join_all(names.map(|name| it.app.admin(edit(name)))).await;
    let settings = it.app.ok(get(&admin(&path))).await["settings"].clone();
    for (name, reply) in names.into_iter().zip(&replies) {
        assert!([200, 409].contains(&reply.status), "{}", reply.text());
        assert_eq!(settings[name] == true, reply.status == 200, "{name}: {settings}");
    }
    assert!(replies.iter().any(|reply| reply.status == 200));
}
