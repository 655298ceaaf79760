//! What a budget allows in a period: its amount in dollars, what increases add, what the period before left over.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use pricing::{ExchangeRate, Money};

use super::{Budget, Increase, Period, ScopedBudget};
use crate::{
    Interval,
    fx::{Conversion, FxRates, NoRate, USD},
    interval::time_zone,
};

/// What a budget allows in one of its periods, but for what the period before left over: that takes a look at what was
/// spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The period.
    pub period: Interval,
    /// The period before and its amount in dollars, where its rest is carried over.
    pub before: Option<(Interval, Money)>,
    amount: Money,
    increased: Money,
    conversion: Option<Conversion>,
}

/// What may be spent in a period, in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// The budget's own amount.
    pub amount: Money,
    /// What increases add now.
    pub increased: Money,
    /// What the period before left over.
    pub carried_over: Money,
}

impl Limit {
    /// All of it.
    pub fn total(&self) -> Money {
        [self.increased, self.carried_over].into_iter().fold(self.amount, saturating_add)
    }
}

impl Allowance {
    /// What `budget` allows at `at`, with those of its `increases` that count then.
    ///
    /// An amount in another currency is converted at the rate in force on the first day of its period, so that a limit
    /// does not wander within one.
    pub fn of(
        budget: &ScopedBudget,
        increases: &[Increase],
        rates: &FxRates,
        at: Timestamp,
    ) -> Result<Self, NoRate> {
        let terms = &budget.terms;
        let period = terms.period_containing(at);
        let granted = increases.iter().filter(|increase| increase.counts_at(at));
        let granted = granted.map(|increase| increase.amount).fold(Money::ZERO, saturating_add);
        let (rate, rate_date) = rate_of(budget, rates, period)?;
        let no_rate = || NoRate(terms.currency.clone());
        let in_own = saturating_add(terms.amount, granted);
        let amount = rate.to_usd(terms.amount).ok_or_else(no_rate)?;
        let total = rate.to_usd(in_own).ok_or_else(no_rate)?;
        let before = match before(budget, period) {
            Some(before) => {
                let (rate, _) = rate_of(budget, rates, before)?;
                Some((before, rate.to_usd(terms.amount).ok_or_else(no_rate)?))
            }
            None => None,
        };
        let conversion = rate_date.map(|rate_date| Conversion {
            currency: terms.currency.clone(),
            amount: in_own,
            rate,
            rate_date,
        });
        let increased = total.checked_sub(amount).unwrap_or_default();
        Ok(Self { period, before, amount, increased, conversion })
    }

    /// What may be spent, when the period before has cost `spent_before`.
    ///
    /// What is carried over is what was left of the amount of the period before: never more than one amount, and nothing
    /// of what that period itself was granted or carried.
    pub fn limit(&self, spent_before: Money) -> Limit {
        let left = |(_, amount): (Interval, Money)| {
            amount.checked_sub(spent_before).unwrap_or_default().clamp(Money::ZERO, amount)
        };
        let carried_over = self.before.map(left).unwrap_or_default();
        Limit { amount: self.amount, increased: self.increased, carried_over }
    }

    /// At which rate its amount was taken, if it is in another currency.
    pub const fn conversion(&self) -> Option<&Conversion> {
        self.conversion.as_ref()
    }
}

/// The period before `period`, if its rest is carried over: one in which the budget was there.
fn before(budget: &ScopedBudget, period: Interval) -> Option<Interval> {
    let is_first = period.start == Timestamp::MIN || budget.created_at >= period.start;
    if !budget.terms.carry_over || budget.terms.period == Period::OneTime || is_first {
        return None;
    }
    let last = period.start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    Some(budget.terms.period_containing(last))
}

/// The rate on the first day of `period`, and its own day; a period without a start begins when its budget was made.
fn rate_of(
    budget: &ScopedBudget,
    rates: &FxRates,
    period: Interval,
) -> Result<(ExchangeRate, Option<Date>), NoRate> {
    let terms = &budget.terms;
    if terms.currency == USD {
        return Ok((ExchangeRate::ONE, None));
    }
    let start = if period.start == Timestamp::MIN { budget.created_at } else { period.start };
    let day = start.to_zoned_datetime(zone(terms)).date();
    let rate = rates.in_force(&terms.currency, day).ok_or_else(|| NoRate(terms.currency.clone()))?;
    Ok((rate.rate, Some(rate.effective_date)))
}

