//! Issuers that are no Keyward and follow RFC 9068.

use keyward_crypto::jws::Algorithm;
use serde_json::{Value, json};

use crate::support::{Issuer, builder, check, key, told};

/// What RFC 9068 requires, and nothing of Keyward's.
fn plain() -> Value {
    json!({ "env": null, "tenants": null, "credential_id": null, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4" })
}

fn plain_but(name: &str, value: Value) -> Value {
    let mut claims = plain();
    claims[name] = value;
    claims
}

#[actix_web::test]
async fn a_token_without_keywards_claims_is_good() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    let caller = check(&guard.require("points:read"), &issuer.token(&plain())).await.unwrap();
    assert_eq!((caller.tenants(), caller.environment()), (None, None));
    assert!(caller.may_act_in("any"));
    let list = issuer.token(&plain_but("aud", json!(["https://other.example", crate::support::AUDIENCE])));
    assert_eq!(told(&guard.require("points:read"), &list).await, "ok");
    let without_scope = issuer.token(&plain_but("scope", json!(null)));
    assert_eq!(told(&guard.require("points:read"), &without_scope).await, "permission_denied");
    assert_eq!(told(&guard.authenticated(), &without_scope).await, "ok");
    // Who asks for an environment does not mean a token without one.
    let staged = guard.require("points:read").environment("production");
    assert_eq!(told(&staged, &issuer.token(&plain())).await, "token_wrong_environment");
}

#[actix_web::test]
async fn what_rfc_9068_requires_is_required() {
    let issuer = Issuer::start();
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let token = issuer.token(&plain_but(claim, json!(null)));
        assert_eq!(told(&protection, &token).await, "token_malformed", "{claim}");
    }
    let token = issuer.token(&plain_but("aud", json!("https://other.example")));
    assert_eq!(told(&protection, &token).await, "token_wrong_audience");
    let token = issuer.token(&plain_but("iss", json!(format!("{}/", issuer.url))));
    assert_eq!(told(&protection, &token).await, "token_malformed");
}

#[actix_web::test]
async fn every_algorithm_is_that_of_its_key() {
    let issuer = Issuer::start();
    let keys = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].map(key);
    issuer.state().keys = keys.to_vec();
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    for key in keys {
        assert_eq!(told(&protection, &issuer.token_by(&key, &plain())).await, "ok", "{:?}", key.algorithm());
    }
}

/// An issuer that names no keys can have one for each algorithm.
#[actix_web::test]
async fn keys_without_names_work_while_there_is_no_choice() {
    let issuer = Issuer::start();
    let unnamed = |key: &keyward_crypto::jws::SigningKey| {
        let mut jwk = key.public_jwk().clone();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    let (ours, other) = (issuer.key(), key(Algorithm::EdDsa));
    issuer.state().jwks = Some(json!({ "keys": [unnamed(&ours), unnamed(&other)] }));
    let guard = builder(&issuer).connect().await.unwrap();
    // A token that names a key is of another issuer's making.
    assert_eq!(told(&guard.authenticated(), &issuer.token(&plain())).await, "token_malformed");
}
