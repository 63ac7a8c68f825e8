//! The tokens that were revoked and have not expired yet.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use keyward_model::{AnyId, Kind, Reach, Revocation, Timestamp, UniqueKey};
use keyward_store::{Query, Store, StoreError, StoreExt};

use super::all;

/// `jti` and expiry of revoked tokens.
#[derive(Debug, Default)]
pub(crate) struct Revoked(RwLock<HashMap<String, Timestamp>>);

impl Revoked {
    pub(crate) async fn read(store: &dyn Store, now: Timestamp) -> Result<Self, StoreError> {
        let revoked = Self::default();
        revoked.reload(store).await?;
        revoked.forget_expired(now);
        Ok(revoked)
    }

    pub(crate) async fn reload(&self, store: &dyn Store) -> Result<(), StoreError> {
        let (all, _) = all::<Revocation>(store, Query::all(Kind::Revocation)).await?;
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.extend(all.into_iter().map(|revocation| (revocation.jti, revocation.expires_at)));
        Ok(())
    }

    /// Takes up the revocations among these records.
    pub(crate) async fn follow(&self, store: &dyn Store, ids: &[AnyId]) -> Result<(), StoreError> {
        for id in ids.iter().filter_map(|id| id.typed::<Revocation>()) {
            if let Some(revocation) = store.get_as(&Reach::Platform, id).await? {
                self.insert(&revocation.jti, revocation.expires_at);
            }
        }
        Ok(())
    }

    pub(crate) fn insert(&self, jti: &str, expires_at: Timestamp) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(jti.to_owned(), expires_at);
    }

    pub(crate) fn contains(&self, jti: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(jti)
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, expires_at| *expires_at > now);
    }

    /// Asks storage about one token.
    pub(crate) async fn ask(store: &dyn Store, jti: &str) -> Result<bool, StoreError> {
        let key = UniqueKey::RevokedJti(jti.to_owned());
        Ok(store.find(&Reach::Platform, &key).await?.is_some())
    }
}
