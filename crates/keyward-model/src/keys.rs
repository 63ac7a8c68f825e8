//! Signing keys, as they are stored.

use serde::{Deserialize, Serialize};

use crate::{
    Entity, Field, Meta, Owner, Timestamp, TokenAlgorithm, UniqueKey, Value,
    record::{has_meta, meta_value},
};

/// A key that signs tokens; its private part is sealed under the master key.
///
/// Its life: published from its creation, signs from `active_at` until a younger key of its algorithm becomes active,
/// and stays published for verification until `retires_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The key's name in token headers: its RFC 7638 thumbprint.
    pub kid: String,
    /// The algorithm that it signs with.
    pub algorithm: TokenAlgorithm,
    /// The public JWK as JSON.
    pub public_jwk: String,
    /// The sealed private JWK.
    pub sealed: Vec<u8>,
    /// From when on it may sign.
    pub active_at: Timestamp,
    /// When it leaves the JWKS, once a successor exists.
    pub retires_at: Option<Timestamp>,
}

impl Entity for SigningKey {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Platform
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::SigningKeyKid(self.kid.clone())]
    }

    fn display_name(&self) -> &str {
        &self.kid
    }

    fn value(&self, field: Field) -> Value {
        meta_value(&self.meta, field)
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.kid]
    }
}
