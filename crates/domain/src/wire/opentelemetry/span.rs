//! A span → a call, if it is one.

use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use serde_json::{Value, json};

use super::{
    SpanCall, SpanId, Work,
    attributes::{self as names, Attributes},
    counts,
    message::{self, Resource, Scope, Span},
};
use crate::{
    allocation::{CostAllocation, Tags},
    ingest::{NewUsage, identity},
    limits,
    redact::redact,
    text,
    usage_record::{CallError, Content, Status, UNKNOWN_MODEL},
};

/// `status.code` of a span that failed.
const ERROR: i32 = 2;

/// Where a span is, and its parent. `None` if its ids are none.
pub(super) fn place(span: &Span) -> Option<(SpanId, Option<SpanId>)> {
    let trace: [u8; 16] = span.trace_id.as_slice().try_into().ok().filter(|id| *id != [0; 16])?;
    let id = |bytes: &[u8]| bytes.try_into().ok().filter(|id| *id != [0; 8]);
    let parent = id(&span.parent_span_id).map(|span| SpanId { trace, span });
    Some((SpanId { trace, span: id(&span.span_id)? }, parent))
}

/// The call that a span is; `None` if it is none, `Err` says why it cannot be recorded.
pub(super) fn read(
    resource: &Resource,
    scope: &Scope,
    mut span: Span,
    id: SpanId,
    now: Timestamp,
) -> Result<Option<SpanCall>, &'static str> {
    let attributes = Attributes::new(message::object(std::mem::take(&mut span.attributes)));
    let Some(work) = work(&attributes, &span.name) else { return Ok(None) };
    let started = started_at(&span, now)?;
    let provider = provider(&attributes);
    let reply = counts::provider_reply(&attributes, provider.as_deref());
    let usage = counts::usage(&attributes, &scope.name, provider.as_deref(), &reply.usage);
    let said = |names| attributes.text(names).map(str::to_owned);
    let response_id = said(names::RESPONSE_ID).or(reply.response_id);
    let response_model = keepable(said(names::RESPONSE_MODEL).or(reply.response_model));
    let key = identity(provider.as_deref(), response_id.as_deref());
    let error = error(&span, &attributes);
    let user = said(names::USER);
    let user_email = user.as_deref().and_then(|user| text::email("user", user).ok());
    let new = NewUsage {
        model: keepable(said(names::REQUEST_MODEL).or_else(|| asked_model(&attributes)))
            .or_else(|| response_model.clone())
            .unwrap_or_else(|| UNKNOWN_MODEL.to_owned()),
        response_model,
        operation: Some(operation(&attributes, work)),
        service_tier: keepable(said(names::SERVICE_TIER).or(reply.service_tier)),
        region: keepable(reply.region),
        search_type: None,
        // Providers do not charge for a request that they refuse, and that is known, not unknown.
        provider_cost: (usage.is_empty() && is_refused(&attributes)).then_some(Money::ZERO),
        usage,
        tokens_estimated: false,
        reported_cost: None,
        occurred_at: Some(started),
        project_id: None,
        status: if span.status.as_ref().is_some_and(|status| status.code == ERROR) {
            Status::Error
        } else {
            Status::Success
        },
        error,
        response_time_ms: duration(&span),
        time_to_first_token_ms: attributes
            .milliseconds_of_seconds("gen_ai.response.time_to_first_chunk")
            .or_else(|| attributes.milliseconds("ai.response.msToFirstChunk"))
            .filter(|time| *time <= limits::RESPONSE_TIME_MS_MAX),
        allocation: CostAllocation::default(),
        tags: tags(&attributes),
        user_email,
        customer_email: None,
        session_id: said(names::SESSION).and_then(|session| text::reference("session", &session).ok()),
        trace_id: Some(hex(&id.trace)),
        request_id: key.clone().or_else(|| Some(format!("span:{}:{}", hex(&id.trace), hex(&id.span)))),
        metadata: Some(metadata(resource, scope, &span, id, &attributes)),
        content: Content::default(),
        side_calls: reply.side_calls,
        provider,
    };
    Ok(Some(SpanCall { id, work, is_identified: key.is_some(), new }))
}

/// What kind of call a span is; `None` if it is none, but an agent, a tool, a step, or what contains calls.
fn work(attributes: &Attributes, name: &str) -> Option<Work> {
    if name == "raw_gen_ai_request" {
        return None;
    }
    if let Some(operation) = attributes.text(&["ai.operationId"]) {
        return match operation.rsplit('.').next()? {
            "doGenerate" | "doStream" => Some(Work::Generate),
            "doEmbed" => Some(Work::Embed),
            _ => None,
        };
    }
    if let Some(kind) = attributes.text(&["openinference.span.kind"]) {
        return match kind {
            "LLM" => Some(Work::Generate),
            "EMBEDDING" => Some(Work::Embed),
            _ => None,
        };
    }
    match attributes.text(&["gen_ai.operation.name", "llm.request.type"]) {
        Some("chat" | "completion" | "text_completion" | "generate_content" | "responses") => {
            Some(Work::Generate)
        }
        Some("embeddings" | "embedding") => Some(Work::Embed),
        Some(
            "invoke_agent" | "create_agent" | "invoke_workflow" | "agent_step" | "execute_tool" | "retrieval",
        ) => None,
        _ => attributes.any_begins("gen_ai.usage.").then_some(Work::Other),
    }
}

