//! What a request wants to see.

use hyper::HeaderMap;

/// How the fake shall behave, from the header `x-fake`.
///
/// A chunk is one event of a stream; a reply that is no stream has four. Held replies go on when they are released.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// `status=429`: this status with an error in the provider's shape; 429 and 503 say `retry-after: 7`.
    pub status: Option<u16>,
    /// `hold`: nothing is sent until released.
    pub hold: bool,
    /// `stall-after=2`: so many chunks are sent, the rest when released.
    pub stall_after: Option<usize>,
    /// `cut-after=2`: so many chunks are sent, then the connection is closed in the middle of the reply.
    pub cut_after: Option<usize>,
    /// `byte-at-a-time`: every byte is sent by itself.
    pub byte_at_a_time: bool,
    /// `gzip`: the reply is compressed, whatever the request accepts.
    pub gzip: bool,
    /// `chunks=100`: in so many pieces the answer is streamed; it has as many words at least.
    pub chunks: Option<usize>,
    /// `answer-bytes=100000`: the answer has so many bytes.
    pub answer_bytes: Option<usize>,
    /// `trailer-usage=no`: the reply never says what was used. The ledger does.
    pub says_no_usage: bool,
    /// `redirect`: 302 to `/elsewhere` of this server.
    pub redirect: bool,
    /// `early`: the answer (an error, 413 unless `status` says another) is sent before the body is read.
    pub early: bool,
    /// `huge-headers`: the reply has sixty-four headers of a kibibyte each.
    pub huge_headers: bool,
    /// `cache-read`: what the request marks for the cache is read from it, not written to it.
    pub cache_read: bool,
    /// What the request wants to have used.
    pub(crate) wished: Wished,
}

/// Counts that the header `x-fake-usage` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wished {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cached: Option<u64>,
    pub(crate) written: Option<u64>,
    pub(crate) written_1h: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) thoughts: Option<u64>,
}

impl Behaviour {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut behaviour = Self::default();
        for (name, value) in items(headers, "x-fake") {
            behaviour.set(name, value);
        }
        for (name, value) in items(headers, "x-fake-usage") {
            let count = value.parse().ok();
            let wished = &mut behaviour.wished;
            match name {
                "input" => wished.input = count,
                "output" => wished.output = count,
                "cached" => wished.cached = count,
                "written" => wished.written = count,
                "written-1h" => wished.written_1h = count,
                "reasoning" => wished.reasoning = count,
                "thoughts" => wished.thoughts = count,
                _ => {}
            }
        }
        behaviour
    }

    fn set(&mut self, name: &str, value: &str) {
        let count = value.parse().ok();
        match name {
            "status" => self.status = value.parse().ok(),
            "hold" => self.hold = true,
            "stall-after" => self.stall_after = count,
            "cut-after" => self.cut_after = count,
            "byte-at-a-time" => self.byte_at_a_time = true,
            "gzip" => self.gzip = true,
            "chunks" => self.chunks = count,
            "answer-bytes" => self.answer_bytes = count,
            "trailer-usage" => self.says_no_usage = value == "no",
            "redirect" => self.redirect = true,
            "early" => self.early = true,
            "huge-headers" => self.huge_headers = true,
            "cache-read" => self.cache_read = true,
            _ => {}
        }
    }

    /// Whether the reply is sent as it is, all at once.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// `a, b=1` of every header of this name.
fn items<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let lists = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|item| {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        (name.trim(), value.trim())
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn headers_ask_for_behaviour() {
        let mut headers = HeaderMap::new();
        assert!(Behaviour::of(&headers).is_plain());
        headers.append("x-fake", HeaderValue::from_static("stall-after=3, gzip ,trailer-usage=no"));
        headers.append("x-fake", HeaderValue::from_static("status=529"));
        headers.append("x-fake-usage", HeaderValue::from_static("input=7,thoughts=2,written-1h=1"));
        let wished = Wished { input: Some(7), thoughts: Some(2), written_1h: Some(1), ..Wished::default() };
        let expected = Behaviour {
            stall_after: Some(3),
            gzip: true,
            says_no_usage: true,
            status: Some(529),
            wished,
            ..Behaviour::default()
        };
        assert_eq!(Behaviour::of(&headers), expected);
        assert!(!expected.is_plain());
    }
}
