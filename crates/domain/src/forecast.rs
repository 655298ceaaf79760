//! What a period will have cost when it ends, from the weekly pattern of the days before.
//!
//! The method, in the order of the code: whole weeks of history give each weekday its share; their totals give a level,
//! and a trend where one is plain; what the days differ from that says how far the sum of the coming days may lie off.
//! All of it is integers and sums: the same history gives the same forecast.

mod trend;

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Weekday, tz::TimeZone};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::interval::start_of_day;
use trend::Trend;

/// Days of history without which nothing is said.
pub const HISTORY_DAYS_MIN: usize = 7;
/// Days of history that are looked at.
pub const HISTORY_DAYS_MAX: usize = 56;
/// Days of history without which every day counts as an average one.
const PATTERN_DAYS_MIN: usize = 14;
/// Days ahead that are looked at: ten years.
const AHEAD_DAYS_MAX: usize = 3_660;
const WEEK: usize = 7;

/// A day that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Which day of the week.
    pub weekday: Weekday,
    /// What it has cost.
    pub cost: Money,
}

/// A day that is to come, or what is left of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    weekday: Weekday,
    start: Timestamp,
    /// How much of the day is looked at, of how much.
    part_ms: i128,
    day_ms: i128,
}

/// The days from `now` until `end`, today's rest first; ten years at most.
pub fn days_ahead(now: Timestamp, end: Timestamp, zone: &TimeZone) -> Vec<Ahead> {
    let mut day = now.to_zoned_datetime(zone.clone()).date();
    let (mut at, mut ahead) = (now, Vec::new());
    while at < end && ahead.len() < AHEAD_DAYS_MAX {
        let next = day.checked_add(1.day()).ok();
        let bounds = start_of_day(day, zone).zip(next.and_then(|next| start_of_day(next, zone)));
        let (Some((first, last)), Some(next)) = (bounds, next) else { break };
        ahead.push(Ahead {
            weekday: day.weekday(),
            start: at,
            part_ms: last.min(end).duration_since(at).as_millis(),
            day_ms: last.duration_since(first).as_millis().max(1),
        });
        (day, at) = (next, last);
    }
    ahead
}

/// What a forecast is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ForecastBasis)]
pub enum Basis {
    /// The average of less than two weeks of days.
    Average,
    /// What each day of the week usually costs.
    WeeklyPattern,
    /// The same, with the growth or decline from week to week.
    WeeklyPatternWithTrend,
}

/// What a period will probably have cost when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Nine times in ten it is more than this, if days stay as they were.
    pub low: Money,
    /// Spent so far plus what the days that remain usually cost.
    pub expected: Money,
    /// Nine times in ten it is less than this, if days stay as they were.
    pub high: Money,
}

/// What days usually cost, and how far they differ from it. Amounts are nano-dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    basis: Basis,
    /// Days that it is made of.
    days: usize,
    /// What each day of the week, from Monday, has cost in all those days.
    by_weekday: [i128; WEEK],
    total: i128,
    trend: Option<Trend>,
    /// Sum of the squares of what was usual.
    fitted_squares: i128,
    /// Mean square of what days differed from what was usual, times the number of days.
    residual: u128,
    freedom: usize,
}

