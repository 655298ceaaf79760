//! What coding agents log of their calls, as events: one record of the log is one call.
//!
//! Agents have names of their own for what was counted. Each is put back into the usage object of the provider that it
//! comes from, and read as that:
//!
//! - Claude Code, <https://code.claude.com/docs/en/monitoring-usage#api-request-event>: the Messages API's counts, whose input
//!   leaves out what was read from and written to the cache.
//! - Codex CLI, `sse_event_completed` in
//!   <https://github.com/openai/codex/blob/main/codex-rs/otel/src/events/session_telemetry.rs>: the Responses API's counts,
//!   whose input includes cached tokens and whose output includes reasoning. `tool_token_count` is the total of both. Counts
//!   are texts. `codex.api_request` counts nothing.
//! - Gemini CLI, `ApiResponseEvent` in
//!   <https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/telemetry/types.ts>: Gemini's `usageMetadata`,
//!   with 0 for what it does not say. Thoughts and the results of tools are outside of output and input.
//! - Qwen Code, <https://github.com/QwenLM/qwen-code/blob/main/packages/core/src/telemetry/types.ts>: the same names, though
//!   its output may include thoughts; the total tells.
//!
//! `gen_ai.client.inference.operation.details` says what a span says, and is read as one. Gemini CLI sends it beside its own
//! event, with fewer counts.

use jiff::Timestamp;
use pricing::{Money, Usage};
use serde_json::{Map, Value, json};

use super::{
    super::usage_from_object,
    LogCall, SpanCall,
    attributes::{self as names, Attributes},
    message::{self, LogRecord, Resource, Scope, Span},
    span::{self, hex, instant, keepable},
};
use crate::{
    allocation::Tags,
    ingest::{NewUsage, identity, request_identity},
    limits,
    redact::redact,
    text,
    usage_record::{CallError, Content, Status, UNKNOWN_MODEL},
};

/// Who logs, and so what the names mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agent {
    ClaudeCode,
    Codex,
    /// Gemini CLI, and Qwen Code, which is made from it.
    Gemini {
        provider: Option<&'static str>,
    },
}

/// What a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A call of an agent, answered or failed.
    Call(Agent),
    /// A call in the words of the semantic conventions.
    Inference,
}

/// Names of the counts in an event, and of the same in the usage object that they come from.
const CLAUDE_CODE: &[(&str, &str)] = &[
    ("input_tokens", "/input_tokens"),
    ("output_tokens", "/output_tokens"),
    ("cache_read_tokens", "/cache_read_input_tokens"),
    ("cache_creation_tokens", "/cache_creation_input_tokens"),
];
const CODEX: &[(&str, &str)] = &[
    ("input_token_count", "/input_tokens"),
    ("output_token_count", "/output_tokens"),
    ("tool_token_count", "/total_tokens"),
    ("cached_token_count", "/input_tokens_details/cached_tokens"),
    ("cache_write_token_count", "/input_tokens_details/cache_write_tokens"),
    ("reasoning_token_count", "/output_tokens_details/reasoning_tokens"),
];
const GEMINI: &[(&str, &str)] = &[
    ("input_token_count", "/promptTokenCount"),
    ("output_token_count", "/candidatesTokenCount"),
    ("cached_content_token_count", "/cachedContentTokenCount"),
    ("thoughts_token_count", "/thoughtsTokenCount"),
    ("tool_token_count", "/toolUsePromptTokenCount"),
    ("total_token_count", "/totalTokenCount"),
];

/// The call that a log record tells of; `None` if it tells of none, `Err` says why it cannot be recorded.
pub(super) fn read(
    resource: &Resource,
    scope: &Scope,
    mut record: LogRecord,
    now: Timestamp,
) -> Result<Option<LogCall>, &'static str> {
    let attributes = Attributes::new(message::object(std::mem::take(&mut record.attributes)));
    let span = span::place_of(&record.trace_id, &record.span_id);
    let new = match kind(scope, &record, &attributes) {
        None => None,
        Some(Kind::Inference) => inference((resource, scope), record, &attributes, now)?,
        Some(Kind::Call(agent)) => Some(call(agent, (resource, scope), &record, &attributes, now)?),
    };
    Ok(new.map(|new| LogCall { span, new }))
}

