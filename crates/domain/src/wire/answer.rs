//! How long an answer is, for calls whose usage nobody told.

/// Keys under which the dialects put pieces of the answer, thoughts and arguments of tools included.
const KEYS: [&str; 8] =
    ["content", "text", "delta", "arguments", "partial_json", "thinking", "reasoning_content", "reasoning"];

/// Bytes of the answer in one document of a stream, about: those of the strings under [`KEYS`], as they are escaped.
pub(super) fn bytes_in(document: &str) -> u64 {
    let mut sum = 0;
    for (end_of_key, _) in document.match_indices("\":") {
        let key = document.get(..end_of_key).and_then(|before| before.rsplit('"').next());
        let value = document.get(end_of_key + 2..).map(str::trim_start);
        if let (Some(key), Some(value)) = (key, value.and_then(|value| value.strip_prefix('"')))
            && KEYS.contains(&key)
        {
            sum += length(value);
        }
    }
    sum
}

/// Bytes before the quote that ends the string.
fn length(value: &str) -> u64 {
    let mut is_escaped = false;
    let end = value.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(value.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_an_answer_are_measured_in_every_dialect() {
        for (document, expected) in [
            (r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}"#, 5),
            (r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\""}}]}}]}"#, 6),
            (r#"{"type":"response.output_text.delta","delta":"four"}"#, 4),
            (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text": "Hi!"}}"#, 3),
            (r#"{"candidates":[{"content":{"parts":[{"text":"abc"},{"text":"de"}]}}]}"#, 5),
            (r#"{"choices":[],"usage":{"prompt_tokens":1}}"#, 0),
            (r#"{"content":"cut sh"#, 6),
        ] {
            assert_eq!(bytes_in(document), expected, "{document}");
        }
    }
}
