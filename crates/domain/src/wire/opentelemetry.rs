//! Traces and logs as OpenTelemetry sends them → the model calls in them.
//!
//! Every instrumentation names things in its own way, and several may tell of the same call. `attributes` reads what a
//! span says by every name that is in use, `span` tells whether it is a call and makes a [`NewUsage`] of it, `counts`
//! brings its counts to the normal form, and [`Nesting`] keeps of calls inside of each other those that were made.
//! `event` reads what coding agents log of their calls.
//!
//! The names are those of the semantic conventions for generative AI
//! (<https://github.com/open-telemetry/semantic-conventions-genai>) and of the instrumentations whose exports are fixtures
//! of the server's tests.

mod attributes;
mod counts;
mod event;
#[cfg(test)]
mod event_tests;
mod message;
mod nesting;
mod span;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ingest::NewUsage;

pub use nesting::Nesting;
pub use tree::{Parent, Place, Tree, Trees};

/// Calls of one request; further ones are rejected.
const CALLS_MAX: usize = 10_000;
const TOO_MANY: &str = "a request may have 10000 calls; send smaller batches";
/// Different reasons that are told.
const REASONS_MAX: usize = 10;
/// How the names of metrics end that count tokens or costs: `claude_code.token.usage`, `claude_code.cost.usage`,
/// `gemini_cli.token.usage`, `gen_ai.client.token.usage`, `codex.turn.token_usage`.
const USAGE_METRICS: [&str; 3] = [".token.usage", ".cost.usage", ".token_usage"];
const METRICS_ARE_NOT_COUNTED: &str = "metrics of tokens and costs are not counted: they add up the calls that logs and \
                                       traces tell of one by one; send those";

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
    #[error("the body is not a request of OTLP: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// It ends inside of a message.
    #[error("the body is not a request of OTLP: it ends inside of a message")]
    CutOff,
    /// It is no JSON of this kind.
    #[error("the body is not a request of OTLP: {0}")]
    Json(#[from] serde_json::Error),
}

/// A trace.
pub type TraceId = [u8; 16];

/// Where a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId {
    /// Its trace.
    pub trace: TraceId,
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

/// A span of an agent, or of anything else that makes calls, which says what they used together.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Where it is.
    pub id: SpanId,
    /// In what.
    pub parent: Option<SpanId>,
    /// What it says, as a call.
    pub new: NewUsage,
}

/// A call that a log record tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct LogCall {
    /// The span in which it was logged.
    pub span: Option<SpanId>,
    /// What it says of the call.
    pub new: NewUsage,
}

/// What a request of traces tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The calls, in the order in which they came.
    pub calls: Vec<SpanCall>,
    /// Spans that add up what calls inside of them used; what they say counts only where no such call is told.
    pub aggregates: Vec<Aggregate>,
    /// Every span with its parent, calls or not.
    pub parents: Vec<(SpanId, Option<SpanId>)>,
    /// Spans that cannot be recorded.
    pub rejected: Rejected,
}

/// What a request of logs tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToldByLogs {
    /// The calls, in the order in which they came.
    pub calls: Vec<LogCall>,
    /// Log records that cannot be recorded.
    pub rejected: Rejected,
}

/// Items that tell of calls, and cannot be recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub count: u64,
    /// Why, for people.
    pub reasons: BTreeSet<String>,
}

impl Rejected {
    /// Counts an item that cannot be recorded.
    pub fn add(&mut self, reason: &str) {
        self.add_all(1, reason);
    }

    fn add_all(&mut self, count: u64, reason: &str) {
        self.count = self.count.saturating_add(count);
        if self.reasons.len() < REASONS_MAX {
            self.reasons.insert(reason.to_owned());
        }
    }
}

/// Reads a request of traces. `now` bounds the time of its calls.
pub fn read_traces(encoding: Encoding, body: &[u8], now: Timestamp) -> Result<Told, Malformed> {
    let mut told = Told::default();
    walk::each(encoding, body, &mut |resource, scope, span| told.take(resource, scope, span, now))?;
    Ok(told)
}

/// Reads a request of logs. `now` bounds the time of its calls.
pub fn read_logs(encoding: Encoding, body: &[u8], now: Timestamp) -> Result<ToldByLogs, Malformed> {
    let mut told = ToldByLogs::default();
    walk::each(encoding, body, &mut |resource, scope, record| told.take(resource, scope, record, now))?;
    Ok(told)
}

/// Reads a request of metrics: none of them is counted, and those that tell of tokens and costs are rejected.
pub fn read_metrics(encoding: Encoding, body: &[u8]) -> Result<Rejected, Malformed> {
    let mut rejected = Rejected::default();
    walk::each(encoding, body, &mut |_, _, metric: Option<message::Metric>| {
        let Some(metric) = metric else { return rejected.add("a metric is larger than 4 MiB") };
        if USAGE_METRICS.iter().any(|end| metric.name.ends_with(end)) {
            rejected.add_all(metric.point_count(), METRICS_ARE_NOT_COUNTED);
        }
    })?;
    Ok(rejected)
}

impl Told {
    fn take(
        &mut self,
        resource: &message::Resource,
        scope: &message::Scope,
        span: Option<message::Span>,
        now: Timestamp,
    ) {
        let Some(span) = span else { return self.rejected.add("a span is larger than 4 MiB") };
        let Some((id, parent)) = span::place(&span) else {
            return self.rejected.add("a span has no valid traceId and spanId");
        };
        self.parents.push((id, parent));
        match span::read((resource, scope), span, id, now) {
            Ok(span::Read::Nothing) => {}
            Ok(_) if self.calls.len() + self.aggregates.len() >= CALLS_MAX => self.rejected.add(TOO_MANY),
            Ok(span::Read::Call(call)) => self.calls.push(call),
            Ok(span::Read::Aggregate(new)) => self.aggregates.push(Aggregate { id, parent, new }),
            Err(reason) => self.rejected.add(reason),
        }
    }
}

impl ToldByLogs {
    fn take(
        &mut self,
        resource: &message::Resource,
        scope: &message::Scope,
        record: Option<message::LogRecord>,
        now: Timestamp,
    ) {
        let Some(record) = record else { return self.rejected.add("a log record is larger than 4 MiB") };
        match event::read(resource, scope, record, now) {
            Ok(None) => {}
            Ok(Some(_)) if self.calls.len() >= CALLS_MAX => self.rejected.add(TOO_MANY),
            Ok(Some(call)) => self.calls.push(call),
            Err(reason) => self.rejected.add(reason),
        }
    }
}
