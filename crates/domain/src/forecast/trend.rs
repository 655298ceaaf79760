//! Growth or decline from week to week.

use super::{Day, WEEK};

/// Weeks of history without which no trend is looked for.
const WEEKS_MIN: usize = 4;

/// A line through the totals of weeks, with doubled positions: week `i` of `n`, from 0, is at `2 i - (n - 1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trend {
    pub(super) weeks: i128,
    /// Slope for one doubled position, times `squares`.
    pub(super) slope: i128,
    /// Sum of the squares of the positions.
    pub(super) squares: i128,
}

impl Trend {
    /// The line through the totals of whole weeks, where it is plain: steeper than would come about by chance one time in
    /// twenty.
    pub(super) fn of(days: &[Day]) -> Option<Self> {
        let totals: Vec<i128> = days
            .chunks_exact(WEEK)
            .map(|week| week.iter().map(|day| i128::from(day.cost.nanos())).sum())
            .collect();
        if totals.len() < WEEKS_MIN {
            return None;
        }
        let weeks = i128::try_from(totals.len()).ok()?;
        let at = |week: usize| i128::try_from(week).map(|week| 2 * week - (weeks - 1)).ok();
        let (mut slope, mut squares) = (0_i128, 0_i128);
        for (week, total) in totals.iter().enumerate() {
            let position = at(week)?;
            slope = slope.checked_add(total.checked_mul(position)?)?;
            squares += position * position;
        }
        let mean = totals.iter().sum::<i128>() / weeks;
        let mut off_line = 0_i128;
        for (week, total) in totals.iter().enumerate() {
            let residual = total - mean - slope.checked_mul(at(week)?)? / squares;
            off_line = off_line.checked_add(residual.checked_mul(residual)?)?;
        }
        let trend = Self { weeks, slope, squares };
        trend.is_plain(off_line).then_some(trend)
    }

    /// Whether the slope is larger than its error times the 97.5 % quantile of Student's distribution.
    fn is_plain(&self, off_line: i128) -> bool {
        let quantile_hundredths: i128 = match self.weeks {
            ..=4 => 430,
            5 => 318,
            6 => 278,
            7 => 257,
            _ => 245,
        };
        let error = u128::try_from(off_line / (self.weeks - 2))
            .map_or(i128::MAX, |mean| i128::try_from(mean.isqrt()).unwrap_or(i128::MAX));
        let explained = u128::try_from(self.squares).map_or(1, u128::isqrt);
        let explained = self.slope.abs() / i128::try_from(explained.max(1)).unwrap_or(1);
        error.checked_mul(quantile_hundredths).is_some_and(|error| explained.saturating_mul(100) > error)
    }
}
