//! Bodies of the admin API: what is no JSON, what is the wrong JSON, and what is in no contract.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Call, Reply, TestApp, admin, call, patch, post};

struct Fixture {
    app: TestApp,
    /// Every operation that takes a body: method, path, a body that is right.
    operations: Vec<(Method, String, Value)>,
    /// The same of people, groups, providers and agents.
    others: Vec<(Method, String, Value)>,
}

async fn others(app: &TestApp, acme: &str) -> Vec<(Method, String, Value)> {
    let ada = app.person("ada", &json!({ "tenant_id": acme })).await.id;
    let (group, inside) = (app.group(Some(acme), "outside").await, app.group(Some(acme), "inside").await);
    let partner = crate::support::id_of(&app.create("partners", &json!({ "name": "P", "slug": "p" })).await);
    let agent = app.agent(Some(acme), &json!({})).await.id;
    let config = crate::support::oidc("https://idp.example");
    let provider = json!({ "name": "Entra", "kind": "oidc", "tenant_id": acme, "config": config });
    let made = crate::support::id_of(&app.create("identity-providers", &provider).await);
    let name = || json!({ "name": "Changed" });
    let items = json!({ "items": [] });
    vec![
        (Method::POST, "partners".to_owned(), json!({ "name": "New", "slug": "new" })),
        (Method::PATCH, format!("partners/{partner}"), name()),
        (Method::POST, "users".to_owned(), json!({ "email": "new@people.example", "tenant_id": acme })),
        (Method::PATCH, format!("users/{ada}"), name()),
        (Method::PUT, format!("users/{ada}/roles"), json!({ "roles": [] })),
        (Method::POST, "groups".to_owned(), json!({ "name": "new", "tenant_id": acme })),
        (Method::PATCH, format!("groups/{group}"), name()),
        (Method::PUT, format!("groups/{group}/roles"), json!({ "roles": [] })),
        (Method::POST, format!("groups/{group}/members"), json!({ "user_id": ada })),
        (Method::POST, format!("groups/{group}/nested"), json!({ "group_id": inside })),
        (Method::POST, "identity-providers".to_owned(), provider),
        (Method::PATCH, format!("identity-providers/{made}"), name()),
        (Method::POST, "agents".to_owned(), json!({ "name": "new", "tenant_id": acme })),
        (Method::PATCH, format!("agents/{agent}"), name()),
        (Method::POST, format!("agents/{agent}/secrets"), json!({})),
        (Method::POST, "users/bulk".to_owned(), items.clone()),
        (Method::POST, "agents/bulk".to_owned(), items),
    ]
}

impl Fixture {
    fn all(&self) -> impl Iterator<Item = &(Method, String, Value)> {
        self.operations.iter().chain(&self.others)
    }
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let row = app.permission("cards", "cards:read", &[]).await;
    let role = app.role(Some(&acme), "clerk", &["cards:read"]).await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let hub = app.global("hub", &["points:read"]).await;
    let (post, patch) = (|| Method::POST, || Method::PATCH);
    let application = format!("applications/{}", client.id);
    let operations = vec![
        (post(), "tenants".to_owned(), json!({ "name": "New", "slug": "new" })),
        (patch(), format!("tenants/{acme}"), json!({ "name": "Acme" })),
        (
            post(),
            "permissions".to_owned(),
            json!({ "resource": "new", "label": "New", "view": "new:read", "change": [] }),
        ),
        (patch(), format!("permissions/{row}"), json!({ "label": "Cards" })),
        (
            post(),
            "roles".to_owned(),
            json!({ "name": "new", "tenant_id": acme, "permissions": ["points:read"] }),
        ),
        (patch(), format!("roles/{role}"), json!({ "name": "clerks" })),
        (
            post(),
            "applications".to_owned(),
            json!({ "name": "New", "type": "service", "reach": "tenant", "tenant_id": acme, "client_id": "new" }),
        ),
        (patch(), application.clone(), json!({ "notes": "Nightly" })),
        (post(), format!("{application}/renew"), json!({})),
        (post(), format!("{application}/secrets"), json!({})),
        (Method::PUT, format!("applications/{}/grants", hub.id), json!({ "grants": [] })),
    ];
    Fixture { others: others(&app, &acme).await, app, operations }
}

fn request(method: &Method, path: &str) -> Call {
    call(method.clone(), &admin(path))
}

