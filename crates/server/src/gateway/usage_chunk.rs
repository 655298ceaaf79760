//! Asking a stream for its usage, and taking the answer out again for a client that had not asked.
//!
//! OpenAI and what is compatible with it say the usage of a streamed chat only when told to
//! (<https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options>): then one more chunk comes
//! before the end, with the usage and, as a rule, no choices, and every other chunk has `"usage":null`.

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value};

use super::ask::Fields;

/// Bytes of an event that is looked at; a longer one passes as it is.
const EVENT_BYTES_MAX: usize = 1024 * 1024;
const KEY: &str = "\"usage\"";

/// The request with the question for usage, or `None` if the client asks itself.
pub(super) fn ask_for_usage(fields: &Fields<'_>, body: &str) -> Option<String> {
    let Some(options) = fields.get("stream_options").map(|options| options.get()) else {
        let (head, rest) = body.split_once('{')?;
        return Some(format!(r#"{head}{{"stream_options":{{"include_usage":true}},{rest}"#));
    };
    let mut asked: Option<Map<String, Value>> = serde_json::from_str(options).ok()?;
    if asked.as_ref().is_some_and(|asked| asked.get("include_usage") == Some(&Value::Bool(true))) {
        return None;
    }
    asked.get_or_insert_default().insert("include_usage".to_owned(), Value::Bool(true));
    // The value is a part of the body that it was read from.
    let start = (options.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    let (head, tail) = (body.get(..start)?, body.get(start + options.len()..)?);
    Some(format!("{head}{}{tail}", serde_json::to_string(&asked).ok()?))
}

/// Takes what was not asked for out of a stream of server-sent events, event by event.
#[derive(Debug, Default)]
pub(super) struct UsageFilter {
    /// The beginning of an event whose end has not come.
    open: BytesMut,
}

impl UsageFilter {
    /// What may pass of the next piece of the stream.
    pub(super) fn push(&mut self, piece: &Bytes) -> Bytes {
        self.open.extend_from_slice(piece);
        let mut passing = BytesMut::new();
        while let Some(end) = end_of_event(&self.open) {
            let event = self.open.split_to(end);
            match std::str::from_utf8(&event) {
                Ok(text) if text.contains(KEY) => passing.extend_from_slice(filtered(text).as_bytes()),
                _ => passing.extend_from_slice(&event),
            }
        }
        if self.open.len() > EVENT_BYTES_MAX {
            passing.extend_from_slice(&self.open.split());
        }
        passing.freeze()
    }

    /// What is left at the end of the stream.
    pub(super) fn finish(&mut self) -> Bytes {
        self.open.split().freeze()
    }
}

/// Where the first event ends, the blank line included.
fn end_of_event(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(newline) = bytes.get(from..)?.iter().position(|byte| *byte == b'\n') {
        let after = from + newline + 1;
        match bytes.get(after..)? {
            [b'\n', ..] => return Some(after + 1),
            [b'\r', b'\n', ..] => return Some(after + 2),
            _ => from = after,
        }
    }
    None
}

/// The event without what it says of usage; nothing, if it says nothing else.
fn filtered(event: &str) -> String {
    let document = event.trim_start_matches("data:").trim();
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(document) else { return event.to_owned() };
    let has_choices = fields.get("choices").is_some_and(|choices| choices.get() != "[]");
    match fields.get("usage").map(|usage| usage.get()) {
        Some("null") => without_null_usage(event).unwrap_or_else(|| event.to_owned()),
        Some(_) if !has_choices && fields.contains_key("choices") => String::new(),
        // A usage beside content is of a provider's own making, and was not ours to ask for.
        _ => event.to_owned(),
    }
}

/// The event without its key `"usage":null` and the comma that belongs to it.
fn without_null_usage(event: &str) -> Option<String> {
    let (before, after) = event.match_indices(KEY).find_map(|(start, key)| {
        let value = event.get(start + key.len()..)?.trim_start().strip_prefix(':')?.trim_start();
        Some((event.get(..start)?, value.strip_prefix("null")?))
    })?;
    let trimmed = before.trim_end();
    Some(match (trimmed.strip_suffix(','), after.trim_start().strip_prefix(',')) {
        (Some(before), _) => format!("{before}{after}"),
        (None, Some(after)) => format!("{before}{}", after.trim_start()),
        (None, None) => format!("{before}{after}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Option<String> {
        ask_for_usage(&super::super::ask::fields(body).unwrap(), body)
    }

    #[test]
    fn the_question_is_added_and_nothing_else_changes() {
        for (body, expected) in [
            (
                r#"{"model":"m", "stream":true}"#,
                Some(r#"{"stream_options":{"include_usage":true},"model":"m", "stream":true}"#),
            ),
            (
                r#"{"stream_options":{"include_usage":false,"include_obfuscation":false},"n":1}"#,
                Some(r#"{"stream_options":{"include_obfuscation":false,"include_usage":true},"n":1}"#),
            ),
            (
                r#"{"stream":true,"stream_options":null}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (r#"{"stream_options":{},"n":1}"#, Some(r#"{"stream_options":{"include_usage":true},"n":1}"#)),
            (r#"{"stream_options":{"include_usage":true}}"#, None),
            (r#"{"stream_options":7}"#, None),
        ] {
            assert_eq!(asked(body).as_deref(), expected, "{body}");
        }
    }

    fn through(stream: &str, piece_bytes: usize) -> String {
        let mut filter = UsageFilter::default();
        let mut passed = Vec::new();
        for piece in stream.as_bytes().chunks(piece_bytes) {
            passed.extend_from_slice(&filter.push(&Bytes::copy_from_slice(piece)));
        }
        passed.extend_from_slice(&filter.finish());
        String::from_utf8(passed).unwrap()
    }

    #[test]
    fn the_client_sees_the_stream_it_asked_for_wherever_it_is_cut() {
        let asked = concat!(
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"say \\\"usage\\\":null\"}}],\"usage\":null}\n\n",
            "data: {\"id\":\"c\",\"usage\": null, \"choices\":[{\"delta\":{}}]}\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
            ": a comment\n\n",
            "data: [DONE]\n\n",
        );
        let not_asked = concat!(
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"say \\\"usage\\\":null\"}}]}\n\n",
            "data: {\"id\":\"c\", \"choices\":[{\"delta\":{}}]}\r\n\r\n",
            ": a comment\n\n",
            "data: [DONE]\n\n",
        );
        for piece_bytes in 1..asked.len() {
            assert_eq!(through(asked, piece_bytes), not_asked, "{piece_bytes}");
        }
    }

    #[test]
    fn usage_beside_content_and_what_is_no_event_pass() {
        for stream in [
            "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: {\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: {\"usage\":null",
            "no event at all",
        ] {
            assert_eq!(through(stream, 7), stream);
        }
    }
}
