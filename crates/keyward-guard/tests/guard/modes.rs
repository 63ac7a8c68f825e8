//! Which credentials each mode takes, in both frameworks.

use serde_json::json;

use crate::support::{Issuer, apis, builder_with_keys, publishable_key, secret_key, usual};

/// Every mode with every combination of credentials: path, token, key, outcome.
#[actix_web::test]
async fn each_mode_takes_its_credentials_in_both_frameworks() {
    let issuer = Issuer::start();
    let guard = builder_with_keys(&issuer).connect().await.unwrap();
    let bearer = |token: String| format!("Bearer {token}");
    let good = bearer(issuer.token(&usual()));
    let poor = bearer(issuer.token(&json!({ "scope": "points:list" })));
    let platform = bearer(issuer.token(&json!({ "tenants": null })));
    let staging = bearer(issuer.token(&json!({ "env": "staging" })));
    let expired = bearer(issuer.token(&json!({ "exp": 1 })));
    let elsewhere = bearer(issuer.token(&json!({ "tenants": ["tnt_2", "tnt_3"] })));
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    let poor_key = secret_key(&issuer, "tnt_1", &["points:list"]);
    let publishable = publishable_key(&issuer, "tnt_1");
    let garbage = "kwk_live_no-such-key";
    let cases = [
        ("/bearer", &*good, "", "ok"),
        ("/bearer", &*good, garbage, "ok"),
        ("/bearer", "", &*key, "credentials_missing"),
        ("/bearer", &*poor, "", "permission_denied"),
        ("/bearer", &*staging, "", "token_wrong_environment"),
        ("/bearer", &*expired, "", "token_expired"),
        ("/api_key", "", &*key, "ok"),
        ("/api_key", "Basic Zm9v", &*key, "ok"),
        ("/api_key", &*good, "", "credentials_missing"),
        ("/api_key", "", garbage, "key_invalid"),
        ("/api_key", "", &*poor_key, "permission_denied"),
        ("/api_key", "", &*publishable, "permission_denied"),
        ("/either", "", "", "credentials_missing"),
        ("/either", &*good, "", "ok"),
        ("/either", "", &*key, "ok"),
        ("/either", &*good, &*key, "ok"),
        ("/either", &*good, garbage, "key_invalid"),
        ("/either", &*expired, &*key, "token_expired"),
        ("/either", "Basic Zm9v", &*key, "scheme_missing"),
        ("/either", &*elsewhere, &*key, "tenant_mismatch"),
        ("/both", &*good, &*key, "ok"),
        ("/both", &*good, "", "credentials_missing"),
        ("/both", "", &*key, "credentials_missing"),
        ("/both", "", garbage, "credentials_missing"),
        ("/both", &*elsewhere, &*key, "tenant_mismatch"),
        ("/both", &*elsewhere, &*publishable, "tenant_mismatch"),
        ("/both", &*platform, &*key, "tenant_mismatch"),
        ("/both", &*good, &*poor_key, "permission_denied"),
        ("/both", &*good, &*publishable, "ok"),
        ("/both", &*poor, &*publishable, "permission_denied"),
        ("/both", &*good, garbage, "key_invalid"),
        ("/all", &*good, "", "permission_denied"),
        ("/any", &*good, "", "ok"),
        ("/any", &*poor, "", "permission_denied"),
        ("/authenticated", &*poor, "", "ok"),
        ("/authenticated", &*expired, "", "token_expired"),
        ("/staging", &*staging, "", "ok"),
        ("/staging", &*good, "", "token_wrong_environment"),
        ("/any_environment", &*staging, "", "ok"),
        ("/any_of_none", &*good, "", "internal"),
        ("/no_permission", &*good, "", "internal"),
    ];
    for api in apis(&guard).await {
        for (path, token, key, expected) in cases {
            let all = [("authorization", token), ("x-api-key", key)];
            let headers: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let name = api.name;
            assert_eq!(api.outcome(path, &headers).await, expected, "{name} {path} {token:.20} {key:.12}");
        }
    }
}

#[actix_web::test]
async fn the_handler_learns_who_called() {
    let issuer = Issuer::start();
    let guard = builder_with_keys(&issuer).connect().await.unwrap();
    let token =
        issuer.token(&json!({ "sub": "usr_1", "tenants": ["tnt_1", "tnt_2"], "scope": "points:read x" }));
    let bearer = format!("Bearer {token}");
    let key = secret_key(&issuer, "tnt_2", &["points:read", "y"]);
    let publishable = publishable_key(&issuer, "tnt_2");
    for api in apis(&guard).await {
        let who = api.get("/bearer", &[("authorization", &bearer)]).await.json();
        let expected = json!({
            "subject": "usr_1", "client_id": "acme.crm", "key_id": null, "tenants": ["tnt_1", "tnt_2"],
            "permissions": "points:read x", "environment": "production",
        });
        assert_eq!(who, expected, "{}", api.name);
        let who = api.get("/api_key", &[("x-api-key", &key)]).await.json();
        let expected = json!({
            "subject": "key_1", "client_id": null, "key_id": "key_1", "tenants": ["tnt_2"],
            "permissions": "points:read y", "environment": "production",
        });
        assert_eq!(who, expected, "{}", api.name);
        let who = api.get("/both", &[("authorization", &bearer), ("x-api-key", &key)]).await.json();
        let expected = json!({
            "subject": "usr_1", "client_id": "acme.crm", "key_id": "key_1", "tenants": ["tnt_2"],
            "permissions": "points:read", "environment": "production",
        });
        assert_eq!(who, expected, "{}", api.name);
        let who = api.get("/both", &[("authorization", &bearer), ("x-api-key", &publishable)]).await.json();
        assert_eq!((&who["key_id"], &who["permissions"]), (&json!(null), &json!("points:read x")));
        assert_eq!(who["tenants"], json!(["tnt_2"]), "{}", api.name);
    }
}

/// A mode that takes keys needs somebody who knows keys.
#[actix_web::test]
async fn keys_without_a_checker_are_a_mistake_that_lets_nobody_in() {
    let issuer = Issuer::start();
    let guard = crate::support::builder(&issuer).build().unwrap();
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    for api in apis(&guard).await {
        assert_eq!(api.get("/api_key", &[("x-api-key", &key)]).await.status, 500, "{}", api.name);
        assert_eq!(api.outcome("/api_key", &[]).await, "credentials_missing", "{}", api.name);
    }
}