/// No JSON is 400, the wrong kind of JSON is 422 with a pointer, an unknown member is 422 at its pointer.
#[actix_web::test]
async fn what_is_no_object() {
    let it = fixture().await;
    for (method, path, right) in it.all() {
        let what = format!("{method} {path}");
        for text in
            ["{", "nonsense", "{\"a\":}", "{'a':1}", "{} {}", "\u{feff}{}", "{\"name\":\"x\",}", "NaN"]
        {
            let reply = it.app.admin(request(method, path).raw("application/json", text)).await;
            reply.expect(400, &format!("{what}: {text}"));
        }
        let invalid = [b"{\"name\":\"".as_slice(), &[0xFF], b"\"}"].concat();
        it.app.admin(request(method, path).raw("application/json", invalid)).await.expect(400, "no UTF-8");
        for wrong in [json!([]), json!("text"), json!(7), json!(true), json!(null), json!([right])] {
            let reply = it.app.admin(request(method, path).json(&wrong)).await;
            reply.expect_invalid("", &format!("{what}: {wrong}"));
        }
        let mut more = right.clone();
        more["colour"] = json!("blue");
        more["a/b~c"] = json!(1);
        let reply = it.app.admin(request(method, path).json(&more)).await;
        reply.expect_invalid("/colour", &what);
        reply.expect_invalid("/a~1b~0c", &what);
    }
}

/// Unknown query parameters are refused of writes, too.
#[actix_web::test]
async fn unknown_parameters() {
    let it = fixture().await;
    for (method, path, right) in it.all() {
        let with = |query: &str| request(method, path).json(right).query(query);
        for query in ["colour=blue", "dry_run=true", "per_page=1"] {
            it.app.admin(with(query)).await.expect(422, &format!("{method} {path}?{query}"));
        }
        let reply = it.app.admin(request(method, path).json(right)).await;
        assert!(reply.status < 300, "{method} {path}: {}", reply.text());
    }
    let tenant = it.operations[1].1.as_str();
    let remove = || call(Method::DELETE, &admin(tenant));
    it.app.admin(remove().query("colour=blue")).await.expect(422, "DELETE");
    it.app.admin(remove()).await.expect(204, "DELETE");
}

/// JSON and, for PATCH, merge patches; everything else is 415.
#[actix_web::test]
async fn content_types() {
    let it = fixture().await;
    let merge_patch = "application/merge-patch+json";
    for (method, path, right) in it.all() {
        let what = format!("{method} {path}");
        for wrong in
            ["text/plain", "application/xml", "application/x-www-form-urlencoded", "text/json", "*/*", "json"]
        {
            let reply = it.app.admin(request(method, path).raw(wrong, right.to_string())).await;
            reply.expect(415, &format!("{what}: {wrong}"));
        }
        let reply = it.app.admin(request(method, path).raw("", right.to_string())).await;
        reply.expect(415, &format!("{what}: no content type"));
        let charset = "application/json; charset=utf-8";
        let reply = it.app.admin(request(method, path).raw(charset, right.to_string())).await;
        assert!(reply.status < 300, "{what}: {}", reply.text());
        if method == Method::PATCH {
            let reply = it.app.admin(request(method, path).raw(merge_patch, right.to_string())).await;
            reply.expect(200, &format!("{what}: a merge patch"));
        }
    }
}

/// An object with this many containers inside one another, the body itself counted.
fn nested(depth: usize) -> String {
    let inner = depth - 2;
    let settings = format!("{}1{}", "{\"a\":".repeat(inner), "}".repeat(inner));
    format!("{{\"name\":\"Deep\",\"slug\":\"deep\",\"settings\":{{\"a\":{settings}}}}}")
}

/// Depth 32 is accepted and 33 is not, however it is made.
#[actix_web::test]
async fn depth() {
    let app = TestApp::start().await;
    let tenants = admin("tenants");
    let send = async |text: String| app.admin(post(&tenants).raw("application/json", text)).await;
    assert_eq!(nested(4).matches('{').count(), 4);
    send(nested(33)).await.expect(400, "33 objects");
    send(nested(5_000)).await.expect(400, "5,000 objects");
    let arrays = format!(
        "{{\"name\":\"A\",\"slug\":\"a\",\"settings\":{{\"a\":{}{}}}}}",
        "[".repeat(31),
        "]".repeat(31)
    );
    send(arrays).await.expect(400, "33 with arrays");
    send("[".repeat(100_000)).await.expect(400, "arrays without an end");
    send(nested(32)).await.expect(201, "32 objects");
    let strings = json!({ "name": "S", "slug": "s", "settings": { "a": "[".repeat(100) } });
    send(strings.to_string()).await.expect(201, "brackets in a text are no depth");
}

/// 1 MiB is accepted, one byte more is 413, announced or not.
#[actix_web::test]
async fn size() {
    let app = TestApp::start().await;
    let body = |len: usize, slug: &str| {
        let text = json!({ "name": "Big", "slug": slug }).to_string();
        format!("{text}{}", " ".repeat(len - text.len()))
    };
    let create = |len: usize, slug: &str| post(&admin("tenants")).raw("application/json", body(len, slug));
    app.admin(create(1_048_577, "a")).await.expect(413, "1 MiB and a byte");
    app.admin(create(1_048_577, "b").unannounced()).await.expect(413, "1 MiB and a byte, unannounced");
    app.admin(create(4_000_000, "c").unannounced()).await.expect(413, "4 MB, unannounced");
    app.admin(create(1_048_576, "d")).await.expect(201, "1 MiB");
}

