//! A span → a call, if it is one.

use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use serde_json::{Map, Value};

use super::{
    SpanCall, SpanId, TraceId, Work,
    attributes::{self as names, Attributes},
    counts, event,
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
/// Claude Code's span of a call, <https://code.claude.com/docs/en/monitoring-usage#span-attributes>.
const CLAUDE_CODE_CALL: &str = "claude_code.llm_request";
/// The place of a call of which none is known; it is not a valid one.
const NOWHERE: SpanId = SpanId { trace: [0; 16], span: [0; 8] };

/// Where a span is, and its parent. `None` if its ids are none.
pub(super) fn place(span: &Span) -> Option<(SpanId, Option<SpanId>)> {
    let id = place_of(&span.trace_id, &span.span_id)?;
    Some((id, place_of(&span.trace_id, &span.parent_span_id)))
}

/// Where a span with these ids is; `None` if they are none.
pub(super) fn place_of(trace: &[u8], span: &[u8]) -> Option<SpanId> {
    let trace: TraceId = trace.try_into().ok().filter(|id| *id != [0; 16])?;
    let span: [u8; 8] = span.try_into().ok().filter(|id| *id != [0; 8])?;
    Some(SpanId { trace, span })
}

/// What a span is.
#[derive(Debug)]
pub(super) enum Read {
    Call(SpanCall),
    Aggregate(NewUsage),
    /// A tool, a step, a request of a page: anything else.
    Nothing,
}

/// What a span is; `Err` says why a call cannot be recorded.
pub(super) fn read(
    origin: (&Resource, &Scope),
    mut span: Span,
    id: SpanId,
    now: Timestamp,
) -> Result<Read, &'static str> {
    let attributes = Attributes::new(message::object(std::mem::take(&mut span.attributes)));
    if let Some(work) = work(&attributes, &span.name) {
        return read_call(origin, &span, (Some(id), work), &attributes, now).map(Read::Call);
    }
    if !is_aggregate(&attributes, &span.name) {
        return Ok(Read::Nothing);
    }
    let SpanCall { mut new, .. } = read_call(origin, &span, (Some(id), Work::Other), &attributes, now)?;
    // The id of a reply that it repeats is that of one of its calls.
    new.request_id = Some(key(id));
    new.metadata = new.metadata.map(|metadata| with_aggregate(&metadata));
    Ok(if new.usage.is_empty() { Read::Nothing } else { Read::Aggregate(new) })
}

/// The call that a span with `attributes` is. Where it is may be unknown.
pub(super) fn read_call(
    (resource, scope): (&Resource, &Scope),
    span: &Span,
    (id, work): (Option<SpanId>, Work),
    attributes: &Attributes,
    now: Timestamp,
) -> Result<SpanCall, &'static str> {
    let started = instant(span.start_time_unix_nano, now)?;
    let provider = provider(attributes);
    let mut reply = counts::provider_reply(attributes, provider.as_deref());
    if span.name == CLAUDE_CODE_CALL {
        reply.usage = event::claude_code_usage(attributes);
    }
    let usage = counts::usage(attributes, &scope.name, provider.as_deref(), &reply.usage);
    let said = |names| attributes.text(names).map(str::to_owned);
    let response_id = said(names::RESPONSE_ID).or(reply.response_id);
    let response_model = keepable(said(names::RESPONSE_MODEL).or(reply.response_model));
    let (own_key, other_keys) = match span.name.as_str() {
        CLAUDE_CODE_CALL => event::claude_code_keys(attributes),
        _ => (identity(provider.as_deref(), response_id.as_deref()), Vec::new()),
    };
    let is_error = span.status.as_ref().is_some_and(|status| status.code == ERROR);
    let new = NewUsage {
        model: keepable(said(names::REQUEST_MODEL).or_else(|| asked_model(attributes)))
            .or_else(|| response_model.clone())
            .unwrap_or_else(|| UNKNOWN_MODEL.to_owned()),
        response_model,
        operation: Some(operation(attributes, work)),
        service_tier: keepable(said(names::SERVICE_TIER).or(reply.service_tier)),
        region: keepable(reply.region),
        search_type: None,
        // Providers do not charge for a request that they refuse, and that is known, not unknown.
        provider_cost: (usage.is_empty() && is_refused(attributes)).then_some(Money::ZERO),
        usage,
        tokens_estimated: false,
        reported_cost: None,
        occurred_at: Some(started),
        project_id: None,
        status: if is_error { Status::Error } else { Status::Success },
        error: error(span, attributes),
        response_time_ms: duration(span),
        time_to_first_token_ms: time_to_first_token(attributes),
        allocation: allocation(resource),
        tags: tags(attributes),
        user_email: attributes.email(names::USER),
        customer_email: None,
        session_id: said(names::SESSION).and_then(|session| text::reference("session", &session).ok()),
        trace_id: id.map(|id| hex(&id.trace)),
        request_id: own_key.clone().or_else(|| id.map(key)),
        other_keys,
        metadata: Some(metadata((resource, scope), span, attributes)),
        content: Content::default(),
        side_calls: reply.side_calls,
        provider,
    };
    Ok(SpanCall { id: id.unwrap_or(NOWHERE), work, is_identified: own_key.is_some(), new })
}

