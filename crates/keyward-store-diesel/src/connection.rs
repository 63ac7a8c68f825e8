//! Connections and their pools.

use std::time::{Duration, Instant};

use diesel::{
    PgConnection, SqliteConnection,
    r2d2::{ManageConnection, Pool, PooledConnection},
    result::Error as DieselError,
};
use keyward_store::StoreError;

use crate::{
    address::Address,
    dialect,
    error::{Error, Failure},
    sql::sql,
};

/// How long a call waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// After how long without use a connection is tried before it is used again.
const IDLE: Duration = Duration::from_secs(1);

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub(crate) enum Conn {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
}

/// A connection with what the pool must know about it.
pub(crate) struct Pooled {
    pub(crate) inner: Conn,
    broken: bool,
    used: Instant,
}

/// Makes the pool's connections. `MultiConnection`'s own way of connecting tries one database after the other and hides
/// why neither worked.
#[derive(Debug)]
pub(crate) struct Manager {
    address: Address,
    purpose: Use,
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled, Error> {
        let inner = dialect::connect(&self.address, self.purpose)?;
        Ok(Pooled { inner, broken: false, used: Instant::now() })
    }

    fn is_valid(&self, connection: &mut Pooled) -> Result<(), Error> {
        if connection.used.elapsed() < IDLE {
            return Ok(());
        }
        let tried = sql("SELECT 1").run(&mut connection.inner);
        tried.map(|_| ()).map_err(|error| self.address.unreachable(error))
    }

    fn has_broken(&self, connection: &mut Pooled) -> bool {
        connection.used = Instant::now();
        // A panic may have left a transaction open.
        connection.broken || std::thread::panicking()
    }
}

/// Some connections that are used again and again.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Pool<Manager>);

impl Connections {
    /// At most so many connections, none of which is made yet.
    pub(crate) fn new(address: Address, purpose: Use, size: u32) -> Self {
        let pool = Pool::builder()
            .max_size(size.max(1))
            .min_idle(Some(0))
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(Quiet))
            .build_unchecked(Manager { address, purpose });
        Self(pool)
    }

    /// Does something with a connection, on this thread.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut pooled: PooledConnection<Manager> = self.0.get().map_err(StoreError::unavailable)?;
        let result = work(&mut pooled.inner);
        // What failed for reasons of the database's own may fail for ever: the next one gets a new connection.
        if let Err(Failure::Database(error)) = &result
            && !matches!(
                error,
                DieselError::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)
            )
        {
            pooled.broken = true;
        }
        result.map_err(StoreError::from)
    }
}

/// Failures to connect reach the callers that wait; nothing needs to be said twice.
#[derive(Debug)]
struct Quiet;

impl diesel::r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, error: Error) {
        tracing::debug!(%error, "no new connection");
    }
}
