//! What a call cost, by what its sender said and by what the catalog says.

use std::sync::Arc;

use jiff::Timestamp;
use pricing::{Adjustment, Call, Cost, Money, Payer, Price, PriceBook, Priced, Unpriced, Usage};

use crate::{
    ProjectId, UserId, limits,
    usage_record::{CostSource, Flag, UsageRecord},
};

/// What decides a call's cost.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The account that recorded it.
    pub user_id: UserId,
    /// What it was for.
    pub project_id: Option<ProjectId>,
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
    /// Kind of web search that it used.
    pub search_type: Option<&'a str>,
    /// What was counted.
    pub usage: &'a Usage,
    /// Whether `usage` is estimated from the text.
    pub tokens_estimated: bool,
    /// What the sender says it cost. Zero is a cost.
    pub reported_cost: Option<Money>,
    /// What the provider says in its reply that it cost.
    pub provider_cost: Option<Money>,
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
    /// The operator's own rules that made the cost another than the catalog's.
    pub adjustments: Vec<Arc<Adjustment>>,
    /// Why the catalog has no figure.
    pub unpriced_reason: Option<String>,
    /// What a person should know about it.
    pub flags: Vec<Flag>,
}

impl Facts<'_> {
    /// Costs the call: what its sender said wins, then what the provider said; the catalog's figure stands beside it.
    pub fn cost(&self, book: &PriceBook) -> Costing {
        let priced = self.price(book);
        let said = self.reported_cost.map(|cost| (cost, CostSource::Reported));
        let said = said.or_else(|| self.provider_cost.map(|cost| (cost, CostSource::Provider)));
        let (cost, cost_source) = match (said, &priced) {
            (Some((cost, source)), _) => (Some(cost), source),
            (None, Ok(priced)) if self.tokens_estimated => (Some(priced.effective), CostSource::Estimated),
            (None, Ok(priced)) if priced.adjustments.is_empty() => {
                (Some(priced.effective), CostSource::Catalog)
            }
            (None, Ok(priced)) => (Some(priced.effective), CostSource::Override),
            (None, Err(_)) => (None, CostSource::Unpriced),
        };
        let listed = priced.as_ref().ok().and_then(|priced| priced.list.as_ref());
        Costing {
            cost,
            cost_source,
            list_cost: listed.map(|list| list.total),
            cache_savings: listed.map(|list| list.cache_savings),
            price: priced
                .as_ref()
                .ok()
                .filter(|priced| priced.list.is_some())
                .map(|priced| Arc::clone(&priced.price)),
            adjustments: match (&priced, cost_source) {
                (Ok(priced), CostSource::Override | CostSource::Estimated) => priced.adjustments.clone(),
                _ => Vec::new(),
            },
            unpriced_reason: if listed.is_some() { None } else { self.unpriced_reason(book) },
            flags: self.flags(priced.as_ref().ok()),
        }
    }

    fn price(&self, book: &PriceBook) -> Result<Priced, Unpriced> {
        let account = self.user_id.to_string();
        let project = self.project_id.map(|project| project.to_string());
        let payer = Payer { account: Some(&account), project: project.as_deref() };
        let priced = book.price(&self.call(), self.usage, payer)?;
        let costs = [Some(priced.effective), priced.list.as_ref().map(|list| list.total)];
        let saved = priced.list.as_ref().map(|list| list.cache_savings);
        are_bearable(costs.into_iter().chain([saved]).flatten()).map(|()| priced)
    }

    /// Why the catalog has no figure.
    fn unpriced_reason(&self, book: &PriceBook) -> Option<String> {
        let listed = book.find_price(&self.call()).and_then(|found| found.price.cost_of(self.usage));
        let listed = listed.and_then(|list| are_bearable([list.total, list.cache_savings]));
        listed.err().map(|reason| reason.code().to_owned())
    }

    /// The call as the price book knows it.
    pub fn call(&self) -> Call<'_> {
        let call = Call::new(Some(self.provider), self.model, self.at);
        Call {
            response_model: self.response_model,
            service_tier: self.service_tier,
            region: self.region,
            search_type: self.search_type,
            ..call
        }
    }

    fn flags(&self, priced: Option<&Priced>) -> Vec<Flag> {
        let listed = priced.and_then(|priced| priced.list.as_ref());
        let said = self.reported_cost.or(self.provider_cost);
        let differs = |list: &Cost| said.is_some_and(|said| differ(said, list.total));
        let candidates = [
            (Flag::TokensEstimated, self.tokens_estimated),
            (Flag::InconsistentUsage, !self.usage.inconsistencies().is_empty()),
            (Flag::TierAssumedStandard, priced.is_some_and(|priced| priced.tier_assumed_standard)),
            (Flag::CostDiffers, listed.is_some_and(differs)),
        ];
        candidates.into_iter().filter(|(_, holds)| *holds).map(|(flag, _)| flag).collect()
    }
}

