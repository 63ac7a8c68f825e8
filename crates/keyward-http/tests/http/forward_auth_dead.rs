//! Forward-auth and tokens: dead means dead, whatever stands above the token died.

use serde_json::json;

use crate::support::{Client, DAY, HOUR, Person, TestApp, forward, put, scopes, verdict_of};

struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    client: Client,
    token: String,
    bystander: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (partner, acme) = app.reseller().await;
    let client = app
        .application(&json!({
            "reach": "tenant", "tenant_id": acme, "client_id": "crm-sync",
            "allowed_scopes": ["points:adjust", "points:read"], "token_lifetime": DAY
        }))
        .await;
    let globex = app.tenant("globex").await;
    let other = json!({
        "reach": "tenant", "tenant_id": globex, "client_id": "other", "allowed_scopes": ["points:read"],
        "token_lifetime": DAY
    });
    let other = app.application(&other).await;
    Fixture {
        token: app.token(&client).await,
        bystander: app.token(&other).await,
        client,
        acme,
        partner,
        app,
    }
}

#[derive(Clone, Copy, Debug)]
enum Death {
    TokenRevoked,
    SecretRevoked,
    Disabled,
    Deleted,
    TenantSuspended,
    TenantDeleted,
    PartnerSuspended,
    PartnerDeleted,
    PermissionTaken,
}

const MATRIX: [(Death, &str); 9] = [
    (Death::TokenRevoked, "token_revoked"),
    (Death::SecretRevoked, "token_revoked"),
    (Death::Disabled, "token_revoked"),
    (Death::Deleted, "token_revoked"),
    (Death::TenantSuspended, "token_revoked"),
    (Death::TenantDeleted, "token_revoked"),
    (Death::PartnerSuspended, "token_revoked"),
    (Death::PartnerDeleted, "token_revoked"),
    (Death::PermissionTaken, "permission_denied"),
];

impl Fixture {
    async fn verdict(&self, token: &str) -> String {
        let call = forward("require=bearer&permission=points:read").bearer(token);
        verdict_of(&self.app.send(call).await, "points:read")
    }

    async fn die(&self, death: Death) {
        let app = &self.app;
        let client = format!("applications/{}", self.client.id);
        let (tenant, partner) = (format!("tenants/{}", self.acme), format!("partners/{}", self.partner));
        let suspended = json!({ "status": "suspended" });
        match death {
            Death::TokenRevoked => {
                app.revoke(&self.client, &self.token).await.expect(200, "revoked");
            }
            Death::SecretRevoked => app.remove(&format!("{client}/secrets/{}", self.client.secret_id)).await,
            Death::Disabled => drop(app.edit(&client, &json!({ "status": "disabled" })).await),
            Death::Deleted => app.remove(&client).await,
            Death::TenantSuspended => drop(app.edit(&tenant, &suspended).await),
            Death::TenantDeleted => app.remove(&tenant).await,
            Death::PartnerSuspended => drop(app.edit(&partner, &suspended).await),
            Death::PartnerDeleted => app.remove(&partner).await,
            Death::PermissionTaken => {
                app.edit(&client, &json!({ "allowed_scopes": ["points:adjust"] })).await;
            }
        }
    }
}

/// From the very next request, and after a restart.
#[actix_web::test]
async fn the_matrix() {
    for (death, code) in MATRIX {
        let mut it = fixture().await;
        assert_eq!(it.verdict(&it.token).await, "ok", "{death:?}: alive");
        it.die(death).await;
        for _ in 0..2 {
            assert_eq!(it.verdict(&it.token).await, code, "{death:?}");
        }
        assert_eq!(it.verdict(&it.bystander).await, "ok", "{death:?}: a bystander");
        it.app.restart(|_| {}).await;
        assert_eq!(it.verdict(&it.token).await, code, "{death:?}, after a restart");
    }
}

/// A secret's expiry ends no token; the token's own does, to the second.
#[actix_web::test]
async fn expiry() {
    let it = fixture().await;
    let until = json!({ "expires_at": it.app.moment(HOUR) });
    let brief = it.app.another_secret(&it.client, &until).await;
    let token = it.app.token(&brief).await;
    it.app.advance(HOUR);
    assert_eq!(it.verdict(&token).await, "ok", "the secret has expired");
    it.app.advance(DAY - HOUR - 1);
    assert_eq!(it.verdict(&token).await, "ok", "its last second");
    it.app.advance(1);
    assert_eq!(it.verdict(&token).await, "token_expired");
}

