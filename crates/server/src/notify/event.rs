//! Making events and keeping them for those who are to be told.

use domain::{
    EventId, ProjectId, UserId,
    event::{Event, EventType},
};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::StoreError;

use super::audience;
use crate::{
    app::App,
    error::{ApiError, Result},
};

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Orders deliveries: those of one subject to one destination arrive one after the other.
    pub subject: String,
    /// The project, if it is about one.
    pub project_id: Option<ProjectId>,
    /// The account, if it is about one.
    pub user_id: Option<UserId>,
}

impl About {
    /// About a project.
    pub fn project(id: ProjectId) -> Self {
        Self { subject: format!("project:{id}"), project_id: Some(id), user_id: None }
    }

    /// About an account.
    pub fn account(id: UserId) -> Self {
        Self { subject: format!("account:{id}"), project_id: None, user_id: Some(id) }
    }
}

/// A new event.
pub fn event(app: &App, kind: EventType, about: About, facts: &impl Serialize) -> Result<Event> {
    let now = app.clock.now();
    with_id(app.ids.next(now), now, kind, about, facts)
}

fn with_id(
    id: EventId,
    at: Timestamp,
    kind: EventType,
    about: About,
    facts: &impl Serialize,
) -> Result<Event> {
    let payload = serde_json::to_string(facts).map_err(ApiError::internal)?;
    let About { subject, project_id, user_id } = about;
    Ok(Event { id, kind, subject, project_id, user_id, payload, at })
}

/// Tells whom it may concern. What was done stays done if this fails: the log says so.
pub async fn announce(app: &App, kind: EventType, about: About, facts: &impl Serialize) {
    let announced = async {
        let event = event(app, kind, about, facts)?;
        keep(app, &event).await
    };
    if let Err(error) = announced.await {
        tracing::warn!(event = kind.as_str(), %error, "an event was not kept; nobody is told of it");
    }
}

/// The same, once a UTC day for what `once` names, also over restarts.
pub async fn announce_once_a_day(
    app: &App,
    kind: EventType,
    about: About,
    once: &str,
    facts: &impl Serialize,
) {
    let now = app.clock.now();
    let day = now.as_second().div_euclid(24 * 3600);
    let digest = Sha256::digest(format!("{} {day} {once}", kind.as_str()));
    let mut id = [0; 12];
    id.copy_from_slice(digest.get(..12).unwrap_or(&[0; 12]));
    let announced = async { keep(app, &with_id(EventId::from_bytes(id), now, kind, about, facts)?).await };
    if let Err(error) = announced.await {
        tracing::warn!(event = kind.as_str(), %error, "an event was not kept; nobody is told of it");
    }
}

async fn keep(app: &App, event: &Event) -> Result<()> {
    let deliveries = audience::listening_webhooks(app, event).await?;
    if deliveries.is_empty() {
        return Ok(());
    }
    if app.notifier.is_full() {
        metrics::counter!("aict_events_dropped_total", "event" => event.kind.as_str()).increment(1);
        tracing::warn!(event = event.kind.as_str(), "too many deliveries wait; an event is not told");
        return Ok(());
    }
    match app.meta.insert_event(event, &deliveries).await {
        // Its id says that it was kept before.
        Err(StoreError::Conflict("id")) => Ok(()),
        kept => {
            kept?;
            app.notifier.ring();
            Ok(())
        }
    }
}
