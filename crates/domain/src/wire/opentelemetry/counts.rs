//! The counts of a span in the normal form.
//!
//! `gen_ai.usage.input_tokens` is meant to include cached tokens, and mostly does. The AI SDK 5 passes on what Anthropic
//! says, which leaves them out; where they cannot fit in, they are taken to be left out, too.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    super::{Metered, meter_reply_value, usage_from_object},
    attributes::{self as names, Attributes},
};
use crate::limits;

/// Details, by the names of their attributes.
const DETAILS: &[(Unit, &[&str])] = &[
    (Unit::CacheReadTokens, names::CACHE_READ),
    (Unit::CacheWriteTokens, names::CACHE_WRITE),
    (Unit::CacheWrite1hTokens, names::CACHE_WRITE_1H),
    (Unit::ReasoningTokens, names::REASONING),
    (Unit::InputAudioTokens, names::INPUT_AUDIO),
    (Unit::InputImageTokens, names::INPUT_IMAGE),
    (Unit::InputVideoTokens, names::INPUT_VIDEO),
    (Unit::OutputAudioTokens, names::OUTPUT_AUDIO),
    (Unit::OutputImageTokens, names::OUTPUT_IMAGE),
];

/// What the provider's own words say, where a span repeats them: they need no interpretation by an instrumentation.
pub(super) fn provider_reply(attributes: &Attributes, provider: Option<&str>) -> Metered {
    // OpenInference keeps the whole reply; of a stream, something of its own that names no usage.
    let reply = attributes.document("output.value").filter(Value::is_object);
    reply.and_then(|reply| meter_reply_value(provider, &reply)).unwrap_or_default()
}

/// What was counted, in normal form; empty if the span does not say.
pub(super) fn usage(attributes: &Attributes, scope: &str, provider: Option<&str>, reply: &Usage) -> Usage {
    let mut usage = by_attributes(attributes, is_exclusive(attributes, scope, provider));
    // The AI SDK passes the provider's usage on; of a stream, only what is known at its beginning: no output.
    let own = attributes.document("ai.response.providerMetadata").and_then(|metadata| {
        let usage = metadata.pointer("/anthropic/usage")?;
        usage_from_object(Some("anthropic"), usage)
    });
    let own = own.unwrap_or_default();
    own.iter()
        .filter(|(unit, _)| *unit != Unit::OutputTokens)
        .for_each(|(unit, count)| usage.set(unit, count));
    reply.iter().for_each(|(unit, count)| usage.set(unit, count));
    usage.iter().filter(|(_, count)| *count <= limits::COUNT_MAX).collect()
}

/// Whether the input leaves cached tokens out.
fn is_exclusive(attributes: &Attributes, scope: &str, provider: Option<&str>) -> bool {
    let cached = [names::CACHE_READ, names::CACHE_WRITE].iter().filter_map(|names| attributes.count(names));
    let cached = cached.fold(0, u64::saturating_add);
    let is_passed_on = scope == "ai" && provider == Some("anthropic");
    is_passed_on || attributes.count(names::INPUT).is_some_and(|input| cached > input)
}

fn by_attributes(attributes: &Attributes, is_exclusive: bool) -> Usage {
    let mut usage = Usage::new();
    for (unit, names) in DETAILS {
        // A detail of zero says nothing that its absence does not.
        if let Some(count) = attributes.count(names).filter(|count| *count > 0) {
            usage.set(*unit, count);
        }
    }
    let cached = usage.count(Unit::CacheReadTokens).saturating_add(usage.count(Unit::CacheWriteTokens));
    let outside = if is_exclusive { cached } else { 0 };
    let mut input = attributes.count(names::INPUT).map(|input| input.saturating_add(outside));
    let mut output = attributes.count(names::OUTPUT);
    // A total that leaves the cache out, as its input does, is none.
    let total = attributes.count(names::TOTAL).filter(|_| outside == 0);
    match (total, input, output) {
        (Some(total), Some(only), None) => output = total.checked_sub(only),
        (Some(total), None, Some(only)) => input = total.checked_sub(only),
        _ => {}
    }
    for (unit, count) in [(Unit::InputTokens, input), (Unit::OutputTokens, output)] {
        if let Some(count) = count {
            usage.set(unit, count);
        }
    }
    if let Some(total) = total.filter(|total| is_worth_keeping(*total, input, output)) {
        usage.set(Unit::TotalTokens, total);
    }
    usage
}

/// A total is kept where it is all there is, and where its parts exceed it by more than a hundredth: the record is flagged
/// then, and nothing is put right in silence.
fn is_worth_keeping(total: u64, input: Option<u64>, output: Option<u64>) -> bool {
    let (Some(input), Some(output)) = (input, output) else { return true };
    (u128::from(input) + u128::from(output)) * 100 > u128::from(total) * 101
}
