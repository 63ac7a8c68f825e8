//! PostgreSQL: the conformance suite, and what servers do.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use keyward_model::{Entity, Id, Meta, Reach, Role, SeededRandom, Timestamp};
use keyward_store::{Change, Feed, Store, StoreError};
use keyward_store_diesel::{DieselStore, Options, Presence, inspect};

/// The server's address, a database in which others can be made.
fn server() -> String {
    std::env::var("KEYWARD_TEST_POSTGRES").expect(
        "KEYWARD_TEST_POSTGRES is not set: run this through `scripts/postgres run cargo test -p keyward-store-diesel`",
    )
}

fn on_server(statements: &str) {
    let mut conn = PgConnection::establish(&server()).unwrap();
    conn.batch_execute(statements).unwrap();
}

/// A database that is removed in the end.
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// A new one without tables. It sorts texts as a dictionary does, unless it is told otherwise.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("keyward_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        on_server(&format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"));
        let (base, _) = server().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let url = format!("{base}/{name}");
        Self { name, url }
    }

    pub(crate) fn execute(&self, statements: &str) {
        PgConnection::establish(&self.url).unwrap().batch_execute(statements).unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A store on a database that is removed with it.
pub(crate) struct OnServer {
    store: DieselStore,
    database: Database,
}

impl Deref for OnServer {
    type Target = DieselStore;

    fn deref(&self) -> &DieselStore {
        &self.store
    }
}

async fn fresh() -> OnServer {
    let database = Database::new();
    let store = DieselStore::open(Options { pool_size: 4, ..Options::new(&database.url) }).unwrap();
    store.migrate().unwrap();
    OnServer { store, database }
}

mod conformance {
    use super::fresh;

    keyward_store_suite::suite!(fresh);
}

fn role(name: &str) -> Role {
    let now = Timestamp::from_unix_millis(1_795_000_000_000).unwrap();
    let seed = name.bytes().fold(0, |seed, byte| seed * 131 + i64::from(byte));
    let meta = Meta::new(Id::generate(now, &SeededRandom::new(seed)), now);
    Role { meta, name: name.to_owned(), tenant_id: None, permissions: "a:read".parse().unwrap() }
}

#[test]
fn an_empty_database_is_empty_until_it_is_brought_up_to_date() {
    let database = Database::new();
    assert_eq!(inspect(&database.url).unwrap(), Presence::Empty);
    let store = DieselStore::open(Options::new(&database.url)).unwrap();
    assert!(store.migration_status().unwrap().iter().all(|migration| !migration.applied));
    assert_eq!(inspect(&database.url).unwrap(), Presence::Empty);
    store.migrate().unwrap();
    store.migrate().unwrap();
    assert_eq!(inspect(&database.url).unwrap(), Presence::Keyward { pending: Vec::new() });
    assert!(store.migration_status().unwrap().iter().all(|migration| migration.applied));
}

#[test]
fn the_database_of_somebody_else_is_refused_and_left_alone() {
    let database = Database::new();
    database.execute("CREATE TABLE invoices (id INTEGER)");
    let error = inspect(&database.url).unwrap_err().to_string();
    assert!(error.contains("is not a Keyward database") && error.contains("invoices"), "{error}");
    assert!(DieselStore::open(Options::new(&database.url)).is_err());
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let database = Database::new();
    DieselStore::open(Options::new(&database.url)).unwrap().migrate().unwrap();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    let error = inspect(&database.url).unwrap_err().to_string();
    assert!(error.contains("later version of Keyward"), "{error}");
}

#[test]
fn a_server_that_does_not_answer_is_named_without_its_password() {
    server();
    let error = inspect("postgres://keyward:hunter2@127.0.0.1:1/keyward").unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/keyward can't be opened") && !error.contains("hunter2"), "{error}");
    assert!(!error.contains('\n'), "{error}");
    let missing = format!("{}_missing", server());
    let error = inspect(&missing).unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
}

#[test]
fn processes_that_start_together_all_succeed() {
    let database = Database::new();
    let start = || {
        let store = DieselStore::open(Options::new(&database.url)).unwrap();
        store.migrate().unwrap();
    };
    std::thread::scope(|scope| {
        for thread in (0..6).map(|_| scope.spawn(start)).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
    assert_eq!(inspect(&database.url).unwrap(), Presence::Keyward { pending: Vec::new() });
}

#[tokio::test]
async fn other_processes_are_told_of_changes() {
    let one = fresh().await;
    let two = DieselStore::open(Options::new(&one.database.url)).unwrap();
    // The first call is for what changed before anybody listened.
    tokio::time::timeout(Duration::from_secs(5), two.changed()).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(200), two.changed()).await.is_err(),
        "nothing changed"
    );
    let began = Instant::now();
    one.commit(Change::default().create(role("told"))).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), two.changed()).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(400), "sooner than the next look at the feed");
    assert!(matches!(two.changed_since(0).await.unwrap(), Feed::Changes { revision: 1, .. }));
}

#[tokio::test]
async fn lost_connections_are_made_anew() {
    let store = fresh().await;
    let it = role("kept");
    store.commit(Change::default().create(it.clone())).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), store.changed()).await.unwrap();
    for _ in 0..3 {
        on_server(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            store.database.name
        ));
        // Each lost connection may fail once.
        let mut failures = 0;
        while store.get(&Reach::Platform, it.id().any()).await.is_err() {
            failures += 1;
            assert!(failures <= 4, "the pool does not recover");
        }
        assert_eq!(store.commit(Change::default()).await.unwrap(), 1);
    }
    // The one that listens as well.
    let told = async {
        let mut number = 0;
        loop {
            number += 1;
            store.commit(Change::default().create(role(&format!("told {number}")))).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(300), store.changed()).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), told).await.unwrap();
}

#[tokio::test]
async fn a_row_that_stays_locked_is_unavailable() {
    let store = fresh().await;
    store.commit(Change::default().create(role("one"))).await.unwrap();
    let mut other = PgConnection::establish(&store.database.url).unwrap();
    other.batch_execute("BEGIN; UPDATE keyward_state SET revision = revision").unwrap();
    let refused = store.commit(Change::default().create(role("two"))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(store.commit(Change::default().create(role("two"))).await.unwrap(), 2);
}
