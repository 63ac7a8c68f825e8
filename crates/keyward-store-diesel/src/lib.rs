//! Keyward's storage in SQLite and PostgreSQL, by synchronous diesel.
//!
//! Every call of the port is one closure on a blocking thread: a connection never travels, and a caller that goes away
//! leaves nothing half done. One set of queries serves both databases (`sql`); everything in which they differ is in
//! `dialect`. A kind of record is one table in a migration and one file in `records`.

mod address;
mod commit;
mod connection;
mod counts;
mod dialect;
mod error;
mod events;
mod feed;
mod guard;
mod list;
mod log;
mod records;
mod row;
mod schema;
mod select;
mod sql;
mod terms;
mod visible;

use std::{
    future::pending,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use diesel::QueryResult;
use keyward_model::{
    AnyId, ChainHead, ChainedEvent, Field, Reach, Record, Timestamp, UniqueKey, Usage, Value,
};
use keyward_store::{
    Change, EventPage, EventQuery, Feed, Page, Query, Revision, Store, StoreError, Tally, Ticket, TicketKey,
};
use tokio::sync::Notify;

pub use error::Error;
pub use schema::{MigrationStatus, Presence};

use crate::{
    address::Address,
    connection::{Conn, Connections, Use},
    error::Failure,
    list::Totals,
};

/// How often a change is tried when somebody else is quicker with a key.
const ATTEMPTS: u32 = 3;

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// Whether to make the file of an SQLite database that does not exist.
    pub create: bool,
    /// How many connections at most; for SQLite how many that read, beside the one that writes.
    pub pool_size: u32,
}

impl Options {
    /// The database at this address, which must exist, with eight connections.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), create: false, pool_size: 8 }
    }
}

/// What is at an address. Neither makes nor changes anything.
pub fn inspect(url: &str) -> Result<Presence, Error> {
    schema::inspect(&Address::parse(url)?)
}

/// A store in SQLite or PostgreSQL. Clones share their connections.
#[derive(Clone, Debug)]
pub struct DieselStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    readers: Connections,
    /// The same as `readers` for PostgreSQL; a single connection for SQLite, which has one writer anyway.
    writers: Connections,
    totals: Arc<Totals>,
    heard: Arc<Notify>,
    listens: Mutex<bool>,
}

impl DieselStore {
    /// Opens a database. Its tables may need [`migrate`](Self::migrate).
    #[expect(clippy::needless_pass_by_value, reason = "options are made for one store")]
    pub fn open(options: Options) -> Result<Self, Error> {
        let address = Address::parse(&options.url)?;
        if options.create {
            dialect::create(&address)?;
        }
        // Somebody else's database is recognised before anything is set in it.
        schema::survey(&mut dialect::connect(&address, Use::Read)?, &address)?;
        // The pools tell nothing but that they waited in vain, so the first connection that writes is made here.
        drop(dialect::connect(&address, Use::Write)?);
        let (readers, writers) = match address {
            Address::Sqlite(_) => (
                Connections::new(address.clone(), Use::Read, options.pool_size),
                Connections::new(address.clone(), Use::Write, 1),
            ),
            Address::Postgres(_) => {
                let all = Connections::new(address.clone(), Use::Write, options.pool_size);
                (all.clone(), all)
            }
        };
        let inner = Inner {
            address,
            readers,
            writers,
            totals: Arc::default(),
            heard: Arc::default(),
            listens: Mutex::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Brings the tables up to date: all that is missing, or nothing.
    pub fn migrate(&self) -> Result<(), Error> {
        let mut conn = dialect::connect(&self.inner.address, Use::Write)?;
        schema::migrate(&mut conn, &self.inner.address)
    }

    /// Every migration that this version knows, oldest first, and whether the database has it.
    pub fn migration_status(&self) -> Result<Vec<MigrationStatus>, Error> {
        let mut conn = dialect::connect(&self.inner.address, Use::Read)?;
        schema::status(&mut conn, &self.inner.address)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        blocking(move || inner.readers.with(|conn| work(conn).map_err(Failure::from))).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        blocking(move || inner.write(work)).await
    }
}

/// Does something on a thread that may wait. It is done to its end, whoever stops waiting for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?
}

#[async_trait]
impl Store for DieselStore {
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError> {
        let reach = *reach;
        self.read(move |conn| select::get(conn, &reach, id)).await
    }

