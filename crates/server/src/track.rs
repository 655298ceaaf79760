//! A tracked call as a client sends it → [`NewUsage`].
//!
//! Clients of many versions send to this server, so names are read leniently and what is not known is kept; values are
//! read strictly, and every problem is named by its field.

mod fields;
pub mod katana;

use domain::{
    Invalid, Problem,
    allocation::{CostAllocation, Tags},
    ingest::{NewUsage, identity},
    limits, text,
    usage_record::{CallError, Content, Status},
    wire::{self, Metered},
};
use jiff::Timestamp;
use pricing::{Money, Unit, Usage};
use serde_json::{Map, Value};

use crate::{error::Result, track::fields::Fields};

/// Counts, by every name that clients use for them.
const COUNTS: &[(Unit, &[&str])] = &[
    (Unit::InputTokens, &["promptTokens", "inputTokens", "prompt_tokens", "input_tokens"]),
    (Unit::OutputTokens, &["completionTokens", "outputTokens", "completion_tokens", "output_tokens"]),
    (Unit::TotalTokens, &["totalTokens", "tokens", "total_tokens"]),
    (Unit::CacheReadTokens, &["cacheReadTokens", "cachedTokens", "cache_read_tokens"]),
    (Unit::CacheWriteTokens, &["cacheWriteTokens", "cacheCreationTokens", "cache_write_tokens"]),
    (Unit::CacheWrite1hTokens, &["cacheWrite1hTokens", "cache_write_1h_tokens"]),
    (Unit::CacheWrite12hTokens, &["cacheWrite12hTokens", "cache_write_12h_tokens"]),
    (Unit::ReasoningTokens, &["reasoningTokens", "reasoning_tokens"]),
    (Unit::InputAudioTokens, &["audioInputTokens", "inputAudioTokens", "input_audio_tokens"]),
    (Unit::OutputAudioTokens, &["audioOutputTokens", "outputAudioTokens", "output_audio_tokens"]),
    (Unit::InputImageTokens, &["imageInputTokens", "inputImageTokens", "input_image_tokens"]),
    (Unit::OutputImageTokens, &["imageOutputTokens", "outputImageTokens", "output_image_tokens"]),
    // Clients call the pictures themselves `images`.
    (Unit::InputImages, &["imagesInput", "images_input"]),
    (Unit::Images, &["imagesGenerated", "images_generated"]),
    (Unit::InputCharacters, &["inputCharacters", "input_characters"]),
    (Unit::Pages, &["pages"]),
    (Unit::WebSearches, &["webSearches", "web_searches"]),
];

/// Lengths in seconds, by every name that clients use for them.
const SECONDS: &[(Unit, &[&str])] = &[
    (Unit::AudioMilliseconds, &["audioSeconds", "audio_seconds"]),
    (Unit::InputAudioMilliseconds, &["audioInputSeconds", "audio_input_seconds"]),
    (Unit::OutputAudioMilliseconds, &["audioOutputSeconds", "audio_output_seconds"]),
    (Unit::OutputVideoMilliseconds, &["videoOutputSeconds", "video_output_seconds"]),
];

/// Reads one tracked call. `now` bounds its timestamp.
pub fn parse(body: &[u8], now: Timestamp) -> Result<NewUsage> {
    parse_fields(Fields::read(body)?, now)
}

fn parse_fields(mut fields: Fields<'_>, now: Timestamp) -> Result<NewUsage> {
    let new = read(&mut fields, now);
    match (new, fields.finish()) {
        (Some(new), Ok(())) => Ok(new),
        (_, Err(invalid)) => Err(invalid.into()),
        (None, Ok(())) => Err(Invalid::field("model", "is required").into()),
    }
}

