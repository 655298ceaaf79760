//! Provider dialects: a provider's own usage object → [`Usage`] in its normal form.
//!
//! Providers disagree on what contains what. Sources, per dialect, are at each function; the rules are collected in
//! `docs/reference/usage-normal-form.md`.

use pricing::{Unit, Usage};
use serde_json::Value;

/// Reads a provider's own usage object. `None` if it has no count that any dialect knows.
///
/// The dialect follows from the object's own keys; `provider` decides only where two share them.
pub fn usage_from_object(provider: Option<&str>, object: &Value) -> Option<Usage> {
    let usage = if object.get("promptTokenCount").is_some() || object.get("usageMetadata").is_some() {
        google(object.get("usageMetadata").unwrap_or(object))
    } else if object.get("inputTokens").is_some() && object.get("promptTokens").is_none() {
        bedrock_converse(object)
    } else if object.get("prompt_tokens").is_some() || object.get("completion_tokens").is_some() {
        openai_chat(provider, object)
    } else if object.get("promptTokens").is_some() || object.get("completionTokens").is_some() {
        published_sdk(object)
    } else if is_anthropic(provider, object) {
        anthropic(object)
    } else {
        openai_responses(object)
    };
    let with_total =
        set(usage, Unit::TotalTokens, first(object, &["total_tokens", "totalTokens", "totalTokenCount"]));
    Some(with_total).filter(|usage| !usage.is_empty())
}

