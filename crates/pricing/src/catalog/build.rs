//! From a catalog file to an index.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::file;
use super::name::split_date;
use super::{Catalog, MatchRule, Model, Provider};
use crate::{Conditions, Price, PriceSource, TieredRate, Unit};

/// Why a text is not a catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It does not have the form of [`file::Catalog`].
    #[error("not a catalog: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two providers or two models of one provider have the same id.
    #[error("{id} is there twice")]
    Duplicate {
        /// The provider, or provider and model.
        id: String,
    },
    /// A provider resells the models of one that is not there.
    #[error("{provider} resells {resold}, which is not in the catalog")]
    UnknownProvider {
        /// Who resells.
        provider: String,
        /// What it names.
        resold: String,
    },
    /// A price row has no rates, or tiers that do not rise from zero.
    #[error("a price of {model} of {provider} has no rates, or tiers that do not rise from zero")]
    BadRates {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
    },
}

impl Catalog {
    /// Checks and indexes a catalog.
    pub fn from_file(file: file::Catalog) -> Result<Self, CatalogError> {
        let mut catalog = Self {
            version: file.version,
            source: file.source,
            providers: Vec::with_capacity(file.providers.len()),
            provider_index: HashMap::new(),
            prices: Vec::new(),
        };
        for (index, provider) in file.providers.iter().enumerate() {
            if catalog.provider_index.insert(provider.id.clone(), index).is_some() {
                return Err(CatalogError::Duplicate { id: provider.id.clone() });
            }
        }
        for provider in file.providers {
            let provider = catalog.index_provider(provider)?;
            catalog.providers.push(provider);
        }
        Ok(catalog)
    }

    fn index_provider(&mut self, file: file::Provider) -> Result<Provider, CatalogError> {
        let resells = file.resells.iter().map(|resold| {
            self.provider_index.get(resold).copied().ok_or_else(|| CatalogError::UnknownProvider {
                provider: file.id.clone(),
                resold: resold.clone(),
            })
        });
        let resells = resells.collect::<Result<_, _>>()?;
        let names = names(&file.id, &file.models)?;
        let families = families(&names);
        let source = PriceSource { url: file.url.clone(), ..self.source.clone() };
        let mut patterns = Vec::new();
        let mut models = Vec::with_capacity(file.models.len());
        for model in file.models {
            let start = self.prices.len();
            let source = model.source.as_ref().unwrap_or(&source);
            for row in model.prices {
                let price = price(&file.id, &model.id, row, source, model.notes.as_deref());
                self.prices.push(price.ok_or_else(|| CatalogError::BadRates {
                    provider: file.id.clone(),
                    model: model.id.clone(),
                })?);
            }
            patterns.extend(model.patterns.into_iter().map(|rule| (rule, models.len())));
            models.push(Model { id: model.id, prices: start..self.prices.len() });
        }
        Ok(Provider {
            id: file.id,
            name: file.name,
            source_id: file.source_id,
            url: file.url,
            first_party: file.first_party,
            notes: file.notes,
            model_match: file.model_match,
            resells,
            models,
            names,
            families,
            patterns,
        })
    }
}

/// Ids before aliases, and the first model that claims an alias has it.
fn names(
    provider: &str,
    models: &[file::Model],
) -> Result<HashMap<String, (usize, MatchRule)>, CatalogError> {
    let mut names = HashMap::with_capacity(models.len() * 2);
    for (index, model) in models.iter().enumerate() {
        if names.insert(model.id.to_lowercase(), (index, MatchRule::Exact)).is_some() {
            return Err(CatalogError::Duplicate { id: format!("{provider}/{}", model.id) });
        }
    }
    for (index, model) in models.iter().enumerate() {
        for alias in &model.aliases {
            names.entry(alias.to_lowercase()).or_insert((index, MatchRule::Alias));
        }
    }
    Ok(names)
}

fn families(names: &HashMap<String, (usize, MatchRule)>) -> HashMap<String, usize> {
    let mut latest: HashMap<String, (Date, &str, usize)> = HashMap::new();
    for (name, &(model, _)) in names {
        if let Some(dated) = split_date(name) {
            let candidate = (dated.date, name.as_str(), model);
            let entry = latest.entry(dated.family).or_insert(candidate);
            *entry = (*entry).max(candidate);
        }
    }
    latest.into_iter().map(|(family, (_, _, model))| (family, model)).collect()
}

fn price(
    provider: &str,
    model: &str,
    row: file::Row,
    source: &PriceSource,
    notes: Option<&str>,
) -> Option<Price> {
    let rates: BTreeMap<Unit, Vec<TieredRate>> =
        row.rates.into_iter().map(|(unit, rates)| Some((unit, tiers(rates)?))).collect::<Option<_>>()?;
    if rates.is_empty() {
        return None;
    }
    let mut price = Price {
        id: String::new(),
        provider: provider.to_owned(),
        model: model.to_owned(),
        valid_from: row.from.map(midnight),
        valid_until: row.until.map(midnight),
        conditions: Conditions {
            service_tier: row.tier,
            region: row.region,
            search_type: row.search_type,
            daily: row.daily,
        },
        rates,
        minimum_counts: row.minimum,
        source: source.clone(),
        notes: notes.map(str::to_owned),
    };
    price.id = price.content_id();
    Some(price)
}

fn tiers(rates: file::Rates) -> Option<Vec<TieredRate>> {
    let tiers: Vec<TieredRate> = match rates {
        file::Rates::Flat(rate) => vec![TieredRate { input_tokens_min: 0, rate }],
        file::Rates::Tiered(tiers) => {
            tiers.into_iter().map(|(input_tokens_min, rate)| TieredRate { input_tokens_min, rate }).collect()
        }
    };
    let rises = tiers.windows(2).all(|pair| pair[0].input_tokens_min < pair[1].input_tokens_min);
    (rises && tiers.first()?.input_tokens_min == 0).then_some(tiers)
}

/// The first instant of a day, UTC.
fn midnight(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}
