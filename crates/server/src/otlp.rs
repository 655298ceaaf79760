//! OpenTelemetry's door: OTLP over HTTP, <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! What spans and log records mean is in [`domain::wire::opentelemetry`]; here is how they come and what is answered.
//! Requests may be sent again: every call has a key.

pub mod aggregates;
mod answer;
mod body;

use std::collections::HashMap;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::HeaderMap,
    response::Response,
};
use domain::{
    ingest::NewUsage,
    usage_record::Origin,
    user::Role,
    wire::opentelemetry::{self, Encoding, Malformed, Parent, Rejected},
};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Caller, Ingest},
    error::{ApiError, ErrorCode, Result},
    ingest::ingest,
    input::read_body,
    limits::INGEST_BATCH_RECORDS,
};

use aggregates::{Arrived, Called};

pub use aggregates::Aggregates;
pub use answer::{LogsAccepted, MetricsAccepted, RpcStatus, TracesAccepted, refuse_as_otlp};

/// The routes, whose answers are OTLP's also where they refuse.
const PATHS: [&str; 3] = ["/v1/traces", "/v1/logs", "/v1/metrics"];

/// `ExportTraceServiceRequest`: spans by what produced them, as OTLP defines it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `domain::wire::opentelemetry` reads")]
pub struct TracesExport {
    /// Spans of one service: `resource` and `scopeSpans`.
    #[schema(rename = "resourceSpans", value_type = Vec<Object>)]
    resource_spans: Vec<()>,
}

/// `ExportLogsServiceRequest`: log records by what produced them, as OTLP defines it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `domain::wire::opentelemetry` reads")]
pub struct LogsExport {
    /// Log records of one service: `resource` and `scopeLogs`.
    #[schema(rename = "resourceLogs", value_type = Vec<Object>)]
    resource_logs: Vec<()>,
}

/// `ExportMetricsServiceRequest`: metrics by what produced them, as OTLP defines it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `domain::wire::opentelemetry` reads")]
pub struct MetricsExport {
    /// Metrics of one service: `resource` and `scopeMetrics`.
    #[schema(rename = "resourceMetrics", value_type = Vec<Object>)]
    resource_metrics: Vec<()>,
}

