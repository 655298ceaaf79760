//! How a reply goes out.

use std::{
    collections::VecDeque,
    fmt, io,
    io::Write as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::body::{Body, Frame, SizeHint};

use crate::{Behaviour, answer::Content, upstream::State};

/// Into so many pieces a reply is cut that is no stream.
const PIECES: usize = 4;

enum Step {
    Send {
        bytes: Bytes,
        ends_chunk: bool,
    },
    /// What was sent so far is written to the socket before the next step.
    Flush,
    /// Until the test releases what is held.
    Wait,
    /// The connection is closed.
    Cut,
}

/// A body that follows its steps, and notices when it is dropped before the last.
pub(crate) struct Reply {
    steps: VecDeque<Step>,
    /// Known of what is no stream.
    length: Option<u64>,
    state: Arc<State>,
    /// Releases before the request came; one more lets it go on.
    releases: u64,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_flushing: bool,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("steps", &self.steps.len())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn new(content: &Content, behaviour: &Behaviour, state: Arc<State>, releases: u64) -> Self {
        let mut reply =
            Self { steps: VecDeque::new(), length: None, state, releases, waiting: None, is_flushing: false };
        match content {
            Content::Whole(bytes) if behaviour.is_plain() => {
                reply.length = u64::try_from(bytes.len()).ok();
                reply.steps.push_back(Step::Send { bytes: bytes.clone(), ends_chunk: true });
            }
            Content::Whole(bytes) => {
                let bytes = if behaviour.gzip {
                    gzip(std::slice::from_ref(bytes)).concat().into()
                } else {
                    bytes.clone()
                };
                reply.length = u64::try_from(bytes.len()).ok();
                reply.script(&cut(&bytes), behaviour);
            }
            Content::Events(events) if behaviour.gzip => reply.script(&gzip(events), behaviour),
            Content::Events(events) => reply.script(events, behaviour),
        }
        reply
    }

    fn script(&mut self, chunks: &[Bytes], behaviour: &Behaviour) {
        for (index, chunk) in chunks.iter().enumerate() {
            if self.stops(index, behaviour) {
                return;
            }
            if behaviour.byte_at_a_time {
                let last = chunk.len().saturating_sub(1);
                for at in 0..chunk.len() {
                    self.steps.push_back(Step::Send { bytes: chunk.slice(at..=at), ends_chunk: at == last });
                    self.steps.push_back(Step::Flush);
                }
            } else {
                self.steps.push_back(Step::Send { bytes: chunk.clone(), ends_chunk: true });
            }
        }
        self.stops(chunks.len(), behaviour);
    }

    /// Adds what happens before the chunk of this number. Whether nothing comes after.
    fn stops(&mut self, index: usize, behaviour: &Behaviour) -> bool {
        if behaviour.stall_after == Some(index) {
            self.steps.extend([Step::Flush, Step::Wait]);
        }
        if behaviour.cut_after == Some(index) {
            self.steps.extend([Step::Flush, Step::Flush, Step::Cut]);
            return true;
        }
        false
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send { bytes, ends_chunk }) => {
                    if ends_chunk {
                        self.state.count(|counts| counts.chunks += 1);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Flush) => {
                    // The connection writes what it has when its body has nothing more for now.
                    self.is_flushing = !self.is_flushing;
                    if self.is_flushing {
                        self.steps.push_front(Step::Flush);
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Some(Step::Wait) => self.waiting = Some(Box::pin(self.state.released_since(self.releases))),
                Some(Step::Cut) => {
                    self.steps.clear();
                    return Poll::Ready(Some(Err(io::Error::other("cut"))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            self.state.count(|counts| counts.disconnects += 1);
        }
    }
}

fn cut(bytes: &Bytes) -> Vec<Bytes> {
    let at = |piece: usize| piece * bytes.len() / PIECES;
    (0..PIECES).map(|piece| bytes.slice(at(piece)..at(piece + 1))).filter(|piece| !piece.is_empty()).collect()
}

/// One compressed stream; what comes of each event can be read without the next.
fn gzip(events: &[Bytes]) -> Vec<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut compressed: Vec<Bytes> = events
        .iter()
        .map(|event| {
            encoder.write_all(event).unwrap();
            encoder.flush().unwrap();
            std::mem::take(encoder.get_mut()).into()
        })
        .collect();
    compressed.push(encoder.finish().unwrap().into());
    compressed
}
