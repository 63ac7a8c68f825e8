//! Walls between the reaches, on every operation that the document has: who may not, may not on any of them.
//!
//! What to expect is said by an oracle made from the rules of the hierarchy. An operation that is new is covered as soon as
//! the document has it; one that needs an identifier of a new kind fails until [`fill`] knows that.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{ADMIN, COLLECTIONS, Call, Person, Place, Reply, World, admin, call, get, nobody};

/// How many operations of the document are no part of the admin API, and so behind other walls.
const OTHERS: usize = 22;

/// What belongs to the platform alone.
const PLATFORMS: [&str; 2] = ["signing-keys", "revocations"];

/// What is for applications of the platform or of a partner only: everybody within reach is told so.
const NOT_FOR_TENANTS: &str = "put applications/{id}/grants";

/// An operation of the admin API.
struct Operation {
    method: String,
    /// Below the admin API, for example `groups/{id}/members`.
    path: String,
    /// The schema of its body.
    body: Value,
}

impl Operation {
    fn collection(&self) -> &str {
        self.path.split('/').next().unwrap()
    }

    fn is_read(&self) -> bool {
        self.method == "get"
    }

    fn names_one(&self) -> bool {
        self.path.contains('{')
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A schema with its references followed, and its parts put together.
fn resolved(document: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolved(document, document.pointer(&reference[1..]).unwrap()),
        None => schema.clone(),
    }
}

/// The operations of the admin API: reads first, deletions last, tenants and partners at the very end.
fn operations(document: &Value) -> (Vec<Operation>, usize) {
    let (mut all, mut others) = (Vec::new(), 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(below) = path.strip_prefix(&format!("{ADMIN}/")) else {
                others += 1;
                continue;
            };
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = resolved(document, body);
            all.push(Operation { method: method.clone(), path: below.to_owned(), body });
        }
    }
    let order = |operation: &Operation| {
        let container = ["tenants", "partners"].iter().position(|name| *name == operation.collection());
        let deletes = operation.method == "delete";
        let depth = if deletes { 10 - operation.path.split('/').count() } else { 0 };
        (deletes, if deletes { container.map_or(0, |at| at + 1) } else { 0 }, depth, !operation.is_read())
    };
    all.sort_by_key(order);
    (all, others)
}

/// The identifier that a parameter of an operation's path stands for.
fn fill(operation: &Operation, parameter: &str, place: &Place, more: &Value) -> String {
    let id = match (operation.collection(), parameter) {
        ("permissions", "id") => more["permission"].as_str().unwrap(),
        ("audit", "id") => more["event"].as_str().unwrap(),
        // A key that was revoked has no successor.
        ("api-keys", "id") if operation.path.ends_with("/revoke") => &place.spare_key,
        (collection, "id") => place.id(collection),
        ("applications", "secret_id") => &place.client.secret_id,
        ("agents", "secret_id") => &place.agent.secret_id,
        ("groups", "user_id") => &place.user.id,
        ("groups", "child_group_id") => &place.child,
        (_, parameter) => panic!("{}: what is {parameter}? Teach the test.", operation.name()),
    };
    id.to_owned()
}

/// A value of a body's property, which leads into the place.
fn property(operation: &Operation, name: &str, place: &Place) -> Value {
    // Each operation's own, so that none takes another's.
    let way = if operation.path.ends_with("/bulk") { "bulk" } else { operation.method.as_str() };
    let taken = format!("taken-by-{way}");
    match name {
        "tenant_id" => json!(place.tenant),
        // None of the tokens that are used here.
        "before" => json!("2020-01-01T00:00:00Z"),
        "user_id" => json!(place.loner),
        "group_id" => json!(place.spare),
        "name" | "label" | "resource" | "slug" | "client_id" => json!(taken),
        "view" => json!(format!("{taken}:read")),
        "email" => json!(format!("{taken}@people.example")),
        "type" => json!("service"),
        "kind" => json!("oidc"),
        "config" => crate::support::oidc("https://evil.example"),
        "roles" | "grants" => json!([]),
        "items" => {
            let field = if operation.collection() == "permissions" { "label" } else { "name" };
            json!([{ "op": "update", "id": "ID", "body": { field: taken } }])
        }
        other => panic!("{}: what is {other}? Teach the test.", operation.name()),
    }
}

