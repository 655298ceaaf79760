//! One write that waits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::WriteTx;
use crate::{StoreError, sqlite::failure};

/// A write in the queue.
pub(super) trait Job: Send {
    /// Memory that it holds, about.
    fn bytes(&self) -> usize;

    /// Does it; whether it is to be kept.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool;

    /// Tells its caller, now that the group is committed or lost.
    fn answer(self: Box<Self>, committed: Result<(), &StoreError>);
}

/// A [`Job`] of some result.
pub(super) struct Task<W, T> {
    bytes: usize,
    work: Option<W>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<W, T> Task<W, T> {
    pub(super) fn new(bytes: usize, work: W, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { bytes, work: Some(work), result: None, reply }
    }
}

impl<W, T> Job for Task<W, T>
where
    W: FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        // What a panic leaves behind is in the database and in the caches, and both are undone.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)))
            .unwrap_or_else(|_| Err(StoreError::Damaged("a write panicked".to_owned())));
        let is_kept = result.is_ok();
        self.result = Some(result);
        is_kept
    }

    fn answer(self: Box<Self>, committed: Result<(), &StoreError>) {
        let result = match (self.result, committed) {
            (Some(Err(own)), _) => Err(own),
            (Some(kept), Ok(())) => kept,
            (_, Err(lost)) => Err(failure::repeat(lost)),
            (None, Ok(())) => Err(StoreError::Unavailable("the write was not run".to_owned())),
        };
        // A caller that went away does not want to know.
        drop(self.reply.send(result));
    }
}
