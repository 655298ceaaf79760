//! A call as the tracker is told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use serde_json::{Map, Value};

/// Whom a call's cost is charged to inside the organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CostAllocation {
    /// Department name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Team name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Purpose or category of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Client name (for agencies).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Campaign or phase of a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Further names of your own.
    #[serde(flatten)]
    pub other: BTreeMap<String, String>,
}

/// What is said of a call beside the call itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// What it was for; the client's project when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Whom it is charged to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_allocation: Option<CostAllocation>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Your own user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// Your customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_email: Option<String>,
    /// Conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Anything else.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// A call to record. Only `model` is required; what is `None` is unknown, and never taken for 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageRecord {
    /// Who sold it; follows from the model when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Model that was asked for.
    pub model: String,
    /// Kind of call: `chat`, `embeddings`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Service tier that served it: `batch`, `flex`, `priority`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Region or geography that served it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was asked; kept only if the project keeps prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What was answered; kept only if the project keeps prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// Input tokens, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Output tokens, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Tokens in and out. Alone, it can be priced only if `cost` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Input tokens read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Input tokens written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Output tokens spent on reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Characters of text to be spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_characters: Option<u64>,
    /// The provider's own usage object or whole reply, of any provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// What it cost in US dollars. Zero is a cost; missing, the tracker computes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// From request to the end of the answer, in milliseconds.
    #[serde(rename = "responseTime", skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u64>,
    /// From request to the first token, in milliseconds.
    #[serde(rename = "timeToFirstToken", skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_ms: Option<u64>,
    /// When it happened; now when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// `success` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What went wrong, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Key of this call: the same key is the same record, however often it is sent. The client makes one when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who it was for.
    #[serde(flatten)]
    pub attribution: Attribution,
}

impl UsageRecord {
    /// A call of `model`.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), ..Self::default() }
    }

    /// The record as it is sent: with the client's project if it names none, and with a key.
    pub(crate) fn keyed(mut self, project_id: Option<&str>, key: impl FnOnce() -> String) -> Self {
        let project = &mut self.attribution.project_id;
        *project = project.take().or_else(|| project_id.map(str::to_owned));
        self.request_id.get_or_insert_with(key);
        self
    }
}
