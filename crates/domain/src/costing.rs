//! What a call cost, by what its sender said and by what the catalog says.

use std::sync::Arc;

use jiff::Timestamp;
use pricing::{Call, Catalog, Money, Price, Unpriced, Usage};

use crate::usage_record::{CostSource, Flag, UsageRecord};

/// What decides a call's cost.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Canonical id of who sold it.
    pub provider: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// The model that answered.
    pub response_model: Option<&'a str>,
    /// Service tier that served it.
    pub service_tier: Option<&'a str>,
    /// Region or geography that served it.
    pub region: Option<&'a str>,
    /// What was counted.
    pub usage: &'a Usage,
    /// What the sender says it cost. Zero is a cost.
    pub reported_cost: Option<Money>,
    /// When it happened.
    pub at: Timestamp,
}

/// What a call cost, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Costing {
    /// What it cost; `None` is unknown, not free.
    pub cost: Option<Money>,
    /// Where that comes from.
    pub cost_source: CostSource,
    /// The catalog's own figure.
    pub list_cost: Option<Money>,
    /// What caching saved, by the catalog.
    pub cache_savings: Option<Money>,
    /// The price row behind the catalog's figure.
    pub price: Option<Arc<Price>>,
    /// Why the catalog has no figure.
    pub unpriced_reason: Option<String>,
    /// What a person should know about it.
    pub flags: Vec<Flag>,
}

impl Facts<'_> {
    /// Costs the call: what its sender said wins, and the catalog's figure stands beside it.
    pub fn cost(&self, catalog: &Catalog) -> Costing {
        let listed = self.list_price(catalog);
        let (cost, cost_source) = match (self.reported_cost, &listed) {
            (Some(reported), _) => (Some(reported), CostSource::Reported),
            (None, Ok(listed)) => (Some(listed.cost), CostSource::Catalog),
            (None, Err(_)) => (None, CostSource::Unpriced),
        };
        let unpriced_reason = listed.as_ref().err().map(|reason| reason.code().to_owned());
        let flags = self.flags(listed.as_ref().ok());
        let (list_cost, cache_savings, price) = match listed {
            Ok(listed) => (Some(listed.cost), Some(listed.cache_savings), Some(listed.price)),
            Err(_) => (None, None, None),
        };
        Costing { cost, cost_source, list_cost, cache_savings, price, unpriced_reason, flags }
    }

    /// The catalog's price: of the model that answered, if it knows that one, else of the model that was asked.
    fn list_price(&self, catalog: &Catalog) -> Result<Listed, Unpriced> {
        let find = |model| {
            let call = Call::new(Some(self.provider), model, self.at);
            catalog.find_price(&call.service_tier(self.service_tier).region(self.region))
        };
        let answered = self.response_model.and_then(|model| find(model).ok());
        let found = answered.map_or_else(|| find(self.model), Ok)?;
        let cost = found.price.cost_of(self.usage)?;
        Ok(Listed {
            cost: cost.total,
            cache_savings: cost.cache_savings,
            price: Arc::new(found.price.clone()),
            tier_assumed_standard: found.tier_assumed_standard,
        })
    }

    fn flags(&self, listed: Option<&Listed>) -> Vec<Flag> {
        let differs =
            |listed: &Listed| self.reported_cost.is_some_and(|reported| differ(reported, listed.cost));
        let candidates = [
            (Flag::InconsistentUsage, !self.usage.inconsistencies().is_empty()),
            (Flag::TierAssumedStandard, listed.is_some_and(|listed| listed.tier_assumed_standard)),
            (Flag::CostDiffers, listed.is_some_and(differs)),
        ];
        candidates.into_iter().filter(|(_, holds)| *holds).map(|(flag, _)| flag).collect()
    }
}

impl UsageRecord {
    /// What decided the record's cost.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            provider: &self.provider,
            model: &self.model,
            response_model: self.response_model.as_deref(),
            service_tier: self.service_tier.as_deref(),
            region: self.region.as_deref(),
            usage: &self.usage,
            reported_cost: self.cost.filter(|_| self.cost_source == CostSource::Reported),
            at: self.occurred_at,
        }
    }

    /// Replaces the record's cost and what explains it.
    pub fn recost(&mut self, costing: Costing) {
        self.cost = costing.cost;
        self.cost_source = costing.cost_source;
        self.list_cost = costing.list_cost;
        self.cache_savings = costing.cache_savings;
        self.price = costing.price;
        self.unpriced_reason = costing.unpriced_reason;
        self.flags.retain(|flag| *flag == Flag::ContentCut);
        self.flags.extend(costing.flags);
    }
}

struct Listed {
    cost: Money,
    cache_savings: Money,
    price: Arc<Price>,
    tier_assumed_standard: bool,
}

/// Whether two figures are more than a tenth of the larger apart.
fn differ(a: Money, b: Money) -> bool {
    let (a, b) = (i128::from(a.nanos()), i128::from(b.nanos()));
    (a - b).abs() * 10 > a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use pricing::Unit;

    use super::*;

    fn cost(model: &str, tokens: [u64; 2], reported: Option<&str>, total: Option<u64>) -> Costing {
        let usage = Usage::new().with(Unit::InputTokens, tokens[0]).with(Unit::OutputTokens, tokens[1]);
        let usage = total.map_or_else(|| usage.clone(), |total| usage.clone().with(Unit::TotalTokens, total));
        let facts = Facts {
            provider: "openai",
            model,
            response_model: None,
            service_tier: None,
            region: None,
            usage: &usage,
            reported_cost: reported.map(|digits| Money::parse(digits).unwrap()),
            at: "2024-01-01T00:00:00Z".parse().unwrap(),
        };
        facts.cost(Catalog::embedded())
    }

    #[test]
    fn what_the_sender_says_wins_and_the_catalogs_figure_stands_beside_it() {
        let costing = cost("gpt-4", [25, 150], Some("0.0035"), None);
        let digits = |money: Option<Money>| money.map(|money| money.to_string());
        assert_eq!(digits(costing.cost).as_deref(), Some("0.0035"));
        assert_eq!(digits(costing.list_cost).as_deref(), Some("0.00975"));
        assert_eq!((costing.cost_source, costing.flags), (CostSource::Reported, vec![Flag::CostDiffers]));
    }

    #[test]
    fn figures_within_a_tenth_do_not_differ() {
        assert_eq!(cost("gpt-4", [25, 150], Some("0.009"), None).flags, []);
        assert_eq!(cost("gpt-4", [25, 150], Some("0.0087"), None).flags, [Flag::CostDiffers]);
    }

    #[test]
    fn no_price_is_no_cost() {
        let costing = cost("nobodys", [1, 1], None, None);
        assert_eq!((costing.cost, costing.cost_source), (None, CostSource::Unpriced));
        assert_eq!(costing.unpriced_reason.as_deref(), Some("unknown_model"));
        let reported = cost("nobodys", [1, 1], Some("0"), None);
        assert_eq!((reported.cost, reported.cost_source), (Some(Money::ZERO), CostSource::Reported));
    }

    #[test]
    fn parts_beyond_the_total_that_was_told_are_flagged() {
        assert_eq!(cost("gpt-4", [60, 40], None, Some(100)).flags, []);
        assert_eq!(cost("gpt-4", [60, 41], None, Some(100)).flags, [Flag::InconsistentUsage]);
    }
}
