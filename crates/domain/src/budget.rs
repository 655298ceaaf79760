//! Spending limits and the periods they count in.

mod limit;
mod scope;
mod scoped;

pub use limit::{Allowance, Limit};
pub use scope::Scope;
pub use scoped::{Increase, NewBudget, NewIncrease, ScopedBudget};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use pricing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fx::check_currency;
use crate::{
    Interval, Invalid,
    interval::{start_of_day, time_zone},
    invalid::Problems,
    limits, text,
};

/// How often a budget starts afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// Every seven days.
    Weekly,
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Yearly,
    /// Never: one amount from the start date on.
    OneTime,
}

impl Period {
    /// The calendar month, in UTC, that `at` falls into.
    pub fn calendar_month(at: Timestamp) -> Interval {
        months_around(at.to_zoned_datetime(TimeZone::UTC).date(), None, 1).interval(&TimeZone::UTC)
    }
}

/// First day of a period, and of the one after it; `None` where there is no end.
struct Days(Option<Date>, Option<Date>);

impl Days {
    fn interval(&self, zone: &TimeZone) -> Interval {
        Interval {
            start: self.0.and_then(|day| start_of_day(day, zone)).unwrap_or(Timestamp::MIN),
            end: self.1.and_then(|day| start_of_day(day, zone)).unwrap_or(Timestamp::MAX),
        }
    }
}

/// Periods of `length` months, counted from the anchor each time so that the 31st does not drift to the 28th.
fn months_around(today: Date, anchor: Option<Date>, length: i32) -> Days {
    let anchor = anchor.unwrap_or(Date::constant(2000, 1, 1));
    let months = (i32::from(today.year()) - i32::from(anchor.year())) * 12 + i32::from(today.month())
        - i32::from(anchor.month());
    let nth = |n: i32| anchor.checked_add((n * length).months()).ok();
    let mut n = months.div_euclid(length);
    if nth(n).is_some_and(|first| today < first) {
        n -= 1;
    }
    Days(nth(n), nth(n + 1))
}

/// What happens when the budget is used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// People are told; calls go on.
    #[default]
    Alert,
    /// Calls through the gateway are refused.
    Block,
}

/// How people are told that a threshold was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// By e-mail.
    Email,
    /// By webhook.
    Webhook,
    /// By e-mail and webhook.
    Both,
    /// In the dashboard only.
    InApp,
}

impl AlertKind {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Both => "both",
            Self::InApp => "in-app",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Email, Self::Webhook, Self::Both, Self::InApp].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether people are told by e-mail.
    pub const fn by_email(self) -> bool {
        matches!(self, Self::Email | Self::Both)
    }

    /// Whether programs are told by webhook.
    pub const fn by_webhook(self) -> bool {
        matches!(self, Self::Webhook | Self::Both)
    }
}

/// A share of the budget at which people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Percent of the amount, 1 to 1000.
    #[schema(minimum = 1, maximum = 1000)]
    pub threshold: u16,
    /// How people are told.
    #[serde(rename = "type")]
    pub kind: AlertKind,
    /// E-mail addresses; the project's owners when empty, or those of the installation for other budgets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Where a webhook goes; the account's webhooks when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// A limit on what may be spent in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// The limit, more than 0.
    #[schema(value_type = f64, exclusive_minimum = 0)]
    pub amount: Money,
    /// Currency of the amount. Another than `USD` needs an exchange rate: none is built in and none is fetched.
    #[serde(default = "usd")]
    pub currency: String,
    /// How often it starts afresh.
    pub period: Period,
    /// A day on which a period starts. Without it periods follow the calendar: weeks from Monday, months, quarters and
    /// years from their first day. May carry a time of day, which is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "day_or_instant")]
    #[schema(value_type = Option<String>, format = Date)]
    pub start_date: Option<Date>,
    /// IANA name of the zone whose days count.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What happens when it is used up.
    #[serde(default)]
    pub enforcement: Enforcement,
    /// Whether what a period leaves over may be spent in the next one.
    #[serde(default)]
    pub carry_over: bool,
    /// When people are told.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

