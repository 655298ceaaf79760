//! Why a store could not do what it was asked.

use domain::totals::TotalsOverflow;

/// Why a store could not do what it was asked. Nothing of the operation has happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// So much waits to be written that no more is taken; try again.
    #[error("the store is busy: its write queue is full")]
    Busy,
    /// The store cannot be reached or its disk is full; try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Something with this unique property exists already, e.g. `email`.
    #[error("{0} is taken")]
    Conflict(&'static str),
    /// The cursor of a list was not made by this store.
    #[error("the cursor is not valid")]
    BadCursor,
    /// A sum left what an integer can hold.
    #[error(transparent)]
    Overflow(#[from] TotalsOverflow),
    /// The question has so many groups that no answer is given; ask for fewer.
    #[error("the answer has more than {0} groups")]
    TooManyGroups(usize),
    /// The data is of a newer version of the program.
    #[error(
        "the data was written by a newer version of the program (schema {found}, this version knows {known})"
    )]
    TooNew {
        /// Version of the data.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// Another process has the data folder.
    #[error("the data folder {0} is in use by another process")]
    Locked(String),
    /// What is stored cannot be understood; a bug or a damaged disk.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}
