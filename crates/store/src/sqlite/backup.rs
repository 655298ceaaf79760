//! Copies of the database while it is in use.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{connection, file};
use crate::StoreError;

/// Copies the database at `source`, as of one moment, to a new file at `target`; all of it or nothing.
pub(super) fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    if target.symlink_metadata().is_ok() {
        return Err(StoreError::Conflict("backup file"));
    }
    let unfinished = file::beside(target, ".unfinished");
    let copied = remove_if_there(&unfinished)
        .map_err(|error| file::unavailable(&unfinished, &error))
        .and_then(|()| write(source, &unfinished))
        .and_then(|()| publish(&unfinished, target).map_err(|error| file::unavailable(target, &error)));
    if copied.is_err()
        && let Err(error) = remove_if_there(&unfinished)
    {
        tracing::warn!(%error, "an unfinished backup could not be removed");
    }
    copied
}

fn write(source: &Path, unfinished: &Path) -> Result<(), StoreError> {
    // SQLite fills an empty file that is there; made here, it has our mode from the start.
    file::private()
        .create_new(true)
        .open(unfinished)
        .map_err(|error| file::unavailable(unfinished, &error))?;
    let name = unfinished
        .to_str()
        .ok_or_else(|| StoreError::Unavailable("the name of a backup must be UTF-8".to_owned()))?;
    connection::open_to_read(source)?.execute("vacuum into ?1", [name])?;
    Ok(())
}

/// Durable first, visible then.
fn publish(unfinished: &Path, target: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, target)?;
    file::sync_folder(file::folder(target))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
