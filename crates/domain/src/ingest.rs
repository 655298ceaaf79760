//! From what a sender says of a call to the record that is kept: the one path behind every door.

use jiff::Timestamp;
use pricing::{Money, PriceBook, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    KeyId, ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    costing::{Costing, Facts},
    limits,
    redact::redact,
    same_call::REPLY,
    text,
    usage_record::{
        CallError, Content, Flag, Origin, SIDE_CALL, Status, UNKNOWN_MODEL, UNKNOWN_PROVIDER, UsageRecord,
    },
    wire::SideCall,
};

/// What a sender says of one call, checked at the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewUsage {
    /// Who sold it; from the model when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that was asked for.
    pub model: String,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    /// Kind of call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Service tier that served it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Region or geography that served it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Kind of web search that it used, where that changes what a search costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_type: Option<String>,
    /// What was counted.
    pub usage: Usage,
    /// Whether `usage` is estimated from the text.
    pub tokens_estimated: bool,
    /// What the sender says it cost. Zero is a cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<Money>,
    /// What the provider says in its reply that it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_cost: Option<Money>,
    /// When it happened; now when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// What it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// How it ended.
    pub status: Status,
    /// What went wrong.
    pub error: CallError,
    /// From request to the end of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u64>,
    /// From request to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_ms: Option<u64>,
    /// Whom it is charged to.
    pub allocation: CostAllocation,
    /// Words to find it by.
    pub tags: Tags,
    /// The sender's own user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// The sender's customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_email: Option<String>,
    /// Conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Other keys of the same call, see [`UsageRecord::other_keys`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_keys: Vec<String>,
    /// What else was said, a JSON object as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Prompt and completion.
    pub content: Content,
    /// What other models did for the reply; none of it is in `usage`.
    pub side_calls: Vec<SideCall>,
}

/// The key of a call by which it can be told again, through whichever door it comes: the provider's id of the reply.
pub fn identity(provider: Option<&str>, response_id: Option<&str>) -> Option<String> {
    let key = format!("{REPLY}{}:{}", provider.unwrap_or_default(), response_id?);
    text::reference("response.id", &key).ok()
}

/// The key of a call by the provider's id of the request. What tells of a call without seeing the reply knows only this one.
pub fn request_identity(provider: Option<&str>, request_id: Option<&str>) -> Option<String> {
    let key = format!("request:{}:{}", provider.unwrap_or_default(), request_id?);
    text::reference("request.id", &key).ok()
}

/// The records that one call makes.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecords {
    /// The call's own.
    pub call: UsageRecord,
    /// What other models did inside its reply, each as a record of its own.
    pub side_calls: Vec<UsageRecord>,
}

impl CallRecords {
    /// All of them, the call's own first.
    pub fn iter(&self) -> impl Iterator<Item = &UsageRecord> {
        std::iter::once(&self.call).chain(&self.side_calls)
    }
}

/// What the server adds to what the sender says.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The record's new id.
    pub id: UsageId,
    /// The account that sent it.
    pub user_id: UserId,
    /// The tracker key that it was sent with.
    pub tracker_key_id: Option<KeyId>,
    /// By which door.
    pub origin: Origin,
    /// Now.
    pub recorded_at: Timestamp,
    /// Whether the project keeps prompts and completions.
    pub keeps_content: bool,
}

impl NewUsage {
    /// Prices the call, and what other models did inside its reply, at its own time and makes them records.
    ///
    /// A side call shares everything with its call that it is found, charged and forecast by. Its key is derived from
    /// the call's, so that sending the call again does not count it twice, and the call's metadata has the ids of its
    /// side calls under `sideCalls`.
    pub fn into_records(
        mut self,
        stamp: Stamp,
        book: &PriceBook,
        mut next_id: impl FnMut() -> UsageId,
    ) -> CallRecords {
        self.identify(book);
        let side_calls: Vec<UsageRecord> = self
            .split_side_calls(stamp.id, book)
            .into_iter()
            .map(|side_call| side_call.into_record(Stamp { id: next_id(), ..stamp }, book))
            .collect();
        if !side_calls.is_empty() {
            self.metadata = Some(with_side_calls(self.metadata.as_deref(), &side_calls));
        }
        CallRecords { call: self.into_record(stamp, book), side_calls }
    }

    /// Whoever does not say who answered tells of the same call as who does: the identity has the provider that the book
    /// knows for the model.
    fn identify(&mut self, book: &PriceBook) {
        let said = self.request_id.as_deref().filter(|_| self.provider.is_none());
        let id = said.and_then(|key| key.strip_prefix(REPLY)?.strip_prefix(':'));
        let whole = book.resolve_provider(&self.model).and_then(|provider| identity(Some(provider), id));
        self.request_id = whole.or_else(|| self.request_id.take());
    }

