//! What was spent, on what, and how it develops.

pub mod allocation;
pub mod breakdown;
pub mod compare;
pub mod export;
pub mod groups;
pub mod include;
pub mod question;
pub mod trends;

use axum::extract::State;
use domain::{Interval, ProjectId, budget::Budget, project::Project, query::Bucket, totals::Totals};
use jiff::{Timestamp, tz::TimeZone};
use pricing::Money;
use serde::Serialize;
use store::LatencyPercentiles;
use utoipa::ToSchema;

use crate::{
    analytics::{Point, Question, Sums, Wanted},
    api::{
        analytics::{
            breakdown::{Breakdown, Labels, Metric},
            groups::{Compared, DurationView, GroupContext, GroupView},
            include::{Include, Part},
            question::{AnalyticsParams, is_parameter, metric, question},
            trends::Trends,
        },
        projects::{Spending, current_period, spending_of},
        usage_query::FilterParams,
    },
    app::App,
    auth::{Auth, ProjectAccess, Read, Viewer},
    error::{ApiError, Failure, Result},
    input::Pairs,
    reply::Success,
};

/// Sums of a set of records.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Known costs, in US dollars.
    #[schema(value_type = f64, format = "decimal")]
    total_cost: Money,
    /// Tokens in and out.
    total_tokens: u64,
    /// Input tokens, cached ones included.
    input_tokens: u64,
    /// Output tokens.
    output_tokens: u64,
    /// Calls.
    total_requests: u64,
    /// Average over calls whose cost is known; `null` when there is none.
    #[schema(value_type = Option<f64>, format = "decimal")]
    average_cost_per_request: Option<Money>,
    /// Average over tokens of calls whose cost is known.
    #[schema(value_type = Option<f64>, format = "decimal")]
    cost_per_thousand_tokens: Option<Money>,
    /// What the catalog says the calls cost, where it has a price.
    #[schema(value_type = f64, format = "decimal")]
    list_cost: Money,
    /// Input tokens read from a cache.
    cached_tokens: u64,
    /// Input tokens written to a cache.
    cache_write_tokens: u64,
    /// What caching saved against the same calls uncached.
    #[schema(value_type = f64, format = "decimal")]
    cache_savings: Money,
    /// Share of calls that ended in an error, 0 to 1; `null` without calls.
    error_rate: Option<f64>,
    /// Exact percentiles of the response time; if they were asked for.
    #[schema(value_type = Latency, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Latency>,
    /// Calls whose cost is unknown; they are not in `totalCost`.
    unpriced_requests: u64,
    /// Percent of the budget used in its current period; `null` without a budget.
    budget_utilization: Option<f64>,
}

/// Sums of a period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageStats {
    #[serde(flatten)]
    summary: Summary,
    /// As in the `period` of an answer about costs.
    #[schema(value_type = Option<String>, format = DateTime)]
    records_from: Option<Timestamp>,
}

/// Percentiles of the response time, in milliseconds; `null` when no call has one.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct Latency {
    /// Half of the calls took at most this.
    p50: Option<u64>,
    /// 95 % of the calls took at most this.
    p95: Option<u64>,
    /// 99 % of the calls took at most this.
    p99: Option<u64>,
}

/// A point of the timeline. Points have no gaps.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimelinePoint {
    /// Its day (of a week or month: the first), in the time zone; of an hour, its first instant.
    date: String,
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// Known costs.
    #[schema(value_type = f64, format = "decimal")]
    cost: Money,
    /// Tokens.
    tokens: u64,
    /// Calls.
    requests: u64,
    /// Calls that ended in an error.
    errors: u64,
    /// Calls whose cost is unknown.
    unpriced: u64,
}

/// An answer about costs, of the parts that `include` names.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analytics {
    /// What it is about.
    period: PeriodView,
    /// Sums.
    #[schema(value_type = Summary, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
    /// The same over time, without gaps.
    #[schema(value_type = Vec<TimelinePoint>, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Vec<TimelinePoint>>,
    /// The same by each dimension.
    #[schema(value_type = Breakdown, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    breakdown: Option<Breakdown>,
    /// The groups that `groupBy` asked for; empty when it asked for time only. With `compare`, and not split by time, those
    /// that were only in the other period are among them.
    #[schema(value_type = Vec<GroupView>, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupView>>,
    /// Everything in the period that groups are compared with, if `compare` names one.
    #[schema(value_type = Compared, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Compared>,
    /// How long calls took, by the dimensions and over time as `groupBy` says; of all of them, if it names no dimension.
    /// Groups in which no duration is known are left out.
    #[schema(value_type = Vec<DurationView>, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    durations: Option<Vec<DurationView>>,
    /// How it develops.
    #[schema(value_type = Trends, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    trends: Option<Trends>,
    /// The project, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<ProjectSummary>,
}

