//! What is kept in memory of the database, and how it stays true.
//!
//! Entries are read through and remember what they were made of. Every commit notes what it changed before its reply
//! leaves; commits of other processes are learned from the change feed, twice a second and whenever the database
//! calls. While the feed can't be confirmed, nothing cached is trusted.

mod client;
mod key;
mod person;
mod reader;
mod revoked;
mod session;
mod stamps;

use std::{
    borrow::Borrow,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use keyward_model::{AnyId, Id, Kind, Revocation, ScopeSet, Timestamp, User};
use keyward_store::{Feed, Revision, Store, StoreError};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use client::read_catalogue;
pub(crate) use client::{Client, ClientGrant, all, all_within, secrets_of};
pub(crate) use key::{Key, KeyMark};
pub(crate) use person::{Person, parents};
use reader::Reader;
pub(crate) use revoked::{Revoked, Since};
pub(crate) use session::{Opened, SessionMark};
use stamps::{Made, Stamps};

/// How many clients are kept.
const CLIENTS: usize = 25_000;
/// How many API keys are kept.
const KEYS: usize = 25_000;
/// How many people are kept.
const PEOPLE: usize = 10_000;
/// How many sessions are kept.
const SESSIONS: usize = 10_000;
/// How often the change feed is asked when nobody calls.
pub(crate) const POLL: Duration = Duration::from_millis(450);
/// How often a cached reading that went out of date is tried again before the cache is passed over.
const ATTEMPTS: u32 = 4;
/// How long the cache is trusted without confirmation.
const TRUSTED_MILLIS: u64 = 2_000;

/// A cached client, or the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) client: Option<Arc<Client>>,
    /// The answer to the last token request.
    pub(crate) last: arc_swap::ArcSwapOption<crate::oauth::Prepared>,
    made: Made,
}

/// A cached person, or the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct PersonEntry {
    pub(crate) person: Option<Arc<Person>>,
    made: Made,
}

/// A cached session, or the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct SessionEntry {
    pub(crate) opened: Option<Arc<Opened>>,
    made: Made,
}

/// A cached API key, or the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct KeyEntry {
    pub(crate) key: Option<Arc<Key>>,
    made: Made,
}

/// What is cached knows what it was made of.
trait Cached: Send + Sync + 'static {
    fn made(&self) -> &Made;
}

impl Cached for Entry {
    fn made(&self) -> &Made {
        &self.made
    }
}

impl Cached for KeyEntry {
    fn made(&self) -> &Made {
        &self.made
    }
}

impl Cached for SessionEntry {
    fn made(&self) -> &Made {
        &self.made
    }
}

impl Cached for PersonEntry {
    fn made(&self) -> &Made {
        &self.made
    }
}

/// What was read. That reading failed is for those who waited for it, and taken out at once.
type Kept<K, E> = Cache<K, Result<Arc<E>, Arc<StoreError>>>;

/// The cache.
pub(crate) struct Directory {
    store: Arc<dyn Store>,
    stamps: Stamps,
    /// The environment of agents, which name none.
    environment: String,
    clients: Kept<String, Entry>,
    people: Kept<Id<User>, PersonEntry>,
    keys: Kept<KeyMark, KeyEntry>,
    sessions: Kept<SessionMark, SessionEntry>,
    catalogue: tokio::sync::Mutex<Option<(Made, Arc<ScopeSet>)>>,
    revoked: Revoked,
    seen: AtomicI64,
    began: Instant,
    confirmed_millis: AtomicU64,
}

