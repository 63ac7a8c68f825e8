//! Who may do what with keys, of which tenants; and that nobody gives a key more than they hold.

use serde_json::{Value, json};

use crate::support::{
    Call, Key, Person, Reply, TestApp, World, admin, column, delete, get, is_well_formed, nobody, patch, post,
};

/// The contract says that it can't be done; whether that is 403 or 422 it leaves open.
#[track_caller]
fn refused(reply: &Reply, why: &str) {
    assert!([403, 422].contains(&reply.status), "{why}: {} {}", reply.status, reply.text());
}

fn creation(tenant: &str, permissions: &[&str]) -> Call {
    let body = json!({ "name": "Till", "tenant_id": tenant, "permissions": permissions });
    post(&admin("api-keys")).json(&body)
}

/// A person for a service token.
fn service(name: &str, token: String) -> Person {
    Person { id: String::new(), email: name.to_owned(), token }
}

/// Everything that there is to do with a key, reading first, its end last.
fn operations(id: &str) -> Vec<(&'static str, Call)> {
    let path = admin(&format!("api-keys/{id}"));
    let bulk = json!({ "items": [{ "op": "update", "id": id, "body": { "name": "Bulk" } }] });
    vec![
        ("read", get(&path)),
        ("usage", get(&format!("{path}/usage"))),
        ("predecessor-callers", get(&format!("{path}/predecessor-callers"))),
        ("update", patch(&path).json(&json!({ "name": "Changed" }))),
        ("disable", patch(&path).json(&json!({ "status": "disabled" }))),
        ("enable", patch(&path).json(&json!({ "status": "active" }))),
        ("bulk", post(&admin("api-keys/bulk")).json(&bulk)),
        ("rotate", post(&format!("{path}/rotate")).json(&json!({}))),
        ("revoke", post(&format!("{path}/revoke")).json(&json!({}))),
        ("delete", delete(&path)),
    ]
}

const READS: [&str; 3] = ["read", "usage", "predecessor-callers"];

/// Whoever is within reach may do everything, whoever is outside finds nothing.
#[actix_web::test]
async fn reaches() {
    let it = World::new().await;
    let root = service("root", it.app.admin_token().await);
    for person in [&it.boss, &root, &it.of_north, &it.acme.admin] {
        let made = it.app.by(person, creation(&it.acme.tenant, &["points:read"])).await;
        let key = Key::of(&made.expect(201, &person.email).json());
        for (name, call) in operations(&key.id) {
            let reply = it.app.by(person, call).await;
            let status = reply.status;
            assert!(status < 300, "{}: {name}: {status} {}", person.email, reply.text());
        }
    }
    let key = it.app.key(&it.acme.tenant, &["points:read"]).await;
    let before = it.app.read_key(&key.id).await;
    for person in [&it.annex.admin, &it.of_south, &it.globex.admin] {
        let who = &person.email;
        let made = it.app.by(person, creation(&it.acme.tenant, &["points:read"])).await;
        made.expect_error("/tenant_id", "unknown_reference", who);
        for ((name, call), (_, absent)) in operations(&key.id).into_iter().zip(operations(&nobody(&key.id))) {
            let (reply, absent) = (it.app.by(person, call).await, it.app.by(person, absent).await);
            if name == "bulk" {
                assert_eq!(reply.json()["results"][0]["status"], 404, "{who}: {}", reply.text());
                continue;
            }
            assert_eq!((reply.status, absent.status), (404, 404), "{who}: {name}: {}", reply.text());
            assert_eq!(reply.json()["detail"], absent.json()["detail"], "{who}: {name}");
        }
        let list = it.app.by(person, get(&admin("api-keys?per_page=100"))).await.expect(200, who).json();
        assert!(!column(&list, "id").contains(&key.id), "{who} lists it");
        let list = get(&admin(&format!("api-keys?tenant_id={}", it.acme.tenant)));
        let list = it.app.by(person, list).await.expect(200, who).json();
        assert_eq!((&list["data"], &list["pagination"]["total"]), (&json!([]), &json!(0)), "{who} filters");
    }
    assert_eq!(it.app.read_key(&key.id).await, before, "nothing happened to it");
}

