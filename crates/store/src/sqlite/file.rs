//! The folder, the file and the lock.

use std::{
    ffi::OsString,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::StoreError;

/// Makes the database file and its folder where they are missing, readable for their owner only, and durable.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let folder = folder(path);
    create_folder(folder)
        .and_then(|()| private().create(true).open(path))
        .and_then(|_| sync_folder(folder))
        .and_then(|()| folder.canonicalize()?.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| unavailable(path, &error))
}

/// Takes the data folder for this process; it is free again when the file is dropped, and when the process dies.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = beside(path, ".lock");
    let file = private().create(true).open(&lock_path).map_err(|error| unavailable(&lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder(path).display().to_string())),
        Err(TryLockError::Error(error)) => Err(unavailable(&lock_path, &error)),
    }
}

/// How files of the store are opened to write: by their owner only.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The folder that holds `path`.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Makes the names in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn unavailable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
