//! From a question about costs to its answer: sums, timeline, breakdowns, trends.

use std::collections::{HashMap, HashSet};

use domain::{
    Interval,
    query::{Bucket, Dimension, Filter, Group, UsageQuery},
    totals::Totals,
};
use jiff::{Timestamp, tz::TimeZone};
use store::{DurationGroup, StoreError};

use crate::{
    app::App,
    error::{ApiError, Result},
};

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Over which records.
    pub filter: Filter,
    /// Zone whose days count.
    pub zone: TimeZone,
    /// Length of the timeline's points.
    pub bucket: Bucket,
    /// Dimensions to group by.
    pub group_by: Vec<Dimension>,
    /// Whether groups are also split by time.
    pub groups_by_time: bool,
    /// Most groups of a breakdown.
    pub limit: usize,
    /// With which period groups are compared.
    pub compared_with: Option<Interval>,
}

/// Sums by the values of one dimension; `None` where the records have none.
pub type Parts = HashMap<Option<String>, Totals>;

/// A point of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its first instant; at or before the start of the question's period.
    pub start: Timestamp,
    /// Its sums.
    pub totals: Totals,
}

/// Which sums are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Over everything.
    pub whole: bool,
    /// Every point of the period.
    pub timeline: bool,
    /// Groups by the question's dimensions.
    pub groups: bool,
}

/// Sums as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Over everything; nothing if they are not wanted.
    pub whole: Totals,
    /// Every point of the period, those without records included; empty if it is not wanted.
    pub timeline: Vec<Point>,
    /// Groups by the question's dimensions; empty if they are not wanted. Those that were only in the period that is
    /// compared with are among them, with sums of nothing.
    pub groups: Vec<Group>,
    /// The same in the period that is compared with.
    pub before: Option<Before>,
}

/// Sums of the period that is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The period.
    pub period: Interval,
    /// Over everything.
    pub whole: Totals,
    /// By the keys of a group; `None` if groups are not wanted, or are split by time.
    pub groups: Option<HashMap<Vec<Option<String>>, Totals>>,
}

impl Question {
    /// What is wanted; everything about one period takes one pass over its records.
    pub async fn sums(&self, app: &App, wanted: Wanted) -> Result<Sums> {
        let starts = self.bucket.starts(self.filter.period, &self.zone);
        let starts = if wanted.timeline { starts? } else { Vec::new() };
        let mut queries = Vec::new();
        if wanted.whole {
            queries.push(query(None, &[], &self.filter));
        }
        if wanted.timeline {
            queries.push(query(Some(starts.clone()), &[], &self.filter));
        }
        if wanted.groups {
            queries.push(query(self.group_starts()?, &self.group_by, &self.filter));
        }
        let asked = async { Ok::<_, ApiError>(app.usage.aggregate_each(&queries).await?) };
        let (mut answers, before) = tokio::try_join!(asked, self.before(app, wanted))?;
        let mut groups = if wanted.groups { answers.pop().unwrap_or_default() } else { Vec::new() };
        let timeline = if wanted.timeline { answers.pop().unwrap_or_default() } else { Vec::new() };
        let whole = sum(answers.iter().flatten().map(|group| group.totals))?;
        if let Some(before) = before.as_ref().and_then(|before| before.groups.as_ref()) {
            add_vanished(&mut groups, before);
        }
        Ok(Sums { whole, timeline: points(starts, timeline), groups, before })
    }

    async fn before(&self, app: &App, wanted: Wanted) -> Result<Option<Before>> {
        let Some(period) = self.compared_with else { return Ok(None) };
        let filter = self.filter.clone().during(period);
        let mut queries = vec![query(None, &[], &filter)];
        let has_groups = wanted.groups && !self.groups_by_time;
        if has_groups {
            queries.push(query(None, &self.group_by, &filter));
        }
        let mut answers = app.usage.aggregate_each(&queries).await?;
        let groups = if has_groups { answers.pop() } else { None };
        let by_keys =
            |groups: Vec<Group>| groups.into_iter().map(|group| (group.keys, group.totals)).collect();
        let whole = sum(answers.iter().flatten().map(|group| group.totals))?;
        Ok(Some(Before { period, whole, groups: groups.map(by_keys) }))
    }

    /// Sums over everything.
    pub async fn totals(&self, app: &App) -> Result<Totals> {
        let groups = self.ask(app, None, Vec::new(), &self.filter).await?;
        sum(groups.iter().map(|group| group.totals))
    }

