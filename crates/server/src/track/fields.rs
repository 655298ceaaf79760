//! The fields of a JSON object, read one by one; every problem keeps its field's name.

use std::collections::BTreeMap;

use domain::{Invalid, invalid::Problems, limits, text};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use pricing::Money;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    error::{ApiError, ErrorCode, Result},
    input::parse_json,
};

/// Fields of an object that have not been read yet, and the problems of those that have.
pub(super) struct Fields<'a> {
    raw: BTreeMap<String, &'a RawValue>,
    problems: Problems,
    /// Names of fields that are left out of what is kept as unknown.
    texts: &'static [&'static str],
}

impl<'a> Fields<'a> {
    /// Reads the object in `body`; its values stay text until they are asked for, so that money keeps its digits.
    pub(super) fn read(body: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(body)
            .map_err(|_| ApiError::new(ErrorCode::MalformedBody, "the body is not valid UTF-8"))?;
        let raw = parse_json(text.as_bytes())?;
        Ok(Self { raw, problems: Problems::default(), texts: &[] })
    }

    /// What is called by one of `texts`, at any depth of a field that nobody asks for, is not kept unless it is a number
    /// or a truth.
    pub(super) fn without(self, texts: &'static [&'static str]) -> Self {
        Self { texts, ..self }
    }

    /// Reads `from` as `to`, unless that is there itself.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if self.raw.get(to).is_some_and(|raw| raw.get() != "null") {
            return;
        }
        if let Some(raw) = self.raw.remove(from) {
            self.raw.insert(to.to_owned(), raw);
        }
    }

    /// `Err` with every problem so far.
    pub(super) fn finish(self) -> Result<(), Invalid> {
        self.problems.into_result()
    }

    pub(super) fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.add(field, message);
    }

    pub(super) fn take<T>(&mut self, result: Result<T, Invalid>) -> Option<T> {
        self.problems.take(result)
    }

    /// The first of `names` that is there and not null. Later ones stay, and so end up as unknown fields.
    fn raw(&mut self, names: &[&'static str]) -> Option<(&'static str, &'a str)> {
        names.iter().find_map(|name| {
            let raw = self.raw.remove(*name)?.get();
            (raw != "null").then_some((*name, raw))
        })
    }

    /// The value of a field that is read again later.
    pub(super) fn peek(&self, name: &str) -> Option<Value> {
        self.raw.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    pub(super) fn value(&mut self, names: &[&'static str]) -> Option<Value> {
        let (name, raw) = self.raw(names)?;
        self.take(serde_json::from_str(raw).map_err(|error| Invalid::field(name, error.to_string())))
    }

    fn checked<T>(
        &mut self,
        names: &[&'static str],
        check: impl Fn(&str, &Value) -> Result<Option<T>, Invalid>,
    ) -> Option<T> {
        let (name, raw) = self.raw(names)?;
        let value = serde_json::from_str(raw).map_err(|error| Invalid::field(name, error.to_string()));
        self.take(value.and_then(|value| check(name, &value))).flatten()
    }

    /// A short text under `check`; an empty one counts as missing. Numbers are taken as their digits.
    fn short(
        &mut self,
        names: &[&'static str],
        check: impl Fn(&str, &str) -> Result<String, Invalid>,
    ) -> Option<String> {
        self.checked(names, |name, value| match value {
            Value::String(text) if text.trim().is_empty() => Ok(None),
            Value::String(text) => check(name, text).map(Some),
            Value::Number(number) => check(name, &number.to_string()).map(Some),
            _ => Err(Invalid::field(name, "must be a text")),
        })
    }

    pub(super) fn dimension(&mut self, names: &[&'static str]) -> Option<String> {
        self.short(names, text::dimension_value)
    }

    pub(super) fn reference(&mut self, names: &[&'static str]) -> Option<String> {
        self.short(names, text::reference)
    }

    pub(super) fn email(&mut self, names: &[&'static str]) -> Option<String> {
        self.short(names, text::email)
    }

    pub(super) fn id<K>(&mut self, names: &[&'static str]) -> Option<domain::Id<K>> {
        self.checked(names, |name, value| match value {
            Value::String(text) if text.is_empty() => Ok(None),
            Value::String(text) => text
                .parse()
                .map(Some)
                .map_err(|error: domain::id::NotAnId| Invalid::field(name, error.to_string())),
            _ => Err(Invalid::field(name, domain::id::NotAnId.to_string())),
        })
    }

    /// A text of any length, or anything else as JSON text (messages of a chat). The same under another of the names is
    /// not kept as an unknown field: whether text is kept is the project's to say.
    pub(super) fn content(&mut self, names: &[&'static str]) -> Option<String> {
        let content = self.checked(names, |_, value| {
            Ok(Some(match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }))
        });
        for name in names {
            self.raw.remove(*name);
        }
        content
    }

    /// A count: a whole number that is not negative; `12.0` and `"12"` are taken, as some clients send them.
    pub(super) fn count(&mut self, names: &[&'static str]) -> Option<u64> {
        let (name, raw) = self.raw(names)?;
        self.take(whole_number(name, raw, limits::COUNT_MAX))
    }

    /// A duration; fractions of a millisecond are rounded away.
    pub(super) fn milliseconds(&mut self, names: &[&'static str]) -> Option<u64> {
        let (name, raw) = self.raw(names)?;
        let whole = unquoted(raw).split('.').next().unwrap_or_default();
        self.take(whole_number(name, whole, limits::RESPONSE_TIME_MS_MAX))
    }

    /// A length in seconds, as milliseconds; what is beyond a millisecond is rounded, half up.
    pub(super) fn seconds(&mut self, names: &[&'static str]) -> Option<u64> {
        let (name, raw) = self.raw(names)?;
        let read = milliseconds(unquoted(raw)).filter(|milliseconds| *milliseconds <= limits::COUNT_MAX);
        let invalid = || Invalid::field(name, "must be a number of seconds, not negative, such as 12.5");
        self.take(read.ok_or_else(invalid))
    }

    /// An amount of dollars, from its digits.
    pub(super) fn money(&mut self, names: &[&'static str]) -> Option<Money> {
        let (name, raw) = self.raw(names)?;
        let money = Money::parse(unquoted(raw)).map_err(|error| Invalid::field(name, error.to_string()));
        let money = money.and_then(|money| {
            if money < Money::ZERO {
                Err(Invalid::field(name, "must not be negative"))
            } else if money > limits::COST_MAX {
                Err(Invalid::field(
                    name,
                    format!("must be at most {} dollars, not {money}", limits::COST_MAX),
                ))
            } else {
                Ok(money)
            }
        });
        self.take(money)
    }

    /// When the call happened: RFC 3339, or without an offset as UTC, or seconds or milliseconds since the epoch.
    pub(super) fn timestamp(&mut self, names: &[&'static str], now: Timestamp) -> Option<Timestamp> {
        let (name, raw) = self.raw(names)?;
        let read = read_timestamp(unquoted(raw))
            .ok_or_else(|| Invalid::field(name, "must be an RFC 3339 time, such as 2024-01-15T10:30:00Z"));
        self.take(read.and_then(|at| in_range(name, at, now)))
    }

    pub(super) fn object(&mut self, names: &[&'static str]) -> Option<Map<String, Value>> {
        self.checked(names, |name, value| match value {
            Value::Object(object) => Ok(Some(object.clone())),
            _ => Err(Invalid::field(name, "must be an object")),
        })
    }

    /// A list of texts; a single text is a list of one.
    pub(super) fn strings(&mut self, names: &[&'static str]) -> Option<Vec<String>> {
        self.checked(names, |name, value| match value {
            Value::String(text) => Ok(Some(vec![text.clone()])),
            Value::Array(items) => {
                let item = |(index, item): (usize, &Value)| {
                    let text = item.as_str().map(str::to_owned);
                    text.ok_or_else(|| Invalid::field(format!("{name}[{index}]"), "must be a text"))
                };
                items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
            }
            _ => Err(Invalid::field(name, "must be a list of texts")),
        })
    }

    /// Every field that nobody asked for.
    pub(super) fn take_rest(&mut self) -> Map<String, Value> {
        let rest = std::mem::take(&mut self.raw);
        let read = |(name, raw): (String, &RawValue)| {
            let value =
                serde_json::from_str(raw.get()).map_err(|error| Invalid::field(&name, error.to_string()));
            self.problems.take(value).map(|value| (name, value))
        };
        let mut rest = rest.into_iter().filter_map(read).collect();
        leave_out(&mut rest, self.texts);
        rest
    }
}

/// Takes texts, lists and objects called by one of `names` out of `object` and of what is in it.
fn leave_out(object: &mut Map<String, Value>, names: &[&str]) {
    object.retain(|name, value| {
        !names.contains(&name.as_str()) || matches!(value, Value::Number(_) | Value::Bool(_))
    });
    object.values_mut().filter_map(Value::as_object_mut).for_each(|inner| leave_out(inner, names));
}

/// The digits in a JSON number or in a text that holds one.
fn unquoted(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw).trim()
}

fn whole_number(name: &str, raw: &str, max: u64) -> Result<u64, Invalid> {
    let text = unquoted(raw);
    let digits = text.split_once('.').map_or(text, |(whole, fraction)| {
        if fraction.bytes().all(|digit| digit == b'0') { whole } else { text }
    });
    let number: u64 =
        digits.parse().map_err(|_| Invalid::field(name, "must be a whole number, not negative"))?;
    if number > max { Err(Invalid::field(name, format!("must be at most {max}"))) } else { Ok(number) }
}

/// Seconds in decimal digits as whole milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let tenths: u64 = format!("{fraction:0<4}").get(..4)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add((tenths + 5) / 10)
}

fn read_timestamp(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    if let Ok(number) = text.parse::<i64>() {
        // Seconds reach 11 digits in the year 5138; milliseconds had 12 in 1973.
        let milliseconds = if number.abs() < 100_000_000_000 { number.checked_mul(1000)? } else { number };
        return Timestamp::from_millisecond(milliseconds).ok();
    }
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn in_range(name: &str, at: Timestamp, now: Timestamp) -> Result<Timestamp, Invalid> {
    let too_early = at.to_zoned_datetime(TimeZone::UTC).year() < limits::FIRST_YEAR;
    let too_late = at.duration_since(now).as_secs() > limits::FUTURE_SECONDS_MAX;
    if too_early || too_late {
        let range = format!("must lie between the year {} and tomorrow", limits::FIRST_YEAR);
        return Err(Invalid::field(name, range));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn seconds_are_read_from_their_digits() {
        for (text, expected) in [
            ("0", Some(0)),
            ("9", Some(9_000)),
            ("12.5", Some(12_500)),
            ("0.0004", Some(0)),
            ("0.0005", Some(1)),
            ("1.99999999999", Some(2_000)),
            ("-1", None),
            ("1.", None),
            (".5", None),
            ("1e3", None),
            ("+1", None),
            ("", None),
            ("99999999999999999999", None),
            ("18446744073709552", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
