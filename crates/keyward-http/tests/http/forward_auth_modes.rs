//! Token and key together: `either` and `both`, and whose tenant it is.

use serde_json::json;

use crate::support::{Call, Client, Key, TestApp, forward, made_up, scopes, verdict_of};

/// Clients and keys of two tenants, each with `points:read`, and some with more.
struct Fixture {
    app: TestApp,
    acme: String,
    /// A client of `acme`, and its token.
    client: Client,
    token: String,
    /// A token for both tenants.
    wide: String,
    /// A token of the whole platform.
    platform: String,
    key: Key,
    /// A key of `acme` without any permission.
    idle: Key,
    foreign: Key,
    publishable: String,
    foreign_publishable: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let client = app.client(&acme, "crm-sync", &["points:adjust", "points:read"]).await;
    let hub = app.global("hub", &["points:read"]).await;
    let grant = |tenant: &str| json!({ "tenant_id": tenant, "permissions": ["points:read"] });
    app.grant(&hub, &json!([grant(&acme), grant(&globex)])).await;
    let platform = app.global("platform", &["points:read"]).await;
    Fixture {
        token: app.token(&client).await,
        wide: app.token(&hub).await,
        platform: app.token(&platform).await,
        key: app.key(&acme, &["points:read", "read:users"]).await,
        idle: app.key(&acme, &[]).await,
        foreign: app.key(&globex, &["points:read"]).await,
        publishable: app.publishable_key(&acme).await,
        foreign_publishable: app.publishable_key(&globex).await,
        client,
        acme,
        app,
    }
}

fn ask(mode: &str, permission: &str, token: &str, key: &str) -> Call {
    let mut call = forward(&format!("require={mode}&permission={permission}"));
    if !token.is_empty() {
        call = call.bearer(token);
    }
    if key.is_empty() { call } else { call.header("x-api-key", key) }
}

impl Fixture {
    async fn verdict(&self, mode: &str, permission: &str, token: &str, key: &str, what: &str) -> String {
        verdict_of(&self.app.send(ask(mode, permission, token, key)).await, what)
    }
}

/// Both must be there, valid, of one tenant, and hold the permission: each part that fails has its own answer.
#[actix_web::test]
async fn both() {
    let it = fixture().await;
    let (token, key) = (it.token.as_str(), it.key.value.as_str());
    let gone = it.app.token(&it.client).await;
    it.app.revoke(&it.client, &gone).await.expect(200, "revoked");
    let stopped = it.app.key(&it.acme, &["points:read"]).await;
    it.app.revoke_key(&stopped.id).await;
    let (read, unknown) = ("points:read", made_up('k', "live"));
    for (name, permission, token, key, code) in [
        ("good", read, token, key, "ok"),
        ("with the publishable key", read, token, it.publishable.as_str(), "ok"),
        ("one of two tenants", read, &it.wide, key, "ok"),
        ("the other of two tenants", read, &it.wide, &it.foreign.value, "ok"),
        ("no token", read, "", key, "credentials_missing"),
        ("no key", read, token, "", "credentials_missing"),
        ("neither", read, "", "", "credentials_missing"),
        ("garbage for a token", read, "nonsense", key, "token_malformed"),
        ("garbage for a key", read, token, "nonsense", "key_invalid"),
        ("an unknown key", read, token, &unknown, "key_invalid"),
        ("a revoked token", read, &gone, key, "token_revoked"),
        ("a revoked key", read, token, &stopped.value, "key_revoked"),
        ("another tenant's key", read, token, &it.foreign.value, "tenant_mismatch"),
        ("another tenant's publishable key", read, token, &it.foreign_publishable, "tenant_mismatch"),
        ("a token without tenants", read, &it.platform, key, "tenant_mismatch"),
        ("a permission of the token alone", "points:adjust", token, key, "permission_denied"),
        ("a permission of the key alone", "read:users", token, key, "permission_denied"),
        ("a key without any", read, token, &it.idle.value, "permission_denied"),
        ("the token's, and the publishable key", "points:adjust", token, &it.publishable, "ok"),
        ("nobody's, and the publishable key", "read:users", token, &it.publishable, "permission_denied"),
    ] {
        assert_eq!(it.verdict("both", permission, token, key, name).await, code, "{name}");
    }
    let reply = it.app.send(ask("both", read, &it.wide, key)).await;
    assert_eq!(reply.header("x-keyward-tenant"), it.acme, "the key says which of the two");
    let reply = it.app.send(ask("both", read, token, key)).await;
    assert_eq!(reply.header("x-keyward-client"), it.client.client_id);
    assert_eq!(reply.header("x-keyward-subject"), it.client.client_id);
    assert_eq!(scopes(reply.header("x-keyward-scope")), ["points:read"], "what both hold");
}

