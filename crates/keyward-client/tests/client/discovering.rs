//! The token endpoint through the issuer's metadata (RFC 8414).

use keyward_client::{ClientOptions, ClientSecret, Error, KeywardClient, Narrowing};

use crate::support::{Answer, Fake, metadata, pass, seconds};

fn client(issuer: String) -> KeywardClient {
    ClientOptions::from_issuer(issuer, "a", ClientSecret::new("b")).build().unwrap()
}

#[tokio::test]
async fn found_once() {
    let fake = Fake::start();
    let client = client(fake.url(""));
    let acme = client.narrowed(Narrowing::new().tenant("acme"));
    let (one, two) = tokio::join!(client.token(), acme.token());
    assert!(one.is_ok() && two.is_ok());
    pass(seconds(3_600)).await;
    client.token().await.unwrap();
    assert_eq!((fake.metadata_requests(), fake.asked()), (1, 3));
    // The issuer's own origin may have the token.
    assert_eq!(client.send(client.get(&fake.url("/api/v1/admin/tenants"))).await.unwrap().status(), 200);
}

/// A slash at the end makes no other issuer.
#[tokio::test]
async fn slashes() {
    let fake = Fake::start();
    assert!(client(fake.url("/")).token().await.is_ok());
    fake.has_metadata(Answer::new(200, &metadata(&fake.url("/"), &fake.url("/token"))));
    assert!(client(fake.url("")).token().await.is_ok());
}

/// Nothing that is not the issuer's own word counts, and no secret is sent because of it.
#[tokio::test]
async fn metadata_that_are_not_believed() {
    let fake = Fake::start();
    let (issuer, endpoint) = (fake.url(""), fake.url("/token"));
    let other = Fake::start();
    let cases = [
        Answer::new(200, &metadata("https://id.example", &endpoint)),
        Answer::new(200, &metadata(&issuer.replace("127.0.0.1", "localhost"), &endpoint)),
        Answer::new(200, &metadata(&format!("{issuer}/a"), &endpoint)),
        Answer::new(200, &metadata(&issuer, "http://id.example/token")),
        Answer::new(200, &metadata(&issuer, "/token")),
        Answer::new(200, &metadata(&issuer, &endpoint.replace("//", "//user:word@"))),
        Answer::new(200, "<html>"),
        Answer::new(404, &metadata(&issuer, &endpoint)),
        Answer::new(307, "").header("location", other.url("/.well-known/oauth-authorization-server")),
    ];
    for answer in cases {
        let what = format!("{answer:?}");
        fake.has_metadata(answer);
        let refused = client(issuer.clone()).token().await;
        assert!(matches!(refused, Err(Error::Unexpected { .. })), "{what}: {refused:?}");
    }
    assert_eq!((fake.asked(), other.asked()), (0, 0));
}

#[tokio::test]
async fn a_busy_issuer() {
    let fake = Fake::start();
    let good = Answer::new(200, &metadata(&fake.url(""), &fake.url("/token")));
    fake.has_metadata(Answer::new(503, "").header("retry-after", "30"));
    let client = client(fake.url(""));
    for _ in 0..5 {
        let later = client.token().await;
        assert!(matches!(later, Err(Error::RetryLater { .. })), "{later:?}");
    }
    assert_eq!(fake.metadata_requests(), 1);
    fake.has_metadata(good);
    pass(seconds(30)).await;
    assert!(client.token().await.is_ok());
}

/// An endpoint that went away is looked for again.
#[tokio::test]
async fn an_endpoint_that_moved() {
    let (fake, other) = (Fake::start(), Fake::start());
    let client = client(fake.url(""));
    assert!(client.token().await.is_ok());
    fake.has_metadata(Answer::new(200, &metadata(&fake.url(""), &other.url("/token"))));
    fake.answers(Answer::new(404, "not here any more"));
    pass(seconds(3_600)).await;
    assert!(matches!(client.token().await, Err(Error::Unexpected { status: Some(404), .. })));
    pass(seconds(1)).await;
    assert!(client.token().await.is_ok());
    assert_eq!((fake.asked(), other.asked()), (2, 1));
}
