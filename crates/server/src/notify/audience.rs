//! Who is told of an event.

use std::collections::HashMap;

use domain::{
    UserId,
    delivery::{Channel, DeliveryState, NewDelivery},
    event::Event,
    project::Project,
    webhook::{Owner, Webhook},
};
use jiff::Timestamp;

use crate::{app::App, error::Result};

/// Deliveries of `event` to every webhook that asked for its type and whose owner may know of it.
pub async fn listening_webhooks(app: &App, event: &Event) -> Result<Vec<NewDelivery>> {
    let webhooks = app.meta.list_listening_webhooks(event.project_id).await?;
    let wanted: Vec<Webhook> = webhooks.into_iter().filter(|webhook| webhook.wants(event.kind)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let project = match event.project_id {
        Some(id) => app.meta.find_project(id).await?,
        None => None,
    };
    let mut seen = HashMap::new();
    let mut deliveries = Vec::new();
    for webhook in wanted {
        let concerns = match webhook.owner {
            Owner::Project(project) => Some(project) == event.project_id,
            Owner::Account(user) => may_know(app, user, event, project.as_ref(), &mut seen).await?,
        };
        if concerns {
            deliveries.push(to_webhook(app, &webhook, event.at));
        }
    }
    Ok(deliveries)
}

/// Deliveries of `event` to those of the account's own webhooks that asked for its type.
pub async fn own_webhooks(app: &App, event: &Event, user: UserId) -> Result<Vec<NewDelivery>> {
    let webhooks = app.meta.list_webhooks(Owner::Account(user)).await?;
    let wanted = webhooks.iter().filter(|webhook| webhook.wants(event.kind));
    Ok(wanted.map(|webhook| to_webhook(app, webhook, event.at)).collect())
}

/// A person may know of what is theirs, of what happens in their projects, and, as an administrator, of everything.
async fn may_know(
    app: &App,
    user: UserId,
    event: &Event,
    project: Option<&Project>,
    seen: &mut HashMap<UserId, bool>,
) -> Result<bool> {
    if let Some(known) = seen.get(&user) {
        return Ok(*known);
    }
    let Some(account) = app.meta.find_user(user).await? else { return Ok(false) };
    let may = match project {
        Some(project) => project.role_of(user, account.role).is_some(),
        None => event.user_id == Some(user) || account.role.sees_everything(),
    };
    seen.insert(user, may);
    Ok(may)
}

/// A delivery to `webhook`.
pub fn to_webhook(app: &App, webhook: &Webhook, at: Timestamp) -> NewDelivery {
    NewDelivery {
        id: app.ids.next(at),
        channel: Channel::Webhook,
        webhook_id: Some(webhook.id),
        target: webhook.url.clone(),
        state: DeliveryState::Waiting,
        reason: None,
    }
}

/// A delivery to an e-mail address; one that never leaves where no mail server is configured.
pub fn to_email(app: &App, address: String, at: Timestamp) -> NewDelivery {
    let is_configured = app.notifier.mailer.is_some();
    NewDelivery {
        id: app.ids.next(at),
        channel: Channel::Email,
        webhook_id: None,
        target: address,
        state: if is_configured { DeliveryState::Waiting } else { DeliveryState::NotConfigured },
        reason: (!is_configured).then(|| "no mail server is configured: see [smtp]".to_owned()),
    }
}

/// Says that there is no webhook to tell.
pub fn to_no_webhook(app: &App, at: Timestamp) -> NewDelivery {
    NewDelivery {
        id: app.ids.next(at),
        channel: Channel::Webhook,
        webhook_id: None,
        target: String::new(),
        state: DeliveryState::NotConfigured,
        reason: Some("no webhook of the project or of its members asks for this event".to_owned()),
    }
}
