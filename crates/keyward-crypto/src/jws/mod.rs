//! Signatures in compact form (RFC 7515), keys as JWK (RFC 7517, 8037), algorithms of RFC 7518 and RFC 8037.
//!
//! `josekit` makes keys and knows their JWK form; `ring` signs and verifies, with keys that were parsed once.

mod foreign;
mod signing;
mod verifying;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, SHA512, digest};
use serde_json::Value;

pub use foreign::{ForeignAlgorithm, ForeignKeys};
pub use signing::SigningKey;
pub use verifying::{KeySet, Verified, VerifyingKey};

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// Ed25519 (RFC 8037 section 3.1).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3), keys of 2048 bits and more.
    Rs256,
}

impl Algorithm {
    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The left half of a text's hash in base64url, by the hash of this algorithm: `at_hash` (`OpenID` Connect Core 1.0
    /// section 3.1.3.6). Ed25519 hashes with SHA-512 (RFC 8032 section 5.1).
    #[must_use]
    pub fn half_hash(self, text: &str) -> String {
        match self {
            Self::Es256 | Self::Rs256 => left_half(&SHA256, text),
            Self::EdDsa => left_half(&SHA512, text),
        }
    }
}

/// Why a key or a signature is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// A key can't be made or read.
    #[error("the key can't be used")]
    BadKey,
    /// It can't be signed with this key.
    #[error("the key can't sign")]
    NotSigned,
    /// The text is no compact JWS, or its header asks for something that is not supported.
    #[error("not a compact JWS with a plain header")]
    Malformed,
    /// The `typ` is not one of those that were expected.
    #[error("the type of the token is not the expected one")]
    WrongType,
    /// No key has this `kid`.
    #[error("no known key has this kid")]
    UnknownKey,
    /// The `alg` is not that of the key.
    #[error("the algorithm is not that of the key")]
    WrongAlgorithm,
    /// The signature does not match.
    #[error("the signature does not match")]
    BadSignature,
}

fn left_half(hash: &'static ring::digest::Algorithm, text: &str) -> String {
    let whole = digest(hash, text.as_bytes());
    let whole = whole.as_ref();
    encode(&whole[..whole.len() / 2])
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Malformed)
}

/// A member of a JWK that holds bytes in base64url.
pub(crate) fn bytes(jwk: &Value, member: &str) -> Result<Vec<u8>, JwsError> {
    jwk[member].as_str().and_then(|text| decode(text).ok()).ok_or(JwsError::BadKey)
}

/// The same for a number of a curve of so many bytes, whose leading zeros may have been left out.
fn number<const LEN: usize>(jwk: &Value, member: &str) -> Result<[u8; LEN], JwsError> {
    let short = bytes(jwk, member)?;
    let mut whole = [0; LEN];
    let start = whole.len().checked_sub(short.len()).ok_or(JwsError::BadKey)?;
    whole[start..].copy_from_slice(&short);
    Ok(whole)
}

/// A point of P-256 in its uncompressed form (SEC 1 section 2.3.3).
pub(crate) fn p256_point(jwk: &Value) -> Result<Vec<u8>, JwsError> {
    Ok([&[4][..], &number::<32>(jwk, "x")?, &number::<32>(jwk, "y")?].concat())
}

/// Whether a JWK says nothing against verifying signatures with it (RFC 7517 sections 4.2 and 4.3).
fn is_for_signatures(jwk: &Value) -> bool {
    let verifies = |operations: &Value| {
        operations.as_array().is_some_and(|all| all.iter().any(|operation| operation == "verify"))
    };
    jwk.get("use").is_none_or(|usage| usage == "sig") && jwk.get("key_ops").is_none_or(verifies)
}