/// The zone whose days count. Checked when the budget was made; one that a later tz database lost counts as UTC.
pub(super) fn zone(terms: &Budget) -> TimeZone {
    time_zone("timeZone", &terms.time_zone).unwrap_or(TimeZone::UTC)
}

fn saturating_add(a: Money, b: Money) -> Money {
    a.checked_add(b).unwrap_or(Money::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BudgetId, IncreaseId, UserId, budget::Scope, fx::FxRate};

    fn budget(terms: &str) -> ScopedBudget {
        ScopedBudget {
            id: BudgetId::from_bytes([1; 12]),
            name: "Everything".to_owned(),
            scope: Scope::Account,
            terms: serde_json::from_str(terms).unwrap(),
            created_by: None,
            created_at: at("2024-01-10T12:00:00Z"),
            updated_at: at("2024-01-10T12:00:00Z"),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn dollars(amount: i64) -> Money {
        Money::from_nanos(amount * 1_000_000_000)
    }

    fn increase(amount: i64, from: &str, until: &str, withdrawn: Option<&str>) -> Increase {
        Increase {
            id: IncreaseId::from_bytes([2; 12]),
            budget_id: BudgetId::from_bytes([1; 12]),
            amount: dollars(amount),
            reason: "launch".to_owned(),
            created_by: UserId::from_bytes([3; 12]),
            created_at: at(from),
            until: at(until),
            withdrawn_at: withdrawn.map(at),
        }
    }

    fn euros() -> FxRates {
        let rate = |day: &str, rate: &str| FxRate {
            currency: "EUR".to_owned(),
            rate: rate.parse().unwrap(),
            effective_date: day.parse().unwrap(),
            source: String::new(),
        };
        FxRates::new(vec![rate("2024-01-31", "1.1"), rate("2024-02-01", "1.2"), rate("2024-02-15", "1.3")])
            .unwrap()
    }

    #[test]
    fn increases_count_from_when_they_are_granted_until_they_end_or_are_withdrawn() {
        let increases = [
            increase(50, "2024-02-05T00:00:00Z", "2024-02-10T00:00:00Z", None),
            increase(7, "2024-02-08T00:00:00Z", "2024-03-10T00:00:00Z", Some("2024-03-02T00:00:00Z")),
        ];
        let total = |now: &str| {
            let monthly = budget(r#"{"amount":100,"period":"monthly"}"#);
            let allowance = Allowance::of(&monthly, &increases, &FxRates::default(), at(now)).unwrap();
            allowance.limit(Money::ZERO).total()
        };
        for (now, expected) in [
            ("2024-02-04T23:59:59.999Z", 100),
            ("2024-02-05T00:00:00Z", 150),
            ("2024-02-08T00:00:00Z", 157),
            ("2024-02-10T00:00:00Z", 107),
            ("2024-03-01T00:00:00Z", 107),
            ("2024-03-02T00:00:00Z", 100),
        ] {
            assert_eq!(total(now), dollars(expected), "{now}");
        }
    }

    #[test]
    fn the_rate_is_that_of_the_periods_first_day_in_the_budgets_zone() {
        for (terms, now, expected, day) in [
            (
                r#"{"amount":100,"currency":"EUR","period":"monthly"}"#,
                "2024-02-20T00:00:00Z",
                120,
                "2024-02-01",
            ),
            (
                r#"{"amount":100,"currency":"EUR","period":"weekly"}"#,
                "2024-02-20T00:00:00Z",
                130,
                "2024-02-15",
            ),
            (
                r#"{"amount":100,"currency":"EUR","period":"monthly"}"#,
                "2024-01-20T00:00:00Z",
                110,
                "2024-01-31",
            ),
            // Still January in UTC, but not in Tokyo.
            (
                r#"{"amount":100,"currency":"EUR","period":"monthly","timeZone":"Asia/Tokyo"}"#,
                "2024-01-31T15:00:00Z",
                120,
                "2024-02-01",
            ),
            // Without a start, the day on which the budget was made.
            (
                r#"{"amount":100,"currency":"EUR","period":"one-time"}"#,
                "2024-02-20T00:00:00Z",
                110,
                "2024-01-31",
            ),
        ] {
            let allowance = Allowance::of(&budget(terms), &[], &euros(), at(now)).unwrap();
            assert_eq!(allowance.limit(Money::ZERO).total(), dollars(expected), "{terms}");
            assert_eq!(allowance.conversion().unwrap().rate_date, day.parse().unwrap(), "{terms}");
        }
        let unknown = budget(r#"{"amount":100,"currency":"CHF","period":"monthly"}"#);
        assert!(Allowance::of(&unknown, &[], &euros(), at("2024-02-20T00:00:00Z")).is_err());
    }

    #[test]
    fn what_is_left_over_is_between_nothing_and_one_amount() {
        let monthly = budget(r#"{"amount":100,"period":"monthly","carryOver":true}"#);
        let granted = [increase(900, "2024-02-01T00:00:00Z", "2024-04-01T00:00:00Z", None)];
        let now = at("2024-03-05T00:00:00Z");
        let allowance = Allowance::of(&monthly, &granted, &FxRates::default(), now).unwrap();
        let before = Interval { start: at("2024-02-01T00:00:00Z"), end: at("2024-03-01T00:00:00Z") };
        assert_eq!(allowance.before, Some((before, dollars(100))));
        for (spent, carried) in [(0, 100), (40, 60), (100, 0), (700, 0), (-20, 100)] {
            assert_eq!(allowance.limit(dollars(spent)).carried_over, dollars(carried), "{spent}");
        }
        // In January the budget was made: nothing is carried into it, and its rest into February is.
        let of = |now: &str| Allowance::of(&monthly, &[], &FxRates::default(), at(now)).unwrap().before;
        assert_eq!(of("2024-01-20T00:00:00Z"), None);
        assert!(of("2024-02-01T00:00:00Z").is_some());
        let without = budget(r#"{"amount":100,"period":"monthly"}"#);
        let allowance = Allowance::of(&without, &[], &FxRates::default(), now).unwrap();
        assert_eq!((allowance.before, allowance.limit(dollars(0)).carried_over), (None, Money::ZERO));
    }

    proptest! {
        /// However a budget is used up to its limits, any run of periods spends at most one amount for each, and one more
        /// for what the period before the run left over.
        #[test]
        fn carry_over_allows_no_more_than_one_amount_for_each_period(
            amount in 1_i64..1_000_000,
            shares in prop::collection::vec(0_i64..=1_000, 1..24),
            first in 0_usize..24,
        ) {
            let monthly = budget(&format!(r#"{{"amount":{amount},"period":"monthly","carryOver":true}}"#));
            let mut now = monthly.created_at;
            let mut spent = Vec::new();
            for share in shares {
                let allowance = Allowance::of(&monthly, &[], &FxRates::default(), now).unwrap();
                let limit = allowance.limit(spent.last().copied().unwrap_or_default());
                prop_assert!(limit.carried_over >= Money::ZERO && limit.carried_over <= limit.amount);
                prop_assert_eq!(limit.amount, dollars(amount));
                let used = i128::from(limit.total().nanos()) * i128::from(share) / 1_000;
                spent.push(Money::from_nanos(i64::try_from(used).unwrap()));
                now = allowance.period.end;
            }
            let sum = |spent: &[Money]| spent.iter().map(|money| i128::from(money.nanos())).sum::<i128>();
            let amounts = |periods: usize| i128::from(dollars(amount).nanos()) * i128::try_from(periods).unwrap();
            prop_assert!(sum(&spent) <= amounts(spent.len()));
            let run = spent.get(first..).unwrap_or_default();
            prop_assert!(sum(run) <= amounts(run.len() + 1));
        }
    }
}
