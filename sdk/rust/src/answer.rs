//! What the tracker answers. Money is exact; fields that are not here are passed over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pricing::Money;
use serde::Deserialize;

use crate::error::FieldProblem;

/// Where a cost comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CostSource {
    /// The sender said it.
    Reported,
    /// The provider said it.
    Provider,
    /// The catalog of prices.
    Catalog,
    /// The operator's own prices.
    Override,
    /// The catalog, for tokens that were estimated.
    Estimated,
    /// Nowhere: it is not known.
    Unpriced,
    /// A source of a tracker that is newer than this client.
    #[serde(other)]
    Other,
}

/// What became of a tracked call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// Id of the record.
    pub id: String,
    /// What it cost; `None` is unknown, not free.
    pub cost: Option<Money>,
    /// Tokens in and out; `None` when nobody counted.
    pub total_tokens: Option<u64>,
    /// Where the cost comes from.
    pub cost_source: Option<CostSource>,
    /// Whether this key was sent before; then nothing was added.
    pub duplicate: bool,
}

/// What became of many records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkOutcome {
    /// Records that were kept.
    pub successful: u64,
    /// Records whose key had been sent before.
    pub duplicates: u64,
    /// Records that were refused.
    pub failed: u64,
    /// Those that were kept or known, in order.
    pub results: Vec<BulkResult>,
    /// Those that were refused.
    pub errors: Vec<BulkError>,
}

// Not flattened into one another: money must be read straight from its digits.
/// A record that was kept or known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// Its place in what was sent, from 0.
    pub index: usize,
    /// Id of the record.
    pub id: String,
    /// What it cost; `None` is unknown, not free.
    pub cost: Option<Money>,
    /// Where the cost comes from.
    pub cost_source: Option<CostSource>,
    /// Whether this key was sent before.
    pub duplicate: bool,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BulkError {
    /// Its place in what was sent, from 0.
    pub index: usize,
    /// Why, for people.
    pub error: String,
    /// Stable code.
    pub code: String,
    /// What is wrong with which field.
    #[serde(default)]
    pub details: Vec<FieldProblem>,
}

/// What a set of records cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Analytics {
    /// What it is about.
    pub period: AnalyticsPeriod,
    /// Sums.
    pub summary: Summary,
    /// The same over time, without gaps.
    pub timeline: Vec<TimelinePoint>,
    /// The same by each dimension.
    pub breakdown: Breakdown,
    /// The groups that were asked for.
    pub groups: Vec<Group>,
    /// How it develops.
    pub trends: Trends,
    /// The project, if it is about one.
    pub project: Option<ProjectSummary>,
}

/// A period, half-open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsPeriod {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// IANA name of the zone whose days count.
    pub time_zone: String,
    /// From when on there are records, if that is later than the start.
    pub records_from: Option<Timestamp>,
}

/// Sums of a set of records.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Known costs.
    pub total_cost: Money,
    /// Tokens in and out.
    pub total_tokens: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Calls.
    pub total_requests: u64,
    /// Average over calls whose cost is known.
    pub average_cost_per_request: Option<Money>,
    /// Average over tokens of calls whose cost is known.
    pub cost_per_thousand_tokens: Option<Money>,
    /// What the catalog says that the calls cost.
    pub list_cost: Money,
    /// Input tokens read from a cache.
    pub cached_tokens: u64,
    /// What caching saved.
    pub cache_savings: Money,
    /// Part of the calls that failed.
    pub error_rate: Option<f64>,
    /// Milliseconds.
    pub latency: Latency,
    /// Calls whose cost is unknown; they are in no sum.
    pub unpriced_requests: u64,
    /// Percent of the budget that is used.
    pub budget_utilization: Option<f64>,
}

/// Milliseconds from request to the end of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Latency {
    /// Half of the calls were as quick.
    pub p50: Option<u64>,
    /// 95 of 100.
    pub p95: Option<u64>,
    /// 99 of 100.
    pub p99: Option<u64>,
}

/// A point of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TimelinePoint {
    /// What it is called: `2024-01-31`.
    pub date: String,
    /// Its first instant.
    pub start: Timestamp,
    /// Known costs.
    pub cost: Money,
    /// Tokens in and out.
    pub tokens: u64,
    /// Calls.
    pub requests: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Calls whose cost is unknown.
    pub unpriced: u64,
}

/// Costs by each dimension, largest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Breakdown {
    /// By who sold the call.
    pub services: Vec<Slice>,
    /// By model.
    pub models: Vec<Slice>,
    /// By project.
    pub projects: Vec<Slice>,
    /// By account.
    pub users: Vec<Slice>,
    /// By department.
    pub departments: Vec<Slice>,
    /// By team.
    pub teams: Vec<Slice>,
    /// By purpose.
    pub purposes: Vec<Slice>,
    /// By client.
    pub clients: Vec<Slice>,
    /// By campaign.
    pub campaigns: Vec<Slice>,
    /// By tag.
    pub tags: Vec<Slice>,
}

