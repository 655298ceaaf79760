//! `LiteLLM`'s price keys: what they count, from which prompt size, in which service tier.

use super::number::Quantity;
use crate::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'k> {
    /// The key without threshold and tier.
    pub(super) base: &'k str,
    pub(super) input_tokens_min: u64,
    pub(super) tier: Option<&'static str>,
}

/// What a key's price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Price(Unit, Quantity),
    /// The same as another key, or nothing.
    Redundant,
    /// Something that the catalog cannot represent.
    Unknown,
}

const TIERS: [(&str, &str); 6] = [
    ("_batches", "batch"),
    ("_flex", "flex"),
    ("_priority", "priority"),
    ("_balanced", "balanced"),
    ("_ultrafast", "ultrafast"),
    ("_decisions", "decisions"),
];

const THRESHOLD: &str = "_above_";
const THRESHOLD_UNIT: &str = "k_tokens";

impl<'k> Key<'k> {
    pub(super) fn parse(key: &'k str) -> Self {
        let suffixed = TIERS.iter().find_map(|(suffix, tier)| Some((key.strip_suffix(suffix)?, Some(*tier))));
        let (key, tier) = suffixed.unwrap_or((key, None));
        let (base, input_tokens_min) = split_threshold(key).unwrap_or((key, 0));
        Self { base, input_tokens_min, tier }
    }
}

/// A price holds for prompts with *more* tokens than its key says.
fn split_threshold(key: &str) -> Option<(&str, u64)> {
    let (base, threshold) = key.rsplit_once(THRESHOLD)?;
    let thousands: u64 = threshold.strip_suffix(THRESHOLD_UNIT)?.parse().ok()?;
    Some((base, thousands.checked_mul(1_000)?.checked_add(1)?))
}

/// Whether a key of a model says what something costs.
pub(super) fn is_price(key: &str) -> bool {
    let parts = ["cost", "pricing", "multiplier", "provider_specific_entry", "search_free_requests"];
    parts.iter().any(|part| key.contains(part))
}

/// Keys that mean the same in every model.
const PRICES: [(&str, Unit, Quantity); 28] = [
    ("input_cost_per_token", Unit::InputTokens, Quantity::One),
    ("output_cost_per_token", Unit::OutputTokens, Quantity::One),
    ("cache_read_input_token_cost", Unit::CacheReadTokens, Quantity::One),
    ("input_cost_per_token_cache_hit", Unit::CacheReadTokens, Quantity::One),
    ("cache_creation_input_token_cost", Unit::CacheWriteTokens, Quantity::One),
    ("cache_creation_input_token_cost_above_1hr", Unit::CacheWrite1hTokens, Quantity::One),
    ("cache_creation_input_token_cost_above_12hr", Unit::CacheWrite12hTokens, Quantity::One),
    ("cache_read_input_audio_token_cost", Unit::CacheReadAudioTokens, Quantity::One),
    ("cache_read_input_image_token_cost", Unit::CacheReadImageTokens, Quantity::One),
    ("output_cost_per_reasoning_token", Unit::ReasoningTokens, Quantity::One),
    ("citation_cost_per_token", Unit::CitationTokens, Quantity::One),
    ("input_cost_per_audio_token", Unit::InputAudioTokens, Quantity::One),
    ("output_cost_per_audio_token", Unit::OutputAudioTokens, Quantity::One),
    ("input_cost_per_image_token", Unit::InputImageTokens, Quantity::One),
    ("output_cost_per_image_token", Unit::OutputImageTokens, Quantity::One),
    ("input_cost_per_video_token", Unit::InputVideoTokens, Quantity::One),
    ("output_cost_per_video_token", Unit::OutputVideoTokens, Quantity::One),
    ("output_cost_per_image", Unit::Images, Quantity::One),
    ("input_cost_per_character", Unit::InputCharacters, Quantity::One),
    ("input_cost_per_audio_per_second", Unit::InputAudioMilliseconds, Quantity::Second),
    ("input_cost_per_video_per_second", Unit::InputVideoMilliseconds, Quantity::Second),
    ("output_cost_per_video_per_second", Unit::OutputVideoMilliseconds, Quantity::Second),
    ("ocr_cost_per_page", Unit::Pages, Quantity::One),
    ("annotation_cost_per_page", Unit::AnnotatedPages, Quantity::One),
    ("input_cost_per_text_message", Unit::TextMessages, Quantity::One),
    ("search_context_cost_per_query", Unit::WebSearches, Quantity::One),
    ("code_interpreter_cost_per_session", Unit::CodeExecutions, Quantity::One),
    ("file_search_cost_per_1k_calls", Unit::FileSearches, Quantity::Thousand),
];

