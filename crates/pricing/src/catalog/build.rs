//! From a catalog file to an index.

use std::collections::HashMap;

use jiff::civil::Date;

use super::file;
use super::name::split_date;
use super::{Catalog, MatchRule, Model, Provider, Row};

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
    /// A price row has no rates, tiers that do not rise from zero, or rates for a quantity that is not the unit's.
    #[error(
        "a price of {model} of {provider} has no rates, unsorted tiers, or a rate per hour of what is not time"
    )]
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
            rows: Vec::new(),
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
        let position = self.providers.len();
        let mut patterns = Vec::new();
        let mut models = Vec::with_capacity(file.models.len());
        for model in file.models {
            let start = self.rows.len();
            for row in model.prices {
                let row = Row::new(position, models.len(), row).ok_or_else(|| CatalogError::BadRates {
                    provider: file.id.clone(),
                    model: model.id.clone(),
                })?;
                self.rows.push(row);
            }
            patterns.extend(model.patterns.into_iter().map(|rule| (rule, models.len())));
            models.push(Model {
                id: model.id,
                notes: model.notes,
                source: model.source,
                retires_on: model.retires_on,
                rows: start..self.rows.len(),
            });
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
