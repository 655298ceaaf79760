//! Spending that was far from usual, and what people say of it.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    AnomalyId, ProjectId, UserId,
    anomaly::{Anomaly, Basis, Expectation, Span, check_note},
    project::ProjectRole,
    user::Role,
};
use jiff::Timestamp;
use pricing::Money;
use serde::{Deserialize, Serialize};
use store::AnomalyQuery;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Caller, Read, Write, projects_of},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, Query, path_id},
    reply::{PageSize, Success},
};

/// Spending that was far from usual.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyView {
    /// Id.
    #[schema(value_type = String)]
    id: AnomalyId,
    /// In which project; `null` for calls without one.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// How the project is called.
    project_name: Option<String>,
    /// Who sold the calls.
    service: String,
    /// Which model.
    model: String,
    /// Whether an hour or a UTC day was unusual.
    span: Span,
    /// First instant of that hour or day.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// What it had cost when that was found.
    #[schema(value_type = f64, format = "decimal")]
    spent: Money,
    /// What is usual: the median of the times that it is compared with.
    #[schema(value_type = f64, format = "decimal")]
    usual: Money,
    /// Median distance of those times from it.
    #[schema(value_type = f64, format = "decimal")]
    deviation: Money,
    /// How many times were compared with.
    samples: u32,
    /// Which times.
    basis: Basis,
    /// How many times what is usual was spent, to a tenth, e.g. `4.2`.
    times: String,
    /// In one line, e.g. `gpt-4o spent 4.2 times its usual Tuesday`.
    explanation: String,
    /// When it was found.
    #[schema(value_type = String, format = DateTime)]
    found_at: Timestamp,
    /// Who said that it was to be expected, and why; `null` as long as nobody did.
    expected: Option<ExpectationView>,
}

/// Somebody's word that an anomaly was to be expected.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpectationView {
    /// Account of who said so.
    #[schema(value_type = String)]
    by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why; may be empty.
    note: String,
}

/// Which part of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyParams {
    /// Those of this project only.
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// `false`: those that nobody expected; `true`: those that somebody did. Both unless told otherwise.
    expected: Option<bool>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<AnomalyId>,
    /// Most anomalies on the page, 1 to 100; 20 unless told otherwise.
    limit: Option<u64>,
}

/// What somebody says of an anomaly.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AnomalyChange {
    /// Whether it was to be expected: as much again is then not told for eight weeks.
    expected: bool,
    /// Why; at most 500 characters.
    #[serde(default)]
    note: String,
}

/// List spending that was far from usual, the latest first.
#[utoipa::path(get, path = "/anomalies", tag = "Budgets", operation_id = "list_anomalies",
    params(AnomalyParams),
    responses((status = 200, body = Success<Vec<AnomalyView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_anomalies(
    State(app): State<App>,
    auth: Auth<Read>,
    Query(params): Query<AnomalyParams>,
) -> Result<Success<Vec<AnomalyView>>> {
    let names = visible(&app, &auth.caller).await?;
    let size = PageSize::of(params.limit);
    let query = AnomalyQuery {
        projects: asked_for(&auth.caller, &names, params.project_id),
        expected: params.expected,
        before: params.cursor,
        limit: size.to_read(),
    };
    let mut anomalies = app.meta.list_anomalies(&query).await?;
    let pagination = size.cut(&mut anomalies, params.cursor.is_some(), |anomaly| anomaly.id.to_string());
    let views = anomalies.into_iter().map(|anomaly| AnomalyView::new(anomaly, &names)).collect();
    Ok(Success::ok(views).with_pagination(pagination))
}

/// Say whether an anomaly was to be expected. Asks for the role `admin` in the project.
#[utoipa::path(put, path = "/anomalies/{anomalyId}", tag = "Budgets", operation_id = "update_anomaly",
    params(("anomalyId" = String, Path, description = "Id of the anomaly")),
    request_body = AnomalyChange,
    responses((status = 200, body = Success<AnomalyView>), (status = 401, body = Failure), (status = 403, body = Failure),
        (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn update_anomaly(
    State(app): State<App>,
    auth: Auth<Write>,
    AnomalyInPath(id): AnomalyInPath,
    Json(change): Json<AnomalyChange>,
) -> Result<Success<AnomalyView>> {
    let mut anomaly = app.meta.find_anomaly(id).await?.ok_or_else(anomaly_not_found)?;
    let mut names = HashMap::new();
    match anomaly.series.project_id {
        Some(project) => {
            let found = auth.caller.find_project(&app, project).await?;
            let (project, role) = found.ok_or_else(anomaly_not_found)?;
            if role < ProjectRole::Admin {
                return Err(ApiError::forbidden("admin of the project"));
            }
            auth.caller.trail.project(project.id);
            names.insert(project.id, project.name);
        }
        None if auth.caller.user.role.sees_everything() => auth.caller.require_role(Role::Admin)?,
        None => return Err(anomaly_not_found()),
    }
    let note = check_note("note", &change.note)?;
    let by = auth.caller.user.id;
    anomaly.expected = change.expected.then(|| Expectation { by, at: app.clock.now(), note });
    if !app.meta.mark_anomaly(id, anomaly.expected.as_ref()).await? {
        return Err(anomaly_not_found());
    }
    Ok(Success::ok(AnomalyView::new(anomaly, &names)))
}

impl AnomalyView {
    fn new(anomaly: Anomaly, names: &HashMap<ProjectId, String>) -> Self {
        let (times, end) = (anomaly.times(), anomaly.period().end);
        Self {
            id: anomaly.id,
            project_id: anomaly.series.project_id,
            project_name: anomaly.series.project_id.and_then(|id| names.get(&id).cloned()),
            explanation: format!(
                "{} spent {times} times its usual {}",
                anomaly.series.model,
                anomaly.usual_time()
            ),
            service: anomaly.series.provider,
            model: anomaly.series.model,
            span: anomaly.span,
            start: anomaly.start,
            end,
            spent: anomaly.spent,
            usual: anomaly.usual.median,
            deviation: anomaly.usual.deviation,
            samples: anomaly.usual.samples,
            basis: anomaly.usual.basis,
            times,
            found_at: anomaly.at,
            expected: anomaly.expected.map(|Expectation { by, at, note }| ExpectationView { by, at, note }),
        }
    }
}

/// Names of the projects whose anomalies the caller may see.
async fn visible(app: &App, caller: &Caller) -> Result<HashMap<ProjectId, String>> {
    let projects = projects_of(app, &caller.user).await?;
    Ok(projects.into_iter().map(|project| (project.id, project.name)).collect())
}

/// Who sees everything also sees what belongs to no project.
fn asked_for(
    caller: &Caller,
    names: &HashMap<ProjectId, String>,
    only: Option<ProjectId>,
) -> Option<Vec<ProjectId>> {
    match only {
        Some(only) => Some(names.keys().copied().filter(|id| *id == only).collect()),
        None if caller.user.role.sees_everything() => None,
        None => Some(names.keys().copied().collect()),
    }
}

fn anomaly_not_found() -> ApiError {
    ApiError::new(
        ErrorCode::AnomalyNotFound,
        "there is no such anomaly, or you are not a member of its project",
    )
}

/// The anomaly's id in the path.
#[derive(Debug)]
pub struct AnomalyInPath(AnomalyId);

impl<S: Send + Sync> FromRequestParts<S> for AnomalyInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "anomalyId").await.map(Self).ok_or_else(anomaly_not_found)
    }
}
