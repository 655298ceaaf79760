//! Projects side by side.

use axum::extract::State;
use domain::{Invalid, ProjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    analytics::Question,
    api::{
        analytics::{
            PeriodView, ProjectSummary, Summary, TimelinePoint, project_summary,
            question::{AnalyticsParams, is_parameter, question},
            summary, timeline,
        },
        usage_query::FilterParams,
    },
    app::App,
    auth::{Auth, Caller, Read},
    error::{ApiError, Failure, Result},
    input::{Json, Pairs},
    limits,
    reply::Success,
};

/// Projects side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Comparison {
    /// The period.
    period: PeriodView,
    /// The projects, in the order asked for.
    projects: Vec<ComparedProject>,
}

/// One of the projects.
#[derive(Debug, Serialize, ToSchema)]
struct ComparedProject {
    /// The project.
    #[serde(flatten)]
    project: ProjectSummary,
    /// Its sums.
    summary: Summary,
    /// The same over time, without gaps.
    timeline: Vec<TimelinePoint>,
}

/// Which projects to compare.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CompareRequest {
    /// Ids of the projects; at most 20.
    #[schema(value_type = Vec<String>)]
    project_ids: Vec<ProjectId>,
    /// First day or instant.
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    end_date: Option<String>,
    /// Zone whose days count.
    time_zone: Option<String>,
    /// Length of the timeline's points.
    group_by: Option<String>,
}

/// Compare projects.
#[utoipa::path(get, path = "/analytics/projects/compare", tag = "Analytics", operation_id = "compare_projects",
    params(("projectIds" = String, Query, description = "Ids of the projects, separated by commas or repeated; at most 20"), AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Comparison>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn compare_projects(
    State(app): State<App>,
    auth: Auth<Read>,
    mut pairs: Pairs,
) -> Result<Success<Comparison>> {
    pairs.only(|name| is_parameter(name) || name == "projectIds")?;
    let ids = pairs.all("projectIds").flat_map(|value| value.split(','));
    let ids: Vec<ProjectId> = ids
        .map(|id| {
            id.trim()
                .parse()
                .map_err(|error: domain::id::NotAnId| Invalid::field("projectIds", error.to_string()))
        })
        .collect::<Result<_, _>>()?;
    pairs.0.retain(|(name, _)| name != "projectIds");
    compare(&app, &auth.caller, &pairs, &ids).await
}

/// Compare projects; the same with a body.
#[utoipa::path(post, path = "/analytics/compare", tag = "Analytics", operation_id = "compare_projects_by_body",
    request_body = CompareRequest,
    responses((status = 200, body = Success<Comparison>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn compare_projects_by_body(
    State(app): State<App>,
    auth: Auth<Read>,
    Json(request): Json<CompareRequest>,
) -> Result<Success<Comparison>> {
    let CompareRequest { project_ids, start_date, end_date, time_zone, group_by } = request;
    let named =
        [("startDate", start_date), ("endDate", end_date), ("timeZone", time_zone), ("groupBy", group_by)];
    let pairs = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    compare(&app, &auth.caller, &Pairs(pairs.collect()), &project_ids).await
}

async fn compare(
    app: &App,
    caller: &Caller,
    pairs: &Pairs,
    ids: &[ProjectId],
) -> Result<Success<Comparison>> {
    if ids.is_empty() || ids.len() > limits::COMPARE_PROJECTS_MAX {
        let message = format!("must name 1 to {} projects", limits::COMPARE_PROJECTS_MAX);
        return Err(Invalid::field("projectIds", message).into());
    }
    let question = question(pairs, caller.visibility(app).await?, app.clock.now())?;
    let mut projects = Vec::with_capacity(ids.len());
    for id in ids {
        projects.push(compared(app, caller, &question, *id).await?);
    }
    Ok(Success::ok(Comparison { period: PeriodView::of(app, &question).await?, projects }))
}

async fn compared(app: &App, caller: &Caller, question: &Question, id: ProjectId) -> Result<ComparedProject> {
    let (project, _) = caller.find_project(app, id).await?.ok_or_else(ApiError::project_not_found)?;
    let project = project_summary(app, project).await?;
    let mut question = question.clone();
    question.filter = question.filter.of_project(id);
    let summary = summary(app, &question, true, project.spending.budget_utilization).await?;
    Ok(ComparedProject { project, summary, timeline: timeline(app, &question).await? })
}
