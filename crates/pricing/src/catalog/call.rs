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
    /// The model that answered, when the provider says so. It decides, as far as it is known.
    pub response_model: Option<&'a str>,
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
    /// The model that answered was recognised, not the one that was asked for.
    pub by_response: bool,
}

impl Found<'_> {
    /// Why this price applies to `call`, for people: `gpt-4o-2024-08-06 is a dated snapshot of gpt-4o`.
    pub fn why(&self, call: &Call<'_>) -> String {
        let mut why = self.rule.explain(self.name(call), self.price);
        if self.provider != self.price.provider {
            why = format!("{why}; {} sells it at the price of {}", self.provider, self.price.provider);
        }
        if self.tier_assumed_standard {
            why.push_str("; its tier has no price of its own, so this is the standard one");
        }
        why
    }

    /// The name that was recognised.
    fn name<'c>(&self, call: &Call<'c>) -> &'c str {
        call.response_model.filter(|_| self.by_response).unwrap_or(call.model)
    }
}

impl MatchRule {
    pub(crate) fn explain(self, name: &str, price: &Price) -> String {
        let model = &price.model;
        match self {
            Self::Exact => format!("{name} is the model's name in the catalog"),
            Self::Alias => format!("{name} is another name of {model}"),
            Self::Snapshot => format!("{name} is a dated snapshot of {model}"),
            Self::Pattern => format!("{name} has the form of the names of {model}"),
            Self::Family => format!("{name} is the latest of its dated models, {model}"),
            Self::BedrockGeography => format!("{name} is priced by its geography, as {model}"),
            Self::InferenceProfile => format!("{name} is an inference profile of {model}"),
            Self::Operator => format!("the operator maps {name} to {}/{model}", price.provider),
            Self::OwnRates => format!("the catalog does not know {name}; the operator has set its rates"),
        }
    }
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
    /// The operator's table says so.
    Operator,
    /// The catalog does not know it; the operator has set rates for it.
    OwnRates,
}

impl<'a> Call<'a> {
    /// A standard call.
    pub const fn new(provider: Option<&'a str>, model: &'a str, at: Timestamp) -> Self {
        Self {
            provider,
            model,
            response_model: None,
            at,
            service_tier: None,
            region: None,
            search_type: None,
        }
    }

    /// The same call, answered by this model.
    #[must_use]
    pub const fn response_model(mut self, model: Option<&'a str>) -> Self {
        self.response_model = model;
        self
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
