//! Whether the server is well, for machines.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "Operations", operation_id = "check_health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn check_health() -> &'static str {
    "ok\n"
}

/// Whether the server can take requests: its store answers and it is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "Operations", operation_id = "check_readiness", security(()),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = String, content_type = "text/plain")))]
pub async fn check_readiness(State(app): State<App>) -> Response {
    if app.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match app.usage.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}

/// Measurements in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "Operations", operation_id = "get_metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn get_metrics(State(app): State<App>) -> Response {
    app.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render())
        .into_response()
}
