//! Signatures of other issuers' ID tokens: more algorithms than Keyward signs with, and keys that state none.

use ring::{
    digest::{SHA256, SHA384, SHA512},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaParameters,
        RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use serde_json::Value;

use super::{JwsError, Verified, bytes, decode, left_half, number, p256_point, verifying::Parts};

/// An algorithm that other issuers sign with. None is symmetric, and `none` is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForeignAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// What a key must be for an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl ForeignAlgorithm {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Es256, Self::Es384, Self::EdDsa];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name, exactly as it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The left half of a text's hash in base64url, by the hash of this algorithm: `at_hash` (`OpenID` Connect Core 1.0
    /// section 3.1.3.6).
    #[must_use]
    pub fn half_hash(self, text: &str) -> String {
        let hash = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &SHA256,
            Self::Rs384 | Self::Es384 => &SHA384,
            Self::Rs512 | Self::EdDsa => &SHA512,
        };
        left_half(hash, text)
    }

    const fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 => KeyType::Rsa,
            Self::Es256 => KeyType::P256,
            Self::Es384 => KeyType::P384,
            Self::EdDsa => KeyType::Ed25519,
        }
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        }
    }
}

enum Public {
    Point(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

/// A public key of another issuer.
struct ForeignKey {
    kid: Option<String>,
    key_type: KeyType,
    /// What it is for, where it says so.
    algorithm: Option<ForeignAlgorithm>,
    public: Public,
}

impl ForeignKey {
    /// Reads a key, unless it is for something else than signatures or no secret any more.
    fn read(jwk: &Value) -> Result<Self, JwsError> {
        if !super::is_for_signatures(jwk) || jwk.get("d").is_some() {
            return Err(JwsError::BadKey);
        }
        let point = |algorithm: &'static dyn VerificationAlgorithm, point| {
            Public::Point(UnparsedPublicKey::new(algorithm, point))
        };
        let (key_type, public) = match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
            (Some("RSA"), None) => (
                KeyType::Rsa,
                Public::Rsa(RsaPublicKeyComponents { n: bytes(jwk, "n")?, e: bytes(jwk, "e")? }),
            ),
            (Some("EC"), Some("P-256")) => (KeyType::P256, point(&ECDSA_P256_SHA256_FIXED, p256_point(jwk)?)),
            (Some("EC"), Some("P-384")) => {
                let whole = [&[4][..], &number::<48>(jwk, "x")?, &number::<48>(jwk, "y")?].concat();
                (KeyType::P384, point(&ECDSA_P384_SHA384_FIXED, whole))
            }
            (Some("OKP"), Some("Ed25519")) => (KeyType::Ed25519, point(&ED25519, bytes(jwk, "x")?)),
            _ => return Err(JwsError::BadKey),
        };
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(named) => {
                let named = named.as_str().and_then(ForeignAlgorithm::named);
                Some(named.filter(|named| named.key_type() == key_type).ok_or(JwsError::BadKey)?)
            }
        };
        let kid = match jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) if !kid.is_empty() => Some(kid.clone()),
            Some(_) => return Err(JwsError::BadKey),
        };
        Ok(Self { kid, key_type, algorithm, public })
    }

    fn suits(&self, algorithm: ForeignAlgorithm) -> bool {
        self.key_type == algorithm.key_type() && self.algorithm.is_none_or(|own| own == algorithm)
    }

    fn verify(&self, algorithm: ForeignAlgorithm, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
        let verified = match (&self.public, algorithm.rsa()) {
            (Public::Rsa(key), Some(parameters)) => key.verify(parameters, message, signature),
            (Public::Point(key), None) => key.verify(message, signature),
            _ => return Err(JwsError::WrongAlgorithm),
        };
        verified.map_err(|_| JwsError::BadSignature)
    }
}

/// The keys that another issuer publishes.
pub struct ForeignKeys(Vec<ForeignKey>);

impl std::fmt::Debug for ForeignKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ForeignKeys").field(&self.0.len()).finish()
    }
}

