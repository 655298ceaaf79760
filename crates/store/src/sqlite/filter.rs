//! Filters as conditions, in parts that an index finds.

use domain::{
    query::{Dimension, Filter, Selection},
    usage_record::{CostSource, Status},
};
use jiff::Timestamp;
use rusqlite::{Connection, types::Value};

use super::{
    codes::Code,
    columns::damaged,
    condition::{Conditions, numbers},
    dictionary::{Kind, find_all},
    scope::{Scope, scopes},
    search,
    source::Source,
};
use crate::StoreError;

/// A part of what a filter finds that one index finds. The parts do not overlap.
#[derive(Debug)]
pub(super) struct Part {
    /// The table, named `r`.
    pub(super) table: &'static str,
    /// Everything that holds of it.
    pub(super) conditions: Conditions,
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
    let column = source.column(dimension).ok_or_else(|| damaged("a sum lacks a dimension"))?;
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
        Dimension::TrackerKey => find_all(connection, Kind::TrackerKey, values),
        Dimension::Status => words(|word| Status::from_name(word).map(Code::code)),
        Dimension::CostSource => words(|word| CostSource::from_name(word).map(Code::code)),
    }
}
