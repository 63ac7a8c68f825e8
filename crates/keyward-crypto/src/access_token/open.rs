//! Access tokens as any issuer makes them that follows RFC 9068, read by those who protect an API.

use serde::Deserialize;

use super::{Expected, Registered, TYPES, TokenError, audience_in, check, not_null};
use crate::jws::KeySet;

/// The claims of an access token of any issuer: those that RFC 9068 section 2.2 requires, and what Keyward adds, which
/// others lack. Claims of another type than here, `null` included, are refused (RFC 7519 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenClaims {
    /// The issuer.
    pub iss: String,
    /// The client, or the user, that the token is for.
    pub sub: String,
    /// The APIs that it is for.
    #[serde(deserialize_with = "audience_in")]
    pub aud: Vec<String>,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// When it was issued, in seconds since the epoch.
    pub iat: i64,
    /// From when on it is good, in seconds since the epoch.
    #[serde(default, deserialize_with = "not_null")]
    pub nbf: Option<i64>,
    /// Its identifier.
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The permissions, separated by spaces; none when it is left out.
    #[serde(default)]
    pub scope: String,
    /// Keyward's: the environment.
    #[serde(default, deserialize_with = "not_null")]
    pub env: Option<String>,
    /// Keyward's: the tenants that it is good in.
    #[serde(default, deserialize_with = "not_null")]
    pub tenants: Option<Vec<String>>,
    /// Keyward's: the credential that obtained it.
    #[serde(default, deserialize_with = "not_null")]
    pub credential_id: Option<String>,
}

/// A token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOpen {
    /// What it says.
    pub claims: OpenClaims,
    /// The key that signed it; empty for a key without a name.
    pub kid: String,
}

/// Checks a token of any issuer whole: signature, type, and claims.
pub fn verify_open(keys: &KeySet, token: &str, expected: &Expected<'_>) -> Result<VerifiedOpen, TokenError> {
    let verified = keys.verify_compact(token, &TYPES)?;
    let claims: OpenClaims =
        serde_json::from_slice(&verified.payload).map_err(|_| TokenError::MalformedClaims)?;
    claims.check(expected)?;
    Ok(VerifiedOpen { claims, kid: verified.kid })
}

impl OpenClaims {
    /// Checks the claims of a token whose signature was found good before.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        let Self { iss, sub, aud, exp, iat, nbf, jti, client_id, .. } = self;
        check(
            &Registered { iss, names: [sub, jti, client_id], aud, exp: *exp, iat: *iat, nbf: *nbf },
            expected,
        )
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::jws::{Algorithm, SigningKey, VerifyingKey};

    fn foreign() -> Value {
        json!({
            "iss": "https://issuer.example", "sub": "5ba552d67", "aud": "https://rs.example/", "exp": 1_639_528_912,
            "iat": 1_618_354_090, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4", "client_id": "s6BhdRkqt3",
        })
    }

    #[test]
    fn a_token_needs_what_rfc_9068_requires_and_nothing_of_keyward() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::new(vec![VerifyingKey::from_jwk(key.public_jwk()).unwrap()]);
        let now = Timestamp::from_unix_millis(1_618_354_100_000).unwrap();
        let audiences = ["https://rs.example/"];
        let expected =
            Expected { issuer: "https://issuer.example", audiences: &audiences, now, leeway_seconds: 0 };
        let verify = |claims: &Value| {
            verify_open(&keys, &key.sign_compact("at+jwt", claims.to_string().as_bytes()).unwrap(), &expected)
        };
        let verified = verify(&foreign()).unwrap();
        assert_eq!((verified.kid.as_str(), verified.claims.scope.as_str()), (key.kid(), ""));
        assert_eq!((verified.claims.env, verified.claims.tenants), (None, None));
        for required in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
            let mut claims = foreign();
            claims.as_object_mut().unwrap().remove(required);
            assert_eq!(verify(&claims), Err(TokenError::MalformedClaims), "{required}");
        }
        for named in ["sub", "jti", "client_id"] {
            let mut claims = foreign();
            claims[named] = json!("");
            assert_eq!(verify(&claims), Err(TokenError::MalformedClaims), "{named}");
        }
        for optional in ["nbf", "scope", "env", "tenants", "credential_id"] {
            let mut claims = foreign();
            claims[optional] = json!(null);
            assert_eq!(verify(&claims), Err(TokenError::MalformedClaims), "{optional}");
        }
    }
}
