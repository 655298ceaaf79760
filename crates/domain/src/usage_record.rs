//! One kept call.

use std::sync::Arc;

use jiff::Timestamp;
use pricing::{Adjustment, Cost, Money, Price, Unit, Usage};
use serde::{Deserialize, Serialize};

use crate::{
    Invalid, KeyId, ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    invalid::Problems,
};

/// The provider of a call whose provider nobody named and no rule could tell.
pub const UNKNOWN_PROVIDER: &str = "unknown";
/// The model of a side call whose reply does not say which it was.
pub const UNKNOWN_MODEL: &str = "unknown";
/// The kind of call that is what another model did inside the reply of one.
pub const SIDE_CALL: &str = "side_call";

macro_rules! words {
    (#[doc = $doc:literal] $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in JSON and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value that [`Self::as_str`] names.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        crate::schema_of_words!($name, $doc);
    };
}

words! {
    /// Where a record's cost comes from.
    CostSource {
        /// The sender said it.
        Reported = "reported",
        /// The provider said it in its reply.
        Provider = "provider",
        /// Computed from the catalog at the time of the call.
        Catalog = "catalog",
        /// Computed from the operator's own rates.
        Override = "override",
        /// Computed from tokens that were estimated.
        Estimated = "estimated",
        /// Unknown.
        Unpriced = "unpriced",
    }
}

words! {
    /// How a call ended.
    Status {
        /// With an answer.
        Success = "success",
        /// With an error.
        Error = "error",
    }
}

words! {
    /// By which door a record came in.
    Origin {
        /// `POST /usage/track`.
        Track = "track",
        /// `POST /usage/track-sdk`, `/ai-logs`.
        Sdk = "sdk",
        /// `POST /usage/bulk`.
        Bulk = "bulk",
        /// `ai-cost-tracker import`.
        Import = "import",
        /// The gateway.
        Gateway = "gateway",
        /// OpenTelemetry.
        Otlp = "otlp",
        /// `ai-cost-tracker demo`.
        Demo = "demo",
    }
}

words! {
    /// Something about a record that a person should know.
    Flag {
        /// Details (cached, reasoning, …) exceed the total that contains them.
        InconsistentUsage = "inconsistent_usage",
        /// The reported cost and the catalog's differ by more than 10 %.
        CostDiffers = "cost_differs",
        /// Nobody counted the tokens; they are estimated from the text.
        TokensEstimated = "tokens_estimated",
        /// The text was longer than is kept.
        ContentCut = "content_cut",
        /// No price for the asked service tier is known; the standard price was taken.
        TierAssumedStandard = "tier_assumed_standard",
    }
}

/// Prompt and completion, where the project keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What was asked.
    pub prompt: Option<String>,
    /// What was answered.
    pub completion: Option<String>,
}

/// What went wrong with a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// The provider's code or the HTTP status, as text.
    pub code: Option<String>,
    /// What the provider said.
    pub message: Option<String>,
}

