//! Records as files.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{Interval, Invalid, query::Filter};

use crate::{
    api::usage_query::{FilterParams, filter, is_filter},
    app::App,
    auth::{Auth, ProjectAccess, Read, Viewer},
    error::{Failure, Result},
    export::{Export, Format},
    input::Pairs,
};

/// Form of an export.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameter")]
pub struct FormatParam {
    /// `json` (unless told otherwise), `ndjson` or `csv`.
    format: Option<String>,
}

/// Download records: every one that the filters let through, oldest first, without a cap.
#[utoipa::path(get, path = "/usage/export", tag = "Usage", operation_id = "export_usage",
    params(FormatParam, FilterParams),
    responses((status = 200, content((String = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn export_usage(State(app): State<App>, auth: Auth<Read>, pairs: Pairs) -> Result<Response> {
    let filter = filter(&pairs, auth.caller.visibility(&app).await?, Interval::ALWAYS)?;
    download(&app, &pairs, filter)
}

/// Download a project's records.
#[utoipa::path(get, path = "/projects/{projectId}/export", tag = "Projects", operation_id = "export_project",
    params(("projectId" = String, Path, description = "Id of the project"), FormatParam, FilterParams),
    responses((status = 200, content((String = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn export_project(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
    pairs: Pairs,
) -> Result<Response> {
    let filter = filter(&pairs, access.caller.visibility(&app).await?, Interval::ALWAYS)?;
    download(&app, &pairs, filter.of_project(access.project.id))
}

fn download(app: &App, pairs: &Pairs, filter: Filter) -> Result<Response> {
    pairs.only(|name| is_filter(name) || name == "format")?;
    let format = format_of(pairs)?;
    let (media_type, ending) = format.media_type();
    let name = format!("attachment; filename=\"usage.{ending}\"");
    let body = Export::new(std::sync::Arc::clone(&app.usage), filter, format).into_body();
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(name).map_err(crate::error::ApiError::internal)?,
    );
    Ok(response)
}

/// The form that is asked for.
pub(super) fn format_of(pairs: &Pairs) -> Result<Format, Invalid> {
    Ok(pairs.parsed("format", Format::from_name, "json, ndjson or csv")?.unwrap_or(Format::Json))
}
