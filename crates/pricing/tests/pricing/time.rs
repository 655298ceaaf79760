//! Prices change.

use pricing::{Call, Catalog};

use crate::{at, catalog, find};

const DATED: &str = r#"{"id": "model", "prices": [
    {"from": "2025-01-01", "until": "2025-06-10", "rates": {"input_tokens": "10"}},
    {"from": "2025-06-10", "rates": {"input_tokens": "2"}},
    {"from": "2025-06-10", "tier": "batch", "rates": {"input_tokens": "1"}},
    {"from": "2025-03-01", "until": "2025-06-10", "daily": {"from": "16:30:00", "until": "00:30:00"}, "rates": {"input_tokens": "5"}},
    {"from": "2025-07-01", "daily": {"from": "01:00:00", "until": "04:00:00", "weekdays": ["mon", "fri"]}, "rates": {"input_tokens": "4"}}
]}"#;

fn rate(catalog: &Catalog, when: &str) -> String {
    let call = Call::new(Some("maker"), "model", at(when));
    let found = catalog.find_price(&call);
    // A history, made for whichever time, knows the same.
    let later = Call { at: at("2030-01-01T00:00:00Z"), ..call };
    assert_eq!(
        catalog.price_history(&later).at(call.at).map(|price| &price.id),
        found.as_ref().ok().map(|found| &found.price.id)
    );
    match found {
        Ok(found) => found.price.rates[&pricing::Unit::InputTokens][0].rate.to_string(),
        Err(reason) => reason.code().to_owned(),
    }
}

#[test]
fn the_price_in_force_at_the_time_applies() {
    let catalog = catalog(DATED);
    let vectors = [
        ("2024-12-31T23:59:59.999Z", "no_price_at"),
        ("2025-01-01T00:00:00Z", "10"),
        ("2025-06-09T23:59:59Z", "5"),
        ("2025-06-10T00:00:00Z", "2"),
        // Daily hours, past midnight.
        ("2025-03-01T16:29:59Z", "10"),
        ("2025-03-01T16:30:00Z", "5"),
        ("2025-03-02T00:29:59Z", "5"),
        ("2025-03-02T00:30:00Z", "10"),
        // Before and after the hours were introduced and given up.
        ("2025-02-28T20:00:00Z", "10"),
        ("2025-06-10T20:00:00Z", "2"),
        // A Monday and a Tuesday.
        ("2025-07-07T01:00:00Z", "4"),
        ("2025-07-07T04:00:00Z", "2"),
        ("2025-07-08T01:00:00Z", "2"),
    ];
    for (when, expected) in vectors {
        assert_eq!(rate(&catalog, when), expected, "{when}");
    }
}

#[test]
fn a_tier_applies_once_it_has_a_price() {
    let catalog = catalog(DATED);
    let found = |when| {
        let call = Call::new(Some("maker"), "model", at(when)).service_tier(Some("batch"));
        let found = catalog.find_price(&call).unwrap();
        assert_eq!(catalog.price_history(&call).at(call.at), Some(found.price));
        (found.price.conditions.service_tier.clone(), found.tier_assumed_standard)
    };
    assert_eq!(found("2025-06-09T12:00:00Z"), (None, true));
    assert_eq!(found("2025-06-10T12:00:00Z"), (Some("batch".to_owned()), false));
}

#[test]
fn regions_and_kinds_of_search_have_prices_of_their_own() {
    let catalog = catalog(
        r#"{"id": "model", "prices": [
            {"rates": {"input_tokens": "1"}},
            {"region": "eu", "rates": {"input_tokens": "2"}},
            {"search_type": "fast", "rates": {"input_tokens": "3"}}
        ]}"#,
    );
    let call = Call::new(Some("maker"), "model", at("2025-01-01T00:00:00Z"));
    let rate = |call| {
        catalog.find_price(&call).unwrap().price.rates[&pricing::Unit::InputTokens][0].rate.to_string()
    };
    assert_eq!(rate(call), "1");
    assert_eq!(rate(call.region(Some("EU"))), "2");
    assert_eq!(rate(call.region(Some("us"))), "1");
    assert_eq!(rate(call.search_type(Some("fast"))), "3");
}

#[test]
fn deepseek_is_dearer_on_weekday_mornings() {
    let id = |when| {
        find("deepseek", "deepseek-v4-pro", when).unwrap().price.rates[&pricing::Unit::InputTokens][0].rate
    };
    let vectors = [
        ("2026-08-16T02:00:00Z", "0.435"),
        ("2026-08-17T02:00:00Z", "1.32"),
        ("2026-08-17T05:00:00Z", "0.66"),
        // A Sunday before weekends were exempted, and one after.
        ("2026-08-22T09:59:59Z", "1.32"),
        ("2026-08-23T09:00:00Z", "0.66"),
        ("2026-08-24T09:00:00Z", "1.32"),
    ];
    for (when, expected) in vectors {
        assert_eq!(id(when).to_string(), expected, "{when}");
    }
}

#[test]
fn o3_was_cut_in_june_2025() {
    let rate = |when| {
        find("openai", "o3", when).unwrap().price.rates[&pricing::Unit::InputTokens][0].rate.to_string()
    };
    assert_eq!(rate("2025-06-09T23:59:59Z"), "10");
    assert_eq!(rate("2025-06-10T00:00:00Z"), "2");
}
