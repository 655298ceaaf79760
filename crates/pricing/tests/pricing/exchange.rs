//! Conversions between currencies, to the last digit.

use pricing::{ExchangeRate, Money};
use proptest::prelude::*;

#[test]
fn conversions_round_half_to_even_once() {
    for (amount, rate, usd) in [
        ("1000", "1.0843", Some("1084.3")),
        ("1000", "1", Some("1000")),
        ("100000", "0.006712345678", Some("671.2345678")),
        // Half a nano-dollar goes to the even neighbour.
        ("0.000000001", "0.5", Some("0")),
        ("0.000000003", "0.5", Some("0.000000002")),
        ("0.000000005", "0.5", Some("0.000000002")),
        ("0.000000001", "0.500000000001", Some("0.000000001")),
        ("-0.000000003", "0.5", Some("-0.000000002")),
        ("1234567.891234567", "1.123456789012", Some("1386983.678903703")),
        ("0.000000001", "0.000000000001", Some("0")),
        ("9223372036.854775807", "1", Some("9223372036.854775807")),
        ("9223372036.854775807", "1.000000000001", None),
        ("9223372036.854775807", "18446744.073709551615", None),
    ] {
        let converted = rate.parse::<ExchangeRate>().unwrap().to_usd(amount.parse().unwrap());
        assert_eq!(converted.map(|money| money.to_string()).as_deref(), usd, "{amount} at {rate}");
    }
}

#[test]
fn a_rate_keeps_its_digits_or_is_refused() {
    for text in ["1", "1.0843", "0.000000000001", "0.1", "18446744.073709551615"] {
        let rate: ExchangeRate = text.parse().unwrap();
        assert_eq!(rate.to_string(), text);
        assert_eq!(serde_json::to_string(&rate).unwrap(), text);
        assert_eq!(serde_json::from_str::<ExchangeRate>(text).unwrap(), rate);
        assert_eq!(serde_json::from_str::<ExchangeRate>(&format!("{text:?}")).unwrap(), rate);
    }
    for wrong in ["", "0", "-1", "1,08", "1.0000000000001", "18446745", "EUR", "NaN", "1e-13"] {
        assert!(wrong.parse::<ExchangeRate>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_conversion_is_within_half_a_nano_dollar(nanos in 0..1_000_000_000_000_i64, rate in 1..2_000_000_000_000_u64) {
        let text = format!("{}.{:012}", rate / 1_000_000_000_000, rate % 1_000_000_000_000);
        let converted = text.parse::<ExchangeRate>().unwrap().to_usd(Money::from_nanos(nanos)).unwrap();
        let exact = i128::from(nanos) * i128::from(rate);
        let error = (i128::from(converted.nanos()) * 1_000_000_000_000 - exact).abs();
        prop_assert!(error <= 500_000_000_000);
    }
}