fn kind(scope: &Scope, record: &LogRecord, attributes: &Attributes) -> Option<Kind> {
    let body = record.body.as_ref().and_then(message::AnyValue::text);
    let said = [attributes.text(&["event.name"]), Some(record.event_name.as_str()), body];
    let by_name = said.into_iter().flatten().find_map(|name| kind_of(name, scope));
    // The name may have been taken for something else on its way.
    let codex = scope.name.starts_with("codex_otel").then_some(Kind::Call(Agent::Codex));
    by_name.or(codex).filter(|kind| match kind {
        Kind::Call(Agent::Codex) => attributes.count(&["input_token_count"]).is_some(),
        // Gemini CLI's own event tells more of the same call.
        Kind::Inference => scope.name != "gemini-cli" && attributes.any_begins("gen_ai.usage."),
        Kind::Call(Agent::ClaudeCode | Agent::Gemini { .. }) => true,
    })
}

fn kind_of(name: &str, scope: &Scope) -> Option<Kind> {
    Some(match name {
        "claude_code.api_request" | "claude_code.api_error" => Kind::Call(Agent::ClaudeCode),
        "api_request" | "api_error" if scope.name.contains("claude_code") => Kind::Call(Agent::ClaudeCode),
        "codex.sse_event" | "codex.websocket_event" => Kind::Call(Agent::Codex),
        "gemini_cli.api_response" | "gemini_cli.api_error" => {
            Kind::Call(Agent::Gemini { provider: Some("google") })
        }
        "qwen-code.api_response" | "qwen-code.api_error" => Kind::Call(Agent::Gemini { provider: None }),
        "gen_ai.client.inference.operation.details" => Kind::Inference,
        _ => return None,
    })
}

/// An event of the semantic conventions is read as the span that it is of.
fn inference(
    origin: (&Resource, &Scope),
    record: LogRecord,
    attributes: &Attributes,
    now: Timestamp,
) -> Result<Option<NewUsage>, &'static str> {
    let at = time(&record, attributes);
    let span = Span {
        trace_id: record.trace_id,
        span_id: record.span_id,
        name: "gen_ai.client.inference.operation.details".to_owned(),
        start_time_unix_nano: at,
        end_time_unix_nano: at,
        ..Span::default()
    };
    let Some(work) = span::work(attributes, &span.name) else { return Ok(None) };
    let id = span::place_of(&span.trace_id, &span.span_id);
    let SpanCall { new, .. } = span::read_call(origin, &span, (id, work), attributes, now)?;
    let key = new.request_id.clone().or_else(|| fallback_key(attributes, at));
    Ok(Some(NewUsage { request_id: key, ..new }))
}

fn call(
    agent: Agent,
    (resource, scope): (&Resource, &Scope),
    record: &LogRecord,
    attributes: &Attributes,
    now: Timestamp,
) -> Result<NewUsage, &'static str> {
    let at = time(record, attributes);
    let ended = instant(at, now)?;
    let duration = attributes.count(&["duration_ms"]).or_else(|| attributes.milliseconds("duration_ms"));
    let duration = duration.filter(|duration| *duration <= limits::RESPONSE_TIME_MS_MAX);
    let started = duration.and_then(|duration| {
        ended.checked_sub(jiff::SignedDuration::from_millis(i64::try_from(duration).ok()?)).ok()
    });
    let (own_key, other_keys) = keys(agent, attributes);
    let usage = usage(agent, attributes);
    let error = error(attributes);
    let is_error = error != CallError::default();
    let model = keepable(attributes.text(&["model"]).map(str::to_owned));
    let user = attributes.text(names::USER).map(str::to_owned);
    Ok(NewUsage {
        provider: provider(agent, model.as_deref()).map(str::to_owned),
        model: model.unwrap_or_else(|| UNKNOWN_MODEL.to_owned()),
        response_model: None,
        operation: Some("chat".to_owned()),
        // The price of Claude's fast mode is that of a tier.
        service_tier: attributes.text(&["speed"]).filter(|speed| *speed == "fast").map(str::to_owned),
        region: None,
        search_type: None,
        provider_cost: (usage.is_empty() && span::is_refused(attributes)).then_some(Money::ZERO),
        usage,
        tokens_estimated: false,
        reported_cost: None,
        occurred_at: started.or(Some(ended)),
        project_id: None,
        status: if is_error { Status::Error } else { Status::Success },
        error,
        response_time_ms: duration,
        time_to_first_token_ms: attributes
            .count(&["ttft_ms"])
            .filter(|time| *time <= limits::RESPONSE_TIME_MS_MAX),
        allocation: span::allocation(resource),
        tags: Tags::default(),
        user_email: attributes.email(names::USER),
        customer_email: None,
        session_id: session(attributes).and_then(|session| text::reference("session", session).ok()),
        trace_id: <[u8; 16]>::try_from(record.trace_id.as_slice())
            .ok()
            .filter(|trace| *trace != [0; 16])
            .map(|trace| hex(&trace)),
        request_id: own_key.or_else(|| fallback_key(attributes, at)),
        other_keys,
        metadata: Some(metadata((resource, scope), record, attributes, user.as_deref())),
        content: Content::default(),
        side_calls: Vec::new(),
    })
}

