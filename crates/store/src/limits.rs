//! Bounds of the embedded store, each with a name.

/// Writes that may wait for the writer; beyond, [`crate::StoreError::Busy`].
pub const QUEUE_JOBS: usize = 4_096;
/// Bytes of all writes that wait or run, about; beyond, [`crate::StoreError::Busy`]. A single larger write is taken.
pub const QUEUE_BYTES: usize = 128 << 20;
/// What a write of one small thing (an account, a key, a correction) counts as.
pub const SMALL_WRITE_BYTES: usize = 1_024;
/// Writes of one commit.
pub const COMMIT_JOBS: usize = 1_024;
/// Bytes of the writes of one commit, about: a commit that fits the cache does not spill.
pub const COMMIT_BYTES: usize = 16 << 20;
/// Connections that read.
pub const READERS: usize = 4;
/// Dimension values, tag sets and prices whose numbers a connection remembers, of each kind.
pub const CACHED_VALUES: usize = 100_000;
/// Groups of one answer; beyond, [`crate::StoreError::TooManyGroups`].
pub const GROUPS_MAX: usize = 200_000;
/// Different durations, of all groups of one answer together; beyond, [`crate::StoreError::TooManyGroups`].
pub const DURATIONS_MAX: usize = 4_000_000;
/// Calls that are handed over at once where many are read.
pub const CALLS_OF_A_BATCH: usize = 2_048;
/// Differences that a verification spells out.
pub const DIFFERENCES_MAX: usize = 100;
/// Milliseconds that a connection waits for another process's lock.
pub const LOCK_WAIT_MS: u64 = 5_000;
/// Prepared statements that a connection keeps.
pub const STATEMENTS: usize = 128;
/// Records of a person that one write cleans.
pub const ERASED_RECORDS: usize = 200;
