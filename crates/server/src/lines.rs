//! Lines of a stream of bytes, with bounded memory.

use bytes::{Bytes, BytesMut};

/// Cuts chunks of bytes into lines, whatever the chunks' borders. A line beyond the bound is skipped and said so.
#[derive(Debug)]
pub struct Lines {
    rest: BytesMut,
    scanned: usize,
    skipping: bool,
    bytes_max: usize,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Its bytes, without the line break.
    Whole(Bytes),
    /// It was longer than the bound.
    TooLong,
}

impl Lines {
    /// Takes lines of at most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { rest: BytesMut::new(), scanned: 0, skipping: false, bytes_max }
    }

    /// Adds the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        self.rest.extend_from_slice(chunk);
    }

    /// The next complete line; empty lines are passed over.
    pub fn next_line(&mut self) -> Option<Line> {
        loop {
            let unseen = self.rest.get(self.scanned..).unwrap_or_default();
            let Some(offset) = unseen.iter().position(|byte| *byte == b'\n') else {
                self.scanned = self.rest.len();
                self.skip_excess();
                return None;
            };
            let end = self.scanned + offset;
            let line = self.rest.split_to(end + 1).freeze();
            self.scanned = 0;
            if std::mem::take(&mut self.skipping) || end > self.bytes_max {
                return Some(Line::TooLong);
            }
            if let Some(line) = trimmed(&line.slice(..end)) {
                return Some(Line::Whole(line));
            }
        }
    }

    /// What follows the last line break, at the end of the stream.
    pub fn finish(mut self) -> Option<Line> {
        let rest = self.rest.split().freeze();
        if self.skipping || rest.len() > self.bytes_max {
            return Some(Line::TooLong);
        }
        trimmed(&rest).map(Line::Whole)
    }

    /// Lets go of a line that is already too long, so that it is never held whole.
    fn skip_excess(&mut self) {
        if self.rest.len() > self.bytes_max {
            self.skipping = true;
            self.rest.clear();
            self.scanned = 0;
        }
    }
}

fn trimmed(line: &Bytes) -> Option<Bytes> {
    let line = line.strip_suffix(b"\r").map_or_else(|| line.clone(), |text| line.slice_ref(text));
    (!line.trim_ascii().is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(chunks: &[&[u8]], bytes_max: usize) -> Vec<String> {
        let mut lines = Lines::new(bytes_max);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk);
            found.extend(std::iter::from_fn(|| lines.next_line()));
        }
        found.extend(lines.finish());
        let show = |line| match line {
            Line::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Line::TooLong => "too long".to_owned(),
        };
        found.into_iter().map(show).collect()
    }

    #[test]
    fn lines_end_with_a_break_or_the_stream() {
        assert_eq!(lines_of(&[b"a\n\r\n  \nbc\r\nd"], 10), ["a", "bc", "d"]);
        assert_eq!(lines_of(&[b""], 10), Vec::<String>::new());
    }

    #[test]
    fn a_long_line_is_skipped_alone() {
        assert_eq!(lines_of(&[b"a\n12345", b"6789", b"0\nb\n"], 4), ["a", "too long", "b"]);
        assert_eq!(lines_of(&[b"a\n1234567"], 4), ["a", "too long"]);
    }

    proptest! {
        #[test]
        fn borders_of_chunks_do_not_matter(text in "[ab\n]{0,60}", cut in 0_usize..60) {
            let bytes = text.as_bytes();
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(lines_of(&[left, right], 8), lines_of(&[bytes], 8));
        }
    }
}
