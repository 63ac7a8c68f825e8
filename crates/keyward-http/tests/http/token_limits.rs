//! How often a client may ask for a token.

use keyward_core::RateLimit;
use serde_json::json;

use crate::support::{Client, TOKEN, TestApp, made_up, post};

/// After the burst: 429, `temporarily_unavailable`, when to try again; for this client alone.
#[actix_web::test]
async fn over_the_limit() {
    let limit = RateLimit { per_minute: 1, burst: 3 };
    let app = TestApp::with(|options, _| options.token_limit = Some(limit)).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let eager = app.client(&acme, "eager", &["points:read"]).await;
    let patient = app.client(&acme, "patient", &["points:read"]).await;
    for attempt in 0..3 {
        app.ask(&eager, &[]).await.expect(200, &format!("request {attempt} of the burst"));
    }
    for params in [&[][..], &[("scope", "points:read")], &[("tenant", "acme")]] {
        let reply = app.ask(&eager, params).await.expect(429, "beyond the burst");
        let body = reply.json();
        assert_eq!(body["error"], "temporarily_unavailable");
        assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(body.get("access_token").is_none());
        let seconds: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "one a minute comes within a minute: {seconds}");
    }
    app.ask(&patient, &[]).await.expect(200, "another client of the same tenant");
    // A stranger who knows the name learns nothing of the limit, and does not use it up.
    let stranger = Client { secret: made_up('s', "live"), ..patient.clone() };
    for _ in 0..5 {
        app.ask(&stranger, &[]).await.expect(401, "a wrong secret");
    }
    app.ask(&patient, &[]).await.expect(200, "the owner of the secret");
    let denied = app.events(&format!("action=token.denied&actor={}", eager.id)).await;
    assert_eq!(denied.len(), 3, "each refusal is in the audit log");
}

/// By default 600 at once, then one a second.
#[actix_web::test]
async fn the_default() {
    let default = keyward_core::Options::new("http://127.0.0.1:8080").token_limit;
    let app = TestApp::with(|options, _| options.token_limit = default).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let eager = app.client(&acme, "eager", &["points:read"]).await;
    for attempt in 0..600 {
        app.ask(&eager, &[]).await.expect(200, &format!("request {attempt}"));
    }
    let mut refused = false;
    for _ in 0..600 {
        refused |= app.ask(&eager, &[]).await.status == 429;
        if refused {
            break;
        }
    }
    assert!(refused, "1,200 tokens in a moment");
}

/// Without a limit there is none.
#[actix_web::test]
async fn switched_off() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let eager = app.client(&acme, "eager", &["points:read"]).await;
    let body = json!({ "grant_type": "client_credentials" });
    for _ in 0..700 {
        let call = post(TOKEN).basic(&eager.client_id, &eager.secret).json(&body);
        app.send(call).await.expect(200, "no limit");
    }
}
