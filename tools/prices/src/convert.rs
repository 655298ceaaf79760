//! The source's providers and models as the catalog's.

use anyhow::Result;
use pricing::file;
use pricing::{PriceSource, Rate, Unit};

use crate::source::{Model, Provider};
use crate::{CHECKED_ON, Log, PACKAGE, matchers, segments};

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

/// Converts all of the source.
pub(crate) fn catalog(providers: Vec<Provider>, version: &str, log: &mut Log) -> Result<file::Catalog> {
    let source = PriceSource {
        name: PACKAGE.to_owned(),
        version: version.to_owned(),
        url: None,
        checked_on: Some(CHECKED_ON),
    };
    let providers =
        providers.into_iter().map(|provider| convert_provider(provider, log)).collect::<Result<_>>()?;
    Ok(file::Catalog { version: format!("{PACKAGE} {version}"), source, providers })
}

fn convert_provider(provider: Provider, log: &mut Log) -> Result<file::Provider> {
    let id = our_id(&provider.id).to_owned();
    let model_match = provider.model_match.map(|clause| matchers::matcher(clause, &id, log)).transpose()?;
    let mut models = Vec::with_capacity(provider.models.len());
    for model in provider.models {
        models.extend(convert_model(model, &id, log)?);
    }
    Ok(file::Provider {
        name: provider.name,
        source_id: Some(provider.id).filter(|source_id| *source_id != id),
        url: provider.pricing_urls.into_iter().next(),
        first_party: MAKERS.contains(&id.as_str()),
        model_match,
        resells: provider.fallback_model_providers.iter().map(|id| our_id(id).to_owned()).collect(),
        notes: provider.price_comments,
        models,
        id,
    })
}

/// `None` for a model without any price.
fn convert_model(model: Model, provider: &str, log: &mut Log) -> Result<Option<file::Model>> {
    let owner = format!("{provider}/{}", model.id);
    let mut prices = segments::rows(&model, &owner, log)?;
    if prices.is_empty() && model.id.ends_with(":free") {
        prices.push(free());
    } else if prices.is_empty() {
        log.add(format!("left out {owner}: no prices"));
        return Ok(None);
    }
    let (aliases, patterns) = matchers::names(model.clause, &model.id, log)?;
    let notes = model.price_comments;
    Ok(Some(file::Model { id: model.id, aliases, patterns, notes, source: None, prices }))
}

/// What the source leaves empty in models whose name says that they cost nothing.
fn free() -> file::Row {
    let nothing = file::Rates::Flat(Rate { nanos: 0, per: pricing::Per::Million });
    let rates = [(Unit::InputTokens, nothing.clone()), (Unit::OutputTokens, nothing)];
    file::Row { rates: rates.into(), ..file::Row::default() }
}

fn our_id(source_id: &str) -> &str {
    match source_id {
        "aws" => "bedrock",
        "x-ai" => "xai",
        other => other,
    }
}
