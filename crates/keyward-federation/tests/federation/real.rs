//! Sign-ins through a provider that somebody else wrote: `oidc-provider` on Node.js.

use std::{collections::HashMap, env, path::PathBuf, process::Stdio};

use keyward_core::{Answer, Arrival, FederationError, Trip, Upstream};
use keyward_federation::oidc::Oidc;
use keyward_model::{Clock, SeededRandom, SystemClock, Timestamp};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::{CLIENT_SECRET, RETURN_URL, configured, oidc, query};

/// The provider; it is stopped when dropped.
struct Real {
    _child: Child,
    issuer: String,
}

impl Real {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let folder = env::var_os("KEYWARD_TEST_NODE_DIR");
        let folder = folder.expect("KEYWARD_TEST_NODE_DIR is not set: run this test by scripts/test");
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(RETURN_URL)
            .env("KEYWARD_TEST_NODE_DIR", folder)
            .env("NODE_NO_WARNINGS", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the provider says where it listens");
            if line.starts_with("http://") {
                // What else it says must not make it wait.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Self { _child: child, issuer: line };
            }
        }
    }

    fn upstream(&self, client_id: &str, secret: Option<&str>) -> Upstream {
        let scopes = ["openid", "email", "profile", "groups"];
        configured(json!({ "issuer": self.issuer, "client_id": client_id, "scopes": scopes }), secret)
    }
}

/// A browser: it keeps cookies, and goes where it is sent until that is back at Keyward.
#[derive(Default)]
struct Browser {
    http: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, ..Self::default() }
    }

    /// The parameters with which it comes back.
    async fn goes(&mut self, location: &str) -> Vec<(String, String)> {
        let mut at = url::Url::parse(location).unwrap();
        for _ in 0..10 {
            if at.as_str().starts_with(RETURN_URL) {
                return at.query_pairs().into_owned().collect();
            }
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let reply = self.http.get(at.clone()).header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in reply.headers().get_all(SET_COOKIE) {
                let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let next = reply.headers().get(LOCATION).map(|next| next.to_str().unwrap().to_owned());
            let Some(next) = next else { panic!("{at}: {}", reply.text().await.unwrap()) };
            at = at.join(&next).unwrap();
        }
        panic!("the provider sends the browser in circles")
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

async fn sign_in(
    oidc: &Oidc,
    upstream: &Upstream,
    browser: &mut Browser,
    fresh: bool,
) -> Result<Arrival, FederationError> {
    let random = SeededRandom::new(now().unix_millis());
    let trip =
        Trip { state: "the-state", login_hint: Some("ada@acme.example"), fresh, now: now(), random: &random };
    let departure = oidc.depart(upstream, &trip).await?;
    let answer = browser.goes(&departure.location).await;
    assert!(answer.contains(&("state".to_owned(), "the-state".to_owned())), "{answer:?}");
    oidc.arrive(upstream, &departure.remembered, &Answer::Oidc(answer), now()).await
}

#[tokio::test]
async fn every_algorithm() {
    let (real, oidc) = (Real::start(&[]).await, oidc());
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"] {
        let upstream = real.upstream(&format!("web:{algorithm}"), Some(CLIENT_SECRET));
        let arrival = sign_in(&oidc, &upstream, &mut Browser::new(), false).await.expect(algorithm);
        assert_eq!(arrival.subject, "248289761001");
        assert_eq!((arrival.email.as_deref(), arrival.email_verified), (Some("ada@acme.example"), true));
        assert_eq!(arrival.name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(arrival.claims["groups"], json!(["staff", "admins"]), "they are told at userinfo");
    }
}

#[tokio::test]
async fn every_way_to_authenticate() {
    for (methods, id, secret) in [
        ("client_secret_post", "post", Some(CLIENT_SECRET)),
        ("none", "public", None),
        ("client_secret_basic", "web:ES256", Some(CLIENT_SECRET)),
    ] {
        let real = Real::start(&[("AUTH_METHODS", methods), ("CLAIMS", "id_token")]).await;
        let arrival = sign_in(&oidc(), &real.upstream(id, secret), &mut Browser::new(), false).await;
        assert_eq!(arrival.expect(methods).email.as_deref(), Some("ada@acme.example"));
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_provider() {
    let real = Real::start(&[]).await;
    let upstream = real.upstream("web:ES256", Some("wrong"));
    let error = sign_in(&oidc(), &upstream, &mut Browser::new(), false).await.unwrap_err();
    assert_eq!((error.step, error.reason), ("token", "client_refused"));
}

#[tokio::test]
async fn a_fresh_sign_in_asks_again() {
    let (real, oidc, mut browser) = (Real::start(&[]).await, oidc(), Browser::new());
    let upstream = real.upstream("web:ES256", Some(CLIENT_SECRET));
    let first = sign_in(&oidc, &upstream, &mut browser, false).await.unwrap();
    let again = sign_in(&oidc, &upstream, &mut browser, false).await.unwrap();
    assert!(!first.claims.contains_key("auth_time") && !again.claims.contains_key("auth_time"));
    let fresh = sign_in(&oidc, &upstream, &mut browser, true).await.unwrap();
    let at = fresh.claims["auth_time"].as_i64().unwrap();
    assert!(now().unix_seconds() - at < 60, "authenticated at {at}");
}

#[tokio::test]
async fn answers_are_good_once_and_for_their_own_trip() {
    let (real, oidc, mut browser) = (Real::start(&[]).await, oidc(), Browser::new());
    let upstream = real.upstream("web:ES256", Some(CLIENT_SECRET));
    let random = SeededRandom::new(1);
    let trip = Trip { state: "the-state", login_hint: None, fresh: false, now: now(), random: &random };
    let mine = oidc.depart(&upstream, &trip).await.unwrap();
    let other = oidc.depart(&upstream, &trip).await.unwrap();
    let answer = Answer::Oidc(browser.goes(&mine.location).await);
    let arrive = async |remembered: &str| oidc.arrive(&upstream, remembered, &answer, now()).await;
    // Another trip's verifier: PKCE, enforced by the provider.
    assert_eq!(arrive(&other.remembered).await.unwrap_err().reason, "code_refused");
    let answer = Answer::Oidc(browser.goes(&mine.location).await);
    let arrive = async |remembered: &str| oidc.arrive(&upstream, remembered, &answer, now()).await;
    // The right verifier and another nonce: enforced here.
    let nonce = &query(&mine.location)["nonce"];
    let confused = mine.remembered.replace(nonce.as_str(), &query(&other.location)["nonce"]);
    assert_eq!(arrive(&confused).await.unwrap_err().reason, "wrong_nonce");
    assert_eq!(arrive(&mine.remembered).await.unwrap_err().reason, "code_refused", "the code was used");
    let answer = Answer::Oidc(browser.goes(&mine.location).await);
    assert!(oidc.arrive(&upstream, &mine.remembered, &answer, now()).await.is_ok(), "the control");
}

#[tokio::test]
async fn a_check_finds_everything_in_order() {
    let real = Real::start(&[]).await;
    let steps = oidc().check(&real.upstream("web:ES256", Some(CLIENT_SECRET)), now()).await;
    assert!(steps.len() == 4 && steps.iter().all(|step| step.passed), "{steps:?}");
}
