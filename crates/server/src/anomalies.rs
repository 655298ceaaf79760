//! Looks for spending that is far from usual, and tells of it.
//!
//! One task looks every few minutes at the hour and the UTC day of now, and at those before: what is still growing is
//! found as soon as it is too much already, and what was reported late is found at its end. What is found is claimed in the
//! store, in the transaction that keeps what is told of it.

use std::{collections::HashMap, time::Duration};

use domain::{
    AnomalyId, Interval, ProjectId,
    anomaly::{Anomaly, Series, Span, Thresholds, Usual, WEEKS},
    delivery::NewDelivery,
    event::{Event, EventType},
    project::{Project, ProjectRole},
    query::{Bucket, Dimension, Filter, Group, Selection, UsageQuery, Visibility},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pricing::Money;
use store::NewAnomaly;

use crate::{
    app::App,
    config,
    error::{ApiError, Result},
    notify::{
        audience,
        event::{About, event},
        facts::AnomalyFacts,
    },
};

/// How often the task looks.
const LOOK_EVERY: Duration = Duration::from_mins(5);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Days, or hours, of any kind that what does not run every week is compared with.
const RECENT_DAYS: usize = 28;
const RECENT_HOURS: i64 = 7 * 24;
/// What tells series apart.
const SERIES: [Dimension; 3] = [Dimension::Project, Dimension::Service, Dimension::Model];

/// What a series cost on each of the days that are looked back on, the day that is judged last.
type Days = Vec<Money>;

/// Looks now and then, until the program stops.
pub fn start(app: &App) {
    if !app.config.anomalies.enabled {
        return;
    }
    app.spawn_every(LOOK_EVERY, "anomalies", |app: App| async move {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "anomalies could not be looked for; they will be");
        }
    });
}

/// Looks at the hours and days of now and before; how many anomalies were found that nobody knew of.
pub async fn look(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut found = 0;
    for span in [Span::Day, Span::Hour] {
        let current = span.containing(now);
        let before = span.containing(current.start.saturating_sub(span.length()).unwrap_or(current.start));
        for period in [before, current] {
            found += look_at(app, span, period).await?;
        }
    }
    Ok(found)
}

/// Judges every series that spent enough in `period` to be one.
async fn look_at(app: &App, span: Span, period: Interval) -> Result<usize> {
    let thresholds = thresholds(&app.config.anomalies);
    let spent = by_series(app, Filter::all(Visibility::Everything).during(period), None).await?;
    let mut found = 0;
    for group in spent.into_iter().filter(|group| group.totals.cost >= thresholds.excess_min) {
        let Some(series) = series_of(&group) else { continue };
        let Some(usual) = usual(app, &series, span, period).await? else { continue };
        let since = period.start.checked_sub(WEEK * weeks()).unwrap_or(Timestamp::MIN);
        let expected = app.meta.find_expected(&series, span, since).await?;
        if thresholds.are_crossed(group.totals.cost, &usual, expected) {
            let finding = Finding { series, span, start: period.start, spent: group.totals.cost, usual };
            found += usize::from(tell(app, finding).await?);
        }
    }
    Ok(found)
}

/// What was found, before it has an id.
struct Finding {
    series: Series,
    span: Span,
    start: Timestamp,
    spent: Money,
    usual: Usual,
}

fn thresholds(settings: &config::Anomalies) -> Thresholds {
    let excess = i64::from(settings.excess_min_usd).saturating_mul(1_000_000_000);
    Thresholds { times_min: settings.times_min, excess_min: Money::from_nanos(excess) }
}

fn weeks() -> i32 {
    i32::try_from(WEEKS).unwrap_or(i32::MAX)
}

/// What the series usually costs in the hours or days that `period` is one of.
async fn usual(app: &App, series: &Series, span: Span, period: Interval) -> Result<Option<Usual>> {
    let days = days_before(app, series, Span::Day.containing(period.start)).await?;
    // What it did not cost before it was used says nothing.
    let first_use = days.iter().position(|cost| *cost != Money::ZERO).unwrap_or(days.len());
    match span {
        Span::Day => {
            let used: Vec<Money> = days.iter().skip(first_use).copied().collect();
            let same: Vec<Money> = used.iter().rev().skip(6).step_by(7).copied().collect();
            let recent: Vec<Money> = used.iter().rev().take(RECENT_DAYS).copied().collect();
            Ok(Usual::of(&same, &recent))
        }
        Span::Hour => {
            let weeks_used = (days.len() - first_use) / 7;
            let mut same = Vec::new();
            for week in 1..=i32::try_from(weeks_used).unwrap_or(0) {
                same.push(spent_in(app, series, shifted(period, WEEK * -week)).await?);
            }
            let recent = hours_before(app, series, period.start).await?;
            Ok(Usual::of(&same, &recent))
        }
    }
}

fn shifted(period: Interval, by: SignedDuration) -> Interval {
    let shift = |at: Timestamp| at.saturating_add(by).unwrap_or(at);
    Interval { start: shift(period.start), end: shift(period.end) }
}

