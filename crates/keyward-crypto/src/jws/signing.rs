//! Private keys.

use josekit::jwk::{
    Jwk,
    alg::{ec::EcCurve, ed::EdCurve},
};
use keyward_model::Random;
use ring::{
    rand::SystemRandom,
    rsa,
    signature::{self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use serde_json::{Value, json};

use super::{Algorithm, JwsError, algorithm_of, bytes, encode, number, p256_point};
use crate::{access_token::TYPES, digest::sha256, master::Sealer};

/// The size of new RSA keys, in bits.
const RSA_BITS: u32 = 2_048;

/// A parsed key, ready to sign.
enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

/// A key that signs. It is parsed once; signing parses nothing.
pub struct SigningKey {
    algorithm: Algorithm,
    kid: String,
    public_jwk: Value,
    private_jwk: Vec<u8>,
    pair: Pair,
    /// The encoded header of access tokens, the same for each of them.
    access_token_header: String,
    random: SystemRandom,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key. An RSA key takes a tenth of a second and more: not to be called where others wait.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JwsError> {
        let jwk = match algorithm {
            Algorithm::Es256 => Jwk::generate_ec_key(EcCurve::P256),
            Algorithm::EdDsa => Jwk::generate_ed_key(EdCurve::Ed25519),
            Algorithm::Rs256 => Jwk::generate_rsa_key(RSA_BITS),
        };
        let jwk = jwk.map_err(|_| JwsError::BadKey)?;
        Self::from_private_jwk(jwk.to_string().into_bytes())
    }

    fn from_private_jwk(private_jwk: Vec<u8>) -> Result<Self, JwsError> {
        let jwk: Value = serde_json::from_slice(&private_jwk).map_err(|_| JwsError::BadKey)?;
        let algorithm = algorithm_of(&jwk)?;
        let pair = match algorithm {
            Algorithm::Es256 => Pair::Ec(ec_pair(&jwk)?),
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes(&jwk, "d")?, &bytes(&jwk, "x")?);
                Pair::Ed(pair.map_err(|_| JwsError::BadKey)?)
            }
            Algorithm::Rs256 => Pair::Rsa(rsa_pair(&jwk)?),
        };
        let kid = thumbprint(&jwk, algorithm)?;
        Ok(Self {
            access_token_header: header(algorithm, &kid, TYPES[0]),
            public_jwk: public_jwk(&jwk, algorithm, &kid),
            random: SystemRandom::new(),
            algorithm,
            kid,
            private_jwk,
            pair,
        })
    }

    /// Opens a key that [`seal`](Self::seal) sealed under this `kid`.
    pub fn unseal(kid: &str, sealed: &[u8], sealer: &Sealer) -> Result<Self, JwsError> {
        let private_jwk = sealer.open(&context(kid), sealed).map_err(|_| JwsError::BadKey)?;
        Self::from_private_jwk(private_jwk)
            .and_then(|key| if key.kid == kid { Ok(key) } else { Err(JwsError::BadKey) })
    }

    /// The private key, sealed for storage.
    pub fn seal(&self, sealer: &Sealer, random: &dyn Random) -> Result<Vec<u8>, JwsError> {
        sealer.seal(&context(&self.kid), &self.private_jwk, random).map_err(|_| JwsError::BadKey)
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's name: its thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as JWK with `kid`, `alg` and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.public_jwk
    }

    /// The payload with its signature in compact form, under a header of `typ`, `alg` and `kid`.
    pub fn sign_compact(&self, typ: &str, payload: &[u8]) -> Result<String, JwsError> {
        let other;
        let header = if typ == TYPES[0] {
            &self.access_token_header
        } else {
            other = header(self.algorithm, &self.kid, typ);
            &other
        };
        // Room for header, payload and the longest signature, so that the text is built once.
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 360);
        token.push_str(header);
        token.push('.');
        push_encoded(&mut token, payload);
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        push_encoded(&mut token, &signature);
        Ok(token)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JwsError> {
        match &self.pair {
            Pair::Ec(pair) => {
                let signature = pair.sign(&self.random, message).map_err(|_| JwsError::NotSigned)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature);
                signed.map(|()| signature).map_err(|_| JwsError::NotSigned)
            }
        }
    }
}

fn push_encoded(text: &mut String, bytes: &[u8]) {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// What a sealed key is bound to.
fn context(kid: &str) -> String {
    format!("signing key {kid}")
}

fn header(algorithm: Algorithm, kid: &str, typ: &str) -> String {
    encode(json!({ "alg": algorithm.as_str(), "kid": kid, "typ": typ }).to_string())
}

fn ec_pair(jwk: &Value) -> Result<EcdsaKeyPair, JwsError> {
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &number::<32>(jwk, "d")?,
        &p256_point(jwk)?,
        &SystemRandom::new(),
    )
    .map_err(|_| JwsError::BadKey)
}

fn rsa_pair(jwk: &Value) -> Result<rsa::KeyPair, JwsError> {
    let public = signature::RsaPublicKeyComponents { n: bytes(jwk, "n")?, e: bytes(jwk, "e")? };
    let components = rsa::KeyPairComponents {
        public_key: public,
        d: bytes(jwk, "d")?,
        p: bytes(jwk, "p")?,
        q: bytes(jwk, "q")?,
        dP: bytes(jwk, "dp")?,
        dQ: bytes(jwk, "dq")?,
        qInv: bytes(jwk, "qi")?,
    };
    rsa::KeyPair::from_components(&components).map_err(|_| JwsError::BadKey)
}

/// The members that make up a public key, in the order of RFC 7638 section 3.
fn public_members(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::Es256 => &["crv", "kty", "x", "y"],
        Algorithm::EdDsa => &["crv", "kty", "x"],
        Algorithm::Rs256 => &["e", "kty", "n"],
    }
}

fn thumbprint(jwk: &Value, algorithm: Algorithm) -> Result<String, JwsError> {
    let mut members = Vec::new();
    for name in public_members(algorithm) {
        // The values are names and base64url, which need no escaping.
        let value = jwk[*name].as_str().ok_or(JwsError::BadKey)?;
        members.push(format!("\"{name}\":\"{value}\""));
    }
    Ok(encode(sha256(format!("{{{}}}", members.join(",")).as_bytes())))
}

fn public_jwk(jwk: &Value, algorithm: Algorithm, kid: &str) -> Value {
    let mut public = json!({ "kid": kid, "alg": algorithm.as_str(), "use": "sig" });
    for name in public_members(algorithm) {
        public[*name] = jwk[*name].clone();
    }
    public
}
