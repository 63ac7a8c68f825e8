//! What a client with grants gets, with and without a tenant in the request.

use keyward_core::{Origin, TokenRequest};
use serde_json::{Value, json};

use crate::support::{Client, DAY, Jwt, Reply, TestApp, admin, decode, delete, get, put};

struct Fixture {
    app: TestApp,
    acme: String,
    globex: String,
    hub: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let hub = app.global("hub", &["points:read", "points:adjust", "read:users"]).await;
    Fixture { app, acme, globex, hub }
}

fn grant(tenant: &str, permissions: &[&str]) -> Value {
    json!({ "tenant_id": tenant, "environment": "production", "permissions": permissions })
}

fn with(mut grant: Value, name: &str, value: impl Into<Value>) -> Value {
    grant[name] = value.into();
    grant
}

impl Fixture {
    async fn token(&self, params: &[(&str, &str)]) -> Jwt {
        decode(&self.app.token_for(&self.hub, params).await)
    }

    async fn refused(&self, params: &[(&str, &str)], error: &str) {
        let reply = self.app.ask(&self.hub, params).await.expect(400, error);
        assert_eq!(reply.json()["error"], error, "{params:?}");
    }

    async fn put(&self, client: &Client, grants: &Value) -> Reply {
        let path = admin(&format!("applications/{}/grants", client.id));
        self.app.admin(put(&path).json(&json!({ "grants": grants }))).await
    }

    fn both(&self) -> Vec<String> {
        let mut both = vec![self.acme.clone(), self.globex.clone()];
        both.sort();
        both
    }
}

/// The permissions common to the live grants; those of one tenant when the request names it.
#[actix_web::test]
async fn the_intersection() {
    let it = fixture().await;
    let grants = json!([
        grant(&it.acme, &["points:read", "points:adjust"]),
        grant(&it.globex, &["points:read", "read:users"])
    ]);
    it.app.grant(&it.hub, &grants).await;
    let token = it.token(&[]).await;
    assert_eq!(token.scopes(), ["points:read"]);
    assert_eq!(token.tenants(), it.both());
    assert!(token.claims.get("tenant_id").is_none(), "there are two: {}", token.claims);
    for tenant in ["acme", it.acme.as_str()] {
        let token = it.token(&[("tenant", tenant)]).await;
        assert_eq!(token.scopes(), ["points:adjust", "points:read"], "{tenant}");
        assert_eq!(token.tenants(), [it.acme.as_str()]);
        assert_eq!(token.text("tenant_id"), it.acme);
    }
    let token = it.token(&[("tenant", "globex")]).await;
    assert_eq!(token.scopes(), ["points:read", "read:users"]);
    it.refused(&[("scope", "points:adjust")], "invalid_scope").await;
    it.refused(&[("scope", "points:adjust"), ("tenant", "globex")], "invalid_scope").await;
    let token = it.token(&[("scope", "points:adjust"), ("tenant", "acme")]).await;
    assert_eq!(token.scopes(), ["points:adjust"]);
}

/// Never more than the application's `allowed_scopes`, whatever is granted.
#[actix_web::test]
async fn within_what_the_application_is_allowed() {
    let it = fixture().await;
    let all = ["points:read", "points:adjust", "read:users", "create:users"];
    it.app.grant(&it.hub, &json!([grant(&it.acme, &all)])).await;
    assert_eq!(it.token(&[]).await.scopes(), ["points:adjust", "points:read", "read:users"]);
    it.refused(&[("scope", "create:users")], "invalid_scope").await;
    let path = format!("applications/{}", it.hub.id);
    it.app.edit(&path, &json!({ "allowed_scopes": ["points:read", "create:users"] })).await;
    assert_eq!(it.token(&[]).await.scopes(), ["create:users", "points:read"]);
    // And what is allowed but not granted is not there either.
    it.app.grant(&it.hub, &json!([grant(&it.acme, &["points:read"])])).await;
    assert_eq!(it.token(&[]).await.scopes(), ["points:read"]);
    it.refused(&[("scope", "create:users")], "invalid_scope").await;
}

#[actix_web::test]
async fn roles_are_included() {
    let it = fixture().await;
    let platform = it.app.role(None, "reader", &["points:read"]).await;
    let own = it.app.role(Some(&it.acme), "adjuster", &["points:adjust"]).await;
    let foreign = it.app.role(Some(&it.globex), "viewer", &["read:users"]).await;
    let granted = with(grant(&it.acme, &["read:users"]), "roles", json!([platform, own]));
    it.app.grant(&it.hub, &json!([granted])).await;
    assert_eq!(it.token(&[]).await.scopes(), ["points:adjust", "points:read", "read:users"]);
    it.app.edit(&format!("roles/{own}"), &json!({ "permissions": [] })).await;
    assert_eq!(it.token(&[]).await.scopes(), ["points:read", "read:users"]);
    let wrong = json!([with(grant(&it.acme, &[]), "roles", json!([platform, foreign]))]);
    it.put(&it.hub, &wrong).await.expect_invalid("/grants/0/roles", "a role of another tenant");
}