impl UsageRecord {
    /// What decided the record's cost.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            user_id: self.user_id,
            project_id: self.project_id,
            provider: &self.provider,
            model: &self.model,
            response_model: self.response_model.as_deref(),
            service_tier: self.service_tier.as_deref(),
            region: self.region.as_deref(),
            search_type: self.search_type.as_deref(),
            usage: &self.usage,
            tokens_estimated: self.flags.contains(&Flag::TokensEstimated),
            reported_cost: self.cost.filter(|_| self.cost_source == CostSource::Reported),
            provider_cost: self.cost.filter(|_| self.cost_source == CostSource::Provider),
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
        self.adjustments = costing.adjustments;
        self.unpriced_reason = costing.unpriced_reason;
        self.flags.retain(|flag| *flag == Flag::ContentCut);
        self.flags.extend(costing.flags);
    }
}

/// That no figure is beyond what one call can cost, so that sums stay far from what an integer holds.
fn are_bearable(figures: impl IntoIterator<Item = Money>) -> Result<(), Unpriced> {
    let max = limits::COST_MAX.nanos().unsigned_abs();
    let is_bearable = |figure: Money| figure.nanos().unsigned_abs() <= max;
    if figures.into_iter().all(is_bearable) { Ok(()) } else { Err(Unpriced::Overflow) }
}

/// Whether two figures are more than a tenth of the larger apart.
fn differ(a: Money, b: Money) -> bool {
    let (a, b) = (i128::from(a.nanos()), i128::from(b.nanos()));
    (a - b).abs() * 10 > a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use pricing::{Adjustments, Catalog, Unit};

    use super::*;

    fn cost(model: &str, tokens: [u64; 2], reported: Option<&str>, total: Option<u64>) -> Costing {
        let usage = Usage::new().with(Unit::InputTokens, tokens[0]).with(Unit::OutputTokens, tokens[1]);
        let usage = total.map_or_else(|| usage.clone(), |total| usage.clone().with(Unit::TotalTokens, total));
        cost_with(&PriceBook::new(Arc::clone(Catalog::embedded_arc())), model, &usage, reported)
    }

    fn cost_with(book: &PriceBook, model: &str, usage: &Usage, reported: Option<&str>) -> Costing {
        let facts = Facts {
            user_id: "507f1f77bcf86cd799439011".parse().unwrap(),
            project_id: Some("507f1f77bcf86cd799439012".parse().unwrap()),
            provider: "openai",
            model,
            response_model: None,
            service_tier: None,
            region: None,
            search_type: None,
            usage,
            tokens_estimated: false,
            reported_cost: reported.map(|digits| Money::parse(digits).unwrap()),
            provider_cost: None,
            at: "2024-01-01T00:00:00Z".parse().unwrap(),
        };
        facts.cost(book)
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
    fn what_no_call_can_cost_is_unknown() {
        // 30 dollars a million tokens: 100,000 dollars, and three cents more.
        let most = cost("gpt-4", [3_333_333_333, 0], None, None);
        assert_eq!(most.cost.map(|cost| cost.to_string()).as_deref(), Some("99999.99999"));
        let more = cost("gpt-4", [3_333_334_333, 0], None, None);
        assert_eq!((more.cost, more.list_cost, more.cost_source), (None, None, CostSource::Unpriced));
        assert_eq!(more.unpriced_reason.as_deref(), Some("overflow"));
        let reported = cost("gpt-4", [3_333_334_333, 0], Some("7"), None);
        assert_eq!((reported.cost.unwrap().to_string().as_str(), reported.list_cost), ("7", None));
    }

    #[test]
    fn parts_beyond_the_total_that_was_told_are_flagged() {
        assert_eq!(cost("gpt-4", [60, 40], None, Some(100)).flags, []);
        assert_eq!(cost("gpt-4", [60, 41], None, Some(100)).flags, [Flag::InconsistentUsage]);
    }

    #[test]
    fn the_operators_own_rules_make_the_cost_and_the_list_cost_stays() {
        let rules = r#"[
            { "id": "contract", "kind": { "discount": 1000 } },
            { "id": "resale", "scope": { "project": "507f1f77bcf86cd799439012" }, "kind": { "margin": 2000 } }
        ]"#;
        let rules = Adjustments::new(serde_json::from_str(rules).unwrap()).unwrap();
        let book = PriceBook::new(Arc::clone(Catalog::embedded_arc())).with_adjustments(rules);
        let usage = Usage::new().with(Unit::InputTokens, 25).with(Unit::OutputTokens, 150);
        let costing = cost_with(&book, "gpt-4", &usage, None);
        // 0.00975 less 10 %, plus 20 % of that.
        assert_eq!(costing.cost.unwrap().to_string(), "0.01053");
        assert_eq!(costing.list_cost.unwrap().to_string(), "0.00975");
        assert_eq!(costing.cost_source, CostSource::Override);
        let applied: Vec<&str> = costing.adjustments.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(applied, ["contract", "resale"]);
        assert_eq!(cost_with(&book, "gpt-4", &usage, Some("1")).adjustments, []);
    }
}