impl Budget {
    /// Whether the budget can be kept.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        let mut problems = Problems::default();
        if self.amount <= Money::ZERO {
            problems.add(format!("{field}.amount"), "must be more than 0");
        }
        problems.take(check_currency(&format!("{field}.currency"), &self.currency));
        problems.take(time_zone(&format!("{field}.timeZone"), &self.time_zone));
        if self.alerts.len() > limits::ALERTS_MAX {
            problems
                .add(format!("{field}.alerts"), format!("must have at most {} alerts", limits::ALERTS_MAX));
        }
        for (index, alert) in self.alerts.iter().enumerate().take(limits::ALERTS_MAX) {
            problems.take(alert.check(&format!("{field}.alerts[{index}]")));
        }
        problems.into_result()
    }

    /// The period that `at` falls into. Every instant is in exactly one, also before the start date.
    pub fn period_containing(&self, at: Timestamp) -> Interval {
        let zone = limit::zone(self);
        let today = at.to_zoned_datetime(zone.clone()).date();
        self.days_around(today).interval(&zone)
    }

    fn days_around(&self, today: Date) -> Days {
        match self.period {
            Period::Weekly => {
                let anchor = self.start_date.map_or(Weekday::Monday, Date::weekday);
                let first = today.checked_sub(i32::from(today.weekday().since(anchor)).days()).ok();
                Days(first, first.and_then(|day| day.checked_add(7.days()).ok()))
            }
            Period::Monthly => months_around(today, self.start_date, 1),
            Period::Quarterly => months_around(today, self.start_date, 3),
            Period::Yearly => months_around(today, self.start_date, 12),
            Period::OneTime => match self.start_date {
                Some(start) if today < start => Days(None, Some(start)),
                start => Days(start, None),
            },
        }
    }
}

/// Percent of `limit` that `spent` is, to a hundredth of a percent.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a percentage to look at, not money"
)]
pub fn utilization_percent(limit: Money, spent: Money) -> f64 {
    // Whole hundredths of a percent first, so that equal money gives equal percentages.
    let hundredths = i128::from(spent.nanos()) * 10_000 / i128::from(limit.nanos().max(1));
    hundredths as f64 / 100.0
}

impl Alert {
    fn check(&self, field: &str) -> Result<(), Invalid> {
        let mut problems = Problems::default();
        if !(1..=1000).contains(&self.threshold) {
            problems.add(format!("{field}.threshold"), "must be a percentage from 1 to 1000");
        }
        if self.recipients.len() > limits::RECIPIENTS_MAX {
            problems
                .add(format!("{field}.recipients"), format!("must have at most {}", limits::RECIPIENTS_MAX));
        }
        for (index, recipient) in self.recipients.iter().enumerate().take(limits::RECIPIENTS_MAX) {
            problems.take(text::email(&format!("{field}.recipients[{index}]"), recipient));
        }
        if self.webhook_url.as_ref().is_some_and(|url| !is_http_url(url)) {
            problems.add(format!("{field}.webhookUrl"), "must be an http or https URL");
        }
        problems.into_result()
    }
}

