//! Usage from files: the work behind `ai-cost-tracker import`.
//!
//! A file's rows become calls in the shape of `POST /api/usage/track` (`mapping`), in batches that are read on a thread
//! of their own (`batch`) and go to the store or to a running server (`destination`).
//!
//! **Architecture Invariant:** a row is read by [`crate::track`] and recorded by [`crate::ingest`], like a call that
//! comes in by any other door; every row has a key before it leaves this module, so that doing it again adds nothing.

mod batch;
mod destination;
mod error_file;
mod fields;
mod key;
mod limits;
mod mapping;
mod progress;
mod remote;
mod report;
mod row;
mod source;

use std::{io, path::PathBuf};

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};

use batch::{Batch, ReadError, TrackedRow};
use destination::{Delivered, Outcome};
use progress::Progress;
use report::Tally;

pub use destination::Destination;
pub use error_file::ErrorFile;
pub use mapping::{Mapping, Wishes};
pub use remote::Remote;
pub use report::{Failure, ModelSum, Summary, dollars, grouped};
pub use source::{Format, Reading};

/// What a person asked for cannot be done; nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Unusable {
    /// With this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Files; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// How they are read.
    pub reading: Reading,
    /// What their columns are.
    pub mapping: Mapping,
    /// Whether a progress bar is shown, if there is a terminal.
    pub shows_progress: bool,
}

/// Imports all files of `plan`, in order; rows that fail also go to `errors`.
///
/// A row that cannot be recorded does not keep others from it. An error stops the import; what was recorded before it
/// stays, and importing again records the rest.
pub async fn import(
    plan: &Plan,
    destination: &Destination<'_>,
    errors: Option<ErrorFile>,
) -> anyhow::Result<Summary> {
    batch::check(plan)?;
    let progress = Progress::start(plan.shows_progress, source::total_bytes(&plan.files));
    let batches = batch::read_ahead(plan, progress.bytes_read());
    let batches =
        stream::unfold(batches, async |mut batches| batches.recv().await.map(|batch| (batch, batches)));
    let deliver = async |batch: Result<Batch, ReadError>| match batch {
        Ok(batch) => destination.deliver(batch).await,
        Err(ReadError::Unusable(unusable)) => Err(unusable.into()),
        Err(error) => Err(error.into()),
    };
    let delivered = batches.map(deliver).buffered(limits::BATCHES_IN_FLIGHT);
    let mut delivered = std::pin::pin!(delivered);
    let tally = Tally::new(matches!(destination, Destination::Nowhere { .. }));
    let mut ledger = Ledger { tally, files: &plan.files, errors };
    while let Some(done) = delivered.next().await {
        let done = match done {
            Err(error) if ledger.tally.rows() == 0 => return Err(error),
            done => done.with_context(|| stopped_after(ledger.tally.rows()))?,
        };
        ledger.add(done).context("the file of errors cannot be written")?;
        progress.show(ledger.tally.rows());
    }
    ledger.finish().context("the file of errors cannot be written")
}

fn stopped_after(rows: u64) -> String {
    let rows = grouped(rows);
    format!("stopped after {rows} rows; import again to record the rest, nothing is recorded twice")
}

/// What became of the rows so far.
struct Ledger<'a> {
    tally: Tally,
    files: &'a [PathBuf],
    errors: Option<ErrorFile>,
}

impl Ledger<'_> {
    fn add(&mut self, Delivered { batch, outcomes }: Delivered) -> io::Result<()> {
        let Batch { file, calls, failures, .. } = batch;
        for (line, error) in failures {
            self.add_failure(file, line, error, None)?;
        }
        for (TrackedRow { line, json }, outcome) in calls.into_iter().zip(outcomes) {
            match outcome {
                Outcome::New(facts) => self.tally.add_new(&facts),
                Outcome::Duplicate => self.tally.add_duplicate(),
                Outcome::Failed(error) => self.add_failure(file, line, error, Some(&json))?,
            }
        }
        Ok(())
    }

    fn add_failure(&mut self, file: usize, line: u64, error: String, row: Option<&str>) -> io::Result<()> {
        let file = self.files.get(file).map(|path| path.display().to_string()).unwrap_or_default();
        let failure = Failure { file, line, error };
        if let Some(errors) = &mut self.errors {
            errors.add(&failure, row)?;
        }
        self.tally.add_failure(failure);
        Ok(())
    }

    fn finish(self) -> io::Result<Summary> {
        self.errors.map_or(Ok(()), ErrorFile::finish)?;
        Ok(self.tally.finish())
    }
}
