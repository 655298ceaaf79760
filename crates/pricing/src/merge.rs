//! Bringing newer prices into a catalog without losing older ones.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::file::{self, Row};
use crate::{Catalog, CatalogError, Change, PriceSource, diff};

mod timeline;

use timeline::{Incoming, Timeline};

/// A catalog with what was brought into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The catalog.
    pub catalog: file::Catalog,
    /// What is different from before.
    pub changes: Vec<Change>,
}

/// Brings the prices of `incoming` into `base`; nothing that was in force before `effective_at` is overwritten.
///
/// - Where the rates of a model differ under the same conditions, the row in force is closed at `effective_at` and a
///   new one opened. Rows that say the same stay as they are, and keep their ids.
/// - An incoming row with dates of its own keeps them: it holds in its period, and rows there give way to it.
/// - Models and conditions that `incoming` does not have stay. Only where a row came from the same list, and the list
///   no longer has its conditions, it is closed.
/// - A list from another source that says less than a row (no rate for searches, say) does not unsay it: what it does
///   not name is carried over, and the source of the new row names both.
/// - A model that `base` knows by another name (an alias, a dated snapshot, a resold model) gets a row of its own only
///   when its price differs, together with the history it had under the other name.
/// - Merging the same list again changes nothing.
pub fn merge(
    base: &file::Catalog,
    incoming: file::Catalog,
    effective_at: Timestamp,
) -> Result<Merged, CatalogError> {
    let index = Catalog::from_file(base.clone())?;
    Catalog::from_file(incoming.clone())?;
    let version = format!("{}, merged {effective_at}", incoming.version);
    let mut merge =
        Merge { base, index, catalog: base.clone(), incoming_source: incoming.source, effective_at };
    for provider in incoming.providers {
        merge.provider(provider);
    }
    let mut catalog = merge.catalog;
    let changes = diff(base, &catalog);
    if catalog != *base {
        catalog.version = version;
    }
    Catalog::from_file(catalog.clone())?;
    Ok(Merged { catalog, changes })
}

struct Merge<'a> {
    base: &'a file::Catalog,
    index: Catalog,
    /// The outcome so far: `base`, changed and added to.
    catalog: file::Catalog,
    incoming_source: PriceSource,
    effective_at: Timestamp,
}

impl Merge<'_> {
    fn provider(&mut self, incoming: file::Provider) {
        let Some(position) = self.catalog.providers.iter().position(|known| known.id == incoming.id) else {
            self.add_provider(incoming);
            return;
        };
        let default = PriceSource { url: incoming.url, ..self.incoming_source.clone() };
        let known = &self.catalog.providers[position].models;
        let by_id: HashMap<String, usize> =
            known.iter().enumerate().map(|(index, model)| (model.id.to_lowercase(), index)).collect();
        for model in incoming.models {
            let source = model.source.clone().unwrap_or_else(|| default.clone());
            match by_id.get(&model.id.to_lowercase()) {
                Some(&index) => self.known_model(position, index, model, source),
                None => self.new_model(position, model, source),
            }
        }
    }

    /// Nothing is known of its past, so undated rows hold since ever.
    fn add_provider(&mut self, mut incoming: file::Provider) {
        for model in &mut incoming.models {
            let url = incoming.url.clone();
            model.source.get_or_insert_with(|| PriceSource { url, ..self.incoming_source.clone() });
        }
        let known = &self.catalog.providers;
        incoming.resells.retain(|resold| known.iter().any(|provider| provider.id == *resold));
        self.catalog.providers.push(incoming);
    }

    fn known_model(&mut self, provider: usize, index: usize, incoming: file::Model, source: PriceSource) {
        let Some(known) = self.catalog.providers.get(provider) else { return };
        let base_source = self.source_of(known, &known.models[index]);
        let is_same_source = base_source.name == source.name;
        let list = Incoming {
            known_source: &base_source,
            source: &source,
            effective_at: self.effective_at,
            is_same_model: true,
        };
        let rows = merged_rows(&known.models[index].prices, &list, incoming.prices);
        let seller = known.id.clone();
        let unknown_names: Vec<String> = incoming
            .aliases
            .into_iter()
            .filter(|alias| self.index.model_named(&seller, alias).is_none())
            .collect();
        let model = &mut self.catalog.providers[provider].models[index];
        model.prices = rows;
        model.retires_on = incoming.retires_on.or(model.retires_on);
        model.aliases.extend(unknown_names);
        if is_same_source {
            model.notes = incoming.notes.or_else(|| model.notes.take());
            let new = incoming.patterns.into_iter().filter(|pattern| !model.patterns.contains(pattern));
            let new: Vec<_> = new.collect();
            model.patterns.extend(new);
        }
        let mut seen = BTreeSet::new();
        model.aliases.retain(|alias| seen.insert(alias.to_lowercase()));
    }

    fn new_model(&mut self, provider: usize, incoming: file::Model, source: PriceSource) {
        let seller = self.catalog.providers[provider].id.clone();
        let under_another_name = self.index.model_named(&seller, &incoming.id);
        let Some((known_seller, known)) =
            under_another_name.and_then(|(seller, model)| self.find(seller, model))
        else {
            let model = file::Model { source: Some(source), ..incoming };
            self.catalog.providers[provider].models.push(model);
            return;
        };
        let base_source = self.source_of(known_seller, known);
        let is_resold = known_seller.id != seller;
        // What a reseller asks for its tiers is not known.
        let history = known.prices.iter().filter(|row| !is_resold || row.tier.is_none()).cloned();
        let history: Vec<Row> = history.collect();
        let list = Incoming {
            known_source: &base_source,
            source: &source,
            effective_at: self.effective_at,
            is_same_model: false,
        };
        let prices = merged_rows(&history, &list, incoming.prices);
        if prices != history {
            let (aliases, patterns) = (Vec::new(), Vec::new());
            let model = file::Model { prices, source: Some(base_source), aliases, patterns, ..incoming };
            self.catalog.providers[provider].models.push(model);
        }
    }

    fn find(&self, provider: &str, model: &str) -> Option<(&file::Provider, &file::Model)> {
        let provider = self.base.providers.iter().find(|known| known.id == provider)?;
        Some((provider, provider.models.iter().find(|known| known.id == model)?))
    }

    fn source_of(&self, provider: &file::Provider, model: &file::Model) -> PriceSource {
        let default = || PriceSource { url: provider.url.clone(), ..self.base.source.clone() };
        model.source.clone().unwrap_or_else(default)
    }
}

/// `known` with `incoming` laid over it, each under its own conditions.
fn merged_rows(known: &[Row], list: &Incoming<'_>, incoming: Vec<Row>) -> Vec<Row> {
    let mut timelines: Vec<Timeline> = Vec::new();
    for row in known {
        timeline_of(&mut timelines, row).rows.push(row.clone());
    }
    for timeline in &mut timelines {
        if !incoming.iter().any(|row| row.conditions() == timeline.conditions) {
            list.close(timeline);
        }
    }
    for row in incoming {
        list.lay_over(timeline_of(&mut timelines, &row), row);
    }
    timelines.into_iter().flat_map(|timeline| timeline.rows).collect()
}

/// The timeline of the row's conditions, made if need be.
fn timeline_of<'a>(timelines: &'a mut Vec<Timeline>, row: &Row) -> &'a mut Timeline {
    let conditions = row.conditions();
    let position = timelines.iter().position(|timeline| timeline.conditions == conditions);
    let position = position.unwrap_or_else(|| {
        timelines.push(Timeline { conditions, rows: Vec::new() });
        timelines.len() - 1
    });
    &mut timelines[position]
}
