//! What must hold for any bytes.

use domain::{
    limits,
    wire::{
        Dialect, Metered, StreamMeter, meter_lines, meter_reply, meter_reply_value, meter_value,
        usage_from_object,
    },
};
use serde_json::Value;

/// Reads `bytes` in every way in `dialect`: nothing panics, no count is larger than any call's, and a stream says the
/// same whole, byte by byte, and in pieces as long as its first byte says.
pub fn check_dialect(dialect: Dialect, bytes: &[u8]) {
    check_counts(meter_reply(dialect, bytes).as_ref());
    meter_lines(dialect, bytes).for_each(|metered| check_counts(metered.as_ref()));
    let whole = in_pieces(dialect, bytes, bytes.len().max(1));
    check_counts(whole.as_ref());
    let piece_bytes = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    assert_eq!(in_pieces(dialect, bytes, piece_bytes), whole);
    assert_eq!(in_pieces(dialect, bytes, 1), whole);
    let mut by_event = StreamMeter::new(dialect);
    bytes.split(|byte| *byte == b'\n').for_each(|event| by_event.push_event(event));
    check_counts(by_event.finish().as_ref());
}

/// Reads JSON of which nobody says in what dialect it is.
pub fn check_value(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    for provider in
        [None, Some("openai"), Some("anthropic"), Some("bedrock"), Some("xai"), Some("perplexity")]
    {
        let metered = meter_value(provider, &value);
        check_counts(metered.as_ref());
        check_counts(meter_reply_value(provider, &value).as_ref());
        let usage = usage_from_object(provider, &value).unwrap_or_default();
        if let Some(metered) = metered {
            metered.usage.iter().for_each(|(unit, count)| assert_eq!(usage.get(unit), Some(count)));
        }
    }
}

fn in_pieces(dialect: Dialect, bytes: &[u8], piece_bytes: usize) -> Option<Metered> {
    let mut meter = StreamMeter::new(dialect);
    bytes.chunks(piece_bytes).for_each(|piece| meter.push(piece));
    meter.finish()
}

fn check_counts(metered: Option<&Metered>) {
    let Some(metered) = metered else { return };
    metered.usage.iter().for_each(|(unit, count)| assert!(count <= limits::COUNT_MAX, "{unit} {count}"));
}
