//! What the documents of a reply say, collected before it is read.

use std::collections::BTreeSet;

use pricing::{Unit, Usage};
use serde_json::{Map, Value};

use super::{
    Dialect, ImageFormat, Metered, Note, SideCall, anthropic, bedrock, cohere, cost,
    count::{text, usage_of},
    google, openai,
};
use crate::limits;

/// Values that are kept of usage objects. A document has fewer (`json`), and repeats what it replaces.
const USAGE_VALUES_MAX: usize = 100_000;

/// What the documents of one reply said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    /// The usage objects, merged: a later value replaces an earlier one, null and absence do not.
    pub(super) usage: Map<String, Value>,
    /// Counts that stand elsewhere in the reply.
    pub(super) beside: Usage,
    pub(super) response_id: Option<String>,
    pub(super) response_model: Option<String>,
    pub(super) service_tier: Option<String>,
    pub(super) search_type: Option<String>,
    pub(super) finish: Option<String>,
    pub(super) image: Option<ImageFormat>,
    pub(super) side_calls: Vec<SideCall>,
    /// The reply is grounded in a search, whose results are not charged as input.
    pub(super) is_grounded: bool,
    /// The call has no output, so that a total is its input.
    pub(super) is_input_only: bool,
    pub(super) is_batch: bool,
    pub(super) notes: BTreeSet<Note>,
}

/// A usage object in normal form, and what else stands in it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) usage: Usage,
    pub(super) service_tier: Option<String>,
    pub(super) region: Option<String>,
    pub(super) side_calls: Vec<SideCall>,
}

impl From<Usage> for Reading {
    fn from(usage: Usage) -> Self {
        Self { usage, ..Self::default() }
    }
}

/// Gathers a reply of which nobody said what it is. Without a usage object in it, nothing tells that it is a reply: a
/// list of addresses is not yet one of images.
pub(super) fn reply(dialect: Dialect, value: &Value) -> Option<Gathered> {
    let mut gathered = Gathered::default();
    gathered.add(dialect, value);
    Some(gathered).filter(|gathered| !gathered.usage.is_empty())
}

/// Gathers a reply; what holds no usage object is taken for one.
pub(super) fn reply_or_usage(dialect: Dialect, value: &Value) -> Gathered {
    reply(dialect, value).unwrap_or_else(|| {
        let mut gathered = Gathered::default();
        gathered.merge_usage(Some(value));
        gathered
    })
}

impl Gathered {
    /// Adds what a document says: a reply, an event of one, a line of a batch, or a list of events.
    pub(super) fn add(&mut self, dialect: Dialect, document: &Value) {
        if let Value::Array(events) = document {
            events.iter().filter(|event| event.is_object()).for_each(|event| self.add(dialect, event));
            return;
        }
        let reply = batch_line(document);
        self.is_batch |= reply.is_some();
        if reply.is_none() && document.get("custom_id").is_some() {
            return; // The request of this line failed.
        }
        let document = reply.unwrap_or(document);
        match dialect {
            Dialect::OpenAi | Dialect::XAi | Dialect::Perplexity => openai::gather(document, self),
            Dialect::Anthropic => anthropic::gather(document, self),
            Dialect::Gemini => google::gather(document, self),
            Dialect::BedrockConverse => bedrock::gather_converse(document, self),
            Dialect::BedrockInvoke => bedrock::gather_invoke(document, self),
            Dialect::Cohere => cohere::gather(document, self),
        }
    }

    /// Merges a usage object into what is known of it.
    pub(super) fn merge_usage(&mut self, usage: Option<&Value>) {
        let Some(Value::Object(usage)) = usage else { return };
        let values = size(&self.usage) + size(usage);
        if values > USAGE_VALUES_MAX {
            return;
        }
        for (key, value) in usage.iter().filter(|(_, value)| !value.is_null()) {
            self.usage.insert(key.clone(), value.clone());
        }
    }

    /// The first id is the reply's; events have others later.
    pub(super) fn set_id(&mut self, id: Option<&str>) {
        if self.response_id.is_none() {
            self.response_id = id.and_then(reference);
        }
    }

    /// The last model is the one that answered.
    pub(super) fn set_model(&mut self, model: Option<&str>) {
        replace(&mut self.response_model, model);
    }

    /// The last tier is the one that served; the first repeats what was asked for.
    pub(super) fn set_tier(&mut self, tier: Option<&str>) {
        replace(&mut self.service_tier, tier);
    }

    pub(super) fn set_search_type(&mut self, kind: Option<&str>) {
        replace(&mut self.search_type, kind);
    }

    pub(super) fn set_finish(&mut self, reason: Option<&str>) {
        replace(&mut self.finish, reason);
    }

    /// Whether id and model are known, so that a document without counts has no more to tell.
    pub(super) fn is_introduced(&self) -> bool {
        self.response_id.is_some() && self.response_model.is_some()
    }

