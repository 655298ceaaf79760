//! Spending that is far from usual: found by robust statistics, the same every time, and explained.
//!
//! A series is what one model cost in one project. What is usual for it on a Tuesday, or on a Tuesday from 14:00 to 15:00,
//! is the median of the same hours of the weeks before; how far it usually is from that is the median of the absolute
//! deviations. Neither is moved by a spike among them, as a mean and a standard deviation would be.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pricing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AnomalyId, EventId, Interval, Invalid, ProjectId, UserId, limits};

/// Weeks that are looked back on.
pub const WEEKS: usize = 8;
/// Fewer values than these say nothing of what is usual.
pub const SAMPLES_MIN: usize = 4;

/// How much time is looked at as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// An hour.
    Hour,
    /// A UTC day.
    Day,
}

impl Span {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The span that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hour, Self::Day].into_iter().find(|span| span.as_str() == name)
    }

    /// How long it is.
    pub const fn length(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_hours(1),
            Self::Day => SignedDuration::from_hours(24),
        }
    }

    /// How long a series is not told of again after it was.
    pub const fn quiet_time(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_hours(24),
            Self::Day => SignedDuration::from_hours(7 * 24),
        }
    }

    /// The hour, or the UTC day, that `at` falls into.
    pub fn containing(self, at: Timestamp) -> Interval {
        let seconds = self.length().as_secs();
        let start = at.as_second().div_euclid(seconds) * seconds;
        let bound = |second, otherwise| Timestamp::from_second(second).unwrap_or(otherwise);
        Interval { start: bound(start, Timestamp::MIN), end: bound(start + seconds, Timestamp::MAX) }
    }
}

/// What one model costs in one project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The project; `None` for calls without one.
    pub project_id: Option<ProjectId>,
    /// Who sold the calls.
    pub provider: String,
    /// Which model.
    pub model: String,
}

/// Which times a span of spending is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The same hours of the weeks before.
    SameTime,
    /// Those of the last weeks in which anything was spent: for what does not run every week.
    ActiveTimes,
}

impl Basis {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameTime => "same-time",
            Self::ActiveTimes => "active-times",
        }
    }

    /// The basis that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::SameTime, Self::ActiveTimes].into_iter().find(|basis| basis.as_str() == name)
    }
}

/// What a series usually costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Median of the samples.
    pub median: Money,
    /// Median of the samples' distances from it.
    pub deviation: Money,
    /// How many times were looked at.
    pub samples: u32,
    /// Which.
    pub basis: Basis,
}

impl Usual {
    /// What is usual, from what the `same_times` of the weeks before cost, and from the `recent` ones of any kind; both only
    /// since the series was first used. `None` where they are too few to say.
    pub fn of(same_times: &[Money], recent: &[Money]) -> Option<Self> {
        let same = Self::from_samples(same_times, Basis::SameTime);
        if let Some(usual) = same.filter(|usual| usual.median > Money::ZERO) {
            return Some(usual);
        }
        let active: Vec<Money> = recent.iter().copied().filter(|cost| *cost > Money::ZERO).collect();
        Self::from_samples(&active, Basis::ActiveTimes)
    }

    fn from_samples(samples: &[Money], basis: Basis) -> Option<Self> {
        if samples.len() < SAMPLES_MIN {
            return None;
        }
        let median = median_of(samples.iter().map(|cost| cost.nanos()).collect())?;
        let distance = |cost: &Money| cost.nanos().saturating_sub(median).saturating_abs();
        let deviation = median_of(samples.iter().map(distance).collect())?;
        Some(Self {
            median: Money::from_nanos(median),
            deviation: Money::from_nanos(deviation),
            samples: u32::try_from(samples.len()).ok()?,
            basis,
        })
    }
}

/// The middle value; of an even number of values, the lower one of the middle two.
fn median_of(mut nanos: Vec<i64>) -> Option<i64> {
    nanos.sort_unstable();
    nanos.get(nanos.len().checked_sub(1)? / 2).copied()
}

/// From where on spending is an anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// So many times what is usual.
    pub times_min: u32,
    /// So much more than what is usual.
    pub excess_min: Money,
}

