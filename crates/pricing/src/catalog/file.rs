//! The catalog's file format: what [`crate::Catalog::from_json`] reads and the converter writes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Conditions, DailyWindow, Matcher, PriceSource, Rate, Unit};

mod instant;

pub(crate) use instant::midnight;

/// A whole catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog<M = Vec<Model>> {
    /// Changes whenever the content does.
    pub version: String,
    /// Where rows come from that do not say otherwise.
    pub source: PriceSource,
    /// Providers; without a provider in a call, the first that recognises the model wins.
    pub providers: Vec<Provider<M>>,
}

/// Who sells models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider<M = Vec<Model>> {
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
    pub models: M,
}

/// A model and its prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The day on which the provider retires it. Its prices stay: calls before that day cost what they cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_on: Option<Date>,
    /// Its price rows.
    pub prices: Vec<Row>,
}

/// A price row: see [`crate::Price`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// First instant at which it is in force; in the file a date is its midnight, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant")]
    pub from: Option<Timestamp>,
    /// First instant at which it no longer is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant")]
    pub until: Option<Timestamp>,
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
    /// Where it was read, when not where its model's other rows were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PriceSource>,
}

/// The rates of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Rates {
    /// The same for every prompt.
    Flat(Rate),
    /// By the prompt's smallest size in input tokens, rising from zero.
    Tiered(Vec<(u64, Rate)>),
}

impl Row {
    /// What must hold of a call for the row to apply.
    pub fn conditions(&self) -> Conditions {
        Conditions {
            service_tier: self.tier.clone(),
            region: self.region.clone(),
            search_type: self.search_type.clone(),
            daily: self.daily.clone(),
        }
    }

    /// Whether it charges the same as `other`, whenever and wherever that is.
    pub fn charges_like(&self, other: &Self) -> bool {
        self.rates == other.rates && self.minimum == other.minimum
    }

    /// Whether it is in force at `at`, on the days and in the hours on which it applies.
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

impl Rates {
    /// The rates by the prompt's smallest size.
    pub fn tiers(&self) -> Vec<(u64, Rate)> {
        match self {
            Self::Flat(rate) => vec![(0, *rate)],
            Self::Tiered(tiers) => tiers.clone(),
        }
    }

    /// Whether the sizes rise from zero, and the rates are for the quantity that `unit` is charged by.
    pub(crate) fn are_sound(&self, unit: Unit) -> bool {
        match self {
            Self::Flat(rate) => rate.per == unit.per(),
            Self::Tiered(tiers) => {
                tiers.first().is_some_and(|&(size, _)| size == 0)
                    && tiers.windows(2).all(|pair| pair[0].0 < pair[1].0)
                    && tiers.iter().all(|(_, rate)| rate.per == unit.per())
            }
        }
    }
}

// By hand, because an untagged enum copies what it reads before it knows which of the two it is.
impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RatesVisitor;

        impl<'de> Visitor<'de> for RatesVisitor {
            type Value = Rates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate as text, or a list of prompt sizes with their rates")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rates, E> {
                text.parse().map(Rates::Flat).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, tiers: A) -> Result<Rates, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(tiers)).map(Rates::Tiered)
            }
        }

        deserializer.deserialize_any(RatesVisitor)
    }
}