/// Staff by `keyward:api-keys:read` and `:write`; a token that only reads; and everybody else: 403 for any key.
#[actix_web::test]
async fn rights() {
    let it = World::new().await;
    let tenant = &it.acme.tenant;
    let looker = it.app.staff(tenant, "looker", &["keyward:api-keys:read"]).await;
    let clerk = it.app.staff(tenant, "clerk", &["keyward:api-keys:write", "points:read"]).await;
    let other = it.app.staff(tenant, "other", &["keyward:applications:write", "points:read"]).await;
    let reader = it.app.global("reader", &["admin:read"]).await;
    let reader = service("reader", it.app.token(&reader).await);
    let verifier = it.app.verifier().await;
    let verifier = service("verifier", it.app.token(&verifier).await);
    let own = service("a tenant's client", it.app.token(&it.acme.client).await);
    // Who, whether they read, whether they write, and what they lack for writing.
    let callers = [
        (&clerk, true, true, None),
        (&looker, true, false, Some("keyward:api-keys:write")),
        (&reader, true, false, Some("admin:write")),
        (&other, false, false, Some("keyward:api-keys:write")),
        (&it.acme.user, false, false, Some("keyward:api-keys:write")),
        (&verifier, false, false, None),
        (&own, false, false, None),
    ];
    for (person, reads, writes, lacks) in callers {
        let who = &person.email;
        let key = it.app.key(tenant, &["points:read"]).await;
        let list = it.app.by(person, get(&admin("api-keys"))).await;
        assert_eq!(list.status, if reads { 200 } else { 403 }, "{who} lists: {}", list.text());
        let make = it.app.by(person, creation(tenant, &["points:read"])).await;
        assert_eq!(make.status, if writes { 201 } else { 403 }, "{who} creates: {}", make.text());
        if let Some(lacks) = lacks {
            assert_eq!(make.json()["required_permissions"], json!([lacks]), "{who}");
        }
        for (name, call) in operations(&key.id) {
            let reply = it.app.by(person, call.clone()).await;
            let may = if READS.contains(&name) { reads } else { writes };
            let status = reply.status;
            assert!(if may { status < 300 } else { status == 403 }, "{who}: {name}: {}", reply.text());
        }
        if !writes {
            for (name, call) in operations(&nobody(&key.id)) {
                if !READS.contains(&name) {
                    it.app.by(person, call).await.expect(403, &format!("{who}: {name} of no key"));
                }
            }
        }
    }
    let foreign = it.app.key(&it.globex.tenant, &[]).await;
    for person in [&looker, &clerk] {
        let read = get(&admin(&format!("api-keys/{}", foreign.id)));
        it.app.by(person, read).await.expect(404, &person.email);
    }
}

/// A key opens nothing of the admin API, by whatever header it comes.
#[actix_web::test]
async fn keys_administrate_nothing() {
    let it = World::new().await;
    let all = ["keyward:users:write", "keyward:api-keys:write", "points:read"];
    let key = it.app.key(&it.acme.tenant, &all).await;
    let publishable = it.app.publishable_key(&it.acme.tenant).await;
    for value in [&key.value, &publishable] {
        for path in ["users", "api-keys", "tenants", "audit"] {
            let list = || get(&admin(path));
            it.app.send(list().bearer(value)).await.expect(401, path);
            it.app.send(list().header("x-api-key", value)).await.expect(401, path);
            it.app.send(list().basic(&key.id, value)).await.expect(401, path);
            let query = list().query(&format!("api_key={value}"));
            it.app.send(query).await.expect(401, path);
        }
        let form = [("grant_type", "client_credentials"), ("scope", "points:read")];
        for id in [&key.id, &it.acme.client.client_id] {
            let reply = it.app.send(post("/oauth2/token").basic(id, value).form(&form)).await;
            assert_eq!(reply.json()["error"], "invalid_client", "{id}: {}", reply.text());
        }
    }
    it.app.by(&it.acme.admin, get(&admin("users"))).await.expect(200, "a token does");
}

