//! How costs develop.

use domain::{
    Interval,
    forecast::{Ahead, Basis, Day, HISTORY_DAYS_MAX, Pattern, days_ahead},
    interval::start_of_day,
    query::Bucket,
};
use jiff::{Timestamp, ToSpan as _};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{analytics::Question, api::analytics::share, app::App, error::Result};

/// How costs develop.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trends {
    /// Known costs of the period before, of the same length.
    #[schema(value_type = Option<f64>)]
    previous_total: Option<Money>,
    /// Difference to it.
    #[schema(value_type = Option<f64>)]
    change: Option<Money>,
    /// The same in percent; `null` when nothing was spent before.
    change_percentage: Option<f64>,
    /// What the current period (of the budget; the month without one) will have cost; `null` with less than a week of
    /// history.
    forecast: Option<ForecastView>,
}

/// What a period will probably have cost when it ends.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastView {
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    period_end: Timestamp,
    /// Nine times in ten it is more than this.
    #[schema(value_type = f64)]
    low: Money,
    /// Spent so far plus what the days that remain usually cost.
    #[schema(value_type = f64)]
    expected: Money,
    /// Nine times in ten it is less than this.
    #[schema(value_type = f64)]
    high: Money,
    /// What it is made of.
    basis: Basis,
    /// Days that it is made of: at most the last eight weeks, whole ones where there are two.
    history_days: usize,
}

impl Trends {
    pub(super) async fn of(app: &App, question: &Question, forecast_period: Interval) -> Result<Self> {
        let total = question.totals(app).await?.cost;
        let previous = match question.filter.period.previous() {
            Some(period) => Some(question.totals_during(app, period).await?.cost),
            None => None,
        };
        let change = previous.and_then(|previous| total.checked_sub(previous));
        let percent = |change: Money, previous: Money| {
            share(i128::from(change.nanos()) * 100, i128::from(previous.nanos()))
        };
        Ok(Self {
            previous_total: previous,
            change,
            change_percentage: change.zip(previous).and_then(|(change, previous)| percent(change, previous)),
            forecast: forecast_of(app, question, forecast_period).await?,
        })
    }
}

/// What recent days say of those to come.
pub(in crate::api) struct Outlook {
    pattern: Pattern,
    ahead: Vec<Ahead>,
    period_end: Timestamp,
}

impl Outlook {
    /// What recent days say of those until the end of `period`; `None` with too few of them.
    pub(in crate::api) async fn of(app: &App, question: &Question, period: Interval) -> Result<Option<Self>> {
        let Some(pattern) = Pattern::of(&recent_days(app, question).await?) else { return Ok(None) };
        let ahead = days_ahead(app.clock.now(), period.end, &question.zone);
        Ok(Some(Self { pattern, ahead, period_end: period.end }))
    }

    /// What the period will have cost, if it ends, from what is `spent` of it.
    pub(in crate::api) fn forecast(&self, spent: Money) -> Option<ForecastView> {
        if self.period_end == Timestamp::MAX {
            return None;
        }
        let forecast = self.pattern.forecast(spent, &self.ahead)?;
        let (basis, history_days) = self.pattern.basis();
        Some(ForecastView {
            period_end: self.period_end,
            low: forecast.low,
            expected: forecast.expected,
            high: forecast.high,
            basis,
            history_days,
        })
    }

    /// When `left` is spent, if that is before the period ends.
    pub(in crate::api) fn exhausted_at(&self, left: Money) -> Option<Timestamp> {
        self.pattern.exhausted_at(left, &self.ahead)
    }
}

/// Recent whole days, from the first with a call on.
async fn recent_days(app: &App, question: &Question) -> Result<Vec<Day>> {
    let days = i64::try_from(HISTORY_DAYS_MAX).unwrap_or(i64::MAX);
    let (Some(start), Some(end)) = (start_of(app, question, -days), start_of(app, question, 0)) else {
        return Ok(Vec::new());
    };
    let mut history = question.clone();
    history.bucket = Bucket::Day;
    history.filter.period = Interval { start, end };
    let days = history.timeline(app).await?;
    let weekday = |start: Timestamp| start.to_zoned_datetime(question.zone.clone()).date().weekday();
    // Days before the first call say nothing about a usual day.
    let days = days.iter().skip_while(|day| day.totals.requests == 0);
    Ok(days.map(|day| Day { weekday: weekday(day.start), cost: day.totals.cost }).collect())
}

/// The first instant of the day `days` after today, in the question's zone.
fn start_of(app: &App, question: &Question, days: i64) -> Option<Timestamp> {
    let today = app.clock.now().to_zoned_datetime(question.zone.clone()).date();
    today.checked_add(days.days()).ok().and_then(|day| start_of_day(day, &question.zone))
}

/// What `period` will have cost when it ends.
async fn forecast_of(app: &App, question: &Question, period: Interval) -> Result<Option<ForecastView>> {
    let Some(outlook) = Outlook::of(app, question, period).await? else { return Ok(None) };
    let so_far = Interval { start: period.start, end: period.end.min(tomorrow(app, question)) };
    let spent = question.totals_during(app, so_far).await?.cost;
    Ok(outlook.forecast(spent))
}

/// Calls that claim to be of later days are not spent yet.
fn tomorrow(app: &App, question: &Question) -> Timestamp {
    start_of(app, question, 1).unwrap_or(Timestamp::MAX)
}