/// The days before `day`, as many as are looked back on, oldest first.
async fn days_before(app: &App, series: &Series, day: Interval) -> Result<Days> {
    let start = day.start.saturating_sub(WEEK * weeks()).unwrap_or(day.start);
    timeline(app, series, Interval { start, end: day.start }, Bucket::Day).await
}

async fn hours_before(app: &App, series: &Series, before: Timestamp) -> Result<Vec<Money>> {
    let start = before.saturating_sub(SignedDuration::from_hours(RECENT_HOURS)).unwrap_or(before);
    timeline(app, series, Interval { start, end: before }, Bucket::Hour).await
}

async fn timeline(app: &App, series: &Series, period: Interval, bucket: Bucket) -> Result<Vec<Money>> {
    if period.start >= period.end {
        return Ok(Vec::new());
    }
    let starts = bucket.starts(period, &TimeZone::UTC)?;
    let query = UsageQuery {
        filter: filter_of(series).during(period),
        buckets: Some(starts.clone()),
        group_by: Vec::new(),
    };
    let groups = app.usage.aggregate(&query).await?;
    let by_start: HashMap<Timestamp, Money> =
        groups.iter().filter_map(|group| Some((group.bucket?, group.totals.cost))).collect();
    Ok(starts.iter().map(|start| by_start.get(start).copied().unwrap_or_default()).collect())
}

async fn spent_in(app: &App, series: &Series, period: Interval) -> Result<Money> {
    let query = UsageQuery { filter: filter_of(series).during(period), buckets: None, group_by: Vec::new() };
    let groups = app.usage.aggregate(&query).await?;
    Ok(groups.first().map(|group| group.totals.cost).unwrap_or_default())
}

async fn by_series(app: &App, filter: Filter, buckets: Option<Vec<Timestamp>>) -> Result<Vec<Group>> {
    let query = UsageQuery { filter, buckets, group_by: SERIES.to_vec() };
    Ok(app.usage.aggregate(&query).await?)
}

fn series_of(group: &Group) -> Option<Series> {
    let [project, provider, model] = group.keys.as_slice() else { return None };
    Some(Series {
        project_id: project.as_deref().map(str::parse).transpose().ok()?,
        provider: provider.clone()?,
        model: model.clone()?,
    })
}

fn filter_of(series: &Series) -> Filter {
    let only = |value: String| Selection { include: vec![value], exclude: Vec::new() };
    let mut filter = Filter::all(Visibility::Everything);
    // An empty value stands for records without a project.
    let project = series.project_id.map(|id| id.to_string()).unwrap_or_default();
    let values = [project, series.provider.clone(), series.model.clone()];
    filter.selections = SERIES.into_iter().zip(values.map(only)).collect();
    filter
}

/// Keeps what was found and tells of it, unless its series is quiet to be.
async fn tell(app: &App, finding: Finding) -> Result<bool> {
    let now = app.clock.now();
    let project = match finding.series.project_id {
        Some(id) => app.meta.find_project(id).await?,
        None => None,
    };
    let id: AnomalyId = app.ids.next(now);
    let Finding { series, span, start, spent, usual } = finding;
    let quiet_since = start.saturating_sub(span.quiet_time()).unwrap_or(Timestamp::MIN);
    let project_id = series.project_id;
    let event_id = app.ids.next(now);
    let anomaly = Anomaly { id, series, span, start, spent, usual, event_id, at: now, expected: None };
    let facts = AnomalyFacts::of(&anomaly, project.as_ref());
    let event = Event { id: event_id, ..event(app, EventType::CostAnomaly, about(project_id), &facts)? };
    let deliveries = deliveries(app, project.as_ref(), &event).await?;
    let is_new = app
        .meta
        .insert_anomaly(&NewAnomaly { anomaly, quiet_since, event, deliveries })
        .await
        .map_err(ApiError::from)?;
    if is_new {
        tracing::info!("{}", facts.title());
        metrics::counter!("aict_anomalies_total").increment(1);
        app.notifier.ring();
    }
    Ok(is_new)
}

fn about(project: Option<ProjectId>) -> About {
    project.map_or_else(
        || About { subject: "anomaly".to_owned(), project_id: None, user_id: None },
        About::project,
    )
}

/// To the webhooks that asked for it, and to the project's owners by e-mail. People whom the demo made up have no mailbox.
async fn deliveries(app: &App, project: Option<&Project>, event: &Event) -> Result<Vec<NewDelivery>> {
    if project.is_some_and(|project| project.demo) {
        return Ok(Vec::new());
    }
    let mut deliveries = audience::listening_webhooks(app, event).await?;
    let owners = project.into_iter().flat_map(|project| &project.members);
    let owners = owners.filter(|member| member.role == ProjectRole::Owner);
    if app.config.anomalies.mail_owners && app.notifier.mailer.is_some() {
        for owner in owners {
            if let Some(user) = app.meta.find_user(owner.user_id).await? {
                deliveries.push(audience::to_email(app, user.email, event.at));
            }
        }
    }
    Ok(deliveries)
}
