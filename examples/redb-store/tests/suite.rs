//! The conformance suite on the store in redb.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Deref;

use redb_store::RedbStore;
use tempfile::TempDir;

/// A store in a directory of its own, which goes with it.
struct Fresh {
    store: RedbStore,
    _directory: TempDir,
}

impl Deref for Fresh {
    type Target = RedbStore;

    fn deref(&self) -> &RedbStore {
        &self.store
    }
}

async fn fresh() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path().join("keyward.redb")).unwrap();
    Fresh { store, _directory: directory }
}

keyward_store_suite::suite!(fresh);
