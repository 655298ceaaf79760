//! How counts become line items.

use pricing::{Amount, Counts, Money, Price, Unit, Unpriced, Usage};
use proptest::prelude::*;

use crate::{price, usage};

const CHAT: &str = r#"{"input_tokens": "2", "cache_read_tokens": "0.2", "cache_write_tokens": "2.5",
    "input_audio_tokens": "8", "output_tokens": "10"}"#;
const TIERED: &str = r#"{"input_tokens": [[0, "1"], [200001, "2"]], "cache_read_tokens": [[0, "0.1"], [200001, "0.2"]],
    "output_tokens": [[0, "10"], [200001, "15"]]}"#;

fn total(price: &Price, used: &str) -> String {
    price.cost_of(&usage(used)).unwrap().total.to_string()
}

/// Unit, count and whose rate, of each line.
fn lines(price: &Price, used: &str) -> Vec<(Unit, u64, Unit)> {
    let cost = price.cost_of(&usage(used)).unwrap();
    cost.items.iter().map(|item| (item.unit, item.count, item.rate_unit)).collect()
}

#[test]
fn each_token_is_in_one_line() {
    let used = "1000 input_tokens, 300 cache_read_tokens, 100 cache_write_tokens, 40 cache_write_1h_tokens,
        200 input_audio_tokens, 50 cache_read_audio_tokens, 80 output_tokens, 30 reasoning_tokens";
    assert_eq!(
        lines(&price(CHAT), used),
        [
            (Unit::InputAudioTokens, 150, Unit::InputAudioTokens),
            (Unit::CacheReadAudioTokens, 50, Unit::CacheReadTokens),
            (Unit::InputTokens, 450, Unit::InputTokens),
            (Unit::CacheReadTokens, 250, Unit::CacheReadTokens),
            (Unit::CacheWriteTokens, 60, Unit::CacheWriteTokens),
            (Unit::CacheWrite1hTokens, 40, Unit::CacheWriteTokens),
            (Unit::OutputTokens, 80, Unit::OutputTokens),
        ]
    );
}

