//! Text that must not be shown.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret: it cannot be displayed or serialized, prints as `Secret(…)` and is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself; every caller is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// First 4 characters, `…`, last 4; only `…` when that would show more than half of it.
    pub fn masked(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        if chars.len() < 16 {
            return "…".to_owned();
        }
        let head: String = chars[..4].iter().collect();
        let tail: String = chars[chars.len() - 4..].iter().collect();
        format!("{head}…{tail}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_the_first_and_last_four_of_a_long_secret_only() {
        assert_eq!(Secret::new("sk-proj-abcdefghijkl").masked(), "sk-p…ijkl");
        assert_eq!(Secret::new("ключключключключ").masked(), "ключ…ключ");
        assert_eq!(Secret::new("sk-short").masked(), "…");
        assert_eq!(format!("{:?}", Secret::new("sk-proj-abcdefghijkl")), "Secret(…)");
    }
}