impl Pattern {
    /// The pattern of the latest whole days, the oldest first; `None` with fewer than [`HISTORY_DAYS_MIN`], or where a
    /// sum leaves what integers hold: a guess from less would look like knowledge.
    pub fn of(history: &[Day]) -> Option<Self> {
        let latest = history.get(history.len().saturating_sub(HISTORY_DAYS_MAX)..)?;
        if latest.len() < HISTORY_DAYS_MIN {
            return None;
        }
        let has_pattern = latest.len() >= PATTERN_DAYS_MIN;
        // Whole weeks have each day of the week as often as the others.
        let skipped = if has_pattern { latest.len() % WEEK } else { 0 };
        let days = latest.get(skipped..)?;
        let mut by_weekday = [0_i128; WEEK];
        for day in days {
            by_weekday[index(day.weekday)] += i128::from(day.cost.nanos());
        }
        let total: i128 = by_weekday.iter().sum();
        let trend = if has_pattern { Trend::of(days) } else { None };
        let basis = match (has_pattern, trend) {
            (false, _) => Basis::Average,
            (true, None) => Basis::WeeklyPattern,
            (true, Some(_)) => Basis::WeeklyPatternWithTrend,
        };
        let fitted = match basis {
            Basis::Average => 1,
            Basis::WeeklyPattern => WEEK,
            Basis::WeeklyPatternWithTrend => WEEK + 1,
        };
        let freedom = days.len() - fitted;
        let pattern = Self {
            basis,
            days: days.len(),
            by_weekday,
            total,
            trend,
            fitted_squares: 0,
            residual: 0,
            freedom,
        };
        pattern.with_residuals(days)
    }

    /// What it is made of, and of how many days.
    pub const fn basis(&self) -> (Basis, usize) {
        (self.basis, self.days)
    }

    /// Forecasts a period from what is `spent` of it and the days that remain. `None` if a sum leaves what money holds.
    pub fn forecast(&self, spent: Money, ahead: &[Ahead]) -> Option<Forecast> {
        let (mut sum, mut squares, mut by_class) = (0_i128, 0_i128, [0_i128; WEEK]);
        for (days, day) in ahead.iter().enumerate() {
            let usual = self.usual_part(*day, days)?;
            sum = sum.checked_add(usual)?;
            squares = squares.checked_add(usual.checked_mul(usual)?)?;
            // What is known of a day of the week was learnt at the level of the history.
            let class = if self.basis == Basis::Average { 0 } else { index(day.weekday) };
            by_class[class] += self.average(day.weekday)?.checked_mul(day.part_ms)? / day.day_ms;
        }
        let spread = self.spread(squares, &by_class, ahead.len())?;
        let spent = i128::from(spent.nanos());
        let expected = spent.checked_add(sum)?;
        let money = |nanos: i128| i64::try_from(nanos).ok().map(Money::from_nanos);
        Some(Forecast {
            // What is spent is spent: the low end is never below it.
            low: money((expected - spread).max(spent))?,
            expected: money(expected)?,
            high: money(expected.checked_add(spread)?)?,
        })
    }

    /// When `left` is spent, if the days ahead cost what is usual; `None` if nothing is left, or it lasts for all of them.
    pub fn exhausted_at(&self, left: Money, ahead: &[Ahead]) -> Option<Timestamp> {
        let mut left = Some(i128::from(left.nanos())).filter(|left| *left > 0)?;
        for (days, day) in ahead.iter().enumerate() {
            let usual = self.usual_part(*day, days)?;
            if usual >= left && usual > 0 {
                let ms = day.part_ms.checked_mul(left)? / usual;
                return day.start.checked_add(SignedDuration::from_millis(i64::try_from(ms).ok()?)).ok();
            }
            left -= usual;
        }
        None
    }

    /// Notes what `days` differ from what is usual.
    fn with_residuals(mut self, days: &[Day]) -> Option<Self> {
        let (mut fitted, mut residuals) = (0_i128, 0_i128);
        for (position, day) in days.iter().enumerate() {
            let usual = self.usual(day.weekday, i128::try_from(position).ok()?)?;
            let residual = i128::from(day.cost.nanos()) - usual;
            fitted = fitted.checked_add(usual.checked_mul(usual)?)?;
            residuals = residuals.checked_add(residual.checked_mul(residual)?)?;
        }
        let days = i128::try_from(self.days).ok()?;
        let freedom = i128::try_from(self.freedom.max(1)).ok()?;
        self.fitted_squares = fitted;
        self.residual = u128::try_from(residuals.checked_mul(days)? / freedom).ok()?;
        Some(self)
    }

