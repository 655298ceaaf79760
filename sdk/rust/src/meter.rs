//! Metering a call that the caller makes itself, with whatever client.

#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;
use serde_json::Value;

use crate::{
    call::{Call, End},
    frames::Frames,
    record::Attribution,
    sse::{Events, data_of, is_done},
    target::Target,
};

/// Bytes of a reply that is read to learn what it cost; of a longer one it stays unknown.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A call to a provider: where it goes, what it asks, and for whom.
#[derive(Clone, Debug)]
pub struct ProviderCall {
    pub(crate) target: Option<Target>,
    pub(crate) request: Value,
    pub(crate) attribution: Attribution,
    /// Where it goes, if it is known.
    pub(crate) url: Option<String>,
}

impl ProviderCall {
    /// A POST of `request` to `url`. The address tells who answers and which kind of call it is; what is no call that is charged
    /// for (a list of models) is not recorded.
    pub fn to(url: &str, request: &impl Serialize) -> Self {
        let request = value_of(request);
        let target = Target::of(url, &request, None);
        Self { target, request, attribution: Attribution::default(), url: Some(url.to_owned()) }
    }

    /// A call through a client that hides its addresses: `ProviderCall::of("bedrock", "chat", …)`. The model is the request's
    /// `model`, or the reply's.
    pub fn of(service: &str, operation: &str, request: &impl Serialize) -> Self {
        let request = value_of(request);
        let model = request["model"].as_str().map(str::to_owned);
        let target = Target { service: service.to_owned(), operation: operation.to_owned(), model };
        Self { target: Some(target), request, attribution: Attribution::default(), url: None }
    }

    /// Who answers, where the address does not tell: a proxy, a compatible server.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        if let Some(target) = &mut self.target {
            service.clone_into(&mut target.service);
        }
        self
    }

    /// The model that is asked, where neither the address nor the request tells.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        if let Some(target) = &mut self.target {
            target.model = Some(model.to_owned());
        }
        self
    }

    /// For whom it is.
    #[must_use]
    pub fn attribution(mut self, attribution: Attribution) -> Self {
        self.attribution = attribution;
        self
    }
}

