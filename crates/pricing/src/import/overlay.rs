//! Corrections that are kept by hand in `overlay.json`, each with where it was read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{NotUnderstood, NoteKind, Notes};
use crate::file::{self, Rates, Row};
use crate::{Matcher, PriceSource, Unit};

const OVERLAY: &str = include_str!("../../catalog/overlay.json");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Overlay {
    /// The day of the last change.
    version: String,
    /// Models that replace those of the same id.
    models: Vec<Replacement>,
    /// Models that the source does not have, or has only as another name of one.
    additions: Vec<Replacement>,
    /// Additions to models of the source.
    patches: Vec<Patch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    provider: String,
    model: file::Model,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    provider: String,
    model: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    patterns: Vec<Matcher>,
    #[serde(default)]
    rates: BTreeMap<Unit, Rates>,
    #[serde(default)]
    minimum: BTreeMap<Unit, u64>,
    /// Under conditions for which the source has none.
    #[serde(default)]
    rows: Vec<Row>,
    notes: String,
    source: PriceSource,
}

/// Applies the corrections; one that no longer fits the list is out of date, and noted.
pub(super) fn apply(catalog: &mut file::Catalog, notes: &mut Notes) -> Result<(), NotUnderstood> {
    let overlay: Overlay = serde_json::from_str(OVERLAY)?;
    let mut out_of_date = |text: &str, provider: &str, model: &str| {
        notes.add(NoteKind::NotUnderstood, text, &format!("{provider}/{model}"));
    };
    for Replacement { provider, model } in overlay.models {
        match find(catalog, &provider, &model.id) {
            Some(replaced) => *replaced = model,
            None => out_of_date(MISSING, &provider, &model.id),
        }
    }
    for Replacement { provider, model } in overlay.additions {
        let is_there = find(catalog, &provider, &model.id).is_some();
        match catalog.providers.iter_mut().find(|candidate| candidate.id == provider) {
            Some(_) if is_there => out_of_date("an addition that the list has", &provider, &model.id),
            Some(provider) => provider.models.push(model),
            None => out_of_date(MISSING, &provider, &model.id),
        }
    }
    for patch in overlay.patches {
        match find(catalog, &patch.provider, &patch.model) {
            Some(model) if patch.adds_to(model) => patch.apply(model),
            Some(_) => out_of_date("an addition that the list has", &patch.provider, &patch.model),
            None => out_of_date(MISSING, &patch.provider, &patch.model),
        }
    }
    catalog.version = format!("{}, overlay {}", catalog.version, overlay.version);
    Ok(())
}

const MISSING: &str = "a correction of a model that is not in the list";

impl Patch {
    /// Whether the model has no rows under the conditions of those that are added.
    fn adds_to(&self, model: &file::Model) -> bool {
        let has = |row: &Row| model.prices.iter().any(|known| known.conditions() == row.conditions());
        !self.rows.iter().any(has)
    }

    fn apply(self, model: &mut file::Model) {
        model.aliases.extend(self.aliases);
        model.patterns.extend(self.patterns);
        for row in &mut model.prices {
            row.rates.extend(self.rates.clone());
            row.minimum.extend(self.minimum.clone());
        }
        model
            .prices
            .extend(self.rows.into_iter().map(|row| Row { source: Some(self.source.clone()), ..row }));
        let source = &self.source;
        let date = source.checked_on.map(|date| format!(", {date}")).unwrap_or_default();
        let origin = format!("{} {}{date}", source.name, source.version);
        let url = source.url.as_deref().unwrap_or_default();
        let note = format!("{} ({origin}; {url})", self.notes);
        model.notes =
            Some(model.notes.take().map_or_else(|| note.clone(), |notes| format!("{notes} {note}")));
    }
}

fn find<'a>(catalog: &'a mut file::Catalog, provider: &str, model: &str) -> Option<&'a mut file::Model> {
    let provider = catalog.providers.iter_mut().find(|candidate| candidate.id == provider)?;
    provider.models.iter_mut().find(|candidate| candidate.id == model)
}
