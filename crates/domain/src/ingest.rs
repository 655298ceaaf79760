//! From what a sender says of a call to the record that is kept: the one path behind every door.

use std::sync::Arc;

use jiff::Timestamp;
use pricing::{Call, Catalog, Money, Unpriced, Usage};

use crate::{
    ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    limits, text,
    usage_record::{CallError, Content, CostSource, Flag, Origin, Status, UNKNOWN_PROVIDER, UsageRecord},
};

/// What a sender says of one call, checked at the door.
#[derive(Debug, Clone, PartialEq)]
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
    /// What the sender says it cost. Zero is a cost.
    pub reported_cost: Option<Money>,
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
    pub fn into_record(self, stamp: Stamp, catalog: &Catalog) -> UsageRecord {
        let occurred_at = to_millisecond(self.occurred_at.unwrap_or(stamp.recorded_at));
        let pricing = Priced::new(&self, occurred_at, catalog);
        let (content, cut) = if stamp.keeps_content { keep(self.content) } else { (None, false) };
        let mut flags = pricing.flags;
        if cut {
            flags.push(Flag::ContentCut);
        }
        UsageRecord {
            id: stamp.id,
            user_id: stamp.user_id,
            project_id: self.project_id,
            origin: stamp.origin,
            occurred_at,
            recorded_at: to_millisecond(stamp.recorded_at),
            provider: pricing.provider,
            response_model: self.response_model.filter(|answered| *answered != self.model),
            model: self.model,
            operation: self.operation,
            service_tier: self.service_tier,
            region: self.region,
            usage: self.usage,
            cost: pricing.cost,
            cost_source: pricing.cost_source,
            list_cost: pricing.list_cost,
            cache_savings: pricing.cache_savings,
            price: pricing.price,
            unpriced_reason: pricing.unpriced_reason,
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

/// What the catalog and the sender together say of a call's cost.
struct Priced {
    provider: String,
    cost: Option<Money>,
    cost_source: CostSource,
    list_cost: Option<Money>,
    cache_savings: Option<Money>,
    price: Option<Arc<pricing::Price>>,
    unpriced_reason: Option<String>,
    flags: Vec<Flag>,
}

impl Priced {
    fn new(new: &NewUsage, at: Timestamp, catalog: &Catalog) -> Self {
        let provider = provider_of(new, catalog);
        let mut flags = Vec::new();
        if !new.usage.inconsistencies().is_empty() {
            flags.push(Flag::InconsistentUsage);
        }
        let listed = list_price(new, &provider, at, catalog);
        let (cost, cost_source) = match (new.reported_cost, &listed) {
            (Some(reported), _) => (Some(reported), CostSource::Reported),
            (None, Ok(listed)) => (Some(listed.cost), CostSource::Catalog),
            (None, Err(_)) => (None, CostSource::Unpriced),
        };
        let unpriced_reason = listed.as_ref().err().map(|reason| reason.code().to_owned());
        let Some(listed) = listed.ok() else {
            return Self {
                provider,
                cost,
                cost_source,
                list_cost: None,
                cache_savings: None,
                price: None,
                unpriced_reason,
                flags,
            };
        };
        if listed.tier_assumed_standard {
            flags.push(Flag::TierAssumedStandard);
        }
        if new.reported_cost.is_some_and(|reported| differ(reported, listed.cost)) {
            flags.push(Flag::CostDiffers);
        }
        Self {
            provider,
            cost,
            cost_source,
            list_cost: Some(listed.cost),
            cache_savings: Some(listed.cache_savings),
            price: Some(listed.price),
            unpriced_reason,
            flags,
        }
    }
}

struct Listed {
    cost: Money,
    cache_savings: Money,
    price: Arc<pricing::Price>,
    tier_assumed_standard: bool,
}

fn provider_of(new: &NewUsage, catalog: &Catalog) -> String {
    match &new.provider {
        Some(provider) => pricing::canonical_provider(provider).into_owned(),
        None => catalog.resolve_provider(&new.model).unwrap_or(UNKNOWN_PROVIDER).to_owned(),
    }
}

/// The catalog's price: of the model that answered, if it knows that one, else of the model that was asked.
fn list_price(new: &NewUsage, provider: &str, at: Timestamp, catalog: &Catalog) -> Result<Listed, Unpriced> {
    let find = |model| {
        let mut call = Call::new(Some(provider), model, at);
        call.service_tier = new.service_tier.as_deref();
        call.region = new.region.as_deref();
        catalog.find_price(&call)
    };
    let answered = new.response_model.as_deref().and_then(|model| find(model).ok());
    let found = answered.map_or_else(|| find(&new.model), Ok)?;
    let cost = found.price.cost_of(&new.usage)?;
    Ok(Listed {
        cost: cost.total,
        cache_savings: cost.cache_savings,
        price: Arc::new(found.price.clone()),
        tier_assumed_standard: found.tier_assumed_standard,
    })
}

/// Whether two figures are more than a tenth of the larger apart.
fn differ(a: Money, b: Money) -> bool {
    let (a, b) = (i128::from(a.nanos()), i128::from(b.nanos()));
    (a - b).abs() * 10 > a.abs().max(b.abs())
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
