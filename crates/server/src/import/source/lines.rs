//! JSON Lines.

use std::io::{self, BufRead as _, BufReader, Read as _};

use super::{Counted, FileRow};
use crate::import::{limits, row::Row};

/// One JSON object a line.
#[derive(Debug)]
pub(in crate::import) struct JsonLines {
    input: BufReader<Counted>,
    line: u64,
    bytes: Vec<u8>,
    row_bytes_max: usize,
}

impl JsonLines {
    pub(super) fn new(input: Counted, row_bytes_max: usize) -> Self {
        Self {
            input: BufReader::with_capacity(limits::READ_BYTES, input),
            line: 0,
            bytes: Vec::new(),
            row_bytes_max,
        }
    }

    pub(super) fn next_row(&mut self) -> io::Result<Option<FileRow>> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let text =
                self.bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.line == 1).unwrap_or(&self.bytes);
            let text = text.trim_ascii_end();
            if text.len() > self.row_bytes_max {
                return self.skip_line();
            }
            if !text.is_empty() {
                return Ok(Some(FileRow { line: self.line, row: read_object(text) }));
            }
        }
    }

    /// Reads a line, or as much of it as tells that it is too long; `false` at the end.
    fn read_line(&mut self) -> io::Result<bool> {
        self.bytes.clear();
        self.line += 1;
        let most = u64::try_from(self.row_bytes_max).unwrap_or(u64::MAX).saturating_add(2);
        let count = self.input.by_ref().take(most).read_until(b'\n', &mut self.bytes)?;
        Ok(count > 0)
    }

    /// Passes over the rest of a line that is too long.
    fn skip_line(&mut self) -> io::Result<Option<FileRow>> {
        if self.bytes.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
        }
        let problem = format!("is longer than {} bytes", self.row_bytes_max);
        Ok(Some(FileRow { line: self.line, row: Err(problem) }))
    }
}

fn read_object(text: &[u8]) -> Result<Row, String> {
    serde_json::from_slice(text).map_err(|error| format!("is not a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{super::of_bytes, *};

    #[test]
    fn a_bad_line_fails_alone() {
        let mut lines = JsonLines::new(of_bytes(b"\xef\xbb\xbf{\"a\": 1.50}\r\n\n{\"b\":\"a long one, too long\"}\n[1]\n{\"c\":\n{\"d\":null}"), 20);
        let rows: Vec<_> = std::iter::from_fn(|| lines.next_row().unwrap())
            .map(|row| {
                (
                    row.line,
                    row.row.map(|row| row.to_json()).map_err(|why| why.chars().take(12).collect::<String>()),
                )
            })
            .collect();
        let bad = |why: &str| Err(why.to_owned());
        assert_eq!(
            rows,
            [
                (1, Ok(r#"{"a":1.50}"#.to_owned())),
                (3, bad("is longer th")),
                (4, bad("is not a JSO")),
                (5, bad("is not a JSO")),
                (6, Ok(r#"{"d":null}"#.to_owned())),
            ]
        );
    }
}