/// One is enough; where both are sent, both must be valid and of one tenant.
#[actix_web::test]
async fn either() {
    let it = fixture().await;
    let (token, key) = (it.token.as_str(), it.key.value.as_str());
    let stopped = it.app.key(&it.acme, &["points:read"]).await;
    it.app.edit(&format!("api-keys/{}", stopped.id), &json!({ "status": "disabled" })).await;
    let read = "points:read";
    for (name, permission, token, key, code) in [
        ("the token", read, token, "", "ok"),
        ("the key", read, "", key, "ok"),
        ("both of one tenant", read, token, key, "ok"),
        ("a token of two tenants", read, &it.wide, key, "ok"),
        ("a good token and a garbled key", read, token, "nonsense", "key_invalid"),
        ("a good token and a disabled key", read, token, &stopped.value, "key_revoked"),
        ("a good key and a garbled token", read, "nonsense", key, "token_malformed"),
        ("of two tenants", read, token, &it.foreign.value, "tenant_mismatch"),
        ("another's publishable key", read, token, &it.foreign_publishable, "tenant_mismatch"),
        ("a token without tenants", read, &it.platform, key, "tenant_mismatch"),
        ("a token without tenants alone", read, &it.platform, "", "ok"),
        ("the publishable key alone", read, "", &it.publishable, "permission_denied"),
        ("the publishable key and a token", read, token, &it.publishable, "ok"),
        ("what neither has", "create:users", token, key, "permission_denied"),
    ] {
        assert_eq!(it.verdict("either", permission, token, key, name).await, code, "{name}");
        // It is what is asked for when nothing is said.
        let mut unsaid = ask("either", permission, token, key);
        unsaid.uri = unsaid.uri.replace("require=either&", "");
        assert_eq!(verdict_of(&it.app.send(unsaid).await, name), code, "{name}, by default");
    }
}

/// Each credential is of an environment, and every one that is secret must be of the right one.
#[actix_web::test]
async fn environments() {
    let it = fixture().await;
    let fields = json!({ "permissions": ["points:read"], "environment": "staging" });
    let staging = it.app.key_with(&it.acme, &fields).await;
    let client = json!({
        "reach": "tenant", "tenant_id": it.acme, "client_id": "stage", "environment": "staging",
        "allowed_scopes": ["points:read"]
    });
    let client = it.app.application(&client).await;
    let token = it.app.token(&client).await;
    for mode in ["both", "either"] {
        for (token, key, environment, code) in [
            (&it.token, &it.key.value, "production", "ok"),
            (&token, &staging.value, "staging", "ok"),
            (&it.token, &staging.value, "production", "token_wrong_environment"),
            (&it.token, &staging.value, "staging", "token_wrong_environment"),
            (&token, &it.key.value, "production", "token_wrong_environment"),
            (&token, &it.key.value, "staging", "token_wrong_environment"),
        ] {
            let query = format!("require={mode}&permission=points:read&environment={environment}");
            let call = forward(&query).bearer(token).header("x-api-key", key);
            assert_eq!(verdict_of(&it.app.send(call).await, &query), code, "{query}");
        }
    }
}

/// 401 before 403: who is not known is not told what they would lack.
#[actix_web::test]
async fn order_of_refusals() {
    let it = fixture().await;
    for (name, token, key, code) in [
        ("a missing key before a permission", it.token.as_str(), "", "credentials_missing"),
        ("a wrong key before a permission", &it.token, "nonsense", "key_invalid"),
        ("a wrong token before a tenant", "nonsense", it.foreign.value.as_str(), "token_malformed"),
    ] {
        assert_eq!(it.verdict("both", "read:users", token, key, name).await, code, "{name}");
    }
    let code = it.verdict("both", "create:users", &it.token, &it.key.value, "a permission").await;
    assert_eq!(code, "permission_denied", "what is left when all else is well");
}
