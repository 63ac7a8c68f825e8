//! Access tokens read and verified apart from Keyward's own code.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// The three parts of a token.
#[derive(Debug)]
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A part of a token from JSON.
pub(crate) fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Reads a token.
pub(crate) fn decode(token: &str) -> Jwt {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "a JWT has three parts: {token}");
    let json = |part: &str| serde_json::from_slice(&bytes(part)).unwrap();
    Jwt {
        header: json(parts[0]),
        claims: json(parts[1]),
        signed: format!("{}.{}", parts[0], parts[1]),
        signature: bytes(parts[2]),
    }
}

impl Jwt {
    pub(crate) fn text(&self, claim: &str) -> &str {
        self.claims[claim].as_str().unwrap_or("")
    }

    pub(crate) fn number(&self, claim: &str) -> i64 {
        self.claims[claim].as_i64().unwrap_or_else(|| panic!("{claim} is no number: {}", self.claims))
    }

    /// `scope` as a sorted list.
    pub(crate) fn scopes(&self) -> Vec<String> {
        scopes(self.text("scope"))
    }

    /// `tenants` as a sorted list.
    pub(crate) fn tenants(&self) -> Vec<String> {
        let list = self.claims["tenants"].as_array().cloned().unwrap_or_default();
        let mut list: Vec<String> = list.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        list.sort();
        list
    }

    /// `aud` as a list.
    pub(crate) fn audiences(&self) -> Vec<String> {
        match &self.claims["aud"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
            other => panic!("aud is {other}"),
        }
    }

    /// Whether the signature is good under the key of the set that the header names.
    pub(crate) fn verifies(&self, jwks: &Value) -> bool {
        let keys = jwks["keys"].as_array().unwrap();
        let Some(key) = keys.iter().find(|key| key["kid"] == self.header["kid"]) else { return false };
        if key["alg"] != self.header["alg"] {
            return false;
        }
        let member = |name: &str| bytes(key[name].as_str().unwrap());
        let message = self.signed.as_bytes();
        match self.header["alg"].as_str().unwrap() {
            "ES256" => {
                let point = [vec![4], member("x"), member("y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, &self.signature)
                    .is_ok()
            }
            "EdDSA" => UnparsedPublicKey::new(&ED25519, member("x")).verify(message, &self.signature).is_ok(),
            "RS256" => RsaPublicKeyComponents { n: member("n"), e: member("e") }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, &self.signature)
                .is_ok(),
            other => panic!("the algorithm {other} is none of Keyward's"),
        }
    }
}

/// A `scope` text as a sorted list.
pub(crate) fn scopes(text: &str) -> Vec<String> {
    let mut list: Vec<String> = text.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    list.sort();
    list
}
