//! Fields that nobody may write, on every operation with a body that the document has: refused, never ignored and never set.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{ADMIN, COLLECTIONS, Call, Reply, TestApp, World, admin, call, get, post};

/// Names that are read-only or privileged wherever they are not explicitly writable.
const PRIVILEGED: [&str; 34] = [
    "id",
    "created_at",
    "updated_at",
    "deleted_at",
    "version",
    "meta",
    "state",
    "hash",
    "hint",
    "secret",
    "secrets",
    "secret_hash",
    "sealed_secret",
    "has_secret",
    "password",
    "password_hash",
    "mfa_enabled",
    "totp_secret",
    "is_admin",
    "is_super_admin",
    "admin",
    "admin_role",
    "tier",
    "scope",
    "scopes",
    "permissions",
    "roles",
    "grants",
    "valid_after",
    "publishable_key",
    "last_used_at",
    "built_in",
    "owner",
    "__proto__",
];

/// An operation with a body: method, path below the admin API, the names that may be written and those that are read.
struct Operation {
    method: String,
    path: String,
    written: BTreeSet<String>,
    read: BTreeSet<String>,
    required: Vec<String>,
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolved(document, document.pointer(&reference[1..]).unwrap()),
        None => schema,
    }
}

/// The names of a schema's properties, those of its parts included.
fn names(document: &Value, schema: &Value) -> BTreeSet<String> {
    let schema = resolved(document, schema);
    let mut all: BTreeSet<String> =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        all.extend(names(document, part));
    }
    all
}

/// Operations with a body, and those that take none.
fn operations(document: &Value) -> (Vec<Operation>, Vec<(String, String)>) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(below) = path.strip_prefix(&format!("{ADMIN}/")) else { continue };
        for (method, operation) in item.as_object().unwrap() {
            if method == "get" {
                continue;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                without.push((method.clone(), below.to_owned()));
                continue;
            }
            let answers = operation["responses"].as_object().unwrap();
            let success = answers.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
            let object = document["paths"].get(format!("{path}/{{id}}")).unwrap_or(&Value::Null);
            let shown = [
                &success["content"]["application/json"]["schema"],
                &object["get"]["responses"]["200"]["content"]["application/json"]["schema"],
            ];
            let required = resolved(document, schema)["required"].as_array().cloned().unwrap_or_default();
            with.push(Operation {
                method: method.clone(),
                path: below.to_owned(),
                written: names(document, schema),
                read: shown.into_iter().flat_map(|schema| names(document, schema)).collect(),
                required: required.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
            });
        }
    }
    (with, without)
}

/// The address of an operation on the objects of `acme`, and of what it could change.
fn address(it: &World, row: &str, path: &str) -> String {
    let place = &it.acme;
    let collection = path.split('/').next().unwrap();
    let id = if collection == "permissions" || !path.contains("{id}") { row } else { place.id(collection) };
    path.replace("{id}", id)
        .replace("{user_id}", &place.user.id)
        .replace("{child_group_id}", &place.child)
        .replace(
            "{secret_id}",
            if collection == "agents" { &place.agent.secret_id } else { &place.client.secret_id },
        )
}

