//! Access tokens (RFC 9068), and the one place where their claims are checked.

mod open;

use std::borrow::Cow;

use keyward_model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::open::{OpenClaims, VerifiedOpen, verify_open};
use crate::jws::{JwsError, KeySet};

/// The values of `typ` that name an access token (RFC 9068 section 4).
pub const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// How far ahead of this clock a token may have been issued, in seconds: clocks of nodes differ.
const ISSUED_AHEAD_SECONDS: i64 = 300;

/// The claims of an access token that was read.
pub type AccessTokenClaims = Claims<'static>;

/// The claims of an access token. Most of a token that is written is there already, and borrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<'a> {
    /// The issuer.
    pub iss: Cow<'a, str>,
    /// The client, or the user, that the token is for.
    pub sub: Cow<'a, str>,
    /// The APIs that it is for; a text when there is one (RFC 7519 section 4.1.3).
    #[serde(serialize_with = "audience_out", deserialize_with = "audience_in")]
    pub aud: Cow<'a, [String]>,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub nbf: Option<i64>,
    /// Its identifier.
    pub jti: String,
    /// The client that it was issued to (RFC 8693 section 4.3).
    pub client_id: Cow<'a, str>,
    /// The permissions, separated by spaces (RFC 8693 section 4.2).
    pub scope: Cow<'a, str>,
    /// The environment.
    pub env: Cow<'a, str>,
    /// The tenants that it is good in; none for the whole platform.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub tenants: Option<Cow<'a, [String]>>,
    /// The tenant, when there is exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub tenant_id: Option<String>,
    /// The partner, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub partner_id: Option<String>,
    /// The roles of a user (RFC 9068 section 2.2.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub roles: Option<Vec<String>>,
    /// The tier of administration of a user.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub admin_role: Option<String>,
    /// The tools that an agent may call.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub tools: Option<Cow<'a, [String]>>,
    /// The credential that obtained it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub credential_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

fn audience_in<'de, D: Deserializer<'de>, A: From<Vec<String>>>(deserializer: D) -> Result<A, D::Error> {
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => vec![one].into(),
        Audience::Many(many) => many.into(),
    })
}

fn audience_out<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if let [one] = audience { serializer.serialize_str(one) } else { audience.serialize(serializer) }
}

/// Reads a claim that may be left out, but that is of its type when it is there: `null` is no way to leave it out, lest
/// a bound of the token be taken for none.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What a token must be to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer that it must name.
    pub issuer: &'a str,
    /// The audiences of which it must name one.
    pub audiences: &'a [&'a str],
    /// The present moment.
    pub now: Timestamp,
    /// How far clocks may differ, in seconds.
    pub leeway_seconds: i64,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no signed token of one of the known keys and of the right type.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A claim is missing or of the wrong type.
    #[error("the claims are not those of an access token")]
    MalformedClaims,
    /// It is from another issuer.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// It is for another API.
    #[error("the token is for another API")]
    WrongAudience,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// It is not good yet.
    #[error("the token is not good yet")]
    NotYetValid,
}

/// Checks a token whole: signature, type, and claims.
pub fn verify_access_token(
    keys: &KeySet,
    token: &str,
    expected: &Expected<'_>,
) -> Result<AccessTokenClaims, TokenError> {
    let verified = keys.verify_compact(token, &TYPES)?;
    let claims: AccessTokenClaims =
        serde_json::from_slice(&verified.payload).map_err(|_| TokenError::MalformedClaims)?;
    check_claims(&claims, expected)?;
    Ok(claims)
}

/// Checks the claims of a token whose signature was found good before.
pub fn check_claims(claims: &AccessTokenClaims, expected: &Expected<'_>) -> Result<(), TokenError> {
    let AccessTokenClaims { iss, sub, aud, exp, iat, nbf, jti, client_id, .. } = claims;
    check(&Registered { iss, names: [sub, jti, client_id], aud, exp: *exp, iat: *iat, nbf: *nbf }, expected)
}

/// The claims by which any token is judged.
struct Registered<'a> {
    iss: &'a str,
    /// Those that name something, and so can't be empty: subject, token, client.
    names: [&'a str; 3],
    aud: &'a [String],
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
}

fn check(claims: &Registered<'_>, expected: &Expected<'_>) -> Result<(), TokenError> {
    let now = expected.now.unix_seconds();
    if claims.names.contains(&"") {
        return Err(TokenError::MalformedClaims);
    }
    if claims.iss != expected.issuer {
        return Err(TokenError::WrongIssuer);
    }
    if !claims.aud.iter().any(|audience| expected.audiences.contains(&audience.as_str())) {
        return Err(TokenError::WrongAudience);
    }
    if claims.exp <= now.saturating_sub(expected.leeway_seconds) {
        return Err(TokenError::Expired);
    }
    let latest = now.saturating_add(expected.leeway_seconds);
    let issued_latest = latest.saturating_add(ISSUED_AHEAD_SECONDS);
    if claims.iat > issued_latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}
