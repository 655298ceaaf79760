//! Firing the alerts of a budget, each once a period.

use std::collections::HashSet;

use domain::{
    AlertId, Interval,
    alert::{
        Definition, EXCEEDED_PERCENT, FiredAlert, alerts_due, definition, definition_of_exceeded, exceeds,
    },
    budget::{Alert, AlertKind, Budget},
    delivery::NewDelivery,
    event::{Event, EventType},
    project::{Project, ProjectRole},
};
use jiff::Timestamp;
use pricing::Money;

use crate::{
    app::App,
    error::Result,
    notify::{
        audience, budget_hook,
        event::{About, event},
        facts::{BudgetFacts, ProjectFacts},
    },
};

/// What there is to fire.
struct Due<'a> {
    /// The alert; `None` for the end of the budget itself.
    alert: Option<&'a Alert>,
    threshold: u16,
    definition: Definition,
}

/// A budget in one of its periods.
struct Moment<'a> {
    project: &'a Project,
    budget: &'a Budget,
    period: Interval,
    spent: Money,
}

/// Fires what the spending in `period` has reached and what has not fired in it.
pub(super) async fn fire_due(app: &App, project: &Project, budget: &Budget, period: Interval) -> Result<()> {
    let spent = super::spent(app, project.id, period).await?;
    let due = reached(budget, spent);
    if due.is_empty() {
        return Ok(());
    }
    let fired = app.meta.list_fired_alerts(project.id, period.start).await?;
    let fired: HashSet<(u16, Definition)> =
        fired.iter().map(|fired| (fired.threshold, fired.definition)).collect();
    let moment = Moment { project, budget, period, spent };
    for due in due {
        if !fired.contains(&(due.threshold, due.definition)) {
            fire(app, &moment, &due).await?;
        }
    }
    Ok(())
}

fn reached(budget: &Budget, spent: Money) -> Vec<Due<'_>> {
    let alerts = alerts_due(budget, Money::ZERO, spent).into_iter().map(|alert| Due {
        alert: Some(alert),
        threshold: alert.threshold,
        definition: definition(alert),
    });
    let end = exceeds(budget, Money::ZERO, spent).then(|| Due {
        alert: None,
        threshold: EXCEEDED_PERCENT,
        definition: definition_of_exceeded(),
    });
    alerts.chain(end).collect()
}

async fn fire(app: &App, moment: &Moment<'_>, due: &Due<'_>) -> Result<()> {
    let id: AlertId = app.ids.next(app.clock.now());
    let kind = due.alert.map_or(EventType::BudgetExceeded, |_| EventType::BudgetThresholdCrossed);
    let about = About::project(moment.project.id);
    let event = event(app, kind, about, &facts(moment, due.threshold, id))?;
    // People whom the demo made up have no mailbox.
    let deliveries =
        if moment.project.demo { Vec::new() } else { deliveries(app, moment.project, due, &event).await? };
    let fired = FiredAlert {
        id,
        project_id: moment.project.id,
        period_start: moment.period.start,
        period_end: moment.period.end,
        threshold: due.threshold,
        definition: due.definition,
        exceeded: due.alert.is_none(),
        kind: due.alert.map_or(AlertKind::InApp, |alert| alert.kind),
        amount: moment.budget.amount,
        spent: moment.spent,
        event_id: event.id,
        at: event.at,
    };
    if app.meta.fire_alert(&fired, &event, &deliveries).await? {
        let project = moment.project.id;
        tracing::info!(%project, threshold = due.threshold, "an alert of a budget fired");
        metrics::counter!("aict_alerts_fired_total").increment(1);
        app.notifier.ring();
    }
    Ok(())
}

async fn deliveries(app: &App, project: &Project, due: &Due<'_>, event: &Event) -> Result<Vec<NewDelivery>> {
    let Some(alert) = due.alert else { return audience::listening_webhooks(app, event).await };
    let mut deliveries = Vec::new();
    if alert.kind.by_email() {
        for address in recipients(app, project, alert).await? {
            deliveries.push(audience::to_email(app, address, event.at));
        }
    }
    if alert.kind.by_webhook() {
        let own = budget_hook::ensure(app, project, alert).await?;
        let hooks = match own {
            Some(webhook) => vec![audience::to_webhook(app, &webhook, event.at)],
            None => audience::listening_webhooks(app, event).await?,
        };
        let nobody = hooks.is_empty().then(|| audience::to_no_webhook(app, event.at));
        deliveries.extend(hooks.into_iter().chain(nobody));
    }
    Ok(deliveries)
}

/// The alert's recipients, each once; the project's owners when it names none.
async fn recipients(app: &App, project: &Project, alert: &Alert) -> Result<Vec<String>> {
    let mut addresses = alert.recipients.clone();
    if addresses.is_empty() {
        for owner in project.members.iter().filter(|member| member.role == ProjectRole::Owner) {
            addresses.extend(app.meta.find_user(owner.user_id).await?.map(|user| user.email));
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

fn facts(moment: &Moment<'_>, threshold: u16, alert_id: AlertId) -> BudgetFacts {
    let Moment { project, budget, period, spent } = moment;
    BudgetFacts {
        alert_id,
        project: ProjectFacts::of(project),
        threshold,
        amount: budget.amount,
        currency: budget.currency.clone(),
        spent: *spent,
        remaining: budget.amount.checked_sub(*spent).unwrap_or_default(),
        utilization: budget.utilization_percent(*spent),
        period: budget.period,
        period_start: period.start,
        period_end: (period.end != Timestamp::MAX).then_some(period.end),
    }
}