/// A body that is right, as far as what it requires; none of its values is there already.
fn right(operation: &Operation, it: &World) -> Value {
    let value = |name: &str| match name {
        "email" => json!("new@people.example"),
        "type" => json!("service"),
        "kind" => json!("oidc"),
        "config" => crate::support::oidc("https://idp.example"),
        "user_id" => json!(it.acme.loner),
        "tenant_id" => json!(it.acme.tenant),
        "group_id" => json!(it.acme.spare),
        "roles" | "grants" | "items" => json!([]),
        "name" | "slug" | "client_id" | "resource" | "label" => json!("new"),
        other => panic!("{} {}: what is {other}? Teach the test.", operation.method, operation.path),
    };
    let mut body: Value = operation
        .required
        .iter()
        .map(|name| (name.clone(), value(name)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if operation.path == "revocations" {
        // None of the tokens that are used here.
        body = json!({ "before": "2020-01-01T00:00:00Z" });
    }
    if operation.method == "patch" {
        let name = if operation.path.starts_with("permissions") { "label" } else { "name" };
        body = json!({ name: "new" });
    }
    body
}

/// How many objects there are of everything, and what the objects of `acme` are.
async fn snapshot(it: &World, row: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for collection in COLLECTIONS {
        all.push(it.app.ok(get(&admin(&format!("{collection}?per_page=100")))).await);
    }
    for path in [
        format!("permissions/{row}"),
        format!("applications/{}/secrets", it.acme.client.id),
        format!("agents/{}/secrets", it.acme.agent.id),
        format!("groups/{}/members", it.acme.group),
        format!("groups/{}/nested", it.acme.group),
    ] {
        all.push(it.app.ok(get(&admin(&path))).await);
    }
    all
}

fn request(method: &str, path: &str, body: &Value) -> Call {
    call(method.to_uppercase().parse().unwrap(), &admin(path)).json(body)
}

fn fault(reply: &Reply, name: &str) -> Option<String> {
    let pointer = format!("/{name}");
    let pointed = reply.pointers().contains(&pointer);
    (reply.status != 422 || !pointed).then(|| format!("{} {}", reply.status, reply.text()))
}

#[actix_web::test]
async fn no_field_is_written_that_must_not_be() {
    let it = World::new().await;
    let document = it.app.send(get("/openapi.json")).await.json();
    let row = it.app.permission("cards", "cards:read", &[]).await;
    let (operations, _) = operations(&document);
    assert!(operations.len() > 35, "the document has {} operations with a body", operations.len());
    let (mut tried, mut faults) = (0, Vec::new());
    let before = snapshot(&it, &row).await;
    for operation in &operations {
        let path = address(&it, &row, &operation.path);
        let body = right(operation, &it);
        let privileged = PRIVILEGED.iter().map(|name| (*name).to_owned());
        let names: BTreeSet<String> = operation.read.iter().cloned().chain(privileged).collect();
        assert!(!operation.written.is_empty() || operation.path.ends_with("rotate"), "{}", operation.path);
        for name in names.difference(&operation.written) {
            for value in [json!(true), json!(null), json!("x"), json!({ "a": 1 })] {
                tried += 1;
                let mut body = body.clone();
                body[name] = value.clone();
                let reply = it.app.admin(request(&operation.method, &path, &body)).await;
                let what = format!("{} {} with {name}: {value}", operation.method, operation.path);
                faults.extend(fault(&reply, name).map(|fault| format!("{what}: {fault}")));
            }
        }
    }
    assert!(tried > 2_000, "{tried} fields were tried");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(snapshot(&it, &row).await, before, "nothing was changed");
    // The bodies are right without the one field too many.
    for operation in &operations {
        let path = address(&it, &row, &operation.path);
        let mut body = right(operation, &it);
        if operation.path == "permissions" {
            body["view"] = json!("new:read");
        }
        let reply = it.app.admin(request(&operation.method, &path, &body)).await;
        // A tenant's application has one grant, its own tenant.
        let expected = if operation.path.ends_with("grants") { 409..410 } else { 200..300 };
        assert!(expected.contains(&reply.status), "{} {path}: {}", operation.method, reply.text());
    }
}

/// What an administrator may not write, neither may the items of a bulk request.
#[actix_web::test]
async fn nor_by_bulk() {
    let it = World::new().await;
    let before = snapshot(&it, &it.app.permission("cards", "cards:read", &[]).await).await;
    for collection in COLLECTIONS.into_iter().filter(|name| *name != "sessions") {
        for name in ["id", "version", "deleted_at", "password", "valid_after", "sealed_secret"] {
            let body = json!({ "name": "Mine", name: "x" });
            let item = json!({ "op": "update", "id": it.acme.id(collection), "body": body });
            let bulk = post(&admin(&format!("{collection}/bulk"))).json(&json!({ "items": [item] }));
            let result = it.app.admin(bulk).await.expect(200, collection).json()["results"][0].clone();
            assert_eq!(result["status"], 422, "{collection} {name}: {result}");
            assert_eq!(result["error"]["errors"][0]["pointer"], format!("/{name}"), "{collection}: {result}");
        }
    }
    let row =
        it.app.ok(get(&admin("permissions?q=cards"))).await["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(snapshot(&it, &row).await, before, "nothing was changed");
}

/// An operation that takes no body ignores none: a password sent to a reset is not silently dropped.
#[actix_web::test]
async fn bodies_where_there_are_none() {
    let it = World::new().await;
    let document = it.app.send(get("/openapi.json")).await.json();
    let (_, without) = operations(&document);
    let posts: Vec<_> = without.iter().filter(|(method, _)| method == "post").collect();
    assert!(posts.len() >= 3, "{without:?}");
    let mut faults = Vec::new();
    for (method, path) in posts {
        let address = address(&it, "", path);
        let body = json!({ "password": "correct horse battery staple" });
        let reply = it.app.admin(request(method, &address, &body)).await;
        if ![400, 415, 422].contains(&reply.status) {
            faults.push(format!("{method} {path}: {}", reply.status));
        }
    }
    assert!(faults.is_empty(), "{faults:?}");
}

/// `PATCH` of a user never carries a password, in whatever spelling, and `custom_attributes` are no way around.
#[actix_web::test]
async fn passwords() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let person = app.person("ada", &json!({ "tenant_id": acme })).await;
    let path = admin(&format!("users/{}", person.id));
    for name in ["password", "new_password", "password_hash", "credentials", "Password"] {
        let reply = app.admin(crate::support::patch(&path).json(&json!({ name: "x" }))).await;
        reply.expect_error(&format!("/{name}"), "unknown_field", name);
    }
    let read =
        app.edit(&format!("users/{}", person.id), &json!({ "custom_attributes": { "id": "x" } })).await;
    assert_eq!((&read["id"], &read["custom_attributes"]["id"]), (&json!(person.id), &json!("x")));
}
