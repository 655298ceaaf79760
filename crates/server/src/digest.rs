//! What was spent, told once a week or once a month to those who want to know.
//!
//! The figures are those of the dashboard: the same questions to the same store. A digest's event has an id that follows
//! from its person and period, so that it is sent once, also over restarts and by several servers.

use std::time::Duration;

use domain::{
    EventId, Interval,
    digest::{DigestSettings, Frequency},
    event::{Event, EventType},
    project::Project,
    query::{Bucket, Dimension, Filter},
    user::User,
};
use pricing::Money;
use sha2::{Digest as _, Sha256};
use store::{AnomalyQuery, StoreError};

use crate::{
    analytics::{Parts, Question},
    api::{
        budgets::spending_in,
        projects::{Spending, spending_of},
    },
    app::App,
    auth::{self, budget::budgets_of},
    error::{ApiError, Result},
    limits,
    notify::{
        audience,
        facts::{BudgetLine, DigestFacts, SpendingLine},
    },
};

/// How often the task looks whether one is due.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// Lines of each list.
const LINES_MAX: usize = 5;

/// Sends what is due, until the program stops.
pub fn start(app: &App) {
    app.spawn_every(LOOK_EVERY, "digest", |app: App| async move {
        if let Err(error) = send_due(&app).await {
            tracing::error!(%error, "digests could not be sent; they will be");
        }
    });
}

/// Hands every digest that is due to the outbox; how many were.
pub async fn send_due(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut sent = 0;
    // People whom the demo made up have no mailbox.
    for user in app.meta.list_users().await?.into_iter().filter(|user| !user.demo) {
        let settings = DigestSettings::of_preferences(&user.preferences);
        let Some(period) = settings.period_due(now) else { continue };
        sent += usize::from(send(app, &user, &settings, period).await?);
    }
    Ok(sent)
}

async fn send(app: &App, user: &User, settings: &DigestSettings, period: Interval) -> Result<bool> {
    let facts = facts(app, user, settings, period).await?;
    let event = Event {
        id: event_id(user, settings.frequency, period),
        kind: EventType::CostDigest,
        subject: format!("account:{}", user.id),
        project_id: None,
        user_id: Some(user.id),
        payload: serde_json::to_string(&facts).map_err(ApiError::internal)?,
        at: app.clock.now(),
    };
    let mut deliveries = audience::own_webhooks(app, &event, user.id).await?;
    if app.notifier.mailer.is_some() {
        deliveries.push(audience::to_email(app, user.email.clone(), event.at));
    }
    if deliveries.is_empty() {
        return Ok(false);
    }
    match app.meta.insert_event(&event, &deliveries).await {
        // Its id says that it was kept before.
        Err(StoreError::Conflict("id")) => Ok(false),
        kept => {
            kept?;
            app.notifier.ring();
            Ok(true)
        }
    }
}

fn event_id(user: &User, frequency: Frequency, period: Interval) -> EventId {
    let digest = Sha256::digest(format!("digest {} {frequency:?} {}", user.id, period.start));
    let mut id = [0; 12];
    id.copy_from_slice(digest.get(..12).unwrap_or(&[0; 12]));
    EventId::from_bytes(id)
}

/// What the digest of `period` tells `user`, of what they may see.
pub async fn facts(
    app: &App,
    user: &User,
    settings: &DigestSettings,
    period: Interval,
) -> Result<DigestFacts> {
    let question = Question {
        compared_with: None,
        filter: Filter::all(auth::visibility_of(app, user).await?).during(period),
        zone: settings.zone(),
        bucket: Bucket::Day,
        group_by: Vec::new(),
        groups_by_time: false,
        limit: LINES_MAX,
    };
    let projects = auth::projects_of(app, user).await?;
    let totals = question.totals(app).await?;
    let before = before(settings, period);
    let previous = match before {
        Some(before) => Some(question.totals_during(app, before).await?.cost),
        None => None,
    };
    let dimensions = [Dimension::Project, Dimension::Model];
    let [by_project, by_model] = question.breakdowns(app, &dimensions).await?.try_into().unwrap_or_default();
    let name = |id: String| {
        let named = projects.iter().find(|project| project.id.to_string() == id);
        named.map_or(id, |project| project.name.clone())
    };
    Ok(DigestFacts {
        frequency: settings.frequency,
        time_zone: settings.time_zone.clone(),
        period_start: period.start,
        period_end: period.end,
        spent: totals.cost,
        previous_spent: previous,
        requests: totals.requests,
        tokens: totals.tokens,
        unpriced_requests: totals.unpriced,
        projects: lines(by_project, name),
        models: lines(by_model, |model| model),
        budgets: budgets(app, user, &projects).await?,
        anomalies: anomalies(app, user, &projects, period).await?,
    })
}

