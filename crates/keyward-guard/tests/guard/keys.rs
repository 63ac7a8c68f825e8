//! The issuer's keys: discovery, rotation, outages, and how often the issuer is asked.

use std::time::Duration;

use keyward_crypto::jws::Algorithm;
use keyward_guard::ConnectError;
use serde_json::json;

use crate::support::{AUDIENCE, Issuer, builder, check, eventually, jump, key, outcome, told, usual};

#[actix_web::test]
async fn a_hundred_callers_at_once_cost_one_request() {
    let issuer = Issuer::start();
    issuer.state().delay = Duration::from_millis(100);
    let protection = builder(&issuer).build().unwrap().require("points:read");
    let token = issuer.token(&usual());
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (protection, token) = (protection.clone(), token.clone());
            actix_web::rt::spawn(async move { told(&protection, &token).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ok");
    }
    assert_eq!((issuer.fetches(), issuer.count("/.well-known/oauth-authorization-server")), (1, 1));
}

/// The request that began a fetch is given up, and others wait for its answer.
#[actix_web::test]
async fn a_caller_that_goes_away_ends_no_fetch() {
    let issuer = Issuer::start();
    issuer.state().delay = Duration::from_millis(100);
    let protection = builder(&issuer).build().unwrap().require("points:read");
    let token = issuer.token(&usual());
    let hasty = tokio::time::timeout(Duration::from_millis(30), told(&protection, &token)).await;
    assert!(hasty.is_err());
    assert_eq!(told(&protection, &token).await, "ok");
    assert_eq!(issuer.fetches(), 1);
}

#[actix_web::test]
async fn an_unknown_kid_causes_one_request_in_thirty_seconds() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    let protection = guard.require("points:read");
    assert_eq!(issuer.fetches(), 1);
    // Strangers make names up.
    for _ in 0..20 {
        let forged = issuer.token_by(&key(Algorithm::Es256), &usual());
        assert_eq!(told(&protection, &forged).await, "token_malformed");
    }
    assert_eq!(issuer.fetches(), 2);
    // A key that the issuer takes on now is learned of when the time is over.
    let new = key(Algorithm::EdDsa);
    issuer.state().keys.insert(0, new.clone());
    let token = issuer.token_by(&new, &usual());
    assert_eq!(told(&protection, &token).await, "token_malformed");
    jump(29).await;
    assert_eq!((told(&protection, &token).await, issuer.fetches()), ("token_malformed", 2));
    jump(1).await;
    assert_eq!((told(&protection, &token).await, issuer.fetches()), ("ok", 3));
}

/// What the issuer really published may be followed by more of it: only requests that bring nothing are rationed.
#[actix_web::test]
async fn rotations_may_follow_each_other() {
    let issuer = Issuer::start();
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    let mut signers = vec![issuer.key()];
    for rotations in 1..=3 {
        signers.push(key(Algorithm::Es256));
        issuer.state().keys.clone_from(&signers);
        for signer in &signers {
            assert_eq!(told(&protection, &issuer.token_by(signer, &usual())).await, "ok");
        }
        assert_eq!(issuer.fetches(), 1 + rotations);
    }
    for _ in 0..20 {
        let forged = issuer.token_by(&key(Algorithm::Es256), &usual());
        assert_eq!(told(&protection, &forged).await, "token_malformed");
    }
    assert_eq!(issuer.fetches(), 5);
}

#[actix_web::test]
async fn a_hundred_unknown_kids_at_once_cost_one_request() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    issuer.state().delay = Duration::from_millis(50);
    let new = key(Algorithm::Es256);
    issuer.state().keys.push(new.clone());
    let callers: Vec<_> = (0..100)
        .map(|number| {
            let protection = guard.require("points:read");
            let signer = if number % 2 == 0 { new.clone() } else { key(Algorithm::EdDsa) };
            let token = issuer.token_by(&signer, &usual());
            actix_web::rt::spawn(async move { told(&protection, &token).await })
        })
        .collect();
    for (number, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.unwrap(), if number % 2 == 0 { "ok" } else { "token_malformed" });
    }
    assert_eq!(issuer.fetches(), 2);
}

