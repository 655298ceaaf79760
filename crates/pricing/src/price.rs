//! Price rows: the rates of one model that were published together.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::{self, Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{TieredRate, Unit};

mod id;

/// The rates of one model that were published together, under one set of conditions, for one period.
///
/// A record keeps a copy of the price that it was costed with, so the row stands alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Names this row and its content: `openai/gpt-5@2026-10-12#flex~1f2e3d4c`. A row that changes gets another id.
    pub id: String,
    /// Who sells the model, as in [`crate::canonical_provider`].
    pub provider: String,
    /// The model's name in the catalog.
    pub model: String,
    /// First instant at which the price was in force; `None` when it has no known beginning.
    pub valid_from: Option<Timestamp>,
    /// First instant at which it was no longer in force.
    pub valid_until: Option<Timestamp>,
    /// What must hold of the call besides.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
    /// The rates of each unit, by rising size of prompt; the first holds from zero.
    pub rates: BTreeMap<Unit, Vec<TieredRate>>,
    /// The fewest units that are charged once any are counted (a shortest recording, for instance).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum_counts: BTreeMap<Unit, u64>,
    /// Where the rates were read.
    pub source: PriceSource,
    /// What else the source says: history, exceptions, doubts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// What must hold of a call for a [`Price`] to apply. `None` applies to every call.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conditions {
    /// How the call was served: `batch`, `flex`, `priority`, `fast`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Where it was served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Which kind of web search it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_type: Option<String>,
    /// When in the day it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyWindow>,
}

/// A time of day in UTC, half-open; past midnight when it ends before it starts, all day when it ends where it starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DailyWindow {
    /// First moment inside.
    pub from: Time,
    /// First moment outside.
    pub until: Time,
    /// The weekdays, in UTC, on which it applies; empty for every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Weekday>,
}

/// A day of the week.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Where a price was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PriceSource {
    /// The collection or document.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where the provider publishes the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was last compared with what the provider publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_on: Option<Date>,
}

impl Price {
    /// Whether the price was in force at `at`, daily hours included.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= at)
            && self.valid_until.is_none_or(|until| at < until)
            && self.conditions.daily.as_ref().is_none_or(|daily| daily.contains(at))
    }

    /// The rate of `unit` for a prompt of `input_tokens`, and the prompt size from which it holds (0 for the first).
    pub(crate) fn rate_at(&self, unit: Unit, input_tokens: u64) -> Option<TieredRate> {
        let tiers = self.rates.get(&unit)?;
        tiers.iter().rev().find(|tier| tier.input_tokens_min <= input_tokens).copied()
    }
}

impl Conditions {
    /// Whether the price applies to every call.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service_tier, region, search_type, daily } = self;
        let mut separator = "";
        for condition in [service_tier, region, search_type].into_iter().flatten() {
            write!(f, "{separator}{condition}")?;
            separator = ", ";
        }
        match daily {
            None => Ok(()),
            Some(daily) => write!(f, "{separator}{daily}"),
        }
    }
}

impl fmt::Display for DailyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.until)?;
        self.weekdays.iter().try_for_each(|day| write!(f, " {day:?}"))
    }
}

impl DailyWindow {
    /// Whether `at` is inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        let now = utc(at);
        let time = now.time();
        let inside = if self.until <= self.from {
            time >= self.from || time < self.until
        } else {
            time >= self.from && time < self.until
        };
        inside && (self.weekdays.is_empty() || self.weekdays.contains(&now.weekday().into()))
    }
}

impl Weekday {
    /// The week from Monday on.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
}

impl From<civil::Weekday> for Weekday {
    fn from(day: civil::Weekday) -> Self {
        match day {
            civil::Weekday::Monday => Self::Mon,
            civil::Weekday::Tuesday => Self::Tue,
            civil::Weekday::Wednesday => Self::Wed,
            civil::Weekday::Thursday => Self::Thu,
            civil::Weekday::Friday => Self::Fri,
            civil::Weekday::Saturday => Self::Sat,
            civil::Weekday::Sunday => Self::Sun,
        }
    }
}

fn utc(at: Timestamp) -> civil::DateTime {
    TimeZone::UTC.to_datetime(at)
}
