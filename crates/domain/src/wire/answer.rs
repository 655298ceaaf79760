//! The answer itself: how long it is, for calls whose usage nobody told, and its text, where it is to be kept.

/// Keys under which the dialects put pieces of the answer, thoughts and arguments of tools included.
const KEYS: [&str; 8] =
    ["content", "text", "delta", "arguments", "partial_json", "thinking", "reasoning_content", "reasoning"];

/// The pieces of the answer in one document of a stream, as they are escaped.
pub(super) fn pieces(document: &str) -> impl Iterator<Item = &str> {
    // OpenAI's Responses repeat at the end of each part, and of the whole, what came piece by piece.
    let repeats = document.contains("\"type\":\"response.") && !document.contains(".delta\"");
    let places = document.match_indices("\":").filter(move |_| !repeats);
    places.filter_map(move |(end_of_key, _)| {
        let key = document.get(..end_of_key)?.rsplit('"').next()?;
        let value = document.get(end_of_key + 2..)?.trim_start().strip_prefix('"')?;
        KEYS.contains(&key).then(|| value.get(..length(value)).unwrap_or_default())
    })
}

/// The text of a piece. One that was cut inside of an escape stays as it is.
pub(super) fn unescaped(piece: &str) -> String {
    serde_json::from_str(&format!("\"{piece}\"")).unwrap_or_else(|_| piece.to_owned())
}

/// Bytes before the quote that ends the string.
fn length(value: &str) -> usize {
    let mut is_escaped = false;
    let end = value.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(value.len())
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
            (r#"{"type":"response.output_text.done","text":"four, and all before"}"#, 0),
        ] {
            assert_eq!(pieces(document).map(str::len).sum::<usize>(), expected, "{document}");
        }
        assert_eq!(unescaped(r#"a \"b\"\n\u00e9"#), "a \"b\"\né");
        assert_eq!(unescaped(r"cut \"), r"cut \");
    }
}
