//! Results of batches: calls that the provider made by itself, metered when somebody fetches what they answered.
//!
//! A file of results has one JSON document a line: OpenAI's and what is compatible
//! (<https://platform.openai.com/docs/api-reference/batch/request-output>), Anthropic's
//! (<https://docs.anthropic.com/en/api/retrieving-message-batch-results>), Gemini's
//! (<https://ai.google.dev/gemini-api/docs/batch-api>). It passes like any other answer, and is read line by line.

use std::borrow::Cow;

use axum::http::{HeaderMap, Method};
use domain::wire::{Dialect, EVENT_BYTES_MAX, Metered, meter_reply};
use serde::Deserialize;

use super::coding::Coding;

/// Bytes that are kept of a line too long to be read, to tell whether it is a reply.
const LINE_HEAD_BYTES: usize = 512;

/// A call of a batch that was answered.
#[derive(Debug, PartialEq)]
pub(super) struct BatchedCall {
    /// Kind of call.
    pub(super) operation: &'static str,
    /// What the reply said; nothing, if it was too long to be read.
    pub(super) metered: Metered,
    /// The sender's name of it.
    pub(super) custom_id: Option<String>,
    /// What the provider calls it, where the reply has no id of its own.
    pub(super) line_id: Option<String>,
    /// Number of its line in the file, from 1.
    pub(super) line: u64,
}

/// Reads a file of results while it passes by. Holds one line at a time.
#[derive(Debug)]
pub(super) struct Results {
    coding: Coding,
    lines: Lines,
}

#[derive(Debug)]
struct Lines {
    dialect: Dialect,
    /// The beginning of a line whose end has not come.
    open: Vec<u8>,
    /// The line is longer than is held.
    is_skipping: bool,
    count: u64,
}

/// What tells whether a line is a reply, and whose.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    custom_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(borrow)]
    result: Option<Outcome<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    status_code: Option<u16>,
    #[serde(borrow)]
    body: Option<Body<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    object: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// Whether a request asks for a file that may be one of results.
pub(super) fn may_be_results(method: &Method, path: &str) -> bool {
    let is_of = |folder: &str, end: &str| path.contains(folder) && path.ends_with(end);
    *method == Method::GET
        && (is_of("/files/", "/content")
            || is_of("/messages/batches/", "/results")
            || is_of("/files/", ":download"))
}

impl Results {
    /// A reader of a reply with these headers.
    pub(super) fn new(dialect: Dialect, headers: &HeaderMap) -> Self {
        let lines = Lines { dialect, open: Vec::new(), is_skipping: false, count: 0 };
        Self { coding: Coding::of(headers), lines }
    }