#[test]
fn a_detail_without_a_rate_costs_what_its_container_costs() {
    let plain = price(r#"{"input_tokens": "2", "output_tokens": "10"}"#);
    let details = "1000 input_tokens, 300 cache_read_tokens, 100 cache_write_tokens, 200 input_audio_tokens,
        80 output_tokens, 30 reasoning_tokens, 20 output_image_tokens";
    assert_eq!(total(&plain, details), total(&plain, "1000 input_tokens, 80 output_tokens"));
}

#[test]
fn reasoning_is_apart_only_where_it_has_a_rate() {
    let apart = price(r#"{"input_tokens": "2", "output_tokens": "8", "reasoning_tokens": "3"}"#);
    assert_eq!(
        lines(&apart, "100 output_tokens, 60 reasoning_tokens"),
        [(Unit::ReasoningTokens, 60, Unit::ReasoningTokens), (Unit::OutputTokens, 40, Unit::OutputTokens),]
    );
}

#[test]
fn the_whole_prompt_decides_the_tier_of_the_whole_request() {
    let price = price(TIERED);
    let vectors = [
        ("199999 input_tokens, 1000 output_tokens", "0.209999"),
        ("200000 input_tokens, 1000 output_tokens", "0.21"),
        ("200001 input_tokens, 1000 output_tokens", "0.415002"),
        ("200001 input_tokens, 200000 cache_read_tokens, 1000 output_tokens", "0.055002"),
        ("200000 input_tokens, 200000 cache_read_tokens, 1000 output_tokens", "0.03"),
    ];
    for (used, dollars) in vectors {
        assert_eq!(total(&price, used), dollars, "{used}");
    }
}

#[test]
fn a_line_says_which_tier_it_reached() {
    let tier = |used: &str| price(TIERED).cost_of(&usage(used)).unwrap().items[0].tier_input_tokens_min;
    assert_eq!(tier("200000 input_tokens"), None);
    assert_eq!(tier("200001 input_tokens"), Some(200_001));
}

#[test]
fn savings_are_what_caching_saved_and_writing_costs() {
    let savings = |used: &str| price(CHAT).cost_of(&usage(used)).unwrap().cache_savings.to_string();
    assert_eq!(savings("1000 input_tokens, 800 cache_read_tokens"), "0.00144");
    assert_eq!(savings("1000 input_tokens, 800 cache_write_tokens"), "-0.0004");
    assert_eq!(savings("1000 input_tokens"), "0");
}

#[test]
fn what_cannot_be_priced_says_why() {
    let chat = price(CHAT);
    let code = |price: &Price, used: &Usage| price.cost_of(used).unwrap_err().code();
    assert_eq!(code(&chat, &Usage::new()), "no_usage");
    assert_eq!(code(&chat, &usage("100 total_tokens")), "total_only");
    assert_eq!(code(&chat, &usage("10 input_tokens, 1 web_searches")), "unit_not_priced");
    assert_eq!(code(&price(r#"{"input_tokens": "1"}"#), &usage("1 output_tokens")), "unit_not_priced");
    assert_eq!(code(&chat, &Usage::new().with(Unit::OutputTokens, u64::MAX)), "overflow");
}

#[test]
fn the_missing_side_follows_from_the_total() {
    let chat = price(CHAT);
    let both = total(&chat, "100 input_tokens, 50 output_tokens");
    assert_eq!(total(&chat, "150 total_tokens, 100 input_tokens"), both);
    assert_eq!(total(&chat, "150 total_tokens, 50 output_tokens"), both);
}

#[test]
fn zeros_cost_nothing() {
    assert_eq!(total(&price(CHAT), "0 input_tokens, 0 output_tokens"), "0");
    assert_eq!(total(&price(r#"{"input_tokens": "1"}"#), "5 input_tokens, 0 output_tokens"), "0.000005");
}

#[test]
fn seconds_pages_requests_and_tools_are_charged() {
    let speech = price(r#"{"audio_milliseconds": "0.36/hour"}"#);
    assert_eq!(total(&speech, "10000 audio_milliseconds, 10000 input_audio_milliseconds"), "0.001");
    assert_eq!(total(&speech, "10000 input_audio_milliseconds, 40 output_tokens"), "0.001");
    assert_eq!(total(&speech, "1 audio_milliseconds"), "0.0000001");
    let pages = price(r#"{"pages": "4000", "annotated_pages": "5000"}"#);
    assert_eq!(total(&pages, "10 pages, 3 annotated_pages"), "0.043");
    let search =
        price(r#"{"input_tokens": "1", "output_tokens": "1", "requests": "12000", "web_searches": "10000"}"#);
    assert_eq!(total(&search, "1000 input_tokens"), "0.013");
    assert_eq!(total(&search, "1000 input_tokens, 2 requests, 3 web_searches"), "0.055");
}

#[test]
fn writes_are_charged_by_how_long_they_are_kept() {
    let card = price(
        r#"{"input_tokens": "1", "cache_write_tokens": "2", "cache_write_1h_tokens": "3", "cache_write_12h_tokens": "4"}"#,
    );
    let used =
        "1000 input_tokens, 900 cache_write_tokens, 300 cache_write_1h_tokens, 200 cache_write_12h_tokens";
    assert_eq!(
        lines(&card, used),
        [
            (Unit::InputTokens, 100, Unit::InputTokens),
            (Unit::CacheWriteTokens, 400, Unit::CacheWriteTokens),
            (Unit::CacheWrite1hTokens, 300, Unit::CacheWrite1hTokens),
            (Unit::CacheWrite12hTokens, 200, Unit::CacheWrite12hTokens),
        ]
    );
    assert_eq!(
        lines(&price(CHAT), "5 input_tokens, 5 cache_write_12h_tokens"),
        [(Unit::CacheWrite12hTokens, 5, Unit::CacheWriteTokens)]
    );
}

#[test]
fn video_and_images_are_charged() {
    let card = price(r#"{"output_video_milliseconds": "360/hour", "input_images": "2000"}"#);
    assert_eq!(total(&card, "8000 output_video_milliseconds, 2 input_images"), "0.804");
}

#[test]
fn a_shortest_count_is_charged_once_anything_is() {
    let mut price = price(r#"{"audio_milliseconds": "3.6/hour"}"#);
    price.minimum_counts.insert(Unit::AudioMilliseconds, 10_000);
    assert_eq!(total(&price, "1 audio_milliseconds"), "0.01");
    assert_eq!(total(&price, "20000 audio_milliseconds"), "0.02");
    assert_eq!(total(&price, "0 audio_milliseconds"), "0");
}

#[test]
fn parts_larger_than_their_whole_are_charged_and_flagged() {
    let used = usage("100 input_tokens, 300 cache_read_tokens, 10 output_tokens, 20 reasoning_tokens");
    let flagged: Vec<_> = used.inconsistencies().iter().map(|flag| (flag.whole, flag.parts_count)).collect();
    assert_eq!(flagged, [(Unit::InputTokens, 300), (Unit::OutputTokens, 20)]);
    assert_eq!(price(CHAT).cost_of(&used).unwrap().total.to_string(), "0.00026");
}

#[test]
fn a_part_of_an_unknown_part_counts_too() {
    let used = usage("0 input_tokens, 1 cache_write_1h_tokens");
    let flagged: Vec<_> = used.inconsistencies().iter().map(|flag| (flag.whole, flag.parts_count)).collect();
    assert_eq!(flagged, [(Unit::InputTokens, 1)]);
}

#[test]
fn consistent_usage_is_not_flagged() {
    let used = "1000 input_tokens, 300 cache_read_tokens, 100 cache_write_tokens, 900 input_audio_tokens,
        250 cache_read_audio_tokens, 80 output_tokens, 80 reasoning_tokens, 1080 total_tokens";
    assert_eq!(usage(used).inconsistencies(), []);
    assert_eq!(usage("300 cache_read_tokens").inconsistencies(), [], "an unknown whole is not a small one");
}

#[test]
fn a_cost_survives_json() {
    let speech = price(r#"{"audio_milliseconds": "1/hour"}"#);
    let cost = speech.cost_of(&usage("1 audio_milliseconds")).unwrap();
    let json = serde_json::to_string(&cost).unwrap();
    assert!(json.contains(r#""total":0.000000278,"#), "{json}");
    assert!(json.contains(r#""amount":0.00000027777777777778"#), "{json}");
    assert_eq!(serde_json::from_str::<pricing::Cost>(&json).unwrap(), cost);
    assert_eq!(serde_json::from_str::<Price>(&serde_json::to_string(&speech).unwrap()).unwrap(), speech);
}

#[test]
fn reasons_survive_json() {
    let reason = Unpriced::UnitNotPriced { provider: "p".into(), model: "m".into(), unit: Unit::Pages };
    let json = serde_json::to_string(&reason).unwrap();
    assert_eq!(json, r#"{"code":"unit_not_priced","provider":"p","model":"m","unit":"pages"}"#);
    assert_eq!(serde_json::from_str::<Unpriced>(&json).unwrap(), reason);
}

const CHAT_UNITS: [Unit; 12] = [
    Unit::InputTokens,
    Unit::OutputTokens,
    Unit::CacheReadTokens,
    Unit::CacheWriteTokens,
    Unit::CacheWrite1hTokens,
    Unit::ReasoningTokens,
    Unit::InputAudioTokens,
    Unit::CacheReadAudioTokens,
    Unit::InputImageTokens,
    Unit::CacheReadImageTokens,
    Unit::OutputAudioTokens,
    Unit::CitationTokens,
];

/// Any counts at all, consistent or not.
fn any_usage() -> impl Strategy<Value = Usage> {
    let count = prop_oneof![Just(0), 1..1_000_u64, 1..400_000_u64, any::<u64>()];
    prop::collection::vec((prop::sample::select(&CHAT_UNITS[..]), count), 1..12).prop_map(Usage::from_iter)
}

fn any_price() -> impl Strategy<Value = Price> {
    prop::sample::select(vec![
        price(CHAT),
        price(TIERED),
        price(r#"{"input_tokens": "1.234567891", "output_tokens": "3"}"#),
    ])
}

proptest! {
    #[test]
    fn the_items_add_up_to_the_total(price in any_price(), used in any_usage()) {
        if let Ok(cost) = price.cost_of(&used) {
            let sum: Amount = cost.items.iter().map(|item| item.amount).sum();
            prop_assert_eq!(sum.round(), Some(cost.total));
            prop_assert!(cost.total >= Money::ZERO);
        }
    }

    #[test]
    fn the_total_alone_is_that_of_the_bill(price in any_price(), used in any_usage()) {
        let counts = Counts::of(&used).unwrap();
        let cost = price.cost_of(&used);
        prop_assert_eq!(price.total_of(&counts), cost.clone().map(|cost| cost.total));
        if let (Ok(cost), Some(Ok(uncached))) = (cost, counts.uncached().map(|counts| price.total_of(&counts))) {
            prop_assert_eq!(uncached.checked_sub(cost.total), Some(cost.cache_savings));
        }
    }

    #[test]
    fn every_token_is_charged_once(used in any_usage()) {
        let flat = price(r#"{"input_tokens": "1", "output_tokens": "1"}"#);
        if let Ok(cost) = flat.cost_of(&used)
            && used.inconsistencies().is_empty()
            && used.get(Unit::InputTokens).is_some()
            && used.get(Unit::OutputTokens).is_some()
        {
            let charged: u64 = cost.items.iter().map(|item| item.count).sum();
            prop_assert_eq!(charged, used.count(Unit::InputTokens) + used.count(Unit::OutputTokens));
        }
    }

    #[test]
    fn a_larger_total_never_costs_less(price in any_price(), used in any_usage(), more in 1..1_000_000_u64) {
        for unit in [Unit::InputTokens, Unit::OutputTokens] {
            let grown = used.clone().with(unit, used.count(unit).saturating_add(more));
            if let (Ok(before), Ok(after)) = (price.cost_of(&used), price.cost_of(&grown)) {
                prop_assert!(after.total >= before.total, "{:?} {} {:?}", used, before.total, after.total);
            }
        }
    }

    #[test]
    fn flat_prices_add_exactly(a in any_usage(), b in any_usage()) {
        let chat = price(r#"{"input_tokens": "0.123456789", "output_tokens": "7.000000001"}"#);
        let exact = |used: &Usage| {
            let cost = chat.cost_of(used).ok()?;
            Some(cost.items.iter().map(|item| item.amount).sum::<Amount>())
        };
        let simple = |used: &Usage| [Unit::InputTokens, Unit::OutputTokens].map(|unit| (unit, used.count(unit) / 4));
        let both = simple(&a).into_iter().zip(simple(&b)).map(|((unit, a), (_, b))| (unit, a + b)).collect();
        let (a, b) = (simple(&a).into_iter().collect(), simple(&b).into_iter().collect());
        if let (Some(a), Some(b), Some(both)) = (exact(&a), exact(&b), exact(&both)) {
            prop_assert_eq!(a + b, both);
        }
    }
}
