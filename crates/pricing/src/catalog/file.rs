//! The catalog's file format: what [`crate::Catalog::from_json`] reads and the converter writes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{DailyWindow, Matcher, PriceSource, Rate, Unit};

/// A whole catalog.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Changes whenever the content does.
    pub version: String,
    /// Where rows come from that do not say otherwise.
    pub source: PriceSource,
    /// Providers; without a provider in a call, the first that recognises the model wins.
    pub providers: Vec<Provider>,
}

/// Who sells models.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// As in [`crate::canonical_provider`].
    pub id: String,
    /// For people.
    pub name: String,
    /// What the source calls it, when that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Where it publishes its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it sells models of its own making, so that a model's name alone may point to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_party: bool,
    /// Names of models that point to this provider when a call names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_match: Option<Matcher>,
    /// Providers whose models it resells at their standard prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resells: Vec<String>,
    /// What the source says about all its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Its models; of two whose patterns match, the first wins.
    pub models: Vec<Model>,
}

/// A model and its prices.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name.
    pub id: String,
    /// Its other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Patterns of yet other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<Matcher>,
    /// What the source says about its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Where its prices were read, when not in the catalog's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PriceSource>,
    /// Its price rows.
    pub prices: Vec<Row>,
}

/// A price row: see [`crate::Price`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// First day (UTC) on which it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// First day (UTC) on which it no longer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// See [`crate::Conditions::service_tier`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// See [`crate::Conditions::region`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// See [`crate::Conditions::search_type`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_type: Option<String>,
    /// See [`crate::Conditions::daily`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyWindow>,
    /// See [`crate::Price::minimum_counts`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum: BTreeMap<Unit, u64>,
    /// The rates.
    pub rates: BTreeMap<Unit, Rates>,
}

/// The rates of a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rates {
    /// The same for every prompt.
    Flat(Rate),
    /// By the prompt's smallest size in input tokens, rising from zero.
    Tiered(Vec<(u64, Rate)>),
}