    async fn get_many(&self, reach: &Reach, ids: &[AnyId]) -> Result<Vec<Record>, StoreError> {
        let (reach, ids) = (*reach, ids.to_vec());
        self.read(move |conn| select::get_many(conn, &reach, &ids)).await
    }

    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let (reach, key) = (*reach, key.clone());
        self.read(move |conn| select::find(conn, &reach, &key)).await
    }

    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError> {
        let (reach, query) = (*reach, query.clone());
        let totals = self.inner.totals.clone();
        self.read(move |conn| list::list(conn, &reach, &query, &totals)).await
    }

    async fn count_by(
        &self,
        reach: &Reach,
        query: &Query,
        field: Field,
    ) -> Result<Vec<(Value, u64)>, StoreError> {
        let (reach, query) = (*reach, query.clone());
        self.read(move |conn| counts::count_by(conn, &reach, &query, field)).await
    }

    async fn commit(&self, change: Change) -> Result<Revision, StoreError> {
        self.write(move |conn| commit::commit(conn, &change)).await
    }

    /// A panic ends this commit and nothing else, as on another thread.
    async fn commit_here(&self, change: Change) -> Result<Revision, StoreError> {
        let work = || self.inner.write(|conn| commit::commit(conn, &change));
        let done = panic::catch_unwind(AssertUnwindSafe(work));
        done.map_err(|_| StoreError::unavailable("a commit panicked"))?
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let key = key.clone();
        self.read(move |conn| feed::ticket(conn, &key, now)).await
    }

    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError> {
        let (reach, query) = (*reach, query.clone());
        self.read(move |conn| events::events(conn, &reach, &query)).await
    }

    async fn tally(&self, reach: &Reach, query: &EventQuery, seconds: u32) -> Result<Vec<Tally>, StoreError> {
        let (reach, query) = (*reach, query.clone());
        self.read(move |conn| events::tally(conn, &reach, &query, seconds)).await
    }

    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError> {
        self.read(log::chains).await
    }

    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| log::chain(conn, &chain, after, limit)).await
    }

    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError> {
        let subjects = subjects.to_vec();
        self.read(move |conn| log::usage(conn, &subjects)).await
    }

    async fn changed_since(&self, revision: Revision) -> Result<Feed, StoreError> {
        self.read(move |conn| feed::changed_since(conn, revision)).await
    }

    /// PostgreSQL tells, from the first time on that anybody waits; SQLite never does.
    async fn changed(&self) {
        if matches!(self.inner.address, Address::Sqlite(_)) {
            pending::<()>().await;
        }
        self.inner.listen();
        self.inner.heard.notified().await;
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |conn| feed::purge(conn, before)).await
    }

    async fn ping(&self) -> Result<Revision, StoreError> {
        self.read(feed::revision).await
    }
}

impl Inner {
    /// Writes on this thread, again when somebody else was quicker with a key.
    fn write<T>(&self, work: impl Fn(&mut Conn) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.writers.with(|conn| {
            let mut result = work(conn);
            for _ in 1..ATTEMPTS {
                match &result {
                    Err(failure) if failure.is_unique_violation() => result = work(conn),
                    _ => break,
                }
            }
            result
        })
    }

    fn listen(&self) {
        let mut listens = self.listens.lock().unwrap_or_else(PoisonError::into_inner);
        if !*listens {
            match dialect::listen(&self.address, &self.heard) {
                Ok(()) => *listens = true,
                Err(error) => tracing::warn!(%error, "no thread to be told of changes"),
            }
        }
    }
}