/// Of several tenants one goes: the token is good for the rest.
#[actix_web::test]
async fn one_of_several_tenants() {
    let it = fixture().await;
    let (second, third) = (it.app.tenant("second").await, it.app.tenant("third").await);
    let hub = it.app.global("hub", &["points:read"]).await;
    let grant = |tenant: &str| json!({ "tenant_id": tenant, "permissions": ["points:read"] });
    it.app.grant(&hub, &json!([grant(&it.acme), grant(&second), grant(&third)])).await;
    let token = it.app.token(&hub).await;
    let tenants = async || {
        let reply = it.app.send(forward("permission=points:read").bearer(&token)).await;
        let verdict = verdict_of(&reply, "a token of several tenants");
        (verdict, scopes(reply.header("x-keyward-tenant")))
    };
    let sorted = |ids: &[&String]| scopes(&ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "));
    assert_eq!(tenants().await, ("ok".to_owned(), sorted(&[&it.acme, &second, &third])));
    it.app.edit(&format!("tenants/{second}"), &json!({ "status": "suspended" })).await;
    assert_eq!(tenants().await, ("ok".to_owned(), sorted(&[&it.acme, &third])), "one is suspended");
    it.app.grant(&hub, &json!([grant(&it.acme), grant(&second)])).await;
    assert_eq!(tenants().await, ("ok".to_owned(), sorted(&[&it.acme])), "one grant is gone");
    let foreign = it.app.publishable_key(&third).await;
    let call = forward("require=both&permission=points:read").bearer(&token).header("x-api-key", &foreign);
    assert_eq!(verdict_of(&it.app.send(call).await, "the tenant that is gone"), "tenant_mismatch");
    it.app.grant(&hub, &json!([grant(&second)])).await;
    assert_eq!(tenants().await.0, "token_revoked", "none is left");
}

/// A person's token lives and dies with the person and what they may.
#[actix_web::test]
async fn people() {
    let it = fixture().await;
    let verdict = async |person: &Person| it.verdict(&person.token).await;
    let disabled = it.app.staff(&it.acme, "disabled", &["points:read"]).await;
    let deleted = it.app.staff(&it.acme, "deleted", &["points:read"]).await;
    let bare = it.app.staff(&it.acme, "bare", &["points:read"]).await;
    let shrunk = it.app.person("shrunk", &json!({ "tenant_id": it.acme })).await;
    let role = it.app.role(Some(&it.acme), "shrinking", &["points:read"]).await;
    it.app.roles_of(&shrunk.id, &[&role]).await;
    let shrunk = Person { token: it.app.user_token(&shrunk.email).await, ..shrunk };
    for person in [&disabled, &deleted, &bare, &shrunk] {
        assert_eq!(verdict(person).await, "ok", "{}", person.email);
    }
    it.app.edit(&format!("users/{}", disabled.id), &json!({ "status": "disabled" })).await;
    it.app.remove(&format!("users/{}", deleted.id)).await;
    it.app.roles_of(&bare.id, &[]).await;
    it.app.edit(&format!("roles/{role}"), &json!({ "permissions": ["points:adjust"] })).await;
    for (person, code) in [
        (&disabled, "token_revoked"),
        (&deleted, "token_revoked"),
        (&bare, "permission_denied"),
        (&shrunk, "permission_denied"),
    ] {
        assert_eq!(verdict(person).await, code, "{}", person.email);
    }
}

/// What introspection says of a token, forward-auth says too.
#[actix_web::test]
async fn as_introspection_has_it() {
    let it = fixture().await;
    let role = it.app.role(Some(&it.acme), "clerk", &["read:users"]).await;
    let path = format!("applications/{}", it.client.id);
    it.app.edit(&path, &json!({ "roles": [role] })).await;
    let token = it.app.token(&it.client).await;
    for change in [
        json!({ "allowed_scopes": ["points:read"] }),
        json!({ "roles": [] }),
        json!({ "roles": [role], "allowed_scopes": [] }),
        json!({ "status": "disabled" }),
        json!({ "status": "active", "allowed_scopes": ["points:adjust", "points:read"] }),
    ] {
        it.app.advance(1);
        it.app.edit(&path, &change).await;
        let seen = it.app.introspect(&it.app.root, &token).await;
        let reply = it.app.send(forward("require=bearer").bearer(&token)).await;
        let verdict = verdict_of(&reply, &change.to_string());
        assert_eq!(verdict == "ok", seen["active"] == true, "{change}: {verdict}, but {seen}");
        if verdict == "ok" {
            let scope = scopes(seen["scope"].as_str().unwrap_or(""));
            assert_eq!(scopes(reply.header("x-keyward-scope")), scope, "{change}");
        }
    }
    let hub = it.app.global("hub", &["points:read"]).await;
    let grants = json!({ "grants": [{ "tenant_id": it.acme, "permissions": ["points:read"] }] });
    let earlier = it.app.token(&hub).await;
    it.app.ok(put(&crate::support::admin(&format!("applications/{}/grants", hub.id))).json(&grants)).await;
    let seen = it.app.introspect(&it.app.root, &earlier).await;
    let reply = it.app.send(forward("require=bearer").bearer(&earlier)).await;
    let verdict = verdict_of(&reply, "a token of the platform, whose client has grants now");
    assert_eq!(verdict == "ok", seen["active"] == true, "{verdict}, but {seen}");
}
