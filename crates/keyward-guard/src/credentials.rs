//! What a request brings along, before anything of it is believed.

use std::{fmt, net::IpAddr};

use keyward_model::admission::{Reason, Refusal, bearer};

/// The header that carries an access token.
pub(crate) const AUTHORIZATION: &str = "Authorization";
/// The header that carries an API key.
pub(crate) const API_KEY: &str = "X-Api-Key";

/// A header, which may be there once.
#[derive(Clone, Copy, Default)]
enum Sent<'a> {
    #[default]
    Nothing,
    One(&'a [u8]),
    Repeated,
}

impl<'a> FromIterator<&'a [u8]> for Sent<'a> {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(values: I) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(one), None) => Self::One(one),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }
}

/// The credentials of a request as they were sent. `Debug` shows which there are, never a value.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    authorization: Sent<'a>,
    api_key: Sent<'a>,
    pub(crate) peer: Option<IpAddr>,
}

impl<'a> Credentials<'a> {
    /// The credentials from **all** values of `Authorization` and of `X-Api-Key`, so that a repeated header is seen.
    pub fn new(
        authorization: impl IntoIterator<Item = &'a [u8]>,
        api_key: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let (authorization, api_key) = (authorization.into_iter().collect(), api_key.into_iter().collect());
        Self { authorization, api_key, peer: None }
    }

    /// The address that the request comes from, as far as it is known: an API key can be limited to some. Without one,
    /// such a key is refused.
    #[must_use]
    pub fn from_address(mut self, peer: Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// The value of `Authorization`, if it was sent and is text.
    #[must_use]
    pub fn authorization(&self) -> Option<&'a str> {
        trimmed(self.authorization).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The value of `X-Api-Key`, if it was sent and is text.
    #[must_use]
    pub fn api_key(&self) -> Option<&'a str> {
        trimmed(self.api_key).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The address that the request comes from, as far as it is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The name of a header that was sent more than once.
    pub(crate) fn repeated(&self) -> Option<&'static str> {
        match (self.authorization, self.api_key) {
            (Sent::Repeated, _) => Some(AUTHORIZATION),
            (_, Sent::Repeated) => Some(API_KEY),
            _ => None,
        }
    }

    /// The access token (RFC 6750 section 2.1); `bare` also takes one without the word `Bearer`.
    pub(crate) fn token(&self, bare: bool) -> Option<Result<&'a str, Refusal>> {
        let Ok(value) = std::str::from_utf8(trimmed(self.authorization)?) else {
            let detail = "The token is not an access token of this issuer.";
            return Some(Err(Refusal::new(Reason::TokenMalformed, detail)));
        };
        match bearer(value) {
            Some(Err(_)) if bare && !value.contains(' ') => Some(Ok(value)),
            token => token,
        }
    }

    /// The API key.
    pub(crate) fn key(&self) -> Option<Result<&'a str, Refusal>> {
        let value = trimmed(self.api_key)?;
        Some(
            std::str::from_utf8(value)
                .map_err(|_| Refusal::new(Reason::KeyInvalid, "There is no such API key.")),
        )
    }
}

/// A value that is not empty.
fn trimmed(header: Sent<'_>) -> Option<&[u8]> {
    match header {
        Sent::One(value) => Some(value.trim_ascii()).filter(|value| !value.is_empty()),
        Sent::Nothing | Sent::Repeated => None,
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |sent: Sent<'_>| match sent {
            Sent::Nothing => "none",
            Sent::One(_) => "one",
            Sent::Repeated => "several",
        };
        f.debug_struct("Credentials")
            .field("authorization", &told(self.authorization))
            .field("api_key", &told(self.api_key))
            .field("peer", &self.peer)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(value: &str, bare: bool) -> Result<&str, &'static str> {
        match Credentials::new([value.as_bytes()], []).token(bare) {
            None => Err("none"),
            Some(result) => result.map_err(|refusal| refusal.reason.code()),
        }
    }

    #[test]
    fn a_token_stands_behind_the_word_bearer() {
        for (value, with_scheme, bare) in [
            ("Bearer abc", Ok("abc"), Ok("abc")),
            ("bEARER   abc", Ok("abc"), Ok("abc")),
            ("  Bearer abc ", Ok("abc"), Ok("abc")),
            ("abc", Err("scheme_missing"), Ok("abc")),
            ("Basic abc", Err("scheme_missing"), Err("scheme_missing")),
            ("Bearerabc", Err("scheme_missing"), Ok("Bearerabc")),
            ("abc def", Err("scheme_missing"), Err("scheme_missing")),
            ("Bearer", Err("none"), Err("none")),
            ("Bearer ", Err("none"), Err("none")),
            ("", Err("none"), Err("none")),
            ("Bearer a b", Ok("a b"), Ok("a b")),
            ("Bearer\tabc", Err("scheme_missing"), Ok("Bearer\tabc")),
        ] {
            assert_eq!((token(value, false), token(value, true)), (with_scheme, bare), "{value:?}");
        }
        let refusal = Credentials::new([&b"Bearer \xff"[..]], []).token(false).unwrap().unwrap_err();
        assert_eq!(refusal.reason, Reason::TokenMalformed);
    }

    #[test]
    fn a_repeated_header_is_seen() {
        let twice = [&b"Bearer a"[..], b"Bearer a"];
        assert_eq!(Credentials::new(twice, []).repeated(), Some("Authorization"));
        assert_eq!(Credentials::new([], [&b""[..], b""]).repeated(), Some("X-Api-Key"));
        assert_eq!(Credentials::new([&b"x"[..]], [&b"y"[..]]).repeated(), None);
        let shown = format!("{:?}", Credentials::new([&b"Bearer s3cret"[..]], [&b"s3cret"[..]]));
        assert!(!shown.contains("s3cret") && shown.contains("one"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            value in proptest::collection::vec(any::<u8>(), 0..60), text in "(bearer|Basic)? {0,3}[ -~]{0,20}"
        ) {
            for value in [&value[..], text.as_bytes()] {
                let credentials = Credentials::new([value], [value]);
                let _ = (credentials.token(true), credentials.token(false), credentials.key());
                // What is taken for a token is a part of what was sent.
                if let Some(Ok(token)) = credentials.token(true) {
                    prop_assert!(value.windows(token.len().max(1)).any(|part| part == token.as_bytes()));
                }
            }
        }
    }
}
