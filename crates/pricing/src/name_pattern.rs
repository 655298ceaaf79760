//! Patterns of model names that operators write.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A model name, or the start of many: `prod-chat`, `prod-*`, `*`. Names are compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    /// In lower case.
    start: String,
    is_prefix: bool,
}

/// The text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the name of a model, or the start of one followed by a single *")]
pub struct NamePatternError {
    text: String,
}

/// Longer names are no model's.
const NAME_BYTES_MAX: usize = 512;

impl NamePattern {
    /// Whether `name` is meant.
    pub fn matches(&self, name: &str) -> bool {
        let name = name.trim();
        match name.get(..self.start.len()) {
            Some(start) => {
                start.eq_ignore_ascii_case(&self.start) && (self.is_prefix || name.len() == self.start.len())
            }
            None => false,
        }
    }

    /// Whether it means every name that `other` means.
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_prefix { other.start.starts_with(&self.start) } else { self == other }
    }

    /// The narrower pattern of two that match the same name is the greater.
    pub(crate) fn narrowness(&self) -> (bool, usize) {
        (!self.is_prefix, self.start.len())
    }
}

impl FromStr for NamePattern {
    type Err = NamePatternError;

    fn from_str(text: &str) -> Result<Self, NamePatternError> {
        let trimmed = text.trim();
        let (start, is_prefix) = match trimmed.strip_suffix('*') {
            Some(start) => (start, true),
            None => (trimmed, false),
        };
        let is_name = !trimmed.is_empty() && !start.contains('*') && trimmed.len() <= NAME_BYTES_MAX;
        is_name
            .then(|| Self { start: start.to_ascii_lowercase(), is_prefix })
            .ok_or_else(|| NamePatternError { text: text.chars().take(80).collect() })
    }
}

impl TryFrom<String> for NamePattern {
    type Error = NamePatternError;

    fn try_from(text: String) -> Result<Self, NamePatternError> {
        text.parse()
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start)?;
        f.write_str(if self.is_prefix { "*" } else { "" })
    }
}
