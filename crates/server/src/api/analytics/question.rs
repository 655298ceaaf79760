//! Query strings of analytics.

use domain::{
    Interval, Invalid,
    interval::start_of_day,
    limits as bounds,
    query::{Bucket, Dimension, Visibility},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};

use crate::{
    analytics::Question,
    api::{
        analytics::breakdown::Metric,
        usage_query::{filter, is_filter, zone},
    },
    input::Pairs,
    limits,
};

/// How to group.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameters that `question` reads")]
pub struct AnalyticsParams {
    /// Length of the timeline's points (`hour`, `day`, `week`, `month`), dimensions (`service`, `model`, `project`,
    /// `user`, `department`, `team`, `purpose`, `client`, `campaign`, `tag`, `status`, …), or both; separated by commas.
    #[param(rename = "groupBy")]
    group_by: Option<String>,
    /// What breakdowns are ordered by: `cost` (unless told otherwise), `tokens` or `requests`.
    metric: Option<String>,
    /// Most groups of a breakdown.
    #[param(minimum = 1, maximum = 10000, default = 50)]
    limit: Option<u64>,
    /// With what groups are compared: `previous`, the period before, of the same length; or a period, as
    /// `2024-01-01..2024-01-31`. Trends always have the period before.
    compare: Option<String>,
    /// What the answer holds: `summary`, `latency` (of the summary), `timeline`, `breakdown`, `groups`, `trends`,
    /// `durations`; separated by commas. All but `durations` unless told otherwise. What is not asked for costs no time.
    include: Option<String>,
}

/// Whether analytics routes read this parameter.
pub fn is_parameter(name: &str) -> bool {
    is_filter(name) || matches!(name, "groupBy" | "metric" | "limit" | "compare" | "include")
}

/// The question that is asked.
pub fn question(pairs: &Pairs, visibility: Visibility, now: Timestamp) -> Result<Question, Invalid> {
    let zone = zone(pairs)?;
    let filter = filter(pairs, visibility, default_period(pairs, &zone, now))?;
    let (bucket, group_by) = grouping(pairs)?;
    let compared_with = comparison(pairs, &zone, filter.period)?;
    let in_bound = |text: &str| text.parse().ok().filter(|limit| (1..=bounds::GROUPS_MAX).contains(limit));
    let expected = format!("a whole number from 1 to {}", bounds::GROUPS_MAX);
    Ok(Question {
        bucket: bucket.unwrap_or_else(|| fitting_bucket(filter.period)),
        limit: pairs.parsed("limit", in_bound, &expected)?.unwrap_or(limits::BREAKDOWN_GROUPS_DEFAULT),
        compared_with,
        filter,
        zone,
        groups_by_time: bucket.is_some() || group_by.is_empty(),
        group_by,
    })
}

/// What breakdowns are ordered by.
pub fn metric(pairs: &Pairs) -> Result<Metric, Invalid> {
    Ok(pairs.parsed("metric", Metric::from_name, "cost, tokens or requests")?.unwrap_or(Metric::Cost))
}

/// The period that is compared with: the one before, or the one that is named.
fn comparison(pairs: &Pairs, zone: &TimeZone, period: Interval) -> Result<Option<Interval>, Invalid> {
    match pairs.last("compare") {
        None => Ok(None),
        Some("previous") => Ok(period.previous()),
        Some(named) => {
            let expected =
                || Invalid::field("compare", "must be previous, or a period: 2024-01-01..2024-01-31");
            let (start, end) = named.split_once("..").ok_or_else(expected)?;
            Interval::from_bounds(Some(start), Some(end), zone, period).map(Some).map_err(|_| expected())
        }
    }
}

/// Thirty days, today included, unless a bound is given.
fn default_period(pairs: &Pairs, zone: &TimeZone, now: Timestamp) -> Interval {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let start_of = |days: i64| today.checked_add(days.days()).ok().and_then(|day| start_of_day(day, zone));
    let end = start_of(1).unwrap_or(Timestamp::MAX);
    let asked_end = pairs.last("endDate").and_then(|end| {
        let bounds = Interval { start: Timestamp::MIN, end: Timestamp::MAX };
        Interval::from_bounds(None, Some(end), zone, bounds).ok()
    });
    let start = match asked_end {
        Some(asked) => asked.end.checked_sub(SignedDuration::from_hours(30 * 24)).ok(),
        None => start_of(-29),
    };
    Interval { start: start.unwrap_or(Timestamp::MIN), end }
}

