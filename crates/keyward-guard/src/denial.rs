//! A refusal as it is told over HTTP: status, headers, and a body of RFC 9457.

use keyward_model::{
    ScopeSet,
    admission::{Reason, Refusal},
};
use serde_json::{Value, json};

/// The media type of a refusal's body (RFC 9457 section 6.1).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The longest `X-Request-Id` that is repeated in a body, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Denial(Kind);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Kind {
    #[error(transparent)]
    Refused(Refusal),
    #[error("The header {0} must not be sent more than once.")]
    Repeated(&'static str),
    #[error("{0}")]
    Unavailable(&'static str),
    #[error("This API is not set up to check this request.")]
    Misconfigured,
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self(Kind::Refused(refusal))
    }
}

impl Denial {
    pub(crate) fn repeated(header: &'static str) -> Self {
        Self(Kind::Repeated(header))
    }

    /// It can't be told now whether the request is good.
    pub(crate) fn unavailable(detail: &'static str) -> Self {
        Self(Kind::Unavailable(detail))
    }

    /// The API's developer made a mistake, which is in the log.
    pub(crate) fn misconfigured() -> Self {
        Self(Kind::Misconfigured)
    }

    /// Why, when a credential is at fault or not enough; nothing for a malformed request and for an outage.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.0 {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The same in short.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.refusal().map(|refusal| refusal.reason)
    }

    /// The HTTP status: 400 for a repeated header, 401, 403 and 429 by the reason, 503 when it can't be decided now, 500
    /// when the API is set up wrongly.
    #[must_use]
    pub fn status(&self) -> u16 {
        match &self.0 {
            Kind::Refused(refusal) => refusal.reason.status(),
            Kind::Repeated(_) => 400,
            Kind::Unavailable(_) => 503,
            Kind::Misconfigured => 500,
        }
    }

    /// What is wrong in a word, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.0 {
            Kind::Refused(refusal) => refusal.reason.code(),
            Kind::Repeated(_) => "invalid_request",
            Kind::Unavailable(_) => "unavailable",
            Kind::Misconfigured => "internal",
        }
    }

    /// The headers that go with it: `Content-Type`, `Cache-Control`, and where they apply `WWW-Authenticate` (RFC 6750
    /// section 3) and `Retry-After`. The values are visible ASCII.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![("content-type", PROBLEM_JSON.to_owned()), ("cache-control", "no-store".to_owned())];
        if let Some(challenge) = self.refusal().and_then(Refusal::challenge) {
            headers.push(("www-authenticate", challenge));
        }
        if matches!(self.status(), 429 | 503) {
            headers.push(("retry-after", "1".to_owned()));
        }
        headers
    }

    /// The body. `request_id` is the request's `X-Request-Id`, repeated if it is fit for it.
    #[must_use]
    pub fn body(&self, request_id: Option<&[u8]>) -> String {
        let title = match self.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status(),
            "detail": self.to_string(),
            "code": self.code(),
        });
        if let Some(id) = request_id.and_then(fit) {
            body["request_id"] = json!(id);
        }
        if let Some(refusal) = self.refusal().filter(|refusal| refusal.reason == Reason::PermissionDenied) {
            body["required_permissions"] = names(&refusal.required);
            body["held_permissions"] = names(&refusal.held);
        }
        body.to_string()
    }
}

fn names(permissions: &ScopeSet) -> Value {
    permissions.iter().map(|permission| Value::from(permission.as_str())).collect()
}

/// An identifier of a request, if it is one.
fn fit(id: &[u8]) -> Option<&str> {
    let fits = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(id).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_status_challenge_and_body() {
        for reason in Reason::ALL {
            let denial = Denial::from(Refusal::new(reason, "Say \"no\".\r\nX: y"));
            let body: Value = serde_json::from_str(&denial.body(Some(b"req-1"))).unwrap();
            assert_eq!(body["status"], reason.status());
            assert_eq!(body["code"], reason.code());
            assert_eq!(body["request_id"], "req-1");
            let is_about_permissions = reason == Reason::PermissionDenied;
            assert_eq!(body.get("held_permissions").is_some(), is_about_permissions);
            let headers = denial.headers();
            let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
            assert_eq!(find("cache-control").unwrap(), "no-store");
            assert_eq!(find("www-authenticate").is_some(), reason != Reason::RateLimited);
            assert_eq!(find("retry-after").is_some(), reason == Reason::RateLimited);
            assert!(headers.iter().all(|(_, value)| value.bytes().all(|byte| matches!(byte, b' '..=b'~'))));
        }
    }

    #[test]
    fn an_identifier_that_is_none_is_left_out() {
        let denial = Denial::unavailable("Later.");
        for id in [&b""[..], b"a b", b"a\n", b"\xff", &[b'a'; 129]] {
            assert!(!denial.body(Some(id)).contains("request_id"), "{id:?}");
        }
        assert_eq!((denial.status(), denial.code()), (503, "unavailable"));
        assert_eq!((Denial::repeated("X-Api-Key").status(), Denial::misconfigured().status()), (400, 500));
    }
}
