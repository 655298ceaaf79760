//! Corrections that are kept by hand in `overlay.json`, each with where it was read.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use pricing::file::{self, Rates};
use pricing::{Matcher, PriceSource, Unit};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    /// The day of the last change.
    version: String,
    /// Models that replace those of the same id.
    models: Vec<Replacement>,
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
    notes: String,
    source: PriceSource,
}

/// Applies the corrections; one that names a model which is not there is an error, for it is out of date.
pub(crate) fn apply(catalog: &mut file::Catalog, overlay: Overlay) -> Result<()> {
    for Replacement { provider, model } in overlay.models {
        if model.source.is_none() {
            bail!("{provider}/{} has no source", model.id);
        }
        let replaced = find(catalog, &provider, &model.id)?;
        *replaced = model;
    }
    for patch in overlay.patches {
        let model = find(catalog, &patch.provider, &patch.model)?;
        model.aliases.extend(patch.aliases);
        model.patterns.extend(patch.patterns);
        for row in &mut model.prices {
            row.rates.extend(patch.rates.clone());
            row.minimum.extend(patch.minimum.clone());
        }
        let source = &patch.source;
        let date = source.checked_on.map(|date| format!(", {date}")).unwrap_or_default();
        let origin = format!("{} {}{date}", source.name, source.version);
        let url = source.url.as_deref().unwrap_or_default();
        let note = format!("{} ({origin}; {url})", patch.notes);
        model.notes =
            Some(model.notes.take().map_or_else(|| note.clone(), |notes| format!("{notes} {note}")));
    }
    catalog.version = format!("{}, overlay {}", catalog.version, overlay.version);
    Ok(())
}

fn find<'a>(catalog: &'a mut file::Catalog, provider: &str, model: &str) -> Result<&'a mut file::Model> {
    let providers = &mut catalog.providers;
    let found = providers.iter_mut().find(|candidate| candidate.id == provider);
    found
        .and_then(|provider| provider.models.iter_mut().find(|candidate| candidate.id == model))
        .with_context(|| format!("{provider}/{model} is not in the source"))
}
