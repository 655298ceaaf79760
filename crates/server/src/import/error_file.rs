//! Rows that failed, one JSON object a line.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Unusable, report::Failure};

/// A file of rows that failed; made when the first one does.
#[derive(Debug)]
pub struct ErrorFile {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: u64,
    error: &'a str,
    /// The row in the shape of a tracked call; `null` where it could not be read so far.
    row: Option<&'a RawValue>,
}

impl ErrorFile {
    /// A file at `path`, where there must be none: what is there may be the file to import.
    pub fn new(path: PathBuf) -> Result<Self, Unusable> {
        if path.exists() {
            return Err(Unusable::new(format!(
                "{} is there already; name a new file for errors",
                path.display()
            )));
        }
        Ok(Self { path, file: None })
    }

    pub(super) fn add(&mut self, failure: &Failure, row: Option<&str>) -> io::Result<()> {
        let Failure { file, line, error } = failure;
        let row = row.and_then(|row| serde_json::from_str(row).ok());
        let out = match &mut self.file {
            Some(out) => out,
            none => none.insert(BufWriter::new(create(&self.path)?)),
        };
        serde_json::to_writer(&mut *out, &Entry { file, line: *line, error, row })?;
        out.write_all(b"\n")
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.file.map_or(Ok(()), |mut out| out.flush())
    }
}

/// For its owner's eyes only: rows may hold prompts.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
