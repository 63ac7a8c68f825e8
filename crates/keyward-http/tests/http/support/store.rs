//! The store of a test, which it can break, and into which it can put partners.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use keyward_model::{
    AnyId, ChainHead, ChainedEvent, Clock as _, Id, Meta, Partner, Record, TenancyStatus, Timestamp,
    UniqueKey, Usage,
};
use keyward_store::{
    Change, EventPage, EventQuery, Feed, Page, Query, Reach, Revision, Store, StoreError, StoreExt as _,
    Tally, Ticket, TicketKey,
};

use super::{TestApp, database::Database};

/// A store whose reads and writes can be made to fail.
#[derive(Clone)]
pub(crate) struct TestStore {
    // Before the database, so that its connections are gone first.
    inner: Arc<dyn Store>,
    database: Arc<Database>,
    pub(crate) no_writes: Arc<AtomicBool>,
    pub(crate) no_reads: Arc<AtomicBool>,
    /// Whether others get their turn before each access, so that requests made at once run into one another.
    pub(crate) yields: Arc<AtomicBool>,
}

impl TestStore {
    /// On an empty database.
    pub(crate) fn new() -> Self {
        let database = Database::new();
        Self {
            inner: database.open(),
            database: Arc::new(database),
            no_writes: Arc::default(),
            no_reads: Arc::default(),
            yields: Arc::default(),
        }
    }

    /// Another one on the same database, as another process has it; it fails together with this one.
    pub(crate) fn another(&self) -> Self {
        Self { inner: self.database.open(), ..self.clone() }
    }

    async fn turn(&self) {
        if self.yields.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn reads(&self) -> Result<&dyn Store, StoreError> {
        if self.no_reads.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the disk of the sqlite file keyward.db is gone"));
        }
        Ok(&*self.inner)
    }
}

#[async_trait]
impl Store for TestStore {
    async fn get(&self, reach: &Reach, id: AnyId) -> Result<Option<Record>, StoreError> {
        self.turn().await;
        self.reads()?.get(reach, id).await
    }

    async fn find(&self, reach: &Reach, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.turn().await;
        self.reads()?.find(reach, key).await
    }

    async fn list(&self, reach: &Reach, query: &Query) -> Result<Page<Record>, StoreError> {
        self.turn().await;
        self.reads()?.list(reach, query).await
    }

    async fn commit(&self, change: Change) -> Result<Revision, StoreError> {
        self.turn().await;
        if self.no_writes.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the disk of the sqlite file keyward.db is full"));
        }
        self.inner.commit(change).await
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        self.reads()?.ticket(key, now).await
    }

    async fn events(&self, reach: &Reach, query: &EventQuery) -> Result<EventPage, StoreError> {
        self.reads()?.events(reach, query).await
    }

    async fn tally(&self, reach: &Reach, query: &EventQuery, span: u32) -> Result<Vec<Tally>, StoreError> {
        self.reads()?.tally(reach, query, span).await
    }

    async fn chains(&self) -> Result<Vec<ChainHead>, StoreError> {
        self.reads()?.chains().await
    }

    async fn chain(&self, chain: &str, after: i64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        self.reads()?.chain(chain, after, limit).await
    }

    async fn usage(&self, subjects: &[AnyId]) -> Result<Vec<Usage>, StoreError> {
        self.reads()?.usage(subjects).await
    }

    async fn changed_since(&self, revision: Revision) -> Result<Feed, StoreError> {
        self.reads()?.changed_since(revision).await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.reads()?.purge(before).await
    }

    async fn ping(&self) -> Result<Revision, StoreError> {
        self.reads()?.ping().await
    }
}

impl TestApp {
    /// Puts a partner into the database, past the admin API: its identifier.
    pub(crate) async fn partner(&self, slug: &str) -> String {
        let now = self.clock.now();
        let partner = Partner {
            meta: Meta::new(Id::generate(now, &*self.random), now),
            name: slug.to_owned(),
            slug: slug.to_owned(),
            status: TenancyStatus::Active,
            contact_email: None,
            max_tenants: None,
            max_users_per_tenant: None,
            max_applications_per_tenant: None,
        };
        let id = partner.meta.id.to_string();
        self.store.commit(Change::default().create(partner)).await.unwrap();
        id
    }

    /// Changes a partner in the database and starts again, so that no cache stands in between.
    pub(crate) async fn change_partner(&mut self, id: &str, change: impl FnOnce(&mut Partner)) {
        let id: Id<Partner> = id.parse().unwrap();
        let mut partner: Partner = self.store.get_as(&Reach::Platform, id).await.unwrap().unwrap();
        let replaces = partner.meta.version;
        partner.meta.version += 1;
        change(&mut partner);
        self.store.commit(Change::default().replace(replaces, partner)).await.unwrap();
        self.restart(|_| {}).await;
    }
}