impl ForeignKeys {
    /// Those keys of a JWKS that can be used; others are passed over (RFC 7517 section 5).
    #[must_use]
    pub fn read(keys: &[Value]) -> Self {
        Self(keys.iter().filter_map(|jwk| ForeignKey::read(jwk).ok()).collect())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Verifies an ID token's signature by one of these algorithms, with the key that its `kid` names, or else with the
    /// only key that suits.
    ///
    /// Its `typ` must be `JWT` if there is one: whoever signs other kinds of tokens says so there (RFC 8725 section 3.11).
    /// What the header says about keys (`jwk`, `jku`, `x5u`, `x5c`) is ignored.
    pub fn verify_id_token(
        &self,
        token: &str,
        algorithms: &[ForeignAlgorithm],
    ) -> Result<(Verified, ForeignAlgorithm), JwsError> {
        let Parts { header, signed, payload, signature } = Parts::of(token)?;
        if !header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")) {
            return Err(JwsError::WrongType);
        }
        let algorithm = ForeignAlgorithm::named(&header.alg).filter(|named| algorithms.contains(named));
        let algorithm = algorithm.ok_or(JwsError::WrongAlgorithm)?;
        let key = self.key_of(header.kid.as_deref(), algorithm)?;
        key.verify(algorithm, signed.as_bytes(), &decode(signature)?)?;
        Ok((Verified { payload: decode(payload)?, kid: key.kid.clone().unwrap_or_default() }, algorithm))
    }

    fn key_of(&self, kid: Option<&str>, algorithm: ForeignAlgorithm) -> Result<&ForeignKey, JwsError> {
        let is_named = |key: &&ForeignKey| kid.is_none() || key.kid.as_deref() == kid;
        if !self.0.iter().any(|key| is_named(&key)) {
            return Err(JwsError::UnknownKey);
        }
        let mut suiting = self.0.iter().filter(is_named).filter(|key| key.suits(algorithm));
        let first = suiting.next().ok_or(JwsError::WrongAlgorithm)?;
        // A choice among several is not ours to make.
        if suiting.next().is_some() { Err(JwsError::UnknownKey) } else { Ok(first) }
    }
}

#[cfg(test)]
mod tests {
    use josekit::{
        jwk::{
            Jwk,
            alg::{ec::EcCurve, ed::EdCurve},
        },
        jws::{ES256, ES384, EdDSA, JwsSigner, PS256, RS256, RS384, RS512},
    };
    use serde_json::json;

    use super::*;
    use crate::jws::encode;

    fn made(algorithm: ForeignAlgorithm) -> Jwk {
        match algorithm.key_type() {
            KeyType::Rsa => Jwk::generate_rsa_key(2048),
            KeyType::P256 => Jwk::generate_ec_key(EcCurve::P256),
            KeyType::P384 => Jwk::generate_ec_key(EcCurve::P384),
            KeyType::Ed25519 => Jwk::generate_ed_key(EdCurve::Ed25519),
        }
        .unwrap()
    }

    /// The public part, named `one`.
    fn public(jwk: &Jwk) -> Value {
        let mut public = serde_json::to_value(jwk).unwrap();
        public
            .as_object_mut()
            .unwrap()
            .retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
        public["kid"] = "one".into();
        public
    }