    /// What is usual for the part of a day that is looked at, `days` after the first that is to come.
    fn usual_part(&self, day: Ahead, days: usize) -> Option<i128> {
        let position = i128::try_from(self.days + days).ok()?;
        Some(self.usual(day.weekday, position)?.checked_mul(day.part_ms)? / day.day_ms)
    }

    /// What is usual on a day of the week, `position` days after the first of the history; never negative.
    fn usual(&self, weekday: Weekday, position: i128) -> Option<i128> {
        let days = i128::try_from(self.days).ok()?;
        let average = self.average(weekday)?;
        let Some(Trend { weeks, slope, squares }) = self.trend else { return Some(average) };
        // A trend is taken to go on for as long as it was seen, and then to stay where it led.
        let position = position.min(2 * days);
        // Of the week around that day, doubled, in sevenths: its middle day is at a whole position.
        let doubled_sevenths = 2 * position - 6 - 7 * (weeks - 1);
        let mean = self.total / weeks;
        if mean == 0 {
            return Some(average);
        }
        let grown = slope.checked_mul(doubled_sevenths)? / squares / 7;
        Some((average + muldiv(average, grown, mean)?).max(0))
    }

    /// What a day of the week costs on average, whatever the trend; never negative.
    fn average(&self, weekday: Weekday) -> Option<i128> {
        let days = i128::try_from(self.days).ok()?;
        Some(match self.basis {
            Basis::Average => self.total / days,
            Basis::WeeklyPattern | Basis::WeeklyPatternWithTrend => {
                self.by_weekday[index(weekday)].checked_mul(7)? / days
            }
        })
        .map(|average| average.max(0))
    }

    /// How far a sum of days lies off, nine times in ten, on one side: the days' own differences, and those by which what
    /// is usual is not known any better. Each day's differences are taken to be in proportion to what is usual on it.
    fn spread(&self, squares: i128, by_class: &[i128; WEEK], ahead: usize) -> Option<i128> {
        if self.fitted_squares <= 0 {
            return Some(0);
        }
        let classes =
            by_class.iter().try_fold(0_i128, |sum, class| sum.checked_add(class.checked_mul(*class)?))?;
        let days = i128::try_from(self.days).ok()?;
        let seen = if self.basis == Basis::Average { days } else { days / 7 };
        let known = classes / seen;
        let known = if self.trend.is_some() {
            // The line is known the less the further from its middle it is looked at.
            let off = days + i128::try_from(ahead).ok()?.min(days);
            known.checked_add(known.checked_mul(3 * off * off)? / (days * days))?
        } else {
            known
        };
        let around = u128::try_from(squares.checked_add(known)?).ok()?.isqrt();
        let relative_to = u128::try_from(self.fitted_squares).ok()?.isqrt().max(1);
        let deviation = muldiv(i128::try_from(self.residual.isqrt()).ok()?, i128::try_from(around).ok()?, {
            i128::try_from(relative_to).ok()?
        })?;
        Some(deviation.checked_mul(self.quantile_thousandths())? / 1_000)
    }

    /// The 90 % quantile of Student's distribution, rounded up.
    const fn quantile_thousandths(&self) -> i128 {
        match self.freedom {
            0..=7 => 1_440,
            8..=12 => 1_397,
            13..=20 => 1_350,
            21..=39 => 1_323,
            _ => 1_304,
        }
    }
}

/// `a` × `b` / `c` without a product that is too large, as long as the outcome is not.
fn muldiv(a: i128, b: i128, c: i128) -> Option<i128> {
    match a.checked_mul(b) {
        Some(product) => Some(product / c),
        None => (a / c).checked_mul(b),
    }
}

