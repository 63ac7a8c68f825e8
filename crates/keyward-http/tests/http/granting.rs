//! Nobody gets what the platform keeps for itself, by no way.

use serde_json::{Value, json};

use crate::support::{Client, TestApp, admin, decode, get, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    Fixture { app, acme, client }
}

/// The contract says that it can't be done; whether that is 422 or 403 it leaves open.
#[track_caller]
fn refused(status: u16, why: &str) {
    assert!([403, 422].contains(&status), "{why}: {status}");
}

/// `admin:read` and `admin:write` can't be put into a tenant's application or role.
#[actix_web::test]
async fn platform_permissions_stay_with_the_platform() {
    let it = fixture().await;
    let partner = it.app.partner("reseller").await;
    let role = it.app.role(Some(&it.acme), "clerk", &["points:read"]).await;
    let platform = it.app.role(None, "operators", &["admin:read", "admin:write"]).await;
    let application = |more: Value| {
        let mut body = json!({
            "type": "service", "name": "x", "client_id": "x", "reach": "tenant", "tenant_id": it.acme
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post(&admin("applications")).json(&body)
    };
    let own = admin(&format!("applications/{}", it.client.id));
    for scope in ["admin:read", "admin:write"] {
        let of_partner = json!({
            "type": "service", "name": "x", "client_id": "x", "reach": "partner", "partner_id": partner,
            "allowed_scopes": [scope]
        });
        let attempts = [
            ("a new application", application(json!({ "allowed_scopes": ["points:read", scope] }))),
            ("an application through a role", application(json!({ "roles": [platform] }))),
            ("an application that exists", patch(&own).json(&json!({ "allowed_scopes": [scope] }))),
            ("one that exists, through a role", patch(&own).json(&json!({ "roles": [platform] }))),
            ("a partner's application", post(&admin("applications")).json(&of_partner)),
            (
                "a new role",
                post(&admin("roles"))
                    .json(&json!({ "name": "x", "tenant_id": it.acme, "permissions": [scope] })),
            ),
            (
                "a role that exists",
                patch(&admin(&format!("roles/{role}"))).json(&json!({ "permissions": [scope] })),
            ),
        ];
        for (name, attempt) in attempts {
            refused(it.app.admin(attempt).await.status, &format!("{scope} into {name}"));
        }
    }
    it.app
        .admin(application(json!({ "allowed_scopes": ["points:read"] })))
        .await
        .expect(201, "without its defect");
    assert_eq!(decode(&it.app.token(&it.client).await).scopes(), ["points:read"]);
}

/// Nor by the back door: a platform role that a tenant's application has already, changed afterwards.
#[actix_web::test]
async fn not_through_a_role_that_grows() {
    let it = fixture().await;
    let role = it.app.role(None, "shared", &["points:read"]).await;
    it.app.edit(&format!("applications/{}", it.client.id), &json!({ "roles": [role] })).await;
    let hub = it.app.global("hub", &["points:read", "admin:read", "admin:write"]).await;
    it.app.grant(&hub, &json!([{ "tenant_id": it.acme, "permissions": [], "roles": [role] }])).await;
    let earlier = it.app.token(&it.client).await;
    let path = format!("roles/{role}");
    let body = json!({ "permissions": ["points:read", "admin:read", "admin:write"] });
    let reply = it.app.admin(patch(&admin(&path)).json(&body)).await;
    assert!([200, 403, 409, 422].contains(&reply.status), "{}", reply.text());
    let mut gained = Vec::new();
    for client in [&it.client, &hub] {
        let token = it.app.token(client).await;
        gained.extend(decode(&token).scopes().into_iter().filter(|scope| scope != "points:read"));
        it.app.send(get(&admin("tenants")).bearer(&token)).await.expect(403, &client.client_id);
        for scope in ["admin:read", "admin:write"] {
            let asked = it.app.ask(client, &[("scope", scope)]).await;
            gained
                .extend((asked.status != 400).then(|| format!("{scope}, asked for by {}", client.client_id)));
        }
    }
    assert_eq!(gained, Vec::<String>::new(), "tokens for a tenant with the platform's permissions");
    let seen = it.app.introspect(&it.client, &earlier).await;
    assert_eq!(seen["scope"], "points:read");
}

/// A global application with `admin:write` counts as holding every permission of the catalogue.
#[actix_web::test]
async fn writers_give_what_the_catalogue_has() {
    let it = fixture().await;
    let writer = it.app.global("writer", &["admin:write"]).await;
    let token = it.app.token(&writer).await;
    let give = |scopes: Value| {
        let body = json!({
            "type": "service", "name": "y", "client_id": "y", "reach": "global", "allowed_scopes": scopes
        });
        post(&admin("applications")).json(&body).bearer(&token)
    };
    let reply = it.app.send(give(json!(["points:steal"]))).await;
    reply.expect_invalid("/allowed_scopes", "not in the catalogue");
    it.app
        .send(give(json!(["points:adjust", "create:users", "admin:read"])))
        .await
        .expect(201, "what there is");
}

/// Adding to the catalogue gives nobody anything.
#[actix_web::test]
async fn new_permissions_belong_to_nobody() {
    let it = fixture().await;
    let token = it.app.token(&it.client).await;
    it.app.permission("cards", "cards:read", &["cards:issue"]).await;
    assert_eq!(decode(&it.app.token(&it.client).await).scopes(), ["points:read"]);
    assert_eq!(it.app.introspect(&it.client, &token).await["scope"], "points:read");
}
