//! Groups of writes that share a commit.

use std::sync::{Arc, atomic::Ordering, mpsc::Receiver};

use rusqlite::Connection;

use super::{Gauges, WriteTx, job::Job};
use crate::{
    StoreError, limits,
    sqlite::{dictionary::Dictionary, names::Names},
};

/// Runs writes and commits them.
pub(super) struct Committer {
    connection: Connection,
    dictionary: Dictionary,
    names: Names,
    gauges: Arc<Gauges>,
}

/// The writes of one commit.
#[derive(Default)]
struct Group {
    jobs: Vec<Box<dyn Job>>,
    bytes: usize,
    appended: u64,
    has_change: bool,
}

impl Committer {
    pub(super) fn new(connection: Connection, gauges: Arc<Gauges>) -> Self {
        Self { connection, dictionary: Dictionary::default(), names: Names::default(), gauges }
    }

    /// Commits `first` and what waits behind it, and only then answers.
    pub(super) fn commit_group(&mut self, first: Box<dyn Job>, waiting: &Receiver<Box<dyn Job>>) {
        let mut group = Group::default();
        let committed = self.run_group(&mut group, first, waiting);
        match &committed {
            Ok(()) => {
                self.gauges.commits.fetch_add(1, Ordering::Relaxed);
                self.gauges.appended.fetch_add(group.appended, Ordering::Relaxed);
            }
            Err(error) => self.forget_group(error),
        }
        if group.has_change {
            self.gauges.changes.fetch_add(1, Ordering::Release);
        }
        for job in group.jobs {
            self.gauges.leave(job.bytes());
            job.answer(committed.as_ref().copied());
        }
    }

    /// Moves the log into the database, so that the next start need not read it.
    pub(super) fn finish(self) {
        if let Err(error) = self.connection.execute_batch("pragma wal_checkpoint(truncate)") {
            tracing::warn!(%error, "the log of the store was not moved into the database; the next start does it");
        }
    }

    fn run_group(
        &mut self,
        group: &mut Group,
        first: Box<dyn Job>,
        waiting: &Receiver<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let mut next = Some(first);
        let begun = self.connection.execute_batch("begin immediate");
        while let Some(job) = next {
            group.bytes += job.bytes();
            group.jobs.push(job);
            if begun.is_ok()
                && let Some(job) = group.jobs.last_mut()
            {
                group.appended += self.run_job(&mut **job, &mut group.has_change)?;
            }
            let has_room = group.jobs.len() < limits::COMMIT_JOBS && group.bytes < limits::COMMIT_BYTES;
            next = if has_room { waiting.try_recv().ok() } else { None };
        }
        begun?;
        Ok(self.connection.execute_batch("commit")?)
    }

    /// Runs a write and undoes it if it fails; how many records it appended. An error is the loss of the whole group.
    fn run_job(&mut self, job: &mut dyn Job, is_change: &mut bool) -> Result<u64, StoreError> {
        self.connection.execute_batch("savepoint job")?;
        self.dictionary.start();
        let mut appended = 0;
        let is_kept = job.run(&mut WriteTx {
            connection: &self.connection,
            dictionary: &mut self.dictionary,
            names: &mut self.names,
            appended: &mut appended,
            is_change,
        });
        // After some failures (the disk is full, cannot be read) SQLite has undone the whole transaction by itself.
        if self.connection.is_autocommit() {
            return Err(StoreError::Unavailable("the transaction was undone".to_owned()));
        }
        if !is_kept {
            self.connection.execute_batch("rollback to job")?;
            if self.dictionary.undo() {
                self.names = Names::default();
            }
        }
        self.connection.execute_batch("release job")?;
        Ok(if is_kept { appended } else { 0 })
    }

    fn forget_group(&mut self, error: &StoreError) {
        tracing::error!(%error, "a group of writes could not be committed; nothing of it is kept");
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::error!(%error, "the transaction could not be undone either");
        }
        self.dictionary = Dictionary::default();
        self.names = Names::default();
    }
}
