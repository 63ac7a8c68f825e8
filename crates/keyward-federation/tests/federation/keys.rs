//! How long documents are kept, and who can make them be fetched.

use serde_json::json;

use crate::support::{
    oidc,
    provider::{KEY, Provider, STRANGER, signed},
};

#[tokio::test]
async fn documents_are_fetched_once_for_many_sign_ins() {
    let (provider, oidc) = (Provider::start(|_| {}).await, oidc());
    for _ in 0..3 {
        provider.sign_in(&oidc).await.unwrap();
    }
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        assert_eq!(provider.asked(path).len(), 1, "{path}");
    }
    assert_eq!(provider.asked("/token").len(), 3);
    assert!(provider.asked("/userinfo").is_empty(), "the ID token has an address");
}

#[tokio::test]
async fn a_new_key_is_found_and_an_unknown_one_is_looked_for_once_in_a_while() {
    let (provider, oidc) = (Provider::start(|_| {}).await, oidc());
    provider.sign_in(&oidc).await.unwrap();
    {
        let mut script = provider.script.lock().unwrap();
        script.jwks = json!({ "keys": [KEY.public_jwk(), STRANGER.public_jwk()] });
        script.header["kid"] = STRANGER.kid().into();
        script.signer = |message| signed(&STRANGER, message);
    }
    provider.sign_in(&oidc).await.unwrap();
    assert_eq!(provider.asked("/jwks").len(), 2, "the provider's new key was looked for");
    provider.script.lock().unwrap().header["kid"] = "made up".into();
    for _ in 0..5 {
        assert_eq!(provider.sign_in(&oidc).await.unwrap_err().reason, "unknown_key");
    }
    assert_eq!(provider.asked("/jwks").len(), 2, "a name that was made up makes nobody ask again so soon");
}

#[tokio::test]
async fn a_failure_is_shared_for_a_moment() {
    let (provider, oidc) = (Provider::start(|script| script.says("issuer", json!("other"))).await, oidc());
    for _ in 0..5 {
        assert_eq!(provider.sign_in(&oidc).await.unwrap_err().reason, "wrong_issuer");
    }
    assert_eq!(provider.asked("/.well-known/openid-configuration").len(), 1);
}