fn grouping(pairs: &Pairs) -> Result<(Option<Bucket>, Vec<Dimension>), Invalid> {
    let (mut bucket, mut dimensions) = (None, Vec::new());
    for word in
        pairs.all("groupBy").flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
    {
        if let Some(found) = Bucket::from_name(word) {
            bucket = Some(found);
        } else if let Some(dimension) = Dimension::from_name(word) {
            if !dimensions.contains(&dimension) {
                dimensions.push(dimension);
            }
        } else {
            let words: Vec<&str> = Dimension::ALL.iter().map(|dimension| dimension.as_str()).collect();
            return Err(Invalid::field(
                "groupBy",
                format!("must be hour, day, week, month or one of {}", words.join(", ")),
            ));
        }
    }
    if dimensions.len() > limits::GROUP_BY_MAX {
        return Err(Invalid::field(
            "groupBy",
            format!("must have at most {} dimensions", limits::GROUP_BY_MAX),
        ));
    }
    Ok((bucket, dimensions))
}

/// Some tens of points, whatever the period.
fn fitting_bucket(period: Interval) -> Bucket {
    match period.end.duration_since(period.start).as_hours() {
        ..=48 => Bucket::Hour,
        49..=2_400 => Bucket::Day,
        2_401..=17_520 => Bucket::Week,
        _ => Bucket::Month,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &[(&str, &str)]) -> Result<Question, Invalid> {
        let pairs =
            Pairs(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        question(&pairs, Visibility::Everything, "2024-03-15T10:00:00Z".parse().unwrap())
    }

    fn period(query: &[(&str, &str)]) -> (String, String) {
        let period = ask(query).unwrap().filter.period;
        (period.start.to_string(), period.end.to_string())
    }

    #[test]
    fn without_dates_it_is_thirty_days_up_to_today() {
        assert_eq!(period(&[]), ("2024-02-15T00:00:00Z".into(), "2024-03-16T00:00:00Z".into()));
        assert_eq!(
            period(&[("endDate", "2024-01-31")]),
            ("2024-01-02T00:00:00Z".into(), "2024-02-01T00:00:00Z".into())
        );
        assert_eq!(
            period(&[("startDate", "2024-03-01")]),
            ("2024-03-01T00:00:00Z".into(), "2024-03-16T00:00:00Z".into())
        );
    }

    #[test]
    fn what_is_compared_with_is_the_period_before_or_a_named_one() {
        let compared = |compare| {
            let asked = ask(&[("startDate", "2024-03-01"), ("endDate", "2024-03-10"), ("compare", compare)]);
            asked.map(|question| {
                question.compared_with.map(|with| (with.start.to_string(), with.end.to_string()))
            })
        };
        let period = |start: &str, end: &str| Some((start.to_owned(), end.to_owned()));
        assert_eq!(compared("previous").unwrap(), period("2024-02-20T00:00:00Z", "2024-03-01T00:00:00Z"));
        assert_eq!(
            compared("2024-02-01..2024-02-10").unwrap(),
            period("2024-02-01T00:00:00Z", "2024-02-11T00:00:00Z")
        );
        assert_eq!(ask(&[]).unwrap().compared_with, None);
        for wrong in ["next", "2024-02-01..", "2024-02-10..2024-02-01"] {
            assert_eq!(compared(wrong).unwrap_err().0[0].field, "compare", "{wrong}");
        }
    }

    #[test]
    fn grouping_mixes_time_and_dimensions() {
        let question = ask(&[("groupBy", "week,model"), ("groupBy", "team")]).unwrap();
        assert_eq!(
            (question.bucket, question.group_by),
            (Bucket::Week, vec![Dimension::Model, Dimension::Team])
        );
        for wrong in ["year", "model,team,tag,client"] {
            assert_eq!(ask(&[("groupBy", wrong)]).unwrap_err().0[0].field, "groupBy");
        }
    }
}
