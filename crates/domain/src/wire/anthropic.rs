//! Anthropic messages: cached tokens are outside of the input.

use std::collections::BTreeMap;

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    count::{count, each, inner, set, sum, sum_with, text, usage_of},
    gather::{Gathered, Reading, reference, side_call},
};

/// A message, or an event of one: `message_start` has the input's counts, `message_delta` the cumulative ones.
/// <https://docs.anthropic.com/en/api/messages>, <https://docs.anthropic.com/en/docs/build-with-claude/streaming>.
pub(super) fn gather(document: &Value, into: &mut Gathered) {
    let message = document.get("message").filter(|message| message.is_object()).unwrap_or(document);
    into.set_id(text(message, "id"));
    into.set_model(text(message, "model"));
    into.merge_usage(message.get("usage"));
    into.set_finish(text(message, "stop_reason"));
    into.set_finish(document.get("delta").and_then(|delta| text(delta, "stop_reason")));
}

/// - `input_tokens` excludes both cache classes, and writes without a split by lifetime are for five minutes,
///   <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance>.
/// - `iterations`, where they are, are what is charged: the counts beside them leave out compactions and advisors,
///   <https://platform.claude.com/docs/en/build-with-claude/compaction>. Each is charged at its own model's price.
/// - Thinking is inside of the output.
pub(super) fn read(usage: &Value, model: Option<&str>) -> Reading {
    let (own, others): (Vec<_>, Vec<_>) =
        each(usage, "iterations").partition(|iteration| is_of_model(iteration, model));
    let mut read = if own.is_empty() { charged(usage) } else { total(&own) };
    let thinking = inner(usage.get("output_tokens_details"), "thinking_tokens");
    set(&mut read, Unit::ReasoningTokens, thinking);
    set(&mut read, Unit::WebSearches, inner(usage.get("server_tool_use"), "web_search_requests"));
    Reading { usage: read, service_tier: tier(usage), region: region(usage), side_calls: side_calls(&others) }
}

/// Speed and tier are charged alike: `fast` has a price of its own.
/// <https://docs.anthropic.com/en/api/service-tiers>, <https://platform.claude.com/docs/en/build-with-claude/fast-mode>.
fn tier(usage: &Value) -> Option<String> {
    let speed = text(usage, "speed").filter(|speed| *speed != "standard");
    speed.or_else(|| text(usage, "service_tier")).and_then(reference)
}

/// <https://platform.claude.com/docs/en/build-with-claude/data-residency>.
fn region(usage: &Value) -> Option<String> {
    text(usage, "inference_geo").filter(|geo| *geo != "not_available").and_then(reference)
}

fn is_of_model(iteration: &Value, model: Option<&str>) -> bool {
    match (text(iteration, "model"), model) {
        (Some(iterated), Some(model)) => iterated == model,
        (Some(_), None) => text(iteration, "type") != Some("advisor_message"),
        (None, _) => true,
    }
}

/// The counts of a usage object or of an iteration.
fn charged(counts: &Value) -> Usage {
    let read = count(counts, "cache_read_input_tokens");
    let split = counts.get("cache_creation");
    let one_hour = inner(split, "ephemeral_1h_input_tokens");
    let written = count(counts, "cache_creation_input_tokens")
        .or_else(|| sum([inner(split, "ephemeral_5m_input_tokens"), one_hour]));
    usage_of([
        (Unit::InputTokens, sum_with(count(counts, "input_tokens"), &[read, written])),
        (Unit::CacheReadTokens, read),
        (Unit::CacheWriteTokens, written),
        (Unit::CacheWrite1hTokens, one_hour),
        (Unit::OutputTokens, count(counts, "output_tokens")),
    ])
}

fn total(iterations: &[&Value]) -> Usage {
    let mut total = Usage::new();
    for (unit, counted) in
        iterations.iter().flat_map(|iteration| charged(iteration).iter().collect::<Vec<_>>())
    {
        total.set(unit, total.count(unit).saturating_add(counted));
    }
    total
}

fn side_calls(iterations: &[&Value]) -> Vec<super::SideCall> {
    let mut by_model: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for iteration in iterations {
        by_model.entry(text(iteration, "model").unwrap_or_default()).or_default().push(iteration);
    }
    by_model.into_iter().map(|(model, iterations)| side_call(Some(model), total(&iterations))).collect()
}
