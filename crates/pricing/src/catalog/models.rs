//! The models of a provider, indexed by name.

use std::collections::HashMap;
use std::sync::OnceLock;

use jiff::civil::Date;
use serde_json::value::RawValue;

use super::name::split_date;
use super::{CatalogError, MatchRule, Matcher, Row, file};
use crate::PriceSource;

#[derive(Debug)]
pub(super) struct Models {
    pub(super) list: Vec<Model>,
    /// Ids and aliases, in lower case.
    pub(super) names: HashMap<String, (usize, MatchRule)>,
    /// Names without the date that some of `names` carry, to the latest of them.
    pub(super) families: HashMap<String, usize>,
    pub(super) patterns: Vec<(Matcher, usize)>,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) notes: Option<String>,
    pub(super) source: Option<PriceSource>,
    pub(super) retires_on: Option<Date>,
    pub(super) rows: Vec<Row>,
}

/// Models that are read when they are first asked for: most of a catalog never is.
#[derive(Debug)]
pub(super) struct LazyModels {
    text: Option<&'static RawValue>,
    index: OnceLock<Models>,
}

impl LazyModels {
    /// Models in a text that is known to be sound.
    pub(super) const fn unread(text: &'static RawValue) -> Self {
        Self { text: Some(text), index: OnceLock::new() }
    }

    pub(super) fn get(&self, provider: &str) -> &Models {
        self.index.get_or_init(|| {
            let models = self.text.map(|text| Models::read(provider, text));
            models.and_then(Result::ok).expect("a test reads every model of the embedded catalog")
        })
    }
}

impl From<Models> for LazyModels {
    fn from(models: Models) -> Self {
        Self { text: None, index: OnceLock::from(models) }
    }
}

impl Models {
    fn read(provider: &str, text: &RawValue) -> Result<Self, CatalogError> {
        Self::index(provider, serde_json::from_str(text.get())?)
    }

    pub(super) fn index(provider: &str, models: Vec<file::Model>) -> Result<Self, CatalogError> {
        let names = names(provider, &models)?;
        let families = families(&names);
        let mut patterns = Vec::new();
        let mut list = Vec::with_capacity(models.len());
        for model in models {
            let rows = model.prices.into_iter().map(|row| {
                Row::new(row).ok_or_else(|| CatalogError::BadRates {
                    provider: provider.to_owned(),
                    model: model.id.clone(),
                })
            });
            let rows = rows.collect::<Result<_, _>>()?;
            patterns.extend(model.patterns.into_iter().map(|rule| (rule, list.len())));
            let file::Model { id, notes, source, retires_on, .. } = model;
            list.push(Model { id, notes, source, retires_on, rows });
        }
        Ok(Self { list, names, families, patterns })
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
