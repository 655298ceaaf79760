//! Questions to the catalog, and its answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Price;

/// A call whose price is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who was called, by any usual name; `None` to tell it from the model.
    pub provider: Option<&'a str>,
    /// The model, as the provider's API names it.
    pub model: &'a str,
    /// When it was called.
    pub at: Timestamp,
    /// How it was served, as the provider reports it: `default`, `batch`, `flex`, `priority`.
    pub service_tier: Option<&'a str>,
    /// Where it was served, when that changes the price.
    pub region: Option<&'a str>,
    /// Which kind of web search it used, when that changes the price.
    pub search_type: Option<&'a str>,
}

/// The price of a call.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The row that was in force.
    pub price: &'a Price,
    /// How the model's name was recognised.
    pub rule: MatchRule,
    /// Who was called. The price's own provider differs when this one resells it at the standard price.
    pub provider: &'a str,
    /// The call was served in a tier for which no price is known, and this is the standard one.
    pub tier_assumed_standard: bool,
}

/// How a model's name was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchRule {
    /// It is the model's id.
    Exact,
    /// It is one of the model's other names.
    Alias,
    /// It is a dated snapshot of the model, or the same date written otherwise.
    Snapshot,
    /// It matches one of the model's patterns.
    Pattern,
    /// It is the undated name of a dated model, the latest of them.
    Family,
    /// It is a Bedrock model served in a geography (`us.`, `eu.`, `global.` …).
    BedrockGeography,
    /// It is the model at the end of a Bedrock ARN.
    InferenceProfile,
}

impl<'a> Call<'a> {
    /// A standard call.
    pub const fn new(provider: Option<&'a str>, model: &'a str, at: Timestamp) -> Self {
        Self { provider, model, at, service_tier: None, region: None, search_type: None }
    }

    /// The same call, served in this tier.
    #[must_use]
    pub const fn service_tier(mut self, tier: Option<&'a str>) -> Self {
        self.service_tier = tier;
        self
    }

    /// The same call, served in this region.
    #[must_use]
    pub const fn region(mut self, region: Option<&'a str>) -> Self {
        self.region = region;
        self
    }

    /// The same call, with this kind of web search.
    #[must_use]
    pub const fn search_type(mut self, search_type: Option<&'a str>) -> Self {
        self.search_type = search_type;
        self
    }
}
