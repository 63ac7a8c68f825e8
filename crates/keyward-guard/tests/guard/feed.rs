//! The revocation feed: what is learned, what is believed, and what happens without it.

use std::time::Duration;

use keyward_crypto::jws::Algorithm;
use keyward_guard::{ConnectError, Guard};
use serde_json::json;

use crate::support::{
    Issuer, builder, builder_with_keys, check, check_key, eventually, jump, key, now, outcome, secret_key,
    told, usual,
};

/// A guard that knows what was revoked.
async fn following(issuer: &Issuer) -> Guard {
    let guard = builder(issuer).connect().await.unwrap();
    assert!(guard.revocations_are_current());
    guard
}

#[actix_web::test]
async fn what_was_revoked_before_the_start_is_known_at_the_first_request() {
    let issuer = Issuer::with_feed();
    issuer.revoke("jti:t-1", None);
    issuer.state().delay = Duration::from_millis(50);
    let connected = builder(&issuer).connect().await.unwrap();
    assert_eq!(told(&connected.require("points:read"), &issuer.token(&usual())).await, "token_revoked");
    let lazy = builder(&issuer).build().unwrap();
    assert_eq!(told(&lazy.require("points:read"), &issuer.token(&usual())).await, "token_revoked");
    let deaf = builder(&issuer).follow_revocations(false).connect().await.unwrap();
    assert_eq!(told(&deaf.require("points:read"), &issuer.token(&usual())).await, "ok");
    assert!(!deaf.revocations_are_current());
}

#[actix_web::test]
async fn a_revocation_counts_at_once_also_for_a_token_that_is_remembered() {
    let issuer = Issuer::with_feed();
    let guard = following(&issuer).await;
    let protection = guard.require("points:read");
    let kid = issuer.key().kid().to_owned();
    let texts = [
        "jti:n-0".to_owned(),
        "credential:sec_1".to_owned(),
        "client:acme.crm".to_owned(),
        "subject:acme.crm".to_owned(),
        "tenant:tnt_1".to_owned(),
        "grant:acme.crm/tnt_1".to_owned(),
        "rights".to_owned(),
        format!("key:{kid}"),
        "all".to_owned(),
    ];
    for (issued, (number, text)) in (now() - 60..).zip(texts.iter().enumerate()) {
        let token = issuer.token(&json!({ "jti": format!("n-{number}"), "iat": issued }));
        assert_eq!(told(&protection, &token).await, "ok", "{text}");
        // Only what was issued by then: the next token is a newer one.
        issuer.revoke(text, Some(issued * 1_000));
        let took = eventually(async || told(&protection, &token).await == "token_revoked").await;
        assert!(took < Duration::from_secs(1), "{text} took {took:?}");
    }
}

#[actix_web::test]
async fn a_token_keeps_the_tenants_that_are_left() {
    let issuer = Issuer::with_feed();
    let protection = following(&issuer).await.require("points:read");
    let token = issuer.token(&json!({ "tenants": ["tnt_1", "tnt_2"] }));
    issuer.revoke("tenant:tnt_1", None);
    eventually(async || !check(&protection, &token).await.unwrap().may_act_in("tnt_1")).await;
    assert_eq!(check(&protection, &token).await.unwrap().tenants(), Some(vec!["tnt_2"]));
    // What comes back does so for what is issued from then on.
    issuer.revoke("tenant:tnt_1", Some((now() - 5) * 1_000));
    eventually(async || check(&protection, &token).await.unwrap().may_act_in("tnt_1")).await;
    issuer.revoke("tenant:tnt_1", None);
    issuer.revoke("grant:acme.crm/tnt_2", None);
    eventually(async || told(&protection, &token).await == "token_revoked").await;
}

#[actix_web::test]
async fn the_feed_is_read_on_from_the_cursor() {
    let issuer = Issuer::with_feed();
    issuer.revoke("jti:x", None);
    let guard = following(&issuer).await;
    eventually(async || issuer.state().readings.len() >= 2).await;
    assert_eq!(issuer.state().readings[..2], ["", "cursor=1&wait_seconds=25"]);
    issuer.revoke("jti:t-1", None);
    eventually(async || issuer.state().readings.len() >= 3).await;
    assert_eq!(issuer.state().readings[2], "cursor=2&wait_seconds=25");
    // An outage is survived with what is known, and read on from there.
    issuer.state().is_down = true;
    eventually(async || !guard.revocations_are_current()).await;
    assert_eq!(told(&guard.require("points:read"), &issuer.token(&usual())).await, "token_revoked");
    issuer.revoke("jti:t-2", None);
    issuer.state().is_down = false;
    eventually(async || guard.revocations_are_current()).await;
    assert!(issuer.state().readings.iter().skip(1).all(|reading| !reading.is_empty()));
    let second = issuer.token(&json!({ "jti": "t-2" }));
    assert_eq!(told(&guard.require("points:read"), &second).await, "token_revoked");
    let third = issuer.token(&json!({ "jti": "t-3" }));
    assert_eq!(told(&guard.require("points:read"), &third).await, "ok");
}

