//! Logs and measurements.

use std::{io::IsTerminal as _, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Bounds of the latency histogram, in seconds.
const LATENCY_BUCKETS_SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Starts writing logs to standard error.
pub fn start_logs(log: &Log) -> Result<(), anyhow::Error> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| anyhow::anyhow!("log.level: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logs could not be started: {error}"))
}

/// Starts measuring; the handle renders `/metrics`.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Full("aict_http_request_duration_seconds".to_owned()),
            &LATENCY_BUCKETS_SECONDS,
        )?
        .build_recorder();
    let handle = recorder.handle();
    // A second start in one process, as in tests, keeps the first recorder.
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::debug!("measurements go to the recorder that was started first");
    }
    describe();
    Ok(handle)
}

fn describe() {
    metrics::describe_counter!("aict_http_requests_total", "Requests answered, by method, route and status");
    metrics::describe_histogram!("aict_http_request_duration_seconds", "Time to the head of the answer");
    metrics::describe_counter!("aict_usage_records_total", "Records sent, by door and outcome");
    metrics::describe_counter!("aict_usage_unpriced_total", "Records kept without a cost, by provider");
    metrics::describe_counter!(
        "aict_gateway_refusals_total",
        "Calls that the gateway did not forward, by code"
    );
    metrics::describe_gauge!("aict_gateway_calls_in_progress", "Calls under way");
    metrics::describe_gauge!(
        "aict_gateway_journal_bytes",
        "Bytes of calls on disk that may not be in the store"
    );
    metrics::describe_counter!("aict_gateway_journal_errors_total", "Calls that could not be noted on disk");
    metrics::describe_counter!("aict_gateway_records_lost_total", "Records that the store did not take");
    metrics::describe_counter!(
        "aict_usage_priced_later_total",
        "Records whose price became known after they were kept"
    );
    metrics::describe_counter!(
        "aict_retention_contents_total",
        "Prompts and completions erased for their age"
    );
    metrics::describe_counter!("aict_retention_records_total", "Records deleted for their age");
    metrics::describe_counter!(
        "aict_otlp_aggregates_total",
        "Spans of agents that were decided of, or whose record gave way"
    );
    metrics::describe_counter!("aict_alerts_fired_total", "Alerts of budgets that fired");
    metrics::describe_counter!("aict_anomalies_total", "Spending far from usual that was found");
    metrics::describe_counter!("aict_audit_lost_total", "Changes that could not be noted in the audit log");
    metrics::describe_counter!("aict_events_dropped_total", "Events that nobody was told of, by kind");
    metrics::describe_counter!(
        "aict_delivery_attempts_total",
        "Attempts to tell somebody, by channel and outcome"
    );
    metrics::describe_counter!("aict_rate_limited_total", "Requests refused for being too many");
    metrics::describe_gauge!("aict_live_streams", "Open streams of what is recorded");
    metrics::describe_counter!("aict_live_cut_off_total", "Streams whose client did not read");
    metrics::describe_counter!("aict_task_panics_total", "Background tasks that panicked");
    metrics::describe_gauge!("aict_store_queued_jobs", "Writes that wait for the store");
    metrics::describe_counter!("aict_store_commits_total", "Transactions that the store made durable");
    metrics::describe_counter!("aict_store_records_total", "Records that the store made durable");
}

/// Logs and measures one request. The path is logged as its route, so that ids and names stay out of measurements.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %method, route, id = request_id(request.headers()));
    let response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::counter!("aict_http_requests_total", &labels).increment(1);
    metrics::histogram!("aict_http_request_duration_seconds", &labels[..2]).record(elapsed.as_secs_f64());
    span.in_scope(|| {
        let elapsed_ms = elapsed.as_millis();
        if status >= 500 {
            tracing::warn!(status, elapsed_ms, "answered");
        } else {
            tracing::debug!(status, elapsed_ms, "answered");
        }
    });
    response
}

/// What a caller sends as request id goes to the log cut short.
fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    domain::text::cut(id, 64).to_owned()
}
