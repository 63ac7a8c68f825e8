//! The checks of an ID token (`OpenID` Connect Core 1.0 section 3.1.3.7).

use keyward_core::FederationError;
use keyward_crypto::{
    digest::sha256,
    jws::{ForeignAlgorithm, JwsError},
};
use keyward_model::Timestamp;
use serde_json::{Map, Value};

use super::json;

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 60;
/// The longest subject, in bytes (section 2).
const MAX_SUBJECT: usize = 255;

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// The moment since which the person must have authenticated, in seconds since the epoch.
    pub(super) fresh_since: Option<i64>,
    /// The access token that came along.
    pub(super) access_token: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// The claims of a payload whose signature was found good.
pub(super) fn claims(
    payload: &[u8],
    algorithm: ForeignAlgorithm,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, FederationError> {
    let claims = json::object(payload).ok_or_else(|| {
        fault("malformed", "The ID token's claims are no JSON object, or say something twice.")
    })?;
    let read = Claims(&claims);
    if read.text("iss")? != Some(expected.issuer) {
        return Err(fault("wrong_issuer", "The ID token is from another issuer."));
    }
    read.judge_audience(expected.client_id)?;
    read.judge_times(expected)?;
    // Of both the hash is compared, so that the time it takes tells nothing about the nonce.
    let nonce = read.text("nonce")?.map(|nonce| sha256(nonce.as_bytes()));
    if nonce != Some(sha256(expected.nonce.as_bytes())) {
        return Err(fault(
            "wrong_nonce",
            "The ID token was not made for this sign-in: its nonce is missing or another.",
        ));
    }
    if let Some(hash) = read.text("at_hash")?
        && expected.access_token.is_none_or(|token| algorithm.half_hash(token) != hash)
    {
        return Err(fault(
            "wrong_access_token",
            "The access token is not the one that the ID token came with.",
        ));
    }
    match read.text("sub")? {
        Some(subject) if !subject.is_empty() && subject.len() <= MAX_SUBJECT => Ok(claims),
        _ => Err(fault("bad_subject", "The ID token names nobody: its sub is missing, empty or too long.")),
    }
}

struct Claims<'a>(&'a Map<String, Value>);

impl<'a> Claims<'a> {
    /// A claim that is a text where it is there at all.
    fn text(&self, name: &str) -> Result<Option<&'a str>, FederationError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name)),
        }
    }

    /// A moment in whole seconds, where it is there at all.
    fn seconds(&self, name: &str) -> Result<Option<i64>, FederationError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong_type(name)),
        }
    }

    fn judge_audience(&self, client_id: &str) -> Result<(), FederationError> {
        let audiences: Vec<&str> = match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => {
                let texts: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
                texts.ok_or_else(|| wrong_type("aud"))?
            }
            _ => return Err(wrong_type("aud")),
        };
        if !audiences.contains(&client_id) {
            return Err(fault("wrong_audience", "The ID token is for another client."));
        }
        match self.text("azp")? {
            Some(party) if party != client_id => {
                Err(fault("wrong_audience", "The ID token was issued to another client: its azp."))
            }
            None if audiences.len() > 1 => Err(fault(
                "wrong_audience",
                "The ID token is for several clients and does not say for which: no azp.",
            )),
            _ => Ok(()),
        }
    }

    fn judge_times(&self, expected: &Expected<'_>) -> Result<(), FederationError> {
        let now = expected.now.unix_seconds();
        let latest = now.saturating_add(LEEWAY);
        let required = |name| self.seconds(name)?.ok_or_else(|| wrong_type(name));
        if required("exp")?.saturating_add(LEEWAY) <= now {
            return Err(fault(
                "expired",
                "The ID token has expired. If it is new, one of both clocks is wrong.",
            ));
        }
        if required("iat")? > latest || self.seconds("nbf")?.is_some_and(|from| from > latest) {
            return Err(fault(
                "not_yet_valid",
                "The ID token is from the future: one of both clocks is wrong.",
            ));
        }
        let Some(since) = expected.fresh_since else { return Ok(()) };
        match self.seconds("auth_time")? {
            None => Err(fault(
                "not_fresh",
                "The provider was asked to have the person sign in again, and does not say when that was: no auth_time.",
            )),
            Some(at) if at.saturating_add(LEEWAY) < since || at > latest => Err(fault(
                "not_fresh",
                "The provider was asked to have the person sign in again, and did not: the auth_time is another.",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// What is wrong with a signature, for an administrator.
pub(super) fn not_verified(error: JwsError) -> FederationError {
    let (reason, detail) = match error {
        JwsError::UnknownKey => {
            ("unknown_key", "The provider publishes no key that the ID token could be signed with.")
        }
        JwsError::WrongAlgorithm => (
            "wrong_algorithm",
            "The ID token is signed by an algorithm that is not accepted, or not that of the key.",
        ),
        JwsError::WrongType => ("wrong_type", "The token is of another type than an ID token."),
        JwsError::BadSignature => ("bad_signature", "The ID token's signature is wrong."),
        JwsError::Malformed | JwsError::BadKey | JwsError::NotSigned => {
            ("malformed", "The ID token is no signed token in compact form.")
        }
    };
    FederationError::new("signature", reason, detail)
}

fn wrong_type(name: &str) -> FederationError {
    fault("malformed", format!("The ID token's {name} is missing or not of the right type."))
}

fn fault(reason: &'static str, detail: impl Into<String>) -> FederationError {
    FederationError::new("id_token", reason, detail)
}