#[actix_web::test]
async fn only_the_issuers_own_and_present_word_is_believed() {
    let issuer = Issuer::with_feed();
    let guard = following(&issuer).await;
    let protection = guard.require("points:read");
    let token = issuer.token(&usual());
    let (own, stranger) = (issuer.key(), key(Algorithm::Es256));
    let feed = |iat: i64| issuer.feed(iat, &["jti:t-1"]);
    let mut of_another = feed(now());
    of_another.iss = "https://other.example".to_owned();
    let payload = serde_json::to_vec(&feed(now())).unwrap();
    let signed = feed(now()).sign(&own).unwrap();
    let (body, signature) = signed.rsplit_once('.').unwrap();
    let mut changed = signature.to_owned();
    changed.replace_range(10..11, if &signature[10..11] == "A" { "B" } else { "A" });
    for (what, reply) in [
        ("signed by a stranger", feed(now()).sign(&stranger).unwrap()),
        ("with another signature", format!("{body}.{changed}")),
        ("of another issuer", of_another.sign(&own).unwrap()),
        ("of another type", own.sign_compact("at+jwt", &payload).unwrap()),
        ("without signature", format!("{body}.")),
        ("replayed", feed(now() - 60).sign(&own).unwrap()),
        ("of long ago", feed(1).sign(&own).unwrap()),
        ("of the future", feed(now() + 3_600).sign(&own).unwrap()),
        ("not of the form", own.sign_compact("revocations+jwt", b"{}").unwrap()),
        ("no token", "<html>".to_owned()),
        ("nothing", String::new()),
    ] {
        issuer.state().feed_reply = Some(reply);
        eventually(async || !guard.revocations_are_current()).await;
        assert_eq!(told(&protection, &token).await, "ok", "a reply {what}");
        // The next good reply is taken.
        eventually(async || guard.revocations_are_current()).await;
    }
    // The control: the same reply, signed now by the issuer.
    issuer.state().feed_reply = Some(feed(now()).sign(&own).unwrap());
    eventually(async || told(&protection, &token).await == "token_revoked").await;
}

/// A feed that a new key signs is as good as a token that a new key signs.
#[actix_web::test]
async fn a_rotation_does_not_end_the_feed() {
    let issuer = Issuer::with_feed();
    let protection = following(&issuer).await.require("points:read");
    let (old, new) = (issuer.key(), key(Algorithm::Es256));
    let token = issuer.token_by(&old, &usual());
    issuer.state().keys = vec![new, old];
    issuer.revoke("jti:t-1", None);
    eventually(async || told(&protection, &token).await == "token_revoked").await;
}

/// When every token is revoked, so may a key have been.
#[actix_web::test]
async fn a_revocation_of_a_key_makes_the_keys_be_read_again() {
    let issuer = Issuer::with_feed();
    let guard = following(&issuer).await;
    let (old, new) = (issuer.key(), key(Algorithm::Es256));
    issuer.state().keys = vec![new.clone(), old.clone()];
    let protection = guard.require("points:read");
    assert_eq!(told(&protection, &issuer.token_by(&new, &usual())).await, "ok");
    jump(6).await;
    issuer.state().keys = vec![new.clone()];
    issuer.revoke(&format!("key:{}", old.kid()), None);
    let fetches = issuer.fetches();
    eventually(async || told(&protection, &issuer.token_by(&old, &usual())).await != "ok").await;
    eventually(async || issuer.fetches() > fetches).await;
    assert_eq!(told(&protection, &issuer.token_by(&new, &usual())).await, "ok");
}

#[actix_web::test]
async fn who_requires_it_is_refused_while_revocations_are_not_known() {
    let issuer = Issuer::with_feed();
    let strict = builder_with_keys(&issuer).require_fresh_revocations(Duration::from_secs(4));
    let guard = strict.connect().await.unwrap();
    let lenient = following(&issuer).await.require("points:read");
    let protection = guard.require("points:read");
    let token = issuer.token(&usual());
    assert_eq!(told(&protection, &token).await, "ok");
    eventually(async || issuer.state().readings.iter().any(|query| query.ends_with("wait_seconds=2"))).await;
    issuer.state().is_down = true;
    eventually(async || told(&protection, &token).await == "unavailable").await;
    assert_eq!(told(&lenient, &token).await, "ok");
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    let keys = protection.clone().mode(keyward_guard::Mode::ApiKey);
    assert_eq!(outcome(&check_key(&keys, &key).await), "unavailable");
    assert_eq!(told(&protection, "x.y.z").await, "token_malformed", "what is no token needs no feed");
    issuer.state().is_down = false;
    eventually(async || told(&protection, &token).await == "ok").await;
}

#[actix_web::test]
async fn an_issuer_without_a_feed_has_nothing_to_follow() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    assert_eq!(told(&guard.require("points:read"), &issuer.token(&usual())).await, "ok");
    assert!(!guard.revocations_are_current());
    assert_eq!(issuer.count("/revocations"), 0);
    let strict = builder(&issuer).require_fresh_revocations(Duration::from_mins(1)).connect().await.unwrap();
    assert_eq!(told(&strict.require("points:read"), &issuer.token(&usual())).await, "unavailable");
}

#[actix_web::test]
async fn a_feed_that_is_there_and_can_not_be_read_is_an_error_at_the_start() {
    let issuer = Issuer::with_feed();
    issuer.state().metadata = json!({ "revocation_feed_endpoint": format!("{}/nowhere", issuer.url) });
    let failed = builder(&issuer).connect().await;
    assert!(matches!(failed, Err(ConnectError::NoFeed(_))), "{failed:?}");
    let lazy = builder(&issuer).build().unwrap();
    assert_eq!(told(&lazy.require("points:read"), &issuer.token(&usual())).await, "ok");
}

/// A guard that nobody holds asks for nothing.
#[actix_web::test]
async fn the_feed_is_left_when_the_guard_is() {
    let issuer = Issuer::with_feed();
    let guard = following(&issuer).await;
    eventually(async || issuer.state().readings.len() >= 2).await;
    drop(guard);
    issuer.revoke("jti:x", None);
    actix_web::rt::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(issuer.state().readings.len(), 2);
}
