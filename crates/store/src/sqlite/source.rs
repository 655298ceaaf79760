//! Where an answer is read, and how its columns are called there.

use domain::query::Dimension;
use jiff::Timestamp;

use super::columns::{DAY_MS, first_ms_from};

/// Where an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The records.
    Records,
    /// Their sums by day.
    Rollup,
}

impl Source {
    /// The column of a dimension; of a tag, that of the set of tags.
    pub(super) const fn column(self, dimension: Dimension) -> Option<&'static str> {
        Some(match (self, dimension) {
            (_, Dimension::Service) => "r.provider",
            (_, Dimension::Model) => "r.model",
            (_, Dimension::Project) => "r.project",
            (_, Dimension::User) => "r.user",
            (_, Dimension::CostSource) => "r.cost_source",
            (Self::Rollup, _) => return None,
            (Self::Records, Dimension::Department) => "r.department",
            (Self::Records, Dimension::Team) => "r.team",
            (Self::Records, Dimension::Purpose) => "r.purpose",
            (Self::Records, Dimension::Client) => "r.client",
            (Self::Records, Dimension::Campaign) => "r.campaign",
            (Self::Records, Dimension::Tag) => "r.tag_set",
            (Self::Records, Dimension::Status) => "r.status",
            (Self::Records, Dimension::UserEmail) => "r.user_email",
            (Self::Records, Dimension::CustomerEmail) => "r.customer_email",
            (Self::Records, Dimension::TrackerKey) => "r.tracker_key",
        })
    }

    /// Its column of time.
    pub(super) const fn time_column(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms",
            Self::Rollup => "r.day",
        }
    }

    /// The smallest value of its column of time that is not before `at`.
    pub(super) fn time(self, at: Timestamp) -> i64 {
        match self {
            Self::Records => first_ms_from(at),
            Self::Rollup => first_ms_from(at).div_euclid(DAY_MS),
        }
    }

    /// The condition that a record is not before a value of [`Self::time`].
    pub(super) const fn starts_at(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms >= ?",
            Self::Rollup => "r.day >= ?",
        }
    }

    /// The condition that a record is before a value of [`Self::time`].
    pub(super) const fn ends_before(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms < ?",
            Self::Rollup => "r.day < ?",
        }
    }
}
