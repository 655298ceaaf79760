//! Usage as it happens.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, request::Parts},
    response::{IntoResponse as _, Response, Sse},
};
use domain::{Invalid, ProjectId};

use crate::{
    app::App,
    auth::{Auth, Caller, Read},
    error::{ApiError, Failure, Result},
    input::Pairs,
    live::stream::{self, TrackedUsage, Wish},
};

/// Follow what is recorded: server-sent events, one for each record that the caller may see, from now on.
///
/// `usage.tracked` carries a record; its `id` sent back as `Last-Event-ID` goes on behind it, without a gap and without a
/// double. `reset` says that more was recorded meanwhile than is told again (10,000 records): read it from `/api/usage`.
/// `end` says, with an error code, that the credential does not hold any more. Every 15 seconds there is a comment.
#[utoipa::path(get, path = "/usage/stream", tag = "Usage", operation_id = "stream_usage",
    params(("projectId" = Option<String>, Query, description = "One project only"),
        ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was read; browsers send it by themselves")),
    responses((status = 200, content((TrackedUsage = "text/event-stream"))), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure), (status = 429, body = Failure), (status = 503, body = Failure)))]
pub async fn stream_usage(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
    parts: Parts,
) -> Result<Response> {
    pairs.only(|name| name == "projectId")?;
    let project = match pairs.last("projectId") {
        Some(id) => Some(find_project(&app, &auth.caller, id).await?),
        None => None,
    };
    let wish = Wish { project, after: last_event_id(&parts)? };
    let mut response = Sse::new(stream::open(&app, &auth.caller, parts, wish).await?).into_response();
    // Proxies that gather an answer before they pass it on are asked not to.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn find_project(app: &App, caller: &Caller, id: &str) -> Result<ProjectId> {
    let id = id.parse().map_err(|_| ApiError::project_not_found())?;
    let (project, _) = caller.find_project(app, id).await?.ok_or_else(ApiError::project_not_found)?;
    Ok(project.id)
}

fn last_event_id(parts: &Parts) -> Result<Option<u64>, Invalid> {
    let Some(value) = parts.headers.get("last-event-id") else { return Ok(None) };
    let place = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    place
        .map(Some)
        .ok_or_else(|| Invalid::field("Last-Event-ID", "must be the id of an event of this stream"))
}
