//! What is visible, in parts that an index finds.

use domain::{
    ProjectId,
    query::{Dimension, Filter, Visibility},
};
use rusqlite::{Connection, types::Value};

use super::{
    condition::{Conditions, numbers},
    dictionary::{self, Kind, find_all},
    source::Source,
};
use crate::StoreError;

/// A part of what is visible.
#[derive(Debug)]
pub(super) enum Scope {
    /// Every record.
    Everything,
    /// The records of these projects.
    Projects(Vec<i64>),
    /// The records of these users.
    Users(Vec<i64>),
    /// A user's records that belong to no project.
    Unassigned(i64),
}

impl Scope {
    /// The same in parts that an index finds in the order of time.
    pub(super) fn seeks(self) -> Vec<Self> {
        match self {
            Self::Projects(ids) => ids.into_iter().map(|id| Self::Projects(vec![id])).collect(),
            Self::Users(ids) => ids.into_iter().map(|id| Self::Users(vec![id])).collect(),
            whole @ (Self::Everything | Self::Unassigned(_)) => vec![whole],
        }
    }

    /// The condition for it.
    pub(super) fn conditions(&self, source: Source) -> Conditions {
        let mut conditions = Conditions::default();
        match (self, source) {
            (Self::Everything, _) => {}
            (Self::Projects(ids), _) => match ids.as_slice() {
                [id] => conditions.and("r.project = ?", [Value::Integer(*id)]),
                ids => conditions.and("r.project in (select value from json_each(?))", [numbers(ids)]),
            },
            (Self::Users(ids), _) => match ids.as_slice() {
                [id] => conditions.and("r.user = ?", [Value::Integer(*id)]),
                ids => conditions.and("r.user in (select value from json_each(?))", [numbers(ids)]),
            },
            (Self::Unassigned(user), Source::Records) => {
                conditions.and("r.user = ? and r.project is null", [Value::Integer(*user)]);
            }
            (Self::Unassigned(user), Source::Rollup) => {
                conditions.and("r.user = ? and r.project = 0", [Value::Integer(*user)]);
            }
        }
        conditions
    }

    /// The table, with the index that must be used where the planner could take a worse one.
    pub(super) const fn table(&self, source: Source) -> &'static str {
        match (source, self) {
            (Source::Records, Self::Unassigned(_)) => "usage_record r indexed by usage_record_unassigned",
            (Source::Records, _) => "usage_record r",
            (Source::Rollup, _) => "usage_rollup r",
        }
    }
}

/// The parts of what is visible in which `filter` can find anything.
pub(super) fn scopes(connection: &Connection, filter: &Filter) -> Result<Vec<Scope>, StoreError> {
    let only = |dimension| {
        filter.selections.get(&dimension).map_or(&[][..], |selection| selection.include.as_slice())
    };
    let projects = only(Dimension::Project);
    let has_unassigned = projects.is_empty() || projects.iter().any(String::is_empty);
    Ok(match &filter.visibility {
        Visibility::Everything if !has_unassigned => {
            vec![Scope::Projects(find_all(connection, Kind::Project, projects)?)]
        }
        Visibility::Everything => match only(Dimension::User) {
            [] => vec![Scope::Everything],
            users => vec![Scope::Users(find_all(connection, Kind::User, users)?)],
        },
        Visibility::Of { user, projects: visible } => {
            let mut scopes = vec![Scope::Projects(find_visible(connection, visible, projects)?)];
            if has_unassigned {
                let user = dictionary::find(connection, Kind::User, &user.to_string())?;
                scopes.extend(user.map(Scope::Unassigned));
            }
            scopes
        }
    })
}

/// The numbers of the visible projects, or of those among them that are in `only`, unless that is empty.
fn find_visible(
    connection: &Connection,
    visible: &[ProjectId],
    only: &[String],
) -> Result<Vec<i64>, StoreError> {
    let names: Vec<String> = visible.iter().map(ProjectId::to_string).collect();
    let wanted: Vec<String> =
        names.into_iter().filter(|name| only.is_empty() || only.contains(name)).collect();
    find_all(connection, Kind::Project, &wanted)
}
