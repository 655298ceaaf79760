//! Numbers out of JSON, and sums of which some parts are unknown.

use pricing::{Money, Unit, Usage};
use serde_json::Value;

/// A count: a whole number that is not negative. `12.0` is one, `12.5`, `-1` and `"12"` are not.
pub(super) fn count(object: &Value, key: &str) -> Option<u64> {
    whole(object.get(key)?)
}

fn whole(value: &Value) -> Option<u64> {
    let Value::Number(number) = value else { return None };
    // The text of a float has all its digits, so that no count passes through float arithmetic.
    number.as_u64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
}

/// The count under the first of `keys` that has one.
pub(super) fn first(object: &Value, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| count(object, key))
}

/// The count under `key` of an object that may not be there.
pub(super) fn inner(object: Option<&Value>, key: &str) -> Option<u64> {
    count(object?, key)
}

/// Milliseconds of a number of seconds.
pub(super) fn milliseconds(object: &Value, key: &str) -> Option<u64> {
    let Value::Number(seconds) = object.get(key)? else { return None };
    // Exact decimals: a second has as many nanoseconds as a dollar has nano-dollars.
    let nanos = Money::parse(&seconds.to_string()).ok()?.nanos();
    u64::try_from(nanos).ok()?.checked_add(500_000).map(|nanos| nanos / 1_000_000)
}

/// A text that is there and not empty.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The first element of a list.
pub(super) fn first_of<'a>(object: &'a Value, list: &str) -> Option<&'a Value> {
    object.get(list)?.as_array()?.first()
}

/// The elements of a list; none if there is no list.
pub(super) fn each<'a>(object: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    object.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// Sum of what is known; unknown only if nothing is.
pub(super) fn sum(parts: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    parts.into_iter().flatten().reduce(u64::saturating_add)
}

/// `base` with whatever is known of `parts`; unknown if `base` is.
pub(super) fn sum_with(base: Option<u64>, parts: &[Option<u64>]) -> Option<u64> {
    base.map(|base| parts.iter().flatten().fold(base, |total, part| total.saturating_add(*part)))
}

/// Sets `unit` if its count is known.
pub(super) fn set(usage: &mut Usage, unit: Unit, count: Option<u64>) {
    if let Some(count) = count {
        usage.set(unit, count);
    }
}

/// Sets every one of `counts` that is known.
pub(super) fn usage_of<const N: usize>(counts: [(Unit, Option<u64>); N]) -> Usage {
    counts.into_iter().filter_map(|(unit, count)| Some((unit, count?))).collect()
}

/// Sets the provider's own total, unless it adds up only what the provider counts as input and output.
///
/// Where cached, reasoning or cited tokens are outside of those, such a total is smaller than the normal form's.
pub(super) fn set_total(usage: &mut Usage, total: Option<u64>, own_parts: [Option<u64>; 2]) {
    let parts = sum([usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)]);
    let is_of_own_parts = total == sum(own_parts) && total < parts;
    set(usage, Unit::TotalTokens, total.filter(|_| !is_of_own_parts));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_whole_numbers_from_zero_are_counts() {
        for (value, expected) in [
            (json!(12), Some(12)),
            (json!(12.0), Some(12)),
            (json!(0), Some(0)),
            (json!(1e6), Some(1_000_000)),
            (json!(12.5), None),
            (json!(-1), None),
            (json!(-1.0), None),
            (json!(1e300), None),
            (json!("12"), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(whole(&value), expected, "{value}");
        }
    }

    #[test]
    fn seconds_become_milliseconds_exactly() {
        for (value, expected) in [
            (json!(12), Some(12_000)),
            (json!(2.95), Some(2_950)),
            (json!(0.0004), Some(0)),
            (json!(-1), None),
        ] {
            assert_eq!(milliseconds(&json!({ "seconds": value }), "seconds"), expected, "{value}");
        }
    }
}
