//! Claims that are missing, of the wrong type, or not what this sign-in asked for.

use keyward_crypto::digest::sha256;
use serde_json::json;

use super::{attack, seconds, withstands};
use crate::support::{CLIENT_ID, provider::encode};

#[tokio::test]
async fn claims() {
    let (issuer, audience) = (("id_token", "wrong_issuer"), ("id_token", "wrong_audience"));
    let (malformed, nonce, subject) =
        (("id_token", "malformed"), ("id_token", "wrong_nonce"), ("id_token", "bad_subject"));
    withstands(&[
        attack("another issuer", issuer, |script| script.claim("iss", json!("https://other.example"))),
        attack("the issuer with a slash", issuer, |script| {
            script.claim("iss", json!(format!("{}/", script.issuer)));
        }),
        attack("no issuer", issuer, |script| script.claim("iss", None)),
        attack("issuers", malformed, |script| script.claim("iss", json!([script.issuer]))),
        attack("another audience", audience, |script| script.claim("aud", json!("other"))),
        attack("other audiences", audience, |script| script.claim("aud", json!(["other", "others"])))
            .control(|script| script.claim("aud", json!([CLIENT_ID]))),
        attack("no audience", malformed, |script| script.claim("aud", None)),
        attack("an audience that is no text", malformed, |script| script.claim("aud", json!([CLIENT_ID, 1]))),
        attack("several audiences without azp", audience, |script| {
            script.claim("aud", json!([CLIENT_ID, "other"]));
        })
        .control(|script| {
            script.claim("aud", json!([CLIENT_ID, "other"]));
            script.claim("azp", json!(CLIENT_ID));
        }),
        attack("another azp", audience, |script| script.claim("azp", json!("other")))
            .control(|script| script.claim("azp", json!(CLIENT_ID))),
        attack("expired", ("id_token", "expired"), |script| script.claim("exp", seconds(-60)))
            .control(|script| script.claim("exp", seconds(-59))),
        attack("no expiry", malformed, |script| script.claim("exp", None)),
        attack("an expiry that is a text", malformed, |script| script.claim("exp", json!("4000000000"))),
        attack("an expiry with a fraction", malformed, |script| script.claim("exp", json!(4e9))),
        attack("an expiry that is null", malformed, |script| script.claim("exp", json!(null))),
        attack("an expiry before all time", ("id_token", "expired"), |script| {
            script.claim("exp", json!(i64::MIN));
        }),
        attack("issued in the future", ("id_token", "not_yet_valid"), |script| {
            script.claim("iat", seconds(61));
        })
        .control(|script| script.claim("iat", seconds(60))),
        attack("never issued", malformed, |script| script.claim("iat", None)),
        attack("good from later on", ("id_token", "not_yet_valid"), |script| {
            script.claim("nbf", seconds(61));
        })
        .control(|script| script.claim("nbf", seconds(60))),
        attack("good from a text on", malformed, |script| script.claim("nbf", json!("0"))),
        attack("no nonce", nonce, |script| script.nonce = false),
        attack("another nonce", nonce, |script| script.claim("nonce", json!("another"))),
        attack("a nonce that is empty", nonce, |script| script.claim("nonce", json!(""))),
        attack("a nonce that is no text", malformed, |script| script.claim("nonce", json!(["x"]))),
        attack("the hash of another access token", ("id_token", "wrong_access_token"), |script| {
            script.claim("at_hash", json!(encode(&sha256(b"other")[..16])));
        })
        .control(|script| script.claim("at_hash", json!(encode(&sha256(b"acc3ss")[..16])))),
        attack("nobody", subject, |script| script.claim("sub", None)),
        attack("a subject that is empty", subject, |script| script.claim("sub", json!(""))),
        attack("a subject that is too long", subject, |script| script.claim("sub", json!("s".repeat(256))))
            .control(|script| script.claim("sub", json!("s".repeat(255)))),
        attack("a subject that is a number", malformed, |script| script.claim("sub", json!(1))),
        attack("two subjects", malformed, |script| {
            script.payload = |payload| payload.replacen('{', r#"{"sub":"root","#, 1);
        }),
        attack("two addresses, deep inside", malformed, |script| {
            script.payload = |payload| payload.replacen('{', r#"{"address":{"a":1,"a":2},"#, 1);
        })
        .control(|script| {
            script.payload = |payload| payload.replacen('{', r#"{"address":{"a":1,"b":2},"#, 1);
        }),
        attack("claims that are a list", malformed, |script| {
            script.payload = |payload| format!("[{payload}]");
        }),
        attack("a token of 65 KiB", ("id_token", "too_large"), |script| {
            script.claim("padding", json!("x".repeat(49 << 10)));
        })
        .control(|script| script.claim("padding", json!("x".repeat(40 << 10)))),
        attack("a token of 1 MB", ("token", "too_large"), |script| {
            script.claim("padding", json!("x".repeat(750_000)));
        }),
    ])
    .await;
}

#[tokio::test]
async fn authentication_that_is_not_fresh() {
    let stale = ("id_token", "not_fresh");
    withstands(&[
        attack("without a time", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", None);
        })
        .control(|script| script.claim("auth_time", None)),
        attack("long ago", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", seconds(-61));
        })
        .control(|script| {
            script.fresh = true;
            script.claim("auth_time", seconds(-60));
        }),
        attack("in the future", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", seconds(61));
        })
        .control(|script| script.fresh = true),
        attack("at a time that is a text", ("id_token", "malformed"), |script| {
            script.fresh = true;
            script.claim("auth_time", json!(seconds(0).to_string()));
        })
        .control(|script| script.claim("auth_time", seconds(-86_400))),
    ])
    .await;
}
