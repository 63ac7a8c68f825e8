//! Access tokens and their times.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use reqwest::header::HeaderValue;
use tokio::time::Instant;

use crate::Error;

/// A token whose end is nearer than this is not used any more: it would expire on its way.
const SPARE: Duration = Duration::from_secs(5);
/// A token is due this long before its end at the latest.
const LEAD: Duration = Duration::from_mins(1);
/// No token is believed to live longer.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// An access token (RFC 6749, section 1.4). Clones are the same token. `Debug` does not show it.
#[derive(Clone)]
pub struct AccessToken(Arc<Held>);

struct Held {
    header: HeaderValue,
    value: String,
    scope: Option<String>,
    renew_at: Instant,
    ends_at: Instant,
}

impl AccessToken {
    /// A token that was asked for at `asked` and lives for `life` from then on: its life began no earlier.
    /// `lead` is how long before the end to renew it, if it is not as usual.
    pub(crate) fn new(
        value: String,
        scope: Option<String>,
        asked: Instant,
        life: Duration,
        lead: Option<Duration>,
    ) -> Result<Self, Error> {
        // Only what RFC 6750, section 2.1, foresees can stand in the header.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let header = HeaderValue::try_from(format!("Bearer {value}"));
        let (false, true, Ok(mut header)) = (value.is_empty(), value.bytes().all(allowed), header) else {
            return Err(Error::unexpected("the access token is none"));
        };
        header.set_sensitive(true);
        let life = life.min(LONGEST);
        let renew_at = asked + life.saturating_sub(early(life, lead, &value));
        let ends_at = asked + life.saturating_sub(SPARE.min(life / 10));
        Ok(Self(Arc::new(Held { header, value, scope, renew_at, ends_at })))
    }

    /// The token itself. Whoever has it has the client's rights: it belongs into an `Authorization` header, and neither
    /// into a log nor into the hands of a browser.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0.value
    }

    /// The permissions in it, with spaces between them, if the server said so (RFC 6749, section 5.1).
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// How long it can still be used. A few seconds before its real end this is nothing.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.ends_at.saturating_duration_since(Instant::now())
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.header.clone()
    }

    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        now < self.0.ends_at
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.0.renew_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("scope", &self.0.scope).finish_non_exhaustive()
    }
}

/// How long before the end of its life a token is renewed: as asked, else a fifth of its life or a minute, whichever is
/// longer. Never more than half of its life, or short tokens would be due from the start; and up to a tenth more, so
/// that the nodes of a service do not renew in step. The token itself, random as it is, decides how much.
fn early(life: Duration, asked: Option<Duration>, value: &str) -> Duration {
    let lead = asked.unwrap_or_else(|| LEAD.max(life / 5)).min(life / 2);
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let thousandths = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
    lead + lead / 10 * thousandths / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(seconds: Duration, least: f64, most: f64) {
        let seconds = seconds.as_secs_f64();
        assert!((least..=most).contains(&seconds), "{seconds}");
    }

    #[test]
    fn how_early() {
        let seconds = Duration::from_secs;
        for token in ["a", "b", "kw.7kQ", ""] {
            between(early(seconds(3_600), None, token), 720.0, 792.0);
            between(early(seconds(120), None, token), 60.0, 66.0);
            between(early(seconds(60), None, token), 30.0, 33.0);
            between(early(seconds(3_600), Some(seconds(10)), token), 10.0, 11.0);
            between(early(seconds(3_600), Some(seconds(9_999)), token), 1_800.0, 1_980.0);
            between(early(seconds(1), None, token), 0.5, 0.55);
        }
        assert_ne!(early(seconds(3_600), None, "a"), early(seconds(3_600), None, "b"));
    }

    #[test]
    fn what_is_no_token() {
        for value in ["", "a b", "a\nb", "ä", "a\"b"] {
            let made = AccessToken::new(value.to_owned(), None, Instant::now(), SPARE, None);
            assert!(matches!(made, Err(Error::Unexpected { .. })), "{value:?}");
        }
    }

    #[test]
    fn an_absurd_life_is_cut() {
        let token = AccessToken::new("a".to_owned(), None, Instant::now(), Duration::MAX, None).unwrap();
        assert!(token.remaining() <= LONGEST);
        assert!(token.is_alive(Instant::now()) && !token.is_due(Instant::now()));
    }
}
