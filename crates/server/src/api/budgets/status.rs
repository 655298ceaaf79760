//! How a budget stands: spent, left, pace, forecast, and who was told.

use std::collections::HashMap;

use axum::extract::State;
use domain::{
    BudgetId, Interval, ProjectId,
    alert::{Definition, FiredAlert, definition, definition_of_exceeded},
    budget::{Alert, AlertKind, Budget, Limit, Scope, ScopedBudget, utilization_percent},
    delivery::{Channel, DeliveryState},
    fx::Conversion,
    interval::time_zone,
    query::Bucket,
    webhook,
};
use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use serde::Serialize;
use store::DeliveryLog;
use utoipa::ToSchema;

use crate::{
    analytics::Question,
    api::analytics::trends::{ForecastView, Outlook},
    app::App,
    auth::{Viewer, budget::BudgetAccess},
    budgets,
    error::{Failure, Result},
    reply::Success,
};

/// How a budget stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// Id; the project's for a project's budget.
    #[schema(value_type = String)]
    id: BudgetId,
    /// How it is called; the project's name for a project's budget.
    name: String,
    /// Whose calls count in it.
    scope: Scope,
    /// The project, if it is a project's budget.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// How the project is called.
    project_name: Option<String>,
    /// The budget.
    budget: Budget,
    /// What may be spent in the current period, in US dollars as everything below.
    limit: LimitView,
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
    /// Percent of the limit that is spent.
    utilization: f64,
    /// How spending compares with the time that has passed; `null` for a one-time budget.
    pace: Option<Pace>,
    /// What the period will have cost when it ends; `null` with less than a week of history.
    forecast: Option<ForecastView>,
    /// When the budget is used up if days go on as the forecast has them; `null` if it lasts for the period, or is used up already.
    #[schema(value_type = Option<String>, format = DateTime)]
    projected_exhaustion_at: Option<Timestamp>,
    /// When it was used up, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    exceeded_at: Option<Timestamp>,
    /// The alerts, with what was told in this period.
    alerts: Vec<AlertStatusView>,
}

/// What may be spent in a period, in US dollars.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BudgetLimit)]
pub struct LimitView {
    /// All of it.
    #[schema(value_type = f64, format = "decimal")]
    total: Money,
    /// The budget's own amount.
    #[schema(value_type = f64, format = "decimal")]
    amount: Money,
    /// What increases add now.
    #[schema(value_type = f64, format = "decimal")]
    increased: Money,
    /// What the period before left over.
    #[schema(value_type = f64, format = "decimal")]
    carried_over: Money,
    /// The amount in the budget's currency, and the rate at which it was taken; `null` for a budget in dollars.
    conversion: Option<Conversion>,
}

impl LimitView {
    fn of(limit: Limit, conversion: Option<&Conversion>) -> Self {
        let Limit { amount, increased, carried_over } = limit;
        Self { total: limit.total(), amount, increased, carried_over, conversion: conversion.cloned() }
    }
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

/// How a budget stands: spent, left, pace, forecast, and who was told. A project's budget has the project's id.
#[utoipa::path(get, path = "/budgets/{budgetId}/status", tag = "Budgets", operation_id = "get_budget_status",
    params(("budgetId" = String, Path, description = "Id of the budget, or of the project whose budget it is")),
    responses((status = 200, body = Success<BudgetStatus>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_budget_status(
    State(app): State<App>,
    access: BudgetAccess<Viewer>,
) -> Result<Success<BudgetStatus>> {
    let ScopedBudget { id, name, scope, terms, .. } = access.budget.clone();
    let (subject, standing) = budgets::standing(&app, access.budget).await?;
    let (now, period, spent) = (app.clock.now(), standing.period, standing.spent);
    let limit = standing.limit.total();
    let left = limit.checked_sub(spent);
    let outlook = outlook(&app, &scope, &terms, period).await?;
    let fired = app.meta.list_fired_alerts(id, period.start).await?;
    let told = told(&app, &fired).await?;
    let status = BudgetStatus {
        id,
        name,
        scope,
        project_id: access.project.as_ref().map(|project| project.id),
        project_name: access.project.map(|project| project.name),
        limit: LimitView::of(standing.limit, subject.allowance.conversion()),
        period_start: period.start,
        period_end: (period.end != Timestamp::MAX).then_some(period.end),
        spent,
        reserved: standing.reserved,
        remaining: left.and_then(|left| left.checked_sub(standing.reserved)).unwrap_or_default(),
        utilization: utilization_percent(limit, spent),
        pace: pace(limit, period, spent, now),
        forecast: outlook.as_ref().and_then(|outlook| outlook.forecast(spent)),
        projected_exhaustion_at: left.zip(outlook).and_then(|(left, outlook)| outlook.exhausted_at(left)),
        exceeded_at: find_fired(&fired, definition_of_exceeded()).map(|alert| alert.at),
        alerts: terms.alerts.iter().map(|alert| AlertStatusView::new(alert, &fired, &told)).collect(),
        budget: terms,
    };
    Ok(Success::ok(status))
}

/// What recent days of the budget's scope say of those to come.
async fn outlook(app: &App, scope: &Scope, terms: &Budget, period: Interval) -> Result<Option<Outlook>> {
    let question = Question {
        compared_with: None,
        filter: scope.filter(),
        zone: time_zone("timeZone", &terms.time_zone).unwrap_or(TimeZone::UTC),
        bucket: Bucket::Day,
        group_by: Vec::new(),
        groups_by_time: false,
        limit: 0,
    };
    Outlook::of(app, &question, period).await
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
fn pace(limit: Money, period: Interval, spent: Money, now: Timestamp) -> Option<Pace> {
    if period.end == Timestamp::MAX || period.start == Timestamp::MIN {
        return None;
    }
    let passed = now.duration_since(period.start).as_millis();
    let whole = period.end.duration_since(period.start).as_millis().max(1);
    let even = i128::from(limit.nanos()) * passed / whole;
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
