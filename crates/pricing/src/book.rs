//! The price book: the catalog, with what the operator knows better.

use std::sync::Arc;

use crate::adjustment::Subject;
use crate::catalog::{fold, is_standard_tier};
use crate::{
    Adjustment, AdjustmentKind, Adjustments, Amount, BasisPoints, Call, Catalog, Cost, Found, Mapping,
    Mappings, MatchRule, Money, Payer, Price, PriceHistory, Unpriced, Usage, canonical_provider,
};

/// A catalog, the operator's names for its models, and the operator's own prices: everything that a cost depends on
/// besides the usage.
///
/// It never changes. Whoever holds one replaces it as a whole, so that a record's cost comes from one state of it.
#[derive(Clone, Debug)]
pub struct PriceBook {
    catalog: Arc<Catalog>,
    mappings: Mappings,
    adjustments: Adjustments,
}

/// What a call costs.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The catalog's price, or the operator's own when the catalog does not know the model.
    pub price: Arc<Price>,
    /// Who was called, as far as it is known.
    pub provider: Option<String>,
    /// How the model was recognised.
    pub rule: MatchRule,
    /// The call was served in a tier for which the catalog has no price, and `list` is the standard one.
    pub tier_assumed_standard: bool,
    /// What it costs by the catalog; `None` when the catalog cannot tell, but the operator's own rates can.
    pub list: Option<Cost>,
    /// What it costs the operator, or the operator's customer: by own rates if there are any, less the discount, plus
    /// the margin; computed exactly and rounded once.
    pub effective: Money,
    /// Line by line at own rates, before discount and margin; `None` when those of `list` hold.
    pub own: Option<Cost>,
    /// The rules that made the difference: own rates, discount, margin, at most one of each, in this order.
    pub adjustments: Vec<Arc<Adjustment>>,
    /// The model that answered was recognised, not the one that was asked for.
    by_response: bool,
}