fn index(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2024-03-04T12:00:00Z";

    fn dollars(amount: i64) -> Money {
        Money::from_nanos(amount * 1_000_000_000)
    }

    /// Days up to Sunday, 3 March 2024, and those from Monday on.
    fn days(costs: &[i64]) -> Vec<Day> {
        let last = Weekday::Sunday;
        let weekday = |back: usize| last.wrapping_sub(i64::try_from(back).unwrap());
        let day = |(n, cost): (usize, &i64)| Day {
            weekday: weekday(costs.len() - 1 - n),
            cost: Money::from_nanos(*cost),
        };
        costs.iter().enumerate().map(day).collect()
    }

    fn ahead(count: i64) -> Vec<Ahead> {
        let start: Timestamp = "2024-03-04T00:00:00Z".parse().unwrap();
        days_ahead(start, start + SignedDuration::from_hours(24 * count), &TimeZone::UTC)
    }

    #[test]
    fn days_ahead_begin_with_the_rest_of_today_and_know_daylight_saving() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let end = "2024-04-01T10:00:00Z".parse().unwrap();
        let ahead = days_ahead("2024-03-30T12:00:00Z".parse().unwrap(), end, &zone);
        let hours: Vec<(i128, i128)> =
            ahead.iter().map(|day| (day.part_ms / 3_600_000, day.day_ms / 3_600_000)).collect();
        assert_eq!(hours, [(11, 24), (23, 23), (12, 24)]);
        assert_eq!(ahead[1].weekday, Weekday::Sunday);
        assert_eq!(days_ahead(end, end, &zone), []);
        assert_eq!(days_ahead(end, Timestamp::MAX, &zone).len(), AHEAD_DAYS_MAX);
    }

    #[test]
    fn even_days_continue_without_spread() {
        for (count, basis) in [(7, Basis::Average), (28, Basis::WeeklyPattern), (60, Basis::WeeklyPattern)] {
            let pattern = Pattern::of(&days(&vec![10_000_000_000; count])).unwrap();
            assert_eq!(pattern.basis(), (basis, count.min(56)));
            let flat = pattern.forecast(dollars(50), &ahead(5)).unwrap();
            assert_eq!(flat, Forecast { low: dollars(100), expected: dollars(100), high: dollars(100) });
        }
    }

    #[test]
    fn each_day_of_the_week_costs_what_it_usually_does() {
        let week = [10, 20, 30, 40, 50, 1, 2].map(|cost| cost * 1_000_000_000);
        let pattern = Pattern::of(&days(&week.repeat(3))).unwrap();
        for (count, expected) in [(1, 10), (5, 150), (7, 153), (12, 303)] {
            let forecast = pattern.forecast(dollars(0), &ahead(count)).unwrap();
            assert_eq!(
                forecast,
                Forecast { low: dollars(expected), expected: dollars(expected), high: dollars(expected) }
            );
        }
        // 10 + 20 until Wednesday, of which half is needed.
        let exhausted = pattern.exhausted_at(dollars(45), &ahead(12)).unwrap();
        assert_eq!(exhausted.to_string(), "2024-03-06T12:00:00Z");
        assert_eq!(pattern.exhausted_at(dollars(45), &ahead(2)), None);
        assert_eq!(pattern.exhausted_at(dollars(0), &ahead(2)), None);
        let end = "2024-03-05T00:00:00Z".parse().unwrap();
        let noon = days_ahead(NOW.parse().unwrap(), end, &TimeZone::UTC);
        assert_eq!(pattern.forecast(dollars(3), &noon).unwrap().expected, dollars(8), "half of a Monday");
    }

    #[test]
    fn weeks_that_grow_go_on_growing_for_as_long_as_they_were_seen_to() {
        // A dollar more each day.
        let growing: Vec<i64> = (1..=56).map(|day| day * 1_000_000_000).collect();
        let pattern = Pattern::of(&days(&growing)).unwrap();
        assert_eq!(pattern.basis(), (Basis::WeeklyPatternWithTrend, 56));
        let next = pattern.forecast(dollars(0), &ahead(7)).unwrap().expected;
        let exact = dollars((57..=63).sum());
        assert!((next.nanos() - exact.nanos()).abs() < exact.nanos() / 100, "{next}");
        let week = |from: i64| {
            let until = |count| pattern.forecast(dollars(0), &ahead(count)).unwrap().expected.nanos();
            until(from + 7) - until(from)
        };
        assert!(week(49) > week(0));
        assert_eq!(week(70), week(700), "not for ever");
    }

    #[test]
    fn too_little_history_says_nothing_and_spent_money_stays_spent() {
        assert_eq!(Pattern::of(&days(&[10; 6])), None);
        let mut costs = vec![0; 20];
        costs.push(700_000_000_000);
        let pattern = Pattern::of(&days(&costs)).unwrap();
        assert_eq!(pattern.forecast(dollars(5), &ahead(1)).unwrap().low, dollars(5));
        assert_eq!(pattern.forecast(dollars(5), &[]).unwrap().high, dollars(5));
        let nothing = Pattern::of(&days(&[0; 28])).unwrap();
        let forecast = nothing.forecast(dollars(5), &ahead(9)).unwrap();
        assert_eq!((forecast.low, forecast.high), (dollars(5), dollars(5)));
        assert_eq!(nothing.exhausted_at(dollars(5), &ahead(9)), None);
        assert_eq!(Pattern::of(&days(&[i64::MAX; 28])), None, "beyond what integers hold");
    }

    /// Made-up noise: the sum of twelve even draws, less six, is nearly normal with deviation 1; in thousandths.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> i64 {
            let mut sum = 0;
            for _ in 0..12 {
                // SplitMix64 (Steele, Lea, Flood 2014).
                self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.0;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                sum += i64::try_from((z ^ (z >> 31)) % 1_000).unwrap();
            }
            sum - 6_000
        }
    }

    /// Of how many in a thousand series the sum of the days ahead fell into the interval, and by how many thousandths
    /// all of them together were off.
    fn evaluate(history: usize, ahead_days: usize, growth_permille: i64) -> (usize, i64) {
        let weekday = [100, 110, 120, 115, 105, 30, 20];
        let (mut inside, mut expected, mut spent) = (0, 0_i128, 0_i128);
        for seed in 0..1_000 {
            let mut noise = Noise(seed * 7_919);
            let all: Vec<i64> = (0..history + ahead_days)
                .map(|n| {
                    let weekday = weekday[(n + 700 - history) % 7];
                    let level = 1_000 + growth_permille * i64::try_from(n).unwrap() / 7;
                    let differs = (1_000 + noise.next() / 5).max(0);
                    weekday * level * differs * 1_000
                })
                .collect();
            let (before, after) = all.split_at(history);
            let forecast = Pattern::of(&days(before))
                .unwrap()
                .forecast(dollars(0), &ahead(i64::try_from(ahead_days).unwrap()))
                .unwrap();
            let actual: i64 = after.iter().sum();
            inside += usize::from(forecast.low.nanos() <= actual && actual <= forecast.high.nanos());
            expected += i128::from(forecast.expected.nanos());
            spent += i128::from(actual);
        }
        (inside, i64::try_from((expected - spent) * 1_000 / spent).unwrap())
    }

    #[test]
    fn the_interval_holds_eight_times_in_ten_on_weekly_patterns() {
        for (history, ahead) in [(14, 7), (28, 3), (28, 20), (56, 1), (56, 15), (56, 30)] {
            let (inside, off) = evaluate(history, ahead, 0);
            assert!((740..=900).contains(&inside), "{history} days for {ahead}: {inside} of 1000");
            assert!(off.abs() <= 10, "{history} days for {ahead}: off by {off} in 1000");
        }
    }

    #[test]
    fn the_interval_holds_on_series_that_grow_and_shrink() {
        for (history, ahead, growth) in [(56, 7, 100), (56, 20, 100), (42, 10, 200), (56, 15, -60)] {
            let (inside, off) = evaluate(history, ahead, growth);
            assert!((700..=950).contains(&inside), "{history} for {ahead} at {growth}: {inside} of 1000");
            assert!(off.abs() <= 20, "{history} for {ahead} at {growth}: off by {off} in 1000");
        }
    }
}
