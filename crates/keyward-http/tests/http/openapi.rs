//! The published description: complete, and no operation without its guard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{ADMIN, Call, TestApp, call, get};

/// Operations of the contract.
const CONTRACT: [&str; 102] = [
    "GET /api/v1/admin/api-keys",
    "POST /api/v1/admin/api-keys",
    "GET /api/v1/admin/api-keys/{}",
    "PATCH /api/v1/admin/api-keys/{}",
    "DELETE /api/v1/admin/api-keys/{}",
    "POST /api/v1/admin/api-keys/{}/rotate",
    "POST /api/v1/admin/api-keys/{}/revoke",
    "GET /forward-auth",
    "POST /oauth2/token",
    "GET /oauth2/authorize",
    "POST /oauth2/introspect",
    "GET /oauth2/userinfo",
    "POST /oauth2/revoke",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/openid-configuration",
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-protected-resource",
    "GET /livez",
    "GET /readyz",
    "POST /api/v1/keys/verify",
    "GET /api/v1/admin/tenants",
    "POST /api/v1/admin/tenants",
    "GET /api/v1/admin/tenants/{}",
    "PATCH /api/v1/admin/tenants/{}",
    "DELETE /api/v1/admin/tenants/{}",
    "GET /api/v1/admin/roles",
    "POST /api/v1/admin/roles",
    "GET /api/v1/admin/roles/{}",
    "PATCH /api/v1/admin/roles/{}",
    "DELETE /api/v1/admin/roles/{}",
    "GET /api/v1/admin/permissions",
    "POST /api/v1/admin/permissions",
    "GET /api/v1/admin/permissions/{}",
    "PATCH /api/v1/admin/permissions/{}",
    "DELETE /api/v1/admin/permissions/{}",
    "GET /api/v1/admin/applications",
    "POST /api/v1/admin/applications",
    "GET /api/v1/admin/applications/{}",
    "PATCH /api/v1/admin/applications/{}",
    "DELETE /api/v1/admin/applications/{}",
    "GET /api/v1/admin/applications/{}/secrets",
    "POST /api/v1/admin/applications/{}/secrets",
    "DELETE /api/v1/admin/applications/{}/secrets/{}",
    "POST /api/v1/admin/applications/{}/renew",
    "PUT /api/v1/admin/applications/{}/grants",
    "GET /api/v1/admin/audit",
    "GET /api/v1/admin/audit/{}",
    "GET /api/v1/admin/signing-keys",
    "POST /api/v1/admin/tenants/bulk",
    "POST /api/v1/admin/roles/bulk",
    "POST /api/v1/admin/permissions/bulk",
    "POST /api/v1/admin/applications/bulk",
    "GET /api/v1/admin/audit/export",
    "GET /openapi.json",
    "GET /api/v1/admin/partners",
    "POST /api/v1/admin/partners",
    "GET /api/v1/admin/partners/{}",
    "PATCH /api/v1/admin/partners/{}",
    "DELETE /api/v1/admin/partners/{}",
    "POST /api/v1/admin/partners/bulk",
    "GET /api/v1/admin/users",
    "POST /api/v1/admin/users",
    "GET /api/v1/admin/users/{}",
    "PATCH /api/v1/admin/users/{}",
    "DELETE /api/v1/admin/users/{}",
    "POST /api/v1/admin/users/bulk",
    "GET /api/v1/admin/groups",
    "POST /api/v1/admin/groups",
    "GET /api/v1/admin/groups/{}",
    "PATCH /api/v1/admin/groups/{}",
    "DELETE /api/v1/admin/groups/{}",
    "POST /api/v1/admin/groups/bulk",
    "GET /api/v1/admin/identity-providers",
    "POST /api/v1/admin/identity-providers",
    "GET /api/v1/admin/identity-providers/{}",
    "PATCH /api/v1/admin/identity-providers/{}",
    "DELETE /api/v1/admin/identity-providers/{}",
    "POST /api/v1/admin/identity-providers/bulk",
    "GET /api/v1/admin/agents",
    "POST /api/v1/admin/agents",
    "GET /api/v1/admin/agents/{}",
    "PATCH /api/v1/admin/agents/{}",
    "DELETE /api/v1/admin/agents/{}",
    "POST /api/v1/admin/agents/bulk",
    "POST /api/v1/admin/users/{}/reset-password",
    "POST /api/v1/admin/users/{}/mfa/disable",
    "PUT /api/v1/admin/users/{}/roles",
    "GET /api/v1/admin/users/{}/effective-permissions",
    "POST /api/v1/admin/groups/{}/members",
    "DELETE /api/v1/admin/groups/{}/members/{}",
    "POST /api/v1/admin/groups/{}/nested",
    "DELETE /api/v1/admin/groups/{}/nested/{}",
    "GET /api/v1/admin/groups/{}/effective-members",
    "PUT /api/v1/admin/groups/{}/roles",
    "GET /api/v1/admin/agents/{}/secrets",
    "POST /api/v1/admin/agents/{}/secrets",
    "DELETE /api/v1/admin/agents/{}/secrets/{}",
    "GET /api/v1/admin/sessions",
    "GET /api/v1/admin/sessions/{}",
    "POST /api/v1/admin/sessions/{}/revoke",
    "GET /api/v1/admin/dashboard/stats",
    "GET /api/v1/admin/dashboard/activity",
];