impl PriceBook {
    /// The catalog alone.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, mappings: Mappings::default(), adjustments: Adjustments::default() }
    }

    /// The same, with names. They were checked against this catalog.
    #[must_use]
    pub fn with_mappings(mut self, mappings: Mappings) -> Self {
        self.mappings = mappings;
        self
    }

    /// The same, with own prices.
    #[must_use]
    pub fn with_adjustments(mut self, adjustments: Adjustments) -> Self {
        self.adjustments = adjustments;
        self
    }

    /// The catalog.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The operator's names.
    pub const fn mappings(&self) -> &Mappings {
        &self.mappings
    }

    /// The operator's prices.
    pub const fn adjustments(&self) -> &Adjustments {
        &self.adjustments
    }

    /// The list price of `call`: of what the operator's table says, else as in [`Catalog::find_price`].
    ///
    /// The table has authority over the model that answered, too: it is asked first for that name, then for the name
    /// that was called, and only then the catalog.
    pub fn find_price(&self, call: &Call<'_>) -> Result<Found<'_>, Unpriced> {
        self.find_shared(call).map(|(found, _)| found)
    }

    /// Who sells the model of a call that did not say.
    pub fn resolve_provider(&self, model: &str) -> Option<&str> {
        let call = Call::new(None, model, jiff::Timestamp::UNIX_EPOCH);
        let mapped = self.mappings.find(&call).and_then(|(mapping, _)| {
            self.catalog.find_provider(&mapping.to_provider).map(crate::Provider::id)
        });
        mapped.or_else(|| self.catalog.resolve_provider(model))
    }

    /// What `usage` of `call` costs by the catalog, and what it costs `payer`.
    pub fn price(&self, call: &Call<'_>, usage: &Usage, payer: Payer<'_>) -> Result<Priced, Unpriced> {
        let found = self.find_shared(call);
        let called = call.provider.map(canonical_provider);
        let tier = call.service_tier.map(fold).filter(|tier| !is_standard_tier(tier));
        let subject = Subject {
            call,
            payer,
            provider: found.as_ref().map_or(called.as_deref(), |(found, _)| Some(found.provider)),
            model: found.as_ref().ok().map(|(found, _)| found.price.model.as_str()),
            tier: tier.as_deref(),
        };
        let own = self.adjustments.strongest(&subject, |kind| matches!(kind, AdjustmentKind::OwnRates(_)));
        let own = own.and_then(|rule| Some((&rule.adjustment, rule.price.as_ref()?)));
        let (price, rule, tier_assumed_standard, by_response) = match (&found, own) {
            (&Ok((found, price)), _) => (price, found.rule, found.tier_assumed_standard, found.by_response),
            (Err(_), Some((_, price))) => (price, MatchRule::OwnRates, false, false),
            (Err(reason), None) => return Err(reason.clone()),
        };
        let list = found.as_ref().map_err(Clone::clone).and_then(|(found, _)| found.price.cost_of(usage));
        let own_cost = own.map(|(_, price)| price.cost_of(usage)).transpose()?;
        let charged = own_cost.as_ref().map_or(list.as_ref(), Ok).map_err(Clone::clone)?;
        let (effective, changes) = self.adjusted(charged, &subject)?;
        Ok(Priced {
            price: Arc::clone(price),
            provider: subject.provider.map(str::to_owned),
            rule,
            tier_assumed_standard,
            by_response,
            effective,
            adjustments: own.map(|(rule, _)| Arc::clone(rule)).into_iter().chain(changes).collect(),
            own: own_cost,
            list: list.ok(),
        })
    }

    /// The list prices of `call` at any time: what [`Self::find_price`] finds, for calls that differ in their time only.
    pub fn price_history(&self, call: &Call<'_>) -> PriceHistory<'_> {
        match self.mappings.find(call) {
            Some((mapping, _)) => self.catalog.price_history(&meant(call, mapping)),
            None => self.catalog.price_history(call),
        }
    }

    fn find_shared(&self, call: &Call<'_>) -> Result<(Found<'_>, &Arc<Price>), Unpriced> {
        let Some((mapping, by_response)) = self.mappings.find(call) else {
            return self.catalog.find_shared(call);
        };
        let (found, price) = self.catalog.find_shared(&meant(call, mapping))?;
        Ok((Found { rule: MatchRule::Operator, by_response, ..found }, price))
    }

    /// The cost after discount and margin, and the rules that made it.
    fn adjusted(
        &self,
        cost: &Cost,
        subject: &Subject<'_>,
    ) -> Result<(Money, impl Iterator<Item = Arc<Adjustment>> + use<>), Unpriced> {
        let discount =
            self.adjustments.strongest(subject, |kind| matches!(kind, AdjustmentKind::Discount(_)));
        let margin = self.adjustments.strongest(subject, |kind| matches!(kind, AdjustmentKind::Margin(_)));
        let points = |rule: Option<&crate::adjustment::Rule>| match rule.map(|rule| &rule.adjustment.kind) {
            Some(AdjustmentKind::Discount(points) | AdjustmentKind::Margin(points)) => *points,
            Some(AdjustmentKind::OwnRates(_)) | None => BasisPoints::default(),
        };
        let all = BasisPoints::ALL.get();
        let factors = [all - points(discount).get(), all + points(margin).get()];
        let exact: Amount = cost.items.iter().map(|item| item.amount).sum();
        let money = exact.round_scaled(factors, all).ok_or(Unpriced::Overflow)?;
        let rules = [discount, margin].map(|rule| rule.map(|rule| Arc::clone(&rule.adjustment)));
        Ok((money, rules.into_iter().flatten()))
    }
}

impl Priced {
    /// Why this price applies to `call`, for people.
    pub fn why(&self, call: &Call<'_>) -> String {
        let provider = self.provider.as_deref().unwrap_or(&self.price.provider);
        if self.rule == MatchRule::OwnRates {
            return self.rule.explain(call.model, &self.price);
        }
        let (rule, tier_assumed_standard, by_response) =
            (self.rule, self.tier_assumed_standard, self.by_response);
        Found { price: &self.price, rule, provider, tier_assumed_standard, by_response }.why(call)
    }
}

/// The call under the names that the operator's table gives it.
fn meant<'a>(call: &Call<'a>, mapping: &'a Mapping) -> Call<'a> {
    Call { provider: Some(&mapping.to_provider), model: &mapping.to_model, response_model: None, ..*call }
}
