//! What a budget is over.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    KeyId, ProjectId,
    allocation::Tags,
    query::{Dimension, Filter, Selection, Visibility},
    usage_record::UsageRecord,
};

/// What a budget is over: whose calls count in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = BudgetScope)]
pub enum Scope {
    /// The calls of a project.
    #[serde(rename_all = "camelCase")]
    Project {
        /// Which.
        #[schema(value_type = String)]
        project_id: ProjectId,
    },
    /// The calls that come in with a tracker key.
    #[serde(rename_all = "camelCase")]
    Key {
        /// Which.
        #[schema(value_type = String)]
        key_id: KeyId,
    },
    /// The calls with a tag.
    Tag {
        /// Which.
        tag: String,
    },
    /// Every call of the installation.
    Account,
}

impl Scope {
    /// Every scope that a call of this project, key and tags counts in.
    pub fn all_of(
        project_id: Option<ProjectId>,
        key_id: Option<KeyId>,
        tags: &Tags,
    ) -> impl Iterator<Item = Self> {
        let project = project_id.map(|project_id| Self::Project { project_id });
        let key = key_id.map(|key_id| Self::Key { key_id });
        let tags = tags.iter().map(|tag| Self::Tag { tag: tag.to_owned() });
        project.into_iter().chain(key).chain(tags).chain([Self::Account])
    }

    /// Every scope that `record` counts in.
    pub fn all_of_record(record: &UsageRecord) -> impl Iterator<Item = Self> {
        Self::all_of(record.project_id, record.tracker_key_id, &record.tags)
    }

    /// The project, if it is a project's.
    pub const fn project_id(&self) -> Option<ProjectId> {
        match self {
            Self::Project { project_id } => Some(*project_id),
            Self::Key { .. } | Self::Tag { .. } | Self::Account => None,
        }
    }

    /// What tells the records that count; `None` if every one does.
    pub fn selected(&self) -> Option<(Dimension, String)> {
        match self {
            Self::Project { project_id } => Some((Dimension::Project, project_id.to_string())),
            Self::Key { key_id } => Some((Dimension::TrackerKey, key_id.to_string())),
            Self::Tag { tag } => Some((Dimension::Tag, tag.clone())),
            Self::Account => None,
        }
    }

    /// The records that count.
    pub fn filter(&self) -> Filter {
        let mut filter = Filter::all(Visibility::Everything);
        if let Some((dimension, value)) = self.selected() {
            filter.selections.insert(dimension, Selection { include: vec![value], exclude: Vec::new() });
        }
        filter
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project { project_id } => write!(f, "project {project_id}"),
            Self::Key { key_id } => write!(f, "tracker key {key_id}"),
            Self::Tag { tag } => write!(f, "tag {tag:?}"),
            Self::Account => f.write_str("the whole account"),
        }
    }
}
