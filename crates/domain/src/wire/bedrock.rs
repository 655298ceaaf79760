//! Bedrock: Converse, and what `InvokeModel` adds to the models' own bodies.

use pricing::{Unit, Usage};
use serde_json::Value;

use super::{
    Dialect, anthropic,
    count::{count, each, first, set, set_total, sum, sum_with, text, usage_of},
    gather::{Gathered, Reading},
    openai,
};

/// Bedrock's own counts of an invocation.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// A reply of Converse, or the payload of a `metadata` or `messageStop` event of its stream.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>,
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamMetadataEvent.html>.
pub(super) fn gather_converse(document: &Value, into: &mut Gathered) {
    let event = ["metadata", "messageStop"].iter().find_map(|key| document.get(key)).unwrap_or(document);
    into.merge_usage(event.get("usage"));
    into.set_finish(text(event, "stopReason"));
    into.set_tier(event.get("serviceTier").and_then(|tier| text(tier, "type")));
    let router = event.get("trace").and_then(|trace| trace.get("promptRouter"));
    into.set_model(router.and_then(|router| text(router, "invokedModelId")));
}

/// `inputTokens` excludes both cache classes; `cacheDetails` splits the writes by lifetime.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>. The counts of the cache had
/// names that end in `Count` before, and are sent under both.
pub(super) fn read_converse(usage: &Value) -> Usage {
    let read = first(usage, &["cacheReadInputTokens", "cacheReadInputTokenCount"]);
    let written = first(usage, &["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
    let of_one_hour = |detail: &&Value| text(detail, "ttl") == Some("1h");
    let one_hour =
        sum(each(usage, "cacheDetails").filter(of_one_hour).map(|detail| count(detail, "inputTokens")));
    let (input, output) = (count(usage, "inputTokens"), count(usage, "outputTokens"));
    let mut normal = usage_of([
        (Unit::InputTokens, sum_with(input, &[read, written])),
        (Unit::CacheReadTokens, read),
        (Unit::CacheWriteTokens, written),
        (Unit::CacheWrite1hTokens, one_hour),
        (Unit::OutputTokens, output),
    ]);
    set_total(&mut normal, count(usage, "totalTokens"), [input, output]);
    normal
}

/// The model's own body: Anthropic's, Nova's, OpenAI's and Mistral's have a `usage`, Titan and Llama count on their
/// own, others leave it to the metrics or to the headers ([`super::meter_headers`]).
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>.
pub(super) fn gather_invoke(document: &Value, into: &mut Gathered) {
    if document.get("choices").is_some() || document.get("object").is_some() {
        openai::gather(document, into);
    } else if document.get("metadata").is_some() || document.get("messageStop").is_some() {
        gather_converse(document, into);
    } else {
        anthropic::gather(document, into);
        into.set_finish(text(document, "stopReason"));
    }
    into.merge_usage(document.get(METRICS));
    let own =
        ["inputTextTokenCount", "totalOutputTextTokenCount", "prompt_token_count", "generation_token_count"];
    for key in own.iter().filter(|key| count(document, key).is_some()) {
        into.merge_usage(Some(&Value::Object(
            [((*key).to_owned(), document[*key].clone())].into_iter().collect(),
        )));
    }
    let answered = sum(each(document, "results").map(|result| count(result, "tokenCount")));
    set(&mut into.beside, Unit::OutputTokens, answered);
}

/// What the model itself counted is the most detailed; Bedrock's metrics come next.
pub(super) fn read_invoke(usage: &Value, model: Option<&str>) -> Reading {
    let has = |keys: &[&str]| keys.iter().any(|key| usage.get(key).is_some());
    if has(&["inputTokens", "outputTokens"]) {
        read_converse(usage).into()
    } else if has(&["prompt_tokens", "input_tokens_details"]) {
        openai::read(Dialect::OpenAi, usage)
    } else if has(&["input_tokens", "output_tokens"]) {
        anthropic::read(usage, model)
    } else if has(&["inputTokenCount", "outputTokenCount"]) {
        metrics(usage).into()
    } else {
        usage_of([
            (Unit::InputTokens, first(usage, &["inputTextTokenCount", "prompt_token_count"])),
            (Unit::OutputTokens, first(usage, &["totalOutputTextTokenCount", "generation_token_count"])),
        ])
        .into()
    }
}

/// As in Converse, the cache is outside of the input.
fn metrics(usage: &Value) -> Usage {
    let read = count(usage, "cacheReadInputTokenCount");
    let written = count(usage, "cacheWriteInputTokenCount");
    usage_of([
        (Unit::InputTokens, sum_with(count(usage, "inputTokenCount"), &[read, written])),
        (Unit::CacheReadTokens, read),
        (Unit::CacheWriteTokens, written),
        (Unit::OutputTokens, count(usage, "outputTokenCount")),
    ])
}
