#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod clock;
mod error;
mod frames;
mod guide;
mod http;
mod meter;
mod options;
mod query;
mod queue;
mod record;
mod reply;
mod sender;
mod sse;
mod target;
mod tracker;

pub use answer::{
    Analytics, AnalyticsPeriod, Breakdown, Budget, BudgetLimit, BudgetStatus, BulkError, BulkOutcome,
    BulkResult, ComparedProject, Comparison, CostSource, Estimate, Forecast, Group, Latency, Pagination,
    Project, ProjectPage, ProjectSummary, Slice, Spending, Summary, TimelinePoint, Tracked, Trends,
};
pub use call::SendTexts;
pub use clock::Clock;
pub use error::{FieldProblem, Refusal, TrackerError};
pub use guide::{AiCostTrackerService, AnalyticsService, TrackOptions};
pub use meter::{Meter, ProviderCall, Watched};
pub use options::Builder;
/// Exact US dollars.
pub use pricing::{Money, MoneyError};
pub use query::{AnalyticsQuery, ProjectQuery};
pub use queue::{QueueOptions, QueueStats};
pub use record::{Attribution, CostAllocation, UsageRecord};
pub use target::ask_for_usage;
pub use tracker::Tracker;
