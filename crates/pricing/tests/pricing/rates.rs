//! Rates and units as text.

use pricing::{Amount, Per, Rate, Unit};

#[test]
fn rates_are_read_and_written_in_dollars() {
    let vectors = [
        ("0.15", 150_000_000, Per::Million),
        ("0", 0, Per::Million),
        ("10000", 10_000_000_000_000, Per::Million),
        ("0.36/hour", 360_000_000, Per::Hour),
    ];
    for (text, nanos, per) in vectors {
        let rate: Rate = text.parse().unwrap();
        assert_eq!((rate.nanos, rate.per), (nanos, per));
        assert_eq!(rate.to_string(), text);
    }
    for text in ["", "-1", "1/day", "NaN", "1e20"] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
}

#[test]
fn float_noise_of_a_source_is_rounded_away() {
    assert_eq!(Rate::parse_usd_per_million("0.18000000000000002").unwrap().to_string(), "0.18");
}

#[test]
fn amounts_are_exact() {
    let rate = Rate::parse_usd_per_million("0.15").unwrap();
    assert_eq!(rate.amount_of(1).to_string(), "0.00000015");
    assert_eq!(rate.amount_of(1).parts() * 1_000_000, rate.amount_of(1_000_000).parts());
    let hourly = Rate::parse_usd_per_hour("1").unwrap();
    assert_eq!(hourly.amount_of(3_600_000).to_string(), "1");
    assert_eq!(hourly.amount_of(1).parts() * 3_600_000, hourly.amount_of(3_600_000).parts());
}

#[test]
fn amounts_beyond_all_money_saturate() {
    let rate = Rate { nanos: u64::MAX, per: Per::Million };
    assert_eq!(rate.amount_of(u64::MAX).round(), None);
    assert_eq!((rate.amount_of(u64::MAX) + rate.amount_of(u64::MAX)).round(), None);
    assert_eq!(rate.amount_of(0), Amount::ZERO);
}

#[test]
fn units_go_by_their_names() {
    for &unit in Unit::ALL {
        assert_eq!(unit.as_str().parse(), Ok(unit));
        assert_eq!(serde_json::to_string(&unit).unwrap(), format!("\"{unit}\""));
    }
    assert!("tokens".parse::<Unit>().is_err());
}
