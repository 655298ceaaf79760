//! Gemini and Vertex: thoughts are outside of the candidates, tool use is outside of the prompt.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    count::{count, each, first, first_of, set, sum, sum_with, text, usage_of},
    gather::{Gathered, Reading, images, reference},
};

/// `generateContent`, its stream, Live and the Interactions API.
/// <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>, <https://ai.google.dev/api/live>,
/// <https://ai.google.dev/api/interactions-api>.
pub(super) fn gather(document: &Value, into: &mut Gathered) {
    let reply = ["interaction", "response"].iter().find_map(|key| document.get(key)).unwrap_or(document);
    let word = |keys: &[&str]| keys.iter().find_map(|key| text(reply, key));
    into.set_id(word(&["responseId", "response_id", "id"]));
    into.set_model(word(&["modelVersion", "model_version", "model"]));
    into.set_tier(text(reply, "service_tier"));
    for usage in ["usageMetadata", "usage_metadata", "usage"] {
        into.merge_usage(reply.get(usage));
    }
    if let Some(candidate) = first_of(reply, "candidates") {
        into.set_finish(text(candidate, "finishReason").or_else(|| text(candidate, "finish_reason")));
        gather_grounding(candidate, into);
    } else if !into.usage.is_empty() {
        into.set_finish(text(reply, "status"));
    }
    gather_predictions(reply, into);
}

/// Results of Google Search and Maps are not charged as input, <https://ai.google.dev/gemini-api/docs/pricing>: the
/// search is, by the query since Gemini 3 and by the prompt before it.
fn gather_grounding(candidate: &Value, into: &mut Gathered) {
    let Some(grounding) = candidate.get("groundingMetadata") else { return };
    let queries = each(grounding, "webSearchQueries").count();
    into.is_grounded |= queries > 0 || first_of(grounding, "groundingChunks").is_some();
    if queries > 0 {
        let is_by_prompt = into
            .response_model
            .as_deref()
            .is_some_and(|model| ["gemini-1", "gemini-2"].iter().any(|family| model.starts_with(family)));
        let searches = if is_by_prompt { 1 } else { u64::try_from(queries).unwrap_or(u64::MAX) };
        into.beside.set(Unit::WebSearches, searches);
    }
}

/// Vertex `predict`: text embeddings count their tokens by instance, Imagen answers images.
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api#response_body>,
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api#response-body>.
fn gather_predictions(reply: &Value, into: &mut Gathered) {
    let embedded =
        |prediction: &Value| count(prediction.get("embeddings")?.get("statistics")?, "token_count");
    set(&mut into.beside, Unit::InputTokens, sum(each(reply, "predictions").map(embedded)));
    let made = each(reply, "predictions").filter(|prediction| prediction.get("bytesBase64Encoded").is_some());
    images(made.count()).iter().for_each(|(unit, count)| into.beside.set(unit, count));
}

/// <https://ai.google.dev/api/generate-content#UsageMetadata>,
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#UsageMetadata>.
/// The Python SDK writes the same names in snake case, and the Interactions API has others for the same counts.
pub(super) fn read(usage: &Value, is_grounded: bool) -> Reading {
    let searches = grounding_searches(usage);
    let tool_results =
        first(usage, &["toolUsePromptTokenCount", "tool_use_prompt_token_count", "total_tool_use_tokens"]);
    let tool_use = tool_results.filter(|_| !is_grounded && searches.unwrap_or(0) == 0);
    let prompt = first(usage, &["promptTokenCount", "prompt_token_count", "total_input_tokens"]);
    let thoughts = first(usage, &["thoughtsTokenCount", "thoughts_token_count", "total_thought_tokens"]);
    let answered = first(
        usage,
        &[
            "candidatesTokenCount",
            "responseTokenCount",
            "candidates_token_count",
            "response_token_count",
            "total_output_tokens",
        ],
    );
    let total = first(usage, &["totalTokenCount", "total_token_count", "total_tokens"]);
    let mut read = usage_of([
        (Unit::InputTokens, sum_with(prompt, &[tool_use])),
        (Unit::OutputTokens, output([prompt, tool_results], answered, thoughts, total)),
        (Unit::TotalTokens, total),
        (
            Unit::CacheReadTokens,
            first(usage, &["cachedContentTokenCount", "cached_content_token_count", "total_cached_tokens"]),
        ),
        (Unit::ReasoningTokens, thoughts),
        (Unit::WebSearches, searches),
    ]);
    read_media(usage, tool_use.is_some(), &mut read);
    Reading { usage: read, service_tier: tier(usage), ..Reading::default() }
}

