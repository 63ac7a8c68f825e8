//! Signing keys: made at first start, sealed at rest, published before first use, retired after the longest token life.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keyward_crypto::{
    jws::{Algorithm, KeySet, SigningKey as Signer, VerifyingKey},
    master::Sealer,
};
use keyward_model::{Clock, Entity, Id, Kind, Meta, Random, SigningKey, Timestamp, TokenAlgorithm};
use keyward_store::{Query, Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{directory::all, options::MAX_TOKEN_LIFETIME};

/// How long after its publication a key is still unknown to a node of this deployment, at most, in seconds.
const PROPAGATION_SECONDS: i64 = 10;
/// How far the clocks of verifiers may be behind, in seconds.
const SKEW_SECONDS: i64 = 300;

/// Why the signing keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored key can't be opened or read: another master key, or damage.
    #[error("the signing key {0} can't be opened with this master key")]
    Unusable(String),
    /// A new key can't be made.
    #[error("a signing key could not be made")]
    NotMade,
}

/// A signing key as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// The identifier, `sgk_…`.
    #[schema(value_type = String)]
    pub id: Id<SigningKey>,
    /// The key's name in token headers.
    pub kid: String,
    /// The algorithm that it signs with.
    pub algorithm: TokenAlgorithm,
    /// `published`, `active`, `retiring` or `retired`.
    pub state: &'static str,
    /// From when on it may sign.
    #[schema(value_type = String, format = DateTime)]
    pub active_at: Timestamp,
    /// When it leaves the JWKS; null until a successor exists.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retires_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

pub(crate) fn algorithm(of: TokenAlgorithm) -> Algorithm {
    match of {
        TokenAlgorithm::Es256 => Algorithm::Es256,
        TokenAlgorithm::EdDsa => Algorithm::EdDsa,
        TokenAlgorithm::Rs256 => Algorithm::Rs256,
    }
}

/// A key of the ring.
struct Held {
    algorithm: TokenAlgorithm,
    active_at: Timestamp,
    retires_at: Option<Timestamp>,
    signer: Arc<Signer>,
}

/// What the keys come to until the next of them is published or retired.
struct Ring {
    /// Youngest first.
    keys: Vec<Held>,
    verifying: KeySet,
    jwks: Arc<str>,
    /// When a key leaves the ring.
    valid_until: Option<Timestamp>,
}

/// The signing keys of the deployment, parsed and in memory.
pub(crate) struct Keys {
    store: Arc<dyn Store>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ring: ArcSwap<Ring>,
}