/// Record the model calls of traces, as OpenTelemetry sends them.
///
/// An `ExportTraceServiceRequest` in protobuf or JSON, also compressed with gzip. Spans that are calls of models become
/// records; all others are taken and not kept.
#[utoipa::path(post, path = "/v1/traces", tag = "OpenTelemetry", operation_id = "export_traces",
    request_body(content((String = "application/x-protobuf"), (TracesExport = "application/json"))),
    responses((status = 200, body = TracesAccepted), (status = 400, body = RpcStatus), (status = 401, body = RpcStatus), (status = 403, body = RpcStatus), (status = 413, body = RpcStatus), (status = 415, body = RpcStatus), (status = 429, body = RpcStatus), (status = 503, body = RpcStatus)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn export_traces(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let request = Request::read(&app, &auth.caller, &headers, body).await?;
    let now = app.clock.now();
    let mut told =
        request.parse(move |encoding, body| opentelemetry::read_traces(encoding, body, now)).await?;
    let _held = app.aggregates.hold().await;
    let calls = app.nesting.settle(auth.caller.user.id, &mut told);
    let mut rejected = told.rejected;
    let parents: HashMap<_, _> = told.parents.iter().copied().collect();
    let called = calls.iter().filter(|call| !call.new.usage.is_empty()).map(|call| {
        let parent = parents.get(&call.id).copied().flatten();
        Called {
            trace: call.id.trace,
            parent: parent.map_or(Parent::None, |parent| Parent::Span(parent.span)),
        }
    });
    let arrived = Arrived { calls: called.collect(), spans: told.parents, aggregates: told.aggregates };
    app.aggregates.take(&app, &auth.caller, arrived, &mut rejected).await?;
    let calls = calls.into_iter().map(|call| call.new).collect();
    record(&app, &auth.caller, calls, &mut rejected).await?;
    Ok(answer::write(request.encoding, &TracesAccepted::from(rejected)))
}

/// Record the model calls in logs, as coding agents send them.
///
/// An `ExportLogsServiceRequest` in protobuf or JSON, also compressed with gzip. Events that tell of calls of models become
/// records: those of Claude Code, Codex CLI, Gemini CLI and Qwen Code, and `gen_ai.client.inference.operation.details`; all
/// others are taken and not kept.
#[utoipa::path(post, path = "/v1/logs", tag = "OpenTelemetry", operation_id = "export_logs",
    request_body(content((String = "application/x-protobuf"), (LogsExport = "application/json"))),
    responses((status = 200, body = LogsAccepted), (status = 400, body = RpcStatus), (status = 401, body = RpcStatus), (status = 403, body = RpcStatus), (status = 413, body = RpcStatus), (status = 415, body = RpcStatus), (status = 429, body = RpcStatus), (status = 503, body = RpcStatus)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn export_logs(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let request = Request::read(&app, &auth.caller, &headers, body).await?;
    let now = app.clock.now();
    let told = request.parse(move |encoding, body| opentelemetry::read_logs(encoding, body, now)).await?;
    let _held = app.aggregates.hold().await;
    let mut rejected = told.rejected;
    let called = told.calls.iter().filter(|call| !call.new.usage.is_empty()).filter_map(|call| {
        let span = call.span?;
        Some(Called { trace: span.trace, parent: Parent::Span(span.span) })
    });
    let arrived = Arrived { calls: called.collect(), spans: Vec::new(), aggregates: Vec::new() };
    app.aggregates.take(&app, &auth.caller, arrived, &mut rejected).await?;
    let calls = told.calls.into_iter().map(|call| call.new).collect();
    record(&app, &auth.caller, calls, &mut rejected).await?;
    Ok(answer::write(request.encoding, &LogsAccepted::from(rejected)))
}

/// Take metrics, and count none of them.
///
/// An `ExportMetricsServiceRequest` in protobuf or JSON, also compressed with gzip, so that an exporter of all signals finds
/// its endpoint. Metrics of tokens and costs add up calls that logs and traces tell of one by one: their points are
/// rejected, with the reason.
#[utoipa::path(post, path = "/v1/metrics", tag = "OpenTelemetry", operation_id = "export_metrics",
    request_body(content((String = "application/x-protobuf"), (MetricsExport = "application/json"))),
    responses((status = 200, body = MetricsAccepted), (status = 400, body = RpcStatus), (status = 401, body = RpcStatus), (status = 403, body = RpcStatus), (status = 413, body = RpcStatus), (status = 415, body = RpcStatus), (status = 429, body = RpcStatus), (status = 503, body = RpcStatus)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn export_metrics(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let request = Request::read(&app, &auth.caller, &headers, body).await?;
    let rejected = request.parse(opentelemetry::read_metrics).await?;
    Ok(answer::write(request.encoding, &MetricsAccepted::from(rejected)))
}

/// A request as it came.
struct Request {
    encoding: Encoding,
    is_compressed: bool,
    bytes_max: usize,
    body: Bytes,
}

impl Request {
    async fn read(app: &App, caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Self> {
        let encoding = body::encoding(headers).ok_or_else(|| {
            ApiError::new(
                ErrorCode::UnsupportedMediaType,
                "send the body as Content-Type: application/x-protobuf or application/json",
            )
        })?;
        caller.require_role(Role::Member)?;
        let is_compressed = body::is_compressed(headers)?;
        let bytes_max = app.config.limits.bulk_body_bytes_max;
        Ok(Self { encoding, is_compressed, bytes_max, body: read_body(body, bytes_max, app).await? })
    }

    /// What the body tells, read off the threads that serve requests: it takes as long as the body is.
    async fn parse<T: Send + 'static>(
        &self,
        parse: impl FnOnce(Encoding, &[u8]) -> Result<T, Malformed> + Send + 'static,
    ) -> Result<T> {
        let Self { encoding, is_compressed, bytes_max, .. } = *self;
        let body = self.body.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let body = if is_compressed { body::decompress(&body, bytes_max)? } else { body };
            parse(encoding, &body)
                .map_err(|malformed| ApiError::new(ErrorCode::MalformedBody, malformed.to_string()))
        });
        reading.await.map_err(ApiError::internal)?
    }
}

/// Records calls; what the store cannot take now fails the whole request, which may be sent again.
async fn record(app: &App, caller: &Caller, calls: Vec<NewUsage>, rejected: &mut Rejected) -> Result<()> {
    let mut calls = calls.into_iter().peekable();
    while calls.peek().is_some() {
        let batch = calls.by_ref().take(INGEST_BATCH_RECORDS).collect();
        for outcome in ingest(app, caller, batch, Origin::Otlp).await? {
            if let Err(error) = outcome {
                rejected.add(&error.message);
            }
        }
    }
    Ok(())
}
