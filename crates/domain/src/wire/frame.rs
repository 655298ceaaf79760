//! Where the documents of a stream begin and end.

/// Bytes of one event or document of a stream. The last event of some streams repeats the whole reply, images included.
/// A longer one is skipped, not held.
pub const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Splits a stream into JSON documents, in chunks of any size: server-sent events, or a JSON list, or documents one
/// after the other (on lines of their own or not). The first byte tells which.
#[derive(Debug, Default)]
pub(super) enum Frames {
    #[default]
    Unknown,
    Events(EventLines),
    Documents(Documents),
}

impl Frames {
    /// Takes the next bytes and gives each document that they complete to `sink`.
    pub(super) fn push(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        let mut rest = chunk;
        if matches!(self, Self::Unknown) {
            // White space and a byte order mark tell nothing yet.
            let is_blank = |byte: &u8| byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(byte);
            rest = rest.get(rest.iter().take_while(|byte| is_blank(byte)).count()..).unwrap_or_default();
            match rest.first() {
                None => return,
                Some(b'{' | b'[') => *self = Self::Documents(Documents::default()),
                Some(_) => *self = Self::Events(EventLines::default()),
            }
        }
        match self {
            Self::Unknown => {}
            Self::Events(lines) => lines.push(rest, sink),
            Self::Documents(documents) => documents.push(rest, sink),
        }
    }

    /// The stream ended: an event that lacks only its empty line is complete.
    pub(super) fn finish(&mut self, sink: &mut impl FnMut(&[u8])) {
        if let Self::Events(lines) = self {
            lines.end_line(sink);
            lines.end_event(sink);
        }
    }

    /// Whether anything was skipped for its length.
    pub(super) fn has_skipped(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Events(lines) => lines.has_skipped,
            Self::Documents(documents) => documents.has_skipped,
        }
    }
}

/// Server-sent events, <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.
/// Only their data is kept: JSON payloads name their own type.
#[derive(Debug, Default)]
pub(super) struct EventLines {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The last byte was a carriage return: a line feed now ends the same line.
    after_return: bool,
    /// The event is too long; nothing of it is kept.
    is_skipping: bool,
    /// The line has bytes, kept or not.
    line_has_bytes: bool,
    has_skipped: bool,
}

impl EventLines {
    fn push(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (piece, from_end) = rest.split_at(end);
            let is_feed = from_end.first() == Some(&b'\n');
            let is_second_half = std::mem::take(&mut self.after_return) && piece.is_empty() && is_feed;
            if !is_second_half {
                self.extend_line(piece);
                self.end_line(sink);
                self.after_return = !is_feed;
            }
            rest = from_end.get(1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            self.after_return = false;
            self.extend_line(rest);
        }
    }

    fn extend_line(&mut self, piece: &[u8]) {
        self.line_has_bytes |= !piece.is_empty();
        if self.line.len() + self.data.len() + piece.len() > EVENT_BYTES_MAX {
            self.is_skipping = true;
            self.has_skipped = true;
        }
        if self.is_skipping {
            self.line = Vec::new();
            self.data = Vec::new();
        } else {
            self.line.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self, sink: &mut impl FnMut(&[u8])) {
        if !std::mem::take(&mut self.line_has_bytes) {
            self.end_event(sink);
            return;
        }
        if let Some(value) = self.line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        self.line.clear();
    }

    fn end_event(&mut self, sink: &mut impl FnMut(&[u8])) {
        if !self.data.is_empty() {
            sink(&self.data);
            self.data.clear();
        }
        self.is_skipping = false;
    }
}

/// JSON objects in a list or one after the other.
#[derive(Debug, Default)]
pub(super) struct Documents {
    document: Vec<u8>,
    /// Objects that are open.
    depth: usize,
    in_text: bool,
    after_backslash: bool,
    is_skipping: bool,
    has_skipped: bool,
}

impl Documents {
    fn push(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        // Where what is not in `document` yet begins; only bytes inside of an object are kept.
        let mut start = 0;
        for (index, byte) in chunk.iter().enumerate() {
            if self.depth == 0 {
                start = index;
            }
            if self.ends_with(*byte) {
                self.extend(chunk.get(start..=index).unwrap_or_default());
                if !std::mem::take(&mut self.is_skipping) {
                    sink(&self.document);
                }
                self.document.clear();
            }
        }
        if self.depth > 0 {
            self.extend(chunk.get(start..).unwrap_or_default());
        }
    }

    /// Whether `byte` closes the outermost object.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if std::mem::take(&mut self.after_backslash) => {}
                b'\\' => self.after_backslash = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = self.depth > 0,
            b'{' => self.depth += 1,
            b'}' if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    fn extend(&mut self, piece: &[u8]) {
        if self.document.len() + piece.len() > EVENT_BYTES_MAX {
            self.is_skipping = true;
            self.has_skipped = true;
        }
        if self.is_skipping {
            self.document = Vec::new();
        } else {
            self.document.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(stream: &[u8], chunk_bytes: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut sink = |document: &[u8]| found.push(String::from_utf8(document.to_vec()).unwrap());
        let mut frames = Frames::default();
        stream.chunks(chunk_bytes).for_each(|chunk| frames.push(chunk, &mut sink));
        frames.finish(&mut sink);
        found
    }

    #[test]
    fn events_end_at_empty_lines_however_lines_end() {
        for stream in [
            "\u{feff}: hello\nevent: a\ndata: {\"a\":\ndata:  1}\nid: 3\n\nretry: 9\n\ndata:x\n\n",
            ": hello\r\nevent: a\r\ndata: {\"a\":\r\ndata:  1}\r\n\r\ndata:x",
            "data: {\"a\":\rdata:  1}\r\rdata\rdata:x\r",
        ] {
            for chunk_bytes in 1..stream.len() {
                assert_eq!(documents(stream.as_bytes(), chunk_bytes), ["{\"a\":\n 1}", "x"], "{stream:?}");
            }
        }
    }

    #[test]
    fn documents_end_with_their_last_brace() {
        for stream in [
            r#"[{"a":"}{\"\\","b":{}},
                {"c":[{}]}]"#,
            " {\"a\":\"}{\\\"\\\\\",\"b\":{}}\n{\"c\":[{}]}\n{\"cut\":",
            r#"{"a":"}{\"\\","b":{}}{"c":[{}]}}"#,
        ] {
            for chunk_bytes in 1..stream.len() {
                let expected = [r#"{"a":"}{\"\\","b":{}}"#, r#"{"c":[{}]}"#];
                assert_eq!(documents(stream.as_bytes(), chunk_bytes), expected, "{stream:?}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_skipped_and_said() {
        let long = "x".repeat(EVENT_BYTES_MAX);
        for (stream, expected) in [
            (format!("data: {long}\ndata: more\n\ndata: short\n\n"), "short"),
            (format!(r#"{{"a":"{long}"}}{{}}"#), "{}"),
        ] {
            let mut found = Vec::new();
            let mut frames = Frames::default();
            for chunk in stream.as_bytes().chunks(1 << 20) {
                frames.push(chunk, &mut |document| found.push(document.to_vec()));
            }
            assert_eq!(found, [expected.as_bytes()]);
            assert!(frames.has_skipped());
        }
    }
}