    /// A token that an independent implementation signed.
    fn signed(jwk: &Jwk, algorithm: ForeignAlgorithm, kid: Option<&str>, typ: Option<&str>) -> String {
        let signer: Box<dyn JwsSigner> = match algorithm {
            ForeignAlgorithm::Rs256 => Box::new(RS256.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::Rs384 => Box::new(RS384.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::Rs512 => Box::new(RS512.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::Ps256 => Box::new(PS256.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::Es256 => Box::new(ES256.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::Es384 => Box::new(ES384.signer_from_jwk(jwk).unwrap()),
            ForeignAlgorithm::EdDsa => Box::new(EdDSA.signer_from_jwk(jwk).unwrap()),
        };
        let mut header = json!({ "alg": algorithm.as_str() });
        for (name, value) in [("kid", kid), ("typ", typ)] {
            if let Some(value) = value {
                header[name] = value.into();
            }
        }
        let message = format!("{}.{}", encode(header.to_string()), encode("{}"));
        format!("{message}.{}", encode(signer.sign(message.as_bytes()).unwrap()))
    }

    fn verify(keys: &[Value], token: &str, algorithms: &[ForeignAlgorithm]) -> Result<(), JwsError> {
        ForeignKeys::read(keys).verify_id_token(token, algorithms).map(drop)
    }

    #[test]
    fn every_algorithm_verifies_with_its_own_key_and_under_its_own_name_only() {
        for algorithm in ForeignAlgorithm::ALL {
            let jwk = made(algorithm);
            let token = signed(&jwk, algorithm, Some("one"), Some("JWT"));
            let only = [algorithm];
            assert_eq!(verify(&[public(&jwk)], &token, &only), Ok(()), "{algorithm:?}");
            assert_eq!(verify(&[public(&made(algorithm))], &token, &only), Err(JwsError::BadSignature));
            let others: Vec<_> =
                ForeignAlgorithm::ALL.into_iter().filter(|other| *other != algorithm).collect();
            assert_eq!(verify(&[public(&jwk)], &token, &others), Err(JwsError::WrongAlgorithm));
            let mut for_another = public(&jwk);
            for_another["alg"] = if algorithm == ForeignAlgorithm::Rs512 { "RS256" } else { "RS512" }.into();
            assert!(verify(&[for_another], &token, &only).is_err(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_is_chosen_by_name_or_because_it_alone_suits() {
        let (es, rs) = (ForeignAlgorithm::Es256, ForeignAlgorithm::Rs256);
        let (first, second, rsa) = (made(es), made(es), made(rs));
        let mut renamed = public(&second);
        renamed["kid"] = "two".into();
        let both = [public(&first), renamed];
        assert_eq!(verify(&both, &signed(&first, es, Some("one"), None), &[es]), Ok(()));
        assert_eq!(verify(&both, &signed(&first, es, Some("three"), None), &[es]), Err(JwsError::UnknownKey));
        assert_eq!(verify(&both, &signed(&first, es, None, None), &[es]), Err(JwsError::UnknownKey));
        let of_two_types = [public(&rsa), public(&first)];
        assert_eq!(verify(&of_two_types, &signed(&first, es, None, None), &[es]), Ok(()));
        assert_eq!(verify(&of_two_types, &signed(&rsa, rs, None, None), &[rs]), Ok(()));
        assert_eq!(verify(&of_two_types, &signed(&first, es, Some("one"), None), &[es]), Ok(()));
        let twice = [public(&first), public(&second)];
        assert_eq!(verify(&twice, &signed(&first, es, Some("one"), None), &[es]), Err(JwsError::UnknownKey));
    }

    #[test]
    fn other_kinds_of_tokens_and_other_kinds_of_keys_are_refused() {
        let es = ForeignAlgorithm::Es256;
        let jwk = made(es);
        let token = |typ| signed(&jwk, es, Some("one"), typ);
        assert_eq!(verify(&[public(&jwk)], &token(Some("jwt")), &[es]), Ok(()));
        for typ in ["at+jwt", "logout+jwt", "application/jwt", ""] {
            assert_eq!(verify(&[public(&jwk)], &token(Some(typ)), &[es]), Err(JwsError::WrongType), "{typ}");
        }
        for (name, value) in
            [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("d", json!("AA")), ("kid", json!(1))]
        {
            let mut key = public(&jwk);
            key[name] = value;
            assert_eq!(verify(&[key], &token(None), &[es]), Err(JwsError::UnknownKey), "{name}");
        }
    }

    /// The example of `OpenID` Connect Core 1.0, appendix A.3.
    #[test]
    fn the_half_hash_of_the_specification() {
        let hash = ForeignAlgorithm::Rs256.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
