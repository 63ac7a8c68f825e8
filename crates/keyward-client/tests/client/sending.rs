//! Requests with the token, and what happens on a 401.

use keyward_client::{
    Error,
    reqwest::{self, Method, Request},
};
use tokio::task::JoinSet;

use crate::support::{Answer, Fake, nowhere, pass, seconds};

#[tokio::test]
async fn the_token_goes_along() {
    let fake = Fake::start();
    let client = fake.client();
    let reply = client.send(client.post("points").body("250")).await.unwrap();
    assert_eq!(reply.text().await.unwrap(), "250");
    // What the builder had in this header does not matter, nor where the builder came from.
    let own = reqwest::Client::new().get(fake.url("/api/members")).basic_auth("x", Some("y"));
    assert_eq!(client.send(own).await.unwrap().status(), 200);
    let request = Request::new(Method::GET, fake.url("/elsewhere").parse().unwrap());
    assert_eq!(client.execute(request).await.unwrap().status(), 200);
    assert_eq!(fake.bearers(), ["Bearer t1"; 3]);
    let paths: Vec<String> = fake.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/api/points", "/api/members", "/elsewhere"]);
    assert_eq!(fake.asked(), 1);
}

#[tokio::test]
async fn again_with_another_token() {
    let fake = Fake::start();
    for challenge in [None, Some("Bearer"), Some("Bearer realm=\"points\", error=\"invalid_token\"")] {
        let client = fake.client();
        let refused = client.token().await.unwrap();
        fake.refuses(refused.secret());
        if let Some(challenge) = challenge {
            fake.challenges(challenge);
        }
        let reply = client.send(client.post("points").header("x-job", "7").body("250")).await.unwrap();
        assert_eq!((reply.status(), reply.text().await.unwrap().as_str()), (200.try_into().unwrap(), "250"));
        assert_ne!(client.token().await.unwrap().secret(), refused.secret());
    }
    let bearers = ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4", "Bearer t5", "Bearer t6"];
    assert_eq!(fake.bearers(), bearers);
    assert!(fake.calls().iter().all(|call| call.body == "250"));
    assert_eq!(fake.asked(), 6);
}

/// Once, and an API that refuses every token does not make a token request of each call.
#[tokio::test]
async fn not_twice() {
    let fake = Fake::start();
    fake.refuses_all();
    let client = fake.client();
    assert_eq!(client.send(client.get("points")).await.unwrap().status(), 401);
    assert_eq!(fake.bearers(), ["Bearer t1", "Bearer t2"]);
    for _ in 0..5 {
        assert_eq!(client.send(client.get("points")).await.unwrap().status(), 401);
    }
    assert_eq!((fake.calls().len(), fake.asked()), (7, 2));
    pass(seconds(10)).await;
    assert_eq!(client.send(client.get("points")).await.unwrap().status(), 401);
    assert_eq!(fake.bearers()[7..], ["Bearer t2", "Bearer t3"]);
    assert_eq!(fake.asked(), 3);
}

/// Only the token that was refused goes: those who come with it later take its successor.
#[tokio::test]
async fn many_with_one_refused_token() {
    let fake = Fake::start();
    let client = fake.client();
    client.token().await.unwrap();
    fake.refuses("t1");
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { client.send(client.get("points")).await.unwrap().status() });
    }
    assert!(calls.join_all().await.into_iter().all(|status| status == 200));
    assert_eq!(fake.asked(), 2);
}

/// Whatever is not the token's fault is passed on as it is.
#[tokio::test]
async fn no_retry() {
    let fake = Fake::start();
    let client = fake.client();
    assert_eq!(client.send(client.get("forbidden")).await.unwrap().status(), 403);
    assert_eq!(fake.bearers(), ["Bearer t1"]);
    fake.refuses_all();
    for (challenge, calls) in
        ["Basic realm=\"x\"", "Bearer error=\"insufficient_scope\", scope=\"points:adjust\"", "DPoP"]
            .iter()
            .zip(2..)
    {
        fake.challenges(challenge);
        assert_eq!(client.send(client.get("points")).await.unwrap().status(), 401);
        assert_eq!(fake.calls().len(), calls);
    }
    assert_eq!(fake.asked(), 1);
}

/// A stream can be sent only once; what comes after it has the new token.
#[tokio::test]
async fn a_body_that_streams() {
    let fake = Fake::start();
    let client = fake.client();
    let source = client.send(client.post("points").body("250")).await.unwrap();
    fake.refuses("t1");
    let streaming = client.post("points").body(reqwest::Body::from(source));
    assert_eq!(client.send(streaming).await.unwrap().status(), 401);
    assert_eq!(fake.asked(), 1);
    assert_eq!(client.send(client.get("points")).await.unwrap().status(), 200);
    assert_eq!(fake.bearers(), ["Bearer t1", "Bearer t1", "Bearer t2"]);
}

/// When there is no other token, its refusal says more than the API's 401.
#[tokio::test]
async fn no_other_token() {
    let fake = Fake::start();
    let client = fake.client();
    client.token().await.unwrap();
    fake.refuses("t1");
    fake.answers(Answer::error(401, "invalid_client", "This client is disabled."));
    let error = client.send(client.get("points")).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn requests_that_can_not_be_sent() {
    let fake = Fake::start();
    let client = fake.client();
    let malformed = client.get("points").header("x", "a\nb");
    assert!(matches!(client.send(malformed).await, Err(Error::Invalid(_))));
    let relative = fake.options().allow_origin(fake.url("/"));
    assert!(matches!(relative.build().unwrap().send(client.get("http://[")).await, Err(Error::Invalid(_))));
    assert_eq!(fake.asked(), 0);
    // A failure of the API is told apart from one of the authorization server.
    let (_port, nowhere) = nowhere();
    let client = fake.options().api_base(nowhere).build().unwrap();
    let Err(Error::Api(cause)) = client.send(client.get("points?key=hidden")).await else {
        panic!("an API's error")
    };
    assert!(cause.is_connect() && !format!("{cause:?}").contains("hidden"));
}

/// Whoever sends tokens by other means says what became of them: the same is not handed out again.
#[tokio::test]
async fn a_token_that_was_refused_elsewhere() {
    let fake = Fake::start();
    let client = fake.client();
    let token = async || client.token().await.unwrap().secret().to_owned();
    assert_eq!(token().await, "t1");
    assert!(client.reject("t1"));
    assert_eq!(token().await, "t2");
    // Those who come late with the old one take the new one and cost nothing.
    assert!(client.reject("t1") && client.reject("no token of ours"));
    assert_eq!((token().await.as_str(), fake.asked()), ("t2", 2));
    // Not twice in a moment.
    assert!(!client.reject("t2"));
    assert_eq!((token().await.as_str(), fake.asked()), ("t2", 2));
    pass(seconds(10)).await;
    assert!(client.reject("t2"));
    assert_eq!((token().await.as_str(), fake.asked()), ("t3", 3));
}