/// One kept call: what was used, what it cost, whom it was for.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageRecord {
    /// Identifies it for ever.
    pub id: UsageId,
    /// The account that recorded it.
    pub user_id: UserId,
    /// The tracker key that it came in with; a person who is logged in has none.
    pub tracker_key_id: Option<KeyId>,
    /// What it was for.
    pub project_id: Option<ProjectId>,
    /// By which door it came in.
    pub origin: Origin,
    /// When the call happened, to the millisecond.
    pub occurred_at: Timestamp,
    /// When it was recorded here, to the millisecond.
    pub recorded_at: Timestamp,
    /// Canonical id of who sold it.
    pub provider: String,
    /// The model that was asked for (OpenTelemetry `gen_ai.request.model`).
    pub model: String,
    /// The model that answered, where told and different (`gen_ai.response.model`).
    pub response_model: Option<String>,
    /// Kind of call (`chat`, `embeddings`, …; `gen_ai.operation.name`).
    pub operation: Option<String>,
    /// Service tier that served it.
    pub service_tier: Option<String>,
    /// Region or geography that served it.
    pub region: Option<String>,
    /// Kind of web search that it used, where that changes what a search costs.
    pub search_type: Option<String>,
    /// What was counted.
    pub usage: Usage,
    /// What it cost; `None` is unknown, not free.
    pub cost: Option<Money>,
    /// Where the cost comes from.
    pub cost_source: CostSource,
    /// The catalog's own figure, also where another was reported.
    pub list_cost: Option<Money>,
    /// What caching saved, by the catalog.
    pub cache_savings: Option<Money>,
    /// The price row behind `list_cost`, as it was then.
    pub price: Option<Arc<Price>>,
    /// The operator's own rules that made `cost` another than `list_cost`, as they were then.
    pub adjustments: Vec<Arc<Adjustment>>,
    /// Why the catalog has no figure.
    pub unpriced_reason: Option<String>,
    /// How the call ended.
    pub status: Status,
    /// What went wrong, if it ended in an error.
    pub error: CallError,
    /// From request to the end of the answer.
    pub response_time_ms: Option<u64>,
    /// From request to the first token.
    pub time_to_first_token_ms: Option<u64>,
    /// Whom inside the organisation it is charged to.
    pub allocation: CostAllocation,
    /// Words to find it by.
    pub tags: Tags,
    /// The sender's own user.
    pub user_email: Option<String>,
    /// The sender's customer.
    pub customer_email: Option<String>,
    /// Conversation it belongs to.
    pub session_id: Option<String>,
    /// Trace it belongs to.
    pub trace_id: Option<String>,
    /// The sender's key for this call: the same key from the same account is the same record.
    pub request_id: Option<String>,
    /// Other keys of the same call: what its provider calls the request. They join what a trace or a log tells of a call with
    /// the record of whoever made it, and never two records of those who made calls: such an id may be shared.
    pub other_keys: Vec<String>,
    /// What else the sender said, a JSON object as text.
    pub metadata: Option<String>,
    /// Prompt and completion, where the project keeps them.
    pub content: Option<Content>,
    /// What a person should know about it.
    pub flags: Vec<Flag>,
}

impl UsageRecord {
    /// Tokens in and out, or the total where only that was told; `None` when nobody counted.
    pub fn total_tokens(&self) -> Option<u64> {
        total_tokens(&self.usage)
    }

    /// How the catalog's figure comes about; `None` when it has none.
    pub fn explain(&self) -> Option<Cost> {
        self.price.as_ref().and_then(|price| price.cost_of(&self.usage).ok())
    }

    /// Applies a correction.
    pub fn amend(&mut self, amendment: &Amendment) {
        if let Some(tags) = &amendment.tags {
            self.tags = tags.clone();
        }
        if let Some(allocation) = &amendment.allocation {
            self.allocation = allocation.clone();
        }
        if let Some(project) = amendment.project_id {
            self.project_id = project;
        }
    }
}

/// Tokens in and out, or the total where only that was told; `None` when nobody counted.
pub fn total_tokens(usage: &Usage) -> Option<u64> {
    match (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)) {
        (None, None) => usage.get(Unit::TotalTokens),
        (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
    }
}

/// What may be corrected in a kept record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment {
    /// Replaces the tags.
    pub tags: Option<Tags>,
    /// Replaces the allocation.
    pub allocation: Option<CostAllocation>,
    /// Moves it to another project, or out of any.
    pub project_id: Option<Option<ProjectId>>,
}

impl Amendment {
    /// An amendment of checked parts.
    pub fn new(
        tags: Option<&[String]>,
        allocation: Option<CostAllocation>,
        project_id: Option<Option<ProjectId>>,
    ) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        let tags = tags.and_then(|tags| problems.take(Tags::new("tags", tags.iter().map(String::as_str))));
        let allocation =
            allocation.and_then(|allocation| problems.take(allocation.checked("costAllocation")));
        problems.into_result()?;
        Ok(Self { tags, allocation, project_id })
    }
}
