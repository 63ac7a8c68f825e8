//! What an administrator is told.

use keyward_core::CheckedStep;
use serde_json::json;

use crate::support::{
    now, oidc,
    provider::{Provider, Script},
    server::Reply,
};

const ALL: [&str; 4] = ["address", "discovery", "keys", "endpoints"];

async fn check(bend: impl FnOnce(&mut Script)) -> Vec<CheckedStep> {
    let provider = Provider::start(bend).await;
    let upstream = provider.script.lock().unwrap().upstream.clone();
    let steps = oidc().check(&upstream, now()).await;
    assert_eq!(provider.trap.connections(), 0, "the trap was asked");
    steps
}

#[tokio::test]
async fn a_good_provider_passes_every_step_in_order() {
    let steps = check(|_| {}).await;
    assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), ALL);
    for step in steps {
        assert!(step.passed && step.detail.ends_with('.'), "{step:?}");
    }
}

#[tokio::test]
async fn it_ends_with_the_first_step_that_fails() {
    type Bend = fn(&mut Script);
    let cases: [(&str, &str, Bend); 9] = [
        ("address", "not on the public internet", |script| {
            script.upstream.config["issuer"] = script.trap.clone().into();
        }),
        ("address", "every Entra tenant", |script| {
            script.upstream.config["issuer"] = "https://login.microsoftonline.com/organizations/v2.0".into();
        }),
        ("discovery", "character by character", |script| {
            script.says("issuer", json!("https://other.example"));
        }),
        ("discovery", "status 404", |script| {
            script.instead.push(("/.well-known/openid-configuration", Reply::status(404, "")));
        }),
        ("keys", "no key", |script| script.jwks = json!({ "keys": [] })),
        ("keys", "not on the public internet", |script| {
            script.says("jwks_uri", json!(format!("{}/jwks", script.trap)));
        }),
        ("endpoints", "by none of", |script| {
            script.says("id_token_signing_alg_values_supported", json!(["HS256", "none"]));
        }),
        ("endpoints", "client_secret_basic", |script| {
            script.says("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]));
        }),
        ("endpoints", "not on the public internet", |script| {
            script.says("token_endpoint", json!(format!("{}/token", script.trap)));
        }),
    ];
    for (failing, words, bend) in cases {
        let steps = check(bend).await;
        let (last, before) = steps.split_last().unwrap();
        assert!(before.iter().all(|step| step.passed), "{steps:?}");
        assert!(!last.passed && last.step == failing && last.detail.contains(words), "{last:?}");
        let position = ALL.iter().position(|step| *step == failing).unwrap();
        assert_eq!(before.iter().map(|step| step.step).collect::<Vec<_>>(), ALL[..position]);
    }
}

/// Servers move what they wait for from thread to thread.
#[tokio::test]
async fn a_check_can_be_spawned() {
    let provider = Provider::start(|_| {}).await;
    let upstream = provider.script.lock().unwrap().upstream.clone();
    let spawned = tokio::spawn(async move { oidc().check(&upstream, now()).await });
    assert_eq!(spawned.await.unwrap().len(), ALL.len());
}

#[tokio::test]
async fn a_check_looks_at_things_as_they_are_now() {
    let (provider, oidc) = (Provider::start(|_| {}).await, oidc());
    let upstream = provider.script.lock().unwrap().upstream.clone();
    assert!(oidc.check(&upstream, now()).await.iter().all(|step| step.passed));
    provider.script.lock().unwrap().jwks = json!({ "keys": [] });
    assert!(!oidc.check(&upstream, now()).await.iter().all(|step| step.passed));
}
