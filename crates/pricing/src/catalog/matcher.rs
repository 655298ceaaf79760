//! Rules that recognise a model by its name.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// A rule that recognises names, which are compared in lower case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    All(Vec<Self>),
    /// Some rule holds.
    Any(Vec<Self>),
    /// The rule does not hold.
    Not(Box<Self>),
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
            Self::Contains(text) => contains(name, text),
            Self::Regex(pattern) => pattern.0.is_match(name),
            Self::All(rules) => rules.iter().all(|rule| rule.matches(name)),
            Self::Any(rules) => rules.iter().any(|rule| rule.matches(name)),
            Self::Not(rule) => !rule.matches(name),
        }
    }
}

/// Like `str::contains`, whose set-up costs more than comparing at the few places where a text nearly as long as the
/// name fits and its first letter is.
fn contains(name: &str, text: &str) -> bool {
    let Some(first) = text.as_bytes().first() else { return true };
    let mut places = name.as_bytes().windows(text.len());
    places.any(|place| place.first() == Some(first) && place == text.as_bytes())
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
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
