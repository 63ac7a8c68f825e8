//! What callers learn of failures, and how often a failing server is asked.

use std::{error::Error as _, time::Duration};

use keyward_client::{ClientOptions, ClientSecret, Error, KeywardClient};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Answer, Fake, PATIENCE, nowhere, pass, seconds};

async fn failure(client: &KeywardClient) -> Error {
    client.token().await.unwrap_err()
}

fn after(error: &Error) -> Duration {
    match error {
        Error::RetryLater { after } => *after,
        other => panic!("{other:?}"),
    }
}

/// A broken configuration is not asked about again and again.
#[tokio::test]
async fn refusals_with_growing_pauses() {
    let fake = Fake::start();
    let client = fake.client();
    for _ in 0..8 {
        fake.answers(Answer::error(401, "invalid_client", "This client expired on 3 Nov 2026."));
    }
    for (pause, asked) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().zip(1..) {
        for _ in 0..10 {
            let Error::Refused { error, error_description } = failure(&client).await else {
                panic!("refused")
            };
            assert_eq!(error, "invalid_client");
            assert_eq!(error_description.unwrap(), "This client expired on 3 Nov 2026.");
        }
        assert_eq!(fake.asked(), asked);
        pass(seconds(pause)).await;
    }
    assert_eq!(client.token().await.unwrap().secret(), "t1");
    // And the next failure is the first again.
    fake.answers(Answer::error(400, "invalid_scope", "No."));
    pass(seconds(3_600)).await;
    assert_eq!(failure(&client).await.to_string(), "the token request was refused: invalid_scope (No.)");
    pass(seconds(1)).await;
    assert_eq!(client.token().await.unwrap().secret(), "t2");
}

#[tokio::test]
async fn retry_after_is_respected() {
    for status in [429, 503, 502] {
        let fake = Fake::start();
        let client = fake.client();
        fake.answers(Answer::error(status, "temporarily_unavailable", "").header("retry-after", "30"));
        let told = after(&failure(&client).await);
        assert!(told > seconds(29) && told <= seconds(30), "{told:?}");
        pass(seconds(20)).await;
        let rest = after(&failure(&client).await);
        assert!(rest > seconds(5) && rest <= seconds(10), "{rest:?}");
        assert_eq!(fake.asked(), 1);
        pass(seconds(10)).await;
        assert_eq!(client.token().await.unwrap().secret(), "t1");
        assert_eq!(fake.asked(), 2);
    }
}

/// Without seconds in the header the pause is our own, and an absurd one is cut.
#[tokio::test]
async fn other_retry_afters() {
    let cases = [
        (None, seconds(1)),
        (Some("0"), seconds(1)),
        (Some("Tue, 24 Nov 2026 12:00:00 GMT"), seconds(1)),
        (Some("18446744073709551615"), seconds(3_600)),
    ];
    for (header, pause) in cases {
        let fake = Fake::start();
        let client = fake.client();
        let answer = Answer::error(429, "temporarily_unavailable", "");
        fake.answers(match header {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        });
        let told = after(&failure(&client).await);
        assert!(told <= pause && told * 2 > pause, "{header:?}: {told:?}");
        assert_eq!(
            client.narrowed(keyward_client::Narrowing::new().tenant("a")).token().await.unwrap().secret(),
            "t1"
        );
        pass(pause).await;
        client.token().await.unwrap();
    }
}

#[tokio::test]
async fn nobody_there() {
    let (_port, nowhere) = nowhere();
    let client = ClientOptions::from_token_endpoint(nowhere, "a", ClientSecret::new("b")).build().unwrap();
    let error = failure(&client).await;
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(error.source().is_some(), "the cause is kept");
}

/// A server that closes connections, and then does its work on the same address.
#[tokio::test]
async fn connections_that_are_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
    let closing = tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let client = ClientOptions::from_token_endpoint(endpoint, "a", ClientSecret::new("b")).build().unwrap();
    for _ in 0..3 {
        let error = failure(&client).await;
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        pass(seconds(60)).await;
    }
    closing.abort();
}

#[tokio::test]
async fn no_reply_in_time() {
    let fake = Fake::start();
    let client = fake.options().timeout(seconds(100)).build().unwrap();
    fake.hold();
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.token().await }
    });
    fake.is_asked(1).await;
    pass(seconds(100)).await;
    let failed = tokio::time::timeout(PATIENCE, asking).await.expect("it ends").unwrap();
    let Err(Error::Unreachable(cause)) = failed else { panic!("{failed:?}") };
    assert!(cause.is_timeout());
    fake.release();
    pass(seconds(1)).await;
    assert!(client.token().await.is_ok());
}

#[tokio::test]
async fn replies_that_are_no_oauth() {
    let token = |changed: serde_json::Value| {
        let mut token = json!({ "access_token": "T0ken", "token_type": "Bearer", "expires_in": 60 });
        token.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        Answer::new(200, &token)
    };
    let cases = [
        Answer::new(200, "<html>"),
        Answer::new(200, ""),
        Answer::new(200, &json!({ "access_token": "T0ken", "token_type": "Bearer" })),
        token(json!({ "expires_in": 0 })),
        token(json!({ "expires_in": -5 })),
        token(json!({ "token_type": "mac" })),
        token(json!({ "access_token": "T0ken\nX: y" })),
        token(json!({ "access_token": "" })),
        token(json!({ "padding": "x".repeat(300_000) })),
        Answer::new(302, ""),
        Answer::new(404, "<html>T0ken"),
        Answer::new(400, &json!({ "message": "T0ken" })),
        Answer::new(500, &json!({ "error": "server_error" })),
    ];
    let fake = Fake::start();
    for (answer, asked) in cases.into_iter().zip(1..) {
        let what = format!("{answer:.100?}");
        fake.answers(answer);
        let error = failure(&fake.client()).await;
        assert!(matches!(error, Error::Unexpected { .. }), "{what}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("T0ken"), "{what}: {error:?}");
        assert_eq!(fake.asked(), asked);
    }
}
