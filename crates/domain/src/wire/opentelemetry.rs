//! Traces as OpenTelemetry sends them → the model calls in them.
//!
//! Every instrumentation names things in its own way, and several may tell of the same call. `attributes` reads what a
//! span says by every name that is in use, `span` tells whether it is a call and makes a [`NewUsage`] of it, `counts`
//! brings its counts to the normal form, and [`Nesting`] keeps of calls inside of each other those that were made.
//!
//! The names are those of the semantic conventions for generative AI
//! (<https://github.com/open-telemetry/semantic-conventions-genai>) and of the instrumentations whose exports are fixtures
//! of the server's tests.

mod attributes;
mod counts;
mod message;
mod nesting;
mod span;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ingest::NewUsage;

pub use nesting::Nesting;

/// Calls of one request; further ones are rejected.
const CALLS_MAX: usize = 10_000;
/// Different reasons that are told.
const REASONS_MAX: usize = 10;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// A body that is no request.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is no protobuf of this kind.
    #[error("the body is not an ExportTraceServiceRequest: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// It ends inside of a message.
    #[error("the body is not an ExportTraceServiceRequest: it ends inside of a message")]
    CutOff,
    /// It is no JSON of this kind.
    #[error("the body is not an ExportTraceServiceRequest: {0}")]
    Json(#[from] serde_json::Error),
}

/// Where a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId {
    /// Its trace.
    pub trace: [u8; 16],
    /// The span in it.
    pub span: [u8; 8],
}

/// What a call does; only calls that do the same can be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Answers: chat, completion, …
    Generate,
    /// Makes vectors.
    Embed,
    /// Anything else.
    Other,
}

/// A span that is a call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanCall {
    /// Where it is.
    pub id: SpanId,
    /// What it does.
    pub work: Work,
    /// Whether the provider's id of the reply is known, and `new.request_id` made of it.
    pub is_identified: bool,
    /// What it says of the call.
    pub new: NewUsage,
}

/// What a request tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The calls, in the order in which they came.
    pub calls: Vec<SpanCall>,
    /// Every span with its parent, calls or not.
    pub parents: Vec<(SpanId, Option<SpanId>)>,
    /// Spans that are calls, and cannot be recorded.
    pub rejected: u64,
    /// Why, for people.
    pub reasons: BTreeSet<String>,
}

/// Reads a request. `now` bounds the time of its calls.
pub fn read(encoding: Encoding, body: &[u8], now: Timestamp) -> Result<Told, Malformed> {
    let mut told = Told::default();
    let mut visit = |resource: &message::Resource, scope: &message::Scope, span: Option<message::Span>| {
        told.take(resource, scope, span, now);
    };
    match encoding {
        Encoding::Protobuf => message::each_of_protobuf(body, &mut visit)?,
        Encoding::Json => message::each_of_json(body, &mut visit)?,
    }
    Ok(told)
}

impl Told {
    fn take(
        &mut self,
        resource: &message::Resource,
        scope: &message::Scope,
        span: Option<message::Span>,
        now: Timestamp,
    ) {
        let Some(span) = span else { return self.reject("a span is larger than 4 MiB") };
        let Some((id, parent)) = span::place(&span) else {
            return self.reject("a span has no valid traceId and spanId");
        };
        self.parents.push((id, parent));
        match span::read(resource, scope, span, id, now) {
            Ok(None) => {}
            Ok(Some(_)) if self.calls.len() >= CALLS_MAX => {
                self.reject("a request may have 10000 calls; send smaller batches");
            }
            Ok(Some(call)) => self.calls.push(call),
            Err(reason) => self.reject(reason),
        }
    }

    /// Counts a span that cannot be recorded.
    pub fn reject(&mut self, reason: &str) {
        self.rejected += 1;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.insert(reason.to_owned());
        }
    }
}