/// What was counted, by the provider's own rules. Nothing but zeros is what an agent says that was told nothing.
fn usage(agent: Agent, attributes: &Attributes) -> Usage {
    let (provider, names) = match agent {
        Agent::ClaudeCode => return claude_code_usage(attributes),
        Agent::Codex => ("openai", CODEX),
        Agent::Gemini { .. } => ("google", GEMINI),
    };
    read_usage(provider, names, attributes)
}

/// The counts of Claude Code, in its events and in its spans.
pub(super) fn claude_code_usage(attributes: &Attributes) -> Usage {
    read_usage("anthropic", CLAUDE_CODE, attributes)
}

fn read_usage(provider: &str, names: &[(&str, &str)], attributes: &Attributes) -> Usage {
    let counts = names.iter().filter_map(|(name, pointer)| Some((*pointer, attributes.count(&[name])?)));
    let counts: Vec<_> = counts.filter(|(_, count)| *count <= limits::COUNT_MAX).collect();
    if counts.iter().all(|(_, count)| *count == 0) {
        return Usage::new();
    }
    let mut object = json!({});
    for (pointer, count) in counts {
        put(&mut object, pointer, count);
    }
    usage_from_object(Some(provider), &object).unwrap_or_default()
}

/// Sets what `pointer` points to, which is at most two deep.
fn put(object: &mut Value, pointer: &str, count: u64) {
    let mut place = object;
    for name in pointer.split('/').skip(1) {
        let Value::Object(fields) = place else { return };
        place = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    *place = Value::from(count);
}

/// Who sold the call. A model of Claude Code's that has another's name for it was sold by them.
fn provider(agent: Agent, model: Option<&str>) -> Option<&'static str> {
    match agent {
        Agent::ClaudeCode => {
            let is_own = model.is_some_and(|model| model.starts_with("claude") && !model.contains('@'));
            is_own.then_some("anthropic")
        }
        Agent::Codex => Some("openai"),
        Agent::Gemini { provider } => provider,
    }
}

/// The keys of a call by ids that others know, too.
fn keys(agent: Agent, attributes: &Attributes) -> (Option<String>, Vec<String>) {
    match agent {
        Agent::ClaudeCode => claude_code_keys(attributes),
        Agent::Codex => (None, Vec::new()),
        Agent::Gemini { provider } => (identity(provider, attributes.text(&["response_id"])), Vec::new()),
    }
}

/// By the id of the reply and that of the request; where there was no reply, by that which the client gave the request.
pub(super) fn claude_code_keys(attributes: &Attributes) -> (Option<String>, Vec<String>) {
    let provider = Some(claude_code_provider(attributes.text(&["model", "gen_ai.request.model"])));
    // Under the name of the reply's id its spans say that of the request.
    let said = attributes.text(&["gen_ai.response.id"]);
    let (reply, request) = said
        .map_or((None, None), |id| if id.starts_with("msg_") { (Some(id), None) } else { (None, Some(id)) });
    let request =
        attributes.text(&["request_id"]).or(request).or_else(|| attributes.text(&["client_request_id"]));
    let reply = identity(provider, reply);
    let request = request_identity(provider, request);
    let mut keys = reply.into_iter().chain(request);
    (keys.next(), keys.collect())
}

