//! Public keys, and the strict reading of what was signed with their private parts.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Algorithm, JwsError, algorithm_of, bytes, decode, is_for_signatures, p256_point};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_LEN: usize = 65_536;

enum Public {
    Point(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

/// A key that verifies.
pub struct VerifyingKey {
    algorithm: Algorithm,
    /// Its name; empty for a key of an issuer that names none.
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
        let kid = jwk["kid"].as_str().ok_or(JwsError::BadKey)?.to_owned();
        Self::named(kid, jwk)
    }

    /// Reads a public key as any issuer publishes it (RFC 7517 section 4): perhaps without a `kid`, but never one that
    /// says that it is for something else than signatures, or that is no secret any more.
    pub fn from_any_jwk(jwk: &Value) -> Result<Self, JwsError> {
        if !is_for_signatures(jwk) || jwk.get("d").is_some() {
            return Err(JwsError::BadKey);
        }
        match jwk.get("kid") {
            None => Self::named(String::new(), jwk),
            Some(Value::String(kid)) if !kid.is_empty() => Self::named(kid.clone(), jwk),
            Some(_) => Err(JwsError::BadKey),
        }
    }

    /// The public key as JWK.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The key's name; empty when it has none.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn named(kid: String, jwk: &Value) -> Result<Self, JwsError> {
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
    /// The key that signed it; empty when the key has no name.
    pub kid: String,
}

/// The members of a header that count. Repeated ones are an error, and so are those that change what a signature means.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default, deserialize_with = "whatever_is_there")]
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    #[serde(default, deserialize_with = "whatever_is_there")]
    crit: Option<Value>,
    #[serde(default, deserialize_with = "whatever_is_there")]
    b64: Option<Value>,
}

/// A member that is `null` is there.
fn whatever_is_there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A compact JWS taken apart, its signature not verified.
pub(super) struct Parts<'a> {
    pub(super) header: Header,
    /// What was signed: header and payload.
    pub(super) signed: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a token of usual length apart, if its header asks for nothing special.
    pub(super) fn of(token: &'a str) -> Result<Self, JwsError> {
        Self::within(MAX_TOKEN_LEN, token)
    }

    fn within(max_len: usize, token: &'a str) -> Result<Self, JwsError> {
        if token.len() > max_len {
            return Err(JwsError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Malformed)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(JwsError::Malformed);
        }
        Ok(Self { header, signed, payload, signature })
    }
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
        self.verify_compact_within(MAX_TOKEN_LEN, token, types)
    }

    /// The same for a text of up to so many bytes.
    pub(crate) fn verify_compact_within(
        &self,
        max_len: usize,
        token: &str,
        types: &[&str],
    ) -> Result<Verified, JwsError> {
        let Parts { header, signed, payload, signature } = Parts::within(max_len, token)?;
        let is_wanted = |typ: &str| types.iter().any(|wanted| wanted.eq_ignore_ascii_case(typ));
        if !header.typ.as_deref().is_some_and(is_wanted) {
            return Err(JwsError::WrongType);
        }
        let key = self.key_of(&header)?;
        key.verify(signed.as_bytes(), &decode(signature)?)?;
        Ok(Verified { payload: decode(payload)?, kid: key.kid.clone() })
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter()
    }

    /// The key that a header names. Without a `kid` it is the only key of the algorithm that has no name itself: who
    /// names keys names them in tokens too, and a choice among several is not ours to make.
    fn key_of(&self, header: &Header) -> Result<&VerifyingKey, JwsError> {
        let is_of_algorithm = |key: &&VerifyingKey| key.algorithm.as_str() == header.alg;
        let Some(kid) = &header.kid else {
            let mut unnamed = self.0.iter().filter(|key| key.kid.is_empty()).filter(is_of_algorithm);
            let only = unnamed.next().filter(|_| unnamed.next().is_none());
            return only.ok_or(JwsError::UnknownKey);
        };
        // Keys of different types may share a name (RFC 7517 section 4.5).
        let mut named = self.0.iter().filter(|key| key.kid == *kid && !kid.is_empty()).peekable();
        named.peek().ok_or(JwsError::UnknownKey)?;
        named.find(is_of_algorithm).ok_or(JwsError::WrongAlgorithm)
    }
}
