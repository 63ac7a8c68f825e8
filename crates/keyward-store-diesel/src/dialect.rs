//! Everything in which the two databases differ.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use diesel::{
    Connection as _, PgConnection, QueryResult, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_types::{Integer, Text},
};
use tokio::sync::Notify;

use crate::{
    address::Address,
    connection::{Conn, Use},
    error::{Error, Failure},
    sql::{Bind, Row, Sql, Statement, join, sql},
};

/// What every connection to SQLite begins with. `synchronous=FULL`: what was committed survives a loss of power.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA temp_store = MEMORY;";

/// What the connection that writes begins with. A group of events touches a page of an index for each tenant and caller
/// in it: they should fit into the cache (16 MB), and into the log several times before it is moved (32 MB).
const SQLITE_WRITER: &str =
    "PRAGMA journal_mode = WAL; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 8000;";

/// How long to try to set up a connection to SQLite.
const SQLITE_PATIENCE: Duration = Duration::from_secs(5);

/// What every connection to PostgreSQL begins with. The versions of records guard against lost updates, so the
/// default level is enough, whatever the server's configuration says. What PostgreSQL takes a page out of order to cost is from the days of turning
/// disks: it would rather sort a whole table than go along an index.
const POSTGRES_SETUP: &str = "SET lock_timeout = '5s'; SET random_page_cost = 1.1; SET idle_in_transaction_session_timeout = '60s'; \
    SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;";

/// The oldest PostgreSQL that this adapter is tested with, as `server_version_num` has it.
const OLDEST_POSTGRES: i32 = 150_000;

/// The channel on which PostgreSQL tells of changes.
const CHANNEL: &str = "keyward_changes";
/// How often it is looked whether PostgreSQL told something; looking costs one read of a socket.
const LISTEN_POLL: Duration = Duration::from_millis(20);
/// How long to wait before connecting again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Connects. A file must exist; [`create`] makes it.
pub(crate) fn connect(address: &Address, purpose: Use) -> Result<Conn, Error> {
    match address {
        Address::Sqlite(path) => {
            let mode = if purpose == Use::Read { "PRAGMA query_only = ON;" } else { SQLITE_WRITER };
            let mut conn =
                open_sqlite(&sqlite_uri(path, "mode=rw")).map_err(|error| address.unreachable(error))?;
            set_up_sqlite(&mut conn, mode).map_err(|error| address.unreachable(error))?;
            Ok(Conn::Sqlite(conn))
        }
        Address::Postgres(url) => {
            let mut conn = open_postgres(url).map_err(|error| address.unreachable(error))?;
            check_version(&mut conn, address)?;
            conn.batch_execute(POSTGRES_SETUP).map_err(|error| address.unreachable(error))?;
            Ok(Conn::Postgres(conn))
        }
    }
}

