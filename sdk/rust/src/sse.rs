//! Server-sent events: cutting a stream into them, and reading their JSON.

use serde_json::Value;

/// Bytes of an event that is looked at; a longer one passes unread.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of the longest end of an event.
const END_BYTES_MAX: usize = 4;
/// What ends an event: a blank line.
const ENDS: &[&[u8]] = &[b"\r\n\r\n", b"\n\r\n", b"\r\n\n", b"\n\n", b"\r\r"];

/// Cuts a stream into events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    open: Vec<u8>,
}

impl Events {
    /// The events that `piece` completes.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        // What was open has no end in it, but perhaps the beginning of one: long events are searched once.
        let mut from = self.open.len().saturating_sub(END_BYTES_MAX);
        self.open.extend_from_slice(piece);
        let (mut events, mut start) = (Vec::new(), 0);
        while let Some(end) = end_from(&self.open, from) {
            events.push(self.open.get(start..end).unwrap_or_default().to_vec());
            (start, from) = (end, end);
        }
        self.open.drain(..start);
        if self.open.len() > EVENT_BYTES_MAX {
            self.open.clear();
        }
        events
    }

    /// What is left at the end.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.open)
    }
}

/// Where the first event ends that does so behind `from`.
fn end_from(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find_map(|at| {
        let rest = bytes.get(at..)?;
        ENDS.iter().find(|end| rest.starts_with(end)).map(|end| at + end.len())
    })
}

/// What an event says: [`None`] where that is no JSON, as in a comment or in `[DONE]`.
pub(crate) fn data_of(event: &[u8]) -> Option<Value> {
    serde_json::from_str(&text_of(event)).ok()
}

/// `OpenAI`'s last event, which is no JSON.
pub(crate) fn is_done(event: &[u8]) -> bool {
    text_of(event).starts_with("[DONE]")
}

fn text_of(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let lines = text.split(['\r', '\n']).filter_map(|line| line.strip_prefix("data:"));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_with_a_blank_line_wherever_they_are_cut() {
        for stream in ["data: 1\n\ndata: 2\n\n", "data: 1\r\n\r\ndata: 2\r\n\r\n", "data: 1\r\rdata: 2\r\r"] {
            for at in 0..stream.len() {
                let (mut events, (head, tail)) = (Events::default(), stream.as_bytes().split_at(at));
                let found = [events.push(head), events.push(tail)].concat();
                let said: Vec<_> = found.iter().filter_map(|event| data_of(event)).collect();
                assert_eq!(said, [1, 2], "{stream:?} cut at {at}");
                assert_eq!(events.rest(), b"");
            }
        }
    }

    #[test]
    fn the_last_event_is_known() {
        assert!(is_done(b"data: [DONE]\n\n"));
        assert_eq!(data_of(b"data: [DONE]\n\n"), None);
        assert_eq!(data_of(b": comment\n\n"), None);
    }

    #[test]
    fn an_event_without_end_takes_no_more_than_its_bound() {
        let mut events = Events::default();
        for _ in 0..20 {
            assert_eq!(events.push(&vec![b'x'; 1024 * 1024]), Vec::<Vec<u8>>::new());
        }
        assert!(events.rest().len() <= EVENT_BYTES_MAX + 1);
    }
}
