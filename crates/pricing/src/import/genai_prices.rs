//! The data file of genai-prices.

use super::{Edition, Format, NotUnderstood, NoteKind, Notes, RateCard, overlay};
use crate::{Per, Rate, Unit, file};

mod matchers;
mod rates;
mod segments;
mod source;

use source::{Model, Provider};

type Result<T> = std::result::Result<T, NotUnderstood>;

/// Providers that sell models of their own making, by our ids.
const MAKERS: [&str; 18] = [
    "anthropic",
    "arcee",
    "cohere",
    "cursor",
    "deepseek",
    "elevenlabs",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshotai",
    "openai",
    "perplexity",
    "typesafe",
    "voyageai",
    "xai",
    "zai",
    "zhipuai",
];

pub(super) fn read(text: &str, edition: &Edition, notes: &mut Notes) -> Result<file::Catalog> {
    let providers: Vec<Provider> = serde_json::from_str(text)?;
    let mut providers: Vec<file::Provider> =
        providers.into_iter().map(|provider| convert_provider(provider, notes)).collect();
    drop_unknown_resold(&mut providers, notes);
    let source = Format::GenaiPrices.source(edition);
    let version = format!("{} {}", source.name, source.version);
    let mut catalog = file::Catalog { version, source, providers };
    overlay::apply(&mut catalog, notes)?;
    Ok(catalog)
}

fn convert_provider(provider: Provider, notes: &mut Notes) -> file::Provider {
    let id = our_id(&provider.id).to_owned();
    let model_match = provider.model_match.map(|clause| matchers::matcher(clause, &id, notes));
    let model_match = model_match.and_then(|matched| understood(matched, &id, notes));
    let models = provider.models.into_iter().filter_map(|model| {
        let owner = format!("{id}/{}", model.id);
        let converted = convert_model(model, &owner, notes);
        understood(converted, &owner, notes).flatten()
    });
    file::Provider {
        name: provider.name,
        url: provider.pricing_urls.into_iter().next(),
        first_party: MAKERS.contains(&id.as_str()),
        resells: provider.fallback_model_providers.iter().map(|id| our_id(id).to_owned()).collect(),
        notes: provider.price_comments,
        models: models.collect(),
        model_match,
        source_id: Some(provider.id).filter(|source_id| *source_id != id),
        id,
    }
}

/// `None`, and a note, for what was not understood.
fn understood<T>(read: Result<T>, owner: &str, notes: &mut Notes) -> Option<T> {
    read.map_err(|reason| notes.add(NoteKind::NotUnderstood, reason.to_string(), owner)).ok()
}

/// `None` for a model without any price.
fn convert_model(model: Model, owner: &str, notes: &mut Notes) -> Result<Option<file::Model>> {
    let mut prices = segments::rows(&model, owner, notes)?;
    if prices.is_empty() && model.id.ends_with(":free") {
        prices.push(free());
    } else if prices.is_empty() {
        notes.add(NoteKind::LeftOut, "models without a price", owner);
        return Ok(None);
    }
    let (aliases, patterns) = matchers::names(model.clause, &model.id, notes)?;
    Ok(Some(file::Model {
        id: model.id,
        aliases,
        patterns,
        notes: model.price_comments,
        source: None,
        retires_on: None,
        prices,
    }))
}

/// What the source leaves empty in models whose name says that they cost nothing.
fn free() -> file::Row {
    let nothing = file::Rates::Flat(Rate { nanos: 0, per: Per::Million });
    let rates = [(Unit::InputTokens, nothing.clone()), (Unit::OutputTokens, nothing)];
    file::Row { rates: rates.into(), ..file::Row::default() }
}

fn drop_unknown_resold(providers: &mut [file::Provider], notes: &mut Notes) {
    let known: Vec<String> = providers.iter().map(|provider| provider.id.clone()).collect();
    for provider in providers {
        provider.resells.retain(|resold| {
            let is_known = known.contains(resold);
            if !is_known {
                notes.add(NoteKind::NotUnderstood, format!("the resold provider {resold}"), &provider.id);
            }
            is_known
        });
    }
}

fn our_id(source_id: &str) -> &str {
    match source_id {
        "aws" => "bedrock",
        "x-ai" => "xai",
        other => other,
    }
}
