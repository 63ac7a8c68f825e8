//! Signing keys are rotated under load, and nobody who verifies tokens refuses a good one: neither a guard, which asks for
//! the keys again when it does not know one, nor who only keeps them for as long as the server says.

use std::{
    collections::HashSet,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use keyward_guard::{Credentials, Guard};
use reqwest::{blocking::Client, header::CACHE_CONTROL};
use serde_json::Value;

use crate::support::{Server, eventually, sqlite, text};

/// For how long others may keep the keys, in seconds: for the server, and for the command that publishes new ones, which
/// sign ten seconds later than that.
const CACHE: (&str, &str) = ("KEYWARD_TOKEN__JWKS_CACHE", "1");
/// When keys are rotated: twice before the first of the new ones signs, and again when the guard has learned of those.
const ROTATIONS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_millis(12_500)];
/// How long the last of the new keys signs before the test ends.
const AFTERWARDS: Duration = Duration::from_secs(2);

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// Keeps the keys for as long as the server says, whatever comes.
struct Obedient<'a> {
    server: &'a Server,
    http: Client,
    keys: JwkSet,
    until: Instant,
}

impl<'a> Obedient<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, http: Client::new(), keys: JwkSet { keys: Vec::new() }, until: Instant::now() }
    }

    fn verify(&mut self, token: &str) -> Result<(), String> {
        if Instant::now() >= self.until {
            let asked = Instant::now();
            let reply = self.http.get(self.server.url("/.well-known/jwks.json")).send().unwrap();
            let told = reply.headers()[CACHE_CONTROL].to_str().unwrap();
            let (_, max_age) = told.split_once("max-age=").unwrap();
            self.until = asked + Duration::from_secs(max_age.parse().unwrap());
            self.keys = reply.json().unwrap();
        }
        let header = jsonwebtoken::decode_header(token).unwrap();
        let jwk = self.keys.find(header.kid.as_deref().unwrap()).ok_or("an unknown key")?;
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[format!("{}/api", self.server.address)]);
        validation.set_issuer(&[&self.server.address]);
        let key = DecodingKey::from_jwk(jwk).unwrap();
        let verified = jsonwebtoken::decode::<Value>(token, &key, &validation);
        verified.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Ends the verifying, also when the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What came of verifying tokens for a while.
#[derive(Default)]
struct Seen {
    verified: usize,
    /// The keys that signed, and a token of each.
    kids: HashSet<String>,
    kept: Vec<String>,
    refused: Vec<String>,
}

/// Gets tokens and verifies them until the time is over, those of keys that were replaced among them.
fn verify(
    server: &Server,
    clients: &[(String, String)],
    done: &AtomicBool,
    mut check: impl FnMut(&str) -> Result<(), String>,
) -> Seen {
    let (http, mut seen) = (Client::new(), Seen::default());
    let began = Instant::now();
    while !done.load(Ordering::SeqCst) {
        for client in clients {
            let reply = server.ask_token(&http, client).unwrap();
            let token = text(&reply.json().unwrap(), "/access_token");
            if seen.kids.insert(kid(&token)) {
                seen.kept.push(token.clone());
            }
            let old = seen.verified % seen.kept.len();
            for token in [&token, &seen.kept[old]] {
                if let Err(why) = check(token) {
                    seen.refused.push(format!("{} after {:?}: {why}", kid(token), began.elapsed()));
                }
                seen.verified += 1;
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    seen
}

#[test]
fn no_good_token_is_refused_while_keys_are_rotated() {
    let database = sqlite();
    let server = Server::start_with(&database, &[CACHE]);
    let admin = server.admin(&database.admin_client());
    let clients =
        ["ES256", "EdDSA"].map(|algorithm| admin.api_client(&algorithm.to_lowercase(), algorithm).1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let guard = Guard::builder(&server.address).audience(format!("{}/api", server.address));
    let guard = runtime.block_on(guard.connect()).unwrap();
    let protection = guard.authenticated();
    let asks_again = |token: &str| {
        let header = format!("Bearer {token}");
        let checked = runtime.block_on(protection.check(&Credentials::new([header.as_bytes()], [])));
        checked.map(|_| ()).map_err(|denial| denial.code().to_owned())
    };
    let mut obedient = Obedient::new(&server);
    let done = AtomicBool::new(false);
    let all_sign = || {
        let states: Vec<Value> = admin.get("signing-keys?per_page=100")["data"].as_array().unwrap().clone();
        !states.iter().any(|key| key["state"] == "published")
    };
    let outcomes = thread::scope(|scope| {
        let verifying = [
            scope.spawn(|| verify(&server, &clients, &done, asks_again)),
            scope.spawn(|| verify(&server, &clients, &done, |token| obedient.verify(token))),
        ];
        let ends = Ends(&done);
        let began = Instant::now();
        for at in ROTATIONS {
            thread::sleep(at.saturating_sub(began.elapsed()));
            let mut rotate = database.keyward(&["signing-key", "rotate"]);
            assert!(rotate.env(CACHE.0, CACHE.1).stdout(Stdio::null()).status().unwrap().success());
        }
        eventually(Duration::from_mins(1), "the last keys sign", all_sign);
        thread::sleep(AFTERWARDS);
        drop(ends);
        verifying.map(|thread| thread.join().unwrap())
    });
    for seen in outcomes {
        assert_eq!(seen.refused.first(), None, "{} of {}", seen.refused.len(), seen.verified);
        // Each algorithm had a key and its successors, and there were many tokens of each.
        assert_eq!(seen.kids.len(), 2 * (1 + ROTATIONS.len()), "of {}", seen.verified);
        assert!(seen.verified > 100 * seen.kids.len(), "{}", seen.verified);
    }
}