/// SQLite does not wait by itself when several processes want to switch to the log beside the file at the same time.
fn set_up_sqlite(conn: &mut SqliteConnection, mode: &str) -> QueryResult<()> {
    let began = Instant::now();
    loop {
        match conn.batch_execute(&format!("{SQLITE_SETUP} {mode}")) {
            Err(error) if error.to_string().contains("is locked") && began.elapsed() < SQLITE_PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// Connects such that nothing is made or changed by looking.
pub(crate) fn connect_to_look(address: &Address) -> Result<Conn, Error> {
    let Address::Sqlite(path) = address else { return connect(address, Use::Read) };
    // In WAL mode even a reader makes files, unless they are there or the database is declared to stand still.
    let has = |suffix: &str| {
        let mut beside = path.clone().into_os_string();
        beside.push(suffix);
        std::path::Path::new(&beside).exists()
    };
    let mode = if has("-wal") || has("-journal") { "mode=ro" } else { "mode=ro&immutable=1" };
    let mut conn = open_sqlite(&sqlite_uri(path, mode)).map_err(|error| address.unreachable(error))?;
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;")
        .map_err(|error| address.unreachable(error))?;
    Ok(Conn::Sqlite(conn))
}

/// Makes the file of a database, if that is what it lives in.
pub(crate) fn create(address: &Address) -> Result<(), Error> {
    if let Address::Sqlite(path) = address {
        open_sqlite(&sqlite_uri(path, "mode=rwc")).map_err(|error| address.unreachable(error))?;
    }
    Ok(())
}

fn open_sqlite(uri: &str) -> diesel::ConnectionResult<SqliteConnection> {
    SqliteConnection::establish(uri)
}

/// The file as an URI, which is how SQLite takes a mode. What has a meaning in URIs is escaped.
fn sqlite_uri(path: &std::path::Path, mode: &str) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?{mode}")
}

fn open_postgres(url: &str) -> diesel::ConnectionResult<PgConnection> {
    // Without a limit an address that does not answer would hold its caller for minutes.
    let limit = if url.contains("connect_timeout=") { "" } else { "connect_timeout=5" };
    let separator = if url.contains('?') { "&" } else { "?" };
    PgConnection::establish(&if limit.is_empty() {
        url.to_owned()
    } else {
        format!("{url}{separator}{limit}")
    })
}

#[derive(diesel::QueryableByName)]
struct ServerVersion {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    name: String,
}

fn check_version(conn: &mut PgConnection, address: &Address) -> Result<(), Error> {
    let query = "SELECT current_setting('server_version_num')::int4 AS number, current_setting('server_version') AS name";
    let found: ServerVersion = diesel::RunQueryDsl::get_result(diesel::sql_query(query), conn)
        .map_err(|error| address.unreachable(error))?;
    if found.number >= OLDEST_POSTGRES {
        return Ok(());
    }
    Err(Error::TooOld { database: address.to_string(), found: found.name })
}

/// Does something in a transaction that writes. In SQLite it is the only one from its beginning: one that began by
/// reading could fail when it comes to writing, whatever the timeout.
pub(crate) fn write<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?,
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn)?,
    }
    let result = work(conn);
    match result {
        Ok(value) => {
            <Conn as TransactionManager<Conn>>::commit_transaction(conn)?;
            Ok(value)
        }
        Err(failure) => {
            // A connection that can't roll back is dropped by the pool, which ends the transaction as well.
            <Conn as TransactionManager<Conn>>::rollback_transaction(conn)?;
            Err(failure)
        }
    }
}

/// What makes a SELECT hold its rows until the transaction ends.
pub(crate) fn for_update(conn: &Conn) -> &'static str {
    match conn {
        Conn::Sqlite(_) => "",
        Conn::Postgres(_) => " FOR UPDATE",
    }
}

/// Inserts rows: `head` is everything in front of the values, `tail` everything behind them.
///
/// SQLite inserts one after the other, which is quick with a prepared statement that is found by its type. PostgreSQL takes many at once, in
/// groups of few different sizes, so that these statements, too, are prepared once.
pub(crate) fn insert<'a, S: Statement>(
    conn: &mut Conn,
    mut rows: impl ExactSizeIterator<Item = Vec<Bind<'a>>>,
) -> QueryResult<()> {
    let (head, tail) = (S::HEAD, S::TAIL);
    let values = |row| sql("(").binds(row).sql(")");
    match conn {
        Conn::Sqlite(conn) => {
            for row in rows {
                conn.execute_returning_count(&Row::<S>::new(row))?;
            }
        }
        Conn::Postgres(conn) => {
            while rows.len() > 0 {
                let group = [256, 64, 16, 4].into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
                let group = join(rows.by_ref().take(group).map(values), ", ");
                conn.execute_returning_count(&sql(head).append(group).sql(tail))?;
            }
        }
    }
    Ok(())
}

/// Tells other processes that records change when this transaction is committed.
pub(crate) fn announce(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => conn.batch_execute(&format!("NOTIFY {CHANNEL}")),
    }
}

