//! Groups as they are shown: with names, ratios, and what they were before.

use std::collections::BTreeMap;

use domain::{
    Interval,
    query::{Dimension, Group},
    totals::Totals,
};
use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use store::{DurationGroup, LatencyPercentiles};
use utoipa::ToSchema;

use crate::{
    analytics::{self, Question, Sums},
    api::analytics::{
        breakdown::{Labels, Metric},
        date_label, share,
    },
};

/// One group of those asked for by `groupBy`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// As in the timeline, when grouped by time as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Value of each dimension; `null` where the records have none.
    #[schema(value_type = Object)]
    key: BTreeMap<&'static str, Option<String>>,
    /// How each value is called: projects, accounts and tracker keys by their names; `null` where the records have none.
    #[schema(value_type = Object)]
    names: BTreeMap<&'static str, Option<String>>,
    /// Known costs; none is known when as many calls are unpriced as there are.
    #[schema(value_type = f64, format = "decimal")]
    pub(super) cost: Money,
    /// Tokens.
    tokens: u64,
    /// Input tokens, cached ones included.
    input_tokens: u64,
    /// Output tokens.
    output_tokens: u64,
    /// Input tokens read from a cache.
    cache_read_tokens: u64,
    /// Input tokens written to a cache.
    cache_write_tokens: u64,
    /// Part of the input tokens that came from a cache, 0 to 1; `null` without input tokens.
    pub(super) cache_hit_rate: Option<f64>,
    /// Calls; 0 when it was only in the period of `compare`.
    requests: u64,
    /// Calls that ended in an error.
    errors: u64,
    /// Calls whose cost is unknown.
    unpriced_requests: u64,
    /// Average over calls whose cost is known; `null` when there is none.
    #[schema(value_type = Option<f64>, format = "decimal")]
    pub(super) cost_per_request: Option<Money>,
    /// Average of a million tokens of calls whose cost is known; `null` when there are none.
    #[schema(value_type = Option<f64>, format = "decimal")]
    pub(super) cost_per_million_tokens: Option<Money>,
    /// Part of the whole in the metric asked for, 0 to 1. Tags can add up to more: a call may have several.
    pub(super) share: Option<f64>,
    /// The same group in the period of `compare`, if that was asked for and the groups are not split by time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Before>,
}

/// What a group was in the period that it is compared with.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Before {
    /// Known costs.
    #[schema(value_type = f64, format = "decimal")]
    pub(super) cost: Money,
    /// Tokens.
    tokens: u64,
    /// Calls; 0 when the group is new.
    requests: u64,
    /// Calls whose cost is unknown.
    unpriced_requests: u64,
    /// How much more it is now.
    #[schema(value_type = Option<f64>, format = "decimal")]
    pub(super) change: Option<Money>,
    /// The same in percent; `null` when no costs were known.
    pub(super) change_percentage: Option<f64>,
}

/// How long the calls of a group took.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DurationView {
    /// As in the timeline, when grouped by time as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Value of each dimension; `null` where the records have none.
    #[schema(value_type = Object)]
    key: BTreeMap<&'static str, Option<String>>,
    /// How each value is called.
    #[schema(value_type = Object)]
    names: BTreeMap<&'static str, Option<String>>,
    /// To the end of the answer.
    response: Percentiles,
    /// To the first token of the answer.
    first_token: Percentiles,
}

/// Exact percentiles of a duration, in milliseconds, by the nearest-rank method; `null` when no call has one.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct Percentiles {
    /// Calls whose duration is known.
    count: u64,
    /// Half of them took at most this.
    p50: Option<u64>,
    /// 95 % of them took at most this.
    p95: Option<u64>,
    /// 99 % of them took at most this.
    p99: Option<u64>,
}

/// What all groups of an answer have in common.
#[derive(Debug)]
pub(super) struct GroupContext<'a> {
    pub(super) question: &'a Question,
    pub(super) labels: &'a Labels,
    pub(super) metric: Metric,
    pub(super) sums: &'a Sums,
}

impl GroupContext<'_> {
    pub(super) fn view(&self, group: &Group) -> GroupView {
        let Group { bucket, keys, totals } = group;
        let before = self.sums.before.as_ref().and_then(|before| before.groups.as_ref());
        GroupView {
            date: self.date(*bucket),
            key: self.key(keys),
            names: self.names(keys),
            cost: totals.cost,
            tokens: totals.tokens,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cache_read_tokens: totals.cache_read_tokens,
            cache_write_tokens: totals.cache_write_tokens,
            cache_hit_rate: share(i128::from(totals.cache_read_tokens), i128::from(totals.input_tokens)),
            requests: totals.requests,
            errors: totals.errors,
            unpriced_requests: totals.unpriced,
            cost_per_request: totals.cost_per_request(),
            cost_per_million_tokens: totals.cost_per_million_tokens(),
            share: share(self.metric.of(totals), self.metric.of(&self.sums.whole)),
            before: before.map(|groups| Before::of(groups.get(keys).copied().unwrap_or_default(), totals)),
        }
    }

    pub(super) fn durations(&self, group: &DurationGroup) -> DurationView {
        DurationView {
            date: self.date(group.bucket),
            key: self.key(&group.keys),
            names: self.names(&group.keys),
            response: group.response.into(),
            first_token: group.first_token.into(),
        }
    }

    /// How a point in time is called.
    pub(super) fn date(&self, start: Option<Timestamp>) -> Option<String> {
        start.map(|start| date_label(start, self.question.bucket, &self.question.zone))
    }

    /// How a value is called.
    pub(super) fn name(&self, dimension: Dimension, key: Option<&str>) -> String {
        self.labels.of(dimension, key).0
    }

    fn key(&self, keys: &[Option<String>]) -> BTreeMap<&'static str, Option<String>> {
        self.dimensions().map(Dimension::as_str).zip(keys.iter().cloned()).collect()
    }

    fn names(&self, keys: &[Option<String>]) -> BTreeMap<&'static str, Option<String>> {
        let name = |(dimension, key): (Dimension, &Option<String>)| {
            (dimension.as_str(), key.as_deref().map(|key| self.name(dimension, Some(key))))
        };
        self.dimensions().zip(keys).map(name).collect()
    }

    fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.question.group_by.iter().copied()
    }
}

/// Everything in the period that groups are compared with.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Known costs.
    #[schema(value_type = f64, format = "decimal")]
    cost: Money,
    /// Tokens.
    tokens: u64,
    /// Calls.
    requests: u64,
    /// Calls whose cost is unknown.
    unpriced_requests: u64,
}

impl From<&analytics::Before> for Compared {
    fn from(before: &analytics::Before) -> Self {
        let Totals { cost, tokens, requests, unpriced, .. } = before.whole;
        let Interval { start, end } = before.period;
        Self { start, end, cost, tokens, requests, unpriced_requests: unpriced }
    }
}

impl Before {
    fn of(before: Totals, now: &Totals) -> Self {
        let change = now.cost.checked_sub(before.cost);
        let percent =
            |change: Money| share(i128::from(change.nanos()) * 100, i128::from(before.cost.nanos()));
        Self {
            cost: before.cost,
            tokens: before.tokens,
            requests: before.requests,
            unpriced_requests: before.unpriced,
            change,
            change_percentage: change.and_then(percent),
        }
    }
}

impl From<LatencyPercentiles> for Percentiles {
    fn from(LatencyPercentiles { count, p50, p95, p99 }: LatencyPercentiles) -> Self {
        Self { count, p50, p95, p99 }
    }
}
