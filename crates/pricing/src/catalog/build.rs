//! From a catalog file to an index.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::models::{LazyModels, Models};
use super::{Catalog, Provider, file};

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
        Self::index(file, |provider, models| Ok(Models::index(provider, models)?.into()))
    }

    /// The same of a text that is known to be sound: the models of a provider are read when they are first asked for.
    pub(super) fn from_sound_json(json: &'static str) -> Result<Self, CatalogError> {
        let file: file::Catalog<&'static RawValue> = serde_json::from_str(json)?;
        Self::index(file, |_, models| Ok(LazyModels::unread(models)))
    }

    fn index<M>(
        file: file::Catalog<M>,
        index_models: impl Fn(&str, M) -> Result<LazyModels, CatalogError>,
    ) -> Result<Self, CatalogError> {
        let mut provider_index = HashMap::with_capacity(file.providers.len());
        for (index, provider) in file.providers.iter().enumerate() {
            if provider_index.insert(provider.id.clone(), index).is_some() {
                return Err(CatalogError::Duplicate { id: provider.id.clone() });
            }
        }
        let providers = file.providers.into_iter().map(|provider| {
            let resells = resells(&provider, &provider_index)?;
            Ok(Provider {
                models: index_models(&provider.id, provider.models)?,
                id: provider.id,
                name: provider.name,
                source_id: provider.source_id,
                url: provider.url,
                first_party: provider.first_party,
                notes: provider.notes,
                model_match: provider.model_match,
                resells,
            })
        });
        let providers = providers.collect::<Result<_, CatalogError>>()?;
        Ok(Self { version: file.version, source: file.source, providers, provider_index })
    }
}

fn resells<M>(
    provider: &file::Provider<M>,
    provider_index: &HashMap<String, usize>,
) -> Result<Vec<usize>, CatalogError> {
    let positions = provider.resells.iter().map(|resold| {
        provider_index.get(resold).copied().ok_or_else(|| CatalogError::UnknownProvider {
            provider: provider.id.clone(),
            resold: resold.clone(),
        })
    });
    positions.collect()
}
