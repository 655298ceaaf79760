//! Increases of budgets: more that may be spent for a while.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    BudgetId, IncreaseId, Invalid, UserId,
    budget::{Increase, NewIncrease},
    limits,
};
use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Editor, Viewer, budget::BudgetAccess},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, path_id},
    reply::{Nothing, Success},
};

/// More that may be spent for a while.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BudgetIncrease)]
pub struct IncreaseView {
    /// Id.
    #[schema(value_type = String)]
    id: IncreaseId,
    /// Of which budget.
    #[schema(value_type = String)]
    budget_id: BudgetId,
    /// How much more, in the budget's currency.
    #[schema(value_type = f64, format = "decimal")]
    amount: Money,
    /// Why.
    reason: String,
    /// Who granted it.
    #[schema(value_type = String)]
    created_by: UserId,
    /// When it was granted, and counts from.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The first instant at which it does not count any more.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// When it was withdrawn, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn_at: Option<Timestamp>,
    /// Whether it counts now.
    is_active: bool,
}

/// List the increases of a budget, the latest first, those that have ended included.
#[utoipa::path(get, path = "/budgets/{budgetId}/increases", tag = "Budgets", operation_id = "list_budget_increases",
    params(("budgetId" = String, Path, description = "Id of the budget, or of the project whose budget it is")),
    responses((status = 200, body = Success<Vec<IncreaseView>>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_budget_increases(
    State(app): State<App>,
    access: BudgetAccess<Viewer>,
) -> Result<Success<Vec<IncreaseView>>> {
    let now = app.clock.now();
    let increases = app.meta.list_increases(access.budget.id).await?;
    Ok(Success::ok(increases.into_iter().map(|increase| IncreaseView::new(increase, now)).collect()))
}

/// Let more be spent for a while. It counts at once, in what is allowed, in the status and in the alerts.
#[utoipa::path(post, path = "/budgets/{budgetId}/increases", tag = "Budgets", operation_id = "create_budget_increase",
    params(("budgetId" = String, Path, description = "Id of the budget, or of the project whose budget it is")),
    request_body = NewIncrease,
    responses((status = 201, body = Success<IncreaseView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn create_budget_increase(
    State(app): State<App>,
    access: BudgetAccess<Editor>,
    Json(new): Json<NewIncrease>,
) -> Result<Success<IncreaseView>> {
    let now = app.clock.now();
    let NewIncrease { amount, until, reason } = new.checked(now)?;
    let kept = app.meta.list_increases(access.budget.id).await?;
    if kept.iter().filter(|increase| increase.counts_at(now)).count() >= limits::INCREASES_MAX {
        let message = format!("the budget has {} increases already; withdraw some", limits::INCREASES_MAX);
        return Err(Invalid::field("amount", message).into());
    }
    let increase = Increase {
        id: app.ids.next(now),
        budget_id: access.budget.id,
        amount,
        reason,
        created_by: access.caller.user.id,
        created_at: to_millisecond(now),
        until: to_millisecond(until),
        withdrawn_at: None,
    };
    app.meta.insert_increase(&increase).await?;
    tracing::info!(budget = %increase.budget_id, user = %increase.created_by, %amount, "budget increased");
    let view = IncreaseView::new(increase, now);
    access.caller.trail.after(&view);
    Ok(Success::created(view))
}

/// Withdraw an increase: it does not count from now on.
#[utoipa::path(delete, path = "/budgets/{budgetId}/increases/{increaseId}", tag = "Budgets", operation_id = "withdraw_budget_increase",
    params(
        ("budgetId" = String, Path, description = "Id of the budget, or of the project whose budget it is"),
        ("increaseId" = String, Path, description = "Id of the increase")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn withdraw_budget_increase(
    State(app): State<App>,
    access: BudgetAccess<Editor>,
    IncreaseInPath(id): IncreaseInPath,
) -> Result<Success<Nothing>> {
    let now = to_millisecond(app.clock.now());
    if !app.meta.withdraw_increase(access.budget.id, id, now).await? {
        return Err(increase_not_found());
    }
    app.watch.mark(access.budget.scope.clone(), now);
    Ok(Success::ok(Nothing {}).with_message("increase withdrawn"))
}

impl IncreaseView {
    fn new(increase: Increase, now: Timestamp) -> Self {
        Self {
            is_active: increase.counts_at(now),
            id: increase.id,
            budget_id: increase.budget_id,
            amount: increase.amount,
            reason: increase.reason,
            created_by: increase.created_by,
            created_at: increase.created_at,
            until: increase.until,
            withdrawn_at: increase.withdrawn_at,
        }
    }
}

/// As the store keeps it.
fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn increase_not_found() -> ApiError {
    ApiError::new(ErrorCode::IncreaseNotFound, "there is no such increase, or it has ended")
}

/// The increase's id in the path.
#[derive(Debug)]
pub struct IncreaseInPath(IncreaseId);

impl<S: Send + Sync> FromRequestParts<S> for IncreaseInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "increaseId").await.map(Self).ok_or_else(increase_not_found)
    }
}