/// Nobody puts more into a key than they hold, and nobody makes a stronger one theirs.
#[actix_web::test]
async fn giving_is_bounded() {
    let it = World::new().await;
    let tenant = &it.acme.tenant;
    let clerk = it.app.staff(tenant, "clerk", &["keyward:api-keys:write", "points:read"]).await;
    let (much, little) = (["points:read", "points:adjust"], ["points:read"]);
    let strong = it.app.key(tenant, &much).await;
    let weak = it.app.key(tenant, &little).await;
    let change = |key: &Key, body: Value| patch(&admin(&format!("api-keys/{}", key.id))).json(&body);
    let rotate = |key: &Key| post(&admin(&format!("api-keys/{}/rotate", key.id))).json(&json!({}));
    for (name, defect, control) in [
        ("a new key", creation(tenant, &much), creation(tenant, &little)),
        (
            "a key that exists",
            change(&weak, json!({ "permissions": much })),
            change(&weak, json!({ "permissions": little })),
        ),
        ("a stronger key's successor", rotate(&strong), rotate(&weak)),
        (
            "a platform permission",
            creation(tenant, &["points:read", "admin:read"]),
            creation(tenant, &little),
        ),
    ] {
        refused(&it.app.by(&clerk, defect).await, name);
        let reply = it.app.by(&clerk, control).await;
        assert!(reply.status < 300, "{name}, without its one defect: {} {}", reply.status, reply.text());
    }
    let reply = it.app.by(&clerk, creation(tenant, &["points:adjust"])).await.expect(403, "more than held");
    let held = reply.json()["held_permissions"].as_array().unwrap().clone();
    assert!(held.contains(&json!("points:read")) && !held.contains(&json!("points:adjust")), "{held:?}");
    // What is there may stay, and taking away needs no right to give.
    it.app.by(&clerk, change(&strong, json!({ "name": "Renamed" }))).await.expect(200, "another field");
    it.app.by(&clerk, change(&strong, json!({ "permissions": little }))).await.expect(200, "less");
    refused(&it.app.by(&clerk, change(&strong, json!({ "permissions": much }))).await, "and not back again");
    let other = it.app.key(tenant, &much).await;
    let revoke = post(&admin(&format!("api-keys/{}/revoke", other.id))).json(&json!({}));
    it.app.by(&clerk, revoke).await.expect(200, "a stronger key is stopped");
    let all = creation(tenant, &["points:adjust", "create:users"]);
    it.app.by(&it.acme.admin, all).await.expect(201, "a tenant admin holds the whole catalogue");
}

/// `admin:read` and `admin:write` are in no key, whoever asks.
#[actix_web::test]
async fn the_platforms_own_permissions() {
    let it = World::new().await;
    let key = it.app.key(&it.acme.tenant, &["points:read"]).await;
    let root = service("root", it.app.admin_token().await);
    let path = admin(&format!("api-keys/{}", key.id));
    for person in [&it.boss, &root, &it.of_north, &it.acme.admin] {
        for scope in ["admin:read", "admin:write"] {
            let what = format!("{} {scope}", person.email);
            refused(&it.app.by(person, creation(&it.acme.tenant, &["points:read", scope])).await, &what);
            refused(&it.app.by(person, patch(&path).json(&json!({ "permissions": [scope] }))).await, &what);
        }
        let more = patch(&path).json(&json!({ "permissions": ["points:adjust", "points:read"] }));
        it.app.by(person, more).await.expect(200, "without its defect");
    }
    let writer = it.app.global("writer", &["admin:write"]).await;
    let writer = service("writer", it.app.token(&writer).await);
    let give = creation(&it.acme.tenant, &["points:adjust", "create:users"]);
    it.app.by(&writer, give).await.expect(201, "a writer gives what the catalogue has");
}

/// Whose a key is follows from who makes it and where they may; a body can't say otherwise.
#[actix_web::test]
async fn the_owner_is_not_in_the_body() {
    let it = World::new().await;
    let person = &it.acme.admin;
    for tenant in [&it.annex.tenant, &it.globex.tenant] {
        let reply = it.app.by(person, creation(tenant, &[])).await;
        reply.expect_error("/tenant_id", "unknown_reference", "another's tenant");
    }
    for name in ["partner_id", "owner_id", "user_id", "created_by", "client_id"] {
        let body = json!({ "name": "x", "tenant_id": it.acme.tenant, name: it.globex.admin.id });
        let reply = it.app.by(person, post(&admin("api-keys")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), name);
    }
    let body = json!({ "name": "x", "tenant_id": null });
    let reply = it.app.by(person, post(&admin("api-keys")).json(&body)).await;
    refused(&reply, "a key of no tenant");
    it.app.by(person, creation(&it.acme.tenant, &[])).await.expect(201, "their own");
}

