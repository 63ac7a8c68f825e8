//! Forged and confused tokens, for the tests of whatever verifies access tokens (RFC 8725, RFC 9068 section 5).
//!
//! One table serves them all, so that no way of presenting a token is checked less than another. Each attack comes with a
//! control: the same token without its one defect, which has to be accepted, or the attack proves nothing.
//!
//! The names are fit for files, and no two are alike: written to a folder, the tokens are a corpus to fuzz from.

mod claims;
mod der;
mod form;
mod header;
mod key;
mod signature;

use serde_json::{Value, json};

use crate::jws::{JwsError, SigningKey, encode};

/// What the tokens are made for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// A key with which the issuer signs.
    pub key: &'a SigningKey,
    /// The `kid` of another key that the issuer publishes, of another algorithm.
    pub other_kid: &'a str,
    /// The claims of a token that is accepted now; `iss`, `aud` and `sub` must be texts.
    pub claims: &'a Value,
    /// An address that nobody may ask because a token says so: where the test listens.
    pub trap: &'a str,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is no compact JWS.
    Form,
    /// Its header asks for something that must not be done.
    Header,
    /// It was not signed by the key that it has to be signed by, or it is not signed.
    Signature,
    /// It is another kind of token.
    Type,
    /// A claim is missing, of the wrong type, or says what no issuer says.
    Claims,
    /// It is from another issuer.
    Issuer,
    /// It has expired.
    Expiry,
    /// It is for another API.
    Audience,
    /// It is for another environment. Of interest to those who protect one environment.
    Environment,
}

/// A token that must not be accepted.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What it is, in words that are fit for the name of a file.
    pub name: String,
    /// What is wrong with it.
    pub defect: Defect,
    /// The token.
    pub token: String,
    /// The same without the defect.
    pub control: String,
}

impl Attack {
    /// Whether the token arrives as it is when it is sent in a header: one of visible characters, without a space at
    /// either end, and not too long for usual servers.
    #[must_use]
    pub fn fits_a_header(&self) -> bool {
        let visible = |byte: u8| matches!(byte, b' '..=b'~' | 0x80..);
        let bytes = self.token.as_bytes();
        self.token.trim() == self.token
            && (1..=6_000).contains(&bytes.len())
            && bytes.iter().all(|byte| visible(*byte))
    }
}

/// The table.
pub fn attacks(target: &Target<'_>) -> Result<Vec<Attack>, JwsError> {
    let stranger = SigningKey::generate(target.key.algorithm())?;
    let mut maker = Maker { target: *target, stranger, attacks: Vec::new() };
    header::add(&mut maker)?;
    key::add(&mut maker)?;
    signature::add(&mut maker)?;
    form::add(&mut maker)?;
    claims::add(&mut maker)?;
    Ok(maker.attacks)
}

/// Makes tokens from parts that need not fit.
struct Maker<'a> {
    target: Target<'a>,
    /// A key that the issuer knows nothing of.
    stranger: SigningKey,
    attacks: Vec<Attack>,
}

impl Maker<'_> {
    /// A good header.
    fn header(&self) -> Value {
        let key = self.target.key;
        json!({ "alg": key.algorithm().as_str(), "kid": key.kid(), "typ": "at+jwt" })
    }

    /// A good header but for one member.
    fn header_with(&self, name: &str, value: Value) -> Value {
        with(&self.header(), name, value)
    }

    /// Good claims.
    fn payload(&self) -> String {
        self.target.claims.to_string()
    }

    /// Header and payload as they are, signed by the issuer.
    fn signed(&self, header: &str, payload: &[u8]) -> Result<String, JwsError> {
        sign(self.target.key, header, payload)
    }

    /// A token that is accepted.
    fn good(&self) -> Result<String, JwsError> {
        self.signed(&self.header().to_string(), self.payload().as_bytes())
    }

    fn add(&mut self, defect: Defect, name: impl Into<String>, token: String) -> Result<(), JwsError> {
        let control = self.good()?;
        self.add_with(defect, name, token, control);
        Ok(())
    }

    /// The same with a control of its own.
    fn add_with(&mut self, defect: Defect, name: impl Into<String>, token: String, control: String) {
        self.attacks.push(Attack { name: name.into(), defect, token, control });
    }

    /// A token with this header, signed by the issuer.
    fn add_header(&mut self, defect: Defect, name: &str, header: &Value) -> Result<(), JwsError> {
        let token = self.signed(&header.to_string(), self.payload().as_bytes())?;
        self.add(defect, name, token)
    }
}

