//! Budgets: what is spent and left of them, and what was told.

use std::collections::HashMap;

use axum::extract::State;
use domain::{
    Interval, ProjectId,
    alert::{Definition, FiredAlert, definition, definition_of_exceeded},
    budget::{Alert, AlertKind, Budget},
    delivery::{Channel, DeliveryState},
    forecast::exhausted_at,
    interval::time_zone,
    project::Project,
    query::{Bucket, Filter, Visibility},
    webhook,
};
use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use serde::Serialize;
use store::DeliveryLog;
use utoipa::ToSchema;

use crate::{
    analytics::Question,
    api::{
        analytics::trends::{ForecastView, forecast_of},
        projects::{Spending, spending_of},
    },
    app::App,
    auth::{Auth, ProjectAccess, Read, Viewer},
    error::{ApiError, ErrorCode, Failure, Result},
    reply::Success,
    watch,
};

/// A project's budget and what is spent of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    /// Whose budget.
    #[schema(value_type = String)]
    project_id: ProjectId,
    /// How the project is called.
    project_name: String,
    /// The budget.
    budget: Budget,
    /// What is spent in its current period.
    spending: Spending,
}

/// How a budget stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// Whose budget.
    #[schema(value_type = String)]
    project_id: ProjectId,
    /// How the project is called.
    project_name: String,
    /// The budget.
    budget: Budget,
    /// First instant of the current period.
    #[schema(value_type = String, format = DateTime)]
    period_start: Timestamp,
    /// First instant after it; `null` for a one-time budget.
    #[schema(value_type = Option<String>, format = DateTime)]
    period_end: Option<Timestamp>,
    /// Known costs of the period.
    #[schema(value_type = f64, format = "decimal")]
    spent: Money,
    /// What calls under way may cost at most.
    #[schema(value_type = f64, format = "decimal")]
    reserved: Money,
    /// What is neither spent nor reserved; negative when the budget is overrun.
    #[schema(value_type = f64, format = "decimal")]
    remaining: Money,
    /// Percent of the amount that is spent.
    utilization: f64,
    /// How spending compares with the time that has passed; `null` for a one-time budget.
    pace: Option<Pace>,
    /// What the period will have cost when it ends; `null` with less than a week of history.
    forecast: Option<ForecastView>,
    /// When the budget is used up if days stay as they were; `null` if it lasts for the period, or is used up already.
    #[schema(value_type = Option<String>, format = DateTime)]
    projected_exhaustion_at: Option<Timestamp>,
    /// When it was used up, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    exceeded_at: Option<Timestamp>,
    /// The alerts, with what was told in this period.
    alerts: Vec<AlertStatusView>,
}

/// How spending compares with the time that has passed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// Percent of the period that has passed.
    elapsed: f64,
    /// What would have been spent by now if the amount were spent evenly.
    #[schema(value_type = f64, format = "decimal")]
    even_spending: Money,
    /// What is spent beyond that; negative when less is spent.
    #[schema(value_type = f64, format = "decimal")]
    ahead: Money,
}

/// An alert of the budget and what became of it in this period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatusView {
    /// Percent of the amount.
    threshold: u16,
    /// How people are told.
    #[serde(rename = "type")]
    kind: AlertKind,
    /// When it fired, if it did.
    #[schema(value_type = Option<String>, format = DateTime)]
    fired_at: Option<Timestamp>,
    /// What had been spent then.
    #[schema(value_type = Option<f64>, format = "decimal")]
    spent: Option<Money>,
    /// Who was told, and what came of it. Kept for 30 days.
    deliveries: Vec<ToldView>,
}

/// Somebody who was told of an alert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToldView {
    /// By which way.
    channel: Channel,
    /// E-mail address, or host of the webhook: its whole URL can be a secret.
    to: String,
    /// How far it has come.
    state: DeliveryState,
    /// Attempts so far.
    attempts: u32,
    /// When it arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// When it is tried next, if it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// Why it has not arrived, if it has not.
    reason: Option<String>,
}