/// Whether `text` has the shape of an http or https URL.
pub(crate) fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text.len() <= 2048
        && rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn usd() -> String {
    "USD".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

fn day_or_instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| {
        text.parse::<Date>().map_err(|_| serde::de::Error::custom("must be a date such as 2024-01-31"))
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(period: Period, start_date: Option<&str>, zone: &str) -> Budget {
        Budget {
            amount: Money::from_nanos(1_000_000_000_000),
            currency: usd(),
            period,
            start_date: start_date.map(|day| day.parse().unwrap()),
            time_zone: zone.to_owned(),
            enforcement: Enforcement::Alert,
            carry_over: false,
            alerts: Vec::new(),
        }
    }

    fn period(budget: &Budget, at: &str) -> (String, String) {
        let interval = budget.period_containing(at.parse().unwrap());
        (interval.start.to_string(), interval.end.to_string())
    }

    #[test]
    fn periods_follow_the_calendar_of_their_zone() {
        for (kind, zone, at, start, end) in [
            (Period::Weekly, "UTC", "2024-02-29T12:00:00Z", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"),
            (Period::Monthly, "UTC", "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            (
                Period::Monthly,
                "Europe/Berlin",
                "2024-03-31T22:30:00Z",
                "2024-03-31T22:00:00Z",
                "2024-04-30T22:00:00Z",
            ),
            (
                Period::Quarterly,
                "UTC",
                "2024-12-31T00:00:00Z",
                "2024-10-01T00:00:00Z",
                "2025-01-01T00:00:00Z",
            ),
            (
                Period::Yearly,
                "Asia/Tokyo",
                "2023-12-31T15:00:00Z",
                "2023-12-31T15:00:00Z",
                "2024-12-31T15:00:00Z",
            ),
        ] {
            assert_eq!(period(&budget(kind, None, zone), at), (start.to_owned(), end.to_owned()), "{kind:?}");
        }
    }

    #[test]
    fn a_start_date_moves_the_periods_and_never_drifts() {
        let last_day = budget(Period::Monthly, Some("2024-01-31"), "UTC");
        let february = period(&last_day, "2024-03-15T00:00:00Z");
        assert_eq!(february, ("2024-02-29T00:00:00Z".into(), "2024-03-31T00:00:00Z".into()));
        let thursday = budget(Period::Weekly, Some("2024-02-01"), "UTC");
        assert_eq!(
            period(&thursday, "2024-03-06T00:00:00Z"),
            ("2024-02-29T00:00:00Z".into(), "2024-03-07T00:00:00Z".into())
        );
        let once = budget(Period::OneTime, Some("2024-02-01"), "UTC");
        assert_eq!(once.period_containing("2030-01-01T00:00:00Z".parse().unwrap()).end, Timestamp::MAX);
    }

    #[test]
    fn problems_are_named_by_field() {
        let json = r#"{"amount":0,"currency":"euro","period":"monthly","timeZone":"Mars",
            "alerts":[{"threshold":0,"type":"email","recipients":["x"],"webhookUrl":"ftp://x"}]}"#;
        let budget: Budget = serde_json::from_str(json).unwrap();
        let fields: Vec<String> =
            budget.check("budget").unwrap_err().0.into_iter().map(|problem| problem.field).collect();
        assert_eq!(
            fields,
            [
                "budget.amount",
                "budget.currency",
                "budget.timeZone",
                "budget.alerts[0].threshold",
                "budget.alerts[0].recipients[0]",
                "budget.alerts[0].webhookUrl"
            ]
        );
    }

    #[test]
    fn the_budget_of_the_guide_is_taken_as_written() {
        let json = r#"{"amount":1000,"currency":"USD","period":"monthly","alerts":[
            {"threshold":50,"type":"email"},{"threshold":80,"type":"both"},{"threshold":90,"type":"webhook"}]}"#;
        let budget: Budget = serde_json::from_str(json).unwrap();
        assert_eq!(budget.check("budget"), Ok(()));
        assert_eq!(budget.alerts[1].kind, AlertKind::Both);
    }

    /// Every time zone of the tz database.
    fn zones() -> Vec<String> {
        let zones: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        assert!(zones.len() > 400, "{} zones", zones.len());
        zones
    }

    #[test]
    fn periods_of_a_leap_year_join_in_every_time_zone() {
        let (start, end): (Timestamp, Timestamp) =
            ("2023-12-20T00:00:00Z".parse().unwrap(), "2025-03-10T00:00:00Z".parse().unwrap());
        for zone in zones() {
            for (kind, start_date, count) in [
                (Period::Weekly, None, 65),
                (Period::Monthly, None, 16),
                (Period::Monthly, Some("2023-10-31"), 16),
                (Period::Quarterly, Some("2024-02-29"), 6),
                (Period::Yearly, Some("2024-02-29"), 3),
            ] {
                let budget = budget(kind, start_date, &zone);
                let (mut inside, mut seen) = (budget.period_containing(start), 1);
                while inside.end < end {
                    let next = budget.period_containing(inside.end);
                    assert_eq!(next.start, inside.end, "{zone} {kind:?}");
                    assert!(next.start < next.end, "{zone} {kind:?}");
                    let last = inside.end - jiff::SignedDuration::from_nanos(1);
                    assert_eq!(budget.period_containing(last), inside, "{zone} {kind:?}");
                    (inside, seen) = (next, seen + 1);
                }
                assert!(seen <= count && seen >= count - 1, "{zone} {kind:?}: {seen} periods");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn every_instant_is_in_exactly_one_period(
            seconds in 1_262_304_000_i64..2_208_988_800,
            kind in prop::sample::select(vec![Period::Weekly, Period::Monthly, Period::Quarterly, Period::Yearly, Period::OneTime]),
            anchor in prop::option::of((2010_i16..2030, 1_i8..=12, 1_i8..=31)),
            zone in prop::sample::select(zones()),
        ) {
            let at = Timestamp::from_second(seconds).unwrap();
            let start_date = anchor.and_then(|(year, month, day)| Date::new(year, month, day).ok());
            let mut budget = budget(kind, None, &zone);
            budget.start_date = start_date;
            let inside = budget.period_containing(at);
            prop_assert!(inside.contains(at));
            prop_assert_eq!(budget.period_containing(inside.start), inside);
            let one_nanosecond = jiff::SignedDuration::from_nanos(1);
            if inside.start != Timestamp::MIN {
                prop_assert_eq!(budget.period_containing(inside.start - one_nanosecond).end, inside.start);
            }
            if inside.end != Timestamp::MAX {
                prop_assert_eq!(budget.period_containing(inside.end).start, inside.end);
            }
        }
    }
}