impl Keys {
    /// Reads the keys.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyError> {
        let ring =
            Ring { keys: Vec::new(), verifying: KeySet::new(Vec::new()), jwks: "".into(), valid_until: None };
        let keys = Self { store, sealer, clock, random, ring: ArcSwap::from_pointee(ring) };
        keys.reload().await?;
        Ok(keys)
    }

    /// Reads the keys again.
    pub(crate) async fn reload(&self) -> Result<(), KeyError> {
        let records = self.records().await?;
        let known = self.ring.load();
        let mut held = Vec::with_capacity(records.len());
        for record in records {
            let same = known.keys.iter().find(|key| key.signer.kid() == record.kid);
            let signer = match same {
                Some(key) => key.signer.clone(),
                None => Arc::new(self.unseal(&record)?),
            };
            held.push(Held {
                algorithm: record.algorithm,
                active_at: record.active_at,
                retires_at: record.retires_at,
                signer,
            });
        }
        self.set(held);
        Ok(())
    }

    fn unseal(&self, record: &SigningKey) -> Result<Signer, KeyError> {
        Signer::unseal(&record.kid, &record.sealed, &self.sealer)
            .map_err(|_| KeyError::Unusable(record.kid.clone()))
    }

    fn set(&self, mut keys: Vec<Held>) {
        let now = self.clock.now();
        keys.retain(|key| key.retires_at.is_none_or(|at| at > now));
        keys.sort_by_key(|key| std::cmp::Reverse(key.active_at));
        let verifying: Vec<VerifyingKey> =
            keys.iter().filter_map(|key| VerifyingKey::from_jwk(key.signer.public_jwk()).ok()).collect();
        let valid_until = keys.iter().filter_map(|key| key.retires_at).min();
        let verifying = KeySet::new(verifying);
        let jwks = verifying.jwks().to_string().into();
        self.ring.store(Arc::new(Ring { keys, verifying, jwks, valid_until }));
    }

    /// Lets keys go whose time has come. To be called now and then.
    pub(crate) fn tick(&self) {
        let ring = self.ring.load();
        if ring.valid_until.is_some_and(|at| at <= self.clock.now()) {
            let keep = |key: &Held| Held { signer: key.signer.clone(), ..*key };
            self.set(ring.keys.iter().map(keep).collect());
        }
    }

    /// The key that signs with this algorithm now.
    pub(crate) fn signer(&self, algorithm: TokenAlgorithm, now: Timestamp) -> Option<Arc<Signer>> {
        let ring = self.ring.load();
        let active = ring.keys.iter().find(|key| key.algorithm == algorithm && key.active_at <= now);
        active.map(|key| key.signer.clone())
    }

    /// The published keys as JSON.
    pub(crate) fn jwks(&self) -> Arc<str> {
        self.ring.load().jwks.clone()
    }

    /// Gives the published keys to a verification.
    pub(crate) fn with_verifying<T>(&self, verify: impl FnOnce(&KeySet) -> T) -> T {
        verify(&self.ring.load().verifying)
    }

    /// Every key that ever was, oldest first.
    pub(crate) async fn records(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(all::<SigningKey>(&*self.store, Query::all(Kind::SigningKey)).await?.0)
    }

    /// A new key, to be stored. Made on a thread of its own: an RSA key takes a while.
    pub(crate) async fn make(
        &self,
        of: TokenAlgorithm,
        active_at: Timestamp,
    ) -> Result<SigningKey, KeyError> {
        let (sealer, random) = (self.sealer.clone(), self.random.clone());
        let made = tokio::task::spawn_blocking(move || {
            let signer = Signer::generate(algorithm(of)).ok()?;
            let sealed = signer.seal(&sealer, &*random).ok()?;
            Some((signer, sealed))
        });
        let (signer, sealed) = made.await.ok().flatten().ok_or(KeyError::NotMade)?;
        let now = self.clock.now();
        Ok(SigningKey {
            meta: Meta::new(Id::generate(now, &*self.random), now),
            kid: signer.kid().to_owned(),
            algorithm: of,
            public_jwk: signer.public_jwk().to_string(),
            sealed,
            active_at,
            retires_at: None,
        })
    }

    /// When a key that is published now may sign first, and when those that it replaces may go.
    pub(crate) fn rotation_times(now: Timestamp, jwks_cache_seconds: u32) -> (Timestamp, Timestamp) {
        let active_at = now.plus_seconds(i64::from(jwks_cache_seconds) + PROPAGATION_SECONDS);
        let retires_at = active_at.plus_seconds(i64::from(MAX_TOKEN_LIFETIME) + SKEW_SECONDS);
        (active_at, retires_at)
    }
}

/// The public parts of these keys.
pub(crate) fn verifying(records: &[SigningKey]) -> KeySet {
    let public = |record: &SigningKey| {
        let jwk: serde_json::Value = serde_json::from_str(&record.public_jwk).ok()?;
        VerifyingKey::from_jwk(&jwk).ok()
    };
    KeySet::new(records.iter().filter_map(public).collect())
}

/// How a key is read at `now`, where `all` holds every key.
pub(crate) fn view(key: &SigningKey, all: &[SigningKey], now: Timestamp) -> SigningKeyView {
    let succeeded = all.iter().any(|other| {
        other.algorithm == key.algorithm && other.active_at > key.active_at && other.active_at <= now
    });
    let state = match key.retires_at {
        Some(at) if at <= now => "retired",
        _ if key.active_at > now => "published",
        _ if succeeded => "retiring",
        _ => "active",
    };
    SigningKeyView {
        id: key.id(),
        kid: key.kid.clone(),
        algorithm: key.algorithm,
        state,
        active_at: key.active_at,
        retires_at: key.retires_at,
        created_at: key.meta.created_at,
    }
}
