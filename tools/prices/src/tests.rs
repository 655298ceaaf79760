//! The catalog is what the converter writes, and costs what the source's own calculator says.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "the source calculates with floats"
)]

use std::time::{Duration, SystemTime};

use pricing::{Call, Catalog, Price, Unit, Usage};

use super::*;

#[test]
fn the_catalog_is_up_to_date() {
    let package = Package::find().unwrap();
    let path = package.folder.join("data/prices.json");
    let catalog = read(&package, &path).unwrap().catalog;
    let committed = |name: &str| std::fs::read_to_string(catalog_folder().join(name)).unwrap();
    assert!(write::catalog(&catalog).unwrap() == committed("catalog.json"), "run `make prices`");
    assert!(notice(&package).unwrap() == committed("NOTICE"), "run `make prices`");
}

/// Usages in both vocabularies; those that a price has no rate for are not compared.
const USAGES: [&[(Unit, &str, u64)]; 6] = [
    &[(Unit::InputTokens, "input_tokens", 1_234), (Unit::OutputTokens, "output_tokens", 567)],
    &[
        (Unit::InputTokens, "input_tokens", 300_000),
        (Unit::OutputTokens, "output_tokens", 1_000),
        (Unit::CacheReadTokens, "cache_read_tokens", 200_000),
        (Unit::CacheWriteTokens, "cache_write_tokens", 50_000),
        (Unit::CacheWrite1hTokens, "cache_write_1h_tokens", 20_000),
    ],
    &[
        (Unit::InputTokens, "input_tokens", 100_000),
        (Unit::InputAudioTokens, "input_audio_tokens", 70_000),
        (Unit::CacheReadTokens, "cache_read_tokens", 40_000),
        (Unit::CacheReadAudioTokens, "cache_audio_read_tokens", 30_000),
        (Unit::OutputTokens, "output_tokens", 900),
        (Unit::OutputAudioTokens, "output_audio_tokens", 600),
    ],
    &[
        (Unit::InputTokens, "input_tokens", 272_000),
        (Unit::InputImageTokens, "input_image_tokens", 70_000),
        (Unit::OutputTokens, "output_tokens", 5_000),
        (Unit::OutputImageTokens, "output_image_tokens", 4_000),
        (Unit::WebSearches, "web_searches", 3),
    ],
    &[
        (Unit::AudioMilliseconds, "audio_seconds", 90_000),
        (Unit::InputAudioMilliseconds, "input_audio_seconds", 90_000),
    ],
    &[
        (Unit::Pages, "input_document_pages", 12),
        (Unit::AnnotatedPages, "input_annotated_document_pages", 5),
        (Unit::InputCharacters, "input_characters", 4_321),
        (Unit::TextMessages, "input_text_messages", 7),
    ],
];

const DAYS: [&str; 4] =
    ["2025-01-15T12:00:00Z", "2026-08-20T02:00:00Z", "2026-11-02T18:00:00Z", "2027-01-02T08:00:00Z"];

#[test]
fn costs_agree_with_the_source() {
    let compared = Catalog::embedded().prices().map(compare).sum::<usize>();
    assert!(compared > 20_000, "{compared}");
}

fn compare(price: &Price) -> usize {
    // The overlay corrects some rows on purpose.
    let corrected = ["priced like global.", "long-context rates as in LiteLLM"];
    let is_corrected = |notes: &str| corrected.iter().any(|correction| notes.contains(correction));
    if price.source.name != PACKAGE || price.notes.as_deref().is_some_and(is_corrected) {
        return 0;
    }
    let days = DAYS.iter().map(|day| day.parse().unwrap());
    days.map(|at| USAGES.iter().filter(|usage| compare_usage(price, usage, at)).count()).sum()
}

/// Whether both have a cost.
fn compare_usage(price: &Price, counts: &[(Unit, &str, u64)], at: jiff::Timestamp) -> bool {
    let tier = price.conditions.service_tier.as_deref();
    let call = Call::new(Some(&price.provider), &price.model, at).service_tier(tier);
    let found = Catalog::embedded().find_price(&call).unwrap();
    assert_eq!(found.price.model, price.model);
    let priced = |unit| found.price.rates.contains_key(&unit);
    // The source gives a discount for cached tokens in OpenAI's batches, which OpenAI does not.
    if price.provider == "openai" && tier == Some("batch") && !priced(Unit::CacheReadTokens) {
        return false;
    }
    let usage: Usage = counts.iter().map(|&(unit, _, count)| (unit, count)).collect();
    // The source ignores what it has no rate for; we do not, so only what is priced is compared.
    let usage: Usage = usage.iter().filter(|&(unit, _)| priced(unit) || is_token_detail(unit)).collect();
    let Ok(cost) = found.price.cost_of(&usage) else { return false };
    let Some(theirs) = source_cost(price, counts, at, tier) else { return false };
    // A price per million is at most half a nano-dollar off its source.
    let tolerance = 1e-9 + usage.iter().map(|(_, count)| count as f64).sum::<f64>() * 1e-15;
    let ours: f64 = cost.total.to_string().parse().unwrap();
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{} at {at}: {ours} for {usage:?}, the source says {theirs}",
        price.id
    );
    true
}

fn is_token_detail(unit: Unit) -> bool {
    unit.as_str().ends_with("_tokens") && unit != Unit::InputTokens && unit != Unit::OutputTokens
}

fn source_cost(
    price: &Price,
    counts: &[(Unit, &str, u64)],
    at: jiff::Timestamp,
    tier: Option<&str>,
) -> Option<f64> {
    let divisor = |unit: Unit| if unit.per() == pricing::Per::Hour { 1000.0 } else { 1.0 };
    let usage: genai_prices::Usage = counts
        .iter()
        .map(|&(unit, key, count)| (genai_prices::UsageKey::from(key), count as f64 / divisor(unit)))
        .collect();
    let provider = Catalog::embedded().find_provider(&price.provider).unwrap();
    let mut request = genai_prices::PriceRequest::new(&price.model, &usage)
        .with_provider_id(provider.source_id())
        .with_timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millisecond().unsigned_abs()));
    if let Some(tier) = tier {
        let key = if tier == "batch" { "processing" } else { "service_tier" };
        request = request.with_price_context(key, tier);
    }
    // Not every id of the source is a name that its rules recognise as that model.
    let calculated = genai_prices::calculate(&request).ok();
    calculated
        .filter(|calculated| calculated.model_id == price.model)
        .map(|calculated| calculated.total_price)
}
