//! The usage object of chat completions.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::super::{
    Dialect,
    count::{count, first, inner, set_total, sum, sum_with, usage_of},
};

/// `prompt_tokens` includes cached and audio tokens, `completion_tokens` includes reasoning and audio.
/// <https://platform.openai.com/docs/api-reference/chat/object>. What differs, by provider, is in [`output`],
/// [`cache_read`] and [`cache_write`].
pub(super) fn read(dialect: Dialect, usage: &Value) -> Usage {
    let prompt = usage.get("prompt_tokens_details");
    let completion = usage.get("completion_tokens_details");
    let cached = prompt.and_then(|prompt| prompt.get("cached_tokens_details"));
    let reasoning = inner(completion, "reasoning_tokens").or_else(|| count(usage, "reasoning_tokens"));
    let citations = count(usage, "citation_tokens").filter(|_| dialect == Dialect::Perplexity);
    let own = [count(usage, "prompt_tokens"), count(usage, "completion_tokens")];
    let mut read = usage_of([
        (Unit::InputTokens, own[0]),
        (Unit::OutputTokens, output(dialect, usage, own, reasoning, citations)),
        (Unit::CacheReadTokens, cache_read(usage, prompt)),
        (Unit::CacheWriteTokens, cache_write(usage, prompt)),
        (Unit::CacheWrite1hTokens, one_hour(prompt)),
        (Unit::InputAudioTokens, inner(prompt, "audio_tokens")),
        (Unit::InputImageTokens, inner(prompt, "image_tokens")),
        (Unit::InputVideoTokens, inner(prompt, "video_tokens")),
        (Unit::CacheReadAudioTokens, inner(cached, "audio_tokens")),
        (Unit::CacheReadImageTokens, inner(cached, "image_tokens")),
        (Unit::ReasoningTokens, reasoning),
        (Unit::CitationTokens, citations),
        (Unit::OutputAudioTokens, inner(completion, "audio_tokens")),
        (Unit::OutputImageTokens, inner(completion, "image_tokens")),
        (Unit::OutputVideoTokens, inner(completion, "video_tokens")),
    ]);
    set_total(&mut read, count(usage, "total_tokens"), own);
    read
}

/// - xAI: reasoning is outside of the completion, and inside of the total,
///   <https://docs.x.ai/docs/guides/reasoning>. A total that leaves no room for it says otherwise.
/// - Perplexity: reasoning and citations are outside of both, as its own costs show,
///   <https://docs.perplexity.ai/getting-started/pricing>.
fn output(
    dialect: Dialect,
    usage: &Value,
    own: [Option<u64>; 2],
    reasoning: Option<u64>,
    citations: Option<u64>,
) -> Option<u64> {
    let [_, completion] = own;
    match dialect {
        Dialect::XAi
            if count(usage, "total_tokens").is_none() || count(usage, "total_tokens") != sum(own) =>
        {
            sum_with(completion, &[reasoning])
        }
        Dialect::Perplexity => sum_with(completion, &[reasoning, citations]),
        _ => completion,
    }
}

/// Besides the details: DeepSeek counts hits and misses, <https://api-docs.deepseek.com/guides/kv_cache>; Moonshot's
/// `cached_tokens` stand beside the totals, <https://platform.moonshot.ai/docs/api/chat>, as do those of Mistral before
/// it had details, of xAI's SDK, of Databricks and of `litellm`. All are inside of the prompt.
fn cache_read(usage: &Value, prompt: Option<&Value>) -> Option<u64> {
    const BESIDE: [&str; 5] = [
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "num_cached_tokens",
        "cached_prompt_text_tokens",
        "cache_read_input_tokens",
    ];
    inner(prompt, "cached_tokens").or_else(|| first(usage, &BESIDE))
}

/// <https://platform.openai.com/docs/guides/prompt-caching>, <https://openrouter.ai/docs/features/prompt-caching>; the
/// other names are those of `litellm`, <https://docs.litellm.ai/docs/completion/prompt_caching>.
fn cache_write(usage: &Value, prompt: Option<&Value>) -> Option<u64> {
    prompt
        .and_then(|prompt| first(prompt, &["cache_write_tokens", "cache_creation_tokens"]))
        .or_else(|| first(usage, &["cache_write_tokens", "cache_creation_input_tokens"]))
}

fn one_hour(prompt: Option<&Value>) -> Option<u64> {
    inner(prompt?.get("cache_creation_token_details"), "ephemeral_1h_input_tokens")
}
