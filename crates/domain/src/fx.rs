//! Exchange rates, as the operator says them. None is built in, and none is fetched.

use jiff::civil::Date;
use pricing::{ExchangeRate, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Invalid, invalid::Problems, limits, text};

/// The currency that costs are counted in.
pub const USD: &str = "USD";

/// What one unit of a currency is worth from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FxRate {
    /// ISO 4217 code, such as `EUR`.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: String,
    /// US dollars for one unit, exact to twelve digits after the point.
    #[schema(value_type = f64, exclusive_minimum = 0)]
    pub rate: ExchangeRate,
    /// The first day on which it counts, until the next rate of the currency.
    #[schema(value_type = String, format = Date)]
    pub effective_date: Date,
    /// Where it is from.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub source: String,
}

/// Every rate, by currency and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FxRates(Vec<FxRate>);

/// An amount in another currency was taken at this rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    /// The budget's own currency.
    pub currency: String,
    /// Its amount in that currency, increases included.
    #[schema(value_type = f64)]
    pub amount: Money,
    /// US dollars for one unit.
    #[schema(value_type = f64)]
    pub rate: ExchangeRate,
    /// The day from which the rate holds.
    #[schema(value_type = String, format = Date)]
    pub rate_date: Date,
}

/// No rate of a currency is known, or what it makes of an amount is beyond what money holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no exchange rate for {0} is known; set one with PUT /api/fx-rates, or `ai-cost-tracker fx-rates set`"
)]
pub struct NoRate(pub String);

impl FxRates {
    /// Checked rates; the order does not matter.
    pub fn new(rates: Vec<FxRate>) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        if rates.len() > limits::FX_RATES_MAX {
            problems.add("rates", format!("must have at most {}", limits::FX_RATES_MAX));
        }
        let mut checked = Vec::with_capacity(rates.len());
        for (index, rate) in rates.into_iter().enumerate().take(limits::FX_RATES_MAX) {
            checked.extend(problems.take(rate.checked(&format!("rates[{index}]"))));
        }
        checked.sort_by(|a, b| (&a.currency, a.effective_date).cmp(&(&b.currency, b.effective_date)));
        for pair in checked.windows(2) {
            if let [a, b] = pair
                && (&a.currency, a.effective_date) == (&b.currency, b.effective_date)
            {
                problems.add("rates", format!("{} has two rates of {}", a.currency, a.effective_date));
            }
        }
        problems.into_result().map(|()| Self(checked))
    }

    /// The rates, by currency and then by day.
    pub fn rows(&self) -> &[FxRate] {
        &self.0
    }

    /// The rate of `currency` that holds on `day`: the latest of that day or before; where there is none yet, the first.
    pub fn in_force(&self, currency: &str, day: Date) -> Option<&FxRate> {
        let mut of_currency = self.0.iter().filter(|rate| rate.currency == currency).peekable();
        let first = of_currency.peek().copied();
        of_currency.take_while(|rate| rate.effective_date <= day).last().or(first)
    }

    /// The same with `rate` added, or in the place of the one of its currency and day.
    pub fn with(&self, rate: FxRate) -> Result<Self, Invalid> {
        let is_other =
            |kept: &&FxRate| (&kept.currency, kept.effective_date) != (&rate.currency, rate.effective_date);
        let mut rates: Vec<FxRate> = self.0.iter().filter(is_other).cloned().collect();
        rates.push(rate);
        Self::new(rates)
    }
}

impl FxRate {
    fn checked(mut self, field: &str) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        problems.take(check_currency(&format!("{field}.currency"), &self.currency));
        if self.currency == USD {
            problems.add(format!("{field}.currency"), "a dollar is a dollar; name another currency");
        }
        let source = problems.take(text::description(&format!("{field}.source"), &self.source));
        self.source = source.unwrap_or_default();
        problems.into_result().map(|()| self)
    }
}

/// Whether `text` has the form of an ISO 4217 code.
pub fn check_currency(field: &str, text: &str) -> Result<(), Invalid> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(())
    } else {
        Err(Invalid::field(field, "must be a currency code of three capital letters, such as USD or EUR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(currency: &str, day: &str, rate: &str) -> FxRate {
        FxRate {
            currency: currency.to_owned(),
            rate: rate.parse().unwrap(),
            effective_date: day.parse().unwrap(),
            source: String::new(),
        }
    }

    #[test]
    fn the_latest_rate_up_to_a_day_holds_and_before_the_first_that_one() {
        let rates = FxRates::new(vec![
            rate("EUR", "2024-02-01", "1.08"),
            rate("JPY", "2023-01-01", "0.0067"),
            rate("EUR", "2024-01-01", "1.1"),
        ])
        .unwrap();
        let found = |currency, day: &str| {
            rates.in_force(currency, day.parse().unwrap()).map(|rate| rate.rate.to_string())
        };
        assert_eq!(found("EUR", "2024-01-31").as_deref(), Some("1.1"));
        assert_eq!(found("EUR", "2024-02-01").as_deref(), Some("1.08"));
        assert_eq!(found("EUR", "2020-01-01").as_deref(), Some("1.1"));
        assert_eq!(found("CHF", "2024-02-01"), None);
        let corrected = rates.with(rate("EUR", "2024-02-01", "1.09")).unwrap();
        assert_eq!(corrected.rows().len(), 3);
        let found = corrected.in_force("EUR", "2024-02-02".parse().unwrap()).unwrap();
        assert_eq!(found.rate.to_string(), "1.09");
    }

    #[test]
    fn rates_that_cannot_be_are_named() {
        let fields = |rates: Vec<FxRate>| -> Vec<String> {
            FxRates::new(rates).unwrap_err().0.into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(vec![rate("eur", "2024-01-01", "1")]), ["rates[0].currency"]);
        assert_eq!(fields(vec![rate("USD", "2024-01-01", "1")]), ["rates[0].currency"]);
        let twice = vec![rate("EUR", "2024-01-01", "1"), rate("EUR", "2024-01-01", "2")];
        assert_eq!(fields(twice), ["rates"]);
    }
}