/// The period that an answer is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeriodView {
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Zone whose days count.
    time_zone: String,
    /// Length of the timeline's points.
    bucket: Bucket,
    /// From when on records are there; `null` if they all are. Of the days before, only sums by UTC day, service, model,
    /// project and account are known: what asks for anything else, and latency, lacks these days.
    #[schema(value_type = Option<String>, format = DateTime)]
    records_from: Option<Timestamp>,
}

/// The project that an answer is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectSummary {
    /// Id.
    #[schema(value_type = String)]
    id: ProjectId,
    /// How it is called.
    name: String,
    /// What it may spend.
    budget: Option<Budget>,
    /// What it has spent in the current period of its budget.
    spending: Spending,
}

/// What was spent: everything the caller may see.
#[utoipa::path(get, path = "/analytics", tag = "Analytics", operation_id = "get_analytics",
    params(AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Analytics>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_analytics(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<Analytics>> {
    pairs.only(is_parameter)?;
    let question = question(&pairs, auth.caller.visibility(&app).await?, app.clock.now())?;
    let forecast_period = domain::budget::Period::calendar_month(app.clock.now());
    let (metric, include) = (metric(&pairs)?, Include::from_pairs(&pairs)?);
    answer(&app, Asked { question, metric, include, forecast_period, project: None }).await.map(Success::ok)
}

/// What a project spent.
#[utoipa::path(get, path = "/analytics/projects/{projectId}", tag = "Analytics", operation_id = "get_project_analytics",
    params(("projectId" = String, Path, description = "Id of the project"), AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Analytics>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_project_analytics(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
    pairs: Pairs,
) -> Result<Success<Analytics>> {
    about_project(&app, access, &pairs).await
}

/// The same answer under the project's own path.
#[utoipa::path(get, path = "/projects/{projectId}/analytics", tag = "Projects", operation_id = "get_analytics_of_project",
    params(("projectId" = String, Path, description = "Id of the project"), AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Analytics>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_analytics_of_project(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
    pairs: Pairs,
) -> Result<Success<Analytics>> {
    about_project(&app, access, &pairs).await
}

/// Sums only.
#[utoipa::path(get, path = "/usage/stats", tag = "Usage", operation_id = "get_usage_stats",
    params(AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<UsageStats>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_usage_stats(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<UsageStats>> {
    pairs.only(is_parameter)?;
    let question = question(&pairs, auth.caller.visibility(&app).await?, app.clock.now())?;
    let include = Include::from_pairs(&pairs)?;
    Ok(Success::ok(UsageStats {
        summary: summary(&app, &question, include.has(Part::Latency), None).await?,
        records_from: app.usage.records_from(&question.filter).await?,
    }))
}

async fn about_project(
    app: &App,
    access: ProjectAccess<Viewer>,
    pairs: &Pairs,
) -> Result<Success<Analytics>> {
    pairs.only(is_parameter)?;
    let mut question = question(pairs, access.caller.visibility(app).await?, app.clock.now())?;
    question.filter = question.filter.of_project(access.project.id);
    let forecast_period = current_period(&access.project, app.clock.now());
    let (metric, include) = (metric(pairs)?, Include::from_pairs(pairs)?);
    let project = Some(access.project);
    answer(app, Asked { question, metric, include, forecast_period, project }).await.map(Success::ok)
}

/// What is to be answered.
#[derive(Debug)]
struct Asked {
    question: Question,
    metric: Metric,
    include: Include,
    /// Of which period the costs are foretold.
    forecast_period: Interval,
    project: Option<Project>,
}

async fn answer(app: &App, asked: Asked) -> Result<Analytics> {
    let Asked { question, metric, include, forecast_period, project } = asked;
    let (question, has) = (&question, |part| include.has(part));
    let project = match project {
        Some(project) => Some(project_summary(app, project).await?),
        None => None,
    };
    let utilization = project.as_ref().and_then(|project| project.spending.budget_utilization);
    let sums = question.sums(app, wanted(question, &include)).await?;
    let (groups, durations) = groups(app, question, metric, (&include, &sums)).await?;
    let points = || sums.timeline.iter().map(|point| TimelinePoint::new(question, point)).collect();
    Ok(Analytics {
        period: PeriodView::of(app, question).await?,
        summary: if has(Part::Summary) {
            let latency = if has(Part::Latency) { Some(latency(app, question).await?) } else { None };
            Some(Summary::new(sums.whole, latency, utilization))
        } else {
            None
        },
        timeline: has(Part::Timeline).then(points),
        breakdown: if has(Part::Breakdown) {
            Some(Breakdown::of(app, question, metric, &Labels::load(app).await?).await?)
        } else {
            None
        },
        groups,
        compared: sums.before.as_ref().map(Compared::from),
        durations,
        trends: if has(Part::Trends) {
            Some(Trends::of(app, question, forecast_period).await?)
        } else {
            None
        },
        project,
    })
}

fn wanted(question: &Question, include: &Include) -> Wanted {
    let groups = include.has(Part::Groups) && !question.group_by.is_empty();
    Wanted { whole: groups || include.has(Part::Summary), timeline: include.has(Part::Timeline), groups }
}

/// Groups and durations, as far as they are asked for.
async fn groups(
    app: &App,
    question: &Question,
    metric: Metric,
    (include, sums): (&Include, &Sums),
) -> Result<(Option<Vec<GroupView>>, Option<Vec<DurationView>>)> {
    let durations = if include.has(Part::Durations) { Some(question.durations(app).await?) } else { None };
    let keys = sums.groups.iter().map(|group| &group.keys);
    let keys = keys.chain(durations.iter().flatten().map(|group| &group.keys));
    let labels = Labels::load_with_keys(app, question, keys).await?;
    let context = GroupContext { question, labels: &labels, metric, sums };
    let groups = sums.groups.iter().map(|group| context.view(group));
    let groups = include.has(Part::Groups).then(|| groups.collect());
    let durations =
        durations.map(|durations| durations.iter().map(|group| context.durations(group)).collect());
    Ok((groups, durations))
}

async fn project_summary(app: &App, project: Project) -> Result<ProjectSummary> {
    let mut spending = spending_of(app, std::slice::from_ref(&project)).await?;
    let spending =
        spending.remove(&project.id).ok_or_else(|| ApiError::internal("a project has no spending"))?;
    Ok(ProjectSummary { id: project.id, name: project.name, budget: project.budget, spending })
}

async fn summary(
    app: &App,
    question: &Question,
    with_latency: bool,
    budget_utilization: Option<f64>,
) -> Result<Summary> {
    let totals = question.totals(app).await?;
    let latency = if with_latency { Some(latency(app, question).await?) } else { None };
    Ok(Summary::new(totals, latency, budget_utilization))
}

async fn latency(app: &App, question: &Question) -> Result<LatencyPercentiles> {
    Ok(app.usage.latency_percentiles(&question.filter).await?)
}

async fn timeline(app: &App, question: &Question) -> Result<Vec<TimelinePoint>> {
    let points = question.timeline(app).await?;
    Ok(points.iter().map(|point| TimelinePoint::new(question, point)).collect())
}

impl Summary {
    fn new(totals: Totals, latency: Option<LatencyPercentiles>, budget_utilization: Option<f64>) -> Self {
        Self {
            total_cost: totals.cost,
            total_tokens: totals.tokens,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            total_requests: totals.requests,
            average_cost_per_request: totals.cost_per_request(),
            cost_per_thousand_tokens: totals.cost_per_thousand_tokens(),
            list_cost: totals.list_cost,
            cached_tokens: totals.cache_read_tokens,
            cache_write_tokens: totals.cache_write_tokens,
            cache_savings: totals.cache_savings,
            error_rate: share(i128::from(totals.errors), i128::from(totals.requests)),
            latency: latency.map(|LatencyPercentiles { p50, p95, p99, .. }| Latency { p50, p95, p99 }),
            unpriced_requests: totals.unpriced,
            budget_utilization,
        }
    }
}

impl TimelinePoint {
    fn new(question: &Question, point: &Point) -> Self {
        Self {
            date: date_label(point.start, question.bucket, &question.zone),
            start: point.start,
            cost: point.totals.cost,
            tokens: point.totals.tokens,
            requests: point.totals.requests,
            errors: point.totals.errors,
            unpriced: point.totals.unpriced,
        }
    }
}

impl PeriodView {
    async fn of(app: &App, question: &Question) -> Result<Self> {
        let zone = question.zone.iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned);
        Ok(Self {
            start: question.filter.period.start,
            end: question.filter.period.end,
            time_zone: zone,
            bucket: question.bucket,
            records_from: app.usage.records_from(&question.filter).await?,
        })
    }
}

/// How a point of a timeline is called.
fn date_label(start: Timestamp, bucket: Bucket, zone: &TimeZone) -> String {
    match bucket {
        Bucket::Hour => start.to_string(),
        Bucket::Day | Bucket::Week | Bucket::Month => {
            start.to_zoned_datetime(zone.clone()).date().to_string()
        }
    }
}

/// `part ÷ whole`, to a millionth; `None` when there is no whole.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a ratio to look at, not money")]
fn share(part: i128, whole: i128) -> Option<f64> {
    let millionths = part.checked_mul(1_000_000)?.checked_div(whole)?;
    Some(millionths as f64 / 1_000_000.0)
}
