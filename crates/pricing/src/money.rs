//! Money: US dollars as an integer of nano-dollars.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::{self, DecimalError};

/// US dollars in nano-dollars (1e-9 USD), exact; from about -9.2 to +9.2 billion dollars.
///
/// In JSON it is a number with exactly its digits (`0.0035`). Read and write it straight from and to JSON text:
/// `serde_json::Value`, `#[serde(flatten)]` and untagged enums hold numbers as floats, so a money inside them
/// loses digits or is refused. In other formats (CSV, SQL) write its `Display` or [`Money::nanos`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a text is not a [`Money`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("not a decimal number of dollars")]
    NotANumber,
    /// The number is beyond what nano-dollars in 64 bits can hold.
    #[error("beyond ±9.2 billion dollars")]
    OutOfRange,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount, about 9.2 billion dollars.
    pub const MAX: Self = Self(i64::MAX);

    /// Money of this many nano-dollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// How many nano-dollars this is.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it is out of range.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The difference, or `None` when it is out of range.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Reads a decimal number of dollars (`0.0035`, `1e-7`).
    ///
    /// Digits beyond the ninth are rounded half to even, once: clients send `0.0034999999999999996`.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let nanos = decimal::parse_scaled(text, 9).map_err(|error| match error {
            DecimalError::NotANumber => MoneyError::NotANumber,
            DecimalError::OutOfRange => MoneyError::OutOfRange,
        })?;
        i64::try_from(nanos).map(Self).map_err(|_| MoneyError::OutOfRange)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_scaled(f, i128::from(self.0), 9)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::parse(text)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&decimal::deserialize_text(deserializer)?).map_err(D::Error::custom)
    }
}
