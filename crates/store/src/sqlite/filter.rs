//! Filters as conditions, and which of them an index answers.

use domain::{
    ProjectId, UserId,
    query::{Dimension, Filter, Selection, Visibility},
    usage_record::{CostSource, Status},
};
use jiff::Timestamp;
use rusqlite::{Connection, types::Value};

use super::{
    codes::Code,
    columns::{DAY_MS, first_ms_from},
    condition::{Conditions, numbers},
    dictionary::{self, Kind},
    search,
};
use crate::StoreError;

/// Where an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The records.
    Records,
    /// Their sums by day.
    Rollup,
}

/// A part of what a filter finds that one index finds. The parts do not overlap.
#[derive(Debug)]
pub(super) struct Part {
    /// The table, named `r`.
    pub(super) table: &'static str,
    /// Everything that holds of it.
    pub(super) conditions: Conditions,
}

/// A part of what is visible.
#[derive(Debug)]
enum Scope {
    /// Every record.
    Everything,
    /// The records of these projects.
    Projects(Vec<i64>),
    /// The records of these users.
    Users(Vec<i64>),
    /// A user's records that belong to no project.
    Unassigned(i64),
}

impl Source {
    /// The column of a dimension; of a tag, that of the set of tags.
    pub(super) const fn column(self, dimension: Dimension) -> Option<&'static str> {
        Some(match (self, dimension) {
            (_, Dimension::Service) => "r.provider",
            (_, Dimension::Model) => "r.model",
            (_, Dimension::Project) => "r.project",
            (_, Dimension::User) => "r.user",
            (Self::Rollup, _) => return None,
            (Self::Records, Dimension::Department) => "r.department",
            (Self::Records, Dimension::Team) => "r.team",
            (Self::Records, Dimension::Purpose) => "r.purpose",
            (Self::Records, Dimension::Client) => "r.client",
            (Self::Records, Dimension::Campaign) => "r.campaign",
            (Self::Records, Dimension::Tag) => "r.tag_set",
            (Self::Records, Dimension::Status) => "r.status",
            (Self::Records, Dimension::UserEmail) => "r.user_email",
            (Self::Records, Dimension::CustomerEmail) => "r.customer_email",
            (Self::Records, Dimension::CostSource) => "r.cost_source",
        })
    }

    /// Its column of time.
    pub(super) const fn time_column(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms",
            Self::Rollup => "r.day",
        }
    }

    /// The smallest value of its column of time that is not before `at`.
    pub(super) fn time(self, at: Timestamp) -> i64 {
        match self {
            Self::Records => first_ms_from(at),
            Self::Rollup => first_ms_from(at).div_euclid(DAY_MS),
        }
    }

    /// The condition that a record is not before a value of [`Self::time`].
    pub(super) const fn starts_at(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms >= ?",
            Self::Rollup => "r.day >= ?",
        }
    }

    const fn ends_before(self) -> &'static str {
        match self {
            Self::Records => "r.occurred_at_ms < ?",
            Self::Rollup => "r.day < ?",
        }
    }
}

impl Scope {
    /// The same in parts that an index finds in the order of time.
    fn seeks(self) -> Vec<Self> {
        match self {
            Self::Projects(ids) => ids.into_iter().map(|id| Self::Projects(vec![id])).collect(),
            Self::Users(ids) => ids.into_iter().map(|id| Self::Users(vec![id])).collect(),
            whole @ (Self::Everything | Self::Unassigned(_)) => vec![whole],
        }
    }

    fn conditions(&self, source: Source) -> Conditions {
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
    const fn table(&self, source: Source) -> &'static str {
        match (source, self) {
            (Source::Records, Self::Unassigned(_)) => "usage_record r indexed by usage_record_unassigned",
            (Source::Records, _) => "usage_record r",
            (Source::Rollup, _) => "usage_rollup r",
        }
    }
}

/// What `filter` finds, in parts.
pub(super) fn parts(
    connection: &Connection,
    filter: &Filter,
    source: Source,
    more: &Conditions,
) -> Result<Vec<Part>, StoreError> {
    let scopes = scopes(connection, filter)?;
    Ok(join(&scopes, source, &conditions(connection, filter, source)?, more))
}

/// What `filter` finds, in parts that each have an index in the order of time.
pub(super) fn parts_in_time(
    connection: &Connection,
    filter: &Filter,
    more: &Conditions,
) -> Result<Vec<Part>, StoreError> {
    let seeks: Vec<Scope> = scopes(connection, filter)?.into_iter().flat_map(Scope::seeks).collect();
    Ok(join(&seeks, Source::Records, &conditions(connection, filter, Source::Records)?, more))
}

