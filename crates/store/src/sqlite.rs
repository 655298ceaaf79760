//! The embedded store: one SQLite database in one folder.
//!
//! One thread writes, in groups that share a commit (`writer`); a few connections read, each question in a snapshot of
//! its own (`readers`). Values of dimensions are numbers in a `dictionary`; one `rollup` is kept in the transaction that
//! keeps the records, and answers where it can (`aggregate`).
//!
//! **Architecture Invariant:** no value is ever formatted into SQL, and nothing but the writer's thread writes.

mod accounts;
mod aggregate;
mod aggregates;
mod alerts;
mod amend;
mod annotations;
mod anomalies;
mod append;
mod audit;
mod backup;
mod budgets;
mod calls;
mod codes;
mod columns;
mod condition;
mod connection;
mod cursor;
mod dictionary;
mod erasure;
mod failure;
mod file;
mod filter;
mod kept;
mod keys;
mod latency;
mod list;
mod names;
mod outbox;
mod prices;
mod projects;
mod provider_keys;
mod readers;
mod record;
mod recost;
mod rollup;
mod schema;
mod scope;
mod sealed;
mod search;
mod sessions;
mod source;
mod sums;
mod tracker_keys;
mod usage_store;
mod verify;
mod webhooks;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use readers::{ReadTx, Readers};
use writer::{WriteTx, Writer};

use crate::{StoreError, limits};

/// How an embedded store is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Writes that may wait; beyond, [`StoreError::Busy`].
    pub queue_jobs: usize,
    /// Connections that read.
    pub readers: usize,
    /// Most bytes that the database may have; beyond, [`StoreError::Unavailable`]. As large as the disk when missing.
    pub bytes_max: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue_jobs: limits::QUEUE_JOBS, readers: limits::READERS, bytes_max: None }
    }
}

/// What the store has done since it was opened; for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions committed, each with one wait for the disk.
    pub commits: u64,
    /// Writes that wait or run.
    pub queued_jobs: u64,
    /// Bytes of these writes, about.
    pub queued_bytes: u64,
    /// New records kept.
    pub records_appended: u64,
}

/// The embedded store. Clones share it; the last one to go closes it.
#[derive(Debug, Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    readers: Readers,
    /// Missing when the store was opened to read only.
    writer: Option<Writer>,
}

impl Sqlite {
    /// Opens the database at `path`, and makes it and its folder where they are missing, for its owner's eyes only.
    ///
    /// No other process can write while it is open ([`StoreError::Locked`]). This waits for the disk.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        file::create(path)?;
        let lock = file::lock(path)?;
        let mut connection = connection::open_to_write(path, options.bytes_max)?;
        schema::migrate(&mut connection)?;
        let readers = Readers::open(path, options.readers)?;
        let writer = Writer::start(connection, lock, options.queue_jobs)?;
        Ok(Self::of(path, readers, Some(writer)))
    }

    /// Opens the database at `path` to read only, also while another process writes to it.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        schema::check(&connection::open_to_read(path)?)?;
        Ok(Self::of(path, Readers::open(path, limits::READERS)?, None))
    }

    /// Copies the database, as of one moment and while it is in use, to a new file at `target`.
    ///
    /// `Conflict("backup file")` if there is one.
    pub async fn backup_to(&self, target: &Path) -> Result<(), StoreError> {
        let (source, target) = (self.inner.path.clone(), target.to_owned());
        run_blocking(move || backup::copy(&source, &target)).await
    }

    /// Finishes what waits to be written, and closes the files. Every later call is [`StoreError::Unavailable`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.readers.close().await;
        let inner = Arc::clone(&self.inner);
        run_blocking(move || inner.writer.as_ref().map_or(Ok(()), Writer::close)).await
    }

    /// What the store has done since it was opened.
    pub fn stats(&self) -> Stats {
        self.inner.writer.as_ref().map(Writer::stats).unwrap_or_default()
    }

    fn of(path: &Path, readers: Readers, writer: Option<Writer>) -> Self {
        Self { inner: Arc::new(Inner { path: path.to_owned(), readers, writer }) }
    }

    /// Runs `work` in a snapshot.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.readers.read(work).await
    }

    /// Runs `work`, which holds about `bytes` of memory, on the writer's thread. Durable on return.
    async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.inner.writer {
            Some(writer) => writer.submit(bytes, work).await,
            None => Err(StoreError::Unavailable("it was opened to read only".to_owned())),
        }
    }

    /// As [`Self::write`], for what a cache must hear of.
    async fn change<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let noted = move |tx: &mut WriteTx<'_>| {
            *tx.is_change = true;
            work(tx)
        };
        self.write(bytes, noted).await
    }
}

#[async_trait::async_trait]
impl crate::ErasureStore for Sqlite {
    async fn count_person(&self, person: &crate::Person) -> Result<crate::ErasureCount, StoreError> {
        erasure::count(self, person.clone()).await
    }

    async fn erase_person(&self, person: &crate::Person, pseudonym: &str) -> Result<(), StoreError> {
        erasure::erase(self, person.clone(), pseudonym.to_owned()).await
    }

    async fn forget_deleted(&self) -> Result<bool, StoreError> {
        erasure::empty_log(self).await
    }
}

impl crate::MetaStore for Sqlite {
    fn change_count(&self) -> u64 {
        self.inner.writer.as_ref().map_or(0, Writer::changes)
    }
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Damaged("a task of the store panicked".to_owned())))
}