/// Thoughts are outside of the candidates, unless the total says that they are not.
fn output(
    input: [Option<u64>; 2],
    answered: Option<u64>,
    thoughts: Option<u64>,
    total: Option<u64>,
) -> Option<u64> {
    let without_thoughts = sum_with(answered, &input);
    let holds_thoughts = thoughts <= answered && total.is_some() && total == without_thoughts;
    if holds_thoughts { answered } else { sum([answered, thoughts]) }
}

/// What is known by medium: a document is charged as the images of its pages; cached media are part of the prompt's.
fn read_media(usage: &Value, with_tool_use: bool, read: &mut Usage) {
    const PROMPT: &[&str] = &["promptTokensDetails", "prompt_tokens_details", "input_tokens_by_modality"];
    const TOOL_USE: &[&str] =
        &["toolUsePromptTokensDetails", "tool_use_prompt_tokens_details", "tool_use_tokens_by_modality"];
    const CACHED: &[&str] = &["cacheTokensDetails", "cache_tokens_details", "cached_tokens_by_modality"];
    const ANSWERED: &[&str] = &[
        "candidatesTokensDetails",
        "responseTokensDetails",
        "candidates_tokens_details",
        "response_tokens_details",
        "output_tokens_by_modality",
    ];
    for (media, input, cached, output) in [
        (&["AUDIO"][..], Unit::InputAudioTokens, Unit::CacheReadAudioTokens, Unit::OutputAudioTokens),
        (&["IMAGE", "DOCUMENT"], Unit::InputImageTokens, Unit::CacheReadImageTokens, Unit::OutputImageTokens),
        (&["VIDEO"], Unit::InputVideoTokens, Unit::CacheReadVideoTokens, Unit::OutputVideoTokens),
    ] {
        let tool_use = with_tool_use.then(|| medium(usage, TOOL_USE, media)).flatten();
        set(read, input, sum([medium(usage, PROMPT, media), tool_use]));
        set(read, cached, medium(usage, CACHED, media));
        set(read, output, medium(usage, ANSWERED, media));
    }
}

/// Tokens of any of `media` in the first of `lists` that is there.
fn medium(usage: &Value, lists: &[&str], media: &[&str]) -> Option<u64> {
    let list = lists.iter().find(|list| usage.get(list).is_some_and(Value::is_array))?;
    let is_of_media = |detail: &&Value| {
        text(detail, "modality")
            .is_some_and(|name| media.iter().any(|medium| name.eq_ignore_ascii_case(medium)))
    };
    let matching = each(usage, list).filter(is_of_media);
    sum(matching.map(|detail| first(detail, &["tokenCount", "token_count", "tokens"])))
}

fn grounding_searches(usage: &Value) -> Option<u64> {
    let is_search = |tool: &&Value| matches!(text(tool, "type"), Some("google_search" | "google_maps"));
    sum(each(usage, "grounding_tool_count").filter(is_search).map(|tool| count(tool, "count")))
}

/// The tier that served, as the catalog calls it.
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#TrafficType>.
fn tier(usage: &Value) -> Option<String> {
    let traffic = text(usage, "trafficType").or_else(|| text(usage, "traffic_type"));
    let tier = traffic.filter(|traffic| *traffic != "TRAFFIC_TYPE_UNSPECIFIED").map(|traffic| {
        let lower = traffic.to_ascii_lowercase();
        lower.strip_prefix("on_demand_").map(str::to_owned).unwrap_or(lower)
    });
    let served = || text(usage, "serviceTier").or_else(|| text(usage, "service_tier"));
    tier.as_deref().or_else(served).and_then(reference)
}
