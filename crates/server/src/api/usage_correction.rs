//! Correcting and deleting usage records.

use axum::extract::State;
use domain::{
    ProjectId,
    allocation::{CostAllocation, Tags},
    project::ProjectRole,
    usage_record::{Amendment, UsageRecord},
    user::Role,
};
use pricing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::{
        usage::{UsageInPath, find_visible, usage_not_found},
        usage_view::RecordDetail,
    },
    app::App,
    auth::{Auth, Caller, Write},
    error::{ApiError, Failure, Result},
    input::Json,
    reply::{Nothing, Success},
};

/// A correction. Fields that are missing stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UsageChange {
    /// Replaces the tags.
    tags: Option<Vec<String>>,
    /// Replaces the allocation.
    cost_allocation: Option<CostAllocation>,
    /// Moves the record to another project.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
}

/// Correct tags, allocation or project of a record. Sums follow.
#[utoipa::path(put, path = "/usage/{usageId}", tag = "Usage", operation_id = "update_usage",
    params(("usageId" = String, Path, description = "Id of the record")),
    request_body = UsageChange,
    responses((status = 200, body = Success<RecordDetail>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)))]
pub async fn update_usage(
    State(app): State<App>,
    auth: Auth<Write>,
    UsageInPath(id): UsageInPath,
    Json(change): Json<UsageChange>,
) -> Result<Success<RecordDetail>> {
    let record = find_visible(&app, &auth.caller, id).await?;
    may_correct(&app, &auth.caller, &record).await?;
    if let Some(target) = change.project_id {
        may_record_for(&app, &auth.caller, target).await?;
    }
    let amendment =
        Amendment::new(change.tags.as_deref(), change.cost_allocation, change.project_id.map(Some))?;
    let (before, after) = app.usage.amend_record(id, &amendment).await?.ok_or_else(usage_not_found)?;
    app.ledger.forget();
    auth.caller.trail.before(&RecordFields::of(&before));
    auth.caller.trail.after(&RecordFields::of(&after));
    if let Some(project) = after.project_id {
        auth.caller.trail.project(project);
    }
    app.watch.mark_record(&after, app.clock.now());
    Ok(Success::ok(RecordDetail::new(&after, &app.prices.current())))
}

/// Delete a record. Sums follow; a retry with its key does not bring it back.
#[utoipa::path(delete, path = "/usage/{usageId}", tag = "Usage", operation_id = "delete_usage",
    params(("usageId" = String, Path, description = "Id of the record")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure)))]
pub async fn delete_usage(
    State(app): State<App>,
    auth: Auth<Write>,
    UsageInPath(id): UsageInPath,
) -> Result<Success<Nothing>> {
    let record = find_visible(&app, &auth.caller, id).await?;
    may_correct(&app, &auth.caller, &record).await?;
    auth.caller.trail.before(&RecordFields::of(&record));
    if let Some(project) = record.project_id {
        auth.caller.trail.project(project);
    }
    app.usage.delete_record(id).await?.ok_or_else(usage_not_found)?;
    app.ledger.forget();
    tracing::info!(usage = %id, user = %auth.caller.user.id, "usage record deleted");
    Ok(Success::ok(Nothing {}).with_message("record deleted"))
}

/// What the audit log says of a record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordFields<'a> {
    model: &'a str,
    cost: Option<Money>,
    project_id: Option<ProjectId>,
    tags: &'a Tags,
    allocation: &'a CostAllocation,
}

impl<'a> RecordFields<'a> {
    fn of(record: &'a UsageRecord) -> Self {
        let UsageRecord { model, cost, project_id, tags, allocation, .. } = record;
        Self { model, cost: *cost, project_id: *project_id, tags, allocation }
    }
}

/// A project's members correct its records; a record without a project is its recorder's.
async fn may_correct(app: &App, caller: &Caller, record: &UsageRecord) -> Result<()> {
    match record.project_id {
        Some(project) if !caller.user.role.sees_everything() => may_record_for(app, caller, project).await,
        _ => caller.require_role(Role::Member),
    }
}

async fn may_record_for(app: &App, caller: &Caller, project: ProjectId) -> Result<()> {
    let (_, role) = caller.find_project(app, project).await?.ok_or_else(ApiError::project_not_found)?;
    if role < ProjectRole::Member { Err(ApiError::forbidden("member of the project")) } else { Ok(()) }
}
