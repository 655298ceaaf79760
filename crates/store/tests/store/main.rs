//! The embedded store: the contract, and what is its own.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod backup;
mod contract;
mod durability;
mod groups;
mod opening;
mod verification;

use std::path::PathBuf;

use store::sqlite::{Options, Sqlite};
use tempfile::TempDir;

/// An empty store in a folder that is removed afterwards.
struct Fixture {
    folder: TempDir,
    store: Sqlite,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("data/tracker.db"), options).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data/tracker.db")
    }

    /// A connection past the store, to damage or to block it.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// Closes the store and opens it again.
    async fn reopened(self, options: Options) -> Self {
        self.store.close().await.unwrap();
        let store = Sqlite::open(&self.path(), options).unwrap();
        Self { folder: self.folder, store }
    }
}
