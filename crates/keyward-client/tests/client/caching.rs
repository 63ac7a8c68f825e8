//! One token for many calls, one request for many callers.

use keyward_client::{AccessToken, ClientOptions, ClientSecret, Error, KeywardClient, Narrowing};
use tokio::task::JoinSet;

use crate::support::{Answer, Fake};

fn start_callers(callers: &mut JoinSet<Result<AccessToken, Error>>, client: &KeywardClient, count: usize) {
    for _ in 0..count {
        let client = client.clone();
        callers.spawn(async move { client.token().await });
    }
}

/// Lets all tasks run until each of them waits.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_request_for_many_calls() {
    let fake = Fake::start();
    let client = fake.client();
    for _ in 0..5 {
        assert_eq!(client.token().await.unwrap().secret(), "t1");
    }
    assert_eq!(client.clone().token().await.unwrap().secret(), "t1", "clones share");
    let remaining = client.token().await.unwrap().remaining().as_secs();
    assert!((3_500..3_600).contains(&remaining), "{remaining}");
    assert_eq!(fake.asked(), 1);
    let request = &fake.token_requests()[0];
    // base64 of `acme.crm-sync:kws_test_S3cretS3cretS3cret`
    let basic = "Basic YWNtZS5jcm0tc3luYzprd3NfdGVzdF9TM2NyZXRTM2NyZXRTM2NyZXQ=";
    assert_eq!(request.authorization.as_deref(), Some(basic));
    assert_eq!(request.body, "grant_type=client_credentials");
}

/// RFC 6749, section 2.3.1: both halves are form-encoded.
#[tokio::test]
async fn odd_credentials() {
    let fake = Fake::start();
    let secret = ClientSecret::new("p%w+ä \n");
    ClientOptions::from_token_endpoint(fake.url("/token"), "a:b c", secret)
        .build()
        .unwrap()
        .token()
        .await
        .unwrap();
    // base64 of `a%3Ab+c:p%25w%2B%C3%A4`
    let basic = "Basic YSUzQWIrYzpwJTI1dyUyQiVDMyVBNA==";
    assert_eq!(fake.token_requests()[0].authorization.as_deref(), Some(basic));
}

#[tokio::test]
async fn a_hundred_callers_make_one_request() {
    let fake = Fake::start();
    let client = fake.client();
    fake.hold();
    let mut callers = JoinSet::new();
    start_callers(&mut callers, &client, 100);
    settle().await;
    fake.is_asked(1).await;
    start_callers(&mut callers, &client, 100);
    settle().await;
    fake.release();
    for token in callers.join_all().await {
        assert_eq!(token.unwrap().secret(), "t1");
    }
    assert_eq!(fake.asked(), 1);
}

/// And one failure is everyone's.
#[tokio::test]
async fn a_hundred_callers_fail_once() {
    let fake = Fake::start();
    let client = fake.client();
    fake.answers(Answer::error(401, "invalid_client", "No."));
    fake.hold();
    let mut callers = JoinSet::new();
    start_callers(&mut callers, &client, 100);
    settle().await;
    fake.release();
    for token in callers.join_all().await {
        assert!(matches!(token, Err(Error::Refused { .. })), "{token:?}");
    }
    assert_eq!(fake.asked(), 1);
}

#[tokio::test]
async fn a_cancelled_caller_disturbs_nobody() {
    let fake = Fake::start();
    let client = fake.client();
    fake.hold();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.token().await }
    });
    fake.is_asked(1).await;
    let mut others = JoinSet::new();
    start_callers(&mut others, &client, 10);
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    fake.release();
    for token in others.join_all().await {
        assert_eq!(token.unwrap().secret(), "t1");
    }
    assert_eq!(fake.asked(), 1);
}

/// The request goes on without anybody, and the token is there for who comes next.
#[tokio::test]
async fn all_callers_cancelled() {
    let fake = Fake::start();
    let client = fake.client();
    fake.hold();
    let mut callers = JoinSet::new();
    start_callers(&mut callers, &client, 10);
    fake.is_asked(1).await;
    callers.shutdown().await;
    fake.release();
    assert_eq!(client.token().await.unwrap().secret(), "t1");
    assert_eq!(fake.asked(), 1);
}

/// A request dies with its runtime; who waits on another one asks again.
#[test]
fn a_runtime_that_is_gone() {
    let fake = Fake::start();
    let client = fake.client();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    fake.hold();
    let (first, second) = (runtime(), runtime());
    let asking = first.spawn({
        let client = client.clone();
        async move { client.token().await }
    });
    first.block_on(fake.is_asked(1));
    let waiting = second.spawn(async move { client.token().await });
    second.block_on(settle());
    drop(first);
    assert_eq!(fake.asked(), 1);
    fake.release();
    assert_eq!(second.block_on(waiting).unwrap().unwrap().secret(), "t2");
    assert!(second.block_on(asking).unwrap_err().is_cancelled());
    assert_eq!(fake.asked(), 2);
}

#[tokio::test]
async fn every_narrowing_has_its_own() {
    let fake = Fake::start();
    let base = Narrowing::new().scope("points:read points:adjust");
    let client = fake.options().narrowing(base).build().unwrap();
    let narrowings = [
        Narrowing::new(),
        Narrowing::new().tenant("acme"),
        Narrowing::new().tenant("globex"),
        Narrowing::new().tenant("acme").scope("points:read"),
        Narrowing::new().resource("https://points.example/api"),
    ];
    for _ in 0..3 {
        for (narrowing, number) in narrowings.iter().zip(1..) {
            let token = client.narrowed(narrowing.clone()).token().await.unwrap();
            assert_eq!(token.secret(), format!("t{number}"), "{narrowing:?}");
        }
    }
    // In another order, and by two steps.
    let same = client.narrowed(Narrowing::new().scope("points:adjust points:read"));
    assert_eq!(same.token().await.unwrap().secret(), "t1");
    let same =
        client.narrowed(Narrowing::new().tenant("acme")).narrowed(Narrowing::new().scope("points:read"));
    assert_eq!(same.token().await.unwrap().secret(), "t4");
    let bodies: Vec<String> = fake.token_requests().into_iter().map(|request| request.body).collect();
    let both = "grant_type=client_credentials&scope=points%3Aadjust+points%3Aread";
    assert_eq!(
        bodies,
        [
            both.to_owned(),
            format!("{both}&tenant=acme"),
            format!("{both}&tenant=globex"),
            "grant_type=client_credentials&scope=points%3Aread&tenant=acme".to_owned(),
            format!("{both}&resource=https%3A%2F%2Fpoints.example%2Fapi"),
        ]
    );
}

/// An empty parameter is none to the server, and the token would be for everything.
#[tokio::test]
async fn narrowed_to_nothing() {
    let fake = Fake::start();
    for narrowing in [Narrowing::new().scope(" "), Narrowing::new().tenant(""), Narrowing::new().resource("")]
    {
        let refused = fake.client().narrowed(narrowing).token().await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert_eq!(fake.asked(), 0);
}

#[test]
fn outside_of_a_runtime() {
    use std::task::{Context, Poll, Waker};

    let fake = Fake::start();
    let client = fake.client();
    let mut asking = std::pin::pin!(client.token());
    let polled = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(Error::Invalid(_)))), "{polled:?}");
}
