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
/// - A model that the catalog knows by another name (an alias, a dated snapshot, a resold model) gets rows of its own
///   only when its price differs, together with the history it had under the other name.
/// - Merging the same list again changes nothing.
pub fn merge(
    base: &file::Catalog,
    incoming: file::Catalog,
    effective_at: Timestamp,
) -> Result<Merged, CatalogError> {
    let index = Catalog::from_file(base.clone())?;
    Catalog::from_file(incoming.clone())?;
    let version = format!("{}, merged {effective_at}", incoming.version);
    let catalog = base.clone();
    let mut merge = Merge { base, index, catalog, incoming_source: incoming.source, effective_at };
    let new_names = incoming.providers.into_iter().flat_map(|provider| merge.provider(provider)).collect();
    merge.new_names(new_names)?;
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

/// A model by whose name the catalog has none.
struct NewName {
    /// Position of its provider in the catalog.
    provider: usize,
    model: file::Model,
    source: PriceSource,
}

impl Merge<'_> {
    /// Merges the models that the catalog has by the same names, and returns the others.
    fn provider(&mut self, incoming: file::Provider) -> Vec<NewName> {
        let Some(provider) = self.catalog.providers.iter().position(|known| known.id == incoming.id) else {
            self.add_provider(incoming);
            return Vec::new();
        };
        let default = PriceSource { url: incoming.url, ..self.incoming_source.clone() };
        let known = &self.catalog.providers[provider].models;
        let by_id: HashMap<String, usize> =
            known.iter().enumerate().map(|(index, model)| (model.id.to_lowercase(), index)).collect();
        let mut new_names = Vec::new();
        for model in incoming.models {
            let source = model.source.clone().unwrap_or_else(|| default.clone());
            match by_id.get(&model.id.to_lowercase()) {
                Some(&index) => self.known_model(provider, index, model, &source),
                None => new_names.push(NewName { provider, model, source }),
            }
        }
        new_names
    }

    /// Adds the names that the catalog does not recognise, or recognises as a model that costs something else.
    ///
    /// A name that is added may be what another one was recognised by, so those that were not needed are looked at
    /// again until nothing is added.
    fn new_names(&mut self, mut names: Vec<NewName>) -> Result<(), CatalogError> {
        loop {
            let index = Catalog::from_file(self.catalog.clone())?;
            let count = names.len();
            let mut rest = Vec::new();
            for name in names {
                if self.is_needed(&name, &index) {
                    self.add_name(name);
                } else {
                    rest.push(name);
                }
            }
            if rest.len() == count {
                return Ok(());
            }
            names = rest;
        }
    }

    fn is_needed(&self, name: &NewName, index: &Catalog) -> bool {
        let Some((history, known_source)) = self.history(name, index, &self.catalog) else { return true };
        self.laid_over(&history, &known_source, name) != history
    }

    fn add_name(&mut self, name: NewName) {
        let history = self.history(&name, &self.index, self.base);
        let model = match history {
            None => file::Model { source: Some(name.source), ..name.model },
            Some((history, known_source)) => {
                let prices = self.laid_over(&history, &known_source, &name);
                let (aliases, patterns) = (Vec::new(), Vec::new());
                file::Model { prices, source: Some(known_source), aliases, patterns, ..name.model }
            }
        };
        self.catalog.providers[name.provider].models.push(model);
    }

    /// The rows that price `name` in `catalog`, under another name, and where they come from.
    fn history(
        &self,
        name: &NewName,
        index: &Catalog,
        catalog: &file::Catalog,
    ) -> Option<(Vec<Row>, PriceSource)> {
        let seller = &self.catalog.providers[name.provider].id;
        let (provider, model) = index.model_named(seller, &name.model.id)?;
        let provider = catalog.providers.iter().find(|known| known.id == provider)?;
        let model = provider.models.iter().find(|known| known.id == model)?;
        let is_resold = provider.id != *seller;
        // What a reseller asks for its tiers is not known.
        let rows = model.prices.iter().filter(|row| !is_resold || row.tier.is_none());
        Some((rows.cloned().collect(), source_of(catalog, provider, model)))
    }

    fn laid_over(&self, history: &[Row], known_source: &PriceSource, name: &NewName) -> Vec<Row> {
        let list = Incoming {
            known_source,
            source: &name.source,
            effective_at: self.effective_at,
            is_same_model: false,
        };
        merged_rows(history, &list, &name.model.prices)
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

    fn known_model(&mut self, provider: usize, index: usize, incoming: file::Model, source: &PriceSource) {
        let Some(known) = self.catalog.providers.get(provider) else { return };
        let base_source = source_of(self.base, known, &known.models[index]);
        let is_same_source = base_source.name == source.name;
        let list = Incoming {
            known_source: &base_source,
            source,
            effective_at: self.effective_at,
            is_same_model: true,
        };
        let rows = merged_rows(&known.models[index].prices, &list, &incoming.prices);
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
}

fn source_of(catalog: &file::Catalog, provider: &file::Provider, model: &file::Model) -> PriceSource {
    let default = || PriceSource { url: provider.url.clone(), ..catalog.source.clone() };
    model.source.clone().unwrap_or_else(default)
}

/// `known` with `incoming` laid over it, each under its own conditions.
fn merged_rows(known: &[Row], list: &Incoming<'_>, incoming: &[Row]) -> Vec<Row> {
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
        list.lay_over(timeline_of(&mut timelines, row), row);
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
