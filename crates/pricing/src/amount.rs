//! Exact amounts before they are rounded to money.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Money;
use crate::decimal;

/// An exact amount of US dollars, not yet rounded: a numerator over [`Amount::DENOMINATOR`] parts of a nano-dollar.
///
/// Arithmetic saturates, far beyond what [`Money`] holds, so that [`Amount::round`] then says `None`.
/// In JSON it is a number of dollars with enough digits to be read back exactly; see [`Money`] for the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// The text is not a decimal number of dollars in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number of dollars")]
pub struct AmountError;

/// Fractional digits in text: a part is about 5.6e-17 dollars, so twenty digits tell any two amounts apart.
const TEXT_PLACES: usize = 20;
const TEXT_SCALE: i128 = 100_000_000_000_000_000_000;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Parts of a nano-dollar: the least common multiple of 1e6 (rates per million units) and 3.6e6 (rates per hour
    /// of milliseconds), so that every product of a rate and a count is whole.
    pub const DENOMINATOR: i128 = 18_000_000;

    /// The amount of this many parts.
    pub const fn from_parts(parts: i128) -> Self {
        Self(parts)
    }

    /// How many parts of 1 / [`Amount::DENOMINATOR`] nano-dollar this is.
    pub const fn parts(self) -> i128 {
        self.0
    }

    /// Rounds to nano-dollars, half to even; `None` when out of the range of [`Money`].
    ///
    /// This is the one place where a cost is rounded; discounts and margins are applied before it.
    pub fn round(self) -> Option<Money> {
        divide_half_even(self.0, Self::DENOMINATOR)
    }

    /// Multiplies by each of `factors` / `whole`, exactly, and rounds the product as [`Amount::round`] does.
    pub(crate) fn round_scaled<const N: usize>(self, factors: [i64; N], whole: i64) -> Option<Money> {
        let (mut parts, mut denominator) = (self.0, Self::DENOMINATOR);
        for factor in factors.into_iter().filter(|&factor| factor != whole) {
            parts = parts.checked_mul(i128::from(factor))?;
            denominator = denominator.checked_mul(i128::from(whole))?;
        }
        divide_half_even(parts, denominator)
    }
}

/// `parts` over `denominator` nano-dollars, rounded half to even.
pub(crate) fn divide_half_even(parts: i128, denominator: i128) -> Option<Money> {
    let (whole, rest) = (parts.div_euclid(denominator), parts.rem_euclid(denominator));
    let half = denominator / 2;
    let rounds_up = rest > half || rest == half && whole % 2 != 0;
    i64::try_from(whole + i128::from(rounds_up)).ok().map(Money::from_nanos)
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(i128::from(money.nanos()) * Self::DENOMINATOR)
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Self::DENOMINATOR * 1_000_000_000;
        let (dollars, rest) =
            (self.0.unsigned_abs() / unit.unsigned_abs(), self.0.unsigned_abs() % unit.unsigned_abs());
        // Round to nearest, so that reading the text back finds the same part.
        let fraction = mul_div_nearest(rest, TEXT_SCALE.unsigned_abs(), unit.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{fraction:0>TEXT_PLACES$}");
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            write!(f, "{sign}{dollars}")
        } else {
            write!(f, "{sign}{dollars}.{fraction}")
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let places = i32::try_from(TEXT_PLACES).map_err(|_| AmountError)?;
        let scaled = decimal::parse_scaled(text, places).map_err(|_| AmountError)?;
        let unit = Self::DENOMINATOR * 1_000_000_000;
        let (dollars, rest) = (scaled / TEXT_SCALE, scaled % TEXT_SCALE);
        let parts = mul_div_nearest(rest.unsigned_abs(), unit.unsigned_abs(), TEXT_SCALE.unsigned_abs());
        let parts = i128::try_from(parts).map_err(|_| AmountError)? * rest.signum();
        dollars.checked_mul(unit).and_then(|whole| whole.checked_add(parts)).map(Self).ok_or(AmountError)
    }
}

/// `value` × `by` / `over` to the nearest whole number; callers keep the product below 1e37.
fn mul_div_nearest(value: u128, by: u128, over: u128) -> u128 {
    (value * by + over / 2) / over
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal::deserialize_text(deserializer)?.parse().map_err(D::Error::custom)
    }
}
