//! SQLite: the conformance suite with one reading connection and with several, and several stores on one file.

use std::{ops::Deref, path::PathBuf};

use keyward_store_diesel::{DieselStore, Options};
use tempfile::TempDir;

/// A store on a file that is removed with it.
pub(crate) struct OnFile {
    store: DieselStore,
    path: PathBuf,
    _folder: TempDir,
}

impl Deref for OnFile {
    type Target = DieselStore;

    fn deref(&self) -> &DieselStore {
        &self.store
    }
}

/// The address of a file.
pub(crate) fn url(path: &std::path::Path) -> String {
    format!("sqlite://{}", path.display())
}

pub(crate) fn options(url: &str, create: bool, pool_size: u32) -> Options {
    Options { create, pool_size, ..Options::new(url) }
}

/// Makes a store on a new file.
pub(crate) fn fresh(pool_size: u32) -> OnFile {
    let folder = tempfile::tempdir().unwrap();
    // Characters that mean something in URIs and in SQL.
    let path = folder.path().join("kéy ward?x#y%20'z.db");
    let store = DieselStore::open(options(&url(&path), true, pool_size)).unwrap();
    store.migrate().unwrap();
    OnFile { store, path, _folder: folder }
}

impl OnFile {
    /// Opens another store on the same file, as another process would.
    pub(crate) fn another(&self) -> DieselStore {
        DieselStore::open(options(&url(&self.path), false, 2)).unwrap()
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }
}

mod one_connection {
    async fn fresh() -> super::OnFile {
        super::fresh(1)
    }

    keyward_store_suite::suite!(fresh);
}

mod several_connections {
    async fn fresh() -> super::OnFile {
        super::fresh(4)
    }

    keyward_store_suite::suite!(fresh);
}
