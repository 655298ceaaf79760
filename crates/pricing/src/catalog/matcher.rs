//! Rules that recognise a model by its name.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// A rule that recognises names, which are compared in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// The name is this.
    Equals(String),
    /// The name starts with this.
    StartsWith(String),
    /// The name ends with this.
    EndsWith(String),
    /// The name contains this.
    Contains(String),
    /// The name matches this pattern.
    Regex(Pattern),
    /// Every rule holds.
    All(Vec<Matcher>),
    /// Some rule holds.
    Any(Vec<Matcher>),
    /// The rule does not hold.
    Not(Box<Matcher>),
}

/// A regular expression without look-around.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl Matcher {
    /// Whether the rule recognises `name`, which must be in lower case.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == text,
            Self::StartsWith(text) => name.starts_with(text.as_str()),
            Self::EndsWith(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Regex(pattern) => pattern.0.is_match(name),
            Self::All(rules) => rules.iter().all(|rule| rule.matches(name)),
            Self::Any(rules) => rules.iter().any(|rule| rule.matches(name)),
            Self::Not(rule) => !rule.matches(name),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex_lite::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Regex::new(&text).map(Self)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}
