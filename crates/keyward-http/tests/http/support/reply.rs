//! Replies, and what must hold for each of them.

use actix_web::{
    http::{Method, header::HeaderMap},
    web::Bytes,
};
use serde_json::Value;

use super::call::{ADMIN, Call, TOKEN};

/// A reply that was read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A header; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The same reply, when it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16, why: &str) -> Self {
        assert_eq!(self.status, status, "{why}: {}", self.text());
        self
    }

    /// The pointers of a validation problem.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap_or("(none)").to_owned()).collect()
    }

    /// A validation problem (422) whose errors are complete, one of them at `pointer` or below it.
    #[track_caller]
    pub(crate) fn expect_invalid(&self, pointer: &str, why: &str) {
        assert_eq!(self.status, 422, "{why}: {}", self.text());
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        for error in &errors {
            for member in ["pointer", "code", "detail"] {
                assert!(error[member].is_string(), "{why}: an error lacks {member}: {}", self.text());
            }
        }
        let below = format!("{pointer}/");
        let found = self.pointers().iter().any(|at| at == pointer || at.starts_with(&below));
        assert!(found, "{why}: no error at {pointer}: {}", self.text());
    }

    /// A validation problem at exactly this pointer with this code.
    #[track_caller]
    pub(crate) fn expect_error(&self, pointer: &str, code: &str, why: &str) {
        assert_eq!(self.status, 422, "{why}: {}", self.text());
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let found = errors.iter().any(|error| error["pointer"] == pointer && error["code"] == code);
        assert!(found, "{why}: no {code} at {pointer}: {}", self.text());
    }
}

/// What the contract says of every reply, whatever was asked.
#[track_caller]
pub(crate) fn check_always(call: &Call, reply: &Reply) {
    let what = format!("{} {} answered {} {}", call.method, call.uri, reply.status, reply.text());
    assert!(!reply.header("x-request-id").is_empty(), "no X-Request-Id: {what}");
    if call.path() == TOKEN {
        assert!(reply.header("cache-control").contains("no-store"), "no Cache-Control: no-store: {what}");
    }
    match reply.status {
        405 => assert!(!reply.header("allow").is_empty(), "no Allow: {what}"),
        429 => {
            let seconds: u64 = reply.header("retry-after").parse().unwrap_or(0);
            assert!(seconds >= 1, "no Retry-After: {what}");
        }
        _ => {}
    }
    if call.path().starts_with(ADMIN) && reply.status >= 400 && call.method != Method::HEAD {
        check_problem(reply, &what);
    }
    if call.path().starts_with(ADMIN) && reply.status < 300 {
        check_moments(&reply.json(), &what);
        check_secrets(call, reply, &what);
    }
}

/// RFC 3339, UTC, milliseconds, `Z`, wherever a name ends in `_at`.
#[track_caller]
fn check_moments(value: &Value, what: &str) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name.ends_with("_at") && !value.is_null() {
                    let text = value.as_str().unwrap_or("");
                    let shape: String =
                        text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
                    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{name} is {value}: {what}");
                }
                // What people keep in their own documents is not Keyward's.
                if !["settings", "branding", "custom_attributes"].contains(&name.as_str()) {
                    check_moments(value, what);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_moments(item, what)),
        _ => {}
    }
}

/// A secret is in the reply that creates it, which nobody keeps, and nowhere else.
#[track_caller]
fn check_secrets(call: &Call, reply: &Reply, what: &str) {
    let text = reply.text();
    let is_secret = |word: &&str| {
        let kind = word.strip_prefix("kw").and_then(|rest| rest.chars().next());
        word.len() == 58 && kind.is_some_and(|kind| "skarb".contains(kind))
    };
    let secrets = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(is_secret).count();
    if secrets > 0 {
        // A bulk request may create many things, each with its secret.
        let expected = if call.path().ends_with("/bulk") { (200, secrets) } else { (201, 1) };
        assert_eq!((reply.status, secrets), expected, "a secret is shown: {what}");
        assert!(reply.header("cache-control").contains("no-store"), "no Cache-Control: no-store: {what}");
    }
}

/// RFC 9457, with the members that the contract adds.
#[track_caller]
fn check_problem(reply: &Reply, what: &str) {
    assert!(reply.header("content-type").starts_with("application/problem+json"), "no problem: {what}");
    let body = reply.json();
    for member in ["type", "title", "detail", "code", "request_id"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {what}");
    }
    assert_eq!(body["status"], reply.status, "{what}");
    assert_eq!(body["request_id"], reply.header("x-request-id"), "{what}");
    check_discreet(body["detail"].as_str().unwrap_or(""), what);
    match reply.status {
        401 => {
            let challenge = reply.header("www-authenticate");
            assert!(challenge.starts_with("Bearer"), "no Bearer challenge: {what}");
            assert!(challenge.contains("resource_metadata="), "no resource_metadata: {what}");
        }
        403 => {
            assert!(body["required_permissions"].is_array(), "no required_permissions: {what}");
            assert!(body["held_permissions"].is_array(), "no held_permissions: {what}");
        }
        _ => {}
    }
}

/// What a text for strangers reveals of the inside: a stack, an internal name, a credential.
pub(crate) fn revealed(text: &str) -> Option<&'static str> {
    let folded = text.to_ascii_lowercase();
    let internals =
        ["serde", "actix", "josekit", "diesel", "sqlite", "postgres", "::", ".rs", "panick", "backtrace"];
    let mut all = internals.into_iter().chain(["some(", "err(", "unwrap", "_live_", "_test_"]);
    all.find(|internal| folded.contains(internal))
}

/// Refuses a text that reveals something.
#[track_caller]
pub(crate) fn check_discreet(text: &str, what: &str) {
    assert_eq!(revealed(text), None, "{what}");
}
