//! A usage record as it is answered.

use domain::{
    KeyId, ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    usage_record::{CostSource, Flag, Origin, Status, UsageRecord},
};
use jiff::Timestamp;
use pricing::{LineItem, Money, Price, PriceBook, Unit, Usage};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    api::prices::{PriceView, rules::PriceRule},
    track,
};

/// One kept call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
    /// Id.
    #[schema(value_type = String)]
    id: UsageId,
    /// The same id, for older clients.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    object_id: UsageId,
    /// The account that recorded it.
    #[schema(value_type = String)]
    user_id: UserId,
    /// Id of the tracker key that it came in with.
    #[schema(value_type = Option<String>)]
    tracker_key: Option<KeyId>,
    /// What it was for.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// Who sold it.
    service: String,
    /// The same, under its name in other standards.
    provider: String,
    /// Model that was asked for.
    model: String,
    /// Model that answered, where it is another.
    response_model: Option<String>,
    /// Kind of call.
    operation: Option<String>,
    /// Service tier.
    service_tier: Option<String>,
    /// Region or geography.
    region: Option<String>,
    /// Kind of web search, where that changes what a search costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    search_type: Option<String>,
    /// Input tokens, cached ones included; `null` when nobody counted.
    prompt_tokens: Option<u64>,
    /// Output tokens, reasoning included; `null` when nobody counted.
    completion_tokens: Option<u64>,
    /// Tokens in and out; `null` when nobody counted.
    total_tokens: Option<u64>,
    /// Everything that was counted, by unit.
    #[schema(value_type = Object)]
    usage: Usage,
    /// What it cost, in US dollars; `null` is unknown, not free.
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
    /// Where the cost comes from.
    cost_source: CostSource,
    /// The catalog's own figure, also where another was reported.
    #[schema(value_type = Option<f64>)]
    list_cost: Option<Money>,
    /// What caching saved, by the catalog.
    #[schema(value_type = Option<f64>)]
    cache_savings: Option<Money>,
    /// Why the catalog has no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpriced_reason: Option<String>,
    /// How it ended.
    status: Status,
    /// Code of the error it ended in.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    /// What the provider said of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// From request to the end of the answer, in milliseconds.
    response_time: Option<u64>,
    /// From request to the first token, in milliseconds.
    time_to_first_token: Option<u64>,
    /// Whom inside the organisation it is charged to.
    cost_allocation: CostAllocation,
    /// Words to find it by.
    tags: Tags,
    /// The sender's own user.
    user_email: Option<String>,
    /// The sender's customer.
    customer_email: Option<String>,
    /// Conversation.
    session_id: Option<String>,
    /// Trace.
    trace_id: Option<String>,
    /// The sender's key for this call.
    request_id: Option<String>,
    /// What else the sender said; fields this server does not know are under `extra`. `sideCalls` has the ids of the
    /// records of what other models did inside the reply; the key of such a record is this one's `requestId` (its `id`
    /// if it has none) with `:side:` and a number behind, and its `operation` is `side_call`.
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// What a person should know about it.
    flags: Vec<Flag>,
    /// By which door it came in.
    origin: Origin,
    /// When the call happened.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// When it was recorded here.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl RecordView {
    /// The view of `record`.
    pub fn new(record: &UsageRecord) -> Self {
        Self {
            id: record.id,
            object_id: record.id,
            user_id: record.user_id,
            tracker_key: record.tracker_key_id,
            project_id: record.project_id,
            service: record.provider.clone(),
            provider: record.provider.clone(),
            model: record.model.clone(),
            response_model: record.response_model.clone(),
            operation: record.operation.clone(),
            service_tier: record.service_tier.clone(),
            region: record.region.clone(),
            search_type: record.search_type.clone(),
            prompt_tokens: record.usage.get(Unit::InputTokens),
            completion_tokens: record.usage.get(Unit::OutputTokens),
            total_tokens: record.total_tokens(),
            usage: record.usage.clone(),
            cost: record.cost,
            cost_source: record.cost_source,
            list_cost: record.list_cost,
            cache_savings: record.cache_savings,
            unpriced_reason: record.unpriced_reason.clone(),
            status: record.status,
            error_code: record.error.code.clone(),
            error_message: record.error.message.clone(),
            response_time: record.response_time_ms,
            time_to_first_token: record.time_to_first_token_ms,
            cost_allocation: record.allocation.clone(),
            tags: record.tags.clone(),
            user_email: record.user_email.clone(),
            customer_email: record.customer_email.clone(),
            session_id: record.session_id.clone(),
            trace_id: record.trace_id.clone(),
            request_id: record.request_id.clone(),
            metadata: record.metadata.as_deref().map(track::metadata_object).unwrap_or_default(),
            flags: record.flags.clone(),
            origin: record.origin,
            timestamp: record.occurred_at,
            created_at: record.recorded_at,
        }
    }
}

