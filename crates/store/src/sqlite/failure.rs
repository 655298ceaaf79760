//! What SQLite's errors mean to a caller.

use domain::totals::TotalsOverflow;
use rusqlite::{Error, ErrorCode, ffi};

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::SqliteFailure(failure, message) => of_code(*failure, message.as_deref(), &error),
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// The same failure for one more caller whose write it took along.
pub(super) fn repeat(error: &StoreError) -> StoreError {
    match error {
        StoreError::Damaged(why) => StoreError::Damaged(why.clone()),
        StoreError::Unavailable(why) => StoreError::Unavailable(why.clone()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// `conflict` where a unique property is taken.
pub(super) fn taken(conflict: &'static str) -> impl FnOnce(Error) -> StoreError {
    move |error| match &error {
        Error::SqliteFailure(ffi::Error { extended_code, .. }, _) if is_unique_violation(*extended_code) => {
            StoreError::Conflict(conflict)
        }
        _ => error.into(),
    }
}

fn of_code(failure: ffi::Error, message: Option<&str>, error: &Error) -> StoreError {
    match failure.code {
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::OperationInterrupted
        | ErrorCode::OperationAborted => StoreError::Unavailable(error.to_string()),
        ErrorCode::ConstraintViolation => of_constraint(failure.extended_code, error),
        // `sum()` says so, with no code of its own.
        _ if message == Some("integer overflow") => TotalsOverflow.into(),
        _ => StoreError::Damaged(error.to_string()),
    }
}

fn of_constraint(extended_code: i32, error: &Error) -> StoreError {
    match extended_code {
        // An integer that overflows becomes a float, which a strict column refuses.
        ffi::SQLITE_CONSTRAINT_DATATYPE => TotalsOverflow.into(),
        // Every checked reference is to an account or a project that was deleted meanwhile.
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Conflict("reference"),
        code if is_unique_violation(code) => StoreError::Conflict("id"),
        _ => StoreError::Damaged(error.to_string()),
    }
}

fn is_unique_violation(extended_code: i32) -> bool {
    matches!(
        extended_code,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID
    )
}