/// A grant ends at its expiry; its tenant is then as good as unknown, and the rest lives on.
#[actix_web::test]
async fn expired_grants() {
    let it = fixture().await;
    let grants = json!([
        with(grant(&it.acme, &["points:read", "points:adjust"]), "expires_at", "2026-11-03"),
        grant(&it.globex, &["points:read", "read:users"])
    ]);
    it.app.grant(&it.hub, &grants).await;
    assert_eq!(it.token(&[]).await.tenants(), it.both());
    it.app.advance(2 * DAY);
    let token = it.token(&[]).await;
    assert_eq!(token.tenants(), [it.globex.as_str()]);
    assert_eq!(token.text("tenant_id"), it.globex, "exactly one is left");
    assert_eq!(token.scopes(), ["points:read", "read:users"], "the dead grant no longer counts");
    it.refused(&[("tenant", "acme")], "invalid_target").await;
}

/// A suspended tenant's grant is not live, and is again when the tenant is.
#[actix_web::test]
async fn grants_in_a_suspended_tenant() {
    let it = fixture().await;
    let grants = json!([grant(&it.acme, &["points:read"]), grant(&it.globex, &["points:read"])]);
    it.app.grant(&it.hub, &grants).await;
    let tenant = format!("tenants/{}", it.acme);
    it.app.edit(&tenant, &json!({ "status": "suspended" })).await;
    assert_eq!(it.token(&[]).await.tenants(), [it.globex.as_str()]);
    it.refused(&[("tenant", "acme")], "invalid_target").await;
    it.app.edit(&tenant, &json!({ "status": "active" })).await;
    assert_eq!(it.token(&[]).await.tenants(), it.both());
    it.app.remove(&tenant).await;
    assert_eq!(it.token(&[]).await.tenants(), [it.globex.as_str()]);
}

/// A full replacement: what is not in the body is gone.
#[actix_web::test]
async fn replacement() {
    let it = fixture().await;
    it.app.grant(&it.hub, &json!([grant(&it.acme, &["points:read"])])).await;
    assert_eq!(it.token(&[]).await.tenants(), [it.acme.as_str()]);
    it.app.grant(&it.hub, &json!([grant(&it.globex, &["read:users"])])).await;
    let token = it.token(&[]).await;
    assert_eq!((token.tenants(), token.scopes()), (vec![it.globex.clone()], vec!["read:users".to_owned()]));
    it.refused(&[("tenant", "acme")], "invalid_target").await;
}

/// An application that is given grants no longer has the whole platform, earlier tokens included.
#[actix_web::test]
async fn a_first_grant_narrows() {
    let it = fixture().await;
    let before = it.app.token(&it.hub).await;
    assert!(decode(&before).claims.get("tenants").is_none());
    assert_eq!(it.app.introspect(&it.hub, &before).await["active"], true);
    it.app.grant(&it.hub, &json!([grant(&it.acme, &["points:read"])])).await;
    let seen = it.app.introspect(&it.hub, &before).await;
    let bound = seen["active"] == false || seen["tenants"] == json!([it.acme]);
    assert!(bound, "a token for the whole platform outlived it: {seen}");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let unknown = format!("tnt_{}", "0".repeat(26));
    let role = format!("rol_{}", "0".repeat(26));
    let good = || grant(&it.acme, &["points:read"]);
    let references = [
        ("an unknown tenant", grant(&unknown, &["points:read"]), "/grants/0/tenant_id"),
        ("an unknown role", with(good(), "roles", json!([role])), "/grants/0/roles/0"),
    ];
    for (name, wrong, pointer) in references {
        it.put(&it.hub, &json!([wrong])).await.expect_error(pointer, "unknown_reference", name);
    }
    let cases = [
        ("another environment", with(good(), "environment", "staging"), "/grants/0/environment"),
        ("an unknown environment", with(good(), "environment", "moon"), "/grants/0/environment"),
        ("an unknown permission", grant(&it.acme, &["points:steal"]), "/grants/0/permissions"),
        ("a malformed permission", grant(&it.acme, &["points read"]), "/grants/0/permissions"),
        ("permissions that are no list", with(good(), "permissions", "points:read"), "/grants/0/permissions"),
        ("another kind of ID", grant(&role, &["points:read"]), "/grants/0/tenant_id"),
        ("an expiry that is none", with(good(), "expires_at", "soon"), "/grants/0/expires_at"),
        ("an unknown field", with(good(), "colour", "blue"), "/grants/0/colour"),
        ("no object", json!("acme"), "/grants/0"),
    ];
    for (name, wrong, pointer) in cases {
        it.put(&it.hub, &json!([wrong])).await.expect_invalid(pointer, name);
        it.put(&it.hub, &json!([grant(&it.globex, &["points:read"]), wrong])).await.expect(422, name);
    }
    it.put(&it.hub, &json!("all")).await.expect_invalid("/grants", "no list");
    let path = admin(&format!("applications/{}/grants", it.hub.id));
    it.app.admin(put(&path).json(&json!({}))).await.expect_invalid("/grants", "no grants");
    it.put(&it.hub, &json!([good(), good()])).await.expect(422, "a tenant twice");
    it.put(&it.hub, &json!([good()])).await.expect(200, "the same without its defect");
}

