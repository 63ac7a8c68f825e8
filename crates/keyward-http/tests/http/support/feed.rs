//! The revocation feed, read as its documentation tells everybody to, apart from Keyward's own code.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Jwt, TestApp, decode, get};

/// Where the feed is.
pub(crate) const FEED: &str = "/oauth2/revocations";

/// What stands in an entry for a subject's text.
pub(crate) fn subject(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

/// The moment of issue that is in a `jti`: milliseconds since the epoch.
pub(crate) fn issued_at(jti: &str) -> i64 {
    assert_eq!(jti.len(), 26, "{jti}");
    // Ten digits of five bits each, of which the first two bits are zero.
    let value = |digit: char| {
        let place = "0123456789abcdefghjkmnpqrstvwxyz".find(digit);
        i64::try_from(place.unwrap_or_else(|| panic!("{jti}"))).unwrap()
    };
    jti.chars().take(10).fold(0, |sum, digit| sum << 5 | value(digit))
}

/// A reply of the feed.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) jws: Jwt,
}

impl Feed {
    pub(crate) fn cursor(&self) -> &str {
        self.jws.claims["cursor"].as_str().unwrap()
    }

    pub(crate) fn entries(&self) -> &Vec<Value> {
        self.jws.claims["revocations"].as_array().unwrap()
    }

    /// The last entry about this text.
    pub(crate) fn about(&self, text: &str) -> Option<&Value> {
        let subject = subject(text);
        self.entries().iter().rev().find(|entry| entry["subject"] == subject)
    }
}

impl TestApp {
    /// Reads the feed and verifies the reply.
    pub(crate) async fn feed(&self, query: &str) -> Feed {
        let call = if query.is_empty() { get(FEED) } else { get(FEED).query(query) };
        let reply = self.send(call).await.expect(200, query);
        assert!(
            reply.header("content-type").starts_with("application/jwt"),
            "{}",
            reply.header("content-type")
        );
        let jws = decode(&reply.text());
        assert_eq!(jws.header["typ"], "revocations+jwt");
        assert!(jws.verifies(&self.jwks().await), "the signature of the feed");
        let feed = Feed { jws };
        for entry in feed.entries() {
            let subject = entry["subject"].as_str().unwrap_or_else(|| panic!("{entry}"));
            assert_eq!(URL_SAFE_NO_PAD.decode(subject).unwrap().len(), 16, "{entry}");
            assert!(entry["until"].is_i64(), "{entry}");
            assert!(entry.get("before").is_none_or(Value::is_i64), "{entry}");
        }
        feed
    }

    /// The feed after this cursor.
    pub(crate) async fn feed_after(&self, cursor: &str) -> Feed {
        let query: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        self.feed(&format!("cursor={query}")).await
    }
}

/// What an API that follows the feed knows.
#[derive(Default)]
pub(crate) struct Follower {
    known: HashMap<String, (Option<i64>, i64)>,
    cursor: Option<String>,
}

impl Follower {
    /// Reads on.
    pub(crate) async fn read(&mut self, app: &TestApp) {
        let feed = match &self.cursor {
            Some(cursor) => app.feed_after(cursor).await,
            None => app.feed("").await,
        };
        for entry in feed.entries() {
            let subject = entry["subject"].as_str().unwrap().to_owned();
            self.known.insert(subject, (entry["before"].as_i64(), entry["until"].as_i64().unwrap()));
        }
        self.cursor = Some(feed.cursor().to_owned());
    }

    /// Whether an entry about the text covers what was issued then.
    fn covers(&self, text: &str, issued: i64, now: i64) -> bool {
        self.known
            .get(&subject(text))
            .is_some_and(|(before, until)| *until > now && before.is_none_or(|before| issued <= before))
    }

    /// The tenants that are left to a token, or nothing when it is revoked. `secret` obtained it.
    pub(crate) fn sees(&self, token: &str, secret: &str, now: i64) -> Option<Vec<String>> {
        let token = decode(token);
        let (jti, client, sub) = (token.text("jti"), token.text("client_id"), token.text("sub"));
        let issued = issued_at(jti);
        let whole = [
            format!("jti:{jti}"),
            format!("credential:{secret}"),
            format!("client:{client}"),
            format!("subject:{sub}"),
            format!("key:{}", token.header["kid"].as_str().unwrap()),
            "rights".to_owned(),
            "all".to_owned(),
        ];
        if whole.iter().any(|text| self.covers(text, issued, now)) {
            return None;
        }
        let all = token.tenants();
        let dead = |tenant: &String| {
            [format!("tenant:{tenant}"), format!("grant:{client}/{tenant}")]
                .iter()
                .any(|text| self.covers(text, issued, now))
        };
        let left: Vec<String> = all.iter().filter(|tenant| !dead(tenant)).cloned().collect();
        (all.is_empty() || !left.is_empty()).then_some(left)
    }
}
