//! Forgetting: prompts and completions after `contentDays`, records after `recordDays`. Their sums stay.
//!
//! It goes in small writes, with room for others in between, and every one of them is whole by itself: what a crash
//! leaves over, the next round does.

use std::time::Duration;

use domain::{
    Interval, ProjectId,
    project::{Project, Retention},
};
use jiff::{Timestamp, ToSpan as _};
use store::StoreError;

use crate::{app::App, limits};

/// How often it is looked what has become old.
const EVERY: Duration = Duration::from_hours(1);

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Records whose prompt and completion were erased.
    pub contents: u64,
    /// Records that were deleted.
    pub records: u64,
}

/// Forgets what is old, now and every hour, until the program stops.
pub fn start(app: &App) {
    app.spawn_every(EVERY, "retention", |app: App| async move {
        match forget_old(&app).await {
            Ok(forgotten) if forgotten != Forgotten::default() => {
                let Forgotten { contents, records } = forgotten;
                tracing::info!(contents, records, "what is older than it is kept was forgotten");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "what is old could not be forgotten; it will be"),
        }
    });
}

/// Forgets what is old, project by project.
pub async fn forget_old(app: &App) -> Result<Forgotten, StoreError> {
    let mut forgotten = forget_of(app, None, Retention::default()).await?;
    let mut projects = app.meta.list_projects().await?;
    projects.extend(app.meta.list_archived_projects().await?);
    for Project { id, settings, .. } in projects {
        let of_project = forget_of(app, Some(id), settings.retention).await?;
        forgotten.contents += of_project.contents;
        forgotten.records += of_project.records;
    }
    metrics::counter!("aict_retention_contents_total").increment(forgotten.contents);
    metrics::counter!("aict_retention_records_total").increment(forgotten.records);
    Ok(forgotten)
}

async fn forget_of(app: &App, project: Option<ProjectId>, own: Retention) -> Result<Forgotten, StoreError> {
    let installation = &app.config.retention;
    let now = app.clock.now();
    let mut forgotten = Forgotten::default();
    if let Some(before) =
        own.content_days.or_else(|| installation.content_days()).and_then(|days| ago(now, days))
    {
        forgotten.contents = erase_contents(app, project, before).await?;
    }
    if let Some(before) =
        own.record_days.or_else(|| installation.record_days()).and_then(|days| ago(now, days))
    {
        forgotten.records = trim_records(app, project, before).await?;
    }
    Ok(forgotten)
}

async fn erase_contents(app: &App, project: Option<ProjectId>, before: Timestamp) -> Result<u64, StoreError> {
    let (mut start, mut erased) = (Timestamp::MIN, 0);
    while !app.is_stopping() {
        let period = Interval { start, end: before };
        let part = app.usage.erase_contents(project, period, limits::FORGOTTEN_AT_ONCE).await?;
        erased += part.count;
        match part.until {
            Some(until) if part.count > 0 => start = until,
            _ => break,
        }
    }
    Ok(erased)
}

async fn trim_records(app: &App, project: Option<ProjectId>, before: Timestamp) -> Result<u64, StoreError> {
    let mut trimmed = 0;
    while !app.is_stopping() {
        let part = app.usage.trim_records(project, before, limits::FORGOTTEN_AT_ONCE).await?;
        if part == 0 {
            break;
        }
        trimmed += part;
    }
    Ok(trimmed)
}

fn ago(now: Timestamp, days: u32) -> Option<Timestamp> {
    now.checked_sub((i64::from(days) * 24).hours()).ok()
}