/// The key of what a span tells that names no reply.
fn key(id: SpanId) -> String {
    format!("span:{}:{}", hex(&id.trace), hex(&id.span))
}

/// Whether a span that is no call says what calls inside of it used.
fn is_aggregate(attributes: &Attributes, name: &str) -> bool {
    let makes_calls = attributes.text(&["ai.operationId"]).is_some()
        || matches!(attributes.text(&["openinference.span.kind"]), Some("AGENT" | "CHAIN"))
        || matches!(attributes.text(&["gen_ai.operation.name"]), Some("invoke_agent" | "invoke_workflow"));
    let counts = [names::INPUT, names::OUTPUT, names::TOTAL];
    name != "raw_gen_ai_request"
        && makes_calls
        && counts.iter().any(|names| attributes.count(names) > Some(0))
}

fn with_aggregate(metadata: &str) -> String {
    let mut metadata: Map<String, Value> = serde_json::from_str(metadata).unwrap_or_default();
    metadata.insert("aggregate".to_owned(), Value::Bool(true));
    Value::Object(metadata).to_string()
}

/// What kind of call a span is; `None` if it is none, but an agent, a tool, a step, or what contains calls.
pub(super) fn work(attributes: &Attributes, name: &str) -> Option<Work> {
    match name {
        "raw_gen_ai_request" => return None,
        CLAUDE_CODE_CALL => return Some(Work::Generate),
        _ => {}
    }
    // Codex CLI's spans count tokens and name no model; its events name it.
    if attributes.any_begins("codex.") {
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

/// A time in nanoseconds; now if it is 0, which stands for none.
pub(super) fn instant(nanos: u64, now: Timestamp) -> Result<Timestamp, &'static str> {
    if nanos == 0 {
        return Ok(now);
    }
    let at = Timestamp::from_nanosecond(i128::from(nanos)).map_err(|_| "its time is none")?;
    if at.duration_since(now).as_secs() > limits::FUTURE_SECONDS_MAX {
        return Err("its time is more than a day in the future");
    }
    if at.to_zoned_datetime(TimeZone::UTC).year() < limits::FIRST_YEAR {
        return Err("its time is before 2015");
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

fn time_to_first_token(attributes: &Attributes) -> Option<u64> {
    let time = attributes
        .milliseconds_of_seconds("gen_ai.response.time_to_first_chunk")
        .or_else(|| attributes.milliseconds("ai.response.msToFirstChunk"))
        .or_else(|| attributes.milliseconds("ttft_ms"));
    time.filter(|time| *time <= limits::RESPONSE_TIME_MS_MAX)
}

pub(super) fn is_refused(attributes: &Attributes) -> bool {
    let names = &["http.response.status_code", "http.status_code", "status_code"];
    attributes.count(names).is_some_and(|status| (400..600).contains(&status))
}

fn tags(attributes: &Attributes) -> Tags {
    let words = attributes.words(names::TAGS);
    Tags::new("tags", words.iter().map(String::as_str)).unwrap_or_default()
}

/// Whom the resource says that its costs are for.
pub(super) fn allocation(resource: &Resource) -> CostAllocation {
    let said = |names: &[&str]| keepable(resource.text(names).map(str::to_owned));
    CostAllocation {
        department: said(&["department"]),
        team: said(&["team.id", "team"]),
        ..CostAllocation::default()
    }
}

/// Who tells of a call.
pub(super) fn origin(resource: &Resource, scope: &Scope) -> Map<String, Value> {
    let short = |text: &str| text::cut(text, limits::DIMENSION_BYTES_MAX).to_owned();
    let of_resource = |names: &[&str]| resource.text(names).map(short);
    let said = [
        ("instrumentation", Some(short(&scope.name))),
        ("instrumentationVersion", Some(short(&scope.version)).filter(|version| !version.is_empty())),
        ("service", of_resource(&["service.name"])),
        ("environment", of_resource(&["deployment.environment.name", "deployment.environment"])),
    ];
    said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
}

/// What has no field of its own, and the attributes as they came, so that the figures can be checked.
fn metadata((resource, scope): (&Resource, &Scope), span: &Span, attributes: &Attributes) -> String {
    let short = |text: &str| text::cut(text, limits::DIMENSION_BYTES_MAX).to_owned();
    let mut metadata = origin(resource, scope);
    metadata.insert("span".to_owned(), short(&span.name).into());
    metadata.insert("spanId".to_owned(), hex(&span.span_id).into());
    if !span.parent_span_id.is_empty() {
        metadata.insert("parentSpanId".to_owned(), hex(&span.parent_span_id).into());
    }
    if let Some(user) = attributes.text(names::USER) {
        metadata.insert("endUser".to_owned(), short(user).into());
    }
    metadata.insert("attributes".to_owned(), attributes.kept().into());
    Value::Object(metadata).to_string()
}

/// Somebody else's words: what cannot be kept as it is says nothing.
pub(super) fn keepable(text: Option<String>) -> Option<String> {
    text.and_then(|text| text::dimension_value("span", &text).ok())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
