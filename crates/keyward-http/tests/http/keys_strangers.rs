//! Guessing at keys: slowed down per address, and told nothing.

use serde_json::json;

use crate::support::{Client, Key, TestApp, VERIFY, forward, post, verdict_of, with_checksum};

const GUESSER: &str = "198.51.100.66";

struct Fixture {
    app: TestApp,
    verifier: Client,
    key: Key,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let key = app.key(&acme, &["points:read"]).await;
    Fixture { verifier: app.verifier().await, key, app }
}

/// A well-formed key that nobody was given, each number its own.
fn guess(number: u32) -> String {
    with_checksum(&format!("kwk_live_{number:043}"))
}

impl Fixture {
    async fn present(&self, key: &str, address: &str) -> String {
        let call = forward("require=api_key&permission=points:read").header("x-api-key", key);
        verdict_of(&self.app.send(call.from(address)).await, &format!("{key} from {address}"))
    }

    /// Guesses until the address is limited: how often.
    async fn guess_until_limited(&self, address: &str) -> u32 {
        for number in 0..20_000 {
            match self.present(&guess(number), address).await.as_str() {
                "key_invalid" => {}
                "rate_limited" => return number,
                other => panic!("a guess was answered with {other}"),
            }
        }
        panic!("20,000 guesses in one moment, and no limit in sight");
    }
}

/// After many attempts: 429 with `Retry-After`, for that address alone, and not for ever.
#[actix_web::test]
async fn guesses_are_limited() {
    let it = fixture().await;
    let guesses = it.guess_until_limited(GUESSER).await;
    assert!(guesses >= 5, "a slip of the hand is no attack: {guesses}");
    assert_eq!(it.present(&guess(30_000), "192.0.2.5").await, "key_invalid", "another address");
    assert_eq!(it.present(&it.key.value, "192.0.2.5").await, "ok", "a good key from there");
    assert_eq!(it.present(&it.key.value, GUESSER).await, "ok", "a good key behind the same address");
    it.app.advance(3_600);
    assert_eq!(it.present(&guess(40_000), GUESSER).await, "key_invalid", "an hour later");
}

/// `verify` limits whoever its caller says that it is, not its caller.
#[actix_web::test]
async fn guesses_through_verify() {
    let it = fixture().await;
    let token = it.app.token(&it.verifier).await;
    let ask = async |key: &str, address: &str| {
        let body = json!({ "key": key, "ip": address });
        let reply = it.app.send(post(VERIFY).json(&body).bearer(&token)).await.expect(200, address);
        reply.json()["code"].as_str().unwrap_or("ok").to_owned()
    };
    let mut limited = false;
    for number in 0..20_000 {
        limited = ask(&guess(number), GUESSER).await == "rate_limited";
        if limited {
            break;
        }
    }
    assert!(limited, "20,000 guesses in one moment, and no limit in sight");
    assert_eq!(ask(&guess(30_000), "192.0.2.5").await, "key_invalid", "another address");
    assert_eq!(ask(&it.key.value, "192.0.2.5").await, "ok");
}

/// Traffic with a good key is no guessing, however much of it there is.
#[actix_web::test]
async fn good_keys_are_not_limited() {
    let it = fixture().await;
    let guesses = it.guess_until_limited(GUESSER).await;
    for _ in 0..(guesses + 50).min(2_000) {
        assert_eq!(it.present(&it.key.value, "192.0.2.5").await, "ok");
    }
}

/// What can't be a key is refused by its checksum alone: nobody has to remember it.
#[actix_web::test]
async fn garbage_is_not_counted() {
    let it = fixture().await;
    let guesses = it.guess_until_limited(GUESSER).await;
    let value = &it.key.value;
    let garbage = format!("{}000000", &value[..value.len() - 6]);
    for _ in 0..(guesses + 50).min(2_000) {
        assert_eq!(it.present(&garbage, "192.0.2.5").await, "key_invalid");
    }
    assert_eq!(it.present(&guess(30_000), "192.0.2.5").await, "key_invalid");
}
