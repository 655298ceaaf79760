//! Connections that read, each question in a snapshot of its own.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{connection, names::Names, run_blocking};
use crate::StoreError;

/// What a question is asked through: one moment's state of the database.
#[derive(Debug)]
pub(super) struct ReadTx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) names: &'a mut Names,
}

/// A few connections that take turns.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Reader>>>,
    permits: Arc<Semaphore>,
    count: u32,
    /// Counts how often names were changed; a reader with an older count forgets those that it remembers.
    renamings: AtomicU64,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    names: Names,
    /// As of which count of renamings the names are.
    as_of: u64,
}

impl Readers {
    /// Opens `count` connections to the database at `path`.
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, StoreError> {
        let open =
            |_| Ok(Reader { connection: connection::open_to_read(path)?, names: Names::default(), as_of: 0 });
        let idle = (0..count.max(1)).map(open).collect::<Result<Vec<_>, StoreError>>()?;
        let count = u32::try_from(idle.len()).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(idle.len()));
        Ok(Self { permits, idle: Arc::new(Mutex::new(idle)), count, renamings: AtomicU64::new(0) })
    }

    /// Runs `work` once a connection is idle.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let idle = Arc::clone(&self.idle);
        let renamings = self.renamings.load(Ordering::Acquire);
        run_blocking(move || {
            let _permit = permit;
            Lease::take(idle)?.read(renamings, work)
        })
        .await
    }

    /// Says that a number of the dictionary means something else now.
    pub(super) fn forget_names(&self) {
        self.renamings.fetch_add(1, Ordering::Release);
    }

    /// Waits for the questions that are being answered, and closes the connections.
    pub(super) async fn close(&self) {
        if let Ok(_all) = self.permits.acquire_many(self.count).await {
            self.permits.close();
            lock(&self.idle).clear();
        }
    }
}

/// A connection taken out of the idle ones; it goes back also after a panic.
struct Lease {
    reader: Option<Reader>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Lease {
    fn take(idle: Arc<Mutex<Vec<Reader>>>) -> Result<Self, StoreError> {
        let reader = lock(&idle).pop();
        if reader.is_none() { Err(closed()) } else { Ok(Self { reader, idle }) }
    }

    fn read<T>(
        &mut self,
        renamings: u64,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Reader { connection, names, as_of } = self.reader.as_mut().ok_or_else(closed)?;
        if *as_of != renamings {
            *names = Names::default();
            *as_of = renamings;
        }
        let snapshot = connection.transaction()?;
        work(&mut ReadTx { connection: &snapshot, names })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.idle).extend(self.reader.take());
    }
}

fn lock(idle: &Mutex<Vec<Reader>>) -> std::sync::MutexGuard<'_, Vec<Reader>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}
