//! Rows that failed, one JSON object a line.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Unusable, report::Failure};

/// A file of rows that failed.
#[derive(Debug)]
pub struct ErrorFile(BufWriter<File>);

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: u64,
    error: &'a str,
    /// The row in the shape of a tracked call; `null` where it could not be read so far.
    row: Option<&'a RawValue>,
}

impl ErrorFile {
    /// Makes the file, for its owner's eyes only: rows may hold prompts. One that is there is not touched.
    pub fn create(path: &Path) -> Result<Self, Unusable> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path);
        let file = file.map_err(|error| Unusable::new(format!("{} cannot be made: {error}", path.display())))?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(super) fn add(&mut self, failure: &Failure, row: Option<&str>) -> io::Result<()> {
        let Failure { file, line, error } = failure;
        let row = row.and_then(|row| serde_json::from_str(row).ok());
        serde_json::to_writer(&mut self.0, &Entry { file, line: *line, error, row })?;
        self.0.write_all(b"\n")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
