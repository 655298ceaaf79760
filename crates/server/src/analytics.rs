//! From a question about costs to its answer: sums, timeline, breakdowns, trends.

use std::collections::HashMap;

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

impl Question {
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
        let by_start: HashMap<Timestamp, Totals> =
            groups.into_iter().filter_map(|group| Some((group.bucket?, group.totals))).collect();
        let point = |start| Point { start, totals: by_start.get(&start).copied().unwrap_or_default() };
        Ok(starts.into_iter().map(point).collect())
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

    /// Groups by the question's dimensions, and by time if it asks for that.
    pub async fn groups(&self, app: &App) -> Result<Vec<Group>> {
        self.ask(app, self.group_starts()?, self.group_by.clone(), &self.filter).await
    }

    /// Sums of the same groups, not split by time, in another period.
    pub async fn groups_during(&self, app: &App, period: Interval) -> Result<Vec<Group>> {
        self.ask(app, None, self.group_by.clone(), &self.filter.clone().during(period)).await
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
