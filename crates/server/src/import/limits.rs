//! Bounds of an import, each with a name.

/// Batches that wait to be recorded; the file is read no further ahead.
pub(super) const BATCHES_READ_AHEAD: usize = 2;
/// Batches that are being recorded at once; they share commits of the store.
pub(super) const BATCHES_IN_FLIGHT: usize = 2;
/// Bytes of a batch, about; it holds fewer records when they are large.
pub(super) const BATCH_BYTES: usize = 4 << 20;
/// Rows without a key of their own in one file: 17 bytes each are kept to tell equal rows apart, 2 GB in all.
pub(super) const KEYLESS_ROWS_MAX: usize = 50_000_000;
/// Rows that fail and are told one by one; beyond, only the count grows.
pub(super) const FAILURES_TOLD: usize = 20;
/// Models that the summary tells apart; the rest are one line.
pub(super) const MODELS_TOLD: usize = 200;
/// Names of columns whose field is remembered.
pub(super) const COLUMNS_REMEMBERED: usize = 1_000;
/// Bytes that a reader takes from a file at once.
pub(super) const READ_BYTES: usize = 64 << 10;
/// Times that a batch is sent to a server that is busy or cannot be reached.
pub(super) const ATTEMPTS: u32 = 8;
/// Seconds to wait for a server that is busy, at most.
pub(super) const PAUSE_SECONDS_MAX: u64 = 120;
/// Seconds for a batch to be recorded by a server.
pub(super) const REQUEST_SECONDS: u64 = 120;
