//! Whom a cost is for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Invalid, invalid::Problems, limits, text};

/// Whom a call's cost is charged to inside the organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostAllocation {
    /// Department name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Team name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Purpose or category of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Client name (for agencies).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Campaign or phase of a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Any further keys that the sender uses; kept and returned, not grouped by.
    #[serde(flatten)]
    pub other: BTreeMap<String, String>,
}

impl CostAllocation {
    /// Whether no cost is allocated to anyone.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with every value trimmed and checked; empty values are dropped.
    pub fn checked(self, field: &str) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        let mut check = |key: &str, value: Option<String>| {
            let value = value.filter(|value| !value.trim().is_empty())?;
            problems.take(text::dimension_value(&format!("{field}.{key}"), &value))
        };
        let checked = Self {
            department: check("department", self.department),
            team: check("team", self.team),
            purpose: check("purpose", self.purpose),
            client: check("client", self.client),
            campaign: check("campaign", self.campaign),
            other: self
                .other
                .into_iter()
                .filter_map(|(key, value)| Some((key.clone(), check(&key, Some(value))?)))
                .collect(),
        };
        if checked.other.len() > limits::TAGS_MAX {
            problems.add(field, format!("must have at most {} further keys", limits::TAGS_MAX));
        }
        problems.into_result()?;
        Ok(checked)
    }
}

/// The tags of a record or a project: sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<String>)]
pub struct Tags(BTreeSet<String>);

impl Tags {
    /// The tags in `list`, trimmed; duplicates and empty ones are dropped.
    pub fn new<'a>(field: &str, list: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        let mut tags = BTreeSet::new();
        for (index, tag) in list.into_iter().enumerate() {
            if tag.trim().is_empty() {
                continue;
            }
            tags.extend(problems.take(text::dimension_value(&format!("{field}[{index}]"), tag)));
            if tags.len() > limits::TAGS_MAX {
                return Err(Invalid::field(field, format!("must have at most {} tags", limits::TAGS_MAX)));
            }
        }
        problems.into_result()?;
        Ok(Self(tags))
    }

    /// The tags in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_each_once() {
        let tags = Tags::new("tags", ["marketing", " product ", "", "marketing"]).unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), ["marketing", "product"]);
    }

    #[test]
    fn a_wrong_tag_is_named_by_its_place() {
        assert_eq!(Tags::new("tags", ["ok", "a\0b"]).unwrap_err().0[0].field, "tags[1]");
        let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        assert_eq!(Tags::new("tags", many.iter().map(String::as_str)).unwrap_err().0[0].field, "tags");
    }

    #[test]
    fn allocation_keeps_keys_it_does_not_know() {
        let json = r#"{"department":"marketing","team":" ","region":"emea"}"#;
        let allocation =
            serde_json::from_str::<CostAllocation>(json).unwrap().checked("costAllocation").unwrap();
        assert_eq!(
            serde_json::to_string(&allocation).unwrap(),
            r#"{"department":"marketing","region":"emea"}"#
        );
    }
}