    /// What other models did, as calls of their own.
    fn split_side_calls(&mut self, id: UsageId, book: &PriceBook) -> Vec<Self> {
        let side_calls = bounded(std::mem::take(&mut self.side_calls));
        let key = self.request_id.clone().unwrap_or_else(|| id.to_string());
        let key = |index: usize| format!("{key}:side:{}", index + 1);
        let provider = Some(self.provider_name(book)).filter(|provider| provider != UNKNOWN_PROVIDER);
        let new = |(index, SideCall { model, usage })| Self {
            provider: provider.clone(),
            model: model
                .and_then(|model| text::dimension_value("model", &model).ok())
                .unwrap_or_else(|| UNKNOWN_MODEL.to_owned()),
            response_model: None,
            operation: Some(SIDE_CALL.to_owned()),
            search_type: None,
            usage,
            tokens_estimated: false,
            // A cost that was told is that of the whole reply: what is inside of it costs no more.
            reported_cost: self.reported_cost.map(|_| Money::ZERO),
            provider_cost: self.provider_cost.map(|_| Money::ZERO),
            error: CallError::default(),
            status: Status::Success,
            response_time_ms: None,
            time_to_first_token_ms: None,
            request_id: Some(key(index)),
            other_keys: Vec::new(),
            metadata: None,
            content: Content::default(),
            side_calls: Vec::new(),
            ..self.clone()
        };
        side_calls.into_iter().enumerate().map(new).collect()
    }

