//! Looking a catalog over for what is probably wrong.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::{Call, Catalog, Conditions, Price, Rate, Unit, Unpriced};

/// Something in a catalog that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Finding {
    /// Between two rows there is a time without a price.
    Gap {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
        /// What must hold of a call for the rows to apply.
        conditions: Conditions,
        /// Where the price is missing from.
        from: Timestamp,
        /// Where there is one again.
        until: Timestamp,
    },
    /// Two rows apply equally to the same calls.
    Overlap {
        /// The one.
        price: String,
        /// The other.
        other: String,
    },
    /// A row is over before it begins.
    NeverInForce {
        /// The row.
        price: String,
    },
    /// A rate that no provider is likely to ask.
    AbsurdRate {
        /// The row.
        price: String,
        /// What is counted.
        unit: Unit,
        /// Its rate.
        rate: Rate,
        /// Why it is unlikely.
        reason: Absurdity,
    },
    /// Nobody can check where a row was read.
    NoSource {
        /// The row.
        price: String,
    },
    /// A model in use has no price.
    Unpriced {
        /// The provider, as it was recorded.
        provider: String,
        /// The model, as it was recorded.
        model: String,
        /// When it was last used.
        last_used: Timestamp,
        /// Why it has none.
        reason: Unpriced,
    },
    /// A model in use is retired, or will be.
    Retired {
        /// The provider, as it was recorded.
        provider: String,
        /// The model, as it was recorded.
        model: String,
        /// When it was last used.
        last_used: Timestamp,
        /// When its provider retires it.
        retires_on: Date,
    },
}

/// Why a rate is unlikely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absurdity {
    /// More than $10,000 for a million tokens: dollars for one have probably been taken for dollars for a million.
    TooHigh,
    /// Reading from the cache costs more than not caching.
    CacheReadAboveInput,
    /// A batch costs more than standard service.
    BatchAboveStandard,
    /// Output costs less than a hundredth of what input costs.
    OutputFarBelowInput,
}

/// $10,000 for a million tokens.
const TOKEN_RATE_NANOS_MAX: u64 = 10_000_000_000_000;
/// How many times dearer than output input may be.
const INPUT_OVER_OUTPUT_MAX: u64 = 100;
const BATCH: &str = "batch";

/// Looks over every row of `catalog`, and over the models in use: provider, model, and when it was last used.
pub fn verify<P: AsRef<str>, M: AsRef<str>>(
    catalog: &Catalog,
    used: impl IntoIterator<Item = (P, M, Timestamp)>,
) -> Vec<Finding> {
    let mut by_model: BTreeMap<(&str, &str), Vec<&Price>> = BTreeMap::new();
    for price in catalog.prices() {
        by_model.entry((&price.provider, &price.model)).or_default().push(price);
    }
    let mut findings = Vec::new();
    for rows in by_model.values() {
        for price in rows {
            look_at_row(price, &mut findings);
        }
        look_at_batches(rows, &mut findings);
        look_at_times(rows, &mut findings);
    }
    for (provider, model, last_used) in used {
        findings.extend(look_at_use(catalog, provider.as_ref(), model.as_ref(), last_used));
    }
    findings
}

fn look_at_row(price: &Price, findings: &mut Vec<Finding>) {
    if matches!((price.valid_from, price.valid_until), (Some(from), Some(until)) if from >= until) {
        findings.push(Finding::NeverInForce { price: price.id.clone() });
    }
    if price.source.url.is_none() && price.source.version.is_empty() {
        findings.push(Finding::NoSource { price: price.id.clone() });
    }
    let mut absurd = |unit, rate, reason| {
        findings.push(Finding::AbsurdRate { price: price.id.clone(), unit, rate, reason });
    };
    for (&unit, tiers) in &price.rates {
        let highest = tiers.iter().map(|tier| tier.rate).max_by_key(|rate| rate.nanos);
        if let Some(rate) = highest.filter(|rate| unit.is_token() && rate.nanos > TOKEN_RATE_NANOS_MAX) {
            absurd(unit, rate, Absurdity::TooHigh);
        }
    }
    let Some(input) = base_rate(price, Unit::InputTokens) else { return };
    if let Some(rate) = base_rate(price, Unit::CacheReadTokens).filter(|rate| rate.nanos > input.nanos) {
        absurd(Unit::CacheReadTokens, rate, Absurdity::CacheReadAboveInput);
    }
    // Zero is what lists write for embeddings.
    let output = base_rate(price, Unit::OutputTokens).filter(|rate| rate.nanos > 0);
    if let Some(rate) = output.filter(|rate| rate.nanos < input.nanos / INPUT_OVER_OUTPUT_MAX) {
        absurd(Unit::OutputTokens, rate, Absurdity::OutputFarBelowInput);
    }
}

