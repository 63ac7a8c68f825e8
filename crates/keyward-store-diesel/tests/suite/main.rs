//! The adapter on real databases: the conformance suite, and what operators meet.
//!
//! PostgreSQL comes from `scripts/postgres run cargo test -p keyward-store-diesel`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod postgres;
mod sqlite;
mod sqlite_files;
