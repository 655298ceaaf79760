//! Connections and what they are set to.

use std::{path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use crate::{StoreError, limits};

/// WAL with `synchronous = full`: a commit waits for the disk, so that it survives a power cut. The log is moved into
/// the database every 4,000 pages, which keeps that pause short. What is deleted is overwritten with zeros.
const TO_WRITE: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma temp_store = memory;
    pragma cache_size = -65536;
    pragma wal_autocheckpoint = 4000;
    pragma secure_delete = on;
    pragma journal_size_limit = 67108864;";

const TO_READ: &str = "
    pragma temp_store = memory;
    pragma cache_size = -16384;
    pragma mmap_size = 1073741824;";

/// The one connection that writes.
pub(super) fn open_to_write(path: &Path, bytes_max: Option<u64>) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up(&connection, TO_WRITE)?;
    if let Some(bytes_max) = bytes_max {
        limit_size(&connection, bytes_max)?;
    }
    Ok(connection)
}

/// A connection that reads.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up(&connection, TO_READ)?;
    Ok(connection)
}

fn set_up(connection: &Connection, pragmas: &str) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_millis(limits::LOCK_WAIT_MS))?;
    connection.execute_batch(pragmas)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS);
    let pure =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let any_number_of_arguments = -1;
    connection.create_scalar_function("contains_text", any_number_of_arguments, pure, |context| {
        Ok(contain_text(context))
    })?;
    Ok(())
}

fn limit_size(connection: &Connection, bytes_max: u64) -> Result<(), StoreError> {
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(bytes_max).unwrap_or(i64::MAX) / page_bytes;
    Ok(connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?)
}

/// `contains_text(wanted, text, …)`: whether a text contains `wanted`, which is in lower case, in any case.
///
/// SQLite's `like` knows the case of ASCII letters only.
fn contain_text(context: &Context<'_>) -> bool {
    let ValueRef::Text(wanted) = context.get_raw(0) else { return false };
    (1..context.len()).any(|index| match context.get_raw(index) {
        ValueRef::Text(text) => contains_text(text, wanted),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => false,
    })
}

fn contains_text(text: &[u8], wanted: &[u8]) -> bool {
    if text.is_ascii() {
        return text.windows(wanted.len().max(1)).any(|part| part.eq_ignore_ascii_case(wanted));
    }
    String::from_utf8_lossy(text).to_lowercase().contains(&*String::from_utf8_lossy(wanted))
}
