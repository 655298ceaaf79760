//! Files → batches of tracked calls, on a thread of their own.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::sync::mpsc;

use super::{
    Plan, Unusable,
    key::{Occurrences, TooManyRows},
    limits,
    mapping::Mapping,
    source::{BytesRead, FileRow, Source, is_stdin},
};
use crate::limits::INGEST_BATCH_RECORDS;

/// Rows of one file that are recorded together.
#[derive(Debug)]
pub(super) struct Batch {
    /// Which file, by its place in the plan.
    pub(super) file: usize,
    /// Rows that are calls.
    pub(super) calls: Vec<TrackedRow>,
    /// Rows that are not.
    pub(super) failures: Vec<(u64, String)>,
    bytes: usize,
}

/// A row in the shape of a tracked call.
#[derive(Debug)]
pub(super) struct TrackedRow {
    /// The line that it starts on.
    pub(super) line: u64,
    /// A JSON object.
    pub(super) json: String,
}

/// Why no further row of a file can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    TooManyRows { path: PathBuf, error: TooManyRows },
}

/// Batches of all files in order, read a little ahead of what takes them.
pub(super) fn read_ahead(plan: &Plan, bytes_read: BytesRead) -> mpsc::Receiver<Result<Batch, ReadError>> {
    let (sender, receiver) = mpsc::channel(limits::BATCHES_READ_AHEAD);
    let plan = plan.clone();
    tokio::task::spawn_blocking(move || {
        for (file, path) in plan.files.iter().enumerate() {
            let read = read_file(&plan, file, path, &bytes_read, &sender);
            match read {
                Ok(true) => {}
                // Nobody takes them any more.
                Ok(false) => return,
                Err(error) => {
                    drop(sender.blocking_send(Err(error)));
                    return;
                }
            }
        }
    });
    receiver
}

/// Opens every file once, so that what cannot work is told before anything is recorded.
pub(super) fn check(plan: &Plan) -> Result<(), Unusable> {
    for path in &plan.files {
        plan.reading.format_of(path)?;
    }
    // What comes on standard input can be read only once.
    for path in plan.files.iter().filter(|path| !is_stdin(path)) {
        Source::open(path, plan.reading, BytesRead::default())?
            .check(&plan.mapping)
            .map_err(|error| Unusable::new(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

type Sender = mpsc::Sender<Result<Batch, ReadError>>;

/// `false` if nobody takes the batches any more.
fn read_file(
    plan: &Plan,
    file: usize,
    path: &Path,
    bytes_read: &BytesRead,
    sender: &Sender,
) -> Result<bool, ReadError> {
    let mut source = Source::open(path, plan.reading, BytesRead::clone(bytes_read))?;
    source.check(&plan.mapping)?;
    let mut mapping = plan.mapping.clone();
    let mut occurrences = Occurrences::default();
    let mut batch = Batch::of(file);
    while let Some(row) = source.next_row().map_err(|error| ReadError::Io { path: path.to_owned(), error })? {
        batch
            .add(row, &mut mapping, &mut occurrences)
            .map_err(|error| ReadError::TooManyRows { path: path.to_owned(), error })?;
        if batch.is_full()
            && sender.blocking_send(Ok(std::mem::replace(&mut batch, Batch::of(file)))).is_err()
        {
            return Ok(false);
        }
    }
    Ok(batch.is_empty() || sender.blocking_send(Ok(batch)).is_ok())
}

impl Batch {
    fn of(file: usize) -> Self {
        Self { file, calls: Vec::new(), failures: Vec::new(), bytes: 0 }
    }

    fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.failures.is_empty()
    }

    fn is_full(&self) -> bool {
        self.calls.len() + self.failures.len() >= INGEST_BATCH_RECORDS || self.bytes >= limits::BATCH_BYTES
    }

    fn add(
        &mut self,
        FileRow { line, row }: FileRow,
        mapping: &mut Mapping,
        occurrences: &mut Occurrences,
    ) -> Result<(), TooManyRows> {
        let mapped = row.and_then(|row| mapping.apply(row).map_err(|error| error.to_string()));
        match mapped {
            Ok(mut call) => {
                occurrences.give_key(&mut call)?;
                let json = call.to_json();
                self.bytes += json.len();
                self.calls.push(TrackedRow { line, json });
            }
            Err(problem) => self.failures.push((line, problem)),
        }
        Ok(())
    }
}