/// The algorithm that a JWK is for.
fn algorithm_of(jwk: &Value) -> Result<Algorithm, JwsError> {
    let algorithm = match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
        (Some("EC"), Some("P-256")) => Algorithm::Es256,
        (Some("OKP"), Some("Ed25519")) => Algorithm::EdDsa,
        (Some("RSA"), None) => Algorithm::Rs256,
        _ => return Err(JwsError::BadKey),
    };
    match jwk.get("alg") {
        None => Ok(algorithm),
        Some(named) if named == algorithm.as_str() => Ok(algorithm),
        Some(_) => Err(JwsError::BadKey),
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::master::MasterKey;

    const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];

    fn set(keys: &[&SigningKey]) -> KeySet {
        KeySet::new(keys.iter().map(|key| VerifyingKey::from_jwk(key.public_jwk()).unwrap()).collect())
    }

    /// A token with this header and payload, signed as it stands.
    fn forged(key: &SigningKey, header: &Value, payload: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(payload));
        let signature = key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    /// What others must find, and what we find in theirs.
    #[test]
    fn half_hashes_are_those_of_other_issuers() {
        for algorithm in ALGORITHMS {
            let same = ForeignAlgorithm::named(algorithm.as_str()).unwrap();
            assert_eq!(algorithm.half_hash("token"), same.half_hash("token"));
        }
    }

    #[test]
    fn what_is_signed_verifies_with_its_own_key_only() {
        for algorithm in ALGORITHMS {
            let (key, other) =
                (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(algorithm).unwrap());
            let token = key.sign_compact("at+jwt", b"{}").unwrap();
            assert_eq!(set(&[&other, &key]).verify_compact(&token, &["at+jwt"]).unwrap().payload, b"{}");
            assert_eq!(set(&[&other]).verify_compact(&token, &["at+jwt"]), Err(JwsError::UnknownKey));
            assert_eq!(set(&[&key]).verify_compact(&token, &["JWT"]), Err(JwsError::WrongType));
            assert!(josekit_agrees(&key, &token), "{algorithm:?}");
        }
    }

    /// An independent implementation takes the signature for good.
    fn josekit_agrees(key: &SigningKey, token: &str) -> bool {
        use josekit::jws::{ES256, EdDSA, JwsVerifier, RS256, deserialize_compact};
        let jwk = josekit::jwk::Jwk::from_bytes(key.public_jwk().to_string()).unwrap();
        let verifier: Box<dyn JwsVerifier> = match key.algorithm() {
            Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(&jwk).unwrap()),
            Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(&jwk).unwrap()),
            Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk).unwrap()),
        };
        deserialize_compact(token, &*verifier).is_ok()
    }

    #[test]
    fn a_key_survives_being_sealed() {
        let random = SeededRandom::new(1);
        let (sealer, other) = (MasterKey::generate(&random).sealer(), MasterKey::generate(&random).sealer());
        for algorithm in ALGORITHMS {
            let key = SigningKey::generate(algorithm).unwrap();
            let sealed = key.seal(&sealer, &random).unwrap();
            let again = SigningKey::unseal(key.kid(), &sealed, &sealer).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
            let token = again.sign_compact("at+jwt", b"x").unwrap();
            assert!(set(&[&key]).verify_compact(&token, &["at+jwt"]).is_ok());
            assert!(SigningKey::unseal(key.kid(), &sealed, &other).is_err());
            assert!(SigningKey::unseal("another", &sealed, &sealer).is_err());
        }
    }

    #[test]
    fn the_published_form_has_public_members_only() {
        let keys: Vec<SigningKey> =
            ALGORITHMS.into_iter().map(|algorithm| SigningKey::generate(algorithm).unwrap()).collect();
        let jwks = set(&keys.iter().collect::<Vec<_>>()).jwks();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 3);
        for jwk in jwks["keys"].as_array().unwrap() {
            for member in jwk.as_object().unwrap().keys() {
                assert!(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"].contains(&member.as_str()));
            }
            assert_eq!(jwk["use"], "sig");
        }
    }

    #[test]
    fn headers_that_ask_for_more_are_refused() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = set(&[&key]);
        let good = json!({ "alg": "ES256", "kid": key.kid(), "typ": "at+jwt" });
        assert!(keys.verify_compact(&forged(&key, &good, b"{}"), &["at+jwt"]).is_ok(), "the control");
        let with = |name: &str, value: Value| {
            let mut header = good.clone();
            header[name] = value;
            header
        };
        for (header, error) in [
            (with("alg", json!("none")), JwsError::WrongAlgorithm),
            (with("alg", json!("HS256")), JwsError::WrongAlgorithm),
            (with("alg", json!("EdDSA")), JwsError::WrongAlgorithm),
            (with("alg", json!(null)), JwsError::Malformed),
            (with("crit", json!(["exp"])), JwsError::Malformed),
            (with("crit", json!(null)), JwsError::Malformed),
            (with("kid", json!(null)), JwsError::Malformed),
            (with("b64", json!(false)), JwsError::Malformed),
            (with("kid", json!("../../etc/passwd")), JwsError::UnknownKey),
            (with("kid", json!(1)), JwsError::Malformed),
            (with("typ", json!("JWT")), JwsError::WrongType),
        ] {
            assert_eq!(
                keys.verify_compact(&forged(&key, &header, b"{}"), &["at+jwt"]),
                Err(error),
                "{header}"
            );
        }
        let repeated = format!(r#"{{"alg":"ES256","alg":"ES256","kid":"{}","typ":"at+jwt"}}"#, key.kid());
        let signed = format!("{}.{}", encode(repeated), encode("{}"));
        let token = format!("{signed}.{}", encode(key.sign(signed.as_bytes()).unwrap()));
        assert_eq!(keys.verify_compact(&token, &["at+jwt"]), Err(JwsError::Malformed));
        let zero = format!("{}.{}.{}", encode(good.to_string()), encode("{}"), encode([0; 64]));
        assert_eq!(keys.verify_compact(&zero, &["at+jwt"]), Err(JwsError::BadSignature));
    }

    #[test]
    fn a_token_without_kid_needs_the_only_key_without_name() {
        let (key, other) = (SigningKey::generate(Algorithm::Es256), SigningKey::generate(Algorithm::Es256));
        let (key, other) = (key.unwrap(), other.unwrap());
        let token = forged(&key, &json!({ "alg": "ES256", "typ": "at+jwt" }), b"{}");
        let read = |jwks: &[&Value]| {
            let keys = jwks.iter().map(|jwk| VerifyingKey::from_any_jwk(jwk).unwrap()).collect();
            KeySet::new(keys).verify_compact(&token, &["at+jwt"]).map(|verified| verified.kid)
        };
        let unnamed = |key: &SigningKey| {
            let mut jwk = key.public_jwk().clone();
            jwk.as_object_mut().unwrap().remove("kid");
            jwk
        };
        assert_eq!(read(&[&unnamed(&key)]), Ok(String::new()));
        assert_eq!(read(&[&unnamed(&key), other.public_jwk()]), Ok(String::new()));
        assert_eq!(read(&[key.public_jwk()]), Err(JwsError::UnknownKey));
        assert_eq!(read(&[&unnamed(&key), &unnamed(&other)]), Err(JwsError::UnknownKey));
        assert_eq!(read(&[&unnamed(&other)]), Err(JwsError::BadSignature));
    }

    #[test]
    fn keys_for_something_else_are_not_read() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let with = |name: &str, value: Value| {
            let mut jwk = key.public_jwk().clone();
            jwk[name] = value;
            VerifyingKey::from_any_jwk(&jwk).is_ok()
        };
        assert!(with("use", json!("sig")) && with("key_ops", json!(["verify"])), "the control");
        for (name, value) in [
            ("use", json!("enc")),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!("verify")),
            ("kid", json!("")),
            ("kid", json!(1)),
            ("alg", json!("ES256")),
            ("kty", json!("oct")),
            ("d", json!("AA")),
        ] {
            assert!(!with(name, value.clone()), "{name} {value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_panic(text in ".{0,200}", parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_=-]{0,40}\\.[A-Za-z0-9_-]{0,90}") {
            let keys = KeySet::new(Vec::new());
            prop_assert!(keys.verify_compact(&text, &["at+jwt"]).is_err());
            prop_assert!(keys.verify_compact(&parts, &["at+jwt"]).is_err());
        }
    }
}
