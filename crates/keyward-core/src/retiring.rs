//! Revoking API keys that have a successor and that nobody uses any more.

use keyward_model::{AnyId, ApiKey, Entity, Field, Kind};
use keyward_store::{Condition, Query, StoreError, Test};

use crate::{Call, Caller, Keyward, Origin, admin::Work, directory::all};

impl Keyward {
    /// Revokes the keys that were told to go once they are quiet, and are.
    pub(crate) async fn retire_quiet_keys(&self) -> Result<(), StoreError> {
        let call = Call { caller: Caller::system(), origin: Origin::default(), idempotency: None };
        let work = Work::begin(self, &call);
        let due = Condition { field: Field::RetiresFrom, test: Test::Before(work.now) };
        let query = Query { conditions: vec![due], ..Query::all(Kind::ApiKey) };
        let (keys, _) = all::<ApiKey>(&*self.inner.store, query).await?;
        let ids: Vec<AnyId> = keys.iter().map(|key| key.id().any()).collect();
        let usage = self.usage_of(&ids).await?;
        for key in keys {
            let usage = usage.get(&key.id().any()).map_or(&[][..], Vec::as_slice);
            if work.is_quiet(&key, usage) {
                work.retire(&key).await?;
            }
        }
        Ok(())
    }
}
