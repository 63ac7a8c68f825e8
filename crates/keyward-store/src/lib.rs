//! The storage port of Keyward: what an adapter must do, and nothing about how.
//!
//! An adapter implements [`Store`], about a dozen methods, and proves itself with the cases of `keyward-store-suite`.
//! Adapters decide nothing: ids, times, versions, hashes and events are made by the application.

mod change;
mod query;

use std::collections::BTreeMap;

use async_trait::async_trait;
use keyward_model::{
    AnyId, ChainHead, ChainedEvent, Entity, Field, Id, Record, Timestamp, UniqueKey, Usage, Value,
};

pub use change::{Change, Counted, Guard, Put, Ticket, TicketKey, UsageBatch};
pub use keyward_model::Reach;
pub use query::{Condition, Cursor, Direction, EventPage, EventQuery, Page, Query, Tally, Test};

/// How many commits that touched records there were. It grows by one with each of them, in the order in which they
/// became visible.
pub type Revision = i64;

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another record, not deleted, holds this key, or the ticket exists already. Nothing was written.
    #[error("the key is taken")]
    Taken(TakenKey),
    /// A record has another version than was read, a ticket to consume is gone, or the database asked for the
    /// transaction to be tried again. Nothing was written.
    #[error("the data changed in the meantime")]
    Stale,
    /// The database can't be reached or does not work. Whether a commit took place is unknown.
    #[error("storage is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// The third kind, from its cause.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}

/// What was [taken](StoreError::Taken).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenKey {
    /// A record's key.
    Record(UniqueKey),
    /// A ticket's key.
    Ticket(TicketKey),
}

/// What changed since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The records that were created, changed or deleted, up to the revision given; each at least once.
    Changes {
        /// The newest revision.
        revision: Revision,
        /// The records, oldest change first.
        ids: Vec<AnyId>,
    },
    /// The revision asked for is too old to tell: everything may have changed.
    Reset {
        /// The newest revision.
        revision: Revision,
    },
}

/// A storage adapter.
///
/// **Visibility.** `get`, `find`, `list` and `events` take a [`Reach`]; outside of it nothing exists. A record that is
/// deleted, or whose owning tenant or partner is deleted, or whose tenant's partner is deleted, exists for no reach.
/// An application's secrets are visible on their own terms: they carry their owner's ids.
///
/// **Cancellation.** Dropping a returned future must not leave half a change behind: it is written whole or not at all.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The record with this id, if the reach covers it.
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError>;

    /// Those of the records with these ids that the reach covers, in any order. An adapter that reads many at once does
    /// better than this.
    async fn get_many(&self, reach: &Reach, ids: &[AnyId]) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.get(reach, *id).await?);
        }
        Ok(found)
    }

    /// The record that holds this key, if the reach covers it.
    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError>;

    /// One page of the records of a kind that the reach covers and the query selects, and how many there are.
    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError>;

    /// How many of the records that the reach covers and the query selects have each value of a field of texts, in the
    /// order of the values; those without one are left out. The query's order and page do not count. An adapter that
    /// counts itself does better than this.
    async fn count_by(
        &self,
        reach: &Reach,
        query: &Query,
        field: Field,
    ) -> Result<Vec<(Value, u64)>, StoreError> {
        let mut counts: BTreeMap<Value, u64> = BTreeMap::new();
        let mut query = Query { page: 1, per_page: 1_000, ..query.clone() };
        loop {
            let page = self.list(reach, &query).await?;
            for record in &page.items {
                *counts.entry(record.value(field)).or_default() += 1;
            }
            if page.items.is_empty() || query.offset() + page.items.len() as u64 >= page.total {
                counts.remove(&Value::Null);
                return Ok(counts.into_iter().collect());
            }
            query.page += 1;
        }
    }

    /// Writes everything in the change or nothing, durably. Returns the revision afterwards.
    ///
    /// The revision grows when the change puts records, and stays otherwise.
    async fn commit(&self, change: Change) -> Result<Revision, StoreError>;

    /// The same for a caller who has a thread to himself: an adapter that hands its work over to a thread that may wait
    /// can do it on this one.
    async fn commit_here(&self, change: Change) -> Result<Revision, StoreError> {
        self.commit(change).await
    }

    /// The ticket with this key that has not expired at `now`.
    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError>;

    /// Events of the audit log that the reach covers and the query selects, newest first.
    ///
    /// [`Reach::Partner`] covers the events that name the partner, [`Reach::Tenant`] those that name the tenant.
    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError>;

    /// How many events there were in each span of `seconds`, by action and reason, of those that the reach covers and the
    /// query selects; its cursor and limit do not count. In the order of spans, actions and reasons; spans begin at
    /// multiples of `seconds` since the Unix epoch, and those without events are left out.
    async fn tally(&self, reach: &Reach, query: &EventQuery, seconds: u32) -> Result<Vec<Tally>, StoreError>;

    /// The heads of all chains of the audit log, oldest chain first.
    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError>;

    /// Events of one chain with a number above `after`, in order, at most `limit`.
    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError>;

    /// The evidence of use of these credentials, a row for each credential, day and address.
    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError>;

    /// What changed since `revision`.
    async fn changed_since(&self, revision: Revision) -> Result<Feed, StoreError>;

    /// Waits until another process may have committed a change, or for ever. Only a hint: it may come early, late,
    /// twice or never, and [`changed_since`](Self::changed_since) is the truth.
    async fn changed(&self);

    /// Deletes tickets and revocations that expired before `before`, and changes too old for the feed. Returns how many.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Whether the database answers: the newest revision.
    async fn ping(&self) -> Result<Revision, StoreError>;
}

/// Typed reads over any [`Store`].
#[async_trait]
pub trait StoreExt: Store {
    /// The record with this typed id, if the reach covers it.
    async fn get_as<R: Entity>(&self, reach: &Reach, id: Id<R>) -> Result<Option<R>, StoreError> {
        Ok(self.get(reach, id.any()).await?.and_then(|record| R::try_from(record).ok()))
    }

    /// The record of this type that holds the key, if the reach covers it.
    async fn find_as<R: Entity>(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<R>, StoreError> {
        Ok(self.find(reach, key).await?.and_then(|record| R::try_from(record).ok()))
    }

    /// One page of the records of this type.
    async fn list_as<R: Entity>(&self, reach: &Reach, query: &Query) -> Result<Page<R>, StoreError> {
        let page = self.list(reach, query).await?;
        let items = page.items.into_iter().filter_map(|record| R::try_from(record).ok()).collect();
        Ok(Page { items, total: page.total })
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
