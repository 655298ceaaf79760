//! The webhooks behind `webhookUrl` of budgets' alerts.

use domain::{
    budget::{Alert, ScopedBudget},
    user::Role,
    webhook::{self, Format, Owner, Webhook},
};

use crate::{app::App, error::Result};

/// The webhook of `alert`, made where its owner has none for its URL yet; `None` if the alert names no URL.
///
/// It belongs to the project, or to the person who made the budget, whose list of webhooks shows its secret.
pub async fn ensure(app: &App, budget: &ScopedBudget, alert: &Alert) -> Result<Option<Webhook>> {
    let (true, Some(url)) = (alert.kind.by_webhook(), &alert.webhook_url) else { return Ok(None) };
    let Some(owner) = owner(app, budget).await? else { return Ok(None) };
    let now = app.clock.now();
    let id = app.ids.next(now);
    let secret = app.vault.seal_webhook(id, &webhook::generate_secret(&mut rand::rng()))?;
    let webhook = Webhook {
        id,
        owner,
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

/// Makes the webhooks of every alert of the budget, so that their secrets can be read before one fires.
pub async fn ensure_all(app: &App, budget: Option<ScopedBudget>) -> Result<()> {
    let Some(budget) = budget else { return Ok(()) };
    for alert in &budget.terms.alerts {
        ensure(app, &budget, alert).await?;
    }
    Ok(())
}

/// Whose webhooks the budget's are: an owner of the installation takes those of somebody who has left.
async fn owner(app: &App, budget: &ScopedBudget) -> Result<Option<Owner>> {
    if let Some(project) = budget.project_id() {
        return Ok(Some(Owner::Project(project)));
    }
    let users = app.meta.list_users().await?;
    let maker = users.iter().find(|user| Some(user.id) == budget.created_by);
    let heir = || users.iter().find(|user| user.role == Role::Owner && !user.demo);
    Ok(maker.or_else(heir).map(|user| Owner::Account(user.id)))
}
