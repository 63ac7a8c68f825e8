//! What the tiers of administrators see: their reach, and of all else not even that it is there.

use serde_json::{Value, json};

use crate::support::{COLLECTIONS, Call, Person, Reply, World, admin, creation, delete, get, nobody, patch};

/// Everybody who looks, with the name of a reach.
fn callers(it: &World) -> [(&'static str, Person); 6] {
    [
        ("super admin", it.boss.clone()),
        ("partner admin", it.of_north.clone()),
        ("other partner admin", it.of_south.clone()),
        ("tenant admin", it.acme.admin.clone()),
        ("sibling tenant admin", it.annex.admin.clone()),
        ("other tenant admin", it.globex.admin.clone()),
    ]
}

/// The partner and the tenant to which a caller's reach is limited.
fn limits(it: &World, caller: &str) -> (Option<String>, Option<String>) {
    match caller {
        "super admin" => (None, None),
        "partner admin" => (Some(it.north.clone()), None),
        "other partner admin" => (Some(it.south.clone()), None),
        "tenant admin" => (None, Some(it.acme.tenant.clone())),
        "sibling tenant admin" => (None, Some(it.annex.tenant.clone())),
        "other tenant admin" => (None, Some(it.globex.tenant.clone())),
        other => panic!("{other}"),
    }
}

/// The rule of the hierarchy, written down apart from the server: whether a caller sees an object.
fn sees(it: &World, caller: &str, collection: &str, object: &Value) -> bool {
    let (partner, tenant) = limits(it, caller);
    let is = |name: &str, id: &str| object[name] == id;
    let tenants_of = |partner: &str| [&it.acme, &it.annex, &it.globex].map(|place| place.partner == partner);
    match (partner, tenant) {
        (None, None) => true,
        (Some(partner), _) => match collection {
            "partners" => is("id", &partner),
            "tenants" => is("partner_id", &partner),
            _ => {
                let within = [&it.acme, &it.annex, &it.globex].into_iter().zip(tenants_of(&partner));
                is("partner_id", &partner)
                    || within.into_iter().any(|(place, own)| own && is("tenant_id", &place.tenant))
            }
        },
        (_, Some(tenant)) => match collection {
            "partners" => false,
            "tenants" => is("id", &tenant),
            _ => is("tenant_id", &tenant),
        },
    }
}

/// A refusal without what differs from request to request, and without the identifier that was asked for.
fn plain(reply: &Reply, id: &str) -> (u16, Value) {
    let mut body: Value = serde_json::from_str(&reply.text().replace(id, "ID")).unwrap_or(Value::Null);
    body.as_object_mut().map(|members| members.remove("request_id"));
    (reply.status, body)
}

async fn list(it: &World, person: &Person, path: &str) -> Value {
    it.app.by(person, get(&admin(path))).await.expect(200, &format!("{} lists {path}", person.email)).json()
}

fn ids(list: &Value) -> Vec<String> {
    let mut ids = crate::support::column(list, "id");
    ids.sort();
    ids
}

/// Lists, totals and identifiers: what is within the reach, and nothing else.
#[actix_web::test]
async fn reads_end_with_the_reach() {
    let it = World::new().await;
    for collection in COLLECTIONS {
        let page = format!("{collection}?per_page=100");
        let all = list(&it, &it.boss, &page).await;
        for (caller, person) in callers(&it) {
            let what = format!("{caller}, {collection}");
            let items = all["data"].as_array().unwrap();
            let (seen, unseen): (Vec<&Value>, Vec<&Value>) =
                items.iter().partition(|object| sees(&it, caller, collection, object));
            let found = list(&it, &person, &page).await;
            let mut expected: Vec<String> = seen.iter().map(|object| crate::support::id_of(object)).collect();
            expected.sort();
            assert_eq!(ids(&found), expected, "{what}");
            assert_eq!(found["pagination"]["total"], seen.len(), "{what}");
            assert!(caller == "super admin" || !unseen.is_empty(), "{what}: there is nothing to hide");
            for object in seen {
                let path = admin(&format!("{collection}/{}", crate::support::id_of(object)));
                let read = it.app.by(&person, get(&path)).await.expect(200, &what);
                assert_eq!(&read.json(), object, "{what}: the same for everybody");
            }
            for object in unseen {
                let id = crate::support::id_of(object);
                let there = it.app.by(&person, get(&admin(&format!("{collection}/{id}")))).await;
                let other = nobody(&id);
                let absent = it.app.by(&person, get(&admin(&format!("{collection}/{other}")))).await;
                assert_eq!(there.status, 404, "{what}: {}", there.text());
                assert_eq!(plain(&there, &id), plain(&absent, &other), "{what}");
            }
        }
    }
}

/// What lies below an object ends with the reach as the object does.
#[actix_web::test]
async fn parts_end_with_the_reach() {
    let it = World::new().await;
    let of = |place: &crate::support::Place| {
        [
            format!("users/{}/effective-permissions", place.user.id),
            format!("groups/{}/members", place.group),
            format!("groups/{}/nested", place.group),
            format!("groups/{}/effective-members", place.group),
            format!("applications/{}/secrets", place.client.id),
            format!("applications/{}/grants", place.client.id),
            format!("applications/{}/usage", place.client.id),
            format!("agents/{}/secrets", place.agent.id),
        ]
    };
    for path in of(&it.acme) {
        for (person, status) in [
            (&it.boss, 200),
            (&it.of_north, 200),
            (&it.of_south, 404),
            (&it.acme.admin, 200),
            (&it.annex.admin, 404),
            (&it.globex.admin, 404),
            (&it.acme.user, 403),
        ] {
            let reply = it.app.by(person, get(&admin(&path))).await;
            reply.expect(status, &format!("{} reads {path}", person.email));
        }
    }
}

/// Filters and searches find no more than the list has, and a foreign tenant is like one that is not there.
#[actix_web::test]
async fn filters_end_with_the_reach() {
    let it = World::new().await;
    let empty = json!({ "page": 1, "per_page": 20, "total": 0, "total_pages": 0 });
    for collection in ["users", "groups", "roles", "applications", "identity-providers", "agents", "sessions"]
    {
        for tenant in [&it.acme.tenant, &it.annex.tenant, &nobody(&it.acme.tenant)] {
            let path = format!("{collection}?tenant_id={tenant}");
            for person in [&it.globex.admin, &it.of_south] {
                let found = list(&it, person, &path).await;
                assert_eq!((&found["data"], &found["pagination"]), (&json!([]), &empty), "{path}");
            }
        }
        let own = list(&it, &it.globex.admin, &format!("{collection}?tenant_id={}", it.globex.tenant)).await;
        assert_ne!(own["data"], json!([]), "{collection}");
    }
    for (path, own) in [
        ("users?q=acme", 0),
        ("users?q=globex", 3),
        ("tenants?q=acme", 0),
        ("tenants?q=globex", 1),
        ("applications?q=root", 0),
        ("applications?client_id=acme.crm-sync", 0),
        ("applications?client_id=globex.crm-sync", 1),
        ("users?email=user-acme%40people.example", 0),
    ] {
        assert_eq!(list(&it, &it.globex.admin, path).await["pagination"]["total"], own, "{path}");
    }
}

/// The log: events of the reach, by no filter any other.
#[actix_web::test]
async fn the_log_ends_with_the_reach() {
    let it = World::new().await;
    for place in [&it.acme, &it.annex, &it.globex] {
        it.app.token(&place.client).await;
    }
    let mut all = Vec::new();
    for page in 1.. {
        let part = list(&it, &it.boss, &format!("audit?per_page=100&page={page}")).await;
        let items = part["data"].as_array().unwrap().clone();
        if items.is_empty() {
            break;
        }
        all.extend(items);
    }
    for (caller, person) in callers(&it).into_iter().skip(1) {
        let seen: Vec<&Value> = all.iter().filter(|event| sees(&it, caller, "audit", event)).collect();
        assert!(seen.len() > 10 && seen.len() < 100, "{caller}: {}", seen.len());
        let found = list(&it, &person, "audit?per_page=100").await;
        let found_there: Vec<&Value> = found["data"].as_array().unwrap().iter().collect();
        let missing: Vec<_> = seen.iter().filter(|event| !found_there.contains(event)).collect();
        let strange: Vec<_> = found_there.iter().filter(|event| !seen.contains(event)).collect();
        assert_eq!((missing, strange), (vec![], vec![]), "{caller}: missing and strange");
        assert_eq!(found_there, seen, "{caller}: in the same order");
        assert_eq!(found["pagination"]["total"], seen.len(), "{caller}");
        for event in &all {
            let status = if seen.contains(&event) { 200 } else { 404 };
            let path = admin(&format!("audit/{}", crate::support::id_of(event)));
            it.app.by(&person, get(&path)).await.expect(status, &format!("{caller}: {event}"));
        }
    }
    let foreign = [
        format!("audit?tenant_id={}", it.acme.tenant),
        format!("audit?actor={}", it.acme.client.id),
        format!("audit?resource={}", it.acme.group),
    ];
    for path in foreign {
        assert_eq!(list(&it, &it.globex.admin, &path).await["data"], json!([]), "{path}");
        assert_ne!(list(&it, &it.acme.admin, &path).await["data"], json!([]), "{path}");
    }
}

/// The catalogue is read by every administrator and written by the platform.
#[actix_web::test]
async fn the_catalogue() {
    let it = World::new().await;
    let whole = list(&it, &it.boss, "permissions?per_page=100").await;
    let row = crate::support::id_of(&whole["data"][0]);
    let body = json!({ "resource": "new", "label": "New", "view": "new:read", "change": [] });
    let writes = |id: &str| {
        [
            crate::support::post(&admin("permissions")).json(&body),
            patch(&admin(&format!("permissions/{id}"))).json(&json!({ "label": "Mine" })),
            delete(&admin(&format!("permissions/{id}"))),
        ]
    };
    for (caller, person) in callers(&it).into_iter().skip(1) {
        assert_eq!(list(&it, &person, "permissions?per_page=100").await, whole, "{caller}");
        it.app.by(&person, get(&admin(&format!("permissions/{row}")))).await.expect(200, caller);
        for write in writes(&row) {
            let reply = it.app.by(&person, write).await.expect(403, caller);
            assert_eq!(reply.json()["detail"], "Access denied", "{caller}");
        }
    }
    assert_eq!(list(&it, &it.boss, "permissions?per_page=100").await, whole);
    it.app.by(&it.boss, writes(&row)[0].clone()).await.expect(201, "the super admin writes it");
}

/// The permissions of staff, collection by collection.
const STAFF: [&str; 9] = [
    "users",
    "groups",
    "roles",
    "applications",
    "identity-providers",
    "agents",
    "api-keys",
    "sessions",
    "audit",
];

/// One permission opens one collection, to look at or to change as well; without any there is nothing to see.
#[actix_web::test]
async fn staff() {
    let it = World::new().await;
    let acme = &it.acme;
    let read = |collection: &str| get(&admin(collection));
    let write = |collection: &str| -> Option<Call> {
        (!["sessions", "audit"].contains(&collection))
            .then(|| creation(collection, Some(&acme.tenant), "fresh"))
    };
    for own in STAFF {
        let mut people = Vec::new();
        for right in ["read", "write"] {
            let permission = format!("keyward:{own}:{right}");
            let name = format!("{right}-{own}");
            people.push((right, it.app.staff(&acme.tenant, &name, &[&permission]).await));
        }
        for (right, person) in &people {
            for collection in STAFF {
                let what = format!("keyward:{own}:{right}, {collection}");
                let reply = it.app.by(person, read(collection)).await;
                if collection == own {
                    let total = reply.expect(200, &what).json()["pagination"]["total"].clone();
                    let all = list(&it, &acme.admin, collection).await["pagination"]["total"].clone();
                    assert_eq!(total, all, "{what}: as the tenant admin sees it");
                    let foreign = admin(&format!("{collection}/{}", foreign(&it, collection).await));
                    it.app.by(person, get(&foreign)).await.expect(404, &what);
                } else {
                    let body = reply.expect(403, &what).json();
                    assert_eq!(
                        body["required_permissions"],
                        json!([format!("keyward:{collection}:read")]),
                        "{what}"
                    );
                }
                let Some(write) = write(collection) else { continue };
                let may = collection == own && *right == "write";
                let reply = it.app.by(person, write).await.expect(if may { 201 } else { 403 }, &what);
                if !may {
                    let required = json!([format!("keyward:{collection}:write")]);
                    assert_eq!(reply.json()["required_permissions"], required, "{what}");
                    assert_eq!(
                        reply.json()["held_permissions"],
                        json!([format!("keyward:{own}:{right}")]),
                        "{what}"
                    );
                }
            }
            for closed in ["tenants", "partners", "signing-keys"] {
                let what = format!("keyward:{own}:{right}, {closed}");
                it.app.by(person, read(closed)).await.expect(403, &what);
            }
            it.app.by(person, creation("tenants", None, "fresh")).await.expect(403, own);
        }
    }
}

/// An identifier in another tenant.
async fn foreign(it: &World, collection: &str) -> String {
    if collection != "audit" {
        return it.globex.id(collection).to_owned();
    }
    let events = list(it, &it.globex.admin, "audit").await;
    crate::support::id_of(&events["data"][0])
}

/// Without any permission: 403, whatever is asked for, and the same for every identifier.
#[actix_web::test]
async fn staff_without_any() {
    let it = World::new().await;
    let person = &it.acme.user;
    for collection in COLLECTIONS {
        let mut answers = Vec::new();
        for id in [it.acme.id(collection), it.globex.id(collection), &nobody(it.acme.id(collection)), "x"] {
            let path = admin(&format!("{collection}/{id}"));
            for call in [get(&path), patch(&path).json(&json!({ "name": "Mine" })), delete(&path)] {
                if collection == "sessions" && call.method != actix_web::http::Method::GET {
                    continue;
                }
                let method = call.method.clone();
                let reply = it.app.by(person, call).await.expect(403, &format!("{method} {path}"));
                answers.push((method.to_string(), plain(&reply, id)));
            }
        }
        answers.sort_by(|left, right| left.0.cmp(&right.0));
        answers.dedup();
        let methods = if collection == "sessions" { 1 } else { 3 };
        assert_eq!(answers.len(), methods, "{collection}: one answer for each method: {answers:?}");
    }
}
