//! Files of rows, read one row at a time.

mod lines;
mod table;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Unusable, mapping::Mapping, row::Row};

/// Form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header.
    Csv,
    /// One JSON object a line.
    Lines,
}

impl Format {
    /// The form that a person names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The form of every file; from its ending when missing.
    pub format: Option<Format>,
    /// What stands between cells; from the ending when missing.
    pub delimiter: Option<u8>,
    /// Bytes of one row at most.
    pub row_bytes_max: usize,
}

impl Reading {
    /// The form of the file at `path`.
    pub(super) fn format_of(&self, path: &Path) -> Result<Format, Unusable> {
        self.format.map_or_else(|| format_by_ending(path), Ok)
    }
}

/// A row as it stands in a file.
#[derive(Debug)]
pub(super) struct FileRow {
    /// The line that it starts on, from 1.
    pub(super) line: u64,
    /// Its cells, or why they cannot be read.
    pub(super) row: Result<Row, String>,
}

/// An open file.
#[derive(Debug)]
pub(super) enum Source {
    Table(table::Table),
    Lines(lines::JsonLines),
}

/// The bytes that have been read from a file, for a progress bar.
pub(super) type BytesRead = Arc<AtomicU64>;

impl Source {
    /// Opens `path`, and reads the header of a table.
    pub(super) fn open(path: &Path, reading: Reading, bytes_read: BytesRead) -> Result<Self, Unusable> {
        let format = reading.format_of(path)?;
        let input = Counted { inner: open(path)?, bytes_read };
        Ok(match format {
            Format::Csv => {
                let is_tsv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
                let delimiter = reading.delimiter.unwrap_or(if is_tsv { b'\t' } else { b',' });
                let table = table::Table::new(input, delimiter, reading.row_bytes_max);
                Self::Table(table.map_err(|error| Unusable::new(format!("{}: {error}", path.display())))?)
            }
            Format::Lines => Self::Lines(lines::JsonLines::new(input, reading.row_bytes_max)),
        })
    }

    /// Refuses a table whose columns cannot become calls.
    pub(super) fn check(&self, mapping: &Mapping) -> Result<(), Unusable> {
        match self {
            Self::Table(table) => mapping.check_columns(table.columns()),
            Self::Lines(_) => Ok(()),
        }
    }

    /// The next row; `None` at the end. An error is the file's: nothing after it can be read.
    pub(super) fn next_row(&mut self) -> io::Result<Option<FileRow>> {
        match self {
            Self::Table(table) => table.next_row(),
            Self::Lines(lines) => lines.next_row(),
        }
    }
}

/// Whether `path` stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Bytes of all files together, if that can be known.
pub(super) fn total_bytes(paths: &[PathBuf]) -> Option<u64> {
    let size = |path: &PathBuf| {
        std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
    };
    paths.iter().map(size).sum()
}

fn format_by_ending(path: &Path) -> Result<Format, Unusable> {
    if is_stdin(path) {
        return Err(Unusable::new("say what comes on standard input with --format csv or --format jsonl"));
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Format::from_name(&ending).ok_or_else(|| {
        let advice = match ending.as_str() {
            "json" => "; make one object a line of a JSON list with jq -c '.[]'",
            "gz" | "zst" | "zip" => "; unpack it first, e.g. with zcat, and import -",
            _ => "",
        };
        Unusable::new(format!(
            "{} ends in neither .csv nor .jsonl; say --format csv or --format jsonl{advice}",
            path.display()
        ))
    })
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>, Unusable> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)
        .map_err(|error| Unusable::new(format!("{} cannot be read: {error}", path.display())))?;
    Ok(Box::new(file))
}

/// Counts what is read.
pub(super) struct Counted {
    inner: Box<dyn Read + Send>,
    bytes_read: BytesRead,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes_read.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(count)
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").field("bytes_read", &self.bytes_read).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) fn of_bytes(bytes: &'static [u8]) -> Counted {
    Counted { inner: Box::new(bytes), bytes_read: BytesRead::default() }
}
