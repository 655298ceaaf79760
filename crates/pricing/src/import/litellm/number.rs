//! `LiteLLM`'s numbers, dollars for one, as rates.

use crate::decimal::parse_scaled;
use crate::{Per, Rate, Unit};

/// Decimal places at which numbers are read: more than any rate has, few enough for 128 bits.
const PLACES: i32 = 27;
/// What a float can say. Digits beyond it are noise: `1.0000000000000001e-07`.
const DIGITS_MAX: u32 = 12;

/// What a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    One,
    Thousand,
    Second,
}

/// A rate, and whether it had to be rounded for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) rate: Rate,
    pub(super) is_rounded: bool,
}

/// Reads a price for `quantity` of `unit`; `None` for what is not a number from zero up, or beyond any price.
pub(super) fn rate(text: &str, unit: Unit, quantity: Quantity) -> Option<Read> {
    let per = unit.per();
    let exact = parse_scaled(text, PLACES).ok().filter(|&value| value >= 0)?;
    let value = without_noise(exact)?;
    let multiplier = match (quantity, per) {
        (Quantity::One, Per::Million) => 1_000_000,
        (Quantity::Thousand, Per::Million) => 1_000,
        (Quantity::Second, Per::Hour) => 3_600,
        _ => return None,
    };
    // From dollars at `PLACES` to nano-dollars.
    let scale = 10_i128.pow(PLACES.unsigned_abs() - 9);
    let product = value.checked_mul(multiplier)?;
    let nanos = u64::try_from(half_even(product, scale)).ok()?;
    Some(Read { rate: Rate { nanos, per }, is_rounded: value != exact || product % scale != 0 })
}

fn without_noise(value: i128) -> Option<i128> {
    let digits = value.checked_ilog10().map_or(1, |log| log + 1);
    match digits.checked_sub(DIGITS_MAX) {
        None | Some(0) => Some(value),
        Some(extra) => {
            let unit = 10_i128.checked_pow(extra)?;
            half_even(value, unit).checked_mul(unit)
        }
    }
}

/// `value` / `unit` to the nearest whole number, half to even; neither is negative.
fn half_even(value: i128, unit: i128) -> i128 {
    let (whole, rest) = (value / unit, value % unit);
    let rounds_up = rest * 2 > unit || rest * 2 == unit && whole % 2 == 1;
    whole + i128::from(rounds_up)
}

#[cfg(test)]
mod tests {
    use super::{Quantity, rate};
    use crate::Unit;

    #[test]
    fn numbers_become_rates_digit_by_digit() {
        let vectors = [
            ("1e-06", Unit::InputTokens, Quantity::One, "1", false),
            ("2.5e-07", Unit::InputTokens, Quantity::One, "0.25", false),
            ("1.0000000000000001e-07", Unit::InputTokens, Quantity::One, "0.1", true),
            ("0.00000015", Unit::InputTokens, Quantity::One, "0.15", false),
            ("1.8999999999999999e-7", Unit::InputTokens, Quantity::One, "0.19", true),
            ("0.035", Unit::WebSearches, Quantity::One, "35000", false),
            ("2.5", Unit::FileSearches, Quantity::Thousand, "2500", false),
            ("0.0001", Unit::InputAudioMilliseconds, Quantity::Second, "0.36/hour", false),
            ("3.333e-05", Unit::InputAudioMilliseconds, Quantity::Second, "0.119988/hour", false),
            ("1e-16", Unit::InputTokens, Quantity::One, "0", true),
            ("0", Unit::InputTokens, Quantity::One, "0", false),
        ];
        for (text, unit, quantity, expected, is_rounded) in vectors {
            let read = rate(text, unit, quantity).unwrap();
            assert_eq!((read.rate.to_string().as_str(), read.is_rounded), (expected, is_rounded), "{text}");
        }
        for text in ["-1e-06", "NaN", "\"1\"", "1e300", "99999999999", "null"] {
            assert_eq!(rate(text, Unit::InputTokens, Quantity::One), None, "{text}");
        }
        assert_eq!(rate("1", Unit::InputTokens, Quantity::Second), None);
    }
}