fn join(scopes: &[Scope], source: Source, conditions: &Conditions, more: &Conditions) -> Vec<Part> {
    let part = |scope: &Scope| {
        let mut all = scope.conditions(source);
        all.and_all(conditions);
        all.and_all(more);
        Part { table: scope.table(source), conditions: all }
    };
    scopes.iter().map(part).collect()
}

/// The parts of what is visible in which `filter` can find anything.
fn scopes(connection: &Connection, filter: &Filter) -> Result<Vec<Scope>, StoreError> {
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
                scopes.extend(find_user(connection, *user)?.map(Scope::Unassigned));
            }
            scopes
        }
    })
}

/// The conditions of `filter` besides its visibility.
fn conditions(connection: &Connection, filter: &Filter, source: Source) -> Result<Conditions, StoreError> {
    let mut conditions = Conditions::default();
    if filter.period.start > Timestamp::MIN {
        conditions.and(source.starts_at(), [Value::Integer(source.time(filter.period.start))]);
    }
    if filter.period.end < Timestamp::MAX {
        conditions.and(source.ends_before(), [Value::Integer(source.time(filter.period.end))]);
    }
    for (dimension, selection) in &filter.selections {
        select(connection, &mut conditions, source, *dimension, selection)?;
    }
    if let Some(words) = filter.search.as_deref().map(str::trim).filter(|words| !words.is_empty()) {
        search::condition(connection, &mut conditions, words)?;
    }
    Ok(conditions)
}

fn select(
    connection: &Connection,
    conditions: &mut Conditions,
    source: Source,
    dimension: Dimension,
    Selection { include, exclude }: &Selection,
) -> Result<(), StoreError> {
    let column =
        source.column(dimension).ok_or_else(|| StoreError::Damaged("a sum lacks a dimension".to_owned()))?;
    // The plus keeps the planner from an index for a condition that the scope's own index serves better.
    let has_none = match source {
        Source::Records => format!("(+{column} is null)"),
        Source::Rollup => format!("(+{column} = 0)"),
    };
    let is_one_of = match dimension {
        Dimension::Tag => format!(
            "+{column} in (select set_id from tag_set_member where tag_id in (select value from json_each(?)))"
        ),
        _ => format!("+{column} in (select value from json_each(?))"),
    };
    let numbers_of =
        |values: &[String]| Ok::<_, StoreError>(numbers(&find_numbers(connection, dimension, values)?));
    if !include.is_empty() {
        let or_none =
            if include.iter().any(String::is_empty) { format!(" or {has_none}") } else { String::new() };
        conditions.and(&format!("({is_one_of}{or_none})"), [numbers_of(include)?]);
    }
    if !exclude.is_empty() {
        conditions.and(&format!("not coalesce({is_one_of}, false)"), [numbers_of(exclude)?]);
    }
    if exclude.iter().any(String::is_empty) {
        conditions.and(&format!("not {has_none}"), []);
    }
    Ok(())
}

/// The numbers that stand for `values` in the column of a dimension.
fn find_numbers(
    connection: &Connection,
    dimension: Dimension,
    values: &[String],
) -> Result<Vec<i64>, StoreError> {
    let words = |code: fn(&str) -> Option<i64>| Ok(values.iter().filter_map(|value| code(value)).collect());
    match dimension {
        Dimension::Service => find_all(connection, Kind::Provider, values),
        Dimension::Model => find_all(connection, Kind::Model, values),
        Dimension::Project => find_all(connection, Kind::Project, values),
        Dimension::User => find_all(connection, Kind::User, values),
        Dimension::Department => find_all(connection, Kind::Department, values),
        Dimension::Team => find_all(connection, Kind::Team, values),
        Dimension::Purpose => find_all(connection, Kind::Purpose, values),
        Dimension::Client => find_all(connection, Kind::Client, values),
        Dimension::Campaign => find_all(connection, Kind::Campaign, values),
        Dimension::Tag => find_all(connection, Kind::Tag, values),
        Dimension::UserEmail => find_all(connection, Kind::UserEmail, values),
        Dimension::CustomerEmail => find_all(connection, Kind::CustomerEmail, values),
        Dimension::Status => words(|word| Status::from_name(word).map(Code::code)),
        Dimension::CostSource => words(|word| CostSource::from_name(word).map(Code::code)),
    }
}

/// The numbers of those `values` that a record ever had, each once.
fn find_all(connection: &Connection, kind: Kind, values: &[String]) -> Result<Vec<i64>, StoreError> {
    let found = values
        .iter()
        .filter(|value| !value.is_empty())
        .map(|value| dictionary::find(connection, kind, value));
    let mut numbers = found.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
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

fn find_user(connection: &Connection, user: UserId) -> Result<Option<i64>, StoreError> {
    dictionary::find(connection, Kind::User, &user.to_string())
}
