//! Costs: a usage under a price.

use serde::{Deserialize, Serialize};

use crate::{Amount, Money, Price, Rate, Unit, Unpriced, Usage};

mod buckets;

use buckets::Bucket;
pub use buckets::Counts;

/// What a usage costs under one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The sum of the items, rounded once.
    pub total: Money,
    /// What was charged, exactly; their sum, rounded, is the total.
    pub items: Vec<LineItem>,
    /// What the same usage would have cost with nothing cached, minus the total. Negative when writing to the cache
    /// cost more than reading from it saved; zero when the price has no rate for uncached tokens.
    pub cache_savings: Money,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// What was counted.
    pub unit: Unit,
    /// How many of it are charged here. Each token is charged in one line only: `input_tokens` here are those that
    /// no other line has.
    pub count: u64,
    /// The rate that applied.
    pub rate: Rate,
    /// Whose rate it is: the unit's own, or that of the unit which contains it when it has none.
    pub rate_unit: Unit,
    /// The prompt size from which this rate holds, when it is above the base rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_input_tokens_min: Option<u64>,
    /// `count` × `rate`, exactly.
    pub amount: Amount,
}

impl Price {
    /// What `usage` costs under this price, line by line.
    ///
    /// - Every token is charged once: details (cached, audio, …) at their own rate, or at the rate of what contains
    ///   them when they have none; the rest of input and output at theirs.
    /// - The size of the whole prompt decides the tier, and the whole request is charged at it, output included.
    /// - Parts that exceed their whole ([`Usage::inconsistencies`]) enlarge it: the charge is never negative, and
    ///   counting more in a total never makes it smaller (unless a longer prompt is cheaper by its price).
    /// - Content that is counted in two measures (seconds and tokens of the same audio) is charged in those that have
    ///   a rate. A tool without a rate is [`Unpriced::UnitNotPriced`]: unknown is not zero.
    pub fn cost_of(&self, usage: &Usage) -> Result<Cost, Unpriced> {
        let counts = Counts::of(usage)?;
        let items = self.items(&counts)?;
        let exact = total(&items);
        let round = |amount: Amount| amount.round().ok_or(Unpriced::Overflow);
        let savings = match counts.uncached().map(|uncached| self.items(&uncached)) {
            Some(Ok(uncached)) => {
                round(total(&uncached))?.checked_sub(round(exact)?).ok_or(Unpriced::Overflow)?
            }
            Some(Err(_)) | None => Money::ZERO,
        };
        Ok(Cost { total: round(exact)?, items, cache_savings: savings })
    }

    /// The total of [`Self::cost_of`] alone.
    pub fn total_of(&self, counts: &Counts) -> Result<Money, Unpriced> {
        let mut exact = Amount::ZERO;
        self.charge(counts, |item| exact = exact + item.amount)?;
        exact.round().ok_or(Unpriced::Overflow)
    }

    fn items(&self, counts: &Counts) -> Result<Vec<LineItem>, Unpriced> {
        let mut items = Vec::new();
        self.charge(counts, |item| items.push(item))?;
        Ok(items)
    }

    /// Tells `line` of every line of the bill.
    fn charge(&self, counts: &Counts, mut line: impl FnMut(LineItem)) -> Result<(), Unpriced> {
        let mut measures = Measures::default();
        let mut unrated = Vec::new();
        counts.each_bucket(self, |bucket| match self.item(&bucket, counts.input_tokens) {
            Some(item) => {
                measures.note(item.unit);
                line(item);
            }
            None => unrated.push(bucket.unit),
        });
        match unrated.into_iter().find(|&unit| !measures.cover(unit)) {
            Some(unit) => Err(Unpriced::UnitNotPriced {
                provider: self.provider.clone(),
                model: self.model.clone(),
                unit,
            }),
            None => Ok(()),
        }
    }

    fn item(&self, bucket: &Bucket, input_tokens: u64) -> Option<LineItem> {
        let (rate_unit, tier) =
            bucket.rate_units.iter().find_map(|&unit| Some((unit, self.rate_at(unit, input_tokens)?)))?;
        let least = self.minimum_counts.get(&rate_unit).copied().unwrap_or(0);
        let count = bucket.count.max(least);
        Some(LineItem {
            unit: bucket.unit,
            count,
            rate: tier.rate,
            rate_unit,
            tier_input_tokens_min: Some(tier.input_tokens_min).filter(|&min| min > 0),
            amount: tier.rate.amount_of(count),
        })
    }
}

fn total(items: &[LineItem]) -> Amount {
    items.iter().map(|item| item.amount).sum()
}

/// By which measures content was charged.
#[derive(Default)]
struct Measures {
    /// By any but the number of calls and of runs of tools.
    any: bool,
    /// By another than tokens.
    other_than_tokens: bool,
}

impl Measures {
    fn note(&mut self, unit: Unit) {
        self.any |= !unit.is_tool() && unit != Unit::Requests;
        self.other_than_tokens |= unit.is_measure();
    }

    /// Whether what `unit` counts is charged by another measure of the same content.
    const fn cover(&self, unit: Unit) -> bool {
        if unit.is_tool() {
            false
        } else if unit.is_measure() {
            self.any
        } else {
            self.other_than_tokens
        }
    }
}
