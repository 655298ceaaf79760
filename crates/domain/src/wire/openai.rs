//! OpenAI and what is compatible with it.

mod chat;
mod tools;

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    Dialect,
    count::{each, first, first_of, inner, milliseconds, set, set_total, sum, text, usage_of},
    gather::{Gathered, Reading, image_format, images, reference},
};

/// A reply, or an event of one.
///
/// - Chat: <https://platform.openai.com/docs/api-reference/chat/object>. The usage chunk of a stream may have choices
///   (Groq: in `x_groq`, Moonshot: in the choice); other chunks may have `usage: null`.
/// - Responses: <https://platform.openai.com/docs/api-reference/responses/object>. In a stream, usage is in
///   `response.completed`, `response.incomplete` and `response.failed`.
/// - Realtime: `response.done`, <https://platform.openai.com/docs/api-reference/realtime-server-events/response/done>.
pub(super) fn gather(document: &Value, into: &mut Gathered) {
    let mut nested = ["response", "result"].iter().filter_map(|key| document.get(key));
    let reply = nested.find(|reply| reply.is_object()).unwrap_or(document);
    let choice = first_of(reply, "choices");
    into.set_id(text(reply, "id"));
    into.set_model(text(reply, "model"));
    into.set_tier(text(reply, "service_tier"));
    into.merge_usage(choice.and_then(|choice| choice.get("usage")));
    into.merge_usage(reply.get("x_groq").and_then(|groq| groq.get("usage")));
    into.merge_usage(reply.get("usage").or_else(|| reply.get("usage_info")));
    into.set_finish(choice.and_then(|choice| text(choice, "finish_reason")));
    gather_status(reply, into);
    gather_data(reply, into);
    gather_generation(reply, into);
    tools::gather(reply, into);
}

/// How a response ended. Images and transcriptions have no such thing.
fn gather_status(reply: &Value, into: &mut Gathered) {
    if reply.get("output").is_some() {
        let incomplete = reply.get("incomplete_details").and_then(|details| text(details, "reason"));
        into.set_finish(incomplete.or_else(|| text(reply, "status")));
    }
}

/// Embeddings and rerankings have no output. Images are counted where their tokens are not.
/// <https://platform.openai.com/docs/api-reference/images/object>,
/// <https://docs.voyageai.com/reference/embeddings-api>. A transcription of before there was `usage` has its duration,
/// <https://platform.openai.com/docs/api-reference/audio/verbose-json-object>.
fn gather_data(reply: &Value, into: &mut Gathered) {
    let first = first_of(reply, "data").or_else(|| first_of(reply, "results"));
    let is_ranked = |item: &Value| item.get("relevance_score").is_some();
    into.is_input_only |=
        first.is_some_and(|item| text(item, "object") == Some("embedding") || is_ranked(item));
    let is_image = |item: &&Value| item.get("b64_json").is_some() || item.get("url").is_some();
    let made = each(reply, "data").filter(is_image).count();
    if made > 0 || reply.get("b64_json").is_some() {
        into.image = image_format(reply);
    }
    if made > 0 && reply.get("usage").is_none_or(|usage| usage.get("output_tokens").is_none()) {
        images(made).iter().for_each(|(unit, count)| into.beside.set(unit, count));
    }
    if reply.get("usage").is_none() && reply.get("task").is_some() {
        set(&mut into.beside, Unit::InputAudioMilliseconds, milliseconds(reply, "duration"));
    }
}

/// OpenRouter's account of a generation: its native counts are what it charged.
/// <https://openrouter.ai/docs/api-reference/get-a-generation>.
fn gather_generation(reply: &Value, into: &mut Gathered) {
    let Some(generation) = reply.get("data").filter(|data| data.get("native_tokens_prompt").is_some()) else {
        return;
    };
    into.set_id(text(generation, "id"));
    into.set_model(text(generation, "model"));
    into.set_tier(text(generation, "service_tier"));
    into.set_finish(text(generation, "finish_reason"));
    into.merge_usage(Some(generation));
}

/// The kind of web search of a request.
pub(super) fn search_type(request: &Value) -> Option<&str> {
    tools::search_type(request)
}

/// A usage object, by whichever names it uses.
pub(super) fn read(dialect: Dialect, usage: &Value) -> Reading {
    let has = |keys: &[&str]| keys.iter().any(|key| usage.get(key).is_some());
    let mut read = if has(&["prompt_tokens", "completion_tokens"]) {
        chat::read(dialect, usage)
    } else if has(&["native_tokens_prompt"]) {
        generation(usage)
    } else if has(&["promptTokens", "completionTokens", "inputTokens", "outputTokens"]) {
        published_sdk(usage)
    } else {
        responses(usage)
    };
    read_measures(usage, &mut read);
    tools::read(usage, &mut read);
    let service_tier = text(usage, "service_tier").and_then(reference);
    Reading { usage: read, service_tier, ..Reading::default() }
}

