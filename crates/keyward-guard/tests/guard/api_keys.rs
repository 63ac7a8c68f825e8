//! API keys: who is asked about them, how often, and what is remembered.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keyward_crypto::credential::CredentialKind;
use keyward_guard::{
    BoxError, BoxFuture, Credentials, Guard, KeyChecker, KeyError, KeyFacts, KeyQuestion, Mode, Protection,
    RemoteKeys, TokenSource,
};
use keyward_model::{Clock as _, ManualClock, SystemClock};
use serde_json::{Value, json};

use crate::support::{
    Issuer, SERVICE_TOKEN, apis, builder, builder_with_keys, check_key, eventually, made_up, now, outcome,
    remote, secret_key,
};

const VERIFY: &str = "/api/v1/keys/verify";

async fn guarded(issuer: &Issuer) -> (Guard, Protection) {
    let guard = builder_with_keys(issuer).mode(Mode::ApiKey).connect().await.unwrap();
    let protection = guard.require("points:read");
    (guard, protection)
}

async fn told(protection: &Protection, key: &str) -> &'static str {
    outcome(&check_key(protection, key).await)
}

#[actix_web::test]
async fn what_can_be_no_key_is_refused_without_asking() {
    let issuer = Issuer::start();
    let (_, protection) = guarded(&issuer).await;
    let good = secret_key(&issuer, "tnt_1", &["points:read"]);
    let mut typo = good.clone();
    typo.replace_range(20..21, if &good[20..21] == "x" { "y" } else { "x" });
    let secret = made_up(CredentialKind::ClientSecret);
    let long = "k".repeat(5_000);
    for key in [&*typo, &*secret, "", "key", &good[1..], &long, "schlüssel"] {
        let told = told(&protection, key).await;
        assert_eq!(told, if key.is_empty() { "credentials_missing" } else { "key_invalid" }, "{key:.20}");
    }
    assert_eq!(issuer.count(VERIFY), 0);
    assert_eq!(told(&protection, &good).await, "ok");
    assert_eq!(issuer.count(VERIFY), 1);
    let question = issuer.state().question.clone();
    let expected = json!({ "key": good, "permissions": [], "environment": "production", "ip": "0.0.0.0" });
    assert_eq!(question, expected);
}

#[actix_web::test]
async fn good_answers_are_remembered_for_a_while_and_bad_ones_for_a_second() {
    let issuer = Issuer::start();
    let builder = builder_with_keys(&issuer).remember_keys(Duration::from_millis(1_500));
    let protection = builder.mode(Mode::ApiKey).connect().await.unwrap().require("points:read");
    let good = secret_key(&issuer, "tnt_1", &["points:read"]);
    let bad = made_up(CredentialKind::ApiKey);
    for _ in 0..10 {
        assert_eq!((told(&protection, &good).await, told(&protection, &bad).await), ("ok", "key_invalid"));
    }
    assert_eq!(issuer.count(VERIFY), 2);
    let verdict = json!({ "valid": false, "code": "key_revoked", "detail": "This key was revoked." });
    issuer.state().verdicts.insert(good.clone(), verdict);
    assert_eq!(told(&protection, &good).await, "ok", "nobody told us");
    eventually(async || told(&protection, &good).await == "key_revoked").await;
    let denied = check_key(&protection, &good).await.unwrap_err();
    assert_eq!(denied.to_string(), "This key was revoked.");
    assert_eq!(told(&protection, &bad).await, "key_invalid");
    assert!(issuer.count(VERIFY) >= 4, "each was asked about again");
}

