//! The price catalog: who sells which model, and what it cost when.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use crate::{Price, PriceSource};

mod build;
mod call;
pub mod file;
mod find;
mod matcher;
mod models;
mod name;
mod row;

use models::{LazyModels, Model, Models};
use row::Row;

pub use build::CatalogError;
pub use call::{Call, Found, MatchRule};
pub use find::PriceHistory;
pub(crate) use find::{fold, is_standard_tier};
pub use matcher::{Matcher, Pattern};

/// Prices of models, with their history.
#[derive(Debug)]
pub struct Catalog {
    version: String,
    source: PriceSource,
    providers: Vec<Provider>,
    provider_index: HashMap<String, usize>,
}

/// Who sells models.
#[derive(Debug)]
pub struct Provider {
    id: String,
    name: String,
    source_id: Option<String>,
    url: Option<String>,
    first_party: bool,
    notes: Option<String>,
    model_match: Option<Matcher>,
    /// Indexes of the providers whose models it resells.
    resells: Vec<usize>,
    models: LazyModels,
}

impl Catalog {
    /// The catalog that comes with this crate, in the format of [`file::Catalog`]; the base of the first import.
    pub const EMBEDDED_JSON: &'static str = include_str!("../catalog/catalog.json");

    /// The catalog that comes with this crate.
    pub fn embedded() -> &'static Self {
        Self::embedded_arc()
    }

    /// The same, to be shared with [`crate::PriceBook`].
    pub fn embedded_arc() -> &'static Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Catalog>> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let catalog = Self::from_sound_json(Self::EMBEDDED_JSON);
            Arc::new(catalog.expect("a test loads the embedded catalog"))
        })
    }

    /// Reads a catalog in the format of [`file::Catalog`].
    pub fn from_json(json: &str) -> Result<Self, CatalogError> {
        Self::from_file(serde_json::from_str(json)?)
    }

    /// Changes whenever the content does.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where the rows come from that do not say otherwise.
    pub const fn source(&self) -> &PriceSource {
        &self.source
    }

    /// Every price row, by provider and model.
    pub fn prices(&self) -> impl Iterator<Item = &Price> {
        self.providers.iter().flat_map(move |provider| {
            let models = provider.index().list.iter();
            models
                .flat_map(move |model| model.rows.iter().map(move |row| &**self.price(provider, model, row)))
        })
    }

    /// Every provider.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter()
    }

    /// The provider of this id or one of its usual names.
    pub fn find_provider(&self, name: &str) -> Option<&Provider> {
        self.provider_position(name).map(|position| &self.providers[position])
    }

    /// The day on which the provider retires a model of the catalog, when it has said so.
    pub fn retires_on(&self, provider: &str, model: &str) -> Option<Date> {
        let models = &self.find_provider(provider)?.index().list;
        models.iter().find(|candidate| candidate.id == model)?.retires_on
    }

    fn provider_position(&self, name: &str) -> Option<usize> {
        let known = |name: &str| self.provider_index.get(name).copied();
        known(name).or_else(|| known(&crate::canonical_provider(name)))
    }
}

impl Provider {
    /// Its name in the catalog, as in [`crate::canonical_provider`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the catalog's source calls it.
    pub fn source_id(&self) -> &str {
        self.source_id.as_deref().unwrap_or(&self.id)
    }

    /// Where it publishes its prices.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// What the source says about all its prices.
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// Ids of its models.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.index().list.iter().map(|model| model.id.as_str())
    }

    fn index(&self) -> &Models {
        self.models.get(&self.id)
    }
}