/// Responses, embeddings, images, transcriptions and Realtime: details are inside of their totals, and Realtime's have
/// names in the singular. Of what is written to the cache, responses tell how much is kept for twelve hours,
/// <https://developers.openai.com/api/docs/guides/prompt-caching>; the rest is kept for thirty
/// minutes, which has no rate of its own.
pub(super) fn responses(usage: &Value) -> Usage {
    let input = usage.get("input_tokens_details").or_else(|| usage.get("input_token_details"));
    let output = usage.get("output_tokens_details").or_else(|| usage.get("output_token_details"));
    let within = |details: Option<&Value>, keys: &[&str]| details.and_then(|details| first(details, keys));
    let lifetimes = input.and_then(|input| input.get("cache_write_tokens_details"));
    let cached = usage.get("cached_tokens_details");
    let cached = input.and_then(|input| input.get("cached_tokens_details")).or(cached);
    let own = [first(usage, &["input_tokens"]), first(usage, &["output_tokens"])];
    let mut read = usage_of([
        (Unit::InputTokens, own[0]),
        (Unit::OutputTokens, own[1]),
        (
            Unit::CacheReadTokens,
            within(input, &["cached_tokens", "cache_read_input_tokens"])
                .or_else(|| inner(Some(usage), "cached_tokens")),
        ),
        (Unit::CacheWriteTokens, within(input, &["cache_write_tokens", "cache_creation_input_tokens"])),
        (Unit::CacheWrite12hTokens, inner(lifetimes, "ttl_12h_tokens")),
        (Unit::InputAudioTokens, inner(input, "audio_tokens")),
        (Unit::InputImageTokens, inner(input, "image_tokens")),
        (Unit::CacheReadAudioTokens, inner(cached, "audio_tokens")),
        (Unit::CacheReadImageTokens, within(cached, &["image_tokens", "cached_image_tokens"])),
        (
            Unit::ReasoningTokens,
            inner(output, "reasoning_tokens").or_else(|| inner(Some(usage), "reasoning_tokens")),
        ),
        (Unit::OutputAudioTokens, inner(output, "audio_tokens")),
        (Unit::OutputImageTokens, inner(output, "image_tokens")),
    ]);
    set_total(&mut read, first(usage, &["total_tokens"]), own);
    read
}

/// The nested `usage` of the published SDKs, and that of the AI SDK.
/// <https://ai-sdk.dev/docs/reference/ai-sdk-core/generate-text>.
fn published_sdk(usage: &Value) -> Usage {
    let (input, output) = (usage.get("inputTokenDetails"), usage.get("outputTokenDetails"));
    let own =
        [first(usage, &["promptTokens", "inputTokens"]), first(usage, &["completionTokens", "outputTokens"])];
    let mut read = usage_of([
        (Unit::InputTokens, own[0]),
        (Unit::OutputTokens, own[1]),
        (
            Unit::CacheReadTokens,
            inner(input, "cacheReadTokens").or_else(|| first(usage, &["cachedTokens", "cachedInputTokens"])),
        ),
        (Unit::CacheWriteTokens, inner(input, "cacheWriteTokens")),
        (
            Unit::ReasoningTokens,
            inner(output, "reasoningTokens").or_else(|| first(usage, &["reasoningTokens"])),
        ),
    ]);
    set_total(&mut read, first(usage, &["totalTokens", "total_tokens"]), own);
    read
}

fn generation(usage: &Value) -> Usage {
    usage_of([
        (Unit::InputTokens, first(usage, &["native_tokens_prompt"])),
        (Unit::OutputTokens, first(usage, &["native_tokens_completion"])),
        (Unit::CacheReadTokens, first(usage, &["native_tokens_cached"])),
        (Unit::ReasoningTokens, first(usage, &["native_tokens_reasoning"])),
    ])
}

/// What is measured in something else than tokens.
///
/// - Transcription by duration: `seconds`, <https://platform.openai.com/docs/api-reference/audio/json-object>.
/// - Mistral: `prompt_audio_seconds`, <https://docs.mistral.ai/capabilities/audio/>, and pages of
///   <https://docs.mistral.ai/api/endpoint/ocr>.
/// - xAI voice: `billable_audio_seconds` and `input_text_messages`, <https://docs.x.ai/docs/guides/voice>.
fn read_measures(usage: &Value, read: &mut Usage) {
    let heard = sum([milliseconds(usage, "seconds"), milliseconds(usage, "prompt_audio_seconds")]);
    set(read, Unit::InputAudioMilliseconds, heard);
    set(read, Unit::AudioMilliseconds, milliseconds(usage, "billable_audio_seconds"));
    set(read, Unit::TextMessages, first(usage, &["input_text_messages"]));
    set(read, Unit::Pages, first(usage, &["pages_processed"]));
}
