//! Sums over records.

use pricing::{Money, Unit};

use crate::usage_record::{Status, UsageRecord};

/// What a set of records adds up to. Additive: the totals of a union are the sums of the parts' totals.
///
/// Sums of money are 64-bit integers of nano-dollars: 9.2 billion dollars, which [`COST_MAX`](crate::limits::COST_MAX) keeps
/// far away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records.
    pub requests: u64,
    /// Records that ended in an error.
    pub errors: u64,
    /// Records whose cost is unknown; they are not in `cost`.
    pub unpriced: u64,
    /// Known costs, in nano-dollars.
    pub cost: Money,
    /// Catalog costs, in nano-dollars, where the catalog has one.
    pub list_cost: Money,
    /// What caching saved against the same calls uncached, in nano-dollars; negative where writing cost more.
    pub cache_savings: Money,
    /// Tokens in and out, or the total where only that was told.
    pub tokens: u64,
    /// Tokens of records whose cost is known.
    pub priced_tokens: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Input tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to a cache, for however long.
    pub cache_write_tokens: u64,
}

/// The sums left what an integer can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a total is beyond what can be counted")]
pub struct TotalsOverflow;

impl Totals {
    /// The totals of one record.
    pub fn of(record: &UsageRecord) -> Self {
        let tokens = record.total_tokens().unwrap_or(0);
        let priced = record.cost.is_some();
        Self {
            requests: 1,
            errors: u64::from(record.status == Status::Error),
            unpriced: u64::from(!priced),
            cost: record.cost.unwrap_or_default(),
            list_cost: record.list_cost.unwrap_or_default(),
            cache_savings: record.cache_savings.unwrap_or_default(),
            tokens,
            priced_tokens: if priced { tokens } else { 0 },
            input_tokens: record.usage.count(Unit::InputTokens),
            output_tokens: record.usage.count(Unit::OutputTokens),
            cache_read_tokens: record.usage.count(Unit::CacheReadTokens),
            cache_write_tokens: record.usage.count(Unit::CacheWriteTokens),
        }
    }

    /// The totals of both sets.
    pub fn checked_add(self, other: Self) -> Result<Self, TotalsOverflow> {
        let count = |a: u64, b: u64| a.checked_add(b).ok_or(TotalsOverflow);
        let money = |a: Money, b: Money| a.checked_add(b).ok_or(TotalsOverflow);
        Ok(Self {
            requests: count(self.requests, other.requests)?,
            errors: count(self.errors, other.errors)?,
            unpriced: count(self.unpriced, other.unpriced)?,
            cost: money(self.cost, other.cost)?,
            list_cost: money(self.list_cost, other.list_cost)?,
            cache_savings: money(self.cache_savings, other.cache_savings)?,
            tokens: count(self.tokens, other.tokens)?,
            priced_tokens: count(self.priced_tokens, other.priced_tokens)?,
            input_tokens: count(self.input_tokens, other.input_tokens)?,
            output_tokens: count(self.output_tokens, other.output_tokens)?,
            cache_read_tokens: count(self.cache_read_tokens, other.cache_read_tokens)?,
            cache_write_tokens: count(self.cache_write_tokens, other.cache_write_tokens)?,
        })
    }

    /// The totals of all of `parts`.
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Result<Self, TotalsOverflow> {
        parts.into_iter().try_fold(Self::default(), Self::checked_add)
    }

    /// Average cost of a priced record; `None` when there is none.
    pub fn cost_per_request(&self) -> Option<Money> {
        divide(self.cost, 1, self.requests - self.unpriced)
    }

    /// Average cost of a thousand tokens of priced records; `None` when there are none.
    pub fn cost_per_thousand_tokens(&self) -> Option<Money> {
        divide(self.cost, 1000, self.priced_tokens)
    }

    /// Average cost of a million tokens of priced records; `None` when there are none.
    pub fn cost_per_million_tokens(&self) -> Option<Money> {
        divide(self.cost, 1_000_000, self.priced_tokens)
    }
}

/// `money × factor ÷ divisor`, half to even; an average, never added up again.
fn divide(money: Money, factor: i128, divisor: u64) -> Option<Money> {
    let divisor = i128::from(divisor);
    let scaled = i128::from(money.nanos()) * factor;
    let floor = scaled.checked_div_euclid(divisor)?;
    let twice_rest = scaled.rem_euclid(divisor) * 2;
    let up = twice_rest > divisor || (twice_rest == divisor && floor % 2 != 0);
    i64::try_from(floor + i128::from(up)).ok().map(Money::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_leave_out_what_has_no_price() {
        let totals = Totals {
            requests: 4,
            unpriced: 1,
            cost: Money::from_nanos(1_000),
            tokens: 9_999,
            priced_tokens: 3_000,
            ..Totals::default()
        };
        assert_eq!(totals.cost_per_request(), Some(Money::from_nanos(333)));
        assert_eq!(totals.cost_per_thousand_tokens(), Some(Money::from_nanos(333)));
        assert_eq!(totals.cost_per_million_tokens(), Some(Money::from_nanos(333_333)));
        assert_eq!(Totals::default().cost_per_request(), None);
        let unpriced = Totals { requests: 3, unpriced: 3, tokens: 5, ..Totals::default() };
        assert_eq!(unpriced.cost_per_thousand_tokens(), None);
    }

    #[test]
    fn averages_round_half_to_even() {
        let half = |nanos| divide(Money::from_nanos(nanos), 1, 2).map(Money::nanos);
        assert_eq!([half(1), half(3), half(-1), half(-3)], [Some(0), Some(2), Some(0), Some(-2)]);
    }
}