/// A key's signature of some bytes, for tests that put tokens together themselves.
pub fn sign_bytes(key: &SigningKey, bytes: &[u8]) -> Result<Vec<u8>, JwsError> {
    key.sign(bytes)
}

/// Header and payload as they are, signed by a key.
fn sign(key: &SigningKey, header: &str, payload: &[u8]) -> Result<String, JwsError> {
    let signed = signing_input(header, payload);
    let signature = key.sign(signed.as_bytes())?;
    Ok(compact(&signed, &signature))
}

fn signing_input(header: &str, payload: &[u8]) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

fn compact(signed: &str, signature: &[u8]) -> String {
    format!("{signed}.{}", encode(signature))
}

/// An object with another member.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut changed = object.clone();
    changed[name] = value;
    changed
}

/// An object without a member.
fn without(object: &Value, name: &str) -> Value {
    let mut changed = object.clone();
    if let Some(members) = changed.as_object_mut() {
        members.remove(name);
    }
    changed
}

/// The text of an object in which another value stands for a member that it has, behind the good one or in front of it.
fn repeated(object: &Value, name: &str, other: &Value, behind: bool) -> String {
    let text = object.to_string();
    let member = format!("{}:{other}", json!(name));
    let inside = &text[1..text.len() - 1];
    if behind { format!("{{{inside},{member}}}") } else { format!("{{{member},{inside}}}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keyward_model::Timestamp;

    use super::*;
    use crate::{
        access_token::{Expected, TokenError, verify_access_token, verify_open},
        jws::{Algorithm, KeySet, VerifyingKey},
    };

    const NOW: i64 = 1_790_000_000;

    fn claims() -> Value {
        json!({
            "iss": "https://issuer.example", "sub": "acme.crm", "aud": "https://issuer.example/api",
            "exp": NOW + 600, "iat": NOW, "jti": "01m86n6k4wf2p88ntrd6tq40hy", "client_id": "acme.crm",
            "scope": "points:read", "env": "production", "tenants": ["tnt_1"], "credential_id": "sec_1",
        })
    }

    fn expected(defect: Defect, error: TokenError) -> bool {
        match error {
            TokenError::Expired => defect == Defect::Expiry,
            TokenError::WrongAudience => defect == Defect::Audience,
            TokenError::WrongIssuer => defect == Defect::Issuer,
            TokenError::NotYetValid | TokenError::MalformedClaims => {
                matches!(defect, Defect::Claims | Defect::Type)
            }
            TokenError::Jws(JwsError::WrongType) => matches!(defect, Defect::Type | Defect::Header),
            TokenError::Jws(_) => matches!(defect, Defect::Form | Defect::Header | Defect::Signature),
        }
    }

    #[test]
    fn no_attack_is_accepted_and_every_control_is() {
        let now = Timestamp::from_unix_millis(NOW * 1_000).unwrap();
        let audiences = ["https://issuer.example/api"];
        let expects =
            Expected { issuer: "https://issuer.example", audiences: &audiences, now, leeway_seconds: 0 };
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let other = if algorithm == Algorithm::Es256 { Algorithm::EdDsa } else { Algorithm::Es256 };
            let (key, other) =
                (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(other).unwrap());
            let keys = [&key, &other].map(|key| VerifyingKey::from_jwk(key.public_jwk()).unwrap());
            let keys = KeySet::new(keys.into());
            let (claims, other_kid) = (claims(), other.kid());
            let target = Target { key: &key, other_kid, claims: &claims, trap: "http://127.0.0.1:9/" };
            let attacks = attacks(&target).unwrap();
            assert!(attacks.len() >= 120, "{}", attacks.len());
            for Attack { name, defect, token, control } in &attacks {
                assert!(verify_open(&keys, control, &expects).is_ok(), "control of {name}");
                assert!(verify_access_token(&keys, control, &expects).is_ok(), "control of {name}");
                if *defect == Defect::Environment {
                    continue;
                }
                for error in [
                    verify_open(&keys, token, &expects).map(|_| ()),
                    verify_access_token(&keys, token, &expects).map(|_| ()),
                ] {
                    let error = error.expect_err(name);
                    assert!(expected(*defect, error), "{name} is {defect:?} and was refused by {error:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_fit_for_files_and_differ() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let claims = claims();
        let target = Target { key: &key, other_kid: "other", claims: &claims, trap: "http://127.0.0.1:9/" };
        let attacks = attacks(&target).unwrap();
        let names: BTreeSet<&str> = attacks.iter().map(|attack| attack.name.as_str()).collect();
        assert_eq!(names.len(), attacks.len());
        for name in names {
            let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            assert!(name.bytes().all(fits) && !name.is_empty(), "{name}");
        }
    }
}
