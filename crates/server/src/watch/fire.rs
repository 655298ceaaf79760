//! Firing the alerts of a budget, each once a period.

use std::collections::HashSet;

use domain::{
    AlertId,
    alert::{
        Definition, EXCEEDED_PERCENT, FiredAlert, alerts_due, definition, definition_of_exceeded, exceeds,
    },
    budget::{Alert, AlertKind, Scope, ScopedBudget, utilization_percent},
    delivery::NewDelivery,
    event::{Event, EventType},
    fx::USD,
    project::ProjectRole,
    user::Role,
};
use jiff::Timestamp;
use pricing::Money;

use super::Watched;
use crate::{
    app::App,
    budgets::Subject,
    error::Result,
    notify::{
        audience, budget_hook,
        event::{About, event},
        facts::{BudgetFacts, BudgetName, ProjectFacts},
    },
};

/// What there is to fire.
struct Due<'a> {
    /// The alert; `None` for the end of the budget itself.
    alert: Option<&'a Alert>,
    threshold: u16,
    definition: Definition,
}

/// How a budget stands in one of its periods.
pub(super) struct Moment<'a> {
    pub(super) subject: &'a Subject,
    pub(super) limit: Money,
    pub(super) spent: Money,
}

/// Fires what the spending of a period has reached and what has not fired in it.
pub(super) async fn fire_due(app: &App, watched: &Watched, moment: &Moment<'_>) -> Result<()> {
    let due = reached(&watched.budget.terms.alerts, moment.limit, moment.spent);
    if due.is_empty() {
        return Ok(());
    }
    let fired = app.meta.list_fired_alerts(watched.id(), moment.subject.allowance.period.start).await?;
    let fired: HashSet<(u16, Definition)> =
        fired.iter().map(|fired| (fired.threshold, fired.definition)).collect();
    for due in due {
        if !fired.contains(&(due.threshold, due.definition)) {
            fire(app, watched, moment, &due).await?;
        }
    }
    Ok(())
}

fn reached(alerts: &[Alert], limit: Money, spent: Money) -> Vec<Due<'_>> {
    let alerts = alerts_due(alerts, limit, Money::ZERO, spent).into_iter().map(|alert| Due {
        alert: Some(alert),
        threshold: alert.threshold,
        definition: definition(alert),
    });
    let end = exceeds(limit, Money::ZERO, spent).then(|| Due {
        alert: None,
        threshold: EXCEEDED_PERCENT,
        definition: definition_of_exceeded(),
    });
    alerts.chain(end).collect()
}

async fn fire(app: &App, watched: &Watched, moment: &Moment<'_>, due: &Due<'_>) -> Result<()> {
    let id: AlertId = app.ids.next(app.clock.now());
    let kind = due.alert.map_or(EventType::BudgetExceeded, |_| EventType::BudgetThresholdCrossed);
    let about = about(app, &watched.budget).await?;
    let event = event(app, kind, about, &facts(watched, moment, due.threshold, id))?;
    // People whom the demo made up have no mailbox.
    let is_demo = watched.project.as_ref().is_some_and(|project| project.demo);
    let deliveries = if is_demo { Vec::new() } else { deliveries(app, watched, due, &event).await? };
    let allowance = &moment.subject.allowance;
    let fired = FiredAlert {
        id,
        budget_id: watched.id(),
        period_start: allowance.period.start,
        period_end: allowance.period.end,
        threshold: due.threshold,
        definition: due.definition,
        exceeded: due.alert.is_none(),
        kind: due.alert.map_or(AlertKind::InApp, |alert| alert.kind),
        amount: moment.limit,
        conversion: allowance.conversion().cloned(),
        spent: moment.spent,
        event_id: event.id,
        at: event.at,
    };
    if app.meta.fire_alert(&fired, &event, &deliveries).await? {
        let budget = watched.id();
        tracing::info!(%budget, threshold = due.threshold, "an alert of a budget fired");
        metrics::counter!("aict_alerts_fired_total").increment(1);
        app.notifier.ring();
    }
    Ok(())
}

/// Whom an alert concerns: the project, else whose tracker key it is, else those who see everything.
async fn about(app: &App, budget: &ScopedBudget) -> Result<About> {
    let user_id = match budget.scope {
        Scope::Project { project_id } => return Ok(About::project(project_id)),
        Scope::Key { key_id } => app.meta.find_tracker_key_by_id(key_id).await?.map(|key| key.user_id),
        Scope::Tag { .. } | Scope::Account => None,
    };
    Ok(About { subject: format!("budget:{}", budget.id), project_id: None, user_id })
}

async fn deliveries(app: &App, watched: &Watched, due: &Due<'_>, event: &Event) -> Result<Vec<NewDelivery>> {
    let Some(alert) = due.alert else { return audience::listening_webhooks(app, event).await };
    let mut deliveries = Vec::new();
    if alert.kind.by_email() {
        for address in recipients(app, watched, alert).await? {
            deliveries.push(audience::to_email(app, address, event.at));
        }
    }
    if alert.kind.by_webhook() {
        let own = budget_hook::ensure(app, &watched.budget, alert).await?;
        let hooks = match own {
            Some(webhook) => vec![audience::to_webhook(app, &webhook, event.at)],
            None => audience::listening_webhooks(app, event).await?,
        };
        let nobody = hooks.is_empty().then(|| audience::to_no_webhook(app, event.at));
        deliveries.extend(hooks.into_iter().chain(nobody));
    }
    Ok(deliveries)
}

/// The alert's recipients, each once; where it names none, the project's owners, or those of the installation.
async fn recipients(app: &App, watched: &Watched, alert: &Alert) -> Result<Vec<String>> {
    let mut addresses = alert.recipients.clone();
    if let (true, Some(project)) = (addresses.is_empty(), &watched.project) {
        for owner in project.members.iter().filter(|member| member.role == ProjectRole::Owner) {
            addresses.extend(app.meta.find_user(owner.user_id).await?.map(|user| user.email));
        }
    } else if addresses.is_empty() {
        let owners = app.meta.list_users().await?.into_iter().filter(|user| user.role == Role::Owner);
        addresses.extend(owners.filter(|owner| !owner.demo).map(|owner| owner.email));
    }
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

fn facts(watched: &Watched, moment: &Moment<'_>, threshold: u16, alert_id: AlertId) -> BudgetFacts {
    let Moment { subject: Subject { budget, allowance }, limit, spent } = moment;
    BudgetFacts {
        alert_id,
        budget: BudgetName::of(budget),
        project: watched.project.as_ref().map(ProjectFacts::of),
        threshold,
        amount: *limit,
        currency: USD.to_owned(),
        conversion: allowance.conversion().cloned(),
        spent: *spent,
        remaining: limit.checked_sub(*spent).unwrap_or_default(),
        utilization: utilization_percent(*limit, *spent),
        period: budget.terms.period,
        period_start: allowance.period.start,
        period_end: (allowance.period.end != Timestamp::MAX).then_some(allowance.period.end),
    }
}
