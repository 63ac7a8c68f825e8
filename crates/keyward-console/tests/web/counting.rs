//! A store that counts what it is asked, so that no page asks without end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use keyward_model::{AnyId, ChainHead, ChainedEvent, Reach, Record, Timestamp, UniqueKey, Usage};
use keyward_store::{
    Change, EventPage, EventQuery, Feed, Page, Query, Revision, Store, StoreError, Tally, Ticket, TicketKey,
};
use keyward_store_memory::MemoryStore;

/// Counts the reads that it passes on. Each is one statement in an SQL database; a list is two until its total is known.
#[derive(Default)]
pub(crate) struct CountingStore {
    inner: MemoryStore,
    count: Arc<AtomicU64>,
    tallies_fail: Arc<AtomicBool>,
}

impl CountingStore {
    /// The counter.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        self.count.clone()
    }

    /// Set, no events can be counted.
    pub(crate) fn tallies_fail(&self) -> Arc<AtomicBool> {
        self.tallies_fail.clone()
    }

    fn one(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Store for CountingStore {
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError> {
        self.one();
        self.inner.get(reach, id).await
    }

    async fn get_many(&self, reach: &Reach, ids: &[AnyId]) -> Result<Vec<Record>, StoreError> {
        let mut kinds: Vec<_> = ids.iter().map(|id| id.kind).collect();
        kinds.sort();
        kinds.dedup();
        for _ in kinds {
            self.one();
        }
        self.inner.get_many(reach, ids).await
    }

    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.one();
        self.inner.find(reach, key).await
    }

    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError> {
        self.one();
        self.inner.list(reach, query).await
    }

    async fn commit(&self, change: Change) -> Result<Revision, StoreError> {
        self.inner.commit(change).await
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        // The policy is looked for by the clock, not by a page.
        if key.namespace != "sign_in_policy" {
            self.one();
        }
        self.inner.ticket(key, now).await
    }

    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError> {
        self.one();
        self.inner.events(reach, query).await
    }

    async fn tally(&self, reach: &Reach, query: &EventQuery, seconds: u32) -> Result<Vec<Tally>, StoreError> {
        self.one();
        if self.tallies_fail.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("the log is not to be counted"));
        }
        self.inner.tally(reach, query, seconds).await
    }

    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError> {
        self.inner.chains().await
    }

    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        self.inner.chain(chain, after, limit).await
    }

    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError> {
        self.one();
        self.inner.usage(subjects).await
    }

    async fn changed_since(&self, revision: Revision) -> Result<Feed, StoreError> {
        self.inner.changed_since(revision).await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.inner.purge(before).await
    }

    async fn ping(&self) -> Result<Revision, StoreError> {
        self.inner.ping().await
    }
}