fn base_rate(price: &Price, unit: Unit) -> Option<Rate> {
    price.rates.get(&unit)?.first().map(|tier| tier.rate)
}

fn look_at_batches(rows: &[&Price], findings: &mut Vec<Finding>) {
    let tier = |price: &Price| price.conditions.service_tier.clone();
    for batch in rows.iter().filter(|price| tier(price).as_deref() == Some(BATCH)) {
        let standard = Conditions { service_tier: None, ..batch.conditions.clone() };
        let standard = rows.iter().filter(|price| price.conditions == standard && overlap(price, batch));
        for (unit, standard) in standard.flat_map(|price| price.rates.keys().map(move |&unit| (unit, price)))
        {
            let (Some(rate), Some(usual)) = (base_rate(batch, unit), base_rate(standard, unit)) else {
                continue;
            };
            if rate.nanos > usual.nanos {
                let reason = Absurdity::BatchAboveStandard;
                findings.push(Finding::AbsurdRate { price: batch.id.clone(), unit, rate, reason });
            }
        }
    }
}

fn look_at_times(rows: &[&Price], findings: &mut Vec<Finding>) {
    let mut timelines: BTreeMap<&Conditions, Vec<&Price>> = BTreeMap::new();
    for price in rows {
        timelines.entry(&price.conditions).or_default().push(price);
    }
    for (conditions, mut rows) in timelines {
        rows.sort_by_key(|price| price.valid_from);
        for pair in rows.windows(2) {
            let &[first, second] = pair else { continue };
            if overlap(first, second) {
                findings.push(Finding::Overlap { price: first.id.clone(), other: second.id.clone() });
            } else if let (Some(from), Some(until)) = (first.valid_until, second.valid_from)
                && from < until
            {
                findings.push(Finding::Gap {
                    provider: first.provider.clone(),
                    model: first.model.clone(),
                    conditions: conditions.clone(),
                    from,
                    until,
                });
            }
        }
    }
}

fn overlap(a: &Price, b: &Price) -> bool {
    let begins_before_end = |a: &Price, b: &Price| match (a.valid_from, b.valid_until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before_end(a, b) && begins_before_end(b, a)
}

fn look_at_use(catalog: &Catalog, provider: &str, model: &str, last_used: Timestamp) -> Option<Finding> {
    let found = match catalog.find_price(&Call::new(Some(provider), model, last_used)) {
        Ok(found) => found,
        Err(reason) => {
            let (provider, model) = (provider.to_owned(), model.to_owned());
            return Some(Finding::Unpriced { provider, model, last_used, reason });
        }
    };
    let retires_on = catalog.retires_on(&found.price.provider, &found.price.model)?;
    Some(Finding::Retired { provider: provider.to_owned(), model: model.to_owned(), last_used, retires_on })
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { provider, model, conditions, from, until } => {
                write!(f, "{provider}/{model} ")?;
                if !conditions.is_empty() {
                    write!(f, "({conditions}) ")?;
                }
                write!(f, "has no price from {from} until {until}")
            }
            Self::Overlap { price, other } => {
                write!(f, "{price} and {other} apply equally to the same calls")
            }
            Self::NeverInForce { price } => write!(f, "{price} is over before it begins"),
            Self::AbsurdRate { price, unit, rate, reason } => write!(f, "{price}: {unit} at {rate} {reason}"),
            Self::NoSource { price } => write!(f, "{price} does not say where it was read"),
            Self::Unpriced { provider, model, last_used, reason } => {
                write!(f, "{provider}/{model}, last used at {last_used}, has no price: {reason}")
            }
            Self::Retired { provider, model, last_used, retires_on } => {
                write!(f, "{provider}/{model}, last used at {last_used}, is retired on {retires_on}")
            }
        }
    }
}

impl fmt::Display for Absurdity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooHigh => "is more than 10000 dollars per million tokens",
            Self::CacheReadAboveInput => "is more than input costs without the cache",
            Self::BatchAboveStandard => "is more than standard service costs",
            Self::OutputFarBelowInput => "is less than a hundredth of what input costs",
        })
    }
}
