//! Rates of the source as rates of the catalog.

use serde_json::value::RawValue;

use super::source::{Prices, Tiers};
use super::{NotUnderstood, NoteKind, Notes, RateCard, Result};
use crate::file::Rates;
use crate::{Rate, Unit};

/// What a price key of the source counts, and for how many of it a price is.
#[derive(Clone, Copy)]
enum Per {
    Million,
    Thousand,
    Hour,
}

/// Converts `prices`, whose numbers never pass through a float. A price for something that the catalog does not know
/// is noted and missing.
pub(super) fn rate_card(prices: &Prices, owner: &str, notes: &mut Notes) -> Result<RateCard> {
    let mut card = RateCard::new();
    for (key, value) in prices {
        match unit_of(key) {
            Some((unit, per)) => {
                card.insert(unit, rates(value, per, &format!("{owner} {key}"), notes)?);
            }
            None => notes.add(NoteKind::NotUnderstood, format!("the price key {key}"), owner),
        }
    }
    Ok(card)
}

fn rates(value: &RawValue, per: Per, owner: &str, notes: &mut Notes) -> Result<Rates> {
    if !value.get().starts_with('{') {
        return Ok(Rates::Flat(rate(value.get(), per, owner, notes)?));
    }
    let Tiers { base, mut tiers } = serde_json::from_str(value.get())?;
    tiers.sort_by_key(|tier| tier.start);
    let mut rates = vec![(0, rate(base.get(), per, owner, notes)?)];
    for tier in tiers {
        rates.push((tier.start.saturating_add(1), rate(tier.price.get(), per, owner, notes)?));
    }
    Ok(Rates::Tiered(rates))
}

fn rate(text: &str, per: Per, owner: &str, notes: &mut Notes) -> Result<Rate> {
    let parsed = match per {
        Per::Million | Per::Thousand => Rate::parse_usd_per_million(text)?,
        Per::Hour => Rate::parse_usd_per_hour(text)?,
    };
    if text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 9) {
        notes.add(NoteKind::Rounded, format!("{text} to {parsed}"), owner);
    }
    let factor = if matches!(per, Per::Thousand) { 1000 } else { 1 };
    let nanos = parsed.nanos.checked_mul(factor);
    Ok(Rate { nanos: nanos.ok_or_else(|| NotUnderstood::new("a rate out of range"))?, ..parsed })
}

fn unit_of(key: &str) -> Option<(Unit, Per)> {
    use Per::{Hour, Million, Thousand};
    Some(match key {
        "input_mtok" => (Unit::InputTokens, Million),
        "output_mtok" => (Unit::OutputTokens, Million),
        "cache_read_mtok" => (Unit::CacheReadTokens, Million),
        "cache_write_mtok" => (Unit::CacheWriteTokens, Million),
        "cache_write_1h_mtok" => (Unit::CacheWrite1hTokens, Million),
        "input_audio_mtok" => (Unit::InputAudioTokens, Million),
        "cache_audio_read_mtok" => (Unit::CacheReadAudioTokens, Million),
        "output_audio_mtok" => (Unit::OutputAudioTokens, Million),
        "input_image_mtok" => (Unit::InputImageTokens, Million),
        "cache_image_read_mtok" => (Unit::CacheReadImageTokens, Million),
        "output_image_mtok" => (Unit::OutputImageTokens, Million),
        "input_video_mtok" => (Unit::InputVideoTokens, Million),
        "output_video_mtok" => (Unit::OutputVideoTokens, Million),
        "output_reasoning_mtok" => (Unit::ReasoningTokens, Million),
        "output_citation_mtok" => (Unit::CitationTokens, Million),
        "input_mchars" => (Unit::InputCharacters, Million),
        "audio_hours" => (Unit::AudioMilliseconds, Hour),
        "input_audio_hours" => (Unit::InputAudioMilliseconds, Hour),
        "input_document_kpages" => (Unit::Pages, Thousand),
        "input_annotated_document_kpages" => (Unit::AnnotatedPages, Thousand),
        "input_text_messages_kcount" => (Unit::TextMessages, Thousand),
        "requests_kcount" => (Unit::Requests, Thousand),
        "web_searches_kcount" => (Unit::WebSearches, Thousand),
        "storage_searches_kcount" => (Unit::FileSearches, Thousand),
        _ => return None,
    })
}
