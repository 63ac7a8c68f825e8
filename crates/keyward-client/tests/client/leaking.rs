//! Where secret and token must not get.

use std::error::Error as _;

use keyward_client::{ClientOptions, ClientSecret, Error, Narrowing};

use crate::support::{Answer, Fake, SECRET, nowhere};

/// What an error shows in all ways.
fn shown(error: &Error) -> String {
    let (mut texts, mut cause) = (vec![format!("{error} {error:?}")], error.source());
    while let Some(error) = cause {
        texts.push(format!("{error} {error:?}"));
        cause = error.source();
    }
    texts.join(" ")
}

#[tokio::test]
async fn other_origins() {
    let (fake, other) = (Fake::start(), Fake::start());
    let client = fake.client();
    let elsewhere = [
        other.url("/api/points"),
        fake.url("/api/points").replace("127.0.0.1", "localhost"),
        fake.url("/api/points").replace("http:", "https:"),
        other.url("/x").replace("http:", ""),
        fake.url("/x").replace("http://", "http://user@evil."),
    ];
    for url in &elsewhere {
        let refused = client.send(client.get(url)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{url}: {refused:?}");
    }
    assert_eq!((fake.asked(), fake.calls().len(), other.calls().len()), (0, 0, 0));
    let client = fake.options().allow_origin(other.url("/whatever")).build().unwrap();
    assert_eq!(client.send(client.get(&other.url("/api/points"))).await.unwrap().status(), 200);
    assert_eq!(other.bearers(), ["Bearer t1"]);
}

/// reqwest takes `Authorization` off when host, port or scheme change. Even if the other origin is an allowed one:
/// where a redirect leads is not the caller's choice. The 401 there is no fault of the token.
#[tokio::test]
async fn redirects() {
    let (fake, other) = (Fake::start(), Fake::start());
    let client = fake.options().allow_origin(other.url("/")).build().unwrap();
    let same_host = client.get(&format!("redirect?{}", fake.url("/api/points")));
    assert_eq!(client.send(same_host).await.unwrap().status(), 200);
    assert_eq!(fake.bearers(), ["Bearer t1"; 2], "the control");
    for target in [other.url("/api/points"), other.url("/api/points").replace("127.0.0.1", "localhost")] {
        let redirected = client.send(client.post(&format!("redirect?{target}")).body("250")).await.unwrap();
        assert_eq!(redirected.status(), 401);
    }
    let another_host = fake.url("/api/points").replace("127.0.0.1", "localhost");
    assert_eq!(client.send(client.get(&format!("redirect?{another_host}"))).await.unwrap().status(), 401);
    assert_eq!(fake.asked(), 1);
    // And not on the way back either.
    let back = other.url(&format!("/redirect?{}", fake.url("/api/points")));
    client.send(client.get(&format!("redirect?{back}"))).await.unwrap();
    assert!(other.calls().len() >= 3 && other.bearers().iter().all(String::is_empty), "{:?}", other.calls());
}

/// A token endpoint does not move: its redirects are failures, and the secret does not follow them.
#[tokio::test]
async fn redirects_of_the_token_endpoint() {
    let (fake, other) = (Fake::start(), Fake::start());
    for status in [302, 303, 307, 308] {
        fake.answers(Answer::new(status, "").header("location", other.url("/token")));
        let error = fake.client().token().await.unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
    }
    let requests = other.token_requests();
    assert!(requests.iter().all(|request| request.authorization.is_none()), "{requests:?}");
    assert!(requests.iter().all(|request| !request.body.contains(SECRET)), "{requests:?}");
}

#[tokio::test]
async fn nothing_shows_them() {
    let fake = Fake::start();
    let options = fake.options();
    let client = options.clone().build().unwrap();
    let token = client.token().await.unwrap();
    let shown_things = format!("{options:?} {client:?} {token:?} {:#?}", ClientSecret::new(SECRET));
    assert!(shown_things.contains("acme.crm-sync") && !shown_things.contains(SECRET), "{shown_things}");
    assert!(!shown_things.contains("t1"), "{shown_things}");
    // Not even when the server repeats it, in an error that would go into a log.
    let echo = format!("The secret\n{SECRET}\u{7} is wrong. {}", "x".repeat(10_000));
    fake.answers(Answer::error(401, "invalid_client", &echo));
    let error = fake.client().token().await.unwrap_err();
    let text = shown(&error);
    assert!(text.contains("is wrong") && !text.contains(SECRET), "{text}");
    assert!(text.len() < 2_000 && !text.contains('\u{7}'));
    let (_port, nowhere) = nowhere();
    let endpoint = format!("{nowhere}?key=hidden");
    let client =
        ClientOptions::from_token_endpoint(endpoint, "a", ClientSecret::new(SECRET)).build().unwrap();
    let text = shown(&client.token().await.unwrap_err());
    assert!(text.contains("out of reach") && !text.contains(SECRET) && !text.contains("hidden"), "{text}");
}

#[test]
fn addresses_in_plain_sight() {
    let secret = || ClientSecret::new(SECRET);
    let issuer = |url: &str| ClientOptions::from_issuer(url, "a", secret());
    let endpoint = |url: &str| ClientOptions::from_token_endpoint(url, "a", secret());
    for url in
        ["https://id.example", "http://127.0.0.1:1", "http://127.8.7.6", "http://[::1]:1", "http://localhost"]
    {
        for options in [issuer(url), endpoint(url), issuer("https://id.example").api_base(url)] {
            assert!(options.build().is_ok(), "{url}");
        }
    }
    let bad = [
        "http://id.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "id.example",
        "",
        "https://user@id.example",
        "https://user:word@id.example",
        "https://id.example#x",
    ];
    for url in bad {
        let fine = || issuer("https://id.example");
        for options in [issuer(url), endpoint(url), fine().api_base(url), fine().allow_origin(url)] {
            let refused = options.build();
            assert!(matches!(refused, Err(Error::Invalid(_))), "{url}: {refused:?}");
        }
    }
    assert!(issuer("http://id.example").allow_insecure_http(true).build().is_ok());
    assert!(issuer("ftp://id.example").allow_insecure_http(true).build().is_err());
    assert!(issuer("https://id.example?a").build().is_err());
    assert!(ClientOptions::from_issuer("https://id.example", "", secret()).build().is_err());
    assert!(ClientOptions::from_issuer("https://id.example", "a", ClientSecret::new(" ")).build().is_err());
    let narrowed = issuer("https://id.example").narrowing(Narrowing::new().tenant("acme")).build().unwrap();
    assert!(format!("{narrowed:?}").contains("acme"));
}
