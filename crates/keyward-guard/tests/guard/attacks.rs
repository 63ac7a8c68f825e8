//! The table of forged and confused tokens, against the guard.

use keyward_crypto::{
    attacks::{Attack, Defect, Target, attacks},
    jws::Algorithm,
};
use keyward_guard::{Credentials, Protection};
use serde_json::json;

use crate::support::{Issuer, apis, builder, check, key, outcome, told};

/// The code with which each kind of attack is refused.
fn expected(defect: Defect) -> &'static str {
    match defect {
        Defect::Expiry => "token_expired",
        Defect::Audience => "token_wrong_audience",
        Defect::Environment => "token_wrong_environment",
        _ => "token_malformed",
    }
}

/// Presents the token bare.
async fn told_bare(protection: &Protection, token: &str) -> &'static str {
    outcome(&protection.check(&Credentials::new([token.as_bytes()], [])).await)
}

#[actix_web::test]
async fn no_attack_is_let_in_and_every_control_is() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let (issuer, trap) = (Issuer::start(), Issuer::start());
        let other = if algorithm == Algorithm::Es256 { Algorithm::EdDsa } else { Algorithm::Es256 };
        let (own, other) = (key(algorithm), key(other));
        issuer.state().keys = vec![own.clone(), other.clone()];
        let guarded = || builder(&issuer).environment("production");
        let protection = guarded().connect().await.unwrap().require("points:read");
        let bare = guarded().accept_bare_tokens().connect().await.unwrap().require("points:read");
        let claims = issuer.claims();
        let target = Target { key: &own, other_kid: other.kid(), claims: &claims, trap: &trap.url };
        let table = attacks(&target).unwrap();
        assert!(table.len() >= 120);
        for Attack { name, defect, token, control } in &table {
            assert_eq!(told(&protection, control).await, "ok", "the control of {name}");
            assert_eq!(told_bare(&bare, control).await, "ok", "the control of {name}");
            // Spaces around a token are no part of it in a header.
            if token.trim_ascii() == token && !token.is_empty() {
                assert_eq!(told(&protection, token).await, expected(*defect), "{name}");
            }
            // A bare token with a space is a scheme and something else.
            if !token.contains(char::is_whitespace) && !token.is_empty() {
                assert_eq!(told_bare(&bare, token).await, expected(*defect), "{name}");
            }
        }
        assert!(
            trap.state().counts.is_empty(),
            "somebody looked where a token pointed: {:?}",
            trap.state().counts
        );
        assert!(issuer.fetches() <= 4, "made up names cost {} requests", issuer.fetches());
    }
}

/// The same over real sockets, in both frameworks.
#[actix_web::test]
async fn no_attack_is_let_in_over_http() {
    let (issuer, trap) = (Issuer::start(), Issuer::start());
    let (own, other) = (issuer.key(), key(Algorithm::EdDsa));
    issuer.state().keys.push(other.clone());
    let guard = builder(&issuer).environment("production").connect().await.unwrap();
    let claims = issuer.claims();
    let target = Target { key: &own, other_kid: other.kid(), claims: &claims, trap: &trap.url };
    let table = attacks(&target).unwrap();
    for api in apis(&guard).await {
        let mut sent = 0;
        for attack in table.iter().filter(|attack| attack.fits_a_header()) {
            let (bad, good) = (format!("Bearer {}", attack.token), format!("Bearer {}", attack.control));
            assert_eq!(api.outcome("/bearer", &[("authorization", &good)]).await, "ok", "{}", attack.name);
            let reply = api.get("/bearer", &[("authorization", &bad)]).await;
            assert_eq!(reply.outcome(), expected(attack.defect), "{} in {}", attack.name, api.name);
            sent += 1;
        }
        assert!(sent >= 100, "{sent}");
    }
    assert!(trap.state().counts.is_empty());
}

/// A token is judged by the whole text, so that no part of another opens anything.
#[actix_web::test]
async fn no_prefix_of_a_token_is_one() {
    let issuer = Issuer::start();
    let protection = builder(&issuer).connect().await.unwrap().require("points:read");
    let token = issuer.token(&json!({}));
    assert_eq!(outcome(&check(&protection, &token).await), "ok");
    for len in (0..token.len()).step_by(7).chain(token.len() - 5..token.len()) {
        let told = outcome(&check(&protection, &token[..len]).await);
        assert!(matches!(told, "token_malformed" | "credentials_missing"), "{len}: {told}");
    }
}
