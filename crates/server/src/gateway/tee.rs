//! Metering a reply while it passes by.

use std::io::Write as _;

use axum::http::{HeaderMap, header};
use domain::{
    limits::CONTENT_BYTES_MAX,
    wire::{Dialect, Metered, StreamMeter, meter_headers},
};
use flate2::write::MultiGzDecoder;

use super::bedrock::EventFrames;

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

/// How the reply is compressed.
enum Coding {
    None,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// It cannot be read, or turned out to be damaged.
    Unreadable,
}

impl Tee {
    /// A tee for a reply with these headers, which keeps the text of the answer if it is told to.
    pub(super) fn new(dialect: Dialect, headers: &HeaderMap, keeps_answer: bool) -> Self {
        let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
        let coding = match text(header::CONTENT_ENCODING).map(str::trim) {
            None | Some("" | "identity") => Coding::None,
            Some("gzip" | "x-gzip") => Coding::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Some(other) => {
                tracing::warn!(
                    coding = other,
                    "a reply comes in an encoding that was not asked for; it is not metered"
                );
                Coding::Unreadable
            }
        };
        let is_framed = text(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with("application/vnd.amazon.eventstream"));
        let pairs = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let meter = StreamMeter::new(dialect);
        let told_by_headers = matches!(dialect, Dialect::BedrockConverse | Dialect::BedrockInvoke);
        Self {
            coding,
            frames: is_framed.then(EventFrames::default),
            meter: if keeps_answer { meter.keeping_answer(CONTENT_BYTES_MAX) } else { meter },
            headers: told_by_headers.then(|| meter_headers(pairs)).flatten().unwrap_or_default(),
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let Self { coding, frames, meter, .. } = self;
        let mut read = |bytes: &[u8]| match frames {
            Some(frames) => frames.push(bytes, meter),
            None => meter.push(bytes),
        };
        match coding {
            Coding::None => read(piece),
            Coding::Gzip(decoder) => {
                let is_good = decoder.write_all(piece).and_then(|()| decoder.flush()).is_ok();
                read(&std::mem::take(decoder.get_mut()));
                if !is_good {
                    *coding = Coding::Unreadable;
                }
            }
            Coding::Unreadable => {}
        }
    }

    /// What the reply said of the call, however it ended.
    pub(super) fn finish(mut self) -> Told {
        let (answer_bytes, answer) = (self.meter.answer_bytes(), self.meter.take_answer());
        Told { metered: self.meter.finish().unwrap_or_default().or(self.headers), answer_bytes, answer }
    }
}

impl std::fmt::Debug for Coding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Gzip(_) => "Gzip",
            Self::Unreadable => "Unreadable",
        })
    }
}
