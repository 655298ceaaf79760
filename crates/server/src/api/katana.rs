//! What Cost Katana's published clients send, as they are: the packages `cost-katana` for Node and for Python.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
};
use domain::{Invalid, ProjectId, id::NotAnId, ingest::NewUsage, text, usage_record::Origin, user::Role};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    api::{
        usage::{TrackUsage, Tracked, read_call, record_call},
        usage_bulk::{Bulk, BulkOutcome},
    },
    app::App,
    auth::{Auth, Ingest},
    error::{Failure, Result},
    input::{parse_json, read_body, require_json},
    reply::{Nothing, Success},
    track::katana,
};

/// Entries of the clients' loggers.
#[derive(Debug, ToSchema)]
#[schema(as = CallLogs)]
#[expect(dead_code, reason = "documents the body")]
pub struct CallLogs {
    /// The entries; also a list, or one entry, without anything around.
    logs: Vec<CallLog>,
}

/// A call as a logger tells it; `TrackUsage` says what else is read.
#[derive(Debug, ToSchema)]
#[schema(as = CallLog, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `track::katana` reads")]
struct CallLog {
    /// Who sold it.
    service: Option<String>,
    /// Kind of call.
    operation: Option<String>,
    /// Model that was asked for.
    ai_model: String,
    /// HTTP status that the provider answered with.
    status_code: Option<u16>,
    /// Whether it succeeded.
    success: Option<bool>,
    /// From request to the end of the answer, in milliseconds.
    response_time: Option<u64>,
    /// From request to the first byte of the answer, in milliseconds.
    ttfb: Option<u64>,
    /// Input tokens. The loggers send 0 for what nobody counted: counts that are all 0 are taken as unknown.
    input_tokens: Option<u64>,
    /// Output tokens.
    output_tokens: Option<u64>,
    /// Tokens in and out.
    total_tokens: Option<u64>,
    /// What was asked; kept only if the project keeps prompts.
    prompt: Option<String>,
    /// What was answered; kept only if the project keeps prompts.
    result: Option<String>,
    /// What the client says it cost, in US dollars.
    #[schema(value_type = Option<f64>, format = "decimal")]
    cost: Option<()>,
    /// Key of the call, which the loggers make: the same key is the same record.
    request_id: Option<String>,
}

/// What became of entries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogsOutcome {
    /// Those that tell of calls.
    #[serde(flatten)]
    calls: BulkOutcome,
    /// Entries that tell of no call of a model, such as a template that was filled in; they are not kept.
    no_calls: u64,
}

/// What a client tells of a request of its own.
#[derive(Debug, ToSchema)]
#[schema(as = RequestTold)]
#[expect(dead_code, reason = "documents what is not looked at")]
pub struct RequestTold {
    /// Which request; the client sends much more.
    #[schema(value_type = Option<Object>)]
    context: Option<()>,
}

#[derive(Deserialize)]
struct Logs<'a> {
    #[serde(borrow)]
    logs: Option<Vec<&'a RawValue>>,
}

/// Record one call, as the published SDKs send it: `provider` or `service`, `estimatedCost`, nested `usage`.
#[utoipa::path(post, path = "/usage/track-sdk", tag = "Usage", operation_id = "track_usage_sdk",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key from the same account is the same record, however often it is sent"),
        ("X-CostKatana-Request-Id" = Option<String>, Header, description = "Key of a call that has no other"),
        ("X-Project-Id" = Option<String>, Header, description = "Project of a call that names none"),
    ),
    request_body = TrackUsage,
    responses((status = 201, body = Success<Tracked>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 413, body = Failure), (status = 422, body = Failure), (status = 503, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn track_usage_sdk(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<Tracked>> {
    let body = read_call(&app, &auth.caller, &headers, body).await?;
    let mut new = katana::read_call(&body, app.clock.now())?;
    if let (None, Some(key)) = (&new.request_id, said(&headers, "x-costkatana-request-id")) {
        new.request_id = Some(text::reference("X-CostKatana-Request-Id", key)?);
    }
    let new = of_project(new, project(&headers)?);
    record_call(&app, &auth.caller, &headers, new, Origin::Sdk).await
}

/// Record the calls that the published clients' loggers gathered.
///
/// A bad entry fails alone. Entries that a client sends again, because it did not hear the answer, are known by their
/// `requestId`.
#[utoipa::path(post, path = "/ai-logs", tag = "Usage", operation_id = "log_calls",
    params(("X-Project-Id" = Option<String>, Header, description = "Project of calls that name none")),
    request_body = CallLogs,
    responses((status = 200, body = Success<LogsOutcome>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 413, body = Failure), (status = 415, body = Failure), (status = 422, body = Failure), (status = 503, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn log_calls(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<LogsOutcome>> {
    auth.caller.require_role(Role::Member)?;
    require_json(said(&headers, header::CONTENT_TYPE.as_str()))?;
    let body = read_body(body, app.config.limits.bulk_body_bytes_max, &app).await?;
    let project = project(&headers)?;
    let mut bulk = Bulk::new(&app, &auth.caller, Origin::Sdk);
    let mut no_calls = 0;
    for entry in entries_in(&body)? {
        let read = katana::read_entry(entry.get().as_bytes(), app.clock.now());
        if let Some(read) = read.transpose() {
            bulk.take_read(read.map(|new| of_project(new, project))).await?;
        } else {
            bulk.count_one();
            no_calls += 1;
        }
    }
    let calls = bulk.finish().await?;
    Ok(Success::ok(LogsOutcome { calls, no_calls }))
}

/// Take what the published client for Node tells of a request of its own. Nothing of it is kept.
///
/// It tells of requests to this server, not of calls of models: those are recorded by what they came with.
#[utoipa::path(post, path = "/usage/track-comprehensive", tag = "Usage", operation_id = "report_request",
    request_body = RequestTold,
    responses((status = 202, body = Success<Nothing>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 413, body = Failure), (status = 415, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn report_request(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<Nothing>> {
    let body = read_call(&app, &auth.caller, &headers, body).await?;
    parse_json::<IgnoredAny>(&body)?;
    Ok(Success::accepted(Nothing {}))
}

/// What a header says; an empty one says nothing.
fn said<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

/// The project that the client was set up with.
fn project(headers: &HeaderMap) -> Result<Option<ProjectId>, Invalid> {
    let read =
        |text: &str| text.parse().map_err(|error: NotAnId| Invalid::field("X-Project-Id", error.to_string()));
    said(headers, "x-project-id").map(read).transpose()
}

fn of_project(new: NewUsage, project: Option<ProjectId>) -> NewUsage {
    NewUsage { project_id: new.project_id.or(project), ..new }
}

/// The entries of a body, unread: `{ "logs": [ … ] }`, a list, or one entry.
fn entries_in(body: &[u8]) -> Result<Vec<&RawValue>> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return parse_json(body);
    }
    let Logs { logs } = parse_json(body)?;
    logs.map_or_else(|| parse_json(body).map(|entry| vec![entry]), Ok)
}
