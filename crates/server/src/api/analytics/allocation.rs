//! Whom a project's costs are charged to.

use axum::extract::State;
use domain::{Invalid, query::Dimension};
use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        analytics::{
            breakdown::{Slice, plain, slices},
            question::{AnalyticsParams, is_parameter, metric, question},
        },
        usage_query::FilterParams,
    },
    app::App,
    auth::{ProjectAccess, Viewer},
    error::{Failure, Result},
    input::Pairs,
    reply::Success,
};

/// A project's costs by one dimension of the allocation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// The dimension.
    group_by: Dimension,
    /// Known costs of the period.
    #[schema(value_type = f64, format = "decimal")]
    total_cost: Money,
    /// By value, largest first; what nobody is charged for is `(none)`.
    groups: Vec<Slice>,
    /// From when on records are there; `null` if they all are. What was spent before is in `totalCost`, and in no group.
    #[schema(value_type = Option<String>, format = DateTime)]
    records_from: Option<Timestamp>,
}

/// A project's costs by department, team, purpose, client, campaign or tag.
#[utoipa::path(get, path = "/projects/{projectId}/cost-allocation", tag = "Projects", operation_id = "get_cost_allocation",
    params(("projectId" = String, Path, description = "Id of the project"), AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Allocation>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_cost_allocation(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
    pairs: Pairs,
) -> Result<Success<Allocation>> {
    pairs.only(is_parameter)?;
    let mut question = question(&pairs, access.caller.visibility(&app).await?, app.clock.now())?;
    question.filter = question.filter.of_project(access.project.id);
    let group_by = match question.group_by.as_slice() {
        [] => Dimension::Department,
        [
            dimension @ (Dimension::Department
            | Dimension::Team
            | Dimension::Purpose
            | Dimension::Client
            | Dimension::Campaign
            | Dimension::Tag),
        ] => *dimension,
        _ => {
            return Err(Invalid::field(
                "groupBy",
                "must be department, team, purpose, client, campaign or tag",
            )
            .into());
        }
    };
    let whole = question.totals(&app).await?;
    let parts = question.breakdowns(&app, &[group_by]).await?.pop().unwrap_or_default();
    let groups = slices(parts, &whole, metric(&pairs)?, question.limit, &plain);
    let records_from = app.usage.records_from(&question.filter).await?;
    Ok(Success::ok(Allocation { group_by, total_cost: whole.cost, groups, records_from }))
}
