//! Alerts of budgets that fired, as each person sees them.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    AlertId, BudgetId, ProjectId,
    alert::{AlertMark, FiredAlert},
    budget::{AlertKind, Scope},
    fx::Conversion,
};
use jiff::Timestamp;
use pricing::Money;
use serde::{Deserialize, Serialize};
use store::{AlertQuery, AlertStatus};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{
        Auth, Caller, Read,
        budget::{budgets_of, may_see_budget},
        projects_of,
    },
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, Query, path_id, present},
    notify::facts::BudgetName,
    reply::{Nothing, PageSize, Success},
};

/// An alert as a person sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    /// Id.
    #[schema(value_type = String)]
    id: AlertId,
    /// Which budget; the project's id for a project's budget.
    #[schema(value_type = String)]
    budget_id: BudgetId,
    /// How it is called; the project's name for a project's budget.
    budget_name: String,
    /// Whose calls count in it.
    scope: Scope,
    /// The project, if it is a project's budget.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// How the project is called.
    project_name: Option<String>,
    /// Percent of the amount that was reached.
    threshold: u16,
    /// Whether the whole budget was used up, rather than the threshold of an alert reached.
    exceeded: bool,
    /// How people were told.
    #[serde(rename = "type")]
    kind: AlertKind,
    /// What might be spent at that moment, in US dollars.
    #[schema(value_type = f64, format = "decimal")]
    amount: Money,
    /// The budget's own amount and the rate at which it was taken, if it is in another currency.
    conversion: Option<Conversion>,
    /// What had been spent.
    #[schema(value_type = f64, format = "decimal")]
    spent: Money,
    /// First instant of the period.
    #[schema(value_type = String, format = DateTime)]
    period_start: Timestamp,
    /// First instant after it; `null` for a one-time budget.
    #[schema(value_type = Option<String>, format = DateTime)]
    period_end: Option<Timestamp>,
    /// When it fired.
    #[schema(value_type = String, format = DateTime)]
    fired_at: Timestamp,
    /// When the caller read it.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// Until when the caller does not want to see it.
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
}

/// Which alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Those that are not snoozed.
    #[default]
    Current,
    /// Those of them that were not read.
    Unread,
    /// Those that are snoozed.
    Snoozed,
    /// All.
    All,
}

/// Which part of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct AlertParams {
    /// `current` (those that are not snoozed) unless told otherwise.
    #[serde(default)]
    #[param(inline)]
    status: Status,
    /// Those of this project only.
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<AlertId>,
    /// Most alerts on the page, 1 to 100; 20 unless told otherwise.
    limit: Option<u64>,
}

/// What a person does with an alert. Fields that are missing stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertChange {
    /// Whether it was read.
    read: Option<bool>,
    /// Until when not to show it; `null` shows it again.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    #[expect(clippy::option_option, reason = "three cases: absent, null, a time")]
    snoozed_until: Option<Option<Timestamp>>,
}

/// How many.
#[derive(Debug, Serialize, ToSchema)]
pub struct Count {
    /// Alerts.
    count: u64,
}

