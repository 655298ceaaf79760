//! What a reply says of the call.

use std::collections::BTreeSet;

use pricing::{Money, Usage};
use serde::{Deserialize, Serialize};

/// What a provider's reply says of itself. Everything that it does not say is `None`, empty or absent, never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metered {
    /// What was counted, in normal form; empty when the reply did not say.
    pub usage: Usage,
    /// The provider's id of the reply: with account and provider, the identity of the call.
    pub response_id: Option<String>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// The tier that served the call, which is not always the one that was asked for.
    pub service_tier: Option<String>,
    /// Where it was served, in the provider's words.
    pub region: Option<String>,
    /// Which kind of web search it used, where that changes what a search costs. Few replies say so, but most requests:
    /// see [`super::search_type`].
    pub search_type: Option<String>,
    /// Why the reply ended, in the provider's words.
    pub finish: Option<String>,
    /// What the provider says that it charges for the call.
    pub provider_cost: Option<Money>,
    /// Of what kind the images are, where they are priced by it.
    pub image: Option<ImageFormat>,
    /// What other models did for this reply. It is charged at their prices, and is not in `usage`.
    pub side_calls: Vec<SideCall>,
    /// What whoever reads these figures should know.
    pub notes: BTreeSet<Note>,
}

/// Size and quality of images made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFormat {
    /// `1024x1536`, say.
    pub size: Option<String>,
    /// `high`, say.
    pub quality: Option<String>,
}

/// What another model than the one that answered did for a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideCall {
    /// Which, if the reply says so.
    pub model: Option<String>,
    /// What was counted of it.
    pub usage: Usage,
}

/// What is peculiar in the figures of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A cost of zero was reported for tokens that were counted; it was not believed.
    ZeroCost,
    /// A count was larger than any call's ([`crate::limits::COUNT_MAX`]); it was left out.
    CountTooLarge,
    /// An event longer than [`super::EVENT_BYTES_MAX`] was skipped: the counts may be older than the reply's end.
    EventTooLong,
}

impl Metered {
    /// The same, with what it does not say taken from `other`: from the headers of the reply, say.
    ///
    /// Counts are taken only if there are none at all: two sources may count the same tokens in different wholes.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        if self.usage.is_empty() {
            self.usage = other.usage;
        }
        self.response_id = self.response_id.or(other.response_id);
        self.response_model = self.response_model.or(other.response_model);
        self.service_tier = self.service_tier.or(other.service_tier);
        self.region = self.region.or(other.region);
        self.search_type = self.search_type.or(other.search_type);
        self.finish = self.finish.or(other.finish);
        self.provider_cost = self.provider_cost.or(other.provider_cost);
        if self.side_calls.is_empty() {
            self.side_calls = other.side_calls;
        }
        self
    }

    /// Whether anything is counted, or charged.
    pub(super) fn counts_something(&self) -> bool {
        !self.usage.is_empty() || self.provider_cost.is_some() || !self.side_calls.is_empty()
    }

    /// Whether it says anything of a call.
    pub(super) fn says_something(&self) -> bool {
        self.counts_something() || self.response_id.is_some() || self.response_model.is_some()
    }
}
