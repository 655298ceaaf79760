//! Metering a reply while it passes by.

use axum::http::{HeaderMap, header};
use domain::{
    limits::CONTENT_BYTES_MAX,
    wire::{Dialect, Metered, StreamMeter, meter_headers},
};

use super::{bedrock::EventFrames, coding::Coding};

/// Reads along with what passes.
#[derive(Debug)]
pub(super) struct Tee {
    coding: Coding,
    frames: Option<EventFrames>,
    meter: StreamMeter,
    headers: Metered,
}

/// What was read along the way.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What the reply said of the call.
    pub(super) metered: Metered,
    /// Bytes of the answer in it, about.
    pub(super) answer_bytes: u64,
    /// The text of the answer, if it was to be kept.
    pub(super) answer: Option<String>,
}

impl Tee {
    /// A tee for a reply with these headers, which keeps the text of the answer if it is told to.
    pub(super) fn new(dialect: Dialect, headers: &HeaderMap, keeps_answer: bool) -> Self {
        let is_framed = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_framed = is_framed.is_some_and(|kind| kind.starts_with("application/vnd.amazon.eventstream"));
        let pairs = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let meter = StreamMeter::new(dialect);
        let told_by_headers = matches!(dialect, Dialect::BedrockConverse | Dialect::BedrockInvoke);
        Self {
            coding: Coding::of(headers),
            frames: is_framed.then(EventFrames::default),
            meter: if keeps_answer { meter.keeping_answer(CONTENT_BYTES_MAX) } else { meter },
            headers: told_by_headers.then(|| meter_headers(pairs)).flatten().unwrap_or_default(),
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let Self { coding, frames, meter, .. } = self;
        coding.push(piece, |bytes| match frames {
            Some(frames) => frames.push(bytes, meter),
            None => meter.push(bytes),
        });
    }

    /// What the reply said of the call, however it ended.
    pub(super) fn finish(mut self) -> Told {
        let (answer_bytes, answer) = (self.meter.answer_bytes(), self.meter.take_answer());
        Told { metered: self.meter.finish().unwrap_or_default().or(self.headers), answer_bytes, answer }
    }
}
