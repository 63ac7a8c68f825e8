//! Providers that answer without end, too slowly, or not at all: each attempt ends, having read little.

use std::time::Duration;

use keyward_core::FederationError;
use keyward_federation::{
    oidc::Oidc,
    outbound::{Outbound, OutboundOptions, OutboundRequest},
};
use tokio::task::JoinSet;

use crate::support::{
    impatient, oidc, options,
    provider::{Provider, Script},
    server::{Reply, Server},
};

/// How long a test waits for what must end by itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// What may have left the server when the client has read up to its limit: the limit, and what the operating system holds.
const HELD: usize = 24 << 20;

/// Places where a provider can be hostile, and what the sign-in calls them.
const PLACES: [(&str, &str); 4] = [
    ("/.well-known/openid-configuration", "discovery"),
    ("/jwks", "keys"),
    ("/token", "token"),
    ("/userinfo", "userinfo"),
];

async fn attempt(path: &'static str, reply: Reply, oidc: &Oidc) -> (FederationError, usize) {
    let provider = Provider::start(|script: &mut Script| {
        script.claim("email", None);
        script.instead.push((path, reply));
    })
    .await;
    let outcome = tokio::time::timeout(PATIENCE, provider.sign_in(oidc)).await.expect("it ends");
    (outcome.expect_err(path), provider.server.bytes_served())
}

#[tokio::test]
async fn what_is_too_much_or_wrong_is_given_up() {
    for (path, step) in PLACES {
        for (reply, reason) in [
            (Reply::Endless(vec![b' '; 64 << 10]), "too_large"),
            (Reply::EndlessHead, "not_http"),
            (Reply::Raw(b""), "unreachable"),
            (Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "not_http"),
            (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), "unreachable"),
            (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"), "not_http"),
            (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{"), "too_large"),
        ] {
            let told = format!("{reply:?}").chars().take(80).collect::<String>();
            let (error, served) = attempt(path, reply, &oidc()).await;
            assert_eq!((error.step, error.reason), (step, reason), "{path} {told}: {error}");
            assert!(served < HELD, "{path} {told}: {served} bytes");
        }
    }
    let honest = Provider::start(|script| script.claim("email", None)).await;
    assert!(honest.sign_in(&oidc()).await.is_ok(), "the control");
}

#[tokio::test]
async fn what_does_not_come_is_not_waited_for() {
    let mut attempts = JoinSet::new();
    for (path, step) in PLACES {
        for reply in [Reply::Drip(Duration::from_millis(20)), Reply::Silent] {
            attempts.spawn(async move { (step, attempt(path, reply, &impatient()).await.0) });
        }
    }
    let mut ended = 0;
    while let Some(attempted) = attempts.join_next().await {
        let (step, error) = attempted.unwrap();
        assert_eq!((error.step, error.reason), (step, "timed_out"), "{error}");
        ended += 1;
    }
    assert_eq!(ended, 2 * PLACES.len());
}

/// What is packed can be a thousand times as long when it is unpacked. Here it stays as long as it is.
#[tokio::test]
async fn nothing_is_unpacked() {
    let packed = vec![0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03];
    for (path, step) in PLACES {
        for encoding in ["gzip", "br", "deflate", "identity, gzip"] {
            let reply = Reply::Whole(200, vec![("content-encoding", encoding.to_owned())], packed.clone());
            let (error, _) = attempt(path, reply, &oidc()).await;
            assert_eq!((error.step, error.reason), (step, "compressed"), "{path} {encoding}");
        }
        let (error, _) = attempt(path, Reply::json(packed.clone()), &oidc()).await;
        assert_eq!((error.step, error.reason), (step, "not_json"), "{path}");
    }
}

#[tokio::test]
async fn the_limit_is_exact() {
    let server = Server::start(|_| Reply::json(vec![b'x'; 1_000])).await;
    let fetch = async |max_body, limit| {
        let outbound = Outbound::new(OutboundOptions { max_body, ..options() });
        let url = server.url("/");
        let fetched = outbound.send(OutboundRequest::get(&url).limit(limit)).await;
        fetched.map(|fetched| fetched.body.len()).map_err(|error| error.reason())
    };
    assert_eq!(fetch(1_000, usize::MAX).await, Ok(1_000));
    assert_eq!(fetch(999, usize::MAX).await, Err("too_large"));
    assert_eq!(fetch(usize::MAX, 1_000).await, Ok(1_000));
    assert_eq!(fetch(usize::MAX, 999).await, Err("too_large"));
}

/// A provider that never answers holds its own lane, and nobody else's.
#[tokio::test]
async fn a_silent_provider_is_in_nobody_elses_way() {
    let (silent, good) = (Server::start(|_| Reply::Silent).await, Server::start(|_| Reply::json("{}")).await);
    let options =
        OutboundOptions { allow: crate::support::rules(&["127.0.0.1", "::1", "localhost"]), ..options() };
    let outbound = Outbound::new(OutboundOptions { max_concurrent: 3, max_per_host: 2, ..options });
    let url = silent.url("/");
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let (outbound, url) = (outbound.clone(), url.clone());
            tokio::spawn(async move { outbound.send(OutboundRequest::get(&url)).await.map(drop) })
        })
        .collect();
    while silent.connections() < 2 {
        tokio::task::yield_now().await;
    }
    let other = format!("http://localhost:{}/", good.address.port());
    let answered = outbound.send(OutboundRequest::get(&other)).await.map(|fetched| fetched.status);
    assert_eq!(answered, Ok(200));
    assert_eq!(silent.connections(), 2, "no more than two at once");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
