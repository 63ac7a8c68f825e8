//! What is below the store of a test: memory, a file of SQLite, or a database of a PostgreSQL server.
//!
//! `KEYWARD_TEST_STORE` says which, for all tests: `memory`, which is the default, `sqlite`, or `postgres`, which needs
//! `scripts/postgres scratch cargo test -p keyward-http --test http`. Whether databases keep what they were given is proven
//! elsewhere, so they are in memory where there is a place for files there.

use std::{
    env::{self, VarError},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use keyward_store::Store;
use keyward_store_diesel::{DieselStore, Options};
use keyward_store_memory::MemoryStore;
use tempfile::TempDir;

/// The database of one test, which goes with it.
pub(crate) enum Database {
    Memory(MemoryStore),
    Sqlite(TempDir),
    Postgres(OnServer),
}

impl Database {
    /// One with nothing but tables.
    pub(crate) fn new() -> Self {
        match env::var("KEYWARD_TEST_STORE").as_deref() {
            Ok("memory") | Err(VarError::NotPresent) => Self::Memory(MemoryStore::default()),
            Ok("sqlite") => Self::Sqlite(file()),
            Ok("postgres") => Self::Postgres(OnServer::new()),
            other => panic!("KEYWARD_TEST_STORE is {other:?}: expected memory, sqlite or postgres"),
        }
    }

    /// A store on it, as each process has one.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite(folder) => Arc::new(open(&url_in(folder))),
            Self::Postgres(database) => Arc::new(open(&database.url)),
        }
    }
}

fn open(url: &str) -> DieselStore {
    DieselStore::open(Options { create: true, pool_size: 2, ..Options::new(url) }).unwrap()
}

fn url_in(folder: &TempDir) -> String {
    format!("sqlite://{}/keyward.db", folder.path().display())
}

/// A folder with a file in it.
fn file() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    open(&url_in(&folder)).migrate().unwrap();
    folder
}

/// A database of a server.
pub(crate) struct OnServer {
    name: String,
    url: String,
}

impl OnServer {
    /// A copy of one whose tables were made once for all tests, and which sorts texts as a dictionary does, unless it is
    /// told otherwise. That one is left to the end of the server.
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let name = format!("keyward_http_{}", std::process::id());
        let template = TEMPLATE.get_or_init(|| {
            let template = format!("{name}_template");
            let dictionary = "LOCALE_PROVIDER icu ICU_LOCALE 'en'";
            on_server(&format!("CREATE DATABASE {template} TEMPLATE template0 {dictionary}"));
            open(&url_of(&template)).migrate().unwrap();
            template
        });
        let name = format!("{name}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        on_server(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { url: url_of(&name), name }
    }
}

impl Drop for OnServer {
    fn drop(&mut self) {
        on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The server's address, which is a database in which others can be made.
fn server() -> String {
    env::var("KEYWARD_TEST_POSTGRES").expect(
        "KEYWARD_TEST_POSTGRES is not set: run this through `scripts/postgres scratch cargo test -p keyward-http`",
    )
}

fn url_of(name: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

fn on_server(statement: &str) {
    let mut conn = PgConnection::establish(&server()).unwrap();
    conn.batch_execute(statement).unwrap();
}
