//! Metering a reply while it passes by.

use super::{Dialect, EVENT_BYTES_MAX, Metered, Note, answer, frame::Frames, gather::Gathered, json};

/// Documents that are read only for the id and the model of the reply. They come with the first event, or with one of
/// the next where a provider begins with something else.
const INTRODUCTIONS_MAX: u32 = 16;

/// Keys that a document has, with a value, if it can tell more than id and model.
const TELLING_KEYS: [&str; 15] = [
    "usage",
    "usageMetadata",
    "usage_info",
    "finish_reason",
    "stop_reason",
    "finishReason",
    "stopReason",
    "groundingMetadata",
    "amazon-bedrock-invocationMetrics",
    "billed_units",
    "inputTextTokenCount",
    "totalOutputTextTokenCount",
    "prompt_token_count",
    "generation_token_count",
    "serviceTier",
];

/// Meters a stream of one reply, in chunks of any size, while it passes by: server-sent events, a JSON list or lines
/// of JSON. A reply that is not streamed is metered as well.
///
/// Of several usage objects, the last says it all: they are cumulative. Where one connection carries several replies
/// (OpenAI's Realtime, Gemini's Live), each event that ends one is a reply of its own, for [`super::meter_reply`].
#[derive(Debug)]
pub struct StreamMeter {
    frames: Frames,
    documents: Documents,
}

#[derive(Debug)]
struct Documents {
    dialect: Dialect,
    gathered: Gathered,
    introductions: u32,
    answer_bytes: u64,
    /// The answer, as far as it is to be kept.
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    text: String,
    bytes_max: usize,
}

impl StreamMeter {
    /// A meter that has seen nothing.
    pub fn new(dialect: Dialect) -> Self {
        let documents = Documents {
            dialect,
            gathered: Gathered::default(),
            introductions: 0,
            answer_bytes: 0,
            kept: None,
        };
        Self { frames: Frames::default(), documents }
    }

    /// The same, which also keeps the text of the answer, about `bytes_max` of it.
    #[must_use]
    pub fn keeping_answer(mut self, bytes_max: usize) -> Self {
        self.documents.kept = Some(Kept { text: String::new(), bytes_max });
        self
    }

    /// The text of the answer so far, if it is kept and there is any.
    pub fn take_answer(&mut self) -> Option<String> {
        self.documents.kept.take().map(|kept| kept.text).filter(|text| !text.is_empty())
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        let Self { frames, documents } = self;
        frames.push(chunk, &mut |document| documents.add(document));
    }

    /// Takes the JSON payload of an event that came in another frame, such as AWS's `application/vnd.amazon.eventstream`.
    pub fn push_event(&mut self, payload: &[u8]) {
        if payload.len() > EVENT_BYTES_MAX {
            self.documents.gathered.notes.insert(Note::EventTooLong);
        } else {
            self.documents.add(payload);
        }
    }

    /// Bytes of the answer so far, about: to estimate what was used when a stream ends without telling.
    pub fn answer_bytes(&self) -> u64 {
        self.documents.answer_bytes
    }

    /// What the stream said of the call, however it ended. `None` if it said nothing.
    pub fn finish(mut self) -> Option<Metered> {
        let Self { frames, documents } = &mut self;
        frames.finish(&mut |document| documents.add(document));
        if frames.has_skipped() {
            documents.gathered.notes.insert(Note::EventTooLong);
        }
        self.documents.gathered.settle(self.documents.dialect)
    }
}

impl Documents {
    fn add(&mut self, document: &[u8]) {
        let Ok(text) = std::str::from_utf8(document) else { return };
        self.read_answer(text);
        if !self.can_tell_more(text) {
            return;
        }
        if let Some(document) = json::parse(document) {
            self.gathered.add(self.dialect, &document);
        }
    }

    fn read_answer(&mut self, document: &str) {
        for piece in answer::pieces(document) {
            self.answer_bytes = self.answer_bytes.saturating_add(piece.len() as u64);
            if let Some(kept) = self.kept.as_mut().filter(|kept| kept.text.len() < kept.bytes_max) {
                kept.text.push_str(&answer::unescaped(piece));
            }
        }
    }

    /// Most documents of a stream carry a few letters of the answer; finding that out is cheaper than reading them.
    fn can_tell_more(&mut self, document: &str) -> bool {
        if tells(document) {
            return true;
        }
        let introduces = !self.gathered.is_introduced() && self.introductions < INTRODUCTIONS_MAX;
        self.introductions += u32::from(introduces);
        introduces
    }
}

/// Whether one of [`TELLING_KEYS`] stands before something else than null.
fn tells(document: &str) -> bool {
    let mut quoted = document.split('"').peekable();
    while let Some(text) = quoted.next() {
        let Some(after) = quoted.peek().filter(|_| TELLING_KEYS.contains(&text)) else { continue };
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        if value.is_some_and(|value| !value.starts_with("null")) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_value_tells_nothing() {
        for (document, expected) in [
            (r#"{"usage":{"a":1}}"#, true),
            (r#"{"usage" : {"a":1}}"#, true),
            (r#"{"usage":null}"#, false),
            (r#"{"usage": null,"x":{"usage":{}}}"#, true),
            (r#"{"text":"\"usage\""}"#, false),
            (r#"{"text":"\"usage\": 1"}"#, false),
            (r#"{"serviceTier":"flex"}"#, true),
            ("{}", false),
        ] {
            assert_eq!(tells(document), expected, "{document}");
        }
    }
}
