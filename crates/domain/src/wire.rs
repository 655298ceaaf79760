//! Provider dialects: what a provider's reply says of itself → [`Metered`], its counts in the normal form of [`Usage`].
//!
//! Providers disagree on what contains what. The rules are collected in `docs/reference/usage-normal-form.md`; the
//! provider's documentation is cited at each function that follows it.
//!
//! A reply is read in two steps, the same for a whole reply and for a stream: `gather` collects what each JSON
//! document of it says, merging the usage objects key by key (so that a later, cumulative one replaces what it
//! repeats and keeps what it leaves out), and then the dialect brings the merged object to the normal form, once.
//!
//! **Architecture Invariant:** nothing here adds up two usage objects of one call, reads a price, or fails: what is
//! not understood is unknown. Memory is bounded by [`EVENT_BYTES_MAX`] and by what `json` keeps of a document.

mod answer;
mod anthropic;
mod bedrock;
mod cohere;
mod cost;
mod count;
mod dialect;
mod frame;
mod gather;
mod google;
mod headers;
mod json;
mod metered;
mod openai;
pub mod opentelemetry;
mod stream;

use pricing::Usage;
use serde_json::Value;

pub use dialect::Dialect;
pub use frame::EVENT_BYTES_MAX;
pub use headers::meter_headers;
pub use metered::{ImageFormat, Metered, Note, SideCall};
pub use stream::StreamMeter;

use gather::Gathered;

/// Meters a whole reply: JSON, or a stream that was kept whole. `None` if it says nothing of a call, as an error does.
///
/// A reply without counts (a stream that was cut, say) still tells its id and model; its usage is then empty, which
/// means unknown.
pub fn meter_reply(dialect: Dialect, body: &[u8]) -> Option<Metered> {
    let Some(document) = json::parse(body) else {
        let mut meter = StreamMeter::new(dialect);
        meter.push(body);
        return meter.finish();
    };
    let mut gathered = Gathered::default();
    gathered.add(dialect, &document);
    gathered.settle(dialect)
}

/// Meters each line of a batch's results or of any other file of replies, one JSON document a line.
pub fn meter_lines(dialect: Dialect, file: &[u8]) -> impl Iterator<Item = Option<Metered>> + '_ {
    let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(move |line| meter_reply(dialect, line))
}

/// Meters a reply, or only the usage object of one, of which nobody said in what dialect it is: its own keys tell, and
/// `provider` decides where two providers share them. `None` if nothing in it is counted.
pub fn meter_value(provider: Option<&str>, value: &Value) -> Option<Metered> {
    let dialect = Dialect::recognise(provider, value);
    gather::reply_or_usage(dialect, value).settle(dialect).filter(Metered::counts_something)
}

/// Like [`meter_value`], but only what stands in a usage object of the reply counts: for JSON that may be anything, such
/// as the answer of an application of which a reply is a part.
pub fn meter_reply_value(provider: Option<&str>, value: &Value) -> Option<Metered> {
    let dialect = Dialect::recognise(provider, value);
    gather::reply(dialect, value)?.settle(dialect).filter(Metered::counts_something)
}

/// The kind of web search that a request asks for, where that changes what a search costs (Perplexity). Replies do not
/// repeat it.
pub fn search_type(request: &Value) -> Option<String> {
    openai::search_type(request).and_then(gather::reference)
}

/// The counts that [`meter_value`] reads, also those that are too large for a call, so that their sender can be told.
pub fn usage_from_object(provider: Option<&str>, object: &Value) -> Option<Usage> {
    let dialect = Dialect::recognise(provider, object);
    let usage = gather::reply_or_usage(dialect, object).read(dialect).usage;
    Some(usage).filter(|usage| !usage.is_empty())
}
