//! Renewal before expiry.

use keyward_client::{Error, KeywardClient};
use tokio::task::JoinSet;

use crate::support::{Answer, Fake, pass, seconds, until};

async fn secret(client: &KeywardClient) -> String {
    client.token().await.unwrap().secret().to_owned()
}

/// A client with a token that lives for a minute, so that it is due somewhere from 27 s to 30 s on.
async fn minute() -> (Fake, KeywardClient) {
    let fake = Fake::start();
    fake.lives(60);
    let client = fake.client();
    assert_eq!(secret(&client).await, "t1");
    (fake, client)
}

#[tokio::test]
async fn the_old_token_serves_meanwhile() {
    let (fake, client) = minute().await;
    pass(seconds(25)).await;
    assert_eq!(secret(&client).await, "t1");
    assert_eq!(fake.asked(), 1, "it is not due");
    fake.hold();
    pass(seconds(6)).await;
    for _ in 0..20 {
        assert_eq!(secret(&client).await, "t1", "nobody waits");
    }
    fake.is_asked(2).await;
    assert_eq!(secret(&client).await, "t1");
    fake.release();
    until(async || secret(&client).await == "t2").await;
    assert_eq!(fake.asked(), 2);
    // The new one has a life of its own.
    pass(seconds(25)).await;
    assert_eq!(secret(&client).await, "t2");
    assert_eq!(fake.asked(), 2);
}

#[tokio::test]
async fn many_callers_renew_once() {
    let (fake, client) = minute().await;
    pass(seconds(31)).await;
    fake.hold();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        callers.spawn(async move { secret(&client).await });
    }
    assert!(callers.join_all().await.iter().all(|token| token == "t1"));
    fake.is_asked(2).await;
    fake.release();
    until(async || secret(&client).await == "t2").await;
    assert_eq!(fake.asked(), 2);
}

#[tokio::test]
async fn idle_clients_ask_for_nothing() {
    let (fake, client) = minute().await;
    pass(seconds(86_400)).await;
    assert_eq!(fake.asked(), 1);
    assert_eq!(secret(&client).await, "t2");
}

/// A token is not used up to the very last moment.
#[tokio::test]
async fn the_last_seconds() {
    let (fake, client) = minute().await;
    let token = client.token().await.unwrap();
    pass(seconds(50)).await;
    assert!(!token.remaining().is_zero());
    fake.hold();
    assert_eq!(secret(&client).await, "t1", "due, and alive");
    pass(seconds(6)).await;
    assert!(token.remaining().is_zero());
    fake.release();
    assert_eq!(secret(&client).await, "t2");
}

#[tokio::test]
async fn a_failing_renewal_fails_nobody() {
    let (fake, client) = minute().await;
    pass(seconds(31)).await;
    fake.answers(Answer::error(401, "invalid_client", "This client is disabled."));
    fake.answers(Answer::new(500, "oops"));
    assert_eq!(secret(&client).await, "t1");
    until(async || client.last_failure().is_some()).await;
    assert!(matches!(client.last_failure(), Some(Error::Refused { .. })));
    for _ in 0..20 {
        assert_eq!(secret(&client).await, "t1");
    }
    assert_eq!(fake.asked(), 2, "not at once again");
    pass(seconds(1)).await;
    assert_eq!(secret(&client).await, "t1");
    until(async || matches!(client.last_failure(), Some(Error::Unexpected { .. }))).await;
    pass(seconds(2)).await;
    assert_eq!(secret(&client).await, "t1");
    until(async || client.last_failure().is_none()).await;
    assert_eq!(secret(&client).await, "t2");
    assert_eq!(fake.asked(), 4);
}

/// A renewal that is lost with its runtime is begun again by the next call.
#[test]
fn a_runtime_that_is_gone() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let (fake, client) = first.block_on(minute());
    first.block_on(async {
        pass(seconds(31)).await;
        fake.hold();
        assert_eq!(secret(&client).await, "t1");
        fake.is_asked(2).await;
    });
    drop(first);
    fake.release();
    second.block_on(async {
        pass(seconds(31)).await;
        until(async || secret(&client).await == "t3").await;
    });
    assert_eq!(fake.asked(), 3);
}

/// `Retry-After` holds for renewals too, and when the old token is gone, for callers.
#[tokio::test]
async fn a_throttled_renewal() {
    let (fake, client) = minute().await;
    pass(seconds(31)).await;
    fake.answers(Answer::error(429, "temporarily_unavailable", "Slowly.").header("retry-after", "40"));
    assert_eq!(secret(&client).await, "t1");
    until(async || client.last_failure().is_some()).await;
    pass(seconds(20)).await;
    assert_eq!(secret(&client).await, "t1", "51 s");
    pass(seconds(10)).await;
    let refused = client.token().await.unwrap_err();
    assert!(matches!(refused, Error::RetryLater { after } if after <= seconds(10)), "{refused:?}");
    assert_eq!(fake.asked(), 2);
    pass(seconds(10)).await;
    assert_eq!(secret(&client).await, "t2");
}

#[tokio::test]
async fn earlier_or_later_as_asked() {
    let fake = Fake::start();
    let client = fake.options().renew_before_expiry(seconds(600)).build().unwrap();
    assert_eq!(secret(&client).await, "t1");
    pass(seconds(2_930)).await;
    assert_eq!(secret(&client).await, "t1");
    assert_eq!(fake.asked(), 1);
    pass(seconds(71)).await;
    assert_eq!(secret(&client).await, "t1");
    until(async || secret(&client).await == "t2").await;
}