fn operation(attributes: &Attributes, work: Work) -> String {
    let named = attributes.text(&["gen_ai.operation.name"]).map(str::to_owned);
    keepable(named).unwrap_or_else(|| match work {
        Work::Generate => "chat".to_owned(),
        Work::Embed => "embeddings".to_owned(),
        Work::Other => "other".to_owned(),
    })
}

/// The model among the parameters of a request, which `OpenInference` keeps together.
fn asked_model(attributes: &Attributes) -> Option<String> {
    let parameters = attributes.document("llm.invocation_parameters")?;
    parameters.get("model")?.as_str().map(str::to_owned)
}

/// Canonical id of who sold the call. A client that is pointed at another address tells its maker's name.
fn provider(attributes: &Attributes) -> Option<String> {
    let named = keepable(attributes.text(names::PROVIDER).map(str::to_owned))?;
    let canonical = pricing::canonical_provider(&named).into_owned();
    let address = attributes.text(&["server.address"]).unwrap_or_default();
    Some(match canonical.as_str() {
        "openai" if address.ends_with(".azure.com") => "azure".to_owned(),
        "openai" if address.ends_with("openrouter.ai") => "openrouter".to_owned(),
        _ => canonical,
    })
}

fn started_at(span: &Span, now: Timestamp) -> Result<Timestamp, &'static str> {
    if span.start_time_unix_nano == 0 {
        return Ok(now);
    }
    let at = Timestamp::from_nanosecond(i128::from(span.start_time_unix_nano));
    let at = at.map_err(|_| "startTimeUnixNano is no time")?;
    if at.duration_since(now).as_secs() > limits::FUTURE_SECONDS_MAX {
        return Err("startTimeUnixNano is more than a day in the future");
    }
    if at.to_zoned_datetime(TimeZone::UTC).year() < limits::FIRST_YEAR {
        return Err("startTimeUnixNano is before 2015");
    }
    Ok(at)
}

fn duration(span: &Span) -> Option<u64> {
    let nanos = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano)?;
    Some(nanos / 1_000_000)
        .filter(|time| span.start_time_unix_nano > 0 && *time <= limits::RESPONSE_TIME_MS_MAX)
}

fn error(span: &Span, attributes: &Attributes) -> CallError {
    let Some(status) = span.status.as_ref().filter(|status| status.code == ERROR) else {
        return CallError::default();
    };
    let message = redact(text::cut(&status.message, limits::ERROR_MESSAGE_BYTES_MAX)).replace('\0', "");
    CallError {
        code: keepable(attributes.text(&["error.type"]).map(str::to_owned)),
        message: Some(message).filter(|message| !message.is_empty()),
    }
}

fn is_refused(attributes: &Attributes) -> bool {
    let names = &["http.response.status_code", "http.status_code"];
    attributes.count(names).is_some_and(|status| (400..600).contains(&status))
}

fn tags(attributes: &Attributes) -> Tags {
    let words = attributes.words(names::TAGS);
    Tags::new("tags", words.iter().map(String::as_str)).unwrap_or_default()
}

/// What has no field of its own, and the attributes as they came, so that the figures can be checked.
fn metadata(resource: &Resource, scope: &Scope, span: &Span, id: SpanId, attributes: &Attributes) -> String {
    let short = |text: &str| text::cut(text, limits::DIMENSION_BYTES_MAX).to_owned();
    let of_resource = |names: &[&str]| resource.text(names).map(short);
    let mut metadata = json!({
        "span": short(&span.name),
        "spanId": hex(&id.span),
        "instrumentation": short(&scope.name),
        "attributes": attributes.kept(),
    });
    let optional = [
        ("instrumentationVersion", Some(short(&scope.version)).filter(|version| !version.is_empty())),
        ("service", of_resource(&["service.name"])),
        ("environment", of_resource(&["deployment.environment.name", "deployment.environment"])),
        ("endUser", attributes.text(names::USER).map(short)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            metadata[key] = Value::String(value);
        }
    }
    metadata.to_string()
}

/// Somebody else's words: what cannot be kept as it is says nothing.
fn keepable(text: Option<String>) -> Option<String> {
    text.and_then(|text| text::dimension_value("span", &text).ok())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
