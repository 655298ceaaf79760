//! `LiteLLM`'s `model_prices_and_context_window.json`: one object a model, with a key a price.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde_json::value::RawValue;

use super::{Edition, Format, NotUnderstood, NoteKind, Notes};
use crate::{PriceSource, file};

mod card;
mod key;
mod name;
mod number;
mod off_peak;
mod uplift;

use card::Cards;
use name::Name;

type Result<T> = std::result::Result<T, NotUnderstood>;

/// A model's object: its keys with their values as text.
type Entry = BTreeMap<String, Box<RawValue>>;

/// Not a model, but a description of the form.
const EXAMPLE: &str = "sample_spec";

pub(super) fn read(list: &str, edition: &Edition, notes: &mut Notes) -> Result<file::Catalog> {
    let entries: BTreeMap<String, Entry> = serde_json::from_str(list)?;
    let source = Format::Litellm.source(edition);
    let mut providers = Providers::default();
    // Google sells its models twice; the prices of its own API come before those of its cloud.
    let is_cloud = |(_, entry): &(&String, &Entry)| {
        text(entry, "litellm_provider").is_some_and(|provider| provider.starts_with("vertex_ai"))
    };
    let models = entries.iter().filter(|(name, _)| *name != EXAMPLE);
    let (cloud, others): (Vec<_>, Vec<_>) = models.partition(is_cloud);
    for (name, entry) in others.into_iter().chain(cloud) {
        if let Some((name, model)) = read_entry(name, entry, &source, notes) {
            providers.add(&name, model, notes);
        }
    }
    let version = format!("{} {}", source.name, source.version);
    Ok(file::Catalog { version, source, providers: providers.list })
}

/// `None` for what has no price that can be represented.
fn read_entry<'n>(
    id: &'n str,
    entry: &Entry,
    source: &PriceSource,
    notes: &mut Notes,
) -> Option<(Name<'n>, file::Model)> {
    let Some(name) = text(entry, "litellm_provider").and_then(|provider| Name::parse(id, &provider)) else {
        notes.add(NoteKind::LeftOut, "models without a provider, or with capacity that is paid by time", id);
        return None;
    };
    let mode = text(entry, "mode").unwrap_or_default();
    let prices = Cards::read(entry, &mode, id, notes).into_rows(&name, id, notes);
    if prices.is_empty() {
        notes.add(NoteKind::LeftOut, "models without a price", id);
        return None;
    }
    if !name.is_local() && prices.iter().all(card::is_free) {
        notes.add(NoteKind::LeftOut, "models that cost 0, which the list also writes for unknown", id);
        return None;
    }
    let url = text(entry, "source").filter(|url| url.starts_with("https://"));
    Some((
        name.clone(),
        file::Model {
            id: name.model.to_owned(),
            aliases: Vec::new(),
            patterns: Vec::new(),
            notes: text(entry, "comment"),
            source: url.map(|url| PriceSource { url: Some(url), ..source.clone() }),
            retires_on: text(entry, "deprecation_date").and_then(|date| date.parse::<Date>().ok()),
            prices,
        },
    ))
}

fn text(entry: &Entry, key: &str) -> Option<String> {
    serde_json::from_str(entry.get(key)?.get()).ok()
}

/// Providers while their models arrive one by one, regional prices of a model apart from its others.
#[derive(Default)]
struct Providers {
    list: Vec<file::Provider>,
    by_id: HashMap<String, usize>,
    /// By provider and name in lower case.
    models: HashMap<(usize, String), usize>,
}

impl Providers {
    fn add(&mut self, name: &Name<'_>, model: file::Model, notes: &mut Notes) {
        let provider = *self.by_id.entry(name.provider.clone()).or_insert_with(|| {
            self.list.push(provider(name.provider.clone()));
            self.list.len() - 1
        });
        let Some(models) = self.list.get_mut(provider).map(|provider| &mut provider.models) else { return };
        let position = *self.models.entry((provider, model.id.to_lowercase())).or_insert(models.len());
        let Some(known) = models.get_mut(position) else { return models.push(model) };
        for row in model.prices {
            match known.prices.iter().find(|other| other.conditions() == row.conditions()) {
                None => known.prices.push(row),
                Some(other) if other.charges_like(&row) => {}
                Some(_) => notes.add(
                    NoteKind::LeftOut,
                    "second prices of a model that is listed twice",
                    &format!("{}/{}", name.provider, known.id),
                ),
            }
        }
    }
}

fn provider(id: String) -> file::Provider {
    file::Provider {
        name: id.clone(),
        id,
        source_id: None,
        url: None,
        first_party: false,
        model_match: None,
        resells: Vec::new(),
        notes: None,
        models: Vec::new(),
    }
}
