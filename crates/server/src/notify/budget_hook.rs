//! The webhooks behind `webhookUrl` of budgets' alerts.

use domain::{
    budget::Alert,
    project::Project,
    webhook::{self, Format, Owner, Webhook},
};

use crate::{app::App, error::Result};

/// The webhook of `alert`, made where the project has none for its URL yet; `None` if the alert names no URL.
///
/// It signs with a secret of the project, which the project's list of webhooks shows.
pub async fn ensure(app: &App, project: &Project, alert: &Alert) -> Result<Option<Webhook>> {
    let (true, Some(url)) = (alert.kind.by_webhook(), &alert.webhook_url) else { return Ok(None) };
    let now = app.clock.now();
    let id = app.ids.next(now);
    let secret = app.vault.seal_webhook(id, &webhook::generate_secret(&mut rand::rng()))?;
    let webhook = Webhook {
        id,
        owner: Owner::Project(project.id),
        url: url.clone(),
        description: "Named by an alert of the budget".to_owned(),
        events: Vec::new(),
        format: Format::of_url(url),
        enabled: true,
        disabled_reason: None,
        of_budget: true,
        secret,
        previous_secret: None,
        failing_since: None,
        created_at: now,
        updated_at: now,
    };
    app.meta.ensure_budget_webhook(&webhook).await.map(Some).map_err(Into::into)
}

/// Makes the webhooks of every alert of the project's budget, so that their secrets can be read before one fires.
pub async fn ensure_all(app: &App, project: &Project) -> Result<()> {
    for alert in project.budget.iter().flat_map(|budget| &budget.alerts) {
        ensure(app, project, alert).await?;
    }
    Ok(())
}