    /// The calls whose lines end in the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<BatchedCall> {
        let Self { coding, lines } = self;
        let mut calls = Vec::new();
        coding.push(piece, |bytes| lines.push(bytes, &mut calls));
        calls
    }

    /// The call of a last line that nothing ends.
    pub(super) fn finish(mut self) -> Option<BatchedCall> {
        self.lines.end()
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8], calls: &mut Vec<BatchedCall>) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            self.extend(line);
            calls.extend(self.end());
        }
        self.extend(last);
    }

    fn extend(&mut self, piece: &[u8]) {
        // What is no JSON object is not held: the file may be anything.
        let begins_otherwise = self.open.is_empty() && !matches!(piece.first(), None | Some(b'{'));
        let is_too_long = self.open.len() + piece.len() > EVENT_BYTES_MAX;
        if !self.is_skipping && !begins_otherwise {
            self.open
                .extend_from_slice(piece.get(..LINE_HEAD_BYTES).filter(|_| is_too_long).unwrap_or(piece));
        }
        if is_too_long {
            self.open.truncate(LINE_HEAD_BYTES);
            self.open.shrink_to_fit();
        }
        self.is_skipping |= begins_otherwise || is_too_long;
    }

    fn end(&mut self) -> Option<BatchedCall> {
        self.count += 1;
        let was_skipped = std::mem::take(&mut self.is_skipping);
        let call = if was_skipped { self.unread() } else { self.read() };
        self.open.clear();
        call
    }

    /// A call of which nobody knows what it used: its line is too long to be held.
    fn unread(&self) -> Option<BatchedCall> {
        let head = String::from_utf8_lossy(&self.open);
        ["\"response\":", "\"result\":"].iter().any(|key| head.contains(key)).then(|| BatchedCall {
            operation: "chat",
            metered: Metered { service_tier: Some("batch".to_owned()), ..Metered::default() },
            custom_id: None,
            line_id: None,
            line: self.count,
        })
    }

    fn read(&self) -> Option<BatchedCall> {
        let line: Line<'_> = serde_json::from_slice(&self.open).ok()?;
        let body = line.response.as_ref().and_then(|response| response.body.as_ref());
        let is_answered = match (&line.result, &line.response) {
            (Some(result), _) => result.kind == "succeeded",
            (None, Some(Response { status_code: Some(status), .. })) => (200..300).contains(status),
            (None, Some(_)) => line.key.is_some(),
            (None, None) => false,
        };
        if !is_answered {
            return None;
        }
        let operation = match body.and_then(|body| body.object.as_deref()) {
            Some("list") => "embeddings",
            Some("text_completion") => "text_completion",
            _ if self.dialect == Dialect::Gemini => "generate_content",
            _ => "chat",
        };
        let mut metered = meter_reply(self.dialect, &self.open).unwrap_or_default();
        metered.service_tier = Some("batch".to_owned());
        let custom_id = line.custom_id.or(line.key).map(Cow::into_owned);
        Some(BatchedCall {
            operation,
            metered,
            custom_id,
            line_id: line.id.map(Cow::into_owned),
            line: self.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use pricing::Unit;

    use super::*;

    const OPENAI: &str = concat!(
        r#"{"id":"batch_req_1","custom_id":"a","response":{"status_code":200,"request_id":"r","body":{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","usage":{"prompt_tokens":100,"completion_tokens":20}}},"error":null}"#,
        "\n",
        r#"{"id":"batch_req_2","custom_id":"b","response":{"status_code":400,"request_id":"r","body":{"error":{"message":"no"}}},"error":null}"#,
        "\n\n",
        r#"{"id":"batch_req_3","custom_id":"c","response":{"status_code":200,"body":{"object":"list","model":"text-embedding-3-small","usage":{"prompt_tokens":7,"total_tokens":7}}}}"#,
        "\n",
        r#"{"custom_id":"d","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini"}}"#,
    );

    fn read(dialect: Dialect, file: &str, piece_bytes: usize) -> Vec<BatchedCall> {
        let mut results = Results::new(dialect, &HeaderMap::new());
        let pieces = file.as_bytes().chunks(piece_bytes);
        let mut calls: Vec<BatchedCall> = pieces.flat_map(|piece| results.push(piece)).collect();
        calls.extend(results.finish());
        calls
    }

    #[test]
    fn answered_lines_are_calls_wherever_the_file_is_cut() {
        for piece_bytes in [1, 7, 100, 10_000] {
            let calls = read(Dialect::OpenAi, OPENAI, piece_bytes);
            let told: Vec<_> = calls
                .iter()
                .map(|call| {
                    let input = call.metered.usage.get(Unit::InputTokens);
                    (call.line, call.operation, call.custom_id.as_deref(), call.line_id.as_deref(), input)
                })
                .collect();
            assert_eq!(
                told,
                [
                    (1, "chat", Some("a"), Some("batch_req_1"), Some(100)),
                    (4, "embeddings", Some("c"), Some("batch_req_3"), Some(7)),
                ],
                "{piece_bytes}"
            );
            assert!(calls.iter().all(|call| call.metered.service_tier.as_deref() == Some("batch")));
        }
    }

    #[test]
    fn other_providers_results_are_read_and_what_failed_is_no_call() {
        let anthropic = concat!(
            r#"{"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","type":"message","model":"claude-haiku-4-5-20251001","usage":{"input_tokens":11,"output_tokens":5}}}}"#,
            "\n",
            r#"{"custom_id":"b","result":{"type":"errored","error":{"type":"invalid_request"}}}"#,
            "\n",
            r#"{"custom_id":"c","result":{"type":"expired"}}"#,
        );
        let gemini = concat!(
            r#"{"key":"a","response":{"responseId":"g1","modelVersion":"gemini-2.5-flash","candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}}}"#,
            "\n",
            r#"{"key":"b","error":{"code":3}}"#,
            "\n",
        );
        for (dialect, file, id, operation) in [
            (Dialect::Anthropic, anthropic, "msg_1", "chat"),
            (Dialect::Gemini, gemini, "g1", "generate_content"),
        ] {
            let calls = read(dialect, file, 9);
            let told: Vec<_> =
                calls.iter().map(|call| (call.metered.response_id.as_deref(), call.operation)).collect();
            assert_eq!(told, [(Some(id), operation)]);
        }
    }

    #[test]
    fn a_file_that_is_none_of_results_has_no_calls_and_a_line_too_long_is_one_of_unknown_cost() {
        assert_eq!(read(Dialect::OpenAi, "a,b\n1,2\n{\"prompt\":\"x\"}\n[]", 5), []);
        let line =
            |key: &str| format!("{{\"custom_id\":\"a\",\"{key}\":\"{}\"}}\n", "x".repeat(EVENT_BYTES_MAX));
        assert_eq!(read(Dialect::OpenAi, &line("body"), 1 << 20), []);
        let calls = read(Dialect::OpenAi, &line("response"), 1 << 20);
        assert_eq!((calls.len(), calls[0].line, calls[0].metered.usage.is_empty()), (1, 1, true));
    }

    #[test]
    fn files_and_results_are_told_by_their_paths() {
        for (path, expected) in [
            ("/v1/files/file-1/content", true),
            ("/openai/files/file-1/content", true),
            ("/v1/messages/batches/msgbatch_1/results", true),
            ("/download/v1beta/files/batch-1:download", true),
            ("/v1/files/file-1", false),
            ("/v1/messages/batches/msgbatch_1", false),
        ] {
            assert_eq!(may_be_results(&Method::GET, path), expected, "{path}");
            assert!(!may_be_results(&Method::POST, path), "{path}");
        }
    }
}
