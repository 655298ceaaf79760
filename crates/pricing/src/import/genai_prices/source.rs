//! The data file of genai-prices, with its numbers as text.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) pricing_urls: Vec<String>,
    pub(super) price_comments: Option<String>,
    pub(super) model_match: Option<Clause>,
    #[serde(default)]
    pub(super) fallback_model_providers: Vec<String>,
    pub(super) models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Model {
    pub(super) id: String,
    #[serde(rename = "match")]
    pub(super) clause: Clause,
    pub(super) price_comments: Option<String>,
    /// Rates, or a list of [`Dated`]: the last whose constraint holds applies.
    pub(super) prices: Box<RawValue>,
    #[serde(default)]
    /// [`Variant`]s.
    pub(super) price_variants: Vec<Box<RawValue>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clause {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(String),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Rates by the source's price key: a number, or a [`Tiers`] object.
pub(super) type Prices = BTreeMap<String, Box<RawValue>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dated {
    pub(super) constraint: Option<Constraint>,
    pub(super) prices: Prices,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variant {
    pub(super) when: BTreeMap<String, String>,
    pub(super) prices: Prices,
    pub(super) constraint: Option<Constraint>,
}

/// Either a date, or both times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constraint {
    pub(super) start_date: Option<Date>,
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tiers {
    pub(super) base: Box<RawValue>,
    pub(super) tiers: Vec<Tier>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tier {
    /// The tier holds for prompts with *more* tokens than this.
    pub(super) start: u64,
    pub(super) price: Box<RawValue>,
}
