//! Webhooks that ask for `usage.tracked` by name: what was recorded goes into the outbox, many records in one event.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{
    ProjectId, UserId,
    delivery::NewDelivery,
    event::{Event, EventType},
    usage_record::UsageRecord,
};
use serde::Serialize;
use store::StoreError;

use super::stream::TrackedUsage;
use crate::{
    app::App,
    error::Result,
    limits,
    notify::{
        audience,
        event::{About, event},
    },
};

/// Pages of records that one look tells of.
const PAGES_AT_ONCE: usize = 5;

/// Whether anybody asks, as of the last change of webhooks.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The store's count of changes as of which nobody asks, plus one; 0 when somebody may.
    nobody_as_of: AtomicU64,
}

/// `usage.tracked`: records that were kept, in their order.
#[derive(Debug, Serialize)]
struct UsageFacts {
    records: Vec<TrackedUsage>,
}

/// Keeps events of what was recorded since the last time, for the webhooks that ask for them.
pub(super) async fn tell(app: &App) -> Result<()> {
    let as_of = app.meta.change_count() + 1;
    let told = &app.feed.told.nobody_as_of;
    if told.load(Ordering::Relaxed) == as_of {
        return Ok(());
    }
    if !is_asked_for(app).await? {
        told.store(as_of, Ordering::Relaxed);
        return Ok(());
    }
    // The store notes the place when somebody asks first.
    let mut place = app.meta.find_told_place().await?.unwrap_or(0);
    for _ in 0..PAGES_AT_ONCE {
        let page = app.usage.list_kept(place, limits::TOLD_RECORDS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        let (after, last) = (place, *last);
        let events = events(app, page).await?;
        match app.meta.insert_usage_events(events, after, last).await {
            // Somebody else has told of them.
            Err(StoreError::Conflict("place")) => return Ok(()),
            kept => kept?,
        }
        place = last;
        app.notifier.ring();
    }
    // Streams are not to wait for webhooks.
    app.feed.ring();
    Ok(())
}

async fn is_asked_for(app: &App) -> Result<bool> {
    Ok(app.meta.list_all_webhooks().await?.iter().any(|webhook| webhook.wants(EventType::UsageTracked)))
}

/// One event for each project, and for each account's records outside of projects, that somebody listens to.
async fn events(app: &App, page: Vec<(u64, UsageRecord)>) -> Result<Vec<(Event, Vec<NewDelivery>)>> {
    let mut groups: BTreeMap<(Option<ProjectId>, Option<UserId>), Vec<TrackedUsage>> = BTreeMap::new();
    for (_, record) in &page {
        let user = record.project_id.is_none().then_some(record.user_id);
        groups.entry((record.project_id, user)).or_default().push(TrackedUsage::of(record));
    }
    let mut events = Vec::new();
    for ((project_id, user_id), records) in groups {
        // Not the subject of budgets: their alerts must not wait behind what is recorded.
        let id = project_id.map(|id| id.to_string()).or_else(|| user_id.map(|id| id.to_string()));
        let about = About { subject: format!("usage:{}", id.unwrap_or_default()), project_id, user_id };
        let event = event(app, EventType::UsageTracked, about, &UsageFacts { records })?;
        let deliveries = audience::listening_webhooks(app, &event).await?;
        if deliveries.is_empty() {
            continue;
        }
        if app.notifier.is_full() {
            metrics::counter!("aict_events_dropped_total", "event" => event.kind.as_str()).increment(1);
            continue;
        }
        events.push((event, deliveries));
    }
    Ok(events)
}