#[actix_web::test]
async fn an_outage_is_survived_as_long_as_the_keys_live() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).keys_live(Duration::from_hours(2)).connect().await.unwrap();
    let protection = guard.require("points:read");
    let (token, other) = (issuer.token(&usual()), issuer.token(&json!({ "jti": "t-2" })));
    issuer.state().is_down = true;
    for _ in 0..3 {
        jump(1_700).await;
        assert_eq!(told(&protection, &token).await, "ok");
        // The attempt to refresh goes on beside, and comes to nothing.
        actix_web::rt::time::sleep(Duration::from_millis(30)).await;
    }
    let fetches = issuer.count("/.well-known/oauth-authorization-server");
    assert!(fetches > 1, "it was tried");
    assert_eq!(told(&protection, &other).await, "ok", "a new token needs no issuer");
    jump(2_200).await;
    let denied = check(&protection, &token).await.unwrap_err();
    assert_eq!((denied.status(), denied.code()), (503, "unavailable"));
    assert!(denied.headers().contains(&("retry-after", "1".to_owned())));
    issuer.state().is_down = false;
    jump(2).await;
    assert_eq!(told(&protection, &token).await, "ok");
}

#[actix_web::test]
async fn without_keys_nobody_is_let_in_and_the_issuer_is_not_stormed() {
    let issuer = Issuer::start();
    issuer.state().is_down = true;
    let protection = builder(&issuer).build().unwrap().require("points:read");
    let token = issuer.token(&usual());
    for _ in 0..20 {
        assert_eq!(told(&protection, &token).await, "unavailable");
    }
    assert_eq!(issuer.count("/.well-known/oauth-authorization-server"), 1);
    issuer.state().is_down = false;
    assert_eq!(told(&protection, &token).await, "unavailable");
    jump(1).await;
    assert_eq!(told(&protection, &token).await, "ok");
}

/// A request never waits for a refresh while there is a key.
#[actix_web::test]
async fn stale_keys_are_refreshed_beside_the_requests() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    let protection = guard.require("points:read");
    let token = issuer.token(&usual());
    jump(299).await;
    assert_eq!((told(&protection, &token).await, issuer.fetches()), ("ok", 1));
    issuer.state().delay = Duration::from_millis(1_500);
    jump(1).await;
    let began = std::time::Instant::now();
    for _ in 0..10 {
        assert_eq!(told(&protection, &token).await, "ok");
    }
    assert!(began.elapsed() < Duration::from_millis(1_400), "{:?}", began.elapsed());
    eventually(async || issuer.fetches() == 2).await;
    actix_web::rt::time::sleep(Duration::from_millis(1_600)).await;
    assert_eq!((told(&protection, &token).await, issuer.fetches()), ("ok", 2));
}

#[actix_web::test]
async fn how_long_keys_are_fresh_is_for_the_issuer_to_say_within_bounds() {
    for (cache_control, fresh) in
        [("max-age=60", 60), ("max-age=1", 30), ("no-store", 30), ("max-age=999999999", 3_600), ("", 300)]
    {
        let issuer = Issuer::start();
        issuer.state().cache_control = cache_control;
        let protection = builder(&issuer).connect().await.unwrap().require("points:read");
        let token = issuer.token(&usual());
        jump(fresh - 1).await;
        assert_eq!(told(&protection, &token).await, "ok");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(issuer.fetches(), 1, "{cache_control}");
        jump(1).await;
        assert_eq!(told(&protection, &token).await, "ok");
        eventually(async || issuer.fetches() == 2).await;
    }
}

/// What was verified by a key that is gone is verified again, and so refused.
#[actix_web::test]
async fn tokens_of_a_withdrawn_key_are_forgotten() {
    let issuer = Issuer::start();
    let (first, second) = (issuer.key(), key(Algorithm::Es256));
    issuer.state().keys.push(second.clone());
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    let (token, other) = (issuer.token_by(&first, &usual()), issuer.token_by(&second, &usual()));
    assert_eq!((told(&protection, &token).await, told(&protection, &other).await), ("ok", "ok"));
    issuer.state().keys = vec![second];
    jump(300).await;
    assert_eq!(told(&protection, &other).await, "ok");
    eventually(async || told(&protection, &token).await == "token_malformed").await;
    assert_eq!(told(&protection, &other).await, "ok");
}

#[actix_web::test]
async fn metadata_must_be_the_issuers_own() {
    for metadata in [
        json!({ "issuer": "https://other.example" }),
        json!({ "issuer": null }),
        json!({ "jwks_uri": null }),
        json!({ "jwks_uri": "http://192.0.2.1/jwks" }),
        json!({ "jwks_uri": "file:///etc/passwd" }),
        json!({ "jwks_uri": 7 }),
    ] {
        let issuer = Issuer::start();
        issuer.state().metadata = metadata.clone();
        let failed = builder(&issuer).connect().await;
        assert!(matches!(failed, Err(ConnectError::NoKeys(_))), "{metadata}");
        assert_eq!(issuer.fetches(), 0, "{metadata}");
    }
}

