//! What is answered to a prompt, and what that uses.

use serde_json::Value;

use crate::{Behaviour, Usage};

/// Tokens of input beside the words: what a provider's own framing uses.
pub const INPUT_TOKENS_BASE: u64 = 8;
/// Words of an answer, unless the request wants fewer tokens or more chunks.
pub const ANSWER_WORDS: usize = 16;
/// Tokens that one mark of `cache_control` puts into the cache.
pub(crate) const CACHED_TOKENS: u64 = 1024;
/// Pieces of a streamed answer.
const CHUNKS: usize = 4;
/// Longest answer; a wish for a longer one is a mistake.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

const WORDS: [&str; 16] = [
    "Every",
    "call",
    "has",
    "its",
    "price,",
    "and",
    "somebody",
    "pays",
    "it:",
    "a",
    "caf\u{e9}",
    "in",
    "\u{6771}\u{4eac}",
    "or",
    "you",
    "\u{1f4b8}.",
];

/// An answer and what it uses, in the provider's own terms.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) pieces: Vec<String>,
    /// The answer ended by itself, not at the request's limit.
    pub(crate) is_complete: bool,
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) cached: u64,
    pub(crate) written: u64,
    pub(crate) written_1h: u64,
    pub(crate) reasoning: u64,
    pub(crate) thoughts: Option<u64>,
    pub(crate) says_usage: bool,
}

impl Plan {
    /// The answer to an input of so many words, if the request allows so many tokens.
    pub(crate) fn new(behaviour: &Behaviour, input_words: u64, tokens_max: Option<u64>) -> Self {
        let words = ANSWER_WORDS.max(behaviour.chunks.unwrap_or(0).min(ANSWER_BYTES_MAX));
        let allowed = tokens_max.map_or(words, |max| usize::try_from(max).unwrap_or(words).min(words)).max(1);
        let text = match behaviour.answer_bytes {
            Some(bytes) => text_of_bytes(bytes.min(ANSWER_BYTES_MAX)),
            None => text_of_words(allowed),
        };
        let wished = behaviour.wished;
        let output = u64::try_from(text.split_whitespace().count()).unwrap_or(u64::MAX);
        Self {
            pieces: pieces(&text, behaviour.chunks.unwrap_or(CHUNKS)),
            is_complete: behaviour.answer_bytes.is_some() || allowed == words,
            input: wished.input.unwrap_or(input_words + INPUT_TOKENS_BASE),
            output: wished.output.unwrap_or(output),
            cached: wished.cached.unwrap_or(0),
            written: wished.written.unwrap_or(0).max(wished.written_1h.unwrap_or(0)),
            written_1h: wished.written_1h.unwrap_or(0),
            reasoning: wished.reasoning.unwrap_or(0),
            thoughts: wished.thoughts,
            says_usage: !behaviour.says_no_usage,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.pieces.concat()
    }

    /// In the normal form, of a provider that counts cached tokens inside of the input.
    pub(crate) fn usage_inside(&self) -> Usage {
        Usage {
            input_tokens: self.input,
            output_tokens: self.output,
            cache_read_tokens: self.cached,
            cache_write_tokens: self.written,
            cache_write_1h_tokens: self.written_1h,
            reasoning_tokens: self.reasoning,
            ..Usage::default()
        }
    }

    /// In the normal form, of a provider that counts them outside.
    pub(crate) fn usage_outside(&self) -> Usage {
        Usage { input_tokens: self.input + self.cached + self.written, ..self.usage_inside() }
    }
}

fn text_of_words(count: usize) -> String {
    WORDS.iter().cycle().take(count).copied().collect::<Vec<_>>().join(" ")
}

/// ASCII only, so that every length is possible.
fn text_of_bytes(bytes: usize) -> String {
    let words = WORDS.iter().filter(|word| word.is_ascii()).cycle();
    let mut text = String::with_capacity(bytes + 16);
    for word in words {
        if text.len() >= bytes {
            break;
        }
        text.push_str(word);
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

/// Splits a text into as many pieces, at spaces where it has enough, which stay with the word that follows.
fn pieces(text: &str, count: usize) -> Vec<String> {
    let count = count.max(1);
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at)).collect();
    let mut cuts: Vec<usize> = (0..count)
        .filter_map(|piece| starts.get(piece * starts.len() / count).copied())
        .chain([text.len()])
        .collect();
    cuts.dedup();
    cuts.windows(2).map(|cut| text.get(cut[0]..cut[1]).unwrap_or_default().to_owned()).collect()
}

/// Words of every text inside of a value; what names the parts of a request is no text of it.
pub(crate) fn words_in(value: &Value) -> u64 {
    const NOT_TEXT: [&str; 10] = [
        "type",
        "role",
        "cache_control",
        "cachePoint",
        "id",
        "tool_use_id",
        "data",
        "bytes",
        "mime_type",
        "mimeType",
    ];
    match value {
        Value::String(text) => u64::try_from(text.split_whitespace().count()).unwrap_or(u64::MAX),
        Value::Array(values) => values.iter().map(words_in).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !NOT_TEXT.contains(&name.as_str()))
            .map(|(_, value)| words_in(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_make_up_the_text() {
        for (bytes, count) in [(0, 1), (1, 4), (100, 4), (100, 1000), (5000, 7)] {
            let text = text_of_bytes(bytes);
            assert_eq!(text.len(), bytes);
            assert_eq!(pieces(&text, count).concat(), text);
        }
        let behaviour = Behaviour { chunks: Some(40), ..Behaviour::default() };
        let plan = Plan::new(&behaviour, 3, None);
        assert_eq!((plan.pieces.len(), plan.input, plan.output), (40, 11, 40));
    }

    #[test]
    fn the_limit_of_the_request_ends_the_answer() {
        let plan = Plan::new(&Behaviour::default(), 0, Some(3));
        assert_eq!((plan.text().as_str(), plan.output, plan.is_complete), ("Every call has", 3, false));
        assert!(Plan::new(&Behaviour::default(), 0, Some(16)).is_complete);
    }

    #[test]
    fn words_are_those_of_texts() {
        let messages = json!([
            { "role": "user", "content": [{ "type": "text", "text": "one two\nthree" }, "four"] },
            { "role": "assistant", "content": null, "n": 5 },
        ]);
        assert_eq!(words_in(&messages), 4);
    }
}
