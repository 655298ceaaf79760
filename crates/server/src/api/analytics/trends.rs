//! How costs develop.

use domain::{Interval, forecast::forecast, interval::start_of_day, query::Bucket};
use jiff::{Timestamp, ToSpan as _};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{analytics::Question, api::analytics::share, app::App, error::Result};

/// Whole days of history that a forecast looks at.
const HISTORY_DAYS: i64 = 28;

/// How costs develop.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trends {
    /// Known costs of the period before, of the same length.
    #[schema(value_type = Option<f64>, format = "decimal")]
    previous_total: Option<Money>,
    /// Difference to it.
    #[schema(value_type = Option<f64>, format = "decimal")]
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
    #[schema(value_type = f64, format = "decimal")]
    low: Money,
    /// Spent so far plus an average day for each that remains.
    #[schema(value_type = f64, format = "decimal")]
    expected: Money,
    /// Nine times in ten it is less than this.
    #[schema(value_type = f64, format = "decimal")]
    high: Money,
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

/// Costs of recent whole days, from the first with a call on.
pub(in crate::api) async fn recent_days(app: &App, question: &Question) -> Result<Vec<Money>> {
    let (Some(start), Some(end)) = (start_of(app, question, -HISTORY_DAYS), start_of(app, question, 0))
    else {
        return Ok(Vec::new());
    };
    let mut history = question.clone();
    history.bucket = Bucket::Day;
    history.filter.period = Interval { start, end };
    let days = history.timeline(app).await?;
    // Days before the first call say nothing about a usual day.
    Ok(days.iter().map(|day| day.totals).skip_while(|day| day.requests == 0).map(|day| day.cost).collect())
}

/// The first instant of the day `days` after today, in the question's zone.
fn start_of(app: &App, question: &Question, days: i64) -> Option<Timestamp> {
    let today = app.clock.now().to_zoned_datetime(question.zone.clone()).date();
    today.checked_add(days.days()).ok().and_then(|day| start_of_day(day, &question.zone))
}

/// What `period` will have cost when it ends.
pub(in crate::api) async fn forecast_of(
    app: &App,
    question: &Question,
    period: Interval,
) -> Result<Option<ForecastView>> {
    let Some(tomorrow) = start_of(app, question, 1).filter(|_| period.end != Timestamp::MAX) else {
        return Ok(None);
    };
    let days = recent_days(app, question).await?;
    let spent = question.totals_during(app, Interval { start: period.start, end: tomorrow }).await?.cost;
    let remaining_hours = period.end.duration_since(tomorrow).as_hours().max(0);
    let remaining_days = u32::try_from(remaining_hours.div_euclid(24)).unwrap_or(u32::MAX);
    Ok(forecast(spent, &days, remaining_days).map(|forecast| ForecastView {
        period_end: period.end,
        low: forecast.low,
        expected: forecast.expected,
        high: forecast.high,
    }))
}
