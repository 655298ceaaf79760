//! Sums, grouped: from the rollup where it has the answer, else from the records.

mod pass;

use domain::{
    query::{Dimension, Filter, Group, UsageQuery},
    usage_record::{CostSource, Status},
};
use jiff::Timestamp;
use rusqlite::{params_from_iter, types::Value};

use super::{
    codes::Code as _,
    columns::{Columns, DAY_MS, damaged, first_ms_from},
    condition::Conditions,
    filter::{self, Part},
    readers::ReadTx,
    sealed,
    source::Source,
};
use crate::StoreError;

/// Answers `queries`; those about the same records share a pass over them.
pub(super) fn aggregate(tx: &mut ReadTx<'_>, queries: &[UsageQuery]) -> Result<Vec<Vec<Group>>, StoreError> {
    let mut passes: Vec<(&Filter, Source, Vec<usize>)> = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let (filter, source) = (&query.filter, source_of(query));
        match passes.iter_mut().find(|pass| pass.1 == source && pass.0 == filter) {
            Some((.., indexes)) => indexes.push(index),
            None => passes.push((filter, source, vec![index])),
        }
    }
    let mut answers = vec![Vec::new(); queries.len()];
    for (filter, source, indexes) in passes {
        let asked = indexes.iter().filter_map(|index| queries.get(*index));
        for (index, groups) in indexes.iter().zip(pass::read(tx, filter, source, asked)?) {
            answers[*index] = groups;
        }
    }
    Ok(answers)
}

/// That a record is not before the first point in time; `None` if there is no point that it could be in.
pub(super) fn in_timeline(query: &UsageQuery, source: Source) -> Option<Conditions> {
    let mut conditions = Conditions::default();
    if let Some(starts) = &query.buckets {
        conditions.and(source.starts_at(), [Value::Integer(source.time(*starts.first()?))]);
    }
    Some(conditions)
}

/// How many records `filter` finds.
pub(super) fn count(tx: &ReadTx<'_>, filter: &Filter) -> Result<u64, StoreError> {
    // Sums outlive records.
    let source = match sealed::records_from(tx, filter)? {
        Some(_) => Source::Records,
        None => source_of(&UsageQuery { filter: filter.clone(), buckets: None, group_by: Vec::new() }),
    };
    let count = match source {
        Source::Records => "count(*)",
        Source::Rollup => "coalesce(sum(r.requests), 0)",
    };
    let mut total = 0;
    for Part { table, conditions } in filter::parts(tx.connection, filter, source, &Conditions::default())? {
        let sql = format!("select {count} from {table} {}", conditions.sql());
        let mut statement = tx.connection.prepare_cached(&sql)?;
        let part: i64 = statement.query_row(params_from_iter(conditions.parameters()), |row| row.get(0))?;
        total += part.unsigned_abs();
    }
    Ok(total)
}

/// The rollup has the answer when every bound is a UTC midnight and nothing is asked that it has no column for.
fn source_of(UsageQuery { filter, buckets, group_by }: &UsageQuery) -> Source {
    let has_column = |dimension: &Dimension| Source::Rollup.column(*dimension).is_some();
    let is_bound = |at: Timestamp| at == Timestamp::MIN || at == Timestamp::MAX || is_midnight(at);
    let has_answer = group_by.iter().all(has_column)
        && filter.selections.keys().all(has_column)
        && filter.search.as_deref().is_none_or(|words| words.trim().is_empty())
        && is_bound(filter.period.start)
        && is_bound(filter.period.end)
        && buckets.iter().flatten().all(|start| is_midnight(*start));
    if has_answer { Source::Rollup } else { Source::Records }
}

fn is_midnight(at: Timestamp) -> bool {
    first_ms_from(at).rem_euclid(DAY_MS) == 0 && at.subsec_nanosecond() == 0
}

/// What a group is about: the index of its point in time and the numbers of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct GroupKey {
    bucket: Option<usize>,
    values: Vec<Option<i64>>,
}

/// Starts of the points in time, as the source has them.
pub(super) fn starts(query: &UsageQuery, source: Source) -> Option<Vec<i64>> {
    query.buckets.as_ref().map(|starts| starts.iter().map(|start| source.time(*start)).collect())
}

/// The time, the dimensions, and `figures`; a row for each tag where tags are among them.
pub(super) fn select(
    query: &UsageQuery,
    source: Source,
    Part { table, conditions }: &Part,
    figures: &'static str,
) -> Result<String, StoreError> {
    let mut columns = vec![source.time_column()];
    for dimension in &query.group_by {
        columns.push(match (source, dimension) {
            (Source::Records, Dimension::Tag) => "m.tag_id",
            _ => column(source, *dimension)?,
        });
    }
    columns.push(figures);
    let has_tags = query.group_by.contains(&Dimension::Tag);
    let tags = if has_tags { "left join tag_set_member m on m.set_id = r.tag_set" } else { "" };
    Ok(format!("select {} from {table} {tags} {}", columns.join(", "), conditions.sql()))
}

fn column(source: Source, dimension: Dimension) -> Result<&'static str, StoreError> {
    source.column(dimension).ok_or_else(|| damaged("a sum lacks a dimension"))
}

impl GroupKey {
    /// Reads which group a row belongs to.
    pub(super) fn read(
        &mut self,
        columns: &mut Columns<'_>,
        query: &UsageQuery,
        source: Source,
        starts: Option<&[i64]>,
    ) -> Result<(), StoreError> {
        let time: i64 = columns.next()?;
        // Nothing before the first start was selected, so there is always one before the one after.
        self.bucket = starts.map(|starts| starts.partition_point(|start| *start <= time).saturating_sub(1));
        self.values.clear();
        for _ in &query.group_by {
            // The rollup says 0 for none, which is no number of the dictionary; a code may be 0.
            let value: Option<i64> = columns.next()?;
            self.values.push(value.filter(|value| source == Source::Records || *value != 0));
        }
        Ok(())
    }

    /// Start of its point in time, and its values.
    pub(super) fn name(
        self,
        tx: &mut ReadTx<'_>,
        query: &UsageQuery,
    ) -> Result<(Option<Timestamp>, Vec<Option<String>>), StoreError> {
        let mut keys = Vec::with_capacity(self.values.len());
        for (dimension, number) in query.group_by.iter().zip(self.values) {
            keys.push(number.map(|number| name_value(tx, *dimension, number)).transpose()?);
        }
        let start = |index: usize| query.buckets.as_ref()?.get(index).copied();
        Ok((self.bucket.and_then(start), keys))
    }
}

fn name_value(tx: &mut ReadTx<'_>, dimension: Dimension, number: i64) -> Result<String, StoreError> {
    match dimension {
        Dimension::Status => Status::of_code(number).map(|status| status.as_str().to_owned()),
        Dimension::CostSource => CostSource::of_code(number).map(|source| source.as_str().to_owned()),
        _ => tx.names.value(tx.connection, number).map(|value| value.to_string()),
    }
}
