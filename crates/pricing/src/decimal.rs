//! Decimal text to scaled integers and back, never through a float.

use std::fmt::{self, Display};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Why a text is not a number of the wanted size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalError {
    NotANumber,
    OutOfRange,
}

/// Longest number text that is read; a longer one is not a number anybody meant.
const TEXT_BYTES_MAX: usize = 128;

/// Reads a decimal number (`12`, `-0.5`, `1e-7`) times 10^`places`, rounded half to even once.
pub(crate) fn parse_scaled(text: &str, places: i32) -> Result<i128, DecimalError> {
    if let Some(value) = parse_plain(text, places) {
        return Ok(value);
    }
    let number = split_number(text.trim())?;
    let shift =
        number.exponent - i64::try_from(number.fraction_digits).unwrap_or(i64::MAX) + i64::from(places);
    let magnitude = scale(&number.digits, shift)?;
    Ok(if number.negative { -magnitude } else { magnitude })
}

/// The usual case, a few digits and at most one point; `None` for all others.
fn parse_plain(text: &str, places: i32) -> Option<i128> {
    const PLAIN_BYTES_MAX: usize = 18;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || text.len() > PLAIN_BYTES_MAX {
        return None;
    }
    let missing = u32::try_from(places).ok()?.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let mut digits = whole.bytes().chain(fraction.bytes());
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i128::from(byte - b'0'));
    let value = digits.try_fold(0_i128, |value, byte| Some(value * 10 + digit(byte)?))?;
    value.checked_mul(10_i128.checked_pow(missing)?)
}

/// Writes `value` / 10^`places` with exactly the digits it has: `3500000` at 9 places is `0.0035`.
pub(crate) fn write_scaled(f: &mut fmt::Formatter<'_>, value: i128, places: usize) -> fmt::Result {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
}

/// Serializes what `value` displays as a JSON number, digit for digit.
pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(value.to_string()).map_err(S::Error::custom)?.serialize(serializer)
}

/// The text of a JSON number, or of a JSON string that holds one.
pub(crate) fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    if text.starts_with('"') {
        serde_json::from_str(text).map_err(D::Error::custom)
    } else {
        Ok(text.to_owned())
    }
}

struct Number {
    negative: bool,
    /// Digits before and after the point, without leading zeros.
    digits: Vec<u8>,
    fraction_digits: usize,
    exponent: i64,
}

fn split_number(text: &str) -> Result<Number, DecimalError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(DecimalError::NotANumber);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.is_empty() && fraction.is_empty() {
        return Err(DecimalError::NotANumber);
    }
    let digits =
        whole.bytes().chain(fraction.bytes()).skip_while(|&byte| byte == b'0').map(|byte| byte - b'0');
    Ok(Number { negative, digits: digits.collect(), fraction_digits: fraction.len(), exponent })
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    text.parse::<i32>().map(i64::from).map_err(|_| DecimalError::NotANumber)
}

/// `digits` × 10^`shift`, rounded half to even.
fn scale(digits: &[u8], shift: i64) -> Result<i128, DecimalError> {
    if digits.is_empty() {
        return Ok(0);
    }
    if shift >= 0 {
        let power = u32::try_from(shift).ok().and_then(|shift| 10_i128.checked_pow(shift));
        let power = power.ok_or(DecimalError::OutOfRange)?;
        return accumulate(digits)?.checked_mul(power).ok_or(DecimalError::OutOfRange);
    }
    let dropped = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    if dropped > digits.len() {
        return Ok(0);
    }
    let (kept, rest) = digits.split_at(digits.len() - dropped);
    let whole = accumulate(kept)?;
    let exact_half = rest.first() == Some(&5) && rest.iter().skip(1).all(|&digit| digit == 0);
    let rounds_up = if exact_half { whole % 2 == 1 } else { rest.first().is_some_and(|&digit| digit >= 5) };
    Ok(whole + i128::from(rounds_up))
}

fn accumulate(digits: &[u8]) -> Result<i128, DecimalError> {
    digits
        .iter()
        .try_fold(0_i128, |total, &digit| total.checked_mul(10)?.checked_add(i128::from(digit)))
        .filter(|&total| total < i128::MAX)
        .ok_or(DecimalError::OutOfRange)
}
