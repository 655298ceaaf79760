//! AWS's event streams: frames of a length, headers and a payload.
//! <https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html>

use base64::Engine as _;
use serde_json::Value;

/// Lengths of the frame and of its headers, and their checksum.
const PRELUDE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
/// Bytes of a frame; AWS's are smaller. Of a stream with a longer one nothing more is read.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Cuts a stream into frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    open: Vec<u8>,
    is_broken: bool,
}

impl Frames {
    /// The documents in the frames that `piece` completes.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<Value> {
        if self.is_broken {
            return Vec::new();
        }
        self.open.extend_from_slice(piece);
        let (mut documents, mut start) = (Vec::new(), 0);
        while let Some((length, headers)) = prelude(&self.open, start) {
            if !(PRELUDE_BYTES + CHECKSUM_BYTES..=FRAME_BYTES_MAX).contains(&length) {
                (self.is_broken, start) = (true, self.open.len());
                break;
            }
            let payload = PRELUDE_BYTES.saturating_add(headers)..length - CHECKSUM_BYTES;
            let Some(frame) = self.open.get(start..start + length) else { break };
            documents.extend(frame.get(payload).and_then(document_in));
            start += length;
        }
        self.open.drain(..start);
        documents
    }
}

/// Lengths of the frame at `start` and of its headers.
fn prelude(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
    };
    bytes.get(start..start + PRELUDE_BYTES)?;
    Some((number(start)?, number(start + 4)?))
}

/// `InvokeModel` wraps the model's own event in base 64.
fn document_in(payload: &[u8]) -> Option<Value> {
    let document: Value = serde_json::from_slice(payload).ok()?;
    let Some(wrapped) = document["bytes"].as_str() else { return Some(document) };
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(wrapped).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn frame(payload: &str) -> Vec<u8> {
        let length = u32::try_from(PRELUDE_BYTES + 3 + payload.len() + CHECKSUM_BYTES).unwrap();
        [&length.to_be_bytes()[..], &3_u32.to_be_bytes(), &[0; 4], b"abc", payload.as_bytes(), &[0; 4]]
            .concat()
    }

    #[test]
    fn frames_are_read_wherever_they_are_cut() {
        let stream = [frame(r#"{"messageStop":{}}"#), frame(r#"{"bytes":"eyJhIjoxfQ=="}"#)].concat();
        for at in 0..stream.len() {
            let mut frames = Frames::default();
            let (head, tail) = stream.split_at(at);
            let read = [frames.push(head), frames.push(tail)].concat();
            assert_eq!(read, [json!({ "messageStop": {} }), json!({ "a": 1 })], "cut at {at}");
        }
    }

    #[test]
    fn what_is_no_frame_is_not_kept() {
        let mut frames = Frames::default();
        assert_eq!(frames.push(&[0xff; 64]), Vec::<Value>::new());
        assert_eq!(frames.push(&frame("{}")), Vec::<Value>::new());
        assert_eq!(frames.open, b"");
    }
}
