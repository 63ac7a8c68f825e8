//! What can go wrong, for operators and for the storage port.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use keyward_store::StoreError;

/// Why a database can't be opened, looked at or brought up to date: one sentence for whoever operates it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no kind of database that is known.
    #[error("{0} is not an address of a database: expected sqlite://PATH or postgres://…")]
    Address(String),
    /// The database can't be reached or opened.
    #[error("the database {database} can't be opened: {reason}")]
    Unreachable {
        /// The database, without a password.
        database: String,
        /// What the database or the system said.
        reason: String,
    },
    /// The server is older than what this version works with.
    #[error("the PostgreSQL server of {database} is version {found}, but version 15 or later is needed")]
    TooOld {
        /// The database, without a password.
        database: String,
        /// The server's version.
        found: String,
    },
    /// The file is not a database, or not a whole one.
    #[error("the file {file} is damaged: {reason}; restore it from a backup")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database is somebody else's.
    #[error("{database} is not a Keyward database: it has tables of something else, such as {table}")]
    Foreign {
        /// The database, without a password.
        database: String,
        /// One of its tables.
        table: String,
    },
    /// A later version has changed the tables.
    #[error(
        "the database {database} was brought up to date by a later version of Keyward (migration {migration})"
    )]
    Newer {
        /// The database, without a password.
        database: String,
        /// A migration that this version does not know.
        migration: String,
    },
    /// A migration failed; nothing of it remains.
    #[error("the database {database} can't be brought up to date: {reason}")]
    Migration {
        /// The database, without a password.
        database: String,
        /// What the database said.
        reason: String,
    },
}

/// Why a transaction ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// As the port has it.
    Port(StoreError),
    /// The database failed.
    Database(DieselError),
}

impl Failure {
    /// Whether somebody else was quicker with a unique key; trying again tells which.
    pub(crate) fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Port(error)
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Port(error) => error,
            Failure::Database(error) if asks_to_try_again(&error) => Self::Stale,
            Failure::Database(error) => Self::unavailable(error),
        }
    }
}

fn asks_to_try_again(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation,
            _,
        ) => true,
        // Deadlocks have no kind of their own. Elsewhere than in English they end as unavailable, which is safe.
        DieselError::DatabaseError(_, information) => information.message().contains("deadlock detected"),
        _ => false,
    }
}
