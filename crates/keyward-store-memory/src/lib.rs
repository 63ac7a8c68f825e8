//! Keyward's data in memory: the reference adapter of the storage port, and the default in tests.
//!
//! It is written to be obviously right, not to be quick or economical. Nothing survives the process.

mod commit;
mod data;
mod select;

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use keyward_model::{AnyId, ChainHead, ChainedEvent, Reach, Record, Timestamp, UniqueKey, Usage};
use keyward_store::{
    Change, EventPage, EventQuery, Feed, Page, Query, Revision, Store, StoreError, Tally, Ticket, TicketKey,
};

use crate::data::Data;

/// A store in memory. Clones are handles on the same data.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
}

impl MemoryStore {
    /// A store without anything in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The data. A commit that panicked has not changed it in part: checks come before changes.
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError> {
        let data = self.data();
        Ok(data.records.get(&id).filter(|record| data.is_visible(reach, record)).cloned())
    }

    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let data = self.data();
        let holder = data.keys.get(key).and_then(|id| data.records.get(id));
        Ok(holder.filter(|record| data.is_visible(reach, record)).cloned())
    }

    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError> {
        Ok(select::list(&self.data(), reach, query))
    }

    async fn commit(&self, change: Change) -> Result<Revision, StoreError> {
        self.data().commit(change)
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let data = self.data();
        let is_live = |ticket: &&Ticket| ticket.expires_at.is_none_or(|at| at > now);
        Ok(data.tickets.get(key).filter(is_live).cloned())
    }

    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError> {
        Ok(select::events(&self.data(), reach, query))
    }

    async fn tally(&self, reach: &Reach, query: &EventQuery, seconds: u32) -> Result<Vec<Tally>, StoreError> {
        Ok(select::tally(&self.data(), reach, query, seconds))
    }

    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError> {
        let mut heads: Vec<ChainHead> = self.data().chains.values().cloned().collect();
        heads.sort_by(|a, b| (a.opened_at, &a.chain).cmp(&(b.opened_at, &b.chain)));
        Ok(heads)
    }

    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        let data = self.data();
        let behind = data.events.iter().filter(|event| event.chain == chain && event.seq > after);
        let mut events: Vec<ChainedEvent> = behind.cloned().collect();
        events.sort_by_key(|event| event.seq);
        events.truncate(limit as usize);
        Ok(events)
    }

    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError> {
        let data = self.data();
        Ok(data.usage.values().filter(|usage| subjects.contains(&usage.subject)).cloned().collect())
    }

    async fn changed_since(&self, revision: Revision) -> Result<Feed, StoreError> {
        let data = self.data();
        if revision < data.feed_from || revision > data.revision {
            return Ok(Feed::Reset { revision: data.revision });
        }
        let since = data.changes.iter().filter(|(at, _)| *at > revision);
        Ok(Feed::Changes { revision: data.revision, ids: since.map(|(_, id)| *id).collect() })
    }

    /// Never: no other process can change this store.
    async fn changed(&self) {
        pending::<()>().await;
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.data().purge(before))
    }

    async fn ping(&self) -> Result<Revision, StoreError> {
        Ok(self.data().revision)
    }
}