/// Sees to it that `heard` is notified whenever another process announces changes, as long as somebody holds it. SQLite
/// tells nothing.
pub(crate) fn listen(address: &Address, heard: &Arc<Notify>) -> std::io::Result<()> {
    let Address::Postgres(url) = address.clone() else { return Ok(()) };
    let heard = Arc::downgrade(heard);
    std::thread::Builder::new().name("keyward-listen".to_owned()).spawn(move || {
        while heard.strong_count() > 0 {
            if let Err(error) = listen_on(&url, &heard) {
                tracing::debug!(%error, "not told of changes for now");
            }
            std::thread::sleep(RECONNECT);
        }
    })?;
    Ok(())
}

fn listen_on(url: &str, heard: &Weak<Notify>) -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = open_postgres(url)?;
    conn.batch_execute(&format!("LISTEN {CHANNEL}"))?;
    let tell = || heard.upgrade().map(|heard| heard.notify_one());
    // Something may have changed while nobody listened.
    tell();
    while heard.strong_count() > 0 {
        let told = conn.notifications_iter().collect::<QueryResult<Vec<_>>>()?;
        if !told.is_empty() {
            tell();
        }
        std::thread::sleep(LISTEN_POLL);
    }
    Ok(())
}

/// A column of a row `r` as LIKE compares it with a text in lower case: ASCII letters alone are folded. SQLite's LIKE does
/// so itself; PostgreSQL's `lower` does because of the columns' collation.
pub(crate) fn folded<'a>(conn: &Conn, column: &'static str) -> Sql<'a> {
    match conn {
        Conn::Sqlite(_) => sql("r.").sql(column),
        Conn::Postgres(_) => sql("lower(r.").sql(column).sql(")"),
    }
}

/// Lets no other transaction that takes one of these keys go on until this one ends. SQLite has one writer anyway.
pub(crate) fn lock_keys(conn: &mut Conn, keys: &[i64]) -> QueryResult<()> {
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    for key in keys {
        let lock = sql("SELECT pg_advisory_xact_lock(").bind(Bind::Int(*key)).sql(")");
        conn.execute_returning_count(&lock)?;
    }
    Ok(())
}

/// The column `span`: in seconds since the Unix epoch, when the span of so many seconds began in which an event
/// happened.
pub(crate) fn span<'a>(conn: &Conn, seconds: u32) -> Sql<'a> {
    let length = || Bind::Int(seconds.max(1).into());
    match conn {
        // SQLite's `%` has the sign of the dividend.
        Conn::Sqlite(_) => {
            let at = "CAST(strftime('%s', occurred_at) AS INTEGER)";
            sql(at)
                .sql(" - (")
                .sql(at)
                .sql(" % ")
                .bind(length())
                .sql(" + ")
                .bind(length())
                .sql(") % ")
                .bind(length())
        }
        Conn::Postgres(_) => sql("CAST(floor(extract(epoch FROM occurred_at) / ")
            .bind(length())
            .sql(") AS BIGINT) * ")
            .bind(length()),
    }
    .sql(" AS span")
}

/// Lets no other process bring the database up to date until the transaction ends. SQLite has one writer anyway.
pub(crate) fn lock_migrations(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => {
            // The number is arbitrary, but the same for ever. Waiting is right however long the other takes.
            conn.batch_execute("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(5786231904417283)")
        }
    }
}

/// Makes texts compare by their bytes, as they do in SQLite, in every column and index.
pub(crate) fn unify_collation(conn: &mut Conn) -> QueryResult<()> {
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    conn.batch_execute(
        "DO $$ DECLARE c record; BEGIN
            FOR c IN SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
            LOOP
                EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE \"C\"', c.table_name, c.column_name);
            END LOOP;
        END $$",
    )
}

/// The names of all tables.
pub(crate) fn tables<'a>(conn: &Conn) -> Sql<'a> {
    sql(match conn {
        Conn::Sqlite(_) => {
            "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        }
        Conn::Postgres(_) => {
            "SELECT relname::text AS text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') \
                AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) ORDER BY relname"
        }
    })
}