/// Anthropic and OpenAI both say `input_tokens`; only Anthropic leaves cached ones out of it.
fn is_anthropic(provider: Option<&str>, object: &Value) -> bool {
    let marks =
        ["cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "server_tool_use"];
    marks.iter().any(|key| object.get(key).is_some())
        || (provider.is_some_and(|provider| matches!(provider, "anthropic" | "bedrock"))
            && object.get("input_tokens_details").is_none())
}

/// Chat completions: `prompt_tokens` includes cached and audio tokens, `completion_tokens` includes reasoning.
/// <https://platform.openai.com/docs/api-reference/chat/object>. Two variations: DeepSeek says cache hits in
/// `prompt_cache_hit_tokens`, and xAI leaves reasoning outside of `completion_tokens`.
fn openai_chat(provider: Option<&str>, object: &Value) -> Usage {
    let prompt = object.get("prompt_tokens_details");
    let completion = object.get("completion_tokens_details");
    let reasoning = inner(completion, "reasoning_tokens");
    let answered = count(object, "completion_tokens");
    let output = match provider {
        Some("xai") => answered.map(|tokens| tokens.saturating_add(reasoning.unwrap_or(0))),
        _ => answered,
    };
    let usage = set(Usage::new(), Unit::InputTokens, count(object, "prompt_tokens"));
    let usage = set(usage, Unit::OutputTokens, output);
    let cached = inner(prompt, "cached_tokens")
        .or_else(|| first(object, &["prompt_cache_hit_tokens", "cached_tokens"]));
    let usage = set(usage, Unit::CacheReadTokens, cached);
    let usage = set(
        usage,
        Unit::CacheWriteTokens,
        inner(prompt, "cache_write_tokens").or_else(|| count(object, "cache_write_tokens")),
    );
    let usage = set(usage, Unit::InputAudioTokens, inner(prompt, "audio_tokens"));
    let usage = set(usage, Unit::ReasoningTokens, reasoning);
    set(usage, Unit::OutputAudioTokens, inner(completion, "audio_tokens"))
}

/// Responses, embeddings and images: <https://platform.openai.com/docs/api-reference/responses/object>.
fn openai_responses(object: &Value) -> Usage {
    let input = object.get("input_tokens_details").or_else(|| object.get("input_token_details"));
    let output = object.get("output_tokens_details").or_else(|| object.get("output_token_details"));
    let usage = set(Usage::new(), Unit::InputTokens, count(object, "input_tokens"));
    let usage = set(usage, Unit::OutputTokens, count(object, "output_tokens"));
    let usage = set(usage, Unit::CacheReadTokens, inner(input, "cached_tokens"));
    let usage = set(usage, Unit::InputAudioTokens, inner(input, "audio_tokens"));
    let usage = set(usage, Unit::InputImageTokens, inner(input, "image_tokens"));
    let usage = set(usage, Unit::ReasoningTokens, inner(output, "reasoning_tokens"));
    set(usage, Unit::OutputAudioTokens, inner(output, "audio_tokens"))
}

/// Messages: `input_tokens` excludes both cache classes. No split of the writes by lifetime means five minutes.
/// <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance>.
fn anthropic(object: &Value) -> Usage {
    let read = count(object, "cache_read_input_tokens");
    let split = object.get("cache_creation");
    let written = count(object, "cache_creation_input_tokens").or_else(|| {
        let five_minutes = inner(split, "ephemeral_5m_input_tokens");
        let one_hour = inner(split, "ephemeral_1h_input_tokens");
        sum(&[five_minutes, one_hour])
    });
    let usage =
        set(Usage::new(), Unit::InputTokens, sum_with(count(object, "input_tokens"), &[read, written]));
    let usage = set(usage, Unit::CacheReadTokens, read);
    let usage = set(usage, Unit::CacheWriteTokens, written);
    let usage = set(usage, Unit::CacheWrite1hTokens, inner(split, "ephemeral_1h_input_tokens"));
    let usage = set(usage, Unit::WebSearches, inner(object.get("server_tool_use"), "web_search_requests"));
    set(usage, Unit::OutputTokens, count(object, "output_tokens"))
}

/// Gemini: `promptTokenCount` includes cached tokens; thoughts are outside of the candidates, tool use is outside of
/// the prompt. <https://ai.google.dev/api/generate-content#UsageMetadata>.
fn google(object: &Value) -> Usage {
    let thoughts = count(object, "thoughtsTokenCount");
    let output = sum(&[count(object, "candidatesTokenCount"), thoughts]);
    let input = sum_with(count(object, "promptTokenCount"), &[count(object, "toolUsePromptTokenCount")]);
    let usage = set(Usage::new(), Unit::InputTokens, input);
    let usage = set(usage, Unit::OutputTokens, output);
    let usage = set(usage, Unit::CacheReadTokens, count(object, "cachedContentTokenCount"));
    let usage = set(usage, Unit::InputAudioTokens, modality(object, "promptTokensDetails", "AUDIO"));
    let usage = set(usage, Unit::InputImageTokens, modality(object, "promptTokensDetails", "IMAGE"));
    let usage = set(usage, Unit::InputVideoTokens, modality(object, "promptTokensDetails", "VIDEO"));
    set(usage, Unit::ReasoningTokens, thoughts)
}

/// Bedrock Converse: `inputTokens` excludes both cache classes.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>. The published SDKs say
/// `inputTokens` too, without caching, which reads the same.
fn bedrock_converse(object: &Value) -> Usage {
    let read = first(object, &["cacheReadInputTokens", "cacheReadInputTokenCount"]);
    let written = first(object, &["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
    let usage =
        set(Usage::new(), Unit::InputTokens, sum_with(count(object, "inputTokens"), &[read, written]));
    let usage = set(usage, Unit::CacheReadTokens, read);
    let usage = set(usage, Unit::CacheWriteTokens, written);
    set(usage, Unit::OutputTokens, count(object, "outputTokens"))
}

/// The nested `usage` of the published SDKs.
fn published_sdk(object: &Value) -> Usage {
    let usage = set(Usage::new(), Unit::InputTokens, count(object, "promptTokens"));
    let usage = set(usage, Unit::CacheReadTokens, count(object, "cachedTokens"));
    let usage = set(usage, Unit::ReasoningTokens, count(object, "reasoningTokens"));
    set(usage, Unit::OutputTokens, count(object, "completionTokens"))
}

fn set(usage: Usage, unit: Unit, count: Option<u64>) -> Usage {
    match count {
        Some(count) => usage.with(unit, count),
        None => usage,
    }
}

fn count(object: &Value, key: &str) -> Option<u64> {
    object.get(key)?.as_u64()
}

fn first(object: &Value, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| count(object, key))
}

fn inner(object: Option<&Value>, key: &str) -> Option<u64> {
    count(object?, key)
}

fn modality(object: &Value, list: &str, modality: &str) -> Option<u64> {
    let details = object.get(list)?.as_array()?;
    let matching =
        details.iter().find(|detail| detail.get("modality").and_then(Value::as_str) == Some(modality));
    count(matching?, "tokenCount")
}

/// Sum of what is known; unknown only if nothing is.
fn sum(parts: &[Option<u64>]) -> Option<u64> {
    parts.iter().flatten().copied().reduce(u64::saturating_add)
}

/// `base` with whatever is known of `parts`; unknown if `base` is.
fn sum_with(base: Option<u64>, parts: &[Option<u64>]) -> Option<u64> {
    parts.iter().flatten().fold(base, |total, part| total.map(|total| total.saturating_add(*part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(provider: &str, json: &str, expected: &[(Unit, u64)]) {
        let object: Value = serde_json::from_str(json).unwrap();
        let expected = expected.iter().fold(Usage::new(), |usage, (unit, count)| usage.with(*unit, *count));
        assert_eq!(usage_from_object(Some(provider), &object), Some(expected), "{json}");
    }

    #[test]
    fn each_dialect_has_its_own_idea_of_what_contains_what() {
        use Unit::{
            CacheReadTokens, CacheWrite1hTokens, CacheWriteTokens, InputAudioTokens, InputTokens,
            OutputTokens, ReasoningTokens, TotalTokens,
        };
        check(
            "openai",
            r#"{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":200,"audio_tokens":null},"completion_tokens_details":{"reasoning_tokens":300}}"#,
            &[
                (InputTokens, 1000),
                (OutputTokens, 500),
                (TotalTokens, 1500),
                (CacheReadTokens, 200),
                (ReasoningTokens, 300),
            ],
        );
        check(
            "openai",
            r#"{"input_tokens":1000,"input_tokens_details":{"cached_tokens":400},"output_tokens":500,"output_tokens_details":{"reasoning_tokens":300}}"#,
            &[(InputTokens, 1000), (OutputTokens, 500), (CacheReadTokens, 400), (ReasoningTokens, 300)],
        );
        check(
            "anthropic",
            r#"{"input_tokens":100,"cache_creation_input_tokens":3000,"cache_read_input_tokens":5000,"cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":2000},"output_tokens":200}"#,
            &[
                (InputTokens, 8100),
                (CacheReadTokens, 5000),
                (CacheWriteTokens, 3000),
                (CacheWrite1hTokens, 2000),
                (OutputTokens, 200),
            ],
        );
        check(
            "anthropic",
            r#"{"input_tokens":10,"output_tokens":3}"#,
            &[(InputTokens, 10), (OutputTokens, 3)],
        );
        check(
            "google",
            r#"{"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100,"thoughtsTokenCount":900,"promptTokensDetails":[{"modality":"TEXT","tokenCount":200},{"modality":"AUDIO","tokenCount":800}]}}"#,
            &[(InputTokens, 1000), (OutputTokens, 1000), (ReasoningTokens, 900), (InputAudioTokens, 800)],
        );
        check(
            "bedrock",
            r#"{"inputTokens":100,"outputTokens":200,"cacheReadInputTokens":5000,"cacheWriteInputTokens":3000,"totalTokens":8300}"#,
            &[
                (InputTokens, 8100),
                (OutputTokens, 200),
                (CacheReadTokens, 5000),
                (CacheWriteTokens, 3000),
                (TotalTokens, 8300),
            ],
        );
        check(
            "xai",
            r#"{"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":100}}"#,
            &[(InputTokens, 10), (OutputTokens, 105), (ReasoningTokens, 100)],
        );
        check(
            "deepseek",
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}"#,
            &[(InputTokens, 10), (OutputTokens, 5), (CacheReadTokens, 4)],
        );
        check(
            "openai",
            r#"{"promptTokens":7,"completionTokens":2,"totalTokens":9}"#,
            &[(InputTokens, 7), (OutputTokens, 2), (TotalTokens, 9)],
        );
    }

    #[test]
    fn what_no_dialect_knows_is_nothing() {
        for json in ["{}", "null", "[]", "3", r#"{"prompt_tokens":-1}"#, r#"{"cost":3}"#] {
            assert_eq!(usage_from_object(None, &serde_json::from_str(json).unwrap()), None, "{json}");
        }
    }
}