/// Operations that take no bearer token: everybody may read, or a client authenticates itself. The list may only
/// shrink.
const EXEMPT: [&str; 22] = [
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/oauth-protected-resource",
    "GET /.well-known/oauth-protected-resource/api",
    "GET /.well-known/openid-configuration",
    "GET /docs/api",
    "GET /docs/api.css",
    "GET /forward-auth",
    "GET /forward-auth/envoy/{}",
    "GET /livez",
    "GET /oauth2/authorize",
    "GET /oauth2/logout",
    "GET /oauth2/revocations",
    "GET /oauth2/userinfo",
    "GET /openapi.json",
    "GET /readyz",
    "POST /api/v1/keys/verify",
    "POST /oauth2/authorize",
    "POST /oauth2/introspect",
    "POST /oauth2/logout",
    "POST /oauth2/revoke",
    "POST /oauth2/token",
];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// `GET /x/{}` to the operation, every parameter's name left out.
fn operations(document: &Value) -> BTreeMap<String, (String, Value)> {
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let plain: String = path
                .split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let name = format!("{} {plain}", method.to_uppercase());
            let before = all.insert(name.clone(), (path.clone(), operation.clone()));
            assert!(before.is_none(), "{name} is there twice");
        }
    }
    all
}

async fn document(app: &TestApp) -> Value {
    let reply = app.send(get("/openapi.json")).await.expect(200, "the document");
    assert!(reply.header("content-type").starts_with("application/json"));
    reply.json()
}

/// A request for an operation, with something plausible in place of each parameter.
fn request(name: &str, path: &str) -> Call {
    let method = name.split(' ').next().unwrap();
    let fill = |part: &str| match part.strip_prefix('{') {
        Some(_) => format!("tnt_{}", "0".repeat(26)),
        None => part.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(fill).collect();
    let request = call(method.parse().unwrap(), &path.join("/"));
    if matches!(method, "POST" | "PUT" | "PATCH") { request.json(&json!({})) } else { request }
}

#[actix_web::test]
async fn the_document() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    for (name, (path, operation)) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{name}: the operationId {id} is taken");
        assert!(operation["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{name} has no tag");
        let responses =
            operation["responses"].as_object().unwrap_or_else(|| panic!("{name} has no responses"));
        let succeeds = |status: &String| status.starts_with('2') || status == "303";
        assert!(responses.keys().any(succeeds), "{name} never succeeds");
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let parameter = part.trim_end_matches('}');
            let item = &document["paths"][&path];
            let lists = [operation["parameters"].as_array(), item["parameters"].as_array()];
            let named = lists
                .into_iter()
                .flatten()
                .flatten()
                .any(|one| one["name"] == parameter && one["in"] == "path");
            assert!(named, "{name} does not describe {parameter}");
        }
    }
}

/// Each operation says what it requires; a public one that it requires nothing.
#[actix_web::test]
async fn required_permissions() {
    let app = TestApp::start().await;
    let mut without = Vec::new();
    for (name, (path, operation)) in operations(&document(&app).await) {
        let Some(required) = operation["x-required-permissions"].as_array() else {
            without.push(name);
            continue;
        };
        if path == "/api/v1/keys/verify" {
            assert_eq!(required, &[json!("keys:verify")]);
            continue;
        }
        let known = |permission: &Value| permission == "admin:read" || permission == "admin:write";
        assert!(required.iter().all(known), "{name} requires {required:?}");
        assert_eq!(required.is_empty(), !path.starts_with(ADMIN), "{name} requires {required:?}");
        if path.starts_with(ADMIN) && !name.starts_with("GET") {
            assert_eq!(required, &[json!("admin:write")], "{name}");
        }
    }
    assert_eq!(without, Vec::<String>::new(), "without x-required-permissions");
}

/// References lead somewhere.
#[actix_web::test]
async fn references() {
    fn walk(value: &Value, all: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                all.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| walk(member, all));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, all)),
            _ => {}
        }
    }
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut references = BTreeSet::new();
    walk(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Every path of the contract is described.
#[actix_web::test]
async fn the_contract_is_in_it() {
    let app = TestApp::start().await;
    let described = operations(&document(&app).await);
    for operation in CONTRACT {
        assert!(described.contains_key(operation), "{operation}");
    }
}

/// No operation without a guard: 401 without a token, 403 for a token without the permission.
#[actix_web::test]
async fn every_operation_is_guarded() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let tenant = app.client(&acme, "crm-sync", &["points:read"]).await;
    let global = app.global("points", &["points:read"]).await;
    let tokens = [app.token(&tenant).await, app.token(&global).await];
    let reader = app.global("reader", &["admin:read"]).await;
    let reading = app.token(&reader).await;
    let document = document(&app).await;
    let mut open = Vec::new();
    for (name, (path, operation)) in operations(&document) {
        if EXEMPT.contains(&name.as_str()) {
            open.push(name);
            continue;
        }
        let send = || request(&name, &path);
        app.send(send()).await.expect(401, &name);
        app.send(send().bearer("nonsense")).await.expect(401, &name);
        for token in &tokens {
            app.send(send().bearer(token)).await.expect(403, &name);
        }
        let status = app.send(send().bearer(&reading)).await.status;
        let writes = operation["x-required-permissions"] == json!(["admin:write"]);
        assert_eq!(status == 403, writes, "{name} answers a reader {status}");
        let status = app.admin(send()).await.status;
        assert!(![401, 403].contains(&status), "{name} answers the administrator {status}");
    }
    open.sort();
    assert_eq!(open, EXEMPT, "exemptions are counted");
}

/// Clients authenticate themselves where no bearer token is taken.
#[actix_web::test]
async fn endpoints_for_clients() {
    let app = TestApp::start().await;
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let request = || call(actix_web::http::Method::POST, path).form(&form);
        app.send(request()).await.expect(401, path);
        let bearer = app.admin_token().await;
        let reply = app.send(request().bearer(&bearer)).await;
        assert!(
            [400, 401].contains(&reply.status),
            "{path}: a token is no client authentication: {}",
            reply.text()
        );
    }
}