/// One value of a dimension.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// The value.
    pub name: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Known costs.
    pub cost: Money,
    /// Tokens in and out.
    pub tokens: u64,
    /// Calls.
    pub requests: u64,
    /// Calls whose cost is unknown.
    pub unpriced_requests: u64,
    /// Part of the whole.
    pub share: Option<f64>,
}

/// A group that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// The point in time, if there was a length of time in the grouping.
    pub date: Option<String>,
    /// Dimension → value.
    pub key: BTreeMap<String, Option<String>>,
    /// Known costs.
    pub cost: Money,
    /// Tokens in and out.
    pub tokens: u64,
    /// Calls.
    pub requests: u64,
}

/// How costs develop.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trends {
    /// Known costs of the period before.
    pub previous_total: Option<Money>,
    /// Difference to it.
    pub change: Option<Money>,
    /// The same in percent.
    pub change_percentage: Option<f64>,
    /// What the period will have cost at its end.
    pub forecast: Option<Forecast>,
}

/// What a period will have cost at its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// When that is.
    pub period_end: Timestamp,
    /// Hardly less.
    pub low: Money,
    /// Likely.
    pub expected: Money,
    /// Hardly more.
    pub high: Money,
}

/// A project and what its current period cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ProjectSummary {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its budget.
    pub budget: Option<Budget>,
    /// What was spent.
    pub spending: Spending,
}

/// A limit on what may be spent in a period.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Budget {
    /// The limit, in the budget's own currency.
    pub amount: Money,
    /// Its currency.
    pub currency: String,
    /// `weekly`, `monthly`, `quarterly`, `yearly` or `one-time`.
    pub period: String,
    /// What happens when it is used up: `alert` or `block`.
    pub enforcement: String,
}

/// What the current period of a budget cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spending {
    /// Known costs.
    pub total_cost: Money,
    /// Calls.
    pub total_requests: u64,
    /// Tokens in and out.
    pub total_tokens: u64,
    /// Calls whose cost is unknown.
    pub unpriced_requests: u64,
    /// What is left; negative when it is overrun.
    pub remaining: Option<Money>,
    /// Percent of the budget that is used.
    pub budget_utilization: Option<f64>,
    /// First instant of the period.
    pub period_start: Timestamp,
    /// First instant after it; `None` for a one-time budget.
    pub period_end: Option<Timestamp>,
}

/// Projects side by side.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Comparison {
    /// The period.
    pub period: AnalyticsPeriod,
    /// The projects, in the order asked for.
    pub projects: Vec<ComparedProject>,
}

/// One of the projects.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ComparedProject {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its budget.
    pub budget: Option<Budget>,
    /// What its current period cost.
    pub spending: Spending,
    /// Its sums.
    pub summary: Summary,
    /// The same over time, without gaps.
    pub timeline: Vec<TimelinePoint>,
}

/// How a budget stands, in US dollars.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// Id; the project's for a project's budget.
    pub id: String,
    /// How it is called.
    pub name: String,
    /// The budget, in its own currency.
    pub budget: Budget,
    /// What may be spent in the current period.
    pub limit: BudgetLimit,
    /// First instant of the period.
    pub period_start: Timestamp,
    /// First instant after it; `None` for a one-time budget.
    pub period_end: Option<Timestamp>,
    /// Known costs of the period.
    pub spent: Money,
    /// What calls under way may cost at most.
    pub reserved: Money,
    /// What is neither; negative when the budget is overrun.
    pub remaining: Money,
    /// Percent of the limit that is spent.
    pub utilization: f64,
    /// What the period will have cost at its end.
    pub forecast: Option<Forecast>,
    /// When it will be used up, at this pace.
    pub projected_exhaustion_at: Option<Timestamp>,
    /// When it was.
    pub exceeded_at: Option<Timestamp>,
}

/// What may be spent in a period, in US dollars.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetLimit {
    /// All of it.
    pub total: Money,
    /// The budget's own amount.
    pub amount: Money,
    /// What increases add now.
    pub increased: Money,
    /// What the period before left over.
    pub carried_over: Money,
}

/// What a call would cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Who would sell it.
    pub service: String,
    /// The model.
    pub model: String,
    /// What it would cost; `None` is unknown, not free.
    pub cost: Option<Money>,
    /// Where that comes from.
    pub cost_source: CostSource,
    /// The catalog's own figure.
    pub list_cost: Option<Money>,
    /// Why the catalog has none.
    pub unpriced_reason: Option<String>,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Its budget.
    pub budget: Option<Budget>,
    /// What its current period cost.
    pub spending: Spending,
    /// Its tags.
    pub tags: Vec<String>,
    /// What the caller may do in it.
    pub role: String,
    /// Whether calls are still taken.
    pub is_active: bool,
}

/// Some of the projects.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectPage {
    /// The projects.
    pub projects: Vec<Project>,
    /// Where they stand among all.
    pub pagination: Pagination,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Number of the page, from 1.
    pub page: Option<u64>,
    /// Items on a page.
    pub limit: u64,
    /// Items in all.
    pub total: Option<u64>,
    /// Whether there is a further page.
    pub has_next: bool,
}
