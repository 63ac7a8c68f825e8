//! SQLite files that are there or not, whole or not, Keyward's or not.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use keyward_model::{Kind, Reach, Timestamp};
use keyward_store::{Query, Store, StoreError, Ticket, TicketKey};
use keyward_store_diesel::{DieselStore, Options, Presence, inspect};

use crate::sqlite::{fresh, options, url};

/// Everything in a folder. What readers tell each other in `-shm` is no content.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let content = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let bytes = if name.ends_with("-shm") { Vec::new() } else { fs::read(entry.path()).unwrap() };
        (name, bytes)
    };
    entries.map(content).collect()
}

/// Looks at a file, and sees to it that nothing comes of that.
fn look(path: &Path) -> Result<Presence, String> {
    let folder = path.parent().unwrap();
    let before = contents(folder);
    let found = inspect(&url(path)).map_err(|error| error.to_string());
    assert!(contents(folder) == before, "looking changed {:?}", contents(folder).keys());
    found
}

fn keyward(pending: &[&str]) -> Presence {
    Presence::Keyward { pending: pending.iter().map(ToString::to_string).collect() }
}

fn sqlite(path: &Path, statements: &str) {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(statements).unwrap();
}

fn ticket(key: &str) -> keyward_store::Change {
    let ticket = Ticket { key: TicketKey::new("test", key), value: "v".repeat(3_000), expires_at: None };
    keyward_store::Change { tickets: vec![ticket], ..keyward_store::Change::default() }
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(0).unwrap()
}

#[test]
fn what_is_not_there_is_missing_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    assert_eq!(look(&path), Ok(Presence::Missing));
    assert_eq!(inspect(&url(&folder.path().join("no/such/folder/keyward.db"))).unwrap(), Presence::Missing);
    let error = DieselStore::open(Options::new(url(&path))).unwrap_err().to_string();
    assert!(error.contains("can't be opened"), "{error}");
    assert!(contents(folder.path()).is_empty());
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    fs::write(&path, "").unwrap();
    assert_eq!(look(&path), Ok(Presence::Empty));
    let store = DieselStore::open(Options::new(url(&path))).unwrap();
    assert_eq!(look(&path), Ok(Presence::Empty));
    let status = store.migration_status().unwrap();
    assert!(!status.is_empty() && status.iter().all(|migration| !migration.applied));
    store.migrate().unwrap();
    store.migrate().unwrap();
    assert!(store.migration_status().unwrap().iter().all(|migration| migration.applied));
    assert_eq!(look(&path), Ok(keyward(&[])));
}

#[tokio::test]
async fn a_database_in_use_can_be_looked_at() {
    let store = fresh(2);
    store.commit(ticket("one")).await.unwrap();
    assert_eq!(look(store.path()), Ok(keyward(&[])));
    // While somebody writes, too.
    let mut writer = SqliteConnection::establish(store.path().to_str().unwrap()).unwrap();
    writer.batch_execute("BEGIN IMMEDIATE; DELETE FROM tickets").unwrap();
    assert_eq!(look(store.path()), Ok(keyward(&[])));
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let store = DieselStore::open(options(&url(&path), true, 2)).unwrap();
    store.migrate().unwrap();
    store.commit(ticket("one")).await.unwrap();
    drop(store);
    assert_eq!(look(&path), Ok(keyward(&[])));
    let store = DieselStore::open(Options::new(url(&path))).unwrap();
    assert!(store.ticket(&TicketKey::new("test", "one"), now()).await.unwrap().is_some());
}

#[test]
fn the_database_of_somebody_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    sqlite(&path, "CREATE TABLE invoices (id INTEGER)");
    let error = look(&path).unwrap_err();
    assert!(error.contains("is not a Keyward database") && error.contains("invoices"), "{error}");
    let before = fs::read(&path).unwrap();
    for create in [true, false] {
        let error = DieselStore::open(options(&url(&path), create, 1)).unwrap_err().to_string();
        assert!(error.contains("is not a Keyward database"), "{error}");
    }
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    DieselStore::open(options(&url(&path), true, 1)).unwrap().migrate().unwrap();
    sqlite(&path, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    for error in
        [look(&path).unwrap_err(), DieselStore::open(Options::new(url(&path))).unwrap_err().to_string()]
    {
        assert!(error.contains("later version of Keyward") && error.contains("29991231000001"), "{error}");
    }
}

