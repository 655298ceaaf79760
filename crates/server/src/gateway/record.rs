//! What is known of a call, before it is forwarded and when it has ended.

use axum::http::StatusCode;
use domain::{
    ProjectId,
    ingest::{NewUsage, identity, request_identity},
    redact::redact,
    text,
    usage_record::{CallError, Content, Status},
    wire::Metered,
};
use jiff::Timestamp;
use pricing::{Money, Unit, Usage};
use serde::Serialize;
use serde_json::Value;

use super::{ask::Ask, attribution::Attribution, batch::BatchedCall, upstream::Upstream};

/// Bytes of an answer that are taken for a token, where nobody counted; the providers' own rule of thumb.
const BYTES_PER_TOKEN: u64 = 4;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The whole answer came.
    Whole,
    /// The provider broke off.
    Cut,
    /// The provider fell silent.
    Stalled,
    /// The client had left, and the rest was too much or too slow to read.
    NotDrained,
    /// There was no answer: the provider could not be reached.
    Unreachable,
    /// There was no answer: the provider could not show that it is whom we call.
    Untrusted,
    /// There was no answer in time.
    TimedOut,
}

/// What an answer told.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Status of the answer, if there was one.
    pub(super) status: Option<StatusCode>,
    /// How it ended.
    pub(super) end: End,
    /// Whether the client left before the end.
    pub(super) client_left: bool,
    /// What the provider calls the request.
    pub(super) request_id: Option<String>,
    /// What it said of the call.
    pub(super) metered: Metered,
    /// Bytes of what was answered, about.
    pub(super) answer_bytes: u64,
    /// The answer, where the project keeps it.
    pub(super) answer: Option<String>,
    /// The beginning of an answer that is an error, or why there was none.
    pub(super) error_body: Vec<u8>,
    /// From request to the first piece of the answer.
    pub(super) first_piece_ms: Option<u64>,
    /// From request to the end.
    pub(super) elapsed_ms: u64,
}

/// What has no field of its own; kept in the record's metadata.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    streamed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_left: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<&'a str>,
    /// The sender's name of a call in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<&'a str>,
}

/// What was asked, of whom, for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) upstream: &'a Upstream,
    pub(super) path: &'a str,
    pub(super) ask: &'a Ask,
    pub(super) attribution: &'a Attribution,
}

/// The call as it begins.
pub(super) fn begin(asked: Asked<'_>, project_id: Option<ProjectId>, now: Timestamp) -> NewUsage {
    let Asked { upstream, ask, attribution, .. } = asked;
    NewUsage {
        provider: Some(upstream.provider.clone()),
        model: ask.model.clone().unwrap_or_else(|| "unknown".to_owned()),
        response_model: None,
        operation: ask.operation.map(str::to_owned),
        service_tier: ask.service_tier.clone(),
        region: None,
        search_type: ask.search_type.clone(),
        usage: Usage::new(),
        side_calls: Vec::new(),
        tokens_estimated: false,
        reported_cost: None,
        provider_cost: None,
        occurred_at: Some(now),
        project_id,
        status: Status::Success,
        error: CallError::default(),
        response_time_ms: None,
        time_to_first_token_ms: None,
        allocation: attribution.allocation.clone(),
        tags: attribution.tags.clone(),
        user_email: attribution.user_email.clone(),
        customer_email: attribution.customer_email.clone(),
        session_id: attribution.session_id.clone(),
        trace_id: attribution.trace_id.clone(),
        request_id: None,
        other_keys: Vec::new(),
        metadata: None,
        content: Content::default(),
    }
}

/// The most that the call can use.
pub(super) fn most(ask: &Ask, assumed_output_tokens: u64) -> Usage {
    let usage = Usage::new().with(Unit::InputTokens, ask.input_tokens);
    match (ask.characters, ask.output_tokens(assumed_output_tokens)) {
        (Some(characters), _) => usage.with(Unit::InputCharacters, characters),
        (None, 0) => usage,
        (None, output) => usage.with(Unit::OutputTokens, output),
    }
}

/// Adds how the call ended.
pub(super) fn complete(call: &mut NewUsage, asked: Asked<'_>, outcome: Outcome) {
    call.metadata = details(asked, &outcome);
    let ask = asked.ask;
    let Outcome {
        status,
        end,
        request_id,
        metered,
        answer_bytes,
        answer,
        error_body,
        first_piece_ms,
        elapsed_ms,
        ..
    } = outcome;
    let is_refused = status.is_some_and(|status| status.is_client_error() || status.is_server_error());
    call.content.completion = answer.map(|answer| redact(&answer).into_owned());
    call.response_time_ms = Some(elapsed_ms);
    call.time_to_first_token_ms = first_piece_ms.filter(|_| ask.streams && !is_refused);
    call.error = error(status.filter(|_| is_refused), end, &error_body);
    call.status = if call.error == CallError::default() { Status::Success } else { Status::Error };
    call.request_id = identity(call.provider.as_deref(), metered.response_id.as_deref());
    call.other_keys.extend(request_identity(call.provider.as_deref(), request_id.as_deref()));
    add_metered(call, metered);
    if !call.usage.is_empty() || call.provider_cost.is_some() {
        return;
    }
    if is_refused || matches!(end, End::Unreachable | End::Untrusted) {
        // Providers do not charge for a request that they refuse, and that is known, not unknown.
        call.provider_cost = Some(Money::ZERO);
    } else if let Some(characters) = ask.characters {
        call.usage = Usage::new().with(Unit::InputCharacters, characters);
    } else if status.is_some() {
        call.usage = Usage::new().with(Unit::InputTokens, ask.input_tokens);
        if ask.output_tokens(1) > 0 {
            call.usage.set(Unit::OutputTokens, answer_bytes.div_ceil(BYTES_PER_TOKEN));
        }
        call.tokens_estimated = true;
    }
}