/// Everything that can be read; problems stay with `fields`. `None` without a model.
fn read(fields: &mut Fields<'_>, now: Timestamp) -> Option<NewUsage> {
    let provider = fields.dimension(&["service", "provider"]);
    let model = fields.dimension(&["model", "request_model", "requestModel"]);
    let canonical = provider.as_deref().map(|name| pricing::canonical_provider(name).into_owned());
    let metered = read_metered(fields, canonical.as_deref());
    let usage = read_usage(fields, metered.usage);
    let error = read_error(fields);
    let response_model = fields.dimension(&["responseModel", "response_model"]).or(metered.response_model);
    let request_id = fields.reference(&["requestId", "idempotencyKey", "request_id"]);
    let new = NewUsage {
        provider,
        // A reply that is sent whole names the model that answered.
        model: model.or_else(|| response_model.clone()).unwrap_or_default(),
        response_model,
        operation: fields.dimension(&["operation"]),
        service_tier: fields.dimension(&["serviceTier", "service_tier"]).or(metered.service_tier),
        region: fields.dimension(&["region"]).or(metered.region),
        search_type: fields.dimension(&["searchType", "search_type"]).or(metered.search_type),
        usage,
        tokens_estimated: false,
        reported_cost: fields.money(&["cost", "estimatedCost", "totalCost"]),
        provider_cost: metered.provider_cost,
        occurred_at: fields.timestamp(&["timestamp", "occurredAt", "createdAt"], now),
        project_id: fields.id(&["projectId", "project_id"]),
        status: read_status(fields, &error),
        error,
        response_time_ms: fields.milliseconds(&["responseTime", "responseTimeMs", "latencyMs", "latency"]),
        time_to_first_token_ms: fields.milliseconds(&["timeToFirstToken", "timeToFirstTokenMs", "ttftMs"]),
        allocation: read_allocation(fields),
        tags: read_tags(fields),
        user_email: fields.email(&["userEmail"]),
        customer_email: fields.email(&["customerEmail"]),
        session_id: fields.reference(&["sessionId", "conversationId", "session_id"]),
        trace_id: fields.reference(&["traceId", "trace_id"]),
        request_id: request_id.or_else(|| identity(canonical.as_deref(), metered.response_id.as_deref())),
        other_keys: Vec::new(),
        content: Content {
            prompt: fields.content(&["prompt", "messages"]),
            completion: fields.content(&["completion", "response"]),
        },
        metadata: read_metadata(fields),
        side_calls: metered.side_calls,
    };
    (!new.model.is_empty()).then_some(new)
}

/// What the provider's own reply, or the usage object of one, says of the call.
fn read_metered(fields: &mut Fields<'_>, provider: Option<&str>) -> Metered {
    let usage = fields.value(&["usage"]);
    if let Some(counts) = usage.as_ref().and_then(|usage| wire::usage_from_object(provider, usage)) {
        for (unit, count) in counts.iter().filter(|(_, count)| *count > limits::COUNT_MAX) {
            fields.problem("usage", format!("{unit} must be at most {}, not {count}", limits::COUNT_MAX));
        }
    }
    let by_usage = usage.and_then(|usage| wire::meter_value(provider, &usage)).unwrap_or_default();
    // A response that is a text is the completion; one that is an object is the provider's reply.
    let reply = fields.peek("response").filter(Value::is_object);
    let by_reply = reply.and_then(|reply| wire::meter_reply_value(provider, &reply)).unwrap_or_default();
    let metered = by_usage.or(by_reply);
    // Somebody else's words: what cannot be kept as it is says nothing.
    let keepable = |text: Option<String>| text.and_then(|text| text::dimension_value("response", &text).ok());
    Metered {
        response_model: keepable(metered.response_model),
        service_tier: keepable(metered.service_tier),
        region: keepable(metered.region),
        search_type: keepable(metered.search_type),
        provider_cost: metered.provider_cost.filter(|cost| (Money::ZERO..=limits::COST_MAX).contains(cost)),
        ..metered
    }
}

/// Counts that the sender names itself win over those of the provider's own reply.
fn read_usage(fields: &mut Fields<'_>, mut usage: Usage) -> Usage {
    for (unit, names) in COUNTS {
        if let Some(count) = fields.count(names) {
            usage.set(*unit, count);
        }
    }
    for (unit, names) in SECONDS {
        if let Some(milliseconds) = fields.seconds(names) {
            usage.set(*unit, milliseconds);
        }
    }
    // A total and one side of it tell the other side.
    match (usage.get(Unit::TotalTokens), usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)) {
        (Some(total), Some(input), None) if input <= total => usage.set(Unit::OutputTokens, total - input),
        (Some(total), None, Some(output)) if output <= total => usage.set(Unit::InputTokens, total - output),
        _ => {}
    }
    usage
}