/// A tenant that moves takes its keys along, and out of the sight of its former partner.
#[actix_web::test]
async fn transfers() {
    let it = World::new().await;
    let key = it.app.key(&it.acme.tenant, &["points:read"]).await;
    let read = || get(&admin(&format!("api-keys/{}", key.id)));
    it.app.by(&it.of_north, read()).await.expect(200, "before");
    it.app.by(&it.of_south, read()).await.expect(404, "before");
    it.app.edit(&format!("tenants/{}", it.acme.tenant), &json!({ "partner_id": it.south })).await;
    it.app.by(&it.of_north, read()).await.expect(404, "after");
    it.app.by(&it.of_south, read()).await.expect(200, "after");
    let verifier = it.app.verifier().await;
    assert_eq!(it.app.verdict(&verifier, &key.value, &["points:read"]).await, "ok");
    it.app.remove(&format!("tenants/{}", it.acme.tenant)).await;
    it.app.by(&it.boss, read()).await.expect(404, "with its tenant");
    let left = it.app.ok(get(&admin(&format!("api-keys?tenant_id={}", it.acme.tenant)))).await;
    assert_eq!((&left["data"], &left["pagination"]["total"]), (&json!([]), &json!(0)));
}

/// Many at once: each with its own result, its own value, and the same bounds as alone.
#[actix_web::test]
async fn bulk() {
    let it = World::new().await;
    let tenant = &it.acme.tenant;
    let clerk = it.app.staff(tenant, "clerk", &["keyward:api-keys:write", "points:read"]).await;
    let (known, doomed) = (it.app.key(tenant, &["points:read"]).await, it.app.key(tenant, &[]).await);
    let foreign = it.app.key(&it.globex.tenant, &[]).await;
    let create = |tenant: &str, permissions: &[&str]| {
        let body = json!({ "name": "Bulk", "tenant_id": tenant, "permissions": permissions });
        json!({ "op": "create", "body": body })
    };
    let update = |id: &str, body: Value| json!({ "op": "update", "id": id, "body": body });
    let items: [(Value, &[u16]); 11] = [
        (create(tenant, &["points:read"]), &[201]),
        (create(tenant, &["points:adjust"]), &[403]),
        (create(tenant, &["points:steal"]), &[422]),
        (create(&it.globex.tenant, &[]), &[422]),
        (update(&known.id, json!({ "name": "Renamed" })), &[200]),
        (update(&known.id, json!({ "permissions": ["points:adjust"] })), &[403]),
        (update(&known.id, json!({ "expires_at": null })), &[422]),
        (update(&foreign.id, json!({ "name": "Mine" })), &[404]),
        (json!({ "op": "revoke", "id": foreign.id }), &[404]),
        (json!({ "op": "revoke", "id": doomed.id }), &[200, 204]),
        (create(tenant, &[]), &[201]),
    ];
    let request: Vec<Value> = items.iter().map(|(item, _)| item.clone()).collect();
    let call = post(&admin("api-keys/bulk")).json(&json!({ "items": request }));
    let reply = it.app.by(&clerk, call.clone().header("idempotency-key", "k")).await.expect(200, "mixed");
    assert!(reply.header("cache-control").contains("no-store"), "the reply holds secrets");
    let results = reply.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), items.len());
    for ((item, statuses), result) in items.iter().zip(&results) {
        let found = statuses.iter().any(|status| result["status"] == *status);
        assert!(found, "{item}: {result}");
        assert_eq!(result["error"].is_object(), statuses[0] >= 400, "{item}: {result}");
    }
    let verifier = it.app.verifier().await;
    let mut values = Vec::new();
    for index in [0, 10] {
        let value = results[index]["value"].as_str().unwrap_or_else(|| panic!("{}", results[index]));
        assert!(is_well_formed(value, "kwk_live_"), "{value}");
        assert_eq!(it.app.verdict(&verifier, value, &[]).await, "ok");
        values.push(value.to_owned());
    }
    assert_ne!(values[0], values[1]);
    assert_ne!(it.app.verdict(&verifier, &doomed.value, &[]).await, "ok", "revoked for good");
    assert_eq!(it.app.verdict(&verifier, &foreign.value, &[]).await, "ok");
    let again = it.app.by(&clerk, call.header("idempotency-key", "k")).await.expect(200, "a replay");
    assert!(!again.text().contains("kwk_live_") || !values.iter().any(|value| again.text().contains(value)));
    assert_eq!(again.json()["results"][0]["id"], results[0]["id"]);
}

/// A key's tenant has no way to another tenant's by the identifier of a rotation, a list or a filter.
#[actix_web::test]
async fn a_successor_is_its_predecessors_tenants() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let key = app.key(&acme, &["points:read"]).await;
    let rotate = post(&admin(&format!("api-keys/{}/rotate", key.id))).json(&json!({ "tenant_id": globex }));
    app.admin(rotate).await.expect_invalid("/tenant_id", "a rotation moves no key");
    let made = app.rotate(&key.id, &json!({})).await;
    assert_eq!(made["tenant_id"], acme);
}
