//! Keyward's storage in `redb`, an embedded key-value store: a worked example of a storage adapter.
//!
//! `docs/storage-adapters.md` goes through it step by step. Every call of the port is one closure with one transaction
//! on a blocking thread, so that a caller that goes away leaves nothing half done.

mod commit;
mod data;
mod purge;
mod select;

use std::{collections::BTreeSet, future::pending, path::Path, sync::Arc};

use async_trait::async_trait;
use keyward_model::{AnyId, ChainHead, ChainedEvent, Reach, Record, Timestamp, UniqueKey, Usage};
use keyward_store::{
    Change, EventPage, EventQuery, Feed, Page, Query, Revision, Store, StoreError, Tally, Ticket, TicketKey,
};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};

use crate::data::{
    CHAINS, CHANGES, EVENTS, FEED_FROM, Fallible, KEYS, LINKS, NUMBERS, RECORDS, REVISION, Records, TICKETS,
    USAGE, decode, key_text, number,
};

/// A store in a file. Clones are handles on the same one; no other process can open it meanwhile.
#[derive(Clone)]
pub struct RedbStore {
    database: Arc<Database>,
}

impl RedbStore {
    /// The store in this file, which is made when there is none. Blocks while the file is read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let open = || {
            let database = Database::create(path)?;
            let transaction = database.begin_write()?;
            data::create_tables(&transaction)?;
            transaction.commit()?;
            Ok(Self { database: Arc::new(database) })
        };
        open().map_err(data::store_error)
    }

    /// Reads one state of everything, whatever is written meanwhile.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Fallible<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        blocking(move || read(&database.begin_read()?)).await
    }

    /// Writes all or nothing: a transaction that is dropped before its commit leaves no trace.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&WriteTransaction) -> Fallible<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        let whole = move || {
            let transaction = database.begin_write()?;
            let result = write(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        blocking(whole).await
    }
}

/// Goes through with the work even when nobody waits for it any more.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Fallible<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?;
    done.map_err(data::store_error)
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError> {
        let reach = *reach;
        self.read(move |transaction| transaction.open_table(RECORDS)?.visible(&reach, id)).await
    }

    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let (reach, key) = (*reach, key.clone());
        let read = move |transaction: &ReadTransaction| {
            let keys = transaction.open_table(KEYS)?;
            let Some(holder) = keys.get(key_text(&key)?.as_str())? else { return Ok(None) };
            transaction.open_table(RECORDS)?.visible(&reach, holder.value().parse()?)
        };
        self.read(read).await
    }

    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError> {
        let (reach, query) = (*reach, query.clone());
        self.read(move |transaction| select::list(&transaction.open_table(RECORDS)?, &reach, &query)).await
    }

    async fn commit(&self, change: Change) -> Result<Revision, StoreError> {
        self.write(move |transaction| commit::commit(transaction, &change)).await
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let key = key.clone();
        let read = move |transaction: &ReadTransaction| {
            let tickets = transaction.open_table(TICKETS)?;
            let Some(stored) = tickets.get((key.namespace.as_str(), key.key.as_str()))? else {
                return Ok(None);
            };
            let (value, millis) = stored.value();
            let expires_at = millis.and_then(Timestamp::from_unix_millis);
            let ticket = Ticket { key: key.clone(), value: value.to_owned(), expires_at };
            Ok(Some(ticket).filter(|_| expires_at.is_none_or(|at| at > now)))
        };
        self.read(read).await
    }

    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError> {
        let (reach, query) = (*reach, query.clone());
        self.read(move |transaction| select::events(&transaction.open_table(EVENTS)?, &reach, &query)).await
    }

    async fn tally(&self, reach: &Reach, query: &EventQuery, seconds: u32) -> Result<Vec<Tally>, StoreError> {
        let (reach, query) = (*reach, query.clone());
        let read = move |transaction: &ReadTransaction| {
            select::tally(&transaction.open_table(EVENTS)?, &reach, &query, seconds)
        };
        self.read(read).await
    }

    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError> {
        let read = |transaction: &ReadTransaction| {
            let chains = transaction.open_table(CHAINS)?;
            let heads = chains.iter()?.map(|entry| decode(entry?.1.value()));
            let mut heads: Vec<ChainHead> = heads.collect::<Fallible<_>>()?;
            heads.sort_by(|a, b| (a.opened_at, &a.chain).cmp(&(b.opened_at, &b.chain)));
            Ok(heads)
        };
        self.read(read).await
    }

    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        let chain = chain.to_owned();
        let read = move |transaction: &ReadTransaction| {
            let (links, events) = (transaction.open_table(LINKS)?, transaction.open_table(EVENTS)?);
            let behind = (chain.as_str(), after.saturating_add(1))..=(chain.as_str(), i64::MAX);
            let mut found = Vec::new();
            for link in links.range(behind)?.take(limit as usize) {
                if let Some(event) = events.get(link?.1.value())? {
                    found.push(decode(event.value())?);
                }
            }
            Ok(found)
        };
        self.read(read).await
    }

    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError> {
        let subjects: BTreeSet<String> = subjects.iter().map(ToString::to_string).collect();
        let read = move |transaction: &ReadTransaction| {
            let usage = transaction.open_table(USAGE)?;
            let mut found = Vec::new();
            for subject in &subjects {
                for entry in usage.range((subject.as_str(), "", "")..)? {
                    let (key, stored) = entry?;
                    if key.value().0 != subject {
                        break;
                    }
                    found.push(decode(stored.value())?);
                }
            }
            Ok(found)
        };
        self.read(read).await
    }

    async fn changed_since(&self, since: Revision) -> Result<Feed, StoreError> {
        let read = move |transaction: &ReadTransaction| {
            let numbers = transaction.open_table(NUMBERS)?;
            let (revision, feed_from) = (number(&numbers, REVISION)?, number(&numbers, FEED_FROM)?);
            if since < feed_from || since > revision {
                return Ok(Feed::Reset { revision });
            }
            let changes = transaction.open_table(CHANGES)?;
            let later = changes.range((since.saturating_add(1), 0)..)?;
            let ids = later.map(|change| Ok(change?.1.value().parse()?)).collect::<Fallible<_>>()?;
            Ok(Feed::Changes { revision, ids })
        };
        self.read(read).await
    }

    /// Never: no other process can open the file.
    async fn changed(&self) {
        pending::<()>().await;
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |transaction| purge::purge(transaction, before)).await
    }

    async fn ping(&self) -> Result<Revision, StoreError> {
        self.read(|transaction| number(&transaction.open_table(NUMBERS)?, REVISION)).await
    }
}
