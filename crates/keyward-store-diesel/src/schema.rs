//! What is in a database, and bringing its tables up to date.

use std::{fs, io::Read, path::Path};

use diesel::{
    migration::{Migration, MigrationSource},
    result::Error as DieselError,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{
    address::{Address, one_line},
    connection::Conn,
    dialect,
    error::{Error, Failure},
    row::Db,
    sql::sql,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The table by which a database is known as Keyward's.
const MARK: &str = "keyward_state";
/// The table in which diesel keeps account of migrations.
const ACCOUNT: &str = "__diesel_schema_migrations";

/// Files up to this size are read through when they are looked at.
const SMALL_FILE: u64 = 16 << 20;
/// The length of the header of SQLite's files.
const HEADER: usize = 100;

/// What is at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing: there is no file.
    Missing,
    /// A database without any table, or an empty file.
    Empty,
    /// A database of Keyward's.
    Keyward {
        /// The migrations that it still needs, oldest first.
        pending: Vec<String>,
    },
}

/// A step in the making of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Looks at what is at an address, and neither makes nor changes anything.
pub(crate) fn inspect(address: &Address) -> Result<Presence, Error> {
    if let Address::Sqlite(path) = address {
        match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Presence::Missing),
            Err(error) => return Err(address.unreachable(error)),
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 && wal_size(path) == 0 => {
                return Ok(Presence::Empty);
            }
            Ok(metadata) if !metadata.is_file() => return Err(address.unreachable("it is not a file")),
            Ok(_) => {}
        }
        // A process that starts right now may make the file move under a look that takes it to stand still.
        return look(address).or_else(|error| if wal_size(path) > 0 { look(address) } else { Err(error) });
    }
    look(address)
}

fn look(address: &Address) -> Result<Presence, Error> {
    if let Address::Sqlite(path) = address {
        check_header(address, path)?;
    }
    let mut conn = dialect::connect_to_look(address)?;
    if let Address::Sqlite(path) = address
        && fs::metadata(path).is_ok_and(|metadata| metadata.len() <= SMALL_FILE)
    {
        let checked =
            sql("SELECT quick_check AS text FROM pragma_quick_check LIMIT 1").row::<String>(&mut conn);
        match checked.map_err(|error| failed(address, &error))? {
            Some(found) if found != "ok" => return Err(damaged(path, found)),
            _ => {}
        }
    }
    survey(&mut conn, address)
}

/// What a database has.
pub(crate) fn survey(conn: &mut Conn, address: &Address) -> Result<Presence, Error> {
    let tables: Vec<String> = dialect::tables(conn).rows(conn).map_err(|error| failed(address, &error))?;
    if tables.is_empty() {
        return Ok(Presence::Empty);
    }
    if !tables.iter().any(|table| table == MARK) {
        let other = tables.iter().find(|table| *table != ACCOUNT).or(tables.first());
        let table = other.cloned().unwrap_or_default();
        return Err(Error::Foreign { database: address.to_string(), table });
    }
    let status = status(conn, address)?;
    let pending = status.into_iter().filter(|migration| !migration.applied).map(|migration| migration.name);
    Ok(Presence::Keyward { pending: pending.collect() })
}

/// Every migration that this version knows, oldest first. A database with others is of a later version.
pub(crate) fn status(conn: &mut Conn, address: &Address) -> Result<Vec<MigrationStatus>, Error> {
    let tables: Vec<String> = dialect::tables(conn).rows(conn).map_err(|error| failed(address, &error))?;
    let mut applied: Vec<String> = if tables.iter().any(|table| table == ACCOUNT) {
        sql("SELECT version AS text FROM ")
            .sql(ACCOUNT)
            .sql(" ORDER BY version")
            .rows(conn)
            .map_err(|error| failed(address, &error))?
    } else {
        Vec::new()
    };
    let mut all = Vec::new();
    for migration in known(address)? {
        let version = migration.name().version().to_string();
        let before = applied.len();
        applied.retain(|other| *other != version);
        all.push(MigrationStatus { name: migration.name().to_string(), applied: applied.len() < before });
    }
    match applied.pop() {
        Some(migration) => Err(Error::Newer { database: address.to_string(), migration }),
        None => Ok(all),
    }
}

fn known(address: &Address) -> Result<Vec<Box<dyn Migration<Db>>>, Error> {
    let mut all = MIGRATIONS.migrations().map_err(|error| not_migrated(address, &error))?;
    all.sort_by_key(|migration| migration.name().version().as_owned());
    Ok(all)
}

/// Applies the migrations that the database needs, all of them or none. Processes that start together do so one after
/// the other.
pub(crate) fn migrate(conn: &mut Conn, address: &Address) -> Result<(), Error> {
    survey(conn, address)?;
    let done = dialect::write(conn, |conn| {
        dialect::lock_migrations(conn)?;
        let ran = conn.run_pending_migrations(MIGRATIONS).map(|_| ());
        ran.map_err(DieselError::QueryBuilderError)?;
        dialect::unify_collation(conn)?;
        Ok(())
    });
    done.map_err(|failure| match failure {
        Failure::Database(error) => not_migrated(address, &error),
        Failure::Port(error) => not_migrated(address, &error),
    })
}

fn not_migrated(address: &Address, reason: &dyn std::fmt::Display) -> Error {
    Error::Migration { database: address.to_string(), reason: one_line(&reason.to_string()) }
}

/// Refuses a file that is no SQLite database, or that ends before its last page.
fn check_header(address: &Address, path: &Path) -> Result<(), Error> {
    let mut header = [0; HEADER];
    let mut file = fs::File::open(path).map_err(|error| address.unreachable(error))?;
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(damaged(path, "it does not begin as an SQLite database does"));
    }
    let number = |at: usize| {
        u64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]))
    };
    let page_size = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size => size,
    };
    // The number of pages counts only when it was written together with the change counter.
    let pages = if number(24) == number(92) { number(28) } else { 0 };
    let size = file.metadata().map_err(|error| address.unreachable(error))?.len();
    // The missing pages may be in the log beside the file, when a process died or is moving them right now.
    if size < page_size * pages && wal_size(path) == 0 {
        return Err(damaged(path, format!("it should have {} bytes, but has {size}", page_size * pages)));
    }
    Ok(())
}

fn wal_size(path: &Path) -> u64 {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    fs::metadata(wal).map_or(0, |metadata| metadata.len())
}

fn damaged(path: &Path, reason: impl Into<String>) -> Error {
    Error::Damaged { file: path.display().to_string(), reason: one_line(&reason.into()) }
}

/// What a failed query means for whoever operates the database.
fn failed(address: &Address, error: &DieselError) -> Error {
    let reason = error.to_string();
    match address {
        Address::Sqlite(path) if reason.contains("malformed") || reason.contains("not a database") => {
            damaged(path, reason)
        }
        _ => address.unreachable(reason),
    }
}