/// `admin:read` and `admin:write` belong to the platform.
#[actix_web::test]
async fn platform_permissions_are_not_for_tenants() {
    let it = fixture().await;
    let role = it.app.role(None, "operators", &["admin:read"]).await;
    let through_role = with(grant(&it.acme, &[]), "roles", json!([role]));
    for wrong in [grant(&it.acme, &["admin:read"]), grant(&it.acme, &["admin:write"]), through_role] {
        let reply = it.put(&it.hub, &json!([wrong])).await;
        assert!([403, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
}

/// Grants are for global and partner applications; a tenant's has one implicit grant, its tenant.
#[actix_web::test]
async fn whose_grants() {
    let it = fixture().await;
    let own = it.app.client(&it.acme, "crm-sync", &["points:read"]).await;
    let reply = it.put(&own, &json!([grant(&it.globex, &["points:read"])])).await;
    assert!([409, 422].contains(&reply.status), "a tenant's application: {}", reply.text());
    let token = decode(&it.app.token(&own).await);
    assert_eq!(token.tenants(), [it.acme.as_str()]);
    let partner = it.app.partner("reseller").await;
    let body = json!({
        "reach": "partner", "partner_id": partner, "client_id": "reseller-sync", "allowed_scopes": ["points:read"]
    });
    let reseller = it.app.application(&body).await;
    let refused = it.app.ask(&reseller, &[]).await;
    assert!([400, 401].contains(&refused.status), "without a grant it has nothing: {}", refused.text());
    let tenant = json!({ "name": "Sub", "slug": "sub", "partner_id": partner });
    let sub = it.app.create("tenants", &tenant).await["id"].as_str().unwrap().to_owned();
    it.put(&reseller, &json!([grant(&sub, &["points:read"])])).await.expect(200, "a partner's application");
    let token = decode(&it.app.token(&reseller).await);
    assert_eq!((token.tenants(), token.text("partner_id")), (vec![sub], partner.as_str()));
}

/// A grant without an environment has the first configured one.
#[actix_web::test]
async fn the_environment_of_a_grant() {
    let it = fixture().await;
    let plain = json!({ "tenant_id": it.acme, "permissions": ["points:read"] });
    it.put(&it.hub, &json!([plain])).await.expect(200, "no environment");
    let token = it.token(&[]).await;
    assert_eq!((token.text("env"), token.tenants()), ("production", vec![it.acme.clone()]));
    let staging = json!({
        "reach": "global", "client_id": "staging", "environment": "staging", "allowed_scopes": ["points:read"]
    });
    let staging = it.app.application(&staging).await;
    let wrong = it.put(&staging, &json!([grant(&it.acme, &["points:read"])])).await;
    wrong.expect_invalid("/grants/0/environment", "production in staging");
    let right = with(grant(&it.acme, &["points:read"]), "environment", "staging");
    it.put(&staging, &json!([right])).await.expect(200, "staging in staging");
    assert_eq!(decode(&it.app.token(&staging).await).text("env"), "staging");
}

#[actix_web::test]
async fn unknown_applications() {
    let it = fixture().await;
    let gone = it.app.global("gone", &["points:read"]).await;
    it.app.admin(delete(&admin(&format!("applications/{}", gone.id)))).await.expect(204, "deleted");
    for id in [gone.id.clone(), format!("app_{}", "0".repeat(26)), it.acme.clone(), "nonsense".to_owned()] {
        let client = Client { id, ..gone.clone() };
        it.put(&client, &json!([])).await.expect(404, &client.id);
    }
    it.app.admin(get(&admin(&format!("applications/{}", it.hub.id)))).await.expect(200, "its neighbour");
}

/// What a request might need but seldom does is not part of every request: its future is made and moved each time.
#[actix_web::test]
async fn a_token_request_needs_little_room() {
    let app = TestApp::start().await;
    let origin = Origin::default();
    let size = size_of_val(&app.keyward.token(TokenRequest::default(), &origin));
    assert!(size < 4_096, "{size} bytes");
}