    /// Sums over everything in another period.
    pub async fn totals_during(&self, app: &App, period: Interval) -> Result<Totals> {
        let groups = self.ask(app, None, Vec::new(), &self.filter.clone().during(period)).await?;
        sum(groups.iter().map(|group| group.totals))
    }

    /// Every point of the period, those without records included.
    pub async fn timeline(&self, app: &App) -> Result<Vec<Point>> {
        let starts = self.bucket.starts(self.filter.period, &self.zone)?;
        let groups = self.ask(app, Some(starts.clone()), Vec::new(), &self.filter).await?;
        Ok(points(starts, groups))
    }

    /// Sums by each of `dimensions`, in their order, from one pass over the records.
    pub async fn breakdowns(&self, app: &App, dimensions: &[Dimension]) -> Result<Vec<Parts>> {
        let query = UsageQuery { filter: self.filter.clone(), buckets: None, group_by: dimensions.to_vec() };
        match app.usage.aggregate(&query).await {
            Ok(groups) => (0..dimensions.len()).map(|index| parts_by(&groups, index)).collect(),
            // More combinations than one pass holds: a pass for each.
            Err(StoreError::TooManyGroups(_)) if dimensions.len() > 1 => {
                let mut breakdowns = Vec::new();
                for dimension in dimensions {
                    let groups = self.ask(app, None, vec![*dimension], &self.filter).await?;
                    breakdowns.push(parts_by(&groups, 0)?);
                }
                Ok(breakdowns)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How long calls took, by the question's dimensions, and by time if it asks for that.
    pub async fn durations(&self, app: &App) -> Result<Vec<DurationGroup>> {
        let query = UsageQuery {
            filter: self.filter.clone(),
            buckets: self.group_starts()?,
            group_by: self.group_by.clone(),
        };
        Ok(app.usage.durations(&query).await?)
    }

    fn group_starts(&self) -> Result<Option<Vec<Timestamp>>> {
        Ok(self.groups_by_time.then(|| self.bucket.starts(self.filter.period, &self.zone)).transpose()?)
    }

    async fn ask(
        &self,
        app: &App,
        buckets: Option<Vec<Timestamp>>,
        group_by: Vec<Dimension>,
        filter: &Filter,
    ) -> Result<Vec<Group>> {
        let query = UsageQuery { filter: filter.clone(), buckets, group_by };
        Ok(app.usage.aggregate(&query).await?)
    }
}

fn query(buckets: Option<Vec<Timestamp>>, group_by: &[Dimension], filter: &Filter) -> UsageQuery {
    UsageQuery { filter: filter.clone(), buckets, group_by: group_by.to_vec() }
}

/// A point for each of `starts`.
fn points(starts: Vec<Timestamp>, groups: Vec<Group>) -> Vec<Point> {
    let by_start: HashMap<Timestamp, Totals> =
        groups.into_iter().filter_map(|group| Some((group.bucket?, group.totals))).collect();
    let point = |start| Point { start, totals: by_start.get(&start).copied().unwrap_or_default() };
    starts.into_iter().map(point).collect()
}

/// Adds the groups that were before and are no more, in their place: that of the smallest costs.
fn add_vanished(groups: &mut Vec<Group>, before: &HashMap<Vec<Option<String>>, Totals>) {
    let kept: HashSet<&[Option<String>]> = groups.iter().map(|group| group.keys.as_slice()).collect();
    let vanished: Vec<_> = before.keys().filter(|keys| !kept.contains(keys.as_slice())).cloned().collect();
    let of_nothing = |keys| Group { bucket: None, keys, totals: Totals::default() };
    groups.extend(vanished.into_iter().map(of_nothing));
    groups.sort_by(|a, b| b.totals.cost.cmp(&a.totals.cost).then_with(|| a.keys.cmp(&b.keys)));
}

/// The groups' sums by their key at `index`.
fn parts_by(groups: &[Group], index: usize) -> Result<Parts> {
    let mut parts = Parts::new();
    for group in groups {
        let sums = parts.entry(group.keys.get(index).cloned().flatten()).or_default();
        *sums = sums.checked_add(group.totals).map_err(ApiError::internal)?;
    }
    Ok(parts)
}

/// The sum of all `parts`.
pub fn sum(parts: impl IntoIterator<Item = Totals>) -> Result<Totals> {
    Totals::sum(parts).map_err(ApiError::internal)
}
