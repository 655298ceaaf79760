//! What holds for every reply, whole, cut, split or broken.

use domain::{
    limits,
    wire::{Dialect, Metered, StreamMeter, meter_reply, meter_value},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value};

use crate::fixture::{DIALECTS, Fixture, all};

fn streams() -> Vec<Fixture> {
    all().into_iter().filter(|fixture| fixture.is_stream() && fixture.bytes.len() < 20_000).collect()
}

fn in_pieces(dialect: Dialect, bytes: &[u8], cuts: &[usize]) -> Option<Metered> {
    let mut meter = StreamMeter::new(dialect);
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        meter.push(&bytes[start..end]);
        start = end;
    }
    meter.finish()
}

#[test]
fn bytes_that_come_one_by_one_say_the_same() {
    for fixture in streams() {
        let whole = in_pieces(fixture.dialect, &fixture.bytes, &[]);
        let cuts: Vec<usize> = (0..fixture.bytes.len()).collect();
        assert_eq!(in_pieces(fixture.dialect, &fixture.bytes, &cuts), whole, "{}", fixture.path);
    }
}

/// Counts of a stream are cumulative: whatever was cut off, nothing is charged that the whole did not charge.
#[test]
fn a_cut_stream_never_counts_more() {
    for fixture in streams() {
        let whole =
            in_pieces(fixture.dialect, &fixture.bytes, &[]).map(|whole| whole.usage).unwrap_or_default();
        for end in (0..fixture.bytes.len()).step_by(17) {
            let Some(cut) = in_pieces(fixture.dialect, &fixture.bytes[..end], &[]) else { continue };
            for (unit, count) in cut.usage.iter() {
                assert!(count <= whole.count(unit), "{} cut at {end}: {unit} {count}", fixture.path);
            }
        }
    }
}

fn is_sane(metered: Option<&Metered>) -> bool {
    metered.is_none_or(|metered| metered.usage.iter().all(|(_, count)| count <= limits::COUNT_MAX))
}

/// What every way to read gives without a panic, for every dialect.
fn read_every_way(bytes: &[u8]) {
    for (_, dialect) in DIALECTS {
        assert!(is_sane(meter_reply(dialect, bytes).as_ref()));
        assert!(is_sane(in_pieces(dialect, bytes, &[bytes.len() / 2]).as_ref()));
    }
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        assert!(is_sane(meter_value(None, &value).as_ref()));
    }
}

/// JSON of the words that dialects read, in places where they are not expected.
fn unexpected() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 40] = [
        "usage",
        "usageMetadata",
        "usage_info",
        "response",
        "message",
        "metadata",
        "delta",
        "result",
        "data",
        "choices",
        "output",
        "candidates",
        "predictions",
        "iterations",
        "cacheDetails",
        "promptTokensDetails",
        "meta",
        "billed_units",
        "tokens",
        "input_tokens",
        "output_tokens",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "promptTokenCount",
        "inputTokens",
        "inputTokenCount",
        "prompt_token_count",
        "cached_tokens",
        "prompt_tokens_details",
        "input_tokens_details",
        "cost",
        "cost_in_usd_ticks",
        "seconds",
        "type",
        "model",
        "id",
        "modality",
        "tokenCount",
        "amazon-bedrock-invocationMetrics",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..2_000).prop_map(Value::from),
        "[a-zA-Z_]{0,12}".prop_map(Value::from),
        Just(Value::from("message")),
        Just(Value::from("AUDIO")),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let object = vec((0..WORDS.len(), inner.clone()), 0..8).prop_map(|entries| {
            Value::Object(
                entries
                    .into_iter()
                    .map(|(word, value)| (WORDS[word].to_owned(), value))
                    .collect::<Map<_, _>>(),
            )
        });
        prop_oneof![vec(inner, 0..6).prop_map(Value::from), object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_says_the_same_however_it_is_split(at in any::<Index>(), cuts in vec(any::<Index>(), 0..12)) {
        let streams = streams();
        let fixture = &streams[at.index(streams.len())];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(fixture.bytes.len())).collect();
        cuts.sort_unstable();
        let whole = in_pieces(fixture.dialect, &fixture.bytes, &[]);
        prop_assert_eq!(in_pieces(fixture.dialect, &fixture.bytes, &cuts), whole, "{} at {:?}", fixture.path, cuts);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..2_000)) {
        read_every_way(&bytes);
    }

    #[test]
    fn no_broken_reply_panics(at in any::<Index>(), edits in vec((any::<Index>(), 0..3, any::<u8>()), 1..20)) {
        let fixtures = all();
        let mut bytes = fixtures[at.index(fixtures.len())].bytes.clone();
        for (place, kind, byte) in edits {
            let place = place.index(bytes.len().max(1));
            match kind {
                0 if place < bytes.len() => bytes[place] = byte,
                1 if place < bytes.len() => drop(bytes.remove(place)),
                _ => bytes.insert(place, byte),
            }
        }
        read_every_way(&bytes);
    }

    #[test]
    fn no_unexpected_value_panics(value in unexpected()) {
        read_every_way(value.to_string().as_bytes());
        for provider in ["openai", "anthropic", "google", "bedrock", "cohere", "xai", "perplexity", ""] {
            prop_assert!(is_sane(meter_value(Some(provider), &value).as_ref()));
        }
    }
}