#[test]
fn a_migration_that_is_missing_is_pending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let store = DieselStore::open(options(&url(&path), true, 1)).unwrap();
    store.migrate().unwrap();
    let newest = store.migration_status().unwrap().pop().unwrap().name;
    drop(store);
    sqlite(
        &path,
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT MAX(version) FROM __diesel_schema_migrations)",
    );
    assert_eq!(look(&path), Ok(keyward(&[&newest])));
}

/// A database with a few hundred kilobytes in its file, and nothing beside it.
async fn filled(path: &Path) {
    let store = DieselStore::open(options(&url(path), true, 1)).unwrap();
    store.migrate().unwrap();
    for number in 0..100 {
        store.commit(ticket(&number.to_string())).await.unwrap();
    }
    drop(store);
    let beside = contents(path.parent().unwrap());
    assert_eq!(beside.len(), 1, "closing leaves nothing beside the file: {:?}", beside.keys());
}

#[tokio::test]
async fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    filled(&path).await;
    let whole = fs::read(&path).unwrap();
    assert_eq!(look(&path), Ok(keyward(&[])));
    let half = whole[..whole.len() / 2].to_vec();
    let short = whole[..50].to_vec();
    let mut header = whole.clone();
    header[..16].fill(b'x');
    let mut middle = whole.clone();
    let from = middle.len() / 2;
    middle[from..from + 20_000].fill(0xAA);
    let mut schema = whole.clone();
    schema[100..4_000].fill(0x55);
    let text = b"This is a text and no database.\n".repeat(20);
    for (what, bytes) in [
        ("half", half),
        ("short", short),
        ("header", header),
        ("middle", middle),
        ("schema", schema),
        ("text", text),
    ] {
        fs::write(&path, &bytes).unwrap();
        let error = look(&path).unwrap_err();
        assert!(error.contains("is damaged") && error.contains("keyward.db"), "{what}: {error}");
        assert!(!error.contains('\n'), "{what}: {error}");
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(look(&path), Ok(keyward(&[])));
}

#[test]
fn a_place_that_can_not_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("keyward.db"), folder.path().join("none/keyward.db"), folder.path().to_owned()] {
        let error = DieselStore::open(options(&url(&path), true, 1)).unwrap_err().to_string();
        assert!(error.contains("can't be opened") && error.contains(path.to_str().unwrap()), "{error}");
    }
    assert!(inspect(&url(folder.path())).unwrap_err().to_string().contains("can't be opened"));
    assert!(inspect("mysql://db").unwrap_err().to_string().contains("expected sqlite://PATH"));
}

#[tokio::test]
async fn several_processes_work_on_one_file() {
    let one = fresh(2);
    let two = one.another();
    for number in 0..20 {
        let (store, other) = if number % 2 == 0 { (&*one, &two) } else { (&two, &*one) };
        store.commit(ticket(&number.to_string())).await.unwrap();
        let key = TicketKey::new("test", number.to_string());
        assert!(other.ticket(&key, now()).await.unwrap().is_some());
    }
    assert!(two.list(&Reach::Platform, &Query::all(Kind::Tenant)).await.unwrap().items.is_empty());
    let waited = tokio::time::timeout(Duration::from_millis(50), two.changed()).await;
    assert!(waited.is_err(), "SQLite tells nothing");
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_until_it_is_not() {
    let store = fresh(2);
    let mut other = SqliteConnection::establish(store.path().to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let refused = store.commit(ticket("one")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    // Reading goes on all the while.
    assert_eq!(store.ping().await.unwrap(), 0);
    other.batch_execute("ROLLBACK").unwrap();
    store.commit(ticket("one")).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    let store = fresh(2);
    for number in 0..50 {
        let mut change = ticket(&format!("a{number}"));
        change.tickets.extend(ticket(&format!("b{number}")).tickets);
        // Polled once, then dropped.
        let _ = tokio::time::timeout(Duration::ZERO, store.commit(change)).await;
    }
    // Whatever was begun is ended before this.
    store.commit(ticket("last")).await.unwrap();
    for number in 0..50 {
        let has =
            async |key: String| store.ticket(&TicketKey::new("test", key), now()).await.unwrap().is_some();
        assert_eq!(has(format!("a{number}")).await, has(format!("b{number}")).await);
    }
}

#[test]
fn processes_that_start_together_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let start = || {
        let store = DieselStore::open(options(&url(&path), true, 1)).unwrap();
        store.migrate().unwrap();
    };
    std::thread::scope(|scope| {
        for thread in (0..4).map(|_| scope.spawn(start)).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
    assert_eq!(look(&path), Ok(keyward(&[])));
}
