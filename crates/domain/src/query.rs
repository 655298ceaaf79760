//! What can be asked of the usage records. Every store answers the same questions.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, Unit as TimeUnit, ZonedDateTime, ZonedDateTimeRound, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Interval, Invalid, ProjectId, UserId, limits, totals::Totals};

/// Which records a caller may see. What is not visible does not exist for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// Every record of the installation.
    Everything,
    /// The records of these projects, and the user's own that belong to no project.
    Of {
        /// Whose own records.
        user: UserId,
        /// Every project that the user is a member of.
        projects: Vec<ProjectId>,
    },
}

impl Visibility {
    /// Whether a record of `user`, for `project`, is visible.
    pub fn includes(&self, user: UserId, project: Option<ProjectId>) -> bool {
        match self {
            Self::Everything => true,
            Self::Of { user: own, projects } => {
                project.map_or(user == *own, |project| projects.contains(&project))
            }
        }
    }
}

/// What records can be filtered and grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Dimension {
    /// Who sold the call.
    Service,
    /// Which model was asked for.
    Model,
    /// Project id.
    Project,
    /// Id of the account that recorded it.
    User,
    /// Department of the cost allocation.
    Department,
    /// Team of the cost allocation.
    Team,
    /// Purpose of the cost allocation.
    Purpose,
    /// Client of the cost allocation.
    Client,
    /// Campaign of the cost allocation.
    Campaign,
    /// One tag. A record with two tags counts in both groups.
    Tag,
    /// `success` or `error`.
    Status,
    /// E-mail address of the sender's own user.
    UserEmail,
    /// E-mail address of the sender's customer.
    CustomerEmail,
    /// Where the cost comes from.
    CostSource,
    /// Id of the tracker key that it came in with.
    TrackerKey,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 15] = [
        Self::Service,
        Self::Model,
        Self::Project,
        Self::User,
        Self::Department,
        Self::Team,
        Self::Purpose,
        Self::Client,
        Self::Campaign,
        Self::Tag,
        Self::Status,
        Self::UserEmail,
        Self::CustomerEmail,
        Self::CostSource,
        Self::TrackerKey,
    ];

    /// The word for it in JSON and in query strings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Model => "model",
            Self::Project => "project",
            Self::User => "user",
            Self::Department => "department",
            Self::Team => "team",
            Self::Purpose => "purpose",
            Self::Client => "client",
            Self::Campaign => "campaign",
            Self::Tag => "tag",
            Self::Status => "status",
            Self::UserEmail => "userEmail",
            Self::CustomerEmail => "customerEmail",
            Self::CostSource => "costSource",
            Self::TrackerKey => "trackerKey",
        }
    }

    /// The dimension that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == name)
    }
}

/// Values of one dimension that a record must or must not have. An empty value stands for "has none".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// One of these; anything when empty.
    pub include: Vec<String>,
    /// None of these.
    pub exclude: Vec<String>,
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What the caller may see.
    pub visibility: Visibility,
    /// When the calls happened.
    pub period: Interval,
    /// What they must and must not be; all of it.
    pub selections: BTreeMap<Dimension, Selection>,
    /// Words that model, provider, tags, allocation, ids, e-mail addresses or error contain, in any case.
    pub search: Option<String>,
}

impl Filter {
    /// Everything that `visibility` allows.
    pub fn all(visibility: Visibility) -> Self {
        Self { visibility, period: Interval::ALWAYS, selections: BTreeMap::new(), search: None }
    }

    /// The same, for one project only.
    #[must_use]
    pub fn of_project(mut self, project: ProjectId) -> Self {
        let only = Selection { include: vec![project.to_string()], exclude: Vec::new() };
        self.selections.insert(Dimension::Project, only);
        self
    }

    /// The same, in another period.
    #[must_use]
    pub fn during(mut self, period: Interval) -> Self {
        self.period = period;
        self
    }
}

/// Order of a list of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecordSort {
    /// By the time of the call.
    #[default]
    Timestamp,
    /// By cost; unpriced records count as the cheapest.
    Cost,
    /// By tokens.
    TotalTokens,
    /// By response time.
    ResponseTime,
}

/// Where a page of a list starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageStart {
    /// After this many records. Deep pages cost the store time; bounded by the server.
    Offset(u64),
    /// After the record that an earlier answer ended with. Only in the order of time.
    Cursor(String),
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Which records.
    pub filter: Filter,
    /// In which order.
    pub sort: RecordSort,
    /// Largest, or newest, first.
    pub descending: bool,
    /// Where the page starts.
    pub start: PageStart,
    /// Most records on the page.
    pub limit: usize,
    /// Whether the whole list is counted, which costs the store time.
    pub count: bool,
}

