//! Rows of the index: what finding a price needs; the price itself is made when it is first asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::{Catalog, Model, Provider, file};
use crate::{Conditions, Price, PriceSource, TieredRate, Unit};

#[derive(Debug)]
pub(super) struct Row {
    pub(super) valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    pub(super) conditions: Conditions,
    rates: BTreeMap<Unit, file::Rates>,
    minimum: BTreeMap<Unit, u64>,
    source: Option<PriceSource>,
    price: OnceLock<Arc<Price>>,
}

impl Row {
    /// `None` without rates, or with rates that are not [`file::Rates::are_sound`].
    pub(super) fn new(row: file::Row) -> Option<Self> {
        let is_sound = !row.rates.is_empty() && row.rates.iter().all(|(&unit, rates)| rates.are_sound(unit));
        is_sound.then(|| Self {
            valid_from: row.from,
            valid_until: row.until,
            conditions: Conditions {
                service_tier: row.tier,
                region: row.region,
                search_type: row.search_type,
                daily: row.daily,
            },
            rates: row.rates,
            minimum: row.minimum,
            source: row.source,
            price: OnceLock::new(),
        })
    }

    pub(super) fn is_in_force(&self, at: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= at)
            && self.valid_until.is_none_or(|until| at < until)
            && self.conditions.daily.as_ref().is_none_or(|daily| daily.contains(at))
    }
}

impl Catalog {
    /// The price of a row, made when it is first asked for: ids are digests.
    pub(super) fn price<'a>(&self, provider: &Provider, model: &Model, row: &'a Row) -> &'a Arc<Price> {
        row.price.get_or_init(|| Arc::new(self.make_price(provider, model, row)))
    }

    fn make_price(&self, provider: &Provider, model: &Model, row: &Row) -> Price {
        let source = row.source.as_ref().or(model.source.as_ref()).cloned();
        let mut price = Price {
            id: String::new(),
            provider: provider.id.clone(),
            model: model.id.clone(),
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            conditions: row.conditions.clone(),
            rates: row.rates.iter().map(|(&unit, rates)| (unit, tiers(rates))).collect(),
            minimum_counts: row.minimum.clone(),
            source: source
                .unwrap_or_else(|| PriceSource { url: provider.url.clone(), ..self.source.clone() }),
            notes: model.notes.clone(),
        };
        price.id = price.content_id();
        price
    }
}

fn tiers(rates: &file::Rates) -> Vec<TieredRate> {
    let tiers = rates.tiers().into_iter();
    tiers.map(|(input_tokens_min, rate)| TieredRate { input_tokens_min, rate }).collect()
}