/// The week, or month, before `period`.
fn before(settings: &DigestSettings, period: Interval) -> Option<Interval> {
    settings.last_period(period.start)
}

/// The parts that cost most.
fn lines(parts: Parts, name: impl Fn(String) -> String) -> Vec<SpendingLine> {
    let named = |value: Option<String>| value.map_or_else(|| "none".to_owned(), &name);
    let mut lines: Vec<SpendingLine> = parts
        .into_iter()
        .map(|(value, totals)| SpendingLine { name: named(value), spent: totals.cost })
        .collect();
    lines.sort_by(|a, b| b.spent.cmp(&a.spent).then_with(|| a.name.cmp(&b.name)));
    lines.truncate(LINES_MAX);
    lines
}

/// The budgets of which most is spent, as they stand now.
async fn budgets(app: &App, user: &User, projects: &[Project]) -> Result<Vec<BudgetLine>> {
    let mut spending = spending_of(app, projects).await?;
    let of_project = |project: &Project| line(&project.name, &spending.remove(&project.id)?);
    let mut lines: Vec<BudgetLine> = projects.iter().filter_map(of_project).collect();
    let own = budgets_of(app, user).await?;
    let spending = spending_in(app, &own).await?;
    lines.extend(own.iter().filter_map(|budget| line(&budget.name, spending.get(&budget.id)?)));
    lines.sort_by(|a, b| b.utilization.total_cmp(&a.utilization).then_with(|| a.name.cmp(&b.name)));
    lines.truncate(LINES_MAX);
    Ok(lines)
}

/// `None` where there is no budget, or no rate of its currency is known.
fn line(name: &str, spending: &Spending) -> Option<BudgetLine> {
    Some(BudgetLine {
        name: name.to_owned(),
        amount: spending.total_cost.checked_add(spending.remaining?)?,
        spent: spending.total_cost,
        utilization: spending.budget_utilization?,
        period_end: spending.period_end,
    })
}

/// How many anomalies nobody expected were found in `period`.
async fn anomalies(app: &App, user: &User, projects: &[Project], period: Interval) -> Result<usize> {
    let query = AnomalyQuery {
        projects: (!user.role.sees_everything()).then(|| projects.iter().map(|project| project.id).collect()),
        expected: Some(false),
        before: None,
        limit: limits::DIGEST_ANOMALIES_MAX,
    };
    let found = app.meta.list_anomalies(&query).await?;
    Ok(found.iter().filter(|anomaly| period.contains(anomaly.start)).count())
}

/// Percent by which `spent` is more (or less) than `before`, to the nearest; `None` where nothing was spent before.
pub fn change_percent(spent: Money, before: Money) -> Option<i128> {
    let (spent, before) = (i128::from(spent.nanos()), i128::from(before.nanos()));
    if before <= 0 {
        return None;
    }
    Some(((spent - before) * 200 + before).div_euclid(2 * before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_percent_of_what_was_before_to_the_nearest() {
        let percent = |spent, before| change_percent(Money::from_nanos(spent), Money::from_nanos(before));
        assert_eq!(percent(112, 100), Some(12));
        assert_eq!(percent(1_124, 1_000), Some(12));
        assert_eq!(percent(1_125, 1_000), Some(13));
        assert_eq!(percent(0, 100), Some(-100));
        assert_eq!(percent(100, 0), None);
        assert_eq!(percent(i64::MAX, 1), Some(i128::from(i64::MAX - 1) * 100));
    }
}