#[actix_web::test]
async fn keys_that_can_not_be_used_are_passed_over() {
    let issuer = Issuer::start();
    let good = issuer.key();
    let odd = json!([
        { "kty": "oct", "k": "AAAA", "kid": "a" }, { "kty": "EC", "crv": "P-521", "kid": "b" }, 7, null,
        { "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "c", "use": "enc" },
    ]);
    let mut keys = odd.as_array().unwrap().clone();
    issuer.state().jwks = Some(json!({ "keys": keys.clone() }));
    assert!(builder(&issuer).connect().await.is_err(), "there is no other key");
    keys.push(good.public_jwk().clone());
    issuer.state().jwks = Some(json!({ "keys": keys }));
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    assert_eq!(told(&protection, &issuer.token(&usual())).await, "ok");
}

#[actix_web::test]
async fn answers_are_bounded_and_redirects_not_followed() {
    let elsewhere = Issuer::start();
    for path in ["/jwks", "/.well-known/oauth-authorization-server"] {
        for to in [format!("{}{path}", elsewhere.url), "/other".to_owned()] {
            let issuer = Issuer::start();
            issuer.state().redirects.insert(path.to_owned(), to.clone());
            assert!(builder(&issuer).connect().await.is_err(), "{path} to {to}");
            assert_eq!(issuer.count("/other"), 0);
        }
    }
    assert!(elsewhere.state().counts.is_empty(), "{:?}", elsewhere.state().counts);
    let issuer = Issuer::start();
    issuer.state().jwks =
        Some(json!({ "keys": [issuer.key().public_jwk()], "padding": "x".repeat(2 << 20) }));
    assert!(builder(&issuer).connect().await.is_err());
}

#[actix_web::test]
async fn the_openid_document_serves_as_well() {
    let issuer = Issuer::start();
    // Where the fake issuer knows nothing, the next document is asked for: here, none of them is there.
    let elsewhere = format!("{}/realms/one", issuer.url);
    let guard = keyward_guard::Guard::builder(elsewhere).audience(AUDIENCE);
    assert!(guard.connect().await.is_err());
    for path in [
        "/.well-known/oauth-authorization-server/realms/one",
        "/realms/one/.well-known/oauth-authorization-server",
        "/realms/one/.well-known/openid-configuration",
    ] {
        assert_eq!(issuer.count(path), 1, "{path}");
    }
}

#[actix_web::test]
async fn keys_can_be_given_or_found_at_an_address() {
    let issuer = Issuer::start();
    let token = issuer.token(&usual());
    let jwks = json!({ "keys": [issuer.key().public_jwk()] });
    let given = builder(&issuer).jwks(jwks).build().unwrap().require("points:read");
    assert_eq!(told(&given, &token).await, "ok");
    let forged = issuer.token_by(&key(Algorithm::Es256), &usual());
    assert_eq!(told(&given, &forged).await, "token_malformed");
    jump(1_000_000).await;
    assert_eq!(told(&given, &token).await, "ok");
    assert!(issuer.state().counts.is_empty());
    let named = builder(&issuer).jwks_url(format!("{}/jwks", issuer.url)).build().unwrap();
    assert_eq!(told(&named.require("points:read"), &token).await, "ok");
    assert_eq!((issuer.fetches(), issuer.state().counts.len()), (1, 1));
}

/// A token that was seen is good until it expires, not longer, whatever is remembered.
#[actix_web::test]
async fn a_remembered_token_expires() {
    use std::sync::Arc;

    use keyward_model::{Clock as _, ManualClock, SystemClock};
    let issuer = Issuer::start();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let guard = builder(&issuer).clock(clock.clone()).connect().await.unwrap();
    let protection = guard.require("points:read");
    let token = issuer.token(&usual());
    for _ in 0..2 {
        assert_eq!(told(&protection, &token).await, "ok");
    }
    // The token is of the machine's clock, which went on for a moment.
    clock.advance_seconds(590);
    assert_eq!(told(&protection, &token).await, "ok");
    clock.advance_seconds(20);
    assert_eq!(told(&protection, &token).await, "token_expired");
    let lenient = builder(&issuer).clock(clock.clone()).leeway(Duration::from_secs(30)).build().unwrap();
    assert_eq!(outcome(&check(&lenient.require("points:read"), &token).await), "ok");
    clock.advance_seconds(30);
    assert_eq!(outcome(&check(&lenient.require("points:read"), &token).await), "token_expired");
}
