//! Roles.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, decode, get, id_of, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
    globex: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    Fixture { app, acme, globex }
}

#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let body = json!({ "name": "Clerk", "tenant_id": it.acme, "permissions": ["points:read"] });
    let reply = it.app.admin(post(&admin("roles")).json(&body)).await.expect(201, "a role");
    let made = reply.json();
    assert!(id_of(&made).starts_with("rol_"));
    assert!(reply.header("location").ends_with(&id_of(&made)));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(it.app.ok(get(&admin(&format!("roles/{}", id_of(&made))))).await, made);
    let platform = it.app.create("roles", &json!({ "name": "Clerk", "permissions": [] })).await;
    assert_eq!((&platform["tenant_id"], &platform["permissions"]), (&Value::Null, &json!([])));
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let role = |name: &str, value: Value| {
        let mut body = json!({ "name": "clerk", "tenant_id": it.acme, "permissions": ["points:read"] });
        body[name] = value;
        body
    };
    let unknown = format!("tnt_{}", "0".repeat(26));
    let cases = [
        ("/permissions", role("permissions", json!(["points:steal"]))),
        ("/permissions", role("permissions", json!(["points:read", "a b"]))),
        ("/permissions", role("permissions", json!([null]))),
        ("/tenant_id", role("tenant_id", json!("acme"))),
        ("/tenant_id", role("tenant_id", json!(format!("rol_{}", "0".repeat(26))))),
        ("/name", role("name", json!(""))),
    ];
    for (pointer, body) in cases {
        let reply = it.app.admin(post(&admin("roles")).json(&body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    }
    let reply = it.app.admin(post(&admin("roles")).json(&role("tenant_id", json!(unknown)))).await;
    reply.expect_error("/tenant_id", "unknown_reference", "an unknown tenant");
    it.app.create("roles", &role("name", json!("clerk"))).await;
    it.app
        .admin(post(&admin("roles")).json(&role("name", json!("clerk"))))
        .await
        .expect(409, "the name is taken");
    it.app.create("roles", &role("tenant_id", json!(it.globex))).await;
}

#[actix_web::test]
async fn changes() {
    let it = fixture().await;
    let id = it.app.role(Some(&it.acme), "clerk", &["points:read"]).await;
    let path = format!("roles/{id}");
    let changed = it
        .app
        .edit(&path, &json!({ "name": "cashier", "permissions": ["points:adjust", "points:read"] }))
        .await;
    assert_eq!(changed["name"], "cashier");
    assert_eq!(changed["permissions"], json!(["points:adjust", "points:read"]));
    let reply = it.app.admin(patch(&admin(&path)).json(&json!({ "permissions": ["points:steal"] }))).await;
    reply.expect_invalid("/permissions", "an unknown permission");
    it.app.role(Some(&it.acme), "other", &[]).await;
    let reply = it.app.admin(patch(&admin(&path)).json(&json!({ "name": "other" }))).await;
    reply.expect(409, "the name is taken");
    it.app.remove(&path).await;
    it.app.admin(get(&admin(&path))).await.expect(404, "deleted");
}

/// An application has its roles' permissions beside its own.
#[actix_web::test]
async fn in_applications() {
    let it = fixture().await;
    let own = it.app.role(Some(&it.acme), "clerk", &["points:read"]).await;
    let platform = it.app.role(None, "viewer", &["read:users"]).await;
    let foreign = it.app.role(Some(&it.globex), "clerk", &["create:users"]).await;
    let application = |roles: Value| {
        json!({
            "type": "service", "name": "CRM", "reach": "tenant", "tenant_id": it.acme, "client_id": "crm-sync",
            "allowed_scopes": ["points:adjust"], "roles": roles
        })
    };
    let unknown = format!("rol_{}", "0".repeat(26));
    for (name, role) in [("of another tenant", &foreign), ("unknown", &unknown)] {
        let body = application(json!([own, role]));
        let reply = it.app.admin(post(&admin("applications")).json(&body)).await;
        reply.expect_error("/roles/1", "unknown_reference", name);
    }
    for wrong in [json!(["clerk"]), json!([it.acme]), json!([7]), json!("clerk")] {
        let reply = it.app.admin(post(&admin("applications")).json(&application(wrong.clone()))).await;
        reply.expect_invalid("/roles", &wrong.to_string());
    }
    let client = it.app.application(&application(json!([own, platform]))).await;
    let token = decode(&it.app.token(&client).await);
    assert_eq!(token.scopes(), ["points:adjust", "points:read", "read:users"]);
    assert!(token.claims.get("roles").is_none(), "roles are claims of users");
    let path = format!("applications/{}", client.id);
    let reply = it.app.admin(patch(&admin(&path)).json(&json!({ "roles": [foreign] }))).await;
    reply.expect_error("/roles/0", "unknown_reference", "of another tenant");
    let read = it.app.edit(&path, &json!({ "roles": [platform] })).await;
    assert_eq!(read["roles"], json!([platform]));
    assert_eq!(decode(&it.app.token(&client).await).scopes(), ["points:adjust", "read:users"]);
}
