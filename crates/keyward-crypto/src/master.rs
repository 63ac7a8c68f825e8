//! The master key, and what is derived from it (HKDF-SHA-256, RFC 5869).

use base64::{Engine, engine::general_purpose::STANDARD};
use keyward_model::Random;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};

use crate::{
    credential::{Credential, CredentialKind},
    digest::to_array,
    refresh::RefreshTokens,
};

/// The first byte of everything that is sealed in this way.
const SEALED_VERSION: u8 = 1;

/// 32 bytes that a deployment must not lose: they open its sealed keys and key its hashes of secrets.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// Why a text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64")]
pub struct InvalidMasterKey;

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, InvalidMasterKey> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidMasterKey)?;
        bytes.try_into().map(Self).map_err(|_| InvalidMasterKey)
    }

    /// The key in base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// 32 bytes for one use; nothing can be learned from them about the key or about other uses.
    fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut derived = [0; 32];
        let info = [purpose.as_bytes()];
        let expanded = hkdf::Salt::new(hkdf::HKDF_SHA256, b"keyward").extract(&self.0);
        let filled = expanded.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut derived));
        // HKDF-SHA-256 gives up to 255 times 32 bytes; a key of zeros must not go unnoticed all the same.
        assert!(filled.is_ok(), "32 bytes can be derived");
        derived
    }

    /// A text by which a database recognises its master key, and which tells nobody else anything.
    #[must_use]
    pub fn check_value(&self) -> String {
        STANDARD.encode(&self.derive("master key check v1")[..16])
    }

    /// What hashes secrets.
    #[must_use]
    pub fn secret_hasher(&self) -> SecretHasher {
        SecretHasher(hmac::Key::new(hmac::HMAC_SHA256, &self.derive("secret hash v1")))
    }

    /// What makes refresh tokens.
    #[must_use]
    pub fn refresh_tokens(&self) -> RefreshTokens {
        RefreshTokens(hmac::Key::new(hmac::HMAC_SHA256, &self.derive("refresh tokens v1")))
    }

    /// The code of the link by which the first administrator is made: the same as long as the key is.
    #[must_use]
    pub fn setup_code(&self, live: bool) -> Credential {
        Credential::of(CredentialKind::SetupCode, live, self.derive("setup code v1"))
    }

    /// What seals private keys at rest.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer(self.derive("sealing v1"))
    }
}

/// Hashes secrets with a key, so that a copy of the database alone can't be tried against guesses.
#[derive(Clone)]
pub struct SecretHasher(hmac::Key);

impl SecretHasher {
    /// HMAC-SHA-256 of a secret.
    #[must_use]
    pub fn hash(&self, secret: &str) -> [u8; 32] {
        to_array(hmac::sign(&self.0, secret.as_bytes()).as_ref())
    }

    /// Whether `hash` is that of the secret, found out in a time that does not depend on the hash.
    #[must_use]
    pub fn verify(&self, secret: &str, hash: &[u8; 32]) -> bool {
        hmac::verify(&self.0, secret.as_bytes(), hash).is_ok()
    }
}

/// Seals bytes with AES-256-GCM; each is bound to a context, so that one can't stand in for another.
#[derive(Clone)]
pub struct Sealer([u8; 32]);

/// Sealed bytes that can't be opened: another master key, another context, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed data can't be opened with this master key")]
pub struct Unopenable;

impl Sealer {
    fn key(&self) -> Result<LessSafeKey, Unopenable> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new).map_err(|_| Unopenable)
    }

    /// Seals `plain` for `context`: a version byte, a random nonce, then ciphertext and tag.
    pub fn seal(&self, context: &str, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, Unopenable> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.key()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .map_err(|_| Unopenable)?;
        Ok([&[SEALED_VERSION], &nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for `context`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable> {
        let (version, rest) = sealed.split_first().ok_or(Unopenable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(Unopenable)?;
        if *version != SEALED_VERSION {
            return Err(Unopenable);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopenable)?;
        let mut buffer = sealed.to_vec();
        let plain =
            self.key()?.open_in_place(nonce, Aad::from(context), &mut buffer).map_err(|_| Unopenable)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;

    use super::*;

    #[test]
    fn sealed_data_opens_with_its_key_and_context_only() {
        let random = SeededRandom::new(1);
        let (master, other) = (MasterKey::generate(&random), MasterKey::generate(&random));
        let sealed = master.sealer().seal("a", b"private", &random).unwrap();
        assert_eq!(master.sealer().open("a", &sealed).unwrap(), b"private");
        assert_eq!(master.sealer().open("b", &sealed), Err(Unopenable));
        assert_eq!(other.sealer().open("a", &sealed), Err(Unopenable));
        for damage in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[damage] ^= 1;
            assert_eq!(master.sealer().open("a", &damaged), Err(Unopenable), "byte {damage}");
            assert_eq!(master.sealer().open("a", &sealed[..damage]), Err(Unopenable), "cut at {damage}");
        }
        assert!(!sealed.windows(7).any(|window| window == b"private"));
    }

    #[test]
    fn a_master_key_travels_as_base64() {
        let key = MasterKey::generate(&SeededRandom::new(2));
        let again = MasterKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(key.check_value(), again.check_value());
        assert_eq!(key.secret_hasher().hash("x"), again.secret_hasher().hash("x"));
        assert_ne!(key.check_value(), MasterKey::generate(&SeededRandom::new(3)).check_value());
        for bad in ["", "AAAA", "not base64!", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33])] {
            assert!(MasterKey::from_base64(bad).is_err(), "{bad}");
        }
    }
}