impl Thresholds {
    /// Whether `spent` is an anomaly: many times what is usual, by an amount that matters, and outside of what the series
    /// does anyhow. Where people said of an earlier anomaly that it was `expected`, its amount counts as usual.
    ///
    /// The last is the modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993): 0.6745 times
    /// the distance from the median, in median absolute deviations, above 3.5.
    pub fn are_crossed(&self, spent: Money, usual: &Usual, expected: Option<Money>) -> bool {
        let nanos = |money: Money| i128::from(money.nanos());
        let norm = nanos(usual.median.max(expected.unwrap_or_default()));
        let excess = nanos(spent) - norm;
        excess >= nanos(self.excess_min)
            && nanos(spent) >= norm * i128::from(self.times_min)
            && excess * 6745 > nanos(usual.deviation) * 35_000
    }
}

/// Spending that was far from usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Identifies it.
    pub id: AnomalyId,
    /// Of what.
    pub series: Series,
    /// Whether an hour or a day was unusual.
    pub span: Span,
    /// First instant of that hour or day.
    pub start: Timestamp,
    /// What it had cost when that was found; it may have become more.
    pub spent: Money,
    /// What it usually costs.
    pub usual: Usual,
    /// What was told of it.
    pub event_id: EventId,
    /// When it was found.
    pub at: Timestamp,
    /// Somebody said that it was to be expected.
    pub expected: Option<Expectation>,
}

/// Somebody's word that an anomaly was to be expected: as much again is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Who said so.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Why; may be empty.
    pub note: String,
}

impl Anomaly {
    /// The hour or day.
    pub fn period(&self) -> Interval {
        self.span.containing(self.start)
    }

    /// How many times what is usual was spent, to a tenth: `4.2`, `50`.
    pub fn times(&self) -> String {
        let median = i128::from(self.usual.median.nanos()).max(1);
        let tenths = (i128::from(self.spent.nanos()) * 10 + median / 2) / median;
        if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
    }

    /// What it is compared with, e.g. `Tuesday`, `Tuesday 14:00 to 15:00 UTC`.
    pub fn usual_time(&self) -> String {
        let period = self.period();
        let start = period.start.to_zoned_datetime(TimeZone::UTC);
        match (self.usual.basis, self.span) {
            (Basis::SameTime, Span::Day) => start.strftime("%A").to_string(),
            (Basis::SameTime, Span::Hour) => {
                let end = period.end.to_zoned_datetime(TimeZone::UTC);
                format!("{} to {} UTC", start.strftime("%A %H:%M"), end.strftime("%H:%M"))
            }
            (Basis::ActiveTimes, Span::Day) => "day of use".to_owned(),
            (Basis::ActiveTimes, Span::Hour) => "hour of use".to_owned(),
        }
    }
}