/// A body that would succeed, and change something, for somebody who may.
fn body(operation: &Operation, place: &Place) -> Option<Value> {
    let schema = &operation.body;
    let properties = schema["properties"].as_object()?;
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    let shown = ["name", "label"].into_iter().find(|name| properties.contains_key(*name));
    let wanted = |name: &&str| {
        required.contains(name)
            || (operation.method == "patch" && Some(*name) == shown)
            || (operation.method == "post" && ["tenant_id", "view", "before"].contains(name))
    };
    let names = properties.keys().map(String::as_str).filter(wanted);
    Some(Value::Object(names.map(|name| (name.to_owned(), property(operation, name, place))).collect()))
}

/// The request of an operation on the objects of a place; with `strange` each identifier is one that nothing has.
fn request(operation: &Operation, place: &Place, more: &Value, strange: bool) -> Call {
    let other = |id: String| if strange { nobody(&id) } else { id };
    let parts: Vec<String> = operation
        .path
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(parameter) => other(fill(operation, parameter, place, more)),
            None => part.to_owned(),
        })
        .collect();
    let request = call(operation.method.to_uppercase().parse().unwrap(), &admin(&parts.join("/")));
    let Some(mut body) = body(operation, place) else { return request };
    for name in ["tenant_id", "user_id", "group_id"] {
        if let Some(id) = body[name].as_str() {
            body[name] = json!(other(id.to_owned()));
        }
    }
    if let Some(item) = body.pointer_mut("/items/0") {
        item["id"] = json!(other(fill(operation, "id", place, more)));
    }
    request.json(&body)
}

/// Who knocks at the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a credential.
    Nobody,
    /// A user without any right, of the tenant itself.
    Powerless,
    /// The administrator of the tenant next to it, under the same partner.
    Tenant,
    /// The administrator of another partner.
    Partner,
    /// A service token with `admin:read`.
    Reader,
}

/// What the rules of the hierarchy say. Nothing of it comes from the server.
fn oracle(who: Who, operation: &Operation) -> u16 {
    let collection = operation.collection();
    match who {
        Who::Nobody => 401,
        Who::Reader if operation.is_read() && collection != "signing-keys" => 200,
        Who::Powerless | Who::Reader => 403,
        Who::Tenant | Who::Partner if PLATFORMS.contains(&collection) => 403,
        // Written by the platform or the super admin only, read by every administrator.
        Who::Tenant | Who::Partner if ["partners", "tenants", "permissions"].contains(&collection) => {
            match (operation.is_read(), operation.names_one()) {
                (false, _) => 403,
                (true, true) if collection != "permissions" => 404,
                (true, _) => 200,
            }
        }
        Who::Tenant | Who::Partner => match (operation.is_read(), operation.names_one()) {
            (_, true) => 404,
            (true, false) => 200,
            // Each item has a status of its own, which is looked at below.
            (false, false) if operation.path.ends_with("/bulk") => 200,
            // Created in a tenant that does not exist for the caller.
            (false, false) => 422,
        },
    }
}

/// A reply without what differs from request to request, and without identifiers that the caller sent.
fn plain(reply: &Reply, sent: &Call) -> (u16, Value) {
    let mut text = reply.text();
    let body = String::from_utf8(sent.body.clone()).unwrap();
    let words = format!("{} {body}", sent.uri);
    for word in words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if word.len() == 30 && word.as_bytes()[3] == b'_' {
            text = text.replace(word, "ID");
        }
    }
    let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    strip(&mut body);
    (reply.status, body)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("request_id");
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Everything of a place, as the super admin reads it.
async fn snapshot(it: &World, place: &Place) -> BTreeMap<String, Value> {
    let mut paths: Vec<String> =
        COLLECTIONS.iter().map(|collection| format!("{collection}/{}", place.id(collection))).collect();
    for collection in COLLECTIONS.into_iter().filter(|name| !["partners", "tenants"].contains(name)) {
        paths.push(format!("{collection}?per_page=100&tenant_id={}", place.tenant));
    }
    paths.extend([
        format!("groups/{}/members", place.group),
        format!("groups/{}/nested", place.group),
        format!("applications/{}/secrets", place.client.id),
        format!("agents/{}/secrets", place.agent.id),
        "permissions?per_page=100".to_owned(),
        "partners?per_page=100".to_owned(),
        "tenants?per_page=100".to_owned(),
    ]);
    let mut all = BTreeMap::new();
    for path in paths {
        let read = it.app.by(&it.boss, get(&admin(&path))).await.expect(200, &path).json();
        all.insert(path, read);
    }
    all
}

/// What a place has beside its own things: a row of the catalogue, and an event of the log.
async fn more(it: &World) -> Value {
    let of = format!("audit?tenant_id={}&action=role.created", it.acme.tenant);
    let events = it.app.ok(get(&admin(&of))).await;
    let rows = it.app.ok(get(&admin("permissions?q=points"))).await;
    json!({ "event": events["data"][0]["id"], "permission": rows["data"][0]["id"] })
}

