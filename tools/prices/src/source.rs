//! The data file of genai-prices, with its numbers as text.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
pub(crate) struct Provider {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) pricing_urls: Vec<String>,
    pub(crate) price_comments: Option<String>,
    pub(crate) model_match: Option<Clause>,
    #[serde(default)]
    pub(crate) fallback_model_providers: Vec<String>,
    pub(crate) models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) id: String,
    #[serde(rename = "match")]
    pub(crate) clause: Clause,
    pub(crate) price_comments: Option<String>,
    /// Rates, or a list of [`Dated`]: the last whose constraint holds applies.
    pub(crate) prices: Box<RawValue>,
    #[serde(default)]
    pub(crate) price_variants: Vec<Variant>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Clause {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(String),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Rates by the source's price key: a number, or a [`Tiers`] object.
pub(crate) type Prices = BTreeMap<String, Box<RawValue>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dated {
    pub(crate) constraint: Option<Constraint>,
    pub(crate) prices: Prices,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    pub(crate) when: BTreeMap<String, String>,
    pub(crate) prices: Prices,
    pub(crate) constraint: Option<Constraint>,
}

/// Either a date, or both times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constraint {
    pub(crate) start_date: Option<jiff::civil::Date>,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tiers {
    pub(crate) base: Box<RawValue>,
    pub(crate) tiers: Vec<Tier>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tier {
    /// The tier holds for prompts with *more* tokens than this.
    pub(crate) start: u64,
    pub(crate) price: Box<RawValue>,
}