#[actix_web::test]
async fn a_hundred_requests_with_one_key_cost_one_question() {
    let issuer = Issuer::start();
    let (_, protection) = guarded(&issuer).await;
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    issuer.state().delay = Duration::from_millis(50);
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (protection, key) = (protection.clone(), key.clone());
            actix_web::rt::spawn(async move { told(&protection, &key).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ok");
    }
    assert_eq!(issuer.count(VERIFY), 1);
}

/// A key can be limited to addresses, so an answer is for one address.
#[actix_web::test]
async fn each_address_is_a_question_of_its_own() {
    let issuer = Issuer::start();
    let (guard, _) = guarded(&issuer).await;
    for api in apis(&guard).await {
        let key = secret_key(&issuer, "tnt_1", &["points:read"]);
        let before = issuer.count(VERIFY);
        for (peer, asked) in
            [("203.0.113.7", "203.0.113.7"), ("2001:db8::1", "2001:db8::1"), ("", "127.0.0.1")]
        {
            for _ in 0..2 {
                let headers = [("x-api-key", &*key), ("x-test-peer", peer)];
                assert_eq!(api.outcome("/api_key", &headers).await, "ok", "{} {peer}", api.name);
                let ip: IpAddr = issuer.state().question["ip"].as_str().unwrap().parse().unwrap();
                assert_eq!(ip, asked.parse::<IpAddr>().unwrap(), "{} {peer}", api.name);
            }
        }
        assert_eq!(issuer.count(VERIFY) - before, 3, "{}", api.name);
    }
}

#[actix_web::test]
async fn a_revocation_ends_what_is_remembered() {
    let issuer = Issuer::with_feed();
    let (_, protection) = guarded(&issuer).await;
    for text in ["credential:key_1", "tenant:tnt_1"] {
        let key = secret_key(&issuer, "tnt_1", &["points:read"]);
        assert_eq!(told(&protection, &key).await, "ok");
        issuer.state().verdicts.insert(key.clone(), json!({ "valid": false, "code": "key_revoked" }));
        issuer.revoke(text, Some(now() * 1_000));
        let took = eventually(async || told(&protection, &key).await == "key_revoked").await;
        assert!(took < Duration::from_secs(1), "{text} took {took:?}");
        issuer.revoke(text, Some(1));
        eventually(async || told(&protection, &key).await == "key_revoked").await;
    }
    // The same tenant comes back, with another key: it is asked about, and good.
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    assert_eq!(told(&protection, &key).await, "ok");
}

#[actix_web::test]
async fn an_answer_ends_with_its_key() {
    let issuer = Issuer::start();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let builder = builder_with_keys(&issuer).mode(Mode::ApiKey).clock(clock.clone());
    let protection = builder.connect().await.unwrap().require("points:read");
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    let ends = clock.now().plus_seconds(5);
    issuer.state().verdicts.get_mut(&key).unwrap()["expires_at"] = json!(ends);
    for _ in 0..2 {
        assert_eq!(told(&protection, &key).await, "ok");
    }
    assert_eq!(issuer.count(VERIFY), 1);
    issuer.state().verdicts.insert(key.clone(), json!({ "valid": false, "code": "key_expired" }));
    clock.advance_seconds(4);
    assert_eq!(told(&protection, &key).await, "ok");
    clock.advance_seconds(1);
    assert_eq!(told(&protection, &key).await, "key_expired");
}

#[actix_web::test]
async fn an_issuer_that_can_not_be_asked_is_an_outage_and_no_refusal() {
    let issuer = Issuer::start();
    let (_, protection) = guarded(&issuer).await;
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    issuer.state().is_down = true;
    let denied = check_key(&protection, &key).await.unwrap_err();
    assert_eq!((denied.status(), denied.code()), (503, "unavailable"));
    assert!(!format!("{denied:?} {denied}").contains(&key));
    issuer.state().is_down = false;
    assert_eq!(told(&protection, &key).await, "ok", "an outage is not remembered");
    issuer.state().is_down = true;
    assert_eq!(told(&protection, &key).await, "ok", "a good answer is");
    issuer.state().is_down = false;
    for strange in [json!([]), json!({ "valid": true }), json!({ "valid": true, "tenant_id": "tnt_1" })] {
        let key = secret_key(&issuer, "tnt_1", &[]);
        issuer.state().verdicts.insert(key.clone(), strange.clone());
        assert_eq!(told(&protection, &key).await, "unavailable", "{strange}");
    }
}

#[actix_web::test]
async fn every_refusal_of_keyward_has_its_reason() {
    let issuer = Issuer::start();
    let (_, protection) = guarded(&issuer).await;
    for (code, status) in [
        ("key_invalid", 401),
        ("key_expired", 401),
        ("key_revoked", 401),
        ("token_wrong_environment", 403),
        ("permission_denied", 403),
        ("rate_limited", 429),
    ] {
        let key = secret_key(&issuer, "tnt_1", &[]);
        issuer.state().verdicts.insert(key.clone(), json!({ "valid": false, "code": code }));
        let denied = check_key(&protection, &key).await.unwrap_err();
        assert_eq!((denied.code(), denied.status()), (code, status));
    }
}

/// Hands a stale token out until it is told.
struct Forgetful(Arc<AtomicUsize>);

impl TokenSource for Forgetful {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> BoxFuture<'a, Result<String, BoxError>> {
        if let Some(token) = refused {
            assert_eq!(token, "stale");
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        let stale = self.0.load(Ordering::SeqCst) == 0;
        Box::pin(async move { Ok(if stale { "stale" } else { SERVICE_TOKEN }.to_owned()) })
    }
}

#[actix_web::test]
async fn a_service_token_that_is_refused_is_replaced_once() {
    let issuer = Issuer::start();
    let refusals = Arc::new(AtomicUsize::new(0));
    let keys = RemoteKeys::new(&issuer.url, Forgetful(refusals.clone())).unwrap();
    let protection = builder(&issuer).mode(Mode::ApiKey).api_keys(keys).build().unwrap().require("a");
    let key = secret_key(&issuer, "tnt_1", &["a"]);
    assert_eq!(told(&protection, &key).await, "ok");
    assert_eq!((refusals.load(Ordering::SeqCst), issuer.count(VERIFY)), (1, 2));
    assert_eq!(issuer.state().question.get("environment"), None, "none is asked for");
    // Who has no good token asks twice, and is down.
    let hopeless = remote(&issuer, "wrong");
    let protection = builder(&issuer).mode(Mode::ApiKey).api_keys(hopeless).build().unwrap().require("a");
    assert_eq!(told(&protection, &key).await, "unavailable");
    assert_eq!(issuer.count(VERIFY), 4);
    let failing = RemoteKeys::new(&issuer.url, |_| async { Err::<String, _>(BoxError::from("no token")) });
    let keys = failing.unwrap();
    assert!(!format!("{keys:?}").contains("token"));
    let protection = builder(&issuer).mode(Mode::ApiKey).api_keys(keys).build().unwrap().require("a");
    assert_eq!((told(&protection, &key).await, issuer.count(VERIFY)), ("unavailable", 4));
}

/// Keys of a system of one's own.
struct Own;

impl KeyChecker for Own {
    fn check<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<KeyFacts, KeyError>> {
        assert!(!format!("{question:?}").contains(question.key));
        Box::pin(async move {
            Ok(KeyFacts {
                key_id: Some(question.key.to_owned()),
                tenant_id: "tnt_1".to_owned(),
                permissions: "points:read".parse().unwrap(),
                environment: question.environment.map(str::to_owned),
                expires_at: None,
            })
        })
    }
}

#[actix_web::test]
async fn keys_can_be_checked_by_somebody_else() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).mode(Mode::ApiKey).api_keys(Own).build().unwrap();
    let caller = check_key(&guard.require("points:read"), "mine").await.unwrap();
    assert_eq!((caller.key_id(), caller.environment()), (Some("mine"), None));
    let staging = guard.require("points:read").environment("staging");
    let caller = check_key(&staging, "mine").await.unwrap();
    assert_eq!(caller.environment(), Some("staging"));
    assert_eq!(told(&guard.require("points:adjust"), "mine").await, "permission_denied");
}

/// Nobody is asked about a key when the token has decided.
#[actix_web::test]
async fn a_bad_token_costs_no_question() {
    let issuer = Issuer::start();
    let guard = builder_with_keys(&issuer).connect().await.unwrap();
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    let expired = format!("Bearer {}", issuer.token(&json!({ "exp": 1 })));
    for mode in [Mode::Both, Mode::Either] {
        let credentials = Credentials::new([expired.as_bytes()], [key.as_bytes()]);
        let result = guard.require("points:read").mode(mode).check(&credentials).await;
        assert_eq!(outcome(&result), "token_expired");
    }
    assert_eq!((issuer.count(VERIFY), &issuer.state().question), (0, &Value::Null));
}