/// One kept call with its text and the explanation of its cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordDetail {
    /// The record.
    #[serde(flatten)]
    record: RecordView,
    /// What was asked, where the project keeps it.
    prompt: Option<String>,
    /// What was answered, where the project keeps it.
    completion: Option<String>,
    /// How the catalog's figure comes about; `null` when it has none (see `unpricedReason`).
    cost_explanation: Option<Explanation>,
    /// The operator's own rules that made the cost another than the catalog's, as they were then.
    price_rules: Vec<PriceRule>,
    /// Why the catalog's row is the model's, in words; `null` when today's catalog would take another row.
    price_match: Option<String>,
}

/// How a cost comes about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What was counted, at which rate, and what that is. The amounts are exact; their sum is rounded once.
    items: Vec<ItemView>,
    /// The sum, rounded half to even to a nano-dollar.
    #[schema(value_type = f64)]
    total: Money,
    /// The price row, as it was then.
    price: PriceView,
}

/// One line of an explanation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    /// What was counted.
    #[schema(value_type = String)]
    unit: Unit,
    /// How many.
    count: u64,
    /// US dollars per million units (per hour for durations), exact digits.
    rate: String,
    /// Whose rate applied: `input_tokens` where the row has no rate of its own for the unit.
    #[schema(value_type = String)]
    rate_unit: Unit,
    /// Least size of the prompt for which the rate holds, where it depends on that.
    tier_input_tokens_min: Option<u64>,
    /// What it comes to, in US dollars, exact digits.
    amount: String,
}

impl RecordDetail {
    /// The detail of `record`.
    pub fn new(record: &UsageRecord, book: &PriceBook) -> Self {
        let content = record.content.clone().unwrap_or_default();
        Self {
            record: RecordView::new(record),
            prompt: content.prompt,
            completion: content.completion,
            cost_explanation: record.price.as_ref().and_then(|price| Explanation::new(price, &record.usage)),
            price_rules: record.adjustments.iter().map(|rule| PriceRule::from(&**rule)).collect(),
            price_match: price_match(record, book),
        }
    }
}

/// Why the record's row is the model's, if it still is.
pub(super) fn price_match(record: &UsageRecord, book: &PriceBook) -> Option<String> {
    let facts = record.facts();
    let call = facts.call();
    let found = book.find_price(&call).ok()?;
    record.price.as_ref().filter(|price| price.id == found.price.id).map(|_| found.why(&call))
}

impl Explanation {
    /// How `price` makes a cost of `usage`; `None` if it does not.
    pub fn new(price: &Price, usage: &Usage) -> Option<Self> {
        let cost = price.cost_of(usage).ok()?;
        Some(Self {
            items: cost.items.iter().map(item).collect(),
            total: cost.total,
            price: PriceView::from(price),
        })
    }
}

fn item(item: &LineItem) -> ItemView {
    ItemView {
        unit: item.unit,
        count: item.count,
        rate: item.rate.to_string(),
        rate_unit: item.rate_unit,
        tier_input_tokens_min: item.tier_input_tokens_min,
        amount: item.amount.to_string(),
    }
}
