//! A whole Keyward on the other side.

use keyward_client::{
    Error, Narrowing,
    reqwest::{self, StatusCode},
};
use keyward_core::RateLimit;
use serde_json::{Value, json};

use crate::support::{Real, granted_application, seconds};

/// The nightly job of the crate's documentation.
#[tokio::test]
async fn a_nightly_job() {
    let real = Real::start();
    let admin = real.admin();
    let (client_id, secret) = granted_application(&admin).await;
    let hub = real.options(&client_id, &secret).build().unwrap();
    let token = hub.token().await.unwrap();
    assert_eq!(token.scope(), Some("points:adjust points:read"));
    assert!(token.remaining() > seconds(3_500));
    let acme = hub.narrowed(Narrowing::new().tenant("acme").scope("points:read"));
    let token = acme.token().await.unwrap();
    assert_eq!(token.scope(), Some("points:read"));
    // Keyward itself says whom the token is for.
    let answer: Value = reqwest::Client::new()
        .post(format!("{}/oauth2/introspect", real.url))
        .basic_auth(&client_id, Some(&secret))
        .form(&[("token", token.secret())])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&answer["active"], &answer["client_id"]), (&json!(true), &json!(client_id)));
    assert_eq!(answer["tenants"].as_array().unwrap().len(), 1);
    // The token works where it is meant to and lacks the permission: 403 is passed on.
    let status = acme.elevate(async |api| Ok::<_, Error>(api.send(api.get("tenants")).await?.status())).await;
    assert_eq!(status.unwrap(), StatusCode::FORBIDDEN);
    let found: Value = admin
        .elevate(|api| async move {
            api.send(api.get("tenants")).await?.json().await.map_err(Box::<dyn std::error::Error>::from)
        })
        .await
        .unwrap();
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
}

/// A token that was revoked is replaced by the first call that is refused.
#[tokio::test]
async fn a_revoked_token() {
    let real = Real::start();
    let admin = real.admin();
    let first = admin.token().await.unwrap();
    let revoked = reqwest::Client::new()
        .post(format!("{}/oauth2/revoke", real.url))
        .basic_auth(&real.client_id, Some(&real.secret))
        .form(&[("token", first.secret())])
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 200);
    assert_eq!(admin.send(admin.get("tenants")).await.unwrap().status(), 200);
    assert_ne!(admin.token().await.unwrap().secret(), first.secret());
}

#[tokio::test]
async fn refusals() {
    let real = Real::start();
    let refused = async |client: keyward_client::KeywardClient| match client.token().await.unwrap_err() {
        Error::Refused { error, error_description } => (error, error_description.is_some()),
        other => panic!("{other:?}"),
    };
    let wrong = real.options(&real.client_id, "kws_live_wrong").build().unwrap();
    assert_eq!(refused(wrong).await, ("invalid_client".to_owned(), true));
    let admin = real.admin();
    let scope = admin.narrowed(Narrowing::new().scope("points:adjust"));
    assert_eq!(refused(scope).await, ("invalid_scope".to_owned(), true));
    let tenant = admin.narrowed(Narrowing::new().tenant("nowhere"));
    assert_eq!(refused(tenant).await, ("invalid_target".to_owned(), true));
    assert!(admin.token().await.is_ok(), "the failures of one are not the other's");
}

#[tokio::test]
async fn throttling() {
    let real = Real::with(|options| options.token_limit = Some(RateLimit { per_minute: 1, burst: 2 }));
    let admin = real.admin();
    admin.token().await.unwrap();
    let narrowed = |scope: &str| admin.narrowed(Narrowing::new().scope(scope));
    narrowed("admin:read").token().await.unwrap();
    let later = narrowed("admin:write").token().await.unwrap_err();
    assert!(matches!(later, Error::RetryLater { after } if after > seconds(1)), "{later:?}");
    assert_eq!(admin.send(admin.get("tenants")).await.unwrap().status(), 200, "what is there still serves");
}