/// Length of a point of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// An hour; the repeated hour at the end of daylight saving is two.
    Hour,
    /// A day of the time zone: 23, 24 or 25 hours.
    Day,
    /// A week from Monday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
}

impl Bucket {
    /// The word for it in JSON and in query strings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The bucket that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hour, Self::Day, Self::Week, Self::Month].into_iter().find(|bucket| bucket.as_str() == name)
    }

    /// Starts of all buckets that touch `period` in `zone`, without gaps; the first is at or before the period's start.
    pub fn starts(self, period: Interval, zone: &TimeZone) -> Result<Vec<Timestamp>, Invalid> {
        let too_wide = || {
            Invalid::field(
                "groupBy",
                format!(
                    "more than {} points of a {}; ask for longer ones or a shorter period",
                    limits::BUCKETS_MAX,
                    self.as_str()
                ),
            )
        };
        let mut at = self.start_around(&period.start.to_zoned_datetime(zone.clone())).ok_or_else(too_wide)?;
        let mut starts = vec![at.timestamp()];
        loop {
            at = self.next(&at).ok_or_else(too_wide)?;
            if at.timestamp() >= period.end {
                return Ok(starts);
            }
            if starts.len() == limits::BUCKETS_MAX {
                return Err(too_wide());
            }
            starts.push(at.timestamp());
        }
    }

    fn start_around(self, at: &ZonedDateTime) -> Option<ZonedDateTime> {
        match self {
            Self::Hour => {
                at.round(ZonedDateTimeRound::new().smallest(TimeUnit::Hour).mode(jiff::RoundMode::Floor)).ok()
            }
            Self::Day => at.start_of_day().ok(),
            Self::Week => {
                let since_monday = i32::from(at.weekday().to_monday_zero_offset());
                at.date()
                    .checked_sub(since_monday.days())
                    .ok()?
                    .to_zoned_datetime(at.time_zone().clone())
                    .ok()?
                    .start_of_day()
                    .ok()
            }
            Self::Month => {
                at.date().first_of_month().to_zoned_datetime(at.time_zone().clone()).ok()?.start_of_day().ok()
            }
        }
    }

    fn next(self, start: &ZonedDateTime) -> Option<ZonedDateTime> {
        let day = start.date();
        let next_day = match self {
            Self::Hour => return start.checked_add(1.hour()).ok(),
            Self::Day => day.tomorrow(),
            Self::Week => day.checked_add(7.days()),
            Self::Month => day.checked_add(1.month()),
        };
        next_day.ok()?.to_zoned_datetime(start.time_zone().clone()).ok()?.start_of_day().ok()
    }
}

/// Sums over records.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageQuery {
    /// Over which records.
    pub filter: Filter,
    /// Sorted starts of the timeline's points, if there is one; a record belongs to the last start at or before it.
    pub buckets: Option<Vec<Timestamp>>,
    /// Dimensions to group by, besides time.
    pub group_by: Vec<Dimension>,
}

/// The sums of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Start of its point in time, when there is a timeline.
    pub bucket: Option<Timestamp>,
    /// Its value of each dimension asked for, in their order; `None` where the records have none.
    pub keys: Vec<Option<String>>,
    /// The sums.
    pub totals: Totals,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::time_zone;

    fn starts(bucket: Bucket, start: &str, end: &str, zone: &str) -> Vec<String> {
        let period = Interval { start: start.parse().unwrap(), end: end.parse().unwrap() };
        let starts = bucket.starts(period, &time_zone("timeZone", zone).unwrap()).unwrap();
        starts.into_iter().map(|start| start.to_string()).collect()
    }

    #[test]
    fn days_have_23_or_25_hours_when_the_clocks_change() {
        assert_eq!(
            starts(Bucket::Day, "2024-03-30T00:00:00Z", "2024-04-01T00:00:00Z", "Europe/Berlin"),
            ["2024-03-29T23:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"]
        );
        let hours = starts(Bucket::Hour, "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z", "Europe/Berlin");
        assert_eq!(hours.len(), 25);
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_their_first() {
        assert_eq!(
            starts(Bucket::Week, "2024-02-29T10:00:00Z", "2024-03-05T00:00:00Z", "UTC"),
            ["2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"]
        );
        assert_eq!(
            starts(Bucket::Month, "2023-12-31T23:59:59Z", "2024-03-01T00:00:00Z", "UTC"),
            ["2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"]
        );
    }

    #[test]
    fn too_many_points_are_refused() {
        assert!(Bucket::Hour.starts(Interval::ALWAYS, &TimeZone::UTC).is_err());
    }
}
