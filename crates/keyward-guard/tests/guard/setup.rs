//! How a guard is set up, and what is refused then.

use keyward_guard::{BuildError, ConnectError, Guard, Mode, RemoteKeys};
use serde_json::json;

use crate::support::{AUDIENCE, Issuer, builder, told, usual};

fn token(_: Option<String>) -> std::future::Ready<Result<String, keyward_guard::BoxError>> {
    std::future::ready(Ok(String::new()))
}

#[actix_web::test]
async fn a_guard_needs_an_issuer_that_can_be_trusted() {
    let build = |issuer: &str| Guard::builder(issuer).audience(AUDIENCE).build();
    for good in ["https://issuer.example", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]"] {
        assert!(build(good).is_ok(), "{good}");
        assert!(RemoteKeys::new(good, token).is_ok(), "{good}");
    }
    for bad in ["", "issuer.example", "ftp://issuer.example", "file:///tmp", "data:text/plain,x"] {
        assert!(matches!(build(bad), Err(BuildError::InvalidAddress(_))), "{bad}");
        assert!(RemoteKeys::new(bad, token).is_err(), "{bad}");
    }
    for insecure in ["http://issuer.example", "http://10.0.0.1", "http://127.0.0.1.example"] {
        assert!(matches!(build(insecure), Err(BuildError::InsecureAddress(_))), "{insecure}");
        assert!(RemoteKeys::new(insecure, token).is_err(), "{insecure}");
        assert!(RemoteKeys::new_insecure(insecure, token).is_ok(), "{insecure}");
        assert!(Guard::builder(insecure).audience(AUDIENCE).allow_insecure_http().build().is_ok());
        let by_address = Guard::builder("https://issuer.example").audience(AUDIENCE).jwks_url(insecure);
        assert!(by_address.build().is_err(), "{insecure}");
    }
}

#[actix_web::test]
async fn what_is_missing_is_told_at_the_start() {
    let nobody = Guard::builder("https://issuer.example");
    assert!(matches!(nobody.build(), Err(BuildError::NoAudience)));
    let keys = Guard::builder("https://issuer.example").audience(AUDIENCE).mode(Mode::Either);
    assert!(matches!(keys.build(), Err(BuildError::NoKeyChecker)));
    for jwks in [json!({}), json!({ "keys": [] }), json!({ "keys": [{ "kty": "oct", "k": "AA" }] })] {
        let given = Guard::builder("https://issuer.example").audience(AUDIENCE).jwks(jwks.clone());
        assert!(matches!(given.build(), Err(BuildError::Jwks(_))), "{jwks}");
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = Guard::builder(format!("http://{gone}")).audience(AUDIENCE).connect().await;
    assert!(matches!(failed, Err(ConnectError::NoKeys(_))));
    assert!(failed.unwrap_err().to_string().contains(&gone.to_string()));
}

#[actix_web::test]
async fn several_audiences_are_several_apis() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).audience("https://second.example").connect().await.unwrap();
    let protection = guard.require("points:read");
    for (audience, expected) in [
        (json!(AUDIENCE), "ok"),
        (json!("https://second.example"), "ok"),
        (json!(["https://third.example", "https://second.example"]), "ok"),
        (json!("https://third.example"), "token_wrong_audience"),
    ] {
        assert_eq!(told(&protection, &issuer.token(&json!({ "aud": audience }))).await, expected);
    }
}

/// Options that are beyond all measure are no danger.
#[actix_web::test]
async fn any_duration_will_do() {
    use std::time::Duration;
    let issuer = Issuer::with_feed();
    for duration in [Duration::ZERO, Duration::MAX] {
        let builder = crate::support::builder_with_keys(&issuer)
            .keys_live(duration)
            .leeway(duration)
            .remember_keys(duration)
            .require_fresh_revocations(duration);
        let protection = builder.build().unwrap().require("points:read").mode(Mode::Either);
        let expected = if duration.is_zero() { "unavailable" } else { "ok" };
        assert_eq!(told(&protection, &issuer.token(&usual())).await, expected);
        let key = crate::support::secret_key(&issuer, "tnt_1", &["points:read"]);
        let told = crate::support::outcome(&crate::support::check_key(&protection, &key).await);
        assert_eq!(told, expected);
    }
}

/// Without memory for tokens, each is verified anew.
#[actix_web::test]
async fn tokens_need_not_be_remembered() {
    let issuer = Issuer::start();
    let protection = builder(&issuer).remember_tokens(0).connect().await.unwrap().require("points:read");
    for _ in 0..3 {
        assert_eq!(told(&protection, &issuer.token(&usual())).await, "ok");
    }
}
