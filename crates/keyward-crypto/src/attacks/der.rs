//! As much DER (X.690) as it takes to write a public key as PEM, and a signature as OpenSSL does.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::jws::{Algorithm, JwsError, SigningKey, bytes, p256_point};

const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const SEQUENCE: u8 = 0x30;
/// `id-ecPublicKey` with `prime256v1`, `id-Ed25519`, and `rsaEncryption` with NULL, as `AlgorithmIdentifier`s.
const P256: &[u8] = b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let significant = &len[len.iter().position(|byte| *byte != 0).unwrap_or(len.len() - 1)..];
    let mut element = vec![tag];
    if content.len() >= 128 {
        element.push(0x80 | significant.len().to_le_bytes()[0]);
    }
    element.extend(significant);
    element.extend(content);
    element
}

fn integer(unsigned: &[u8]) -> Vec<u8> {
    let start = unsigned.iter().position(|byte| *byte != 0).unwrap_or(unsigned.len().saturating_sub(1));
    let digits = &unsigned[start..];
    let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 128) { &[0] } else { &[] };
    element(INTEGER, &[sign, digits].concat())
}

/// A fixed-width ECDSA signature as the sequence of its two numbers.
pub(super) fn signature(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    element(SEQUENCE, &[integer(r), integer(s)].concat())
}

/// The bytes of a public key as verifiers hold them.
pub(super) fn public_bytes(key: &SigningKey) -> Result<Vec<u8>, JwsError> {
    let jwk = key.public_jwk();
    match key.algorithm() {
        Algorithm::Es256 => p256_point(jwk),
        Algorithm::EdDsa => bytes(jwk, "x"),
        Algorithm::Rs256 => {
            Ok(element(SEQUENCE, &[integer(&bytes(jwk, "n")?), integer(&bytes(jwk, "e")?)].concat()))
        }
    }
}

/// A public key as PEM (RFC 7468 section 13).
pub(super) fn pem(key: &SigningKey) -> Result<String, JwsError> {
    let algorithm = match key.algorithm() {
        Algorithm::Es256 => P256,
        Algorithm::EdDsa => ED25519,
        Algorithm::Rs256 => RSA,
    };
    let bits = element(BIT_STRING, &[&[0], &public_bytes(key)?[..]].concat());
    let body = STANDARD.encode(element(SEQUENCE, &[algorithm, &bits].concat()));
    let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for line in body.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    Ok(pem + "-----END PUBLIC KEY-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An independent implementation reads the keys.
    #[test]
    fn the_pem_is_that_of_the_key() {
        use josekit::jws::{ES256, EdDSA, JwsVerifier, RS256};
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let pem = pem(&key).unwrap();
            let verifier: Box<dyn JwsVerifier> = match algorithm {
                Algorithm::Es256 => Box::new(ES256.verifier_from_pem(&pem).unwrap()),
                Algorithm::EdDsa => Box::new(EdDSA.verifier_from_pem(&pem).unwrap()),
                Algorithm::Rs256 => Box::new(RS256.verifier_from_pem(&pem).unwrap()),
            };
            verifier.verify(b"message", &key.sign(b"message").unwrap()).unwrap();
        }
    }
}