/// Whose ids those are that Claude Code tells: each seller of its models has names of their own for them.
fn claude_code_provider(model: Option<&str>) -> &'static str {
    match model {
        Some(model) if model.contains("anthropic.") || model.starts_with("arn:") => "bedrock",
        Some(model) if model.contains('@') => "vertex",
        _ => "anthropic",
    }
}

/// The key of a call of which no id is known: when it ended, in which conversation, and what it used.
fn fallback_key(attributes: &Attributes, at: u64) -> Option<String> {
    let said = |names: &[&str]| attributes.text(names).unwrap_or_default();
    let session = text::cut(session(attributes).unwrap_or_default(), 80);
    let time = attributes
        .text(&["event.timestamp"])
        .map_or_else(|| at.to_string(), |at| text::cut(at, 40).to_owned());
    let number = |names: &[&str]| attributes.count(names).unwrap_or_default();
    let sequence = number(&["event.sequence"]);
    let input = number(&["input_tokens", "input_token_count", "gen_ai.usage.input_tokens"]);
    let output = number(&["output_tokens", "output_token_count", "gen_ai.usage.output_tokens"]);
    let model = text::cut(said(&["model", "gen_ai.request.model"]), 60);
    text::reference("key", &format!("log:{session}:{sequence}:{time}:{model}:{input}:{output}")).ok()
}

fn session(attributes: &Attributes) -> Option<&str> {
    attributes.text(names::SESSION).or_else(|| attributes.text(&["conversation.id"]))
}

/// When a call ended, in nanoseconds; 0 if nobody says.
fn time(record: &LogRecord, attributes: &Attributes) -> u64 {
    let said = || {
        let at: Timestamp = attributes.text(&["event.timestamp"])?.parse().ok()?;
        u64::try_from(at.as_nanosecond()).ok()
    };
    let times = [record.time_unix_nano, record.observed_time_unix_nano];
    times.into_iter().find(|time| *time > 0).or_else(said).unwrap_or_default()
}

fn error(attributes: &Attributes) -> CallError {
    let message = attributes.text(&["error.message", "error", "error_message"]);
    let code = attributes.text(&["error.type", "error_type"]).map(str::to_owned);
    let status =
        attributes.count(&["status_code", "http.response.status_code"]).filter(|status| *status >= 400);
    let message =
        message.map(|message| redact(text::cut(message, limits::ERROR_MESSAGE_BYTES_MAX)).replace('\0', ""));
    CallError { code: keepable(status.map(|status| status.to_string()).or(code)), message }
}

fn metadata(
    (resource, scope): (&Resource, &Scope),
    record: &LogRecord,
    attributes: &Attributes,
    user: Option<&str>,
) -> String {
    let body = record.body.as_ref().and_then(message::AnyValue::text);
    let named = attributes
        .text(&["event.name"])
        .or_else(|| Some(record.event_name.as_str()).filter(|name| !name.is_empty()));
    let short = |text: &str| text::cut(text, limits::DIMENSION_BYTES_MAX).to_owned();
    let mut metadata = span::origin(resource, scope);
    metadata.insert("event".to_owned(), named.or(body).map(short).into());
    if let Some(span) = span::place_of(&record.trace_id, &record.span_id) {
        metadata.insert("parentSpanId".to_owned(), hex(&span.span).into());
    }
    if let Some(user) = user {
        metadata.insert("endUser".to_owned(), short(user).into());
    }
    // What the agent takes it to cost is not what it cost.
    if let Some(cost) = attributes.number("cost_usd") {
        metadata.insert("reportedCost".to_owned(), cost);
    }
    metadata.insert("attributes".to_owned(), attributes.kept().into());
    Value::Object(metadata).to_string()
}
