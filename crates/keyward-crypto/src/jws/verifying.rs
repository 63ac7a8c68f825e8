//! Public keys, and the strict reading of what was signed with their private parts.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Algorithm, JwsError, algorithm_of, bytes, decode, p256_point};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_LEN: usize = 65_536;

enum Public {
    Point(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

/// A key that verifies.
pub struct VerifyingKey {
    algorithm: Algorithm,
    kid: String,
    jwk: Value,
    public: Public,
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// Reads a public key that has a `kid`.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JwsError> {
        let algorithm = algorithm_of(jwk)?;
        let public = match algorithm {
            Algorithm::Es256 => {
                Public::Point(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p256_point(jwk)?))
            }
            Algorithm::EdDsa => Public::Point(UnparsedPublicKey::new(&ED25519, bytes(jwk, "x")?)),
            Algorithm::Rs256 => {
                Public::Rsa(RsaPublicKeyComponents { n: bytes(jwk, "n")?, e: bytes(jwk, "e")? })
            }
        };
        let kid = jwk["kid"].as_str().ok_or(JwsError::BadKey)?.to_owned();
        Ok(Self { algorithm, kid, jwk: jwk.clone(), public })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
        let verified = match &self.public {
            Public::Point(key) => key.verify(message, signature),
            Public::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
        };
        verified.map_err(|_| JwsError::BadSignature)
    }
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The payload.
    pub payload: Vec<u8>,
    /// The key that signed it.
    pub kid: String,
}

/// The members of a header that count. Repeated ones are an error, and so are those that change what a signature means.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
    b64: Option<Value>,
}

/// Keys by their `kid`.
#[derive(Debug)]
pub struct KeySet(Vec<VerifyingKey>);

impl KeySet {
    /// A set of keys.
    #[must_use]
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self(keys)
    }

    /// The set as JSON (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    /// Verifies a compact JWS by the key that its `kid` names, with that key's algorithm, if its `typ` is one of these.
    ///
    /// What the header says about keys (`jwk`, `jku`, `x5u`, `x5c`) is ignored (RFC 8725 section 3.10).
    pub fn verify_compact(&self, token: &str, types: &[&str]) -> Result<Verified, JwsError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(JwsError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Malformed)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(JwsError::Malformed);
        }
        let is_wanted = |typ: &str| types.iter().any(|wanted| wanted.eq_ignore_ascii_case(typ));
        if !header.typ.as_deref().is_some_and(is_wanted) {
            return Err(JwsError::WrongType);
        }
        let key =
            self.0.iter().find(|key| Some(&key.kid) == header.kid.as_ref()).ok_or(JwsError::UnknownKey)?;
        if header.alg != key.algorithm.as_str() {
            return Err(JwsError::WrongAlgorithm);
        }
        key.verify(signed.as_bytes(), &decode(signature)?)?;
        Ok(Verified { payload: decode(payload)?, kid: key.kid.clone() })
    }
}