/// List alerts of the budgets that one may see, the latest first. What one read, snoozed and deleted is one's own.
#[utoipa::path(get, path = "/alerts", tag = "Budgets", operation_id = "list_alerts",
    params(AlertParams),
    responses((status = 200, body = Success<Vec<AlertView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_alerts(
    State(app): State<App>,
    auth: Auth<Read>,
    Query(params): Query<AlertParams>,
) -> Result<Success<Vec<AlertView>>> {
    let budgets = visible(&app, &auth.caller, params.project_id).await?;
    let size = PageSize::of(params.limit);
    let query = AlertQuery {
        status: params.status.into(),
        before: params.cursor,
        limit: size.to_read(),
        ..query(&app, &auth.caller, &budgets)
    };
    let mut alerts = app.meta.list_alerts(&query).await?;
    let pagination = size.cut(&mut alerts, params.cursor.is_some(), |(alert, _)| alert.id.to_string());
    let view = |(alert, mark): &(FiredAlert, AlertMark)| {
        budgets.get(&alert.budget_id).map(|budget| AlertView::new(alert, *mark, budget))
    };
    let views = alerts.iter().filter_map(view).collect();
    Ok(Success::ok(views).with_pagination(pagination))
}

/// How many crossed thresholds are new; one that told by mail and by webhook is one.
#[utoipa::path(get, path = "/alerts/unread-count", tag = "Budgets", operation_id = "count_unread_alerts",
    responses((status = 200, body = Success<Count>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn count_unread_alerts(State(app): State<App>, auth: Auth<Read>) -> Result<Success<Count>> {
    let budgets = visible(&app, &auth.caller, None).await?;
    let query = AlertQuery { status: AlertStatus::Unread, ..query(&app, &auth.caller, &budgets) };
    Ok(Success::ok(Count { count: app.meta.count_crossings(&query).await? }))
}

/// Read an alert, or snooze it.
#[utoipa::path(put, path = "/alerts/{alertId}", tag = "Budgets", operation_id = "update_alert",
    params(("alertId" = String, Path, description = "Id of the alert")),
    request_body = AlertChange,
    responses((status = 200, body = Success<AlertView>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn update_alert(
    State(app): State<App>,
    auth: Auth<Read>,
    AlertInPath(id): AlertInPath,
    Json(change): Json<AlertChange>,
) -> Result<Success<AlertView>> {
    let (alert, budget) = find(&app, &auth.caller, id).await?;
    let user = auth.caller.user.id;
    let mut mark = app.meta.find_alert_mark(user, id).await?;
    if let Some(read) = change.read {
        let at = mark.read_at.unwrap_or_else(|| app.clock.now());
        mark.read_at = read.then_some(at);
    }
    if let Some(until) = change.snoozed_until {
        mark.snoozed_until = until;
    }
    keep(&app, &auth.caller, id, mark).await?;
    Ok(Success::ok(AlertView::new(&alert, mark, &budget)))
}

/// Read every alert that is not snoozed.
#[utoipa::path(post, path = "/alerts/read-all", tag = "Budgets", operation_id = "read_all_alerts",
    responses((status = 200, body = Success<Count>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn read_all_alerts(State(app): State<App>, auth: Auth<Read>) -> Result<Success<Count>> {
    let budgets = visible(&app, &auth.caller, None).await?;
    let count = app.meta.mark_alerts_read(&query(&app, &auth.caller, &budgets)).await?;
    Ok(Success::ok(Count { count }).with_message("alerts read"))
}

/// Take an alert off one's own list. The others still see it.
#[utoipa::path(delete, path = "/alerts/{alertId}", tag = "Budgets", operation_id = "delete_alert",
    params(("alertId" = String, Path, description = "Id of the alert")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn delete_alert(
    State(app): State<App>,
    auth: Auth<Read>,
    AlertInPath(id): AlertInPath,
) -> Result<Success<Nothing>> {
    find(&app, &auth.caller, id).await?;
    let mark = app.meta.find_alert_mark(auth.caller.user.id, id).await?;
    keep(&app, &auth.caller, id, AlertMark { deleted: true, ..mark }).await?;
    Ok(Success::ok(Nothing {}).with_message("alert deleted"))
}

impl AlertView {
    fn new(alert: &FiredAlert, mark: AlertMark, budget: &BudgetName) -> Self {
        let project_id = budget.scope.project_id();
        Self {
            id: alert.id,
            budget_id: alert.budget_id,
            budget_name: budget.name.clone(),
            scope: budget.scope.clone(),
            project_id,
            project_name: project_id.map(|_| budget.name.clone()),
            threshold: alert.threshold,
            exceeded: alert.exceeded,
            kind: alert.kind,
            amount: alert.amount,
            conversion: alert.conversion.clone(),
            spent: alert.spent,
            period_start: alert.period_start,
            period_end: (alert.period_end != Timestamp::MAX).then_some(alert.period_end),
            fired_at: alert.at,
            read_at: mark.read_at,
            snoozed_until: mark.snoozed_until,
        }
    }
}

impl From<Status> for AlertStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Current => Self::Current,
            Status::Unread => Self::Unread,
            Status::Snoozed => Self::Snoozed,
            Status::All => Self::All,
        }
    }
}

/// Budgets whose alerts the caller may see; of one project, if one is asked for.
async fn visible(
    app: &App,
    caller: &Caller,
    only: Option<ProjectId>,
) -> Result<HashMap<BudgetId, BudgetName>> {
    let projects = projects_of(app, &caller.user).await?;
    let wanted = projects.iter().filter(|project| only.is_none_or(|only| project.id == only));
    // Alerts stay when a project's budget is taken away.
    let mut names: Vec<BudgetName> = wanted.map(BudgetName::of_project).collect();
    if only.is_none() {
        names.extend(budgets_of(app, &caller.user).await?.iter().map(BudgetName::of));
    }
    Ok(names.into_iter().map(|budget| (budget.id, budget)).collect())
}

fn query(app: &App, caller: &Caller, budgets: &HashMap<BudgetId, BudgetName>) -> AlertQuery {
    AlertQuery {
        user: caller.user.id,
        budgets: budgets.keys().copied().collect(),
        status: AlertStatus::Current,
        now: app.clock.now(),
        before: None,
        limit: 0,
    }
}

async fn find(app: &App, caller: &Caller, id: AlertId) -> Result<(FiredAlert, BudgetName)> {
    let alert = app.meta.find_alert(id).await?.ok_or_else(alert_not_found)?;
    if let Some(budget) = app.meta.find_budget(alert.budget_id).await? {
        if !may_see_budget(app, &caller.user, &budget.scope).await? {
            return Err(alert_not_found());
        }
        return Ok((alert, BudgetName::of(&budget)));
    }
    let project = ProjectId::from_bytes(*alert.budget_id.bytes());
    let (project, _) = caller.find_project(app, project).await?.ok_or_else(alert_not_found)?;
    Ok((alert, BudgetName::of_project(&project)))
}

async fn keep(app: &App, caller: &Caller, id: AlertId, mark: AlertMark) -> Result<()> {
    if app.meta.mark_alert(caller.user.id, id, mark).await? { Ok(()) } else { Err(alert_not_found()) }
}

fn alert_not_found() -> ApiError {
    ApiError::new(ErrorCode::AlertNotFound, "there is no such alert, or you may not see its budget")
}

/// The alert's id in the path.
#[derive(Debug)]
pub struct AlertInPath(AlertId);

impl<S: Send + Sync> FromRequestParts<S> for AlertInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "alertId").await.map(Self).ok_or_else(alert_not_found)
    }
}