    /// What was gathered, in normal form; counts may be too large for a call.
    pub(super) fn read(&self, dialect: Dialect) -> Reading {
        let usage = Value::Object(self.usage.clone());
        let mut reading = match dialect {
            Dialect::OpenAi | Dialect::XAi | Dialect::Perplexity => openai::read(dialect, &usage),
            Dialect::Anthropic => anthropic::read(&usage, self.response_model.as_deref()),
            Dialect::Gemini => google::read(&usage, self.is_grounded),
            Dialect::BedrockConverse => bedrock::read_converse(&usage).into(),
            Dialect::BedrockInvoke => bedrock::read_invoke(&usage, self.response_model.as_deref()),
            Dialect::Cohere => cohere::read(&usage).into(),
        };
        self.beside.iter().for_each(|(unit, count)| reading.usage.set(unit, count));
        if self.is_input_only
            && reading.usage.get(Unit::InputTokens).is_none()
            && let Some(total) = reading.usage.get(Unit::TotalTokens)
        {
            reading.usage.set(Unit::InputTokens, total);
        }
        reading
    }

    /// What the reply says of itself; `None` if it says nothing of a call.
    pub(super) fn settle(mut self, dialect: Dialect) -> Option<Metered> {
        let reading = self.read(dialect);
        let usage = self.without_too_large(&reading.usage);
        let cost = cost::reported(&Value::Object(std::mem::take(&mut self.usage)));
        let provider_cost = cost.filter(|cost| cost::is_believed(*cost, &usage));
        if provider_cost != cost {
            self.notes.insert(Note::ZeroCost);
        }
        let side_calls = std::mem::take(&mut self.side_calls).into_iter().chain(reading.side_calls);
        let side_calls =
            side_calls.map(|call| SideCall { usage: self.without_too_large(&call.usage), ..call });
        let side_calls: Vec<_> =
            side_calls.filter(|call| call.usage.iter().any(|(_, count)| count > 0)).collect();
        let service_tier = reading.service_tier.or(self.service_tier);
        let metered = Metered {
            usage,
            response_id: self.response_id,
            response_model: self.response_model,
            service_tier: if self.is_batch { Some("batch".to_owned()) } else { service_tier },
            region: reading.region,
            search_type: self.search_type,
            finish: self.finish,
            provider_cost,
            image: self.image,
            side_calls,
            notes: self.notes,
        };
        Some(metered).filter(Metered::says_something)
    }

    fn without_too_large(&mut self, usage: &Usage) -> Usage {
        let (kept, too_large): (Vec<_>, Vec<_>) =
            usage.iter().partition(|(_, count)| *count <= limits::COUNT_MAX);
        if !too_large.is_empty() {
            self.notes.insert(Note::CountTooLarge);
        }
        kept.into_iter().collect()
    }
}

/// The reply in a line of a batch's results.
///
/// - OpenAI and others: `response.body`, <https://platform.openai.com/docs/api-reference/batch/request-output>.
/// - Anthropic: `result.message`, <https://docs.anthropic.com/en/api/retrieving-message-batch-results>.
/// - Gemini: `response` beside its `key`, <https://ai.google.dev/gemini-api/docs/batch-api>; Vertex: beside its
///   `request`.
/// - Bedrock: `modelOutput`, <https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html>.
fn batch_line(line: &Value) -> Option<&Value> {
    let response = line.get("response");
    let openai = || response?.get("body");
    let anthropic = || line.get("result")?.get("message");
    let google = || response.filter(|_| line.get("key").is_some() || line.get("request").is_some());
    let reply = openai().or_else(anthropic).or_else(|| line.get("modelOutput")).or_else(google);
    reply.filter(|reply| reply.is_object())
}

/// An id or another word of the provider's, if it is short enough to be one.
pub(super) fn reference(text: &str) -> Option<String> {
    crate::text::reference("reference", text).ok()
}

/// What another model did.
pub(super) fn side_call(model: Option<&str>, usage: Usage) -> SideCall {
    SideCall { model: model.and_then(reference), usage }
}

/// Images made, counted by the picture where no tokens are.
pub(super) fn images(count: usize) -> Usage {
    usage_of([(Unit::Images, u64::try_from(count).ok().filter(|count| *count > 0))])
}

/// Size and quality of the images of a reply.
pub(super) fn image_format(reply: &Value) -> Option<ImageFormat> {
    let word = |key| text(reply, key).and_then(reference);
    let format = ImageFormat { size: word("size"), quality: word("quality") };
    Some(format).filter(|format| *format != ImageFormat::default())
}

fn replace(slot: &mut Option<String>, text: Option<&str>) {
    if let Some(text) = text.and_then(reference) {
        *slot = Some(text);
    }
}

fn size(object: &Map<String, Value>) -> usize {
    object.values().map(size_of_value).sum()
}

fn size_of_value(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size_of_value).sum(),
        Value::Object(object) => size(object),
        Value::String(text) => text.len() / 16,
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
