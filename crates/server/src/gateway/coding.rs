//! Reading a compressed reply while it passes by.

use std::io::Write as _;

use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;

/// How a reply is compressed.
pub(super) enum Coding {
    None,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// It cannot be read, or turned out to be damaged.
    Unreadable,
}

impl Coding {
    /// That of a reply with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        match coding.map(str::trim) {
            None | Some("" | "identity") => Self::None,
            Some("gzip" | "x-gzip") => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Some(coding) => {
                tracing::warn!(
                    coding,
                    "a reply comes in an encoding that was not asked for; it is not metered"
                );
                Self::Unreadable
            }
        }
    }

    /// Gives what stands in the next piece to `read`.
    pub(super) fn push(&mut self, piece: &[u8], mut read: impl FnMut(&[u8])) {
        match self {
            Self::None => read(piece),
            Self::Gzip(decoder) => {
                let is_good = decoder.write_all(piece).and_then(|()| decoder.flush()).is_ok();
                read(&std::mem::take(decoder.get_mut()));
                if !is_good {
                    *self = Self::Unreadable;
                }
            }
            Self::Unreadable => {}
        }
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