/// What cannot be written as JSON is not understood; it is the caller's all the same.
pub(crate) fn value_of(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

/// Watches one call, and records it once: when it ends, or when this is dropped before. A stream that is dropped was left by the
/// caller, a call that is dropped before its answer was given up. Nothing here fails or waits.
#[derive(Debug)]
#[must_use = "what is dropped before its answer is recorded as given up"]
pub struct Meter {
    /// `None` where nothing is recorded, and once it was.
    call: Option<Call>,
    status: Option<u16>,
    body: Body,
}

/// What is read of an answer.
#[derive(Debug)]
enum Body {
    /// It has not begun.
    None,
    Json(Vec<u8>),
    TooLong,
    Events(Events),
    Frames(Frames),
    /// The caller hands over documents.
    Documents,
}

impl Meter {
    pub(crate) fn new(call: Option<Call>) -> Self {
        Self { call, status: None, body: Body::None }
    }

    /// The head of the answer has come.
    pub fn answers(&mut self, status: u16, content_type: &str) {
        self.status = Some(status);
        self.body = match content_type {
            kind if kind.contains("json") => Body::Json(Vec::new()),
            kind if status < 300 && kind.contains("text/event-stream") => Body::Events(Events::default()),
            kind if status < 300 && kind.contains("amazon.eventstream") => Body::Frames(Frames::default()),
            // A form that is not read: what it used is unknown, and nothing is made of it.
            _ => return self.settle(End::Whole, None),
        };
    }

    /// A piece of the answer's body has come. Without [`Self::answers`] it is one of server-sent events.
    pub fn feed(&mut self, piece: &[u8]) {
        if matches!(self.body, Body::None) {
            self.answers(200, "text/event-stream");
        }
        let Some(call) = &mut self.call else { return };
        match &mut self.body {
            Body::Events(events) => {
                call.begins();
                events.push(piece).iter().for_each(|event| read(call, event));
            }
            Body::Frames(frames) => {
                call.begins();
                frames.push(piece).iter().for_each(|document| call.add(document));
            }
            Body::Json(bytes) if bytes.len() + piece.len() <= REPLY_BYTES_MAX => {
                bytes.extend_from_slice(piece);
            }
            Body::Json(_) => self.body = Body::TooLong,
            Body::None | Body::TooLong | Body::Documents => {}
        }
    }

    /// An event of a stream has come, from a client that reads streams itself.
    pub fn event(&mut self, event: &impl Serialize) {
        let Some(call) = &mut self.call else { return };
        self.status.get_or_insert(200);
        self.body = Body::Documents;
        call.begins();
        call.add(&value_of(event));
    }

    /// The answer came whole, from a client that reads it itself. `status` is its HTTP status.
    pub fn reply(mut self, status: u16, reply: &impl Serialize) {
        self.status = Some(status);
        self.body = Body::Documents;
        self.add_whole(&value_of(reply));
    }

    /// The answer has come to its end.
    pub fn ends(mut self) {
        self.settle_body(End::Whole);
    }

    /// The provider broke off in the middle of its answer.
    pub fn breaks_off(mut self) {
        self.settle_body(End::Cut);
    }

    /// The provider could not be reached: nothing was sent.
    pub fn is_unreachable(mut self) {
        self.settle(End::Unreachable, None);
    }

    /// Passes a stream of bytes on as it is, and meters it. Call [`Self::answers`] before.
    pub fn watch<S, E>(self, stream: S) -> Watched<S>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        Watched { stream: Box::pin(stream), meter: Some(self) }
    }

    fn settle_body(&mut self, end: End) {
        match std::mem::replace(&mut self.body, Body::Documents) {
            // It ended before it began.
            Body::None => self.settle(if end == End::Whole { End::Aborted } else { end }, None),
            Body::Json(bytes) => match serde_json::from_slice(&bytes) {
                Ok(reply) => self.add_whole(&reply),
                Err(_) => self.settle(if end == End::Whole { End::Cut } else { end }, None),
            },
            Body::Events(mut events) => {
                if let Some(call) = &mut self.call {
                    read(call, &events.rest());
                }
                self.settle(end, None);
            }
            Body::Frames(_) | Body::Documents | Body::TooLong => self.settle(end, None),
        }
    }

    fn add_whole(&mut self, reply: &Value) {
        let is_refused = self.status >= Some(400);
        if let Some(call) = self.call.as_mut().filter(|_| !is_refused) {
            call.add(reply);
        }
        self.settle(End::Whole, Some(reply).filter(|reply| is_refused && reply.is_object()));
    }

    fn settle(&mut self, end: End, refusal: Option<&Value>) {
        if let Some(call) = self.call.take() {
            call.ends(end, self.status, refusal);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let end = if matches!(self.body, Body::None) { End::Aborted } else { End::Left };
        self.settle_body(end);
    }
}

fn read(call: &mut Call, event: &[u8]) {
    if is_done(event) {
        call.completes();
    }
    if let Some(document) = data_of(event) {
        call.add(&document);
    }
}

/// A stream that is metered while it passes.
#[derive(Debug)]
pub struct Watched<S> {
    stream: Pin<Box<S>>,
    meter: Option<Meter>,
}

impl<S, E> Stream for Watched<S>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let next = std::task::ready!(this.stream.as_mut().poll_next(context));
        match &next {
            Some(Ok(piece)) => {
                if let Some(meter) = &mut this.meter {
                    meter.feed(piece);
                }
            }
            Some(Err(_)) => this.meter.take().into_iter().for_each(Meter::breaks_off),
            None => this.meter.take().into_iter().for_each(Meter::ends),
        }
        Poll::Ready(next)
    }
}