fn read_error(fields: &mut Fields<'_>) -> CallError {
    let message_bytes = limits::ERROR_MESSAGE_BYTES_MAX;
    let mut error = CallError {
        code: fields.dimension(&["errorCode", "errorType", "error_type"]),
        message: fields.content(&["errorMessage", "error_message"]),
    };
    match fields.value(&["error"]) {
        Some(Value::String(text)) => error.message = error.message.or(Some(text)),
        Some(Value::Object(object)) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
            error.message = error.message.or_else(|| text("message"));
            let code = text("code")
                .or_else(|| text("type"))
                .and_then(|code| text::dimension_value("error.code", &code).ok());
            error.code = error.code.or(code);
        }
        _ => {}
    }
    error.message = error.message.map(|message| text::cut(&message, message_bytes).to_owned());
    error
}

/// `status` may be a word or an HTTP status; without it, an error message tells.
fn read_status(fields: &mut Fields<'_>, error: &CallError) -> Status {
    let failed_flag = matches!(fields.value(&["errorOccurred", "isError"]), Some(Value::Bool(true)));
    let by_error =
        if failed_flag || *error != CallError::default() { Status::Error } else { Status::Success };
    match fields.value(&["status", "httpStatus", "statusCode"]) {
        None => by_error,
        Some(Value::Number(code)) => {
            if code.as_u64().is_some_and(|code| code >= 400) {
                Status::Error
            } else {
                Status::Success
            }
        }
        Some(Value::String(word)) => match word.to_ascii_lowercase().as_str() {
            "success" | "ok" | "completed" | "succeeded" => Status::Success,
            "error" | "failed" | "failure" | "timeout" | "cancelled" | "canceled" => Status::Error,
            _ => {
                fields.problem("status", "must be success, error or an HTTP status");
                by_error
            }
        },
        Some(_) => {
            fields.problem("status", "must be success, error or an HTTP status");
            by_error
        }
    }
}

fn read_allocation(fields: &mut Fields<'_>) -> CostAllocation {
    let Some(mut entries) = fields.object(&["costAllocation", "cost_allocation"]) else {
        return CostAllocation::default();
    };
    let mut take = |key: &str| entries.remove(key).and_then(|value| as_text(&value));
    let allocation = CostAllocation {
        department: take("department"),
        team: take("team"),
        purpose: take("purpose"),
        client: take("client"),
        campaign: take("campaign"),
        other: entries.into_iter().filter_map(|(key, value)| Some((key, as_text(&value)?))).collect(),
    };
    fields.take(allocation.checked("costAllocation")).unwrap_or_default()
}

/// A scalar as text; what is nested is kept as JSON.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn read_tags(fields: &mut Fields<'_>) -> Tags {
    let Some(list) = fields.strings(&["tags"]) else { return Tags::default() };
    fields.take(Tags::new("tags", list.iter().map(String::as_str))).unwrap_or_default()
}

/// The sender's metadata, with every field this server does not know under `extra`.
fn read_metadata(fields: &mut Fields<'_>) -> Option<String> {
    let mut metadata = fields.object(&["metadata"]).unwrap_or_default();
    let extra = fields.take_rest();
    if !extra.is_empty() {
        metadata.insert("extra".to_owned(), Value::Object(extra));
    }
    if metadata.is_empty() {
        return None;
    }
    let text = Value::Object(metadata).to_string();
    if text.len() > limits::METADATA_BYTES_MAX {
        fields.problem("metadata", format!("must have at most {} bytes as JSON", limits::METADATA_BYTES_MAX));
    }
    Some(text)
}

/// A problem of one item of a list, under the item's place.
pub fn nested(index: usize, problems: Vec<Problem>) -> Vec<Problem> {
    let nest =
        |problem: Problem| Problem { field: format!("usageData[{index}].{}", problem.field), ..problem };
    problems.into_iter().map(nest).collect()
}

/// `metadata` as an object, for replies.
pub fn metadata_object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}
