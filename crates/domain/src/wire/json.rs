//! Reading only what can matter of a JSON document.
//!
//! Replies are mostly text, vectors and images. Whatever stands under a key that no dialect reads is passed over
//! without being kept, so that a reply of many megabytes costs little memory.

use std::{cell::Cell, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Bytes of a text that is kept; a longer one becomes empty.
const TEXT_BYTES_MAX: usize = 512;
/// Values that are kept of a document. What comes after them is passed over.
const VALUES_MAX: usize = 32_768;

/// Every key that a dialect reads, in order.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "action", "amazon-bedrock-invocationMetrics", "audio_tokens", "b64_json", "billable_audio_seconds",
    "billed_units", "body", "bytesBase64Encoded", "cacheDetails", "cacheReadInputTokenCount",
    "cacheReadInputTokens", "cacheReadTokens", "cacheTokensDetails", "cacheWriteInputTokenCount",
    "cacheWriteInputTokens", "cacheWriteTokens", "cache_creation", "cache_creation_input_tokens",
    "cache_creation_token_details", "cache_creation_tokens", "cache_read_input_tokens",
    "cache_tokens_details", "cache_write_tokens", "cache_write_tokens_details", "cachedContentTokenCount", "cachedInputTokens",
    "cachedTokens", "cached_content_token_count", "cached_image_tokens", "cached_prompt_text_tokens",
    "cached_tokens", "cached_tokens_by_modality", "cached_tokens_details", "candidates",
    "candidatesTokenCount", "candidatesTokensDetails", "candidates_token_count",
    "candidates_tokens_details", "choices", "citation_tokens", "code_interpreter_calls", "completionTokens",
    "completion_tokens", "completion_tokens_details", "cost", "cost_details", "cost_in_usd_ticks", "count",
    "currency", "custom_id", "data", "delta", "document_search_calls", "duration", "embeddings",
    "ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens", "file_search_calls", "finishReason",
    "finish_reason", "generation_id", "generation_token_count", "groundingChunks", "groundingMetadata",
    "grounding_tool_count", "id", "image_gen", "image_tokens", "incomplete_details", "inference_geo",
    "inputTextTokenCount", "inputTokenCount", "inputTokenDetails", "inputTokens", "input_text_messages",
    "input_token_details", "input_tokens", "input_tokens_by_modality", "input_tokens_details",
    "interaction", "invocation", "invokedModelId", "is_byok", "iterations", "key", "message", "messageStop",
    "meta", "metadata", "modality", "model", "modelOutput", "modelVersion", "model_version",
    "native_tokens_cached", "native_tokens_completion", "native_tokens_prompt", "native_tokens_reasoning",
    "num_cached_tokens", "num_requests", "num_search_queries", "object", "output", "outputTokenCount",
    "outputTokenDetails", "outputTokens", "output_token_details", "output_tokens",
    "output_tokens_by_modality", "output_tokens_details", "pages", "pages_processed", "predictions",
    "promptRouter", "promptTokenCount", "promptTokens", "promptTokensDetails", "prompt_audio_seconds",
    "prompt_cache_hit_tokens", "prompt_token_count", "prompt_tokens", "prompt_tokens_details", "quality",
    "reason", "reasoningTokens", "reasoning_tokens", "relevance_score", "request", "response", "responseId",
    "responseTokenCount", "responseTokensDetails", "response_id", "response_token_count",
    "response_tokens_details", "result", "results", "search_type", "search_units", "search_web", "seconds",
    "server_side_tool_usage_details", "server_tool_use", "serviceTier", "service_tier", "size", "speed",
    "statistics", "status", "stopReason", "stop_reason", "svg_usage", "task", "text_tokens",
    "thinking_tokens", "thoughtsTokenCount", "thoughts_token_count", "tokenCount", "token_count", "tokens",
    "toolUsePromptTokenCount", "toolUsePromptTokensDetails", "tool_calls_details", "tool_usage",
    "tool_use_prompt_token_count", "tool_use_prompt_tokens_details", "tool_use_tokens_by_modality", "tools",
    "totalOutputTextTokenCount", "totalTokenCount", "totalTokens", "total_cached_tokens", "total_cost",
    "total_input_tokens", "total_output_tokens", "total_thought_tokens", "total_token_count",
    "total_tokens", "total_tool_use_tokens", "trace", "trafficType", "traffic_type", "ttl", "ttl_12h_tokens", "type",
    "upstream_inference_cost", "url", "usage", "usageMetadata", "usage_info", "usage_metadata",
    "video_tokens", "webSearchQueries", "web_search", "web_search_calls", "web_search_options", "web_search_requests", "x_groq",
    "x_search_calls",
];

/// Reads a document. `None` if it is not JSON.
pub(super) fn parse(document: &[u8]) -> Option<Value> {
    let values = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let value = Sparse { values: &values }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok().map(|()| value)
}

/// A value, with only what can matter of it.
#[derive(Clone, Copy)]
struct Sparse<'a> {
    /// Values that were kept so far.
    values: &'a Cell<usize>,
}

impl Sparse<'_> {
    fn is_full(self) -> bool {
        self.values.set(self.values.get() + 1);
        self.values.get() > VALUES_MAX
    }
}

impl<'de> DeserializeSeed<'de> for Sparse<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.is_full() {
            return IgnoredAny::deserialize(deserializer).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sparse<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(if value.len() > TEXT_BYTES_MAX { String::new() } else { value.to_owned() }))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            // No list of numbers is a count; the vectors of embeddings are such lists.
            if !item.is_number() && !item.is_null() {
                kept.push(item);
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            match key {
                Some(key) => {
                    let value = entries.next_value_seed(self)?;
                    kept.insert(key.to_owned(), value);
                }
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

/// A key, if any dialect reads it.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(KEYS.binary_search(&key).ok().map(|index| KEYS[index]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_in_order() {
        assert!(KEYS.is_sorted(), "{:?}", KEYS.windows(2).find(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn what_no_dialect_reads_is_passed_over() {
        let document = json!({
            "id": "a", "content": { "usage": 3 }, "data": [{ "embedding": [0.1, 0.2], "object": "embedding" }, [1, 2]],
            "model": "x".repeat(TEXT_BYTES_MAX + 1), "usage": { "prompt_tokens": 8.0, "other": [{}] },
        });
        let expected = json!({
            "id": "a", "data": [{ "object": "embedding" }, []], "model": "", "usage": { "prompt_tokens": 8.0 },
        });
        assert_eq!(parse(document.to_string().as_bytes()), Some(expected));
    }

    #[test]
    fn what_is_not_json_is_nothing() {
        for document in ["", "[DONE]", "{} {}", "{\"a\":", "\u{0}", &"[".repeat(100_000), "{\"a\":1}x"] {
            assert_eq!(parse(document.as_bytes()), None, "{document:.20}");
        }
    }

    #[test]
    fn a_document_of_many_values_costs_little() {
        let document =
            format!(r#"{{"data":[{}],"usage":{{"prompt_tokens":1}}}}"#, vec!["{}"; 500_000].join(","));
        let Some(Value::Object(parsed)) = parse(document.as_bytes()) else { panic!("it is JSON") };
        assert!(
            parsed["data"].as_array().unwrap().iter().filter(|item| item.is_object()).count() <= VALUES_MAX
        );
    }
}