#[track_caller]
fn untouched(reply: &Reply, pointer: &str, what: &str) {
    reply.expect_invalid(pointer, what);
    assert!(reply.json().get("id").is_none(), "{what}");
}

/// Read-only and computed fields are refused, never ignored.
#[actix_web::test]
async fn read_only_fields() {
    let it = fixture().await;
    let fields: [(&str, &[&str]); 4] = [
        ("tenants", &["id", "created_at", "updated_at", "publishable_key", "deleted_at", "version"]),
        ("permissions", &["id", "created_at", "updated_at"]),
        ("roles", &["id", "created_at", "updated_at"]),
        (
            "applications",
            &["id", "created_at", "updated_at", "state", "grants", "secret", "secrets", "last_used_at"],
        ),
    ];
    let crud = it.operations.iter().filter(|(_, path, _)| path.split('/').count() < 3);
    for (method, path, right) in crud {
        let names = fields.iter().find(|(collection, _)| path.starts_with(collection)).unwrap().1;
        for name in names {
            for value in [json!("x"), json!(null)] {
                let mut body = right.clone();
                body[*name] = value;
                let reply = it.app.admin(request(method, path).json(&body)).await;
                untouched(&reply, &format!("/{name}"), &format!("{method} {path} {name}"));
            }
        }
    }
}

/// The wrong type is 422 at the field.
#[actix_web::test]
async fn wrong_types() {
    let it = fixture().await;
    let texts = [json!(7), json!(true), json!([]), json!({})];
    let fields: [(&str, &[&str]); 4] = [
        ("tenants", &["name", "slug", "status", "contact_email", "partner_id"]),
        ("permissions", &["resource", "label", "view"]),
        ("roles", &["name", "tenant_id"]),
        (
            "applications",
            &["name", "type", "reach", "tenant_id", "client_id", "environment", "status", "notes"],
        ),
    ];
    let lists = [
        ("permissions", "change"),
        ("roles", "permissions"),
        ("applications", "roles"),
        ("applications", "allowed_scopes"),
    ];
    for (method, path, right) in it.operations.iter().filter(|(method, ..)| method == Method::POST).take(4) {
        let mut wrong: Vec<(&str, Value)> = Vec::new();
        for name in
            fields.iter().find(|(collection, _)| collection == path).map_or(&[][..], |(_, names)| names)
        {
            wrong.extend(texts.iter().map(|value| (*name, value.clone())));
        }
        for (_, name) in lists.iter().filter(|(collection, _)| collection == path) {
            wrong.extend(
                [json!("points:read"), json!(7), json!({}), json!([7]), json!([null])]
                    .map(|value| (*name, value)),
            );
        }
        for (name, value) in wrong {
            let mut body = right.clone();
            body[name] = value.clone();
            let reply = it.app.admin(request(method, path).json(&body)).await;
            untouched(&reply, &format!("/{name}"), &format!("{method} {path} {name}: {value}"));
        }
    }
}

/// What is required and missing, or null.
#[actix_web::test]
async fn required_fields() {
    let it = fixture().await;
    let required: [(&str, &[&str]); 4] = [
        ("tenants", &["name", "slug"]),
        ("permissions", &["resource"]),
        ("roles", &["name"]),
        ("applications", &["type", "client_id"]),
    ];
    for (path, names) in required {
        let (_, _, right) = it.operations.iter().find(|(_, known, _)| known == path).unwrap();
        for name in names {
            for value in [None, Some(json!(null)), Some(json!(""))] {
                let mut body = right.clone();
                match &value {
                    Some(value) => body[*name] = value.clone(),
                    None => drop(body.as_object_mut().unwrap().remove(*name)),
                }
                let reply = it.app.admin(post(&admin(path)).json(&body)).await;
                untouched(&reply, &format!("/{name}"), &format!("{path} {name}: {value:?}"));
            }
        }
        it.app.create(path, right).await;
    }
}

/// A patch that names nothing changes nothing; one that takes a name away is refused.
#[actix_web::test]
async fn patches_without_effect() {
    let it = fixture().await;
    for (method, path, right) in it.operations.iter().filter(|(method, ..)| method == Method::PATCH) {
        assert_eq!(method, Method::PATCH);
        let first = it.app.admin(patch(&admin(path)).json(right)).await.expect(200, path);
        let again = it.app.admin(patch(&admin(path)).json(&json!({}))).await.expect(200, path);
        assert_eq!(again.json(), first.json(), "{path}: an empty patch");
        if path.starts_with("permissions") {
            continue;
        }
        let reply = it.app.admin(patch(&admin(path)).json(&json!({ "name": null }))).await;
        untouched(&reply, "/name", path);
    }
}
