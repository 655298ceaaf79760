//! Files that only their owner may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// Writes a file that only its owner may read, whole or not at all, by way of a draft with a random name. `false` if it
/// exists already.
pub(super) fn create(path: &Path, content: &[u8], random: u64) -> io::Result<bool> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    create_folder(folder)?;
    let draft = path.with_extension(format!("{random:016x}.tmp"));
    let created = write_draft(&draft, content).and_then(|()| publish(&draft, path));
    // After an error the draft may not even exist.
    let _ = fs::remove_file(&draft);
    let created = created?;
    sync_folder(folder)?;
    Ok(created)
}

/// Whether others than the owner may read or write the file.
#[cfg(unix)]
pub(super) fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

/// Elsewhere the folder's access list decides.
#[cfg(not(unix))]
pub(super) fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

/// Makes the new name of the file last.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A link, unlike a rename, never replaces what another process published meanwhile.
fn publish(draft: &Path, path: &Path) -> io::Result<bool> {
    match fs::hard_link(draft, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Some file systems have no links.
        Err(_) => fs::rename(draft, path).map(|()| true),
    }
}