/// What `base` counts in a model of this mode; `has` tells which other keys the model has.
pub(super) fn meaning(base: &str, mode: &str, has: impl Fn(&str) -> bool) -> Meaning {
    if is_redundant(base, mode, &has) {
        return Meaning::Redundant;
    }
    let by_mode = match base {
        "input_cost_per_query" | "input_cost_per_request" => Some((Unit::Requests, Quantity::One)),
        // Image makers were once listed by this key.
        "input_cost_per_image" if makes_images(mode) && !has("output_cost_per_image") => {
            Some((Unit::Images, Quantity::One))
        }
        "input_cost_per_image" => Some((Unit::InputImages, Quantity::One)),
        "input_cost_per_second" if is_speech(mode) => Some((Unit::InputAudioMilliseconds, Quantity::Second)),
        "output_cost_per_second" if is_speech(mode) => {
            Some((Unit::OutputAudioMilliseconds, Quantity::Second))
        }
        "output_cost_per_second" if mode == "video_generation" => {
            Some((Unit::OutputVideoMilliseconds, Quantity::Second))
        }
        _ => None,
    };
    let always = || PRICES.iter().find(|(key, ..)| *key == base).map(|&(_, unit, quantity)| (unit, quantity));
    match by_mode.or_else(always) {
        Some((unit, quantity)) => Meaning::Price(unit, quantity),
        None => Meaning::Unknown,
    }
}

/// Whether the same content is charged by another key of the model, in another measure.
fn is_redundant(base: &str, mode: &str, has: impl Fn(&str) -> bool) -> bool {
    match base {
        "input_cost_per_token_cache_hit" => has("cache_read_input_token_cost"),
        "input_cost_per_image" | "output_cost_per_image" => {
            has("output_cost_per_image_token") || mode == "chat" && has("output_cost_per_token")
        }
        "input_cost_per_second" | "input_cost_per_audio_per_second" => {
            has("input_cost_per_audio_token") || is_speech(mode) && has("output_cost_per_token")
        }
        "output_cost_per_second" => {
            mode == "audio_transcription" || is_speech(mode) && has("output_cost_per_audio_token")
        }
        "input_cost_per_video_per_second" => {
            matches!(mode, "chat" | "realtime") && has("input_cost_per_token")
        }
        "output_cost_per_video_per_second" => has("output_cost_per_second"),
        "input_cost_per_character" => has("input_cost_per_token"),
        _ => false,
    }
}

fn makes_images(mode: &str) -> bool {
    matches!(mode, "image_generation" | "image_edit")
}

fn is_speech(mode: &str) -> bool {
    matches!(mode, "audio_transcription" | "audio_speech" | "realtime")
}

#[cfg(test)]
mod tests {
    use super::{Key, Meaning, is_price, meaning};
    use crate::Unit;

    #[test]
    fn keys_are_taken_apart() {
        let vectors = [
            ("input_cost_per_token", "input_cost_per_token", 0, None),
            ("input_cost_per_token_batches", "input_cost_per_token", 0, Some("batch")),
            ("output_cost_per_token_above_200k_tokens", "output_cost_per_token", 200_001, None),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens_priority",
                "cache_creation_input_token_cost_above_1hr",
                200_001,
                Some("priority"),
            ),
            (
                "cache_creation_input_token_cost_above_1hr",
                "cache_creation_input_token_cost_above_1hr",
                0,
                None,
            ),
            (
                "input_cost_per_video_per_second_above_8s_interval",
                "input_cost_per_video_per_second_above_8s_interval",
                0,
                None,
            ),
        ];
        for (key, base, input_tokens_min, tier) in vectors {
            assert_eq!(Key::parse(key), Key { base, input_tokens_min, tier });
        }
        assert!(is_price("regional_processing_uplift_multiplier_eu"));
        assert!(!is_price("max_input_tokens"));
    }

    #[test]
    fn what_a_key_counts_depends_on_the_model() {
        let unit =
            |base: &str, mode: &str, keys: &[&str]| match meaning(base, mode, |key| keys.contains(&key)) {
                Meaning::Price(unit, _) => Some(unit),
                Meaning::Redundant | Meaning::Unknown => None,
            };
        assert_eq!(
            unit("input_cost_per_second", "audio_transcription", &[]),
            Some(Unit::InputAudioMilliseconds)
        );
        assert_eq!(unit("input_cost_per_second", "chat", &[]), None);
        assert_eq!(
            unit("output_cost_per_second", "video_generation", &[]),
            Some(Unit::OutputVideoMilliseconds)
        );
        assert_eq!(unit("input_cost_per_image", "image_generation", &[]), Some(Unit::Images));
        assert_eq!(
            unit("input_cost_per_image", "image_generation", &["output_cost_per_image"]),
            Some(Unit::InputImages)
        );
        assert_eq!(unit("output_cost_per_image", "chat", &["output_cost_per_token"]), None);
        assert_eq!(unit("output_cost_per_pixel", "image_generation", &[]), None);
    }
}
