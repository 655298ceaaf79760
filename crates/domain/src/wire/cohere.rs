//! Cohere: what is billed is less than what was processed.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    count::{count, inner, sum_with, text, usage_of},
    gather::Gathered,
};

/// Chat (v2 and v1), embed, rerank and parse, and the last events of the chat streams.
/// <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/reference/chat-stream>,
/// <https://docs.cohere.com/reference/embed>, <https://docs.cohere.com/reference/rerank>.
pub(super) fn gather(document: &Value, into: &mut Gathered) {
    let whole = document.get("response").filter(|response| response.is_object()).unwrap_or(document);
    into.set_id(
        text(whole, "response_id").or_else(|| text(whole, "id")).or_else(|| text(whole, "generation_id")),
    );
    into.set_model(text(whole, "model"));
    let end = document.get("delta").filter(|delta| delta.is_object()).unwrap_or(whole);
    into.merge_usage(end.get("usage").or_else(|| end.get("meta")));
    into.set_finish(text(end, "finish_reason"));
}

/// `billed_units` are charged, `tokens` are what the model saw; where nothing is said of billing, the latter count.
/// A search unit is charged like a request.
pub(super) fn read(usage: &Value) -> Usage {
    let (billed, seen) = (usage.get("billed_units"), usage.get("tokens"));
    let images = inner(billed, "image_tokens");
    let by_medium = sum_with(images, &[inner(billed, "text_tokens")]);
    let input = inner(billed, "input_tokens").or(by_medium).or_else(|| inner(seen, "input_tokens"));
    usage_of([
        (Unit::InputTokens, input.max(by_medium)),
        (Unit::InputImageTokens, images),
        (Unit::OutputTokens, inner(billed, "output_tokens").or_else(|| inner(seen, "output_tokens"))),
        (Unit::CacheReadTokens, count(usage, "cached_tokens")),
        (Unit::Requests, inner(billed, "search_units")),
        (Unit::Pages, inner(billed, "pages")),
    ])
}
