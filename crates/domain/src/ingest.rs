//! From what a sender says of a call to the record that is kept: the one path behind every door.

use jiff::Timestamp;
use pricing::{Money, PriceBook, Usage};
use serde::{Deserialize, Serialize};

use crate::{
    ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    costing::{Costing, Facts},
    limits, text,
    usage_record::{CallError, Content, Flag, Origin, Status, UNKNOWN_PROVIDER, UsageRecord},
};

/// What a sender says of one call, checked at the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewUsage {
    /// Who sold it; from the model when missing.
    pub provider: Option<String>,
    /// The model that was asked for.
    pub model: String,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Kind of call.
    pub operation: Option<String>,
    /// Service tier that served it.
    pub service_tier: Option<String>,
    /// Region or geography that served it.
    pub region: Option<String>,
    /// What was counted.
    pub usage: Usage,
    /// Whether `usage` is estimated from the text.
    pub tokens_estimated: bool,
    /// What the sender says it cost. Zero is a cost.
    pub reported_cost: Option<Money>,
    /// What the provider says in its reply that it cost.
    pub provider_cost: Option<Money>,
    /// When it happened; now when missing.
    pub occurred_at: Option<Timestamp>,
    /// What it was for.
    pub project_id: Option<ProjectId>,
    /// How it ended.
    pub status: Status,
    /// What went wrong.
    pub error: CallError,
    /// From request to the end of the answer.
    pub response_time_ms: Option<u64>,
    /// From request to the first token.
    pub time_to_first_token_ms: Option<u64>,
    /// Whom it is charged to.
    pub allocation: CostAllocation,
    /// Words to find it by.
    pub tags: Tags,
    /// The sender's own user.
    pub user_email: Option<String>,
    /// The sender's customer.
    pub customer_email: Option<String>,
    /// Conversation.
    pub session_id: Option<String>,
    /// Trace.
    pub trace_id: Option<String>,
    /// Idempotency key.
    pub request_id: Option<String>,
    /// What else was said, a JSON object as text.
    pub metadata: Option<String>,
    /// Prompt and completion.
    pub content: Content,
}

/// What the server adds to what the sender says.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The record's new id.
    pub id: UsageId,
    /// The account that sent it.
    pub user_id: UserId,
    /// By which door.
    pub origin: Origin,
    /// Now.
    pub recorded_at: Timestamp,
    /// Whether the project keeps prompts and completions.
    pub keeps_content: bool,
}

impl NewUsage {
    /// Prices the call at its own time and makes it a record.
    pub fn into_record(self, stamp: Stamp, book: &PriceBook) -> UsageRecord {
        let occurred_at = to_millisecond(self.occurred_at.unwrap_or(stamp.recorded_at));
        let (provider, costing) = self.cost(stamp.user_id, occurred_at, book);
        let (content, is_cut) = if stamp.keeps_content { keep(self.content) } else { (None, false) };
        let mut flags = costing.flags;
        if is_cut {
            flags.push(Flag::ContentCut);
        }
        UsageRecord {
            id: stamp.id,
            user_id: stamp.user_id,
            project_id: self.project_id,
            origin: stamp.origin,
            occurred_at,
            recorded_at: to_millisecond(stamp.recorded_at),
            provider,
            response_model: self.response_model.filter(|answered| *answered != self.model),
            model: self.model,
            operation: self.operation,
            service_tier: self.service_tier,
            region: self.region,
            usage: self.usage,
            cost: costing.cost,
            cost_source: costing.cost_source,
            list_cost: costing.list_cost,
            cache_savings: costing.cache_savings,
            price: costing.price,
            adjustments: costing.adjustments,
            unpriced_reason: costing.unpriced_reason,
            status: self.status,
            error: self.error,
            response_time_ms: self.response_time_ms,
            time_to_first_token_ms: self.time_to_first_token_ms,
            allocation: self.allocation,
            tags: self.tags,
            user_email: self.user_email,
            customer_email: self.customer_email,
            session_id: self.session_id,
            trace_id: self.trace_id,
            request_id: self.request_id,
            metadata: self.metadata,
            content,
            flags,
        }
    }
}

impl NewUsage {
    /// Who sold the call and what it cost `user` at `at`.
    pub fn cost(&self, user: UserId, at: Timestamp, book: &PriceBook) -> (String, Costing) {
        let provider = self.provider_name(book);
        let facts = Facts {
            user_id: user,
            project_id: self.project_id,
            provider: &provider,
            model: &self.model,
            response_model: self.response_model.as_deref(),
            service_tier: self.service_tier.as_deref(),
            region: self.region.as_deref(),
            usage: &self.usage,
            tokens_estimated: self.tokens_estimated,
            reported_cost: self.reported_cost,
            provider_cost: self.provider_cost,
            at,
        };
        let costing = facts.cost(book);
        (provider, costing)
    }

    fn provider_name(&self, book: &PriceBook) -> String {
        match &self.provider {
            Some(provider) => pricing::canonical_provider(provider).into_owned(),
            None => book.resolve_provider(&self.model).unwrap_or(UNKNOWN_PROVIDER).to_owned(),
        }
    }
}

fn keep(content: Content) -> (Option<Content>, bool) {
    let mut was_cut = false;
    let mut kept = |text: Option<String>| {
        let text = text?;
        let kept = text::cut(&text, limits::CONTENT_BYTES_MAX);
        was_cut |= kept.len() < text.len();
        Some(kept.to_owned())
    };
    let content = Content { prompt: kept(content.prompt), completion: kept(content.completion) };
    (Some(content).filter(|content| *content != Content::default()), was_cut)
}

fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
