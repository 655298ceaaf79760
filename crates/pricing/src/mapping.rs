//! The operator's table of names that no catalog can know: deployments, inference profiles, aliases of a proxy.

use serde::{Deserialize, Serialize};

use crate::{Call, Catalog, NamePattern, canonical_provider};

/// One line of the table: what a name means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Only when this provider was called, by any of its usual names; `None` for every provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The names that are meant: of the model that answered, or of the one that was asked for.
    pub pattern: NamePattern,
    /// Who sells the model.
    pub to_provider: String,
    /// A name by which the catalog knows the model.
    pub to_model: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The whole table; the first line that fits decides.
///
/// What a line points to is looked up in the catalog and never in the table again, so there are no loops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mappings(Vec<Mapping>);

/// Why a table is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// It is longer than [`Mappings::LINES_MAX`].
    #[error("more than {} mappings", Mappings::LINES_MAX)]
    TooMany,
    /// A line points to something that is not in the catalog.
    #[error("{pattern} is mapped to {provider}/{model}, which is not in the catalog")]
    UnknownTarget {
        /// The names of the line.
        pattern: NamePattern,
        /// Where it points.
        provider: String,
        /// Where it points.
        model: String,
    },
    /// Two lines are about the same names of the same provider.
    #[error("{pattern} is mapped twice")]
    Duplicate {
        /// The names.
        pattern: NamePattern,
    },
}

impl Mapping {
    /// Whether it catches every call that `other` would.
    pub fn covers(&self, other: &Self) -> bool {
        let is_for = |line: &Self| line.provider.as_deref().map(|name| canonical_provider(name).into_owned());
        let provider = is_for(self);
        (provider.is_none() || provider == is_for(other)) && self.pattern.covers(&other.pattern)
    }

    /// Puts it into a table where it takes hold: in the place of a line about the same names, else before the first
    /// line that would catch all of its calls, else at the end.
    pub fn place_into(self, table: &mut Vec<Self>) {
        match table.iter().position(|line| line.covers(&self)) {
            Some(position) if self.covers(&table[position]) => table[position] = self,
            Some(position) => table.insert(position, self),
            None => table.push(self),
        }
    }
}

impl Mappings {
    /// How many lines a table may have.
    pub const LINES_MAX: usize = 10_000;

    /// Checks a table against the catalog that it points into.
    pub fn new(mut mappings: Vec<Mapping>, catalog: &Catalog) -> Result<Self, MappingError> {
        if mappings.len() > Self::LINES_MAX {
            return Err(MappingError::TooMany);
        }
        let mut seen = std::collections::HashSet::new();
        for mapping in &mut mappings {
            mapping.provider = mapping.provider.as_deref().map(|name| canonical_provider(name).into_owned());
            if catalog.model_named(&mapping.to_provider, &mapping.to_model).is_none() {
                return Err(MappingError::UnknownTarget {
                    pattern: mapping.pattern.clone(),
                    provider: mapping.to_provider.clone(),
                    model: mapping.to_model.clone(),
                });
            }
            if !seen.insert((mapping.provider.clone(), mapping.pattern.clone())) {
                return Err(MappingError::Duplicate { pattern: mapping.pattern.clone() });
            }
        }
        Ok(Self(mappings))
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.0.iter()
    }

    /// What the call's names mean, and whether it is the name of the model that answered.
    pub(crate) fn find(&self, call: &Call<'_>) -> Option<(&Mapping, bool)> {
        if self.0.is_empty() {
            return None;
        }
        let provider = call.provider.map(canonical_provider);
        let by_name = |name: &str| {
            self.0.iter().find(|mapping| {
                mapping.provider.as_deref().is_none_or(|wanted| provider.as_deref() == Some(wanted))
                    && mapping.pattern.matches(name)
            })
        };
        let answered = call.response_model.and_then(by_name).map(|mapping| (mapping, true));
        answered.or_else(|| by_name(call.model).map(|mapping| (mapping, false)))
    }
}