fn add_metered(call: &mut NewUsage, metered: Metered) {
    // A provider's words: what cannot be kept as it is says nothing.
    let keepable = |text: Option<String>| text.and_then(|text| text::dimension_value("reply", &text).ok());
    call.response_model = keepable(metered.response_model);
    call.service_tier = keepable(metered.service_tier).or_else(|| call.service_tier.take());
    call.region = keepable(metered.region);
    call.search_type = keepable(metered.search_type).or_else(|| call.search_type.take());
    call.provider_cost =
        metered.provider_cost.filter(|cost| (Money::ZERO..=domain::limits::COST_MAX).contains(cost));
    call.usage = metered.usage;
    call.side_calls = metered.side_calls;
}

/// A call of a batch whose results were fetched. The reply's id is its identity, or the provider's id of its line, or
/// where it stands: fetched again, it is the same call.
pub(super) fn batched(
    asked: Asked<'_>,
    batched: BatchedCall,
    project_id: Option<ProjectId>,
    now: Timestamp,
) -> NewUsage {
    let BatchedCall { operation, metered, custom_id, line_id, line } = batched;
    let mut call = begin(asked, project_id, now);
    let place = || format!("{}#{line}", text::cut(asked.path, 128));
    let id = metered.response_id.clone().or(line_id).unwrap_or_else(place);
    let details = Details {
        path: text::cut(asked.path, 512),
        upstream: None,
        http_status: None,
        streamed: false,
        client_left: false,
        end_user: asked.attribution.end_user.as_deref(),
        request_id: asked.attribution.request_id.as_deref(),
        provider_request_id: None,
        finish: metered.finish.as_deref(),
        custom_id: custom_id.as_deref(),
    };
    call.metadata = serde_json::to_string(&details).ok();
    call.request_id = identity(call.provider.as_deref(), Some(&id));
    call.operation = Some(operation.to_owned());
    add_metered(&mut call, metered);
    // Nobody says what was asked for; what answered is what is charged.
    call.model = call.response_model.take().unwrap_or(call.model);
    call
}

fn details(asked: Asked<'_>, outcome: &Outcome) -> Option<String> {
    let Asked { upstream, path, ask, attribution } = asked;
    let details = Details {
        path: text::cut(path, 512),
        upstream: (upstream.name != upstream.provider).then_some(upstream.name.as_str()),
        http_status: outcome.status.map(|status| status.as_u16()),
        streamed: ask.streams,
        client_left: outcome.client_left,
        end_user: attribution.end_user.as_deref(),
        request_id: attribution.request_id.as_deref(),
        provider_request_id: outcome.request_id.as_deref(),
        finish: outcome.metered.finish.as_deref(),
        custom_id: None,
    };
    serde_json::to_string(&details).ok()
}

fn error(refusal: Option<StatusCode>, end: End, body: &[u8]) -> CallError {
    let told = |code: &str, message: &str| CallError {
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
    };
    match (refusal, end) {
        (Some(status), _) => CallError { code: Some(status.as_u16().to_string()), message: message_in(body) },
        (None, End::Whole) => CallError::default(),
        (None, End::Cut) => told("cut", "the provider broke off before the end of its answer"),
        (None, End::Stalled) => told("stalled", "the provider fell silent before the end of its answer"),
        (None, End::NotDrained) => {
            told("not_drained", "the client left, and the rest of the answer was not waited for")
        }
        (None, End::Unreachable) => told("unreachable", &because("the provider could not be reached", body)),
        (None, End::Untrusted) => {
            told("untrusted", &because("the provider's certificate is not valid", body))
        }
        (None, End::TimedOut) => told("timeout", "the provider did not begin to answer in time"),
    }
}

fn because(what: &str, reason: &[u8]) -> String {
    let text = format!("{what}: {}", String::from_utf8_lossy(reason));
    text::cut(&text, domain::limits::ERROR_MESSAGE_BYTES_MAX).to_owned()
}

/// The message in a provider's error, or the beginning of whatever it is.
fn message_in(body: &[u8]) -> Option<String> {
    let said = serde_json::from_slice::<Value>(body).ok().and_then(|value| {
        let error = value.get(0).unwrap_or(&value);
        let places =
            [error.pointer("/error/message"), error.get("message"), error.get("error"), error.get("detail")];
        places.into_iter().flatten().find_map(Value::as_str).map(str::to_owned)
    });
    let text = said.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    let text = text::cut(&text, domain::limits::ERROR_MESSAGE_BYTES_MAX).replace('\0', "");
    (!text.is_empty()).then_some(text)
}
