//! Money as text and as JSON.

use pricing::{Amount, Money, MoneyError};
use proptest::prelude::*;

fn nanos(text: &str) -> Result<i64, MoneyError> {
    Money::parse(text).map(Money::nanos)
}

#[test]
fn decimal_text_is_read_exactly() {
    let vectors = [
        ("0", 0),
        ("-0", 0),
        ("12", 12_000_000_000),
        ("0.0035", 3_500_000),
        ("-1.5", -1_500_000_000),
        ("+1.5", 1_500_000_000),
        (" 1 ", 1_000_000_000),
        (".5", 500_000_000),
        ("1e-7", 100),
        ("1E+2", 100_000_000_000),
        ("0.0000000000000000000000000000000000000000000000000001", 0),
        ("9223372036.854775807", i64::MAX),
        ("-9223372036.854775808", i64::MIN),
    ];
    for (text, expected) in vectors {
        assert_eq!(nanos(text), Ok(expected), "{text}");
    }
}

#[test]
fn digits_beyond_the_ninth_round_half_to_even() {
    let vectors = [
        ("0.0034999999999999996", 3_500_000),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("0.00000000250000000001", 3),
        ("-0.0000000015", -2),
        ("-0.0000000005", 0),
        ("5e-10", 0),
        ("0.00000000049", 0),
        ("0.99999999999", 1_000_000_000),
    ];
    for (text, expected) in vectors {
        assert_eq!(nanos(text), Ok(expected), "{text}");
    }
}

#[test]
fn junk_is_refused() {
    for text in [
        "", " ", "-", ".", "e5", "1e", "NaN", "inf", "1,5", "0x10", "1_000", "--1", "1.2.3", "$1", "1e2.5",
        "١",
    ] {
        assert_eq!(nanos(text), Err(MoneyError::NotANumber), "{text}");
    }
    assert_eq!(nanos(&"9".repeat(500)), Err(MoneyError::NotANumber));
}

#[test]
fn what_does_not_fit_is_refused() {
    for text in [
        "9223372036.854775808",
        "-9223372036.854775809",
        "1e10",
        "1e400",
        "99999999999999999999999999999999999",
    ] {
        assert_eq!(nanos(text), Err(MoneyError::OutOfRange), "{text}");
    }
}

#[test]
fn it_prints_the_digits_it_has() {
    let vectors = [
        (0, "0"),
        (1, "0.000000001"),
        (3_500_000, "0.0035"),
        (-1_500_000_000, "-1.5"),
        (-1, "-0.000000001"),
        (12_000_000_000, "12"),
        (i64::MAX, "9223372036.854775807"),
        (i64::MIN, "-9223372036.854775808"),
    ];
    for (nanos, text) in vectors {
        assert_eq!(Money::from_nanos(nanos).to_string(), text);
    }
}

#[test]
fn json_keeps_every_digit() {
    let money = Money::from_nanos(1_234_567_890_123_456_789);
    let json = serde_json::to_string(&[money]).unwrap();
    assert_eq!(json, "[1234567890.123456789]");
    assert_eq!(serde_json::from_str::<[Money; 1]>(&json).unwrap(), [money]);
    assert_eq!(serde_json::from_str::<Money>(r#""0.0035""#).unwrap(), Money::from_nanos(3_500_000));
    for json in ["null", "true", "{}", r#""abc""#, "1e99"] {
        assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
    }
}

#[test]
fn sums_are_checked() {
    let one = Money::from_nanos(1);
    assert_eq!(Money::MAX.checked_add(one), None);
    assert_eq!(one.checked_sub(one), Some(Money::ZERO));
}

#[test]
fn amounts_round_half_to_even() {
    let half = Amount::DENOMINATOR / 2;
    let vectors = [
        (half, 0),
        (half + 1, 1),
        (3 * half, 2),
        (5 * half, 2),
        (-half, 0),
        (-half - 1, -1),
        (-3 * half, -2),
    ];
    for (parts, nanos) in vectors {
        assert_eq!(Amount::from_parts(parts).round(), Some(Money::from_nanos(nanos)), "{parts}");
    }
    assert_eq!(Amount::from_parts(i128::MAX).round(), None);
}

proptest! {
    #[test]
    fn money_survives_text_and_json(nanos: i64) {
        let money = Money::from_nanos(nanos);
        prop_assert_eq!(money.to_string().parse(), Ok(money));
        prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&money).unwrap()).unwrap(), money);
    }

    #[test]
    fn amounts_survive_text(parts in -(1_i128 << 100)..(1_i128 << 100)) {
        let amount = Amount::from_parts(parts);
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
    }

    #[test]
    fn any_text_is_a_money_or_an_error(text in "[-+0-9.eE ]{0,40}") {
        let _ = Money::parse(&text);
    }

    #[test]
    fn money_orders_like_its_text(a: i32, b: i32) {
        let money = |cents: i32| Money::parse(&format!("{cents}e-2")).unwrap();
        prop_assert_eq!(money(a).cmp(&money(b)), a.cmp(&b));
    }
}