/// Checks what somebody says of an anomaly.
pub fn check_note(field: &str, note: &str) -> Result<String, Invalid> {
    let note = note.trim();
    if note.chars().count() > limits::NOTE_CHARS_MAX || note.contains('\0') {
        return Err(Invalid::field(
            field,
            format!("must have at most {} characters and no NUL", limits::NOTE_CHARS_MAX),
        ));
    }
    Ok(note.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { times_min: 3, excess_min: Money::from_nanos(10_000_000_000) };

    fn dollars(amounts: &[i64]) -> Vec<Money> {
        amounts.iter().map(|amount| Money::from_nanos(amount * 1_000_000_000)).collect()
    }

    fn usual(same_times: &[i64], recent: &[i64]) -> Option<Usual> {
        Usual::of(&dollars(same_times), &dollars(recent))
    }

    fn is_anomaly(spent: i64, usual: &Usual) -> bool {
        THRESHOLDS.are_crossed(Money::from_nanos(spent * 1_000_000_000), usual, None)
    }

    #[test]
    fn what_is_usual_is_a_median_that_a_spike_does_not_move() {
        let calm = usual(&[20, 21, 19, 20, 22, 18, 20, 21], &[]).unwrap();
        let spiky = usual(&[20, 21, 19, 20, 22, 18, 20, 900], &[]).unwrap();
        assert_eq!((calm.median, calm.deviation), (spiky.median, spiky.deviation));
        assert_eq!(calm.median, dollars(&[20])[0]);
        assert_eq!((calm.samples, calm.basis), (8, Basis::SameTime));
    }

    #[test]
    fn too_little_history_says_nothing() {
        assert_eq!(usual(&[20, 20, 20], &[20, 20, 20]), None);
        assert_eq!(usual(&[], &[]), None);
        assert_eq!(usual(&[0, 0, 0, 0, 0], &[0; 28]), None);
    }

    #[test]
    fn what_does_not_run_every_week_is_compared_with_its_days_of_use() {
        let seldom = usual(&[0, 0, 0, 50, 0, 0], &[50, 0, 0, 60, 0, 0, 40, 0, 55]).unwrap();
        assert_eq!((seldom.basis, seldom.samples, seldom.median), (Basis::ActiveTimes, 4, dollars(&[50])[0]));
        assert!(!is_anomaly(60, &seldom));
        assert!(is_anomaly(150, &seldom));
    }

    #[test]
    fn an_anomaly_is_many_times_as_much_by_an_amount_that_matters() {
        let usual_of = |amount| usual(&[amount; 8], &[]).unwrap();
        for (spent, usually, expected) in [
            (59, 20, false),
            (60, 20, true),
            // Five times as much, but four dollars more.
            (5, 1, false),
            (10, 1, false),
            (11, 1, true),
            // Much more, but not three times as much.
            (1_900, 1_000, false),
        ] {
            assert_eq!(is_anomaly(spent, &usual_of(usually)), expected, "{spent} where {usually} is usual");
        }
    }

    #[test]
    fn a_series_that_is_wild_anyhow_needs_more() {
        // Median 20, distances 19, 15, 10, 0, 20, 50, 80, 0: their median is 15. 3.5 / 0.6745 × 15 = 77.8.
        let wild = usual(&[1, 5, 10, 20, 40, 70, 100, 20], &[]).unwrap();
        assert_eq!((wild.median, wild.deviation), (dollars(&[20])[0], dollars(&[15])[0]));
        assert!(!is_anomaly(97, &wild));
        assert!(is_anomaly(98, &wild));
    }

    #[test]
    fn what_was_expected_counts_as_usual() {
        let calm = usual(&[20; 8], &[]).unwrap();
        let spent = |amount: i64| Money::from_nanos(amount * 1_000_000_000);
        assert!(!THRESHOLDS.are_crossed(spent(100), &calm, Some(spent(90))));
        assert!(THRESHOLDS.are_crossed(spent(270), &calm, Some(spent(90))));
    }

    #[test]
    fn an_anomaly_says_what_it_is_compared_with() {
        let mut anomaly = Anomaly {
            id: AnomalyId::from_bytes([1; 12]),
            series: Series { project_id: None, provider: "openai".to_owned(), model: "gpt-4o".to_owned() },
            span: Span::Day,
            start: "2024-02-13T00:00:00Z".parse().unwrap(),
            spent: Money::from_nanos(84_200_000_000),
            usual: usual(&[20; 8], &[]).unwrap(),
            event_id: EventId::from_bytes([1; 12]),
            at: "2024-02-13T14:00:00Z".parse().unwrap(),
            expected: None,
        };
        assert_eq!((anomaly.times(), anomaly.usual_time()), ("4.2".to_owned(), "Tuesday".to_owned()));
        anomaly.span = Span::Hour;
        anomaly.start = "2024-02-13T23:00:00Z".parse().unwrap();
        assert_eq!(anomaly.usual_time(), "Tuesday 23:00 to 00:00 UTC");
        anomaly.usual.basis = Basis::ActiveTimes;
        assert_eq!(anomaly.usual_time(), "hour of use");
    }

    #[test]
    fn words_are_found_by_themselves() {
        for span in [Span::Hour, Span::Day] {
            assert_eq!(Span::from_name(span.as_str()), Some(span));
            assert_eq!(serde_json::to_value(span).unwrap(), span.as_str());
        }
        for basis in [Basis::SameTime, Basis::ActiveTimes] {
            assert_eq!(Basis::from_name(basis.as_str()), Some(basis));
            assert_eq!(serde_json::to_value(basis).unwrap(), basis.as_str());
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_in_the_span_that_contains_it(second in -60_000_000_000_i64..250_000_000_000) {
            let at = Timestamp::from_second(second).unwrap();
            for span in [Span::Hour, Span::Day] {
                let period = span.containing(at);
                prop_assert!(period.contains(at));
                prop_assert_eq!(period.end.duration_since(period.start), span.length());
                prop_assert_eq!(span.containing(period.end).start, period.end);
            }
        }

        #[test]
        fn spending_more_never_makes_an_anomaly_less_of_one(
            history in prop::collection::vec(0_i64..1_000, 4..9),
            spent in 0_i64..10_000,
            more in 0_i64..10_000,
        ) {
            if let Some(usual) = usual(&history, &history) {
                prop_assert!(!is_anomaly(spent, &usual) || is_anomaly(spent + more, &usual));
            }
        }
    }
}
