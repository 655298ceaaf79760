//! Rates: what a unit costs.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Amount;
use crate::decimal;

/// What a unit costs: nano-dollars per million units, or per hour for durations counted in milliseconds.
///
/// As text it is in dollars: `0.15` (per million) or `0.36/hour`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct Rate {
    /// Nano-dollars (1e-9 USD) for the quantity in `per`.
    pub nanos: u64,
    /// The quantity that costs `nanos`.
    pub per: Per,
}

/// The quantity a [`Rate`] is quoted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// A million units: tokens, characters, pages, requests.
    Million,
    /// An hour of what is counted in milliseconds.
    Hour,
}

/// A rate, and the length of prompt from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TieredRate {
    /// The smallest prompt, in input tokens (cached and written ones included), to which the rate applies; inclusive.
    pub input_tokens_min: u64,
    /// The rate of the whole request once its prompt has this size.
    pub rate: Rate,
}

/// The text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a rate in dollars such as 0.15 or 0.36/hour")]
pub struct RateError {
    text: String,
}

const PER_HOUR: &str = "/hour";

impl Rate {
    /// Reads dollars per million units, to the nano-dollar.
    pub fn parse_usd_per_million(text: &str) -> Result<Self, RateError> {
        Self::parse_usd(text, Per::Million)
    }

    /// Reads dollars per hour, to the nano-dollar.
    pub fn parse_usd_per_hour(text: &str) -> Result<Self, RateError> {
        Self::parse_usd(text, Per::Hour)
    }

    /// What `units` cost, exactly. For [`Per::Hour`] the units are milliseconds.
    pub fn amount_of(self, units: u64) -> Amount {
        let nano_units = i128::try_from(u128::from(self.nanos) * u128::from(units)).unwrap_or(i128::MAX);
        Amount::from_parts(nano_units.saturating_mul(Amount::DENOMINATOR / self.per.units()))
    }

    fn parse_usd(text: &str, per: Per) -> Result<Self, RateError> {
        let nanos = decimal::parse_scaled(text, 9).ok().and_then(|nanos| u64::try_from(nanos).ok());
        nanos
            .map(|nanos| Self { nanos, per })
            .ok_or_else(|| RateError { text: text.chars().take(40).collect() })
    }
}

impl Per {
    const fn units(self) -> i128 {
        match self {
            Self::Million => 1_000_000,
            Self::Hour => 3_600_000,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_scaled(f, i128::from(self.nanos), 9)?;
        match self.per {
            Per::Million => Ok(()),
            Per::Hour => f.write_str(PER_HOUR),
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        match text.strip_suffix(PER_HOUR) {
            Some(dollars) => Self::parse_usd_per_hour(dollars),
            None => Self::parse_usd_per_million(text),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RateVisitor;

        impl Visitor<'_> for RateVisitor {
            type Value = Rate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate as text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(RateVisitor)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}
