//! CSV.

use std::{
    cell::Cell,
    io::{self, Read},
};

use super::{Counted, FileRow};
use crate::import::{limits, row::Row, row::text_value};

/// A table with a header.
#[derive(Debug)]
pub(in crate::import) struct Table {
    reader: csv::Reader<Bounded<Counted>>,
    columns: Vec<String>,
    record: csv::StringRecord,
    bytes: csv::ByteRecord,
    /// Lines end with CR LF: the reader has then not yet passed the LF when it hands over a record.
    ends_in_crlf: bool,
    row_bytes_max: usize,
}

impl Table {
    /// Reads the header.
    pub(super) fn new(input: Counted, delimiter: u8, row_bytes_max: usize) -> io::Result<Self> {
        let bounded = Bounded { inner: input, allowance: Cell::new(0) };
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(limits::READ_BYTES)
            .from_reader(bounded);
        let (record, bytes) = (csv::StringRecord::new(), csv::ByteRecord::new());
        let mut table =
            Self { reader, columns: Vec::new(), record, bytes, ends_in_crlf: false, row_bytes_max };
        if !table.read()? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "is empty; the first row must name the columns",
            ));
        }
        table.ends_in_crlf = table.reader.position().line() == 1 + line_breaks(&table.bytes);
        table.decode().map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))?;
        let name = |(index, name): (usize, &str)| match name.trim() {
            "" => format!("column {}", index + 1),
            name => name.to_owned(),
        };
        table.columns = table.record.iter().enumerate().map(name).collect();
        Ok(table)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn next_row(&mut self) -> io::Result<Option<FileRow>> {
        if !self.read()? {
            return Ok(None);
        }
        let line = self.first_line();
        Ok(Some(FileRow { line, row: self.decode().and_then(|()| self.row()) }))
    }

    /// The line that the record starts on. The reader says where it began to look, which is before empty lines, and
    /// where it stopped.
    fn first_line(&self) -> u64 {
        let (began, stopped) =
            (self.bytes.position().map_or(0, csv::Position::line), self.reader.position().line());
        let crlf = u64::from(self.ends_in_crlf);
        (began + crlf).max((stopped + crlf).saturating_sub(1 + line_breaks(&self.bytes)))
    }

    /// Reads a record as bytes: one that is not UTF-8 must not end the file.
    fn read(&mut self) -> io::Result<bool> {
        let allowance = self.row_bytes_max.saturating_add(limits::READ_BYTES);
        self.reader.get_ref().allowance.set(allowance);
        self.reader.read_byte_record(&mut self.bytes).map_err(|error| {
            let line = self.reader.position().line();
            match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    let message = format!(
                        "the row that starts near line {line} is longer than {} bytes; is a quote left open?",
                        self.row_bytes_max
                    );
                    io::Error::new(io::ErrorKind::InvalidData, message)
                }
                csv::ErrorKind::Io(error) => error,
                other => io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {other:?}")),
            }
        })
    }

    fn decode(&mut self) -> Result<(), String> {
        let bytes = std::mem::take(&mut self.bytes);
        let decoded = csv::StringRecord::from_byte_record(bytes);
        self.record =
            decoded.map_err(|_| "is not UTF-8 text; convert the file, e.g. with iconv".to_owned())?;
        Ok(())
    }

    fn row(&self) -> Result<Row, String> {
        if self.record.len() != self.columns.len() {
            return Err(format!("has {} cells; the header has {}", self.record.len(), self.columns.len()));
        }
        let mut row = Row::default();
        let cells = self.columns.iter().zip(&self.record).filter(|(_, cell)| !cell.is_empty());
        cells.for_each(|(name, cell)| row.insert(name.clone(), text_value(cell)));
        Ok(row)
    }
}

fn line_breaks(record: &csv::ByteRecord) -> u64 {
    record.as_slice().iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Fails once more is read than a row may have, so that a quote left open does not take the whole file into memory.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    allowance: Cell<usize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.allowance.get().checked_sub(count).ok_or(io::ErrorKind::FileTooLarge)?;
        self.allowance.set(left);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::of_bytes, *};

    fn rows(text: &'static [u8]) -> Vec<String> {
        let mut table = Table::new(of_bytes(text), b',', 100).unwrap();
        let show =
            |row: FileRow| format!("{}: {}", row.line, row.row.map_or_else(|why| why, |row| row.to_json()));
        std::iter::from_fn(|| table.next_row().transpose())
            .map(|row| row.map_or_else(|error| error.to_string(), show))
            .take(9)
            .collect()
    }

    #[test]
    fn cells_go_by_their_columns_and_a_bad_row_fails_alone() {
        assert_eq!(
            rows(b"\xef\xbb\xbfa,,c\r\n1,2,\"x\n\"\"y\"\"\"\r\n1,2\r\n\r\n\xff,2,3\r\n4,5,6"),
            [
                r#"2: {"a":"1","c":"x\n\"y\"","column 2":"2"}"#,
                "4: has 2 cells; the header has 3",
                "6: is not UTF-8 text; convert the file, e.g. with iconv",
                r#"7: {"a":"4","c":"6","column 2":"5"}"#,
            ]
        );
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let lines = |text: &'static [u8]| {
            let mut table = Table::new(of_bytes(text), b',', 100).unwrap();
            std::iter::from_fn(|| table.next_row().unwrap()).map(|row| row.line).collect::<Vec<_>>()
        };
        assert_eq!(lines(b"a,b\n1,2\n\n\n\"x\ny\",2\n1,2\n1,2"), [2, 5, 7, 8]);
        assert_eq!(lines(b"a,b\r\n1,2\r\n\r\n\r\n\"x\r\ny\",2\r\n1,2\r\n1,2"), [2, 5, 7, 8]);
        assert_eq!(lines(b"\"a\n\",b\n1,2\n"), [3]);
        assert_eq!(lines(b"\"a\r\n\",b\r\n1,2\r\n"), [3]);
    }

    #[test]
    fn a_quote_left_open_does_not_take_the_file_into_memory() {
        let text: &'static str = Box::leak(format!("a\n\"{}", "x\n".repeat(200_000)).into_boxed_str());
        let mut table = Table::new(of_bytes(text.as_bytes()), b',', 100).unwrap();
        let error = table.next_row().unwrap_err();
        assert!(error.to_string().contains("is a quote left open"), "{error}");
    }
}
