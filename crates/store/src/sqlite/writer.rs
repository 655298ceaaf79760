//! The one thread that writes, in groups that share a commit.
//!
//! Waiting for the disk is what a write costs, and while one commit waits, the next writes gather in the queue: no
//! timer is needed to group them. A write that fails is undone alone; a commit that fails fails all of its writes.

mod group;
mod job;

use std::{
    fs::File,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::{
    group::Committer,
    job::{Job, Task},
};
use super::{Stats, dictionary::Dictionary, names::Names};
use crate::{StoreError, limits};

/// What a write is done through: its part of the group's transaction.
#[derive(Debug)]
pub(super) struct WriteTx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) dictionary: &'a mut Dictionary,
    pub(super) names: &'a mut Names,
    /// New records that the write keeps.
    pub(super) appended: &'a mut u64,
    /// Whether a cache of accounts, keys or projects must hear of the write.
    pub(super) is_change: &'a mut bool,
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    /// Missing once it was closed.
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    gauges: Arc<Gauges>,
}

/// What waits and what was done.
#[derive(Debug, Default)]
struct Gauges {
    jobs: AtomicUsize,
    bytes: AtomicUsize,
    commits: AtomicU64,
    appended: AtomicU64,
    changes: AtomicU64,
}

impl Writer {
    /// Starts the thread. It holds `lock` until it has ended.
    pub(super) fn start(connection: Connection, lock: File, queue_jobs: usize) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(queue_jobs);
        let gauges = Arc::new(Gauges::default());
        let committer = Committer::new(connection, Arc::clone(&gauges));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(committer, &jobs, lock))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)), gauges })
    }

    /// Puts a write into the queue and waits until it is durable. `Busy` at once if the queue is full.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(Task::new(bytes, work, reply)))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has stopped".to_owned())))
    }

    /// Takes no more writes, and waits until those in the queue are done and the files are closed.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        drop(lock(&self.queue).take());
        let thread = lock(&self.thread).take();
        let ended = thread.map_or(Ok(()), JoinHandle::join);
        ended.map_err(|_| StoreError::Damaged("the writer panicked".to_owned()))
    }

    /// See [`crate::MetaStore::change_count`].
    pub(super) fn changes(&self) -> u64 {
        self.gauges.changes.load(Ordering::Acquire)
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            commits: self.gauges.commits.load(Ordering::Relaxed),
            queued_jobs: self.gauges.jobs.load(Ordering::Relaxed) as u64,
            queued_bytes: self.gauges.bytes.load(Ordering::Relaxed) as u64,
            records_appended: self.gauges.appended.load(Ordering::Relaxed),
        }
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let queue =
            lock(&self.queue).clone().ok_or_else(|| StoreError::Unavailable("it is closed".to_owned()))?;
        let bytes = job.bytes();
        self.gauges.enter(bytes)?;
        queue.try_send(job).map_err(|error| {
            self.gauges.leave(bytes);
            match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => StoreError::Unavailable("the writer has stopped".to_owned()),
            }
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store did not close well");
        }
    }
}

impl Gauges {
    fn enter(&self, bytes: usize) -> Result<(), StoreError> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.jobs.fetch_add(1, Ordering::Relaxed);
        if before > 0 && before.saturating_add(bytes) > limits::QUEUE_BYTES {
            self.leave(bytes);
            return Err(StoreError::Busy);
        }
        Ok(())
    }

    fn leave(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Commits group after group until nobody can send another write.
fn run(mut committer: Committer, jobs: &Receiver<Box<dyn Job>>, lock: File) {
    while let Ok(first) = jobs.recv() {
        committer.commit_group(first, jobs);
    }
    committer.finish();
    drop(lock);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(folder: &tempfile::TempDir) -> Writer {
        let path = folder.path().join("test.db");
        super::super::file::create(&path).unwrap();
        let connection = super::super::connection::open_to_write(&path, None).unwrap();
        connection.execute_batch("create table kept (value text) strict").unwrap();
        Writer::start(connection, super::super::file::lock(&path).unwrap(), 8).unwrap()
    }

    fn keep(tx: &mut WriteTx<'_>, value: &str) -> Result<usize, StoreError> {
        Ok(tx.connection.execute("insert into kept values (?1)", [value])?)
    }

    #[tokio::test]
    async fn a_write_that_panics_or_fails_leaves_nothing_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let panicked = writer
            .submit(1, |tx| {
                keep(tx, "panicked")?;
                if tx.connection.is_autocommit() { Ok(()) } else { panic!("as the test wants") }
            })
            .await;
        assert!(matches!(panicked, Err(StoreError::Damaged(_))), "{panicked:?}");
        let failed = writer.submit(1, |tx| keep(tx, "failed").and(Err::<(), _>(StoreError::BadCursor))).await;
        assert!(matches!(failed, Err(StoreError::BadCursor)), "{failed:?}");
        writer.submit(1, |tx| keep(tx, "good")).await.unwrap();
        let kept = writer
            .submit(1, |tx| {
                Ok(tx
                    .connection
                    .query_row("select group_concat(value) from kept", [], |row| row.get::<_, String>(0))?)
            })
            .await;
        assert_eq!(kept.unwrap(), "good");
    }

    #[tokio::test]
    async fn a_lost_transaction_fails_its_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let lost = writer
            .submit(1, |tx| {
                keep(tx, "lost")?;
                // As SQLite does by itself after some failures of the disk.
                Ok(tx.connection.execute_batch("rollback")?)
            })
            .await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        let count = writer.submit(1, |tx| {
            Ok(tx.connection.query_row("select count(*) from kept", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(count.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn more_bytes_than_may_wait_are_busy_unless_nothing_else_waits() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        writer.submit(limits::QUEUE_BYTES + 1, |tx| keep(tx, "large, alone")).await.unwrap();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let slow = writer.submit(1, move |_| may_go.recv().map_err(|_| StoreError::Busy));
        let large = async {
            let refused = writer.submit(limits::QUEUE_BYTES, |tx| keep(tx, "large")).await;
            go.send(()).unwrap();
            refused
        };
        let (slow, large) = tokio::join!(slow, large);
        slow.unwrap();
        assert!(matches!(large, Err(StoreError::Busy)), "{large:?}");
        assert_eq!((writer.stats().queued_jobs, writer.stats().queued_bytes), (0, 0));
        writer.submit(limits::QUEUE_BYTES, |tx| keep(tx, "large, later")).await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_writer_has_done_what_it_took() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let (first, second) =
            tokio::join!(writer.submit(1, |tx| keep(tx, "a")), writer.submit(1, |tx| keep(tx, "b")));
        assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
        writer.close().unwrap();
        assert!(matches!(writer.submit(1, |tx| keep(tx, "c")).await, Err(StoreError::Unavailable(_))));
        assert_eq!(writer.stats().queued_jobs, 0);
    }
}