impl Directory {
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        environment: &str,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        // The revision is read first: what changes while the rest is read comes again through the feed.
        let revision = store.ping().await?;
        let revoked = Revoked::read(&*store, revision, now).await?;
        Ok(Self {
            store,
            stamps: Stamps::default(),
            environment: environment.to_owned(),
            clients: Cache::new(CLIENTS),
            people: Cache::new(PEOPLE),
            keys: Cache::new(KEYS),
            sessions: Cache::new(SESSIONS),
            catalogue: tokio::sync::Mutex::new(None),
            revoked,
            seen: AtomicI64::new(revision),
            began: Instant::now(),
            confirmed_millis: AtomicU64::new(0),
        })
    }

    /// The client with this identifier.
    pub(crate) async fn client(&self, client_id: &str) -> Result<Arc<Entry>, StoreError> {
        self.through(&self.clients, client_id, || self.read_client(client_id)).await
    }

    /// The API key that is found by this mark.
    pub(crate) async fn key(&self, mark: &KeyMark) -> Result<Arc<KeyEntry>, StoreError> {
        self.through(&self.keys, mark, || self.read_key(mark)).await
    }

    /// The API key, if it is in memory and up to date: asking for it costs the database nothing.
    pub(crate) fn known_key(&self, mark: &KeyMark) -> Option<Arc<KeyEntry>> {
        let entry = self.keys.get(mark)?.ok()?;
        (self.is_trusted() && self.stamps.is_current(&entry.made)).then_some(entry)
    }

    /// The person with this identifier.
    pub(crate) async fn person(&self, id: Id<User>) -> Result<Option<Arc<Person>>, StoreError> {
        let entry = self.through(&self.people, &id, || self.read_person(id)).await?;
        Ok(entry.person.clone())
    }

    /// The session that is found by this mark.
    pub(crate) async fn session(&self, mark: SessionMark) -> Result<Option<Arc<Opened>>, StoreError> {
        let entry = self.through(&self.sessions, &mark, || self.read_session(mark)).await?;
        Ok(entry.opened.clone())
    }

    /// What is cached under a key, read when it is not there or out of date: one reading at a time for each key, however
    /// many ask.
    async fn through<K, Q, E, F>(
        &self,
        cache: &Kept<K, E>,
        key: &Q,
        read: impl Fn() -> F,
    ) -> Result<Arc<E>, StoreError>
    where
        K: Borrow<Q> + Hash + Eq,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
        E: Cached,
        F: Future<Output = Result<Arc<E>, StoreError>>,
    {
        if self.is_trusted()
            && let Some(Ok(entry)) = cache.get(key)
            && self.stamps.is_current(entry.made())
        {
            return Ok(entry);
        }
        // On the heap: what reading needs room for would otherwise be part of every request that might have to read.
        Box::pin(self.read_through(cache, key, read)).await
    }

    async fn read_through<K, Q, E, F>(
        &self,
        cache: &Kept<K, E>,
        key: &Q,
        read: impl Fn() -> F,
    ) -> Result<Arc<E>, StoreError>
    where
        K: Borrow<Q> + Hash + Eq,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
        E: Cached,
        F: Future<Output = Result<Arc<E>, StoreError>>,
    {
        if !self.is_trusted() {
            return read().await;
        }
        // Whoever waits for a reading that began before a change gets what is out of date, and must read again.
        for _ in 0..ATTEMPTS {
            let reading = match cache.get_value_or_guard_async(key).await {
                Ok(reading) => reading,
                Err(place) => {
                    let reading = read().await.map_err(Arc::new);
                    // Whoever took the key out meanwhile wants it read again.
                    let _ = place.insert(reading.clone());
                    cache.remove_if(key, Result::is_err);
                    reading
                }
            };
            let entry = reading.map_err(|error| StoreError::unavailable(error.to_string()))?;
            if self.stamps.is_current(entry.made()) {
                return Ok(entry);
            }
            cache.remove_if(key, |kept| kept.as_ref().is_ok_and(|kept| Arc::ptr_eq(kept, &entry)));
        }
        read().await
    }

    /// The client, if it is in memory and up to date: asking for it costs the database nothing.
    pub(crate) fn known_client(&self, client_id: &str) -> Option<Arc<Entry>> {
        let entry = self.clients.get(client_id)?.ok()?;
        (self.is_trusted() && self.stamps.is_current(&entry.made)).then_some(entry)
    }

    async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let mut made = Made::at(self.stamps.now());
        made.of_kinds.push(Kind::Permission);
        Ok(Reader { store: &*self.store, catalogue: self.catalogue().await?, made })
    }

    async fn read_client(&self, client_id: &str) -> Result<Arc<Entry>, StoreError> {
        let mut reader = self.reader().await?;
        let client = reader.client(client_id, &self.environment).await?.map(Arc::new);
        Ok(Arc::new(Entry { client, last: arc_swap::ArcSwapOption::empty(), made: reader.made }))
    }

    async fn read_key(&self, mark: &KeyMark) -> Result<Arc<KeyEntry>, StoreError> {
        let mut reader = self.reader().await?;
        let key = reader.key(mark).await?.map(Arc::new);
        Ok(Arc::new(KeyEntry { key, made: reader.made }))
    }

    async fn read_person(&self, id: Id<User>) -> Result<Arc<PersonEntry>, StoreError> {
        let mut reader = self.reader().await?;
        let person = reader.person(id).await?.map(Arc::new);
        Ok(Arc::new(PersonEntry { person, made: reader.made }))
    }

    async fn read_session(&self, mark: SessionMark) -> Result<Arc<SessionEntry>, StoreError> {
        let mut reader = self.reader().await?;
        let opened = reader.session(mark).await?.map(Arc::new);
        Ok(Arc::new(SessionEntry { opened, made: reader.made }))
    }

    /// All permissions that exist.
    pub(crate) async fn catalogue(&self) -> Result<Arc<ScopeSet>, StoreError> {
        let mut kept = self.catalogue.lock().await;
        if let Some((made, scopes)) = &*kept
            && self.is_trusted()
            && self.stamps.is_current(made)
        {
            return Ok(scopes.clone());
        }
        let mut made = Made::at(self.stamps.now());
        made.of_kinds.push(Kind::Permission);
        let scopes = Arc::new(read_catalogue(&*self.store).await?);
        *kept = Some((made, scopes.clone()));
        Ok(scopes)
    }

    /// What was revoked, with all that storage knows about this token.
    pub(crate) async fn revoked(&self, jti: &str) -> Result<&Revoked, StoreError> {
        if !self.is_trusted() {
            self.revoked.ask(&*self.store, jti, self.seen()).await?;
        }
        Ok(&self.revoked)
    }

    /// What was revoked, for those who follow it.
    pub(crate) fn revocations(&self) -> &Revoked {
        &self.revoked
    }

    /// Up to which revision this process knows everything.
    pub(crate) fn seen(&self) -> Revision {
        self.seen.load(Ordering::Acquire)
    }

    /// Forgets the revocations of tokens that expired.
    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.revoked.forget_expired(now);
    }

    /// Notes what a commit of this process changed. To be called before the reply leaves.
    pub(crate) fn committed(&self, revision: Revision, ids: &[AnyId], revocations: &[Revocation]) {
        self.stamps.record(ids);
        for revocation in revocations {
            self.revoked.insert(revocation, revision);
        }
        // Only the very next revision can be ticked off: between it and the last one seen others may have committed.
        let _ = self.seen.compare_exchange(revision - 1, revision, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Learns what other processes changed; returns those records.
    pub(crate) async fn follow(&self) -> Result<Vec<AnyId>, StoreError> {
        let asked = self.elapsed_millis();
        let seen = self.seen.load(Ordering::Acquire);
        let ids = match self.store.changed_since(seen).await? {
            Feed::Changes { revision, ids } => {
                // Entries first: they must not outlive the revocation by the time that reading it takes.
                self.stamps.record(&ids);
                self.revoked.follow(&*self.store, &ids, revision).await?;
                self.seen.fetch_max(revision, Ordering::AcqRel);
                ids
            }
            Feed::Reset { revision } => {
                self.revoked.reload(&*self.store, revision).await?;
                self.stamps.record_everything();
                self.seen.fetch_max(revision, Ordering::AcqRel);
                Vec::new()
            }
        };
        self.confirmed_millis.fetch_max(asked, Ordering::AcqRel);
        Ok(ids)
    }

    fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_trusted(&self) -> bool {
        self.elapsed_millis() - self.confirmed_millis.load(Ordering::Acquire).min(self.elapsed_millis())
            <= TRUSTED_MILLIS
    }
}
