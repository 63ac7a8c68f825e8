//! Rights that were taken away: from the next token, and from those that exist.

use serde_json::{Value, json};

use crate::support::{Client, DAY, TestApp, admin, decode, get, post, scopes};

/// A tenant's client with `points:read` of its own and `cards:read` through a role, and a client with a grant of both.
struct Fixture {
    app: TestApp,
    acme: String,
    row: String,
    role: String,
    own: Client,
    hub: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let row = app.permission("cards", "cards:read", &["cards:issue"]).await;
    let acme = app.tenant("acme").await;
    let role = app.role(Some(&acme), "clerk", &["cards:read"]).await;
    let body = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "crm-sync", "allowed_scopes": ["points:read"],
        "roles": [role]
    });
    let own = app.application(&body).await;
    let hub = app.global("hub", &["points:read", "cards:read"]).await;
    let it = Fixture { app, acme, row, role, own, hub };
    it.grant_hub(None).await;
    it
}

impl Fixture {
    async fn grant_hub(&self, expires_at: Option<&str>) {
        let grant = json!([{
            "tenant_id": self.acme, "permissions": ["points:read"], "roles": [self.role], "expires_at": expires_at
        }]);
        self.app.grant(&self.hub, &grant).await;
    }
}

/// A way to lose `cards:read`.
#[derive(Clone, Copy, Debug)]
enum Loss {
    RoleEdited,
    RoleDeleted,
    RowDeleted,
    RowEdited,
    Unassigned,
}

impl Fixture {
    async fn lose(&self, loss: Loss) {
        let app = &self.app;
        match loss {
            Loss::RoleEdited => {
                app.edit(&format!("roles/{}", self.role), &json!({ "permissions": ["points:read"] })).await;
            }
            Loss::RoleDeleted => app.remove(&format!("roles/{}", self.role)).await,
            Loss::RowDeleted => app.remove(&format!("permissions/{}", self.row)).await,
            Loss::RowEdited => {
                app.edit(&format!("permissions/{}", self.row), &json!({ "view": null })).await;
            }
            Loss::Unassigned => {
                app.edit(&format!("applications/{}", self.own.id), &json!({ "roles": [] })).await;
                app.grant(&self.hub, &json!([{ "tenant_id": self.acme, "permissions": ["points:read"] }]))
                    .await;
            }
        }
    }
}

/// Whether introspection shows the permission.
async fn shows(app: &TestApp, client: &Client, token: &str, permission: &str) -> bool {
    let seen = app.introspect(client, token).await;
    seen["active"] == true && scopes(seen["scope"].as_str().unwrap()).contains(&permission.to_owned())
}

#[actix_web::test]
async fn permissions_of_roles_and_of_the_catalogue() {
    for loss in [Loss::RoleEdited, Loss::RoleDeleted, Loss::RowDeleted, Loss::RowEdited, Loss::Unassigned] {
        let it = fixture().await;
        for client in [&it.own, &it.hub] {
            let token = it.app.token(client).await;
            assert_eq!(
                decode(&token).scopes(),
                ["cards:read", "points:read"],
                "{loss:?}, {}",
                client.client_id
            );
            assert!(shows(&it.app, client, &token, "cards:read").await, "{loss:?}, {}", client.client_id);
        }
        let earlier = [it.app.token(&it.own).await, it.app.token(&it.hub).await];
        let narrow = it.app.token_for(&it.own, &[("scope", "cards:read")]).await;
        it.lose(loss).await;
        for (client, token) in [&it.own, &it.hub].into_iter().zip(&earlier) {
            let what = format!("{loss:?}, {}", client.client_id);
            assert!(!shows(&it.app, client, token, "cards:read").await, "{what}: the earlier token");
            assert!(shows(&it.app, client, token, "points:read").await, "{what}: what was not taken away");
            assert_eq!(
                decode(&it.app.token(client).await).scopes(),
                ["points:read"],
                "{what}: the next token"
            );
            let asked = it.app.ask(client, &[("scope", "cards:read")]).await.expect(400, &what);
            assert_eq!(asked.json()["error"], "invalid_scope", "{what}");
        }
        assert!(!shows(&it.app, &it.own, &narrow, "cards:read").await, "{loss:?}: a token for nothing else");
    }
}

/// What comes back is there again.
#[actix_web::test]
async fn permissions_that_come_back() {
    let it = fixture().await;
    let role = format!("roles/{}", it.role);
    it.app.edit(&role, &json!({ "permissions": [] })).await;
    assert_eq!(decode(&it.app.token(&it.own).await).scopes(), ["points:read"]);
    it.app.edit(&role, &json!({ "permissions": ["cards:read"] })).await;
    assert_eq!(decode(&it.app.token(&it.own).await).scopes(), ["cards:read", "points:read"]);
}

/// The last grant goes, by replacement or by its expiry: no token, and the earlier one is dead.
#[actix_web::test]
async fn the_last_grant() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    let body = json!({
        "reach": "global", "client_id": "lasting", "allowed_scopes": ["points:read"], "token_lifetime": DAY
    });
    let lasting = it.app.application(&body).await;
    let grant = |tenant: &str, until: Value| {
        let permissions = ["points:read"];
        json!([{ "tenant_id": tenant, "permissions": permissions, "expires_at": until }])
    };
    it.app.grant(&lasting, &grant(&it.acme, Value::Null)).await;
    let token = it.app.token(&lasting).await;
    it.app.grant(&lasting, &grant(&globex, json!(it.app.moment(60)))).await;
    assert_eq!(it.app.introspect(&lasting, &token).await, json!({ "active": false }), "replaced");
    let token = it.app.token(&lasting).await;
    it.app.advance(60);
    assert_eq!(it.app.introspect(&lasting, &token).await, json!({ "active": false }), "expired");
    let reply = it.app.ask(&lasting, &[]).await;
    assert!([400, 401].contains(&reply.status), "no token at all: {}", reply.text());
    it.app.grant(&lasting, &grant(&it.acme, Value::Null)).await;
    it.app.token(&lasting).await;
}

/// A platform client that loses `admin:write` loses it at once, and with `admin:read` the admin API altogether.
#[actix_web::test]
async fn the_platforms_own_permissions() {
    let it = fixture().await;
    let operator = it.app.global("operator", &["admin:read", "admin:write"]).await;
    let token = it.app.token(&operator).await;
    let create =
        |slug: &str| post(&admin("tenants")).json(&json!({ "name": slug, "slug": slug })).bearer(&token);
    let path = format!("applications/{}", operator.id);
    it.app.send(create("first")).await.expect(201, "before");
    it.app.edit(&path, &json!({ "allowed_scopes": ["admin:read"] })).await;
    let reply = it.app.send(create("second")).await.expect(403, "without admin:write");
    assert_eq!(reply.json()["required_permissions"], json!(["admin:write"]));
    assert_eq!(reply.json()["held_permissions"], json!(["admin:read"]));
    it.app.send(get(&admin("tenants")).bearer(&token)).await.expect(200, "still with admin:read");
    it.app.edit(&path, &json!({ "allowed_scopes": ["points:read"] })).await;
    let reply = it.app.send(get(&admin("tenants")).bearer(&token)).await;
    assert!([401, 403].contains(&reply.status), "with neither: {}", reply.text());
}
