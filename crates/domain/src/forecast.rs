//! What a period will have cost when it ends.

use jiff::{SignedDuration, Timestamp};
use pricing::Money;

/// Days of history without which nothing is said.
pub const HISTORY_DAYS_MIN: usize = 7;

/// What a period will probably have cost when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Nine times in ten it is more than this, if days stay as they were.
    pub low: Money,
    /// Spent so far plus an average day for each that remains.
    pub expected: Money,
    /// Nine times in ten it is less than this, if days stay as they were.
    pub high: Money,
}

/// Forecasts a period from its `spent` so far, the cost of recent whole `days`, and how many days remain.
///
/// Days are taken as independent draws around their mean μ with standard deviation σ: n of them come to nμ ± 1.2816 σ √n
/// (the 10 % and 90 % quantiles of a normal sum). `None` with fewer than [`HISTORY_DAYS_MIN`] days, or if a sum leaves
/// what money can hold: a guess from less would look like knowledge.
pub fn forecast(spent: Money, days: &[Money], remaining_days: u32) -> Option<Forecast> {
    if days.len() < HISTORY_DAYS_MIN {
        return None;
    }
    let count = i128::try_from(days.len()).ok()?;
    let remaining = i128::from(remaining_days);
    let sum: i128 = days.iter().map(|day| i128::from(day.nanos())).sum();
    let squares: i128 = days.iter().try_fold(0_i128, |total, day| {
        let deviation = i128::from(day.nanos()) - sum / count;
        total.checked_add(deviation.checked_mul(deviation)?)
    })?;
    let variance_of_sum = u128::try_from((squares / (count - 1)).checked_mul(remaining)?).ok()?;
    let spread = i128::try_from(variance_of_sum.isqrt()).ok()?.checked_mul(12_816)? / 10_000;
    let spent = i128::from(spent.nanos());
    let expected = spent + sum * remaining / count;
    let money = |nanos: i128| i64::try_from(nanos).ok().map(Money::from_nanos);
    Some(Forecast {
        // What is spent is spent: the low end is never below it.
        low: money((expected - spread).max(spent))?,
        expected: money(expected)?,
        high: money(expected + spread)?,
    })
}

/// What an average one of recent whole `days` costs; `None` with fewer than [`HISTORY_DAYS_MIN`].
pub fn daily(days: &[Money]) -> Option<Money> {
    let count = i128::try_from(days.len()).ok().filter(|_| days.len() >= HISTORY_DAYS_MIN)?;
    let sum: i128 = days.iter().map(|day| i128::from(day.nanos())).sum();
    i64::try_from(sum / count).ok().map(Money::from_nanos)
}

/// When `left` is spent at `daily` a day from `now` on; `None` if nothing is left, or nothing is spent.
pub fn exhausted_at(left: Money, daily: Money, now: Timestamp) -> Option<Timestamp> {
    if left <= Money::ZERO || daily <= Money::ZERO {
        return None;
    }
    let ms = i128::from(left.nanos()) * 24 * 3_600_000 / i128::from(daily.nanos());
    now.checked_add(SignedDuration::from_millis(i64::try_from(ms).ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_lasts_as_long_as_its_days_go_into_it() {
        let now: Timestamp = "2024-02-10T12:00:00Z".parse().unwrap();
        let at =
            |left: i64, daily: i64| exhausted_at(dollars(left), dollars(daily), now).map(|at| at.to_string());
        assert_eq!(at(100, 40).as_deref(), Some("2024-02-13T00:00:00Z"));
        assert_eq!([at(0, 40), at(-1, 40), at(100, 0)], [None, None, None]);
        assert_eq!(exhausted_at(Money::from_nanos(i64::MAX), Money::from_nanos(1), now), None);
        assert_eq!(daily(&[dollars(7); 7]), Some(dollars(7)));
        assert_eq!(daily(&[dollars(7); 6]), None);
    }

    fn dollars(amount: i64) -> Money {
        Money::from_nanos(amount * 1_000_000_000)
    }

    #[test]
    fn even_days_continue_without_spread() {
        let flat = forecast(dollars(50), &[dollars(10); 28], 5).unwrap();
        assert_eq!(flat, Forecast { low: dollars(100), expected: dollars(100), high: dollars(100) });
    }

    #[test]
    fn uneven_days_have_a_spread_of_their_deviation() {
        // Mean 10, squared deviations 8 × 100, sample variance 800 / 7; four days: sqrt(4 × 800 / 7) = 21.380899 dollars
        let days = [0, 20, 0, 20, 0, 20, 0, 20].map(dollars);
        let uneven = forecast(dollars(0), &days, 4).unwrap();
        assert_eq!(uneven.expected, dollars(40));
        assert_eq!(uneven.high.nanos(), 67_401_760_609);
        assert_eq!(uneven.low.nanos(), 12_598_239_391);
    }

    #[test]
    fn too_little_history_says_nothing_and_spent_money_stays_spent() {
        assert_eq!(forecast(dollars(1), &[dollars(10); 6], 5), None);
        let days = [0, 0, 0, 0, 0, 0, 700].map(dollars);
        assert_eq!(forecast(dollars(5), &days, 1).unwrap().low, dollars(5));
        assert_eq!(forecast(dollars(5), &days, 0).unwrap().high, dollars(5));
    }
}