    fn into_record(self, stamp: Stamp, book: &PriceBook) -> UsageRecord {
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
            tracker_key_id: stamp.tracker_key_id,
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
            search_type: self.search_type,
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
            other_keys: self.other_keys,
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
            search_type: self.search_type.as_deref(),
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

/// At most [`limits::SIDE_CALLS_MAX`]; what is more, which no provider does, is together one of an unknown model.
fn bounded(mut side_calls: Vec<SideCall>) -> Vec<SideCall> {
    if side_calls.len() > limits::SIDE_CALLS_MAX {
        let mut usage = Usage::new();
        for SideCall { usage: more, .. } in side_calls.drain(limits::SIDE_CALLS_MAX - 1..) {
            more.iter().for_each(|(unit, count)| usage.set(unit, usage.count(unit).saturating_add(count)));
        }
        side_calls.push(SideCall { model: None, usage });
    }
    side_calls
}

fn with_side_calls(metadata: Option<&str>, side_calls: &[UsageRecord]) -> String {
    let mut metadata: Map<String, Value> =
        metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let ids = side_calls.iter().map(|record| Value::from(record.id.to_string()));
    metadata.insert("sideCalls".to_owned(), ids.collect());
    Value::Object(metadata).to_string()
}

/// What is kept of a prompt and a completion: no secrets, and no more than the bound.
fn keep(content: Content) -> (Option<Content>, bool) {
    let mut was_cut = false;
    let mut kept = |text: Option<String>| {
        let text = text?;
        let kept = text::cut(&text, limits::CONTENT_BYTES_MAX);
        was_cut |= kept.len() < text.len();
        Some(redact(kept).into_owned())
    };
    let content = Content { prompt: kept(content.prompt), completion: kept(content.completion) };
    (Some(content).filter(|content| *content != Content::default()), was_cut)
}

fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pricing::{Catalog, Unit};

    use super::*;
    use crate::usage_record::CostSource;

    fn call(side_calls: Vec<SideCall>) -> NewUsage {
        NewUsage {
            provider: Some("anthropic".to_owned()),
            model: "claude-sonnet-4-5".to_owned(),
            response_model: Some("claude-sonnet-4-5-20250929".to_owned()),
            operation: Some("chat".to_owned()),
            service_tier: None,
            region: None,
            search_type: None,
            usage: tokens(1000, 500),
            tokens_estimated: false,
            reported_cost: None,
            provider_cost: None,
            occurred_at: None,
            project_id: Some("507f1f77bcf86cd799439012".parse().unwrap()),
            status: Status::Error,
            error: CallError { code: Some("refused".to_owned()), message: None },
            response_time_ms: Some(900),
            time_to_first_token_ms: Some(100),
            allocation: CostAllocation { team: Some("search".to_owned()), ..CostAllocation::default() },
            tags: Tags::new("tags", ["nightly"]).unwrap(),
            user_email: Some("user@example.com".to_owned()),
            customer_email: Some("customer@example.com".to_owned()),
            session_id: Some("session".to_owned()),
            trace_id: Some("trace".to_owned()),
            request_id: Some("key".to_owned()),
            other_keys: vec!["other".to_owned()],
            metadata: Some(r#"{"own":1}"#.to_owned()),
            content: Content { prompt: Some("secret".to_owned()), completion: None },
            side_calls,
        }
    }

    fn tokens(input: u64, output: u64) -> Usage {
        Usage::new().with(Unit::InputTokens, input).with(Unit::OutputTokens, output)
    }

    fn side_call(model: Option<&str>) -> SideCall {
        SideCall { model: model.map(str::to_owned), usage: tokens(2000, 100) }
    }

    fn records(new: NewUsage) -> CallRecords {
        let stamp = Stamp {
            id: UsageId::from_bytes([0; 12]),
            user_id: UserId::from_bytes([9; 12]),
            tracker_key_id: None,
            origin: Origin::Track,
            recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            keeps_content: true,
        };
        let mut count = 0;
        new.into_records(stamp, &PriceBook::new(Arc::clone(Catalog::embedded_arc())), || {
            count += 1;
            UsageId::from_bytes([count; 12])
        })
    }

    fn costs(records: &CallRecords) -> Vec<Option<String>> {
        records.iter().map(|record| record.cost.map(|cost| cost.to_string())).collect()
    }

    #[test]
    fn a_call_without_side_calls_is_one_record_as_it_was_sent() {
        let records = records(call(Vec::new()));
        assert_eq!(records.side_calls, []);
        assert_eq!(records.call.metadata.as_deref(), Some(r#"{"own":1}"#));
    }

    #[test]
    fn a_side_call_is_a_record_at_its_own_models_price_that_belongs_where_its_call_does() {
        let made = records(call(vec![side_call(Some("claude-opus-4-5")), side_call(Some("nobodys"))]));
        let CallRecords { call, side_calls } = &made;
        // 1000 × 3 + 500 × 15; 2000 × 5 + 100 × 25; unknown, which is not free.
        assert_eq!(costs(&made), [Some("0.0105".to_owned()), Some("0.0125".to_owned()), None]);
        let ids: Vec<String> = side_calls.iter().map(|record| record.id.to_string()).collect();
        let expected = format!(r#"{{"own":1,"sideCalls":["{}","{}"]}}"#, ids[0], ids[1]);
        assert_eq!(call.metadata.as_ref(), Some(&expected));
        let keys: Vec<_> = side_calls.iter().map(|record| record.request_id.as_deref()).collect();
        assert_eq!(keys, [Some("key:side:1"), Some("key:side:2")]);
        let expected = UsageRecord {
            id: side_calls[0].id,
            model: "claude-opus-4-5".to_owned(),
            response_model: None,
            operation: Some(SIDE_CALL.to_owned()),
            usage: tokens(2000, 100),
            cost: side_calls[0].cost,
            list_cost: side_calls[0].list_cost,
            price: side_calls[0].price.clone(),
            status: Status::Success,
            error: CallError::default(),
            response_time_ms: None,
            time_to_first_token_ms: None,
            request_id: Some("key:side:1".to_owned()),
            other_keys: Vec::new(),
            metadata: None,
            content: None,
            ..call.clone()
        };
        assert_eq!(side_calls[0], expected);
    }

    #[test]
    fn a_reply_is_the_same_call_whether_or_not_its_provider_was_named() {
        let key = |provider: Option<&str>, model: &str, key: &str| {
            let new = NewUsage {
                provider: provider.map(str::to_owned),
                model: model.to_owned(),
                request_id: Some(key.to_owned()),
                ..call(Vec::new())
            };
            records(new).call.request_id.unwrap()
        };
        for (provider, model, said, kept) in [
            (None, "gpt-4o", "reply::chatcmpl-1", "reply:openai:chatcmpl-1"),
            (Some("openai"), "gpt-4o", "reply:openai:chatcmpl-1", "reply:openai:chatcmpl-1"),
            (None, "nobodys", "reply::chatcmpl-1", "reply::chatcmpl-1"),
            (None, "gpt-4o", "order-7", "order-7"),
        ] {
            assert_eq!(key(provider, model, said), kept, "{said}");
        }
    }

    #[test]
    fn a_call_without_a_key_gives_its_side_calls_one_of_its_id() {
        let records = records(NewUsage { request_id: None, ..call(vec![side_call(None)]) });
        assert_eq!(records.call.request_id, None);
        let side_call = &records.side_calls[0];
        assert_eq!(side_call.request_id.as_deref(), Some("000000000000000000000000:side:1"));
        assert_eq!((side_call.model.as_str(), side_call.cost_source), (UNKNOWN_MODEL, CostSource::Unpriced));
    }

    #[test]
    fn a_cost_that_was_told_is_that_of_the_whole_reply() {
        let told = Some(Money::parse("0.5").unwrap());
        for (reported_cost, provider_cost) in [(told, None), (None, told)] {
            let new = call(vec![side_call(Some("claude-opus-4-5"))]);
            let records = records(NewUsage { reported_cost, provider_cost, ..new });
            assert_eq!(costs(&records), [Some("0.5".to_owned()), Some("0".to_owned())]);
            assert_eq!(records.side_calls[0].cost_source, records.call.cost_source);
            assert!(records.side_calls[0].list_cost.is_some());
        }
    }

    #[test]
    fn more_side_calls_than_any_reply_has_are_together_one_of_an_unknown_model() {
        let records = records(call(vec![side_call(Some("claude-opus-4-5")); limits::SIDE_CALLS_MAX + 2]));
        assert_eq!(records.side_calls.len(), limits::SIDE_CALLS_MAX);
        let last = records.side_calls.last().unwrap();
        assert_eq!((last.model.as_str(), &last.usage), (UNKNOWN_MODEL, &tokens(6000, 300)));
    }
}
