//! Whether a 401 may be the token's fault.

use std::iter::Peekable;
use std::str::CharIndices;

use reqwest::{
    Response, StatusCode, Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

/// Whether another token may help: the reply is a 401 of the place that the token was sent to, and says nothing or that
/// the token is invalid (RFC 6750, section 3.1).
pub(crate) fn blames_token(response: &Response, asked: &Url) -> bool {
    // Beyond a redirect to another origin there was no token.
    response.status() == StatusCode::UNAUTHORIZED
        && response.url().origin() == asked.origin()
        && may_be_the_token(response.headers())
}

fn may_be_the_token(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
    if given.peek().is_none() {
        return true;
    }
    let bearer = given.filter_map(|value| value.to_str().ok()).flat_map(challenges).find(|one| one.bearer);
    bearer.is_some_and(|one| one.error.is_none_or(|error| error == "invalid_token"))
}

/// One challenge of the header (RFC 9110, section 11.6.1).
struct Challenge {
    bearer: bool,
    error: Option<String>,
}

/// The challenges of one header. What is malformed makes no challenge, or one without an error: at worst a token is
/// renewed once for nothing.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for part in split_at_commas(header) {
        let part = part.trim();
        // `Scheme name=value`, `Scheme`, or another parameter of the challenge before.
        let (scheme, parameter) = match part.split_once(' ') {
            Some((scheme, rest)) if !scheme.contains('=') => (Some(scheme), rest.trim()),
            _ if part.is_empty() || part.contains('=') => (None, part),
            _ => (Some(part), ""),
        };
        if let Some(scheme) = scheme {
            found.push(Challenge { bearer: scheme.eq_ignore_ascii_case("Bearer"), error: None });
        }
        if let (Some(challenge), Some((name, value))) = (found.last_mut(), parameter.split_once('='))
            && name.trim().eq_ignore_ascii_case("error")
        {
            challenge.error = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// The parts between the commas that stand outside of quotes.
fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    let mut rest: Peekable<CharIndices<'_>> = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            '\\' if quoted => drop(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn judge(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        may_be_the_token(&headers)
    }

    #[test]
    fn may_be() {
        assert!(judge(&[]));
        assert!(judge(&["Bearer"]));
        assert!(judge(&["bearer realm=\"points\""]));
        assert!(judge(&["Bearer error=\"invalid_token\""]));
        assert!(judge(&["Bearer error=invalid_token"]));
        assert!(judge(&[
            r#"Bearer realm="a, \"b\" error=no", error="invalid_token", error_description="x, y""#
        ]));
        assert!(judge(&["Basic realm=\"x\"", "Bearer error=\"invalid_token\""]));
        assert!(judge(&["Basic realm=\"x\", Bearer realm=\"y\", error=\"invalid_token\""]));
    }

    #[test]
    fn can_not_be() {
        assert!(!judge(&["Basic realm=\"x\""]));
        assert!(!judge(&["DPoP algs=\"ES256\""]));
        assert!(!judge(&["Bearer error=\"insufficient_scope\", scope=\"points:adjust\""]));
        assert!(!judge(&["Bearer realm=\"x\", error=\"invalid_request\""]));
        assert!(!judge(&["Basic realm=\"Bearer error=\\\"invalid_token\\\", Bearer\""]));
        assert!(!judge(&[""]));
    }
}