#[actix_web::test]
async fn every_operation_has_its_walls() {
    let it = World::new().await;
    let document = it.app.send(get("/openapi.json")).await.json();
    let more = more(&it).await;
    let reader = it.app.global("reader", &["admin:read"]).await;
    let reader = it.app.token(&reader).await;
    let callers: [(Who, Option<&str>); 5] = [
        (Who::Nobody, None),
        (Who::Powerless, Some(&it.acme.user.token)),
        (Who::Tenant, Some(&it.annex.admin.token)),
        (Who::Partner, Some(&it.of_south.token)),
        (Who::Reader, Some(&reader)),
    ];
    let (operations, others) = operations(&document);
    assert_eq!(others, OTHERS, "operations outside the admin API are counted");
    assert!(operations.len() > 80, "the document has {} operations", operations.len());
    let mut faults = Vec::new();
    for operation in &operations {
        let before = snapshot(&it, &it.acme).await;
        for (who, token) in callers {
            let what = format!("{who:?}, {}", operation.name());
            let send = async |strange: bool| {
                let call = request(operation, &it.acme, &more, strange);
                let sent = call.clone();
                let reply = it.app.send(match token {
                    Some(token) => call.bearer(token),
                    None => call,
                });
                plain(&reply.await, &sent)
            };
            let there = send(false).await;
            let expected = oracle(who, operation);
            if there.0 != expected {
                faults.push(format!("{what}: {} instead of {expected}: {}", there.0, there.1));
            }
            let stranger = [Who::Tenant, Who::Partner].contains(&who);
            if stranger && expected == 200 && operation.path.ends_with("/bulk") {
                let status = &there.1["results"][0]["status"];
                if *status != 404 {
                    faults.push(format!("{what}: the item is {status}: {}", there.1));
                }
            }
            // The catalogue is there for everybody, and the log grows with every read of its export.
            let hidden = stranger && (expected != 200 || operation.path.ends_with("/bulk"));
            if hidden || [Who::Nobody, Who::Powerless].contains(&who) || expected == 403 {
                let absent = send(true).await;
                if there != absent {
                    faults.push(format!("{what}: {there:?}, but {absent:?} for what is not there"));
                }
            }
        }
        let after = snapshot(&it, &it.acme).await;
        for (path, was) in &before {
            if after[path] != *was {
                faults.push(format!("{}: {path} was {was} and is {}", operation.name(), after[path]));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    // The same requests are no nonsense: whoever may, succeeds with each of them.
    for operation in &operations {
        let reply = it.app.by(&it.boss, request(operation, &it.acme, &more, false)).await;
        // There is nobody to send mail in tests.
        if operation.name() == NOT_FOR_TENANTS || operation.name().ends_with("/invite") {
            reply.expect(409, &operation.name());
            continue;
        }
        assert!(reply.status < 300, "{}: {} {}", operation.name(), reply.status, reply.text());
        if operation.path.ends_with("/bulk") {
            assert_eq!(reply.json()["results"][0]["status"], 200, "{}: {}", operation.name(), reply.text());
        }
    }
}

/// Within the reach, the administrators of the tiers do what the super admin does, the hierarchy left out.
#[actix_web::test]
async fn every_operation_is_open_to_those_within() {
    for partner in [false, true] {
        let it = World::new().await;
        let document = it.app.send(get("/openapi.json")).await.json();
        let more = more(&it).await;
        let person: &Person = if partner { &it.of_north } else { &it.acme.admin };
        for operation in &operations(&document).0 {
            let collection = operation.collection();
            let hierarchy = ["partners", "tenants", "permissions", "signing-keys"].contains(&collection);
            if hierarchy && !operation.is_read() {
                continue;
            }
            let invisible = collection == "partners" && operation.names_one() && !partner;
            let reply = it.app.by(person, request(operation, &it.acme, &more, false)).await;
            let what = format!("{}, {}: {} {}", person.email, operation.name(), reply.status, reply.text());
            match (collection, invisible) {
                _ if PLATFORMS.contains(&collection) => assert_eq!(reply.status, 403, "{what}"),
                (_, true) => assert_eq!(reply.status, 404, "{what}"),
                _ if operation.name() == NOT_FOR_TENANTS => assert_eq!(reply.status, 409, "{what}"),
                // There is nobody to send mail in tests.
                _ if operation.name().ends_with("/invite") => assert_eq!(reply.status, 409, "{what}"),
                _ => assert!(reply.status < 300, "{what}"),
            }
        }
    }
}
