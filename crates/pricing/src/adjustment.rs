//! What an operator pays or charges instead of the list price: own rates, discounts, margins.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::file::Rates;
use crate::{Call, Conditions, NamePattern, Price, PriceSource, TieredRate, Unit, canonical_provider};

/// A rule that makes the effective cost of some calls differ from the list cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// Names the rule.
    pub id: String,
    /// Whose calls.
    #[serde(default)]
    pub scope: Scope,
    /// Only calls of this provider, by any of its usual names; `None` for every provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only these models, by the name that was called, that answered, or that the catalog has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<NamePattern>,
    /// First instant at which it applies; `None` is since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// First instant at which it no longer does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// What it does.
    pub kind: AdjustmentKind,
    /// Why: the contract, the invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whose calls a rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everybody's.
    #[default]
    Everything,
    /// Those of an account.
    Account(String),
    /// Those of a project.
    Project(String),
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentKind {
    /// Other rates than the catalog's.
    OwnRates(OwnRates),
    /// Less, by this part of it.
    Discount(BasisPoints),
    /// More, by this part of it.
    Margin(BasisPoints),
}

/// A rate card of the operator's. It is whole: what it has no rate for has no effective cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRates {
    /// Only calls served in this tier; `None` for every tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Only calls served in this region; `None` for every region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The rates.
    pub rates: BTreeMap<Unit, Rates>,
    /// See [`Price::minimum_counts`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum: BTreeMap<Unit, u64>,
}

/// Hundredths of a percent, from none up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct BasisPoints(i64);

/// Whom a call is charged to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payer<'a> {
    /// The account.
    pub account: Option<&'a str>,
    /// The project.
    pub project: Option<&'a str>,
}

/// Every rule.
#[derive(Clone, Debug, Default)]
pub struct Adjustments(Vec<Arc<Rule>>);

/// A checked rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) adjustment: Arc<Adjustment>,
    /// The price of own rates.
    pub(crate) price: Option<Arc<Price>>,
}

/// Why rules are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// There are more than [`Adjustments::RULES_MAX`].
    #[error("more than {} rules", Adjustments::RULES_MAX)]
    TooMany,
    /// Two rules have the same id.
    #[error("{id} is there twice")]
    Duplicate {
        /// The rule.
        id: String,
    },
    /// The rule is over before it begins.
    #[error("{id} is over before it begins")]
    EmptyPeriod {
        /// The rule.
        id: String,
    },
    /// Own rates say nothing, have tiers that do not rise from zero, or are for a quantity that is not the unit's.
    #[error("{id} has no rates, unsorted tiers, or a rate per hour of what is not time")]
    BadRates {
        /// The rule.
        id: String,
    },
    /// A discount of more than everything.
    #[error("{id} takes off more than 100 %")]
    DiscountAboveAll {
        /// The rule.
        id: String,
    },
}

/// The number is not one of basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not from 0 to {} basis points", BasisPoints::MAX.0)]
pub struct BasisPointsError;

impl BasisPoints {
    /// All of it: 100 %.
    pub const ALL: Self = Self(10_000);
    /// A thousandfold; more is a slip of the pen.
    pub const MAX: Self = Self(10_000_000);

    /// How many.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for BasisPoints {
    type Error = BasisPointsError;

    fn try_from(points: i64) -> Result<Self, BasisPointsError> {
        if (0..=Self::MAX.0).contains(&points) { Ok(Self(points)) } else { Err(BasisPointsError) }
    }
}

impl From<BasisPoints> for i64 {
    fn from(points: BasisPoints) -> Self {
        points.0
    }
}

impl Adjustments {
    /// How many rules there may be.
    pub const RULES_MAX: usize = 10_000;

    /// Checks the rules.
    pub fn new(rules: Vec<Adjustment>) -> Result<Self, AdjustmentError> {
        if rules.len() > Self::RULES_MAX {
            return Err(AdjustmentError::TooMany);
        }
        let mut ids = HashSet::new();
        let rules = rules.into_iter().map(|rule| {
            if ids.insert(rule.id.clone()) {
                Rule::new(rule).map(Arc::new)
            } else {
                Err(AdjustmentError::Duplicate { id: rule.id })
            }
        });
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// The rules, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Adjustment> {
        self.0.iter().map(|rule| &*rule.adjustment)
    }

