//! What other currencies are worth.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Money;
use crate::amount::divide_half_even;
use crate::decimal;

/// US dollars for one unit of a currency, exact to twelve digits after the point; more than 0.
///
/// In JSON it is a number with exactly its digits; see [`Money`] for the limits of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeRate(u64);

/// The text is not an exchange rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a decimal number more than 0 and less than 18 million, with at most 12 digits after the point"
)]
pub struct ExchangeRateError;

const PLACES: usize = 12;
const ONE: u64 = 1_000_000_000_000;

impl ExchangeRate {
    /// The dollar's own.
    pub const ONE: Self = Self(ONE);

    /// What `amount` of the currency is in US dollars, rounded half to even to a nano-dollar; `None` when that is out of
    /// the range of [`Money`].
    ///
    /// This is the one place where currencies are converted.
    pub fn to_usd(self, amount: Money) -> Option<Money> {
        // Both factors have at most 63 and 64 bits, so their product fits.
        divide_half_even(i128::from(amount.nanos()) * i128::from(self.0), i128::from(ONE))
    }
}

impl FromStr for ExchangeRate {
    type Err = ExchangeRateError;

    fn from_str(text: &str) -> Result<Self, ExchangeRateError> {
        let scaled = |places| decimal::parse_scaled(text, places).map_err(|_| ExchangeRateError);
        let rate = scaled(12)?;
        // A digit that would be rounded away is refused: the operator's figure is kept as it is, or not at all.
        let is_exact = rate.checked_mul(1_000_000) == Some(scaled(18)?);
        u64::try_from(rate).ok().filter(|rate| is_exact && *rate > 0).map(Self).ok_or(ExchangeRateError)
    }
}

impl fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_scaled(f, i128::from(self.0), PLACES)
    }
}

impl Serialize for ExchangeRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ExchangeRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal::deserialize_text(deserializer)?.parse().map_err(D::Error::custom)
    }
}