/// List the budgets of the projects that one may see.
#[utoipa::path(get, path = "/budgets", tag = "Budgets", operation_id = "list_budgets",
    responses((status = 200, body = Success<Vec<BudgetView>>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_budgets(State(app): State<App>, auth: Auth<Read>) -> Result<Success<Vec<BudgetView>>> {
    let user = &auth.caller.user;
    let mut projects = if user.role.sees_everything() {
        app.meta.list_projects().await?
    } else {
        app.meta.list_projects_of(user.id).await?
    };
    projects.retain(|project| project.budget.is_some());
    let mut spending = spending_of(&app, &projects).await?;
    let view = |project: Project| {
        let (budget, spending) = (project.budget?, spending.remove(&project.id)?);
        Some(BudgetView { project_id: project.id, project_name: project.name, budget, spending })
    };
    Ok(Success::ok(projects.into_iter().filter_map(view).collect()))
}

/// How a project's budget stands: spent, left, pace, forecast, and who was told.
#[utoipa::path(get, path = "/budgets/{projectId}/status", tag = "Budgets", operation_id = "get_budget_status",
    params(("projectId" = String, Path, description = "Id of the project")),
    responses((status = 200, body = Success<BudgetStatus>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_budget_status(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
) -> Result<Success<BudgetStatus>> {
    let Project { id, name, budget, .. } = access.project;
    let none = || ApiError::new(ErrorCode::BudgetNotFound, "the project has no budget");
    let budget = budget.ok_or_else(none)?;
    let now = app.clock.now();
    let period = budget.period_containing(now);
    let spent = watch::spent(&app, id, period).await?;
    let reserved = app.ledger.reserved(id, now);
    let left = budget.amount.checked_sub(spent);
    let (forecast, daily) = outlook(&app, id, &budget, period).await?;
    let fired = app.meta.list_fired_alerts(id, period.start).await?;
    let told = told(&app, &fired).await?;
    let exhaustion = left.zip(daily).and_then(|(left, daily)| exhausted_at(left, daily, now));
    let status = BudgetStatus {
        project_id: id,
        project_name: name,
        period_start: period.start,
        period_end: (period.end != Timestamp::MAX).then_some(period.end),
        spent,
        reserved,
        remaining: left.and_then(|left| left.checked_sub(reserved)).unwrap_or_default(),
        utilization: budget.utilization_percent(spent),
        pace: pace(&budget, period, spent, now),
        forecast,
        projected_exhaustion_at: exhaustion.filter(|at| *at < period.end),
        exceeded_at: find_fired(&fired, definition_of_exceeded()).map(|alert| alert.at),
        alerts: budget.alerts.iter().map(|alert| AlertStatusView::new(alert, &fired, &told)).collect(),
        budget,
    };
    Ok(Success::ok(status))
}

/// What the period will have cost, and what a day costs on average.
async fn outlook(
    app: &App,
    project: ProjectId,
    budget: &Budget,
    period: Interval,
) -> Result<(Option<ForecastView>, Option<Money>)> {
    let question = Question {
        filter: Filter::all(Visibility::Everything).of_project(project),
        zone: time_zone("timeZone", &budget.time_zone).unwrap_or(TimeZone::UTC),
        bucket: Bucket::Day,
        group_by: Vec::new(),
        groups_by_time: false,
        limit: 0,
    };
    let days = crate::api::analytics::trends::recent_days(app, &question).await?;
    Ok((forecast_of(app, &question, period).await?, domain::forecast::daily(&days)))
}

/// What was told of each alert.
async fn told(app: &App, fired: &[FiredAlert]) -> Result<HashMap<Definition, Vec<DeliveryLog>>> {
    let mut told = HashMap::new();
    for alert in fired {
        told.insert(alert.definition, app.meta.list_deliveries_of_event(alert.event_id).await?);
    }
    Ok(told)
}

fn find_fired(fired: &[FiredAlert], definition: Definition) -> Option<&FiredAlert> {
    fired.iter().find(|fired| fired.definition == definition)
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a percentage to look at, not money"
)]
fn pace(budget: &Budget, period: Interval, spent: Money, now: Timestamp) -> Option<Pace> {
    if period.end == Timestamp::MAX || period.start == Timestamp::MIN {
        return None;
    }
    let passed = now.duration_since(period.start).as_millis();
    let whole = period.end.duration_since(period.start).as_millis().max(1);
    let even = i128::from(budget.amount.nanos()) * passed / whole;
    let even_spending = Money::from_nanos(i64::try_from(even).ok()?);
    let ahead = spent.checked_sub(even_spending)?;
    Some(Pace { elapsed: (passed * 10_000 / whole) as f64 / 100.0, even_spending, ahead })
}

impl AlertStatusView {
    fn new(alert: &Alert, fired: &[FiredAlert], told: &HashMap<Definition, Vec<DeliveryLog>>) -> Self {
        let definition = definition(alert);
        let fired = find_fired(fired, definition);
        let deliveries = told.get(&definition).into_iter().flatten().map(ToldView::from).collect();
        Self {
            threshold: alert.threshold,
            kind: alert.kind,
            fired_at: fired.map(|fired| fired.at),
            spent: fired.map(|fired| fired.spent),
            deliveries,
        }
    }
}

impl From<&DeliveryLog> for ToldView {
    fn from(DeliveryLog { delivery, attempts }: &DeliveryLog) -> Self {
        let is_there = delivery.state == DeliveryState::Delivered;
        let to = match delivery.channel {
            Channel::Email => delivery.target.clone(),
            Channel::Webhook => webhook::host(&delivery.target).to_owned(),
        };
        Self {
            channel: delivery.channel,
            to,
            state: delivery.state,
            attempts: delivery.attempts,
            delivered_at: attempts.first().filter(|_| is_there).map(|attempt| attempt.at),
            next_attempt_at: delivery.due_at,
            reason: delivery.reason.clone(),
        }
    }
}