    /// Of the rules that apply and that `wanted` picks, the one with most authority: a project's before an account's
    /// before everybody's; a narrower model pattern before a wider one, before a provider's, before one for all; the
    /// conditions that fit most closely; the later beginning; the later in the list.
    pub(crate) fn strongest(
        &self,
        subject: &Subject<'_>,
        wanted: impl Fn(&AdjustmentKind) -> bool,
    ) -> Option<&Rule> {
        let picked = self.0.iter().filter(|rule| wanted(&rule.adjustment.kind));
        let applying = picked.enumerate().filter_map(|(index, rule)| {
            Some((rule.authority(subject)?, rule.adjustment.valid_from, index, rule))
        });
        applying.max_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2))).map(|(.., rule)| &**rule)
    }
}

/// A call to which rules may apply.
pub(crate) struct Subject<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) payer: Payer<'a>,
    /// Who was called.
    pub(crate) provider: Option<&'a str>,
    /// The name of the model in the catalog.
    pub(crate) model: Option<&'a str>,
    /// The service tier, unless it is the standard one.
    pub(crate) tier: Option<&'a str>,
}

/// Rank of the scope, narrowness of the model pattern, whether a provider is named, fit of the conditions.
type Authority<'a> = (&'a Scope, Option<(bool, usize)>, bool, [bool; 4]);

impl Rule {
    fn new(mut adjustment: Adjustment) -> Result<Self, AdjustmentError> {
        let provider = adjustment.provider.as_deref().filter(|provider| !provider.trim().is_empty());
        adjustment.provider = provider.map(|provider| canonical_provider(provider).into_owned());
        let id = || adjustment.id.clone();
        if matches!((adjustment.valid_from, adjustment.valid_until), (Some(from), Some(until)) if from >= until)
        {
            return Err(AdjustmentError::EmptyPeriod { id: id() });
        }
        let price = match &adjustment.kind {
            AdjustmentKind::Discount(points) if *points > BasisPoints::ALL => {
                return Err(AdjustmentError::DiscountAboveAll { id: id() });
            }
            AdjustmentKind::OwnRates(own) => {
                let price = own.price(&adjustment).ok_or_else(|| AdjustmentError::BadRates { id: id() })?;
                Some(Arc::new(price))
            }
            AdjustmentKind::Discount(_) | AdjustmentKind::Margin(_) => None,
        };
        Ok(Self { adjustment: Arc::new(adjustment), price })
    }

    /// `None` when it does not apply.
    fn authority(&self, subject: &Subject<'_>) -> Option<Authority<'_>> {
        let Adjustment { scope, provider, model, valid_from, valid_until, .. } = &*self.adjustment;
        let at = subject.call.at;
        let is_payer = match scope {
            Scope::Everything => true,
            Scope::Account(account) => subject.payer.account == Some(account),
            Scope::Project(project) => subject.payer.project == Some(project),
        };
        let names = [subject.call.response_model, Some(subject.call.model), subject.model];
        let is_model = |pattern: &NamePattern| names.into_iter().flatten().any(|name| pattern.matches(name));
        let applies = is_payer
            && provider.as_deref().is_none_or(|provider| subject.provider == Some(provider))
            && model.as_ref().is_none_or(is_model)
            && valid_from.is_none_or(|from| from <= at)
            && valid_until.is_none_or(|until| at < until);
        let fit = match &self.price {
            Some(price) => price.conditions.fit(subject.call, subject.tier)?,
            None => [false; 4],
        };
        applies.then(|| (scope, model.as_ref().map(NamePattern::narrowness), provider.is_some(), fit))
    }
}

impl OwnRates {
    fn price(&self, rule: &Adjustment) -> Option<Price> {
        let is_sound =
            !self.rates.is_empty() && self.rates.iter().all(|(&unit, rates)| rates.are_sound(unit));
        if !is_sound {
            return None;
        }
        let tiers = |rates: &Rates| {
            let tiers = rates.tiers().into_iter();
            tiers.map(|(input_tokens_min, rate)| TieredRate { input_tokens_min, rate }).collect()
        };
        let mut price = Price {
            id: String::new(),
            provider: rule.provider.clone().unwrap_or_else(|| "*".to_owned()),
            model: rule.model.as_ref().map_or_else(|| "*".to_owned(), NamePattern::to_string),
            valid_from: rule.valid_from,
            valid_until: rule.valid_until,
            conditions: Conditions {
                service_tier: self.service_tier.clone(),
                region: self.region.clone(),
                ..Conditions::default()
            },
            rates: self.rates.iter().map(|(&unit, rates)| (unit, tiers(rates))).collect(),
            minimum_counts: self.minimum.clone(),
            source: PriceSource {
                name: "own rates".to_owned(),
                version: rule.id.clone(),
                url: None,
                checked_on: None,
            },
            notes: rule.note.clone(),
        };
        price.id = format!("own/{}", price.content_id());
        Some(price)
    }
}
