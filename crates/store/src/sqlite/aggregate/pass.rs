//! One pass over what a filter finds, for everything that is asked about it.

use std::{cmp::Reverse, collections::HashMap, mem};

use domain::{
    query::{Dimension, Filter, Group, UsageQuery},
    totals::Totals,
};
use rusqlite::{Connection, params_from_iter};

use super::{GroupKey, column, in_timeline, starts};
use crate::{
    StoreError, limits,
    sqlite::{
        columns::Columns,
        condition::Conditions,
        filter::{self, Part},
        readers::ReadTx,
        source::Source,
        sums,
    },
};

const TAGS_OF_SET: &str = "select tag_id from tag_set_member where set_id = ?1";

/// Answers every one of `queries`, whose filter and source are these.
pub(super) fn read<'a>(
    tx: &mut ReadTx<'_>,
    filter: &Filter,
    source: Source,
    queries: impl Iterator<Item = &'a UsageQuery>,
) -> Result<Vec<Vec<Group>>, StoreError> {
    let mut pass = Pass { source, dimensions: Vec::new(), asked: Vec::new() };
    queries.for_each(|query| pass.ask(query));
    let more = match pass.asked.as_slice() {
        [only] => in_timeline(only.query, source),
        _ => Some(Conditions::default()),
    };
    if let Some(more) = more {
        for part in filter::parts(tx.connection, filter, source, &more)? {
            pass.add_part(tx.connection, &part)?;
        }
    }
    pass.asked.into_iter().map(|asked| asked.answer(tx)).collect()
}

struct Pass<'a> {
    source: Source,
    /// Those of every question, each once.
    dimensions: Vec<Dimension>,
    asked: Vec<Asked<'a>>,
}

impl<'a> Pass<'a> {
    fn ask(&mut self, query: &'a UsageQuery) {
        let mut places = Vec::with_capacity(query.group_by.len());
        for dimension in &query.group_by {
            let known = self.dimensions.iter().position(|known| known == dimension);
            places.push(known.unwrap_or(self.dimensions.len()));
            if known.is_none() {
                self.dimensions.push(*dimension);
            }
        }
        self.asked.push(Asked {
            query,
            starts: starts(query, self.source),
            places,
            key: GroupKey::default(),
            tag_at: query.group_by.iter().position(|dimension| *dimension == Dimension::Tag),
            by_set: HashMap::new(),
            groups: Groups { sums: HashMap::new(), max: limits::GROUPS_MAX },
        });
    }

    /// Groups here and not in SQL, where every row would first go through a sort.
    fn add_part(&mut self, connection: &Connection, part: &Part) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(&self.select(part)?)?;
        let mut rows = statement.query(params_from_iter(part.conditions.parameters()))?;
        let mut values = vec![None; self.dimensions.len()];
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let time = columns.next()?;
            for value in &mut values {
                // The rollup says 0 for none, which is no number of the dictionary; a code may be 0.
                *value = columns
                    .next::<Option<i64>>()?
                    .filter(|value| self.source == Source::Records || *value != 0);
            }
            let totals = match self.source {
                Source::Records => sums::read_record(&mut columns)?,
                Source::Rollup => sums::read_rollup(&mut columns)?,
            };
            for asked in &mut self.asked {
                asked.add(connection, time, &values, totals)?;
            }
        }
        Ok(())
    }

    /// The time, the dimensions (of tags, the set), and the sums.
    fn select(&self, Part { table, conditions }: &Part) -> Result<String, StoreError> {
        let mut columns = vec![self.source.time_column()];
        for dimension in &self.dimensions {
            columns.push(column(self.source, *dimension)?);
        }
        columns.push(match self.source {
            Source::Records => sums::OF_RECORD,
            Source::Rollup => sums::OF_ROLLUP,
        });
        Ok(format!("select {} from {table} {}", columns.join(", "), conditions.sql()))
    }
}

/// A question, and its groups so far.
struct Asked<'a> {
    query: &'a UsageQuery,
    starts: Option<Vec<i64>>,
    /// Where in a row each of its dimensions is.
    places: Vec<usize>,
    key: GroupKey,
    /// Which of its dimensions is tags.
    tag_at: Option<usize>,
    /// Groups by sets of tags, which are split by their tags in the end: records are many, sets are few.
    by_set: HashMap<GroupKey, Totals>,
    groups: Groups,
}

impl Asked<'_> {
    fn add(
        &mut self,
        connection: &Connection,
        time: i64,
        values: &[Option<i64>],
        totals: Totals,
    ) -> Result<(), StoreError> {
        if let Some(starts) = &self.starts {
            let after = starts.partition_point(|start| *start <= time);
            let Some(index) = after.checked_sub(1) else { return Ok(()) };
            self.key.bucket = Some(index);
        }
        self.key.values.clear();
        self.key.values.extend(self.places.iter().map(|place| values.get(*place).copied().flatten()));
        if self.tag_at.is_none() {
            return self.groups.add(&self.key, totals);
        }
        if let Some(sum) = self.by_set.get_mut(&self.key) {
            *sum = sum.checked_add(totals)?;
            return Ok(());
        }
        if self.by_set.len() >= limits::GROUPS_MAX {
            self.split_sets(connection)?;
        }
        self.by_set.insert(self.key.clone(), totals);
        Ok(())
    }

    /// Adds what is summed by sets of tags to the groups of each of their tags.
    fn split_sets(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(at) = self.tag_at else { return Ok(()) };
        let mut find = connection.prepare_cached(TAGS_OF_SET)?;
        for (mut key, totals) in mem::take(&mut self.by_set) {
            let Some(set) = key.values[at] else {
                self.groups.add(&key, totals)?;
                continue;
            };
            let mut tags = find.query([set])?;
            while let Some(tag) = tags.next()? {
                key.values[at] = tag.get(0)?;
                self.groups.add(&key, totals)?;
            }
        }
        Ok(())
    }

    /// Its groups in their order, by name.
    fn answer(mut self, tx: &mut ReadTx<'_>) -> Result<Vec<Group>, StoreError> {
        self.split_sets(tx.connection)?;
        let named = self.groups.sums.into_iter().map(|(key, totals)| {
            let (bucket, keys) = key.name(tx, self.query)?;
            Ok(Group { bucket, keys, totals })
        });
        let mut named = named.collect::<Result<Vec<_>, StoreError>>()?;
        named.sort_by(|a, b| {
            let order = |group: &Group| (group.bucket, Reverse(group.totals.cost));
            order(a).cmp(&order(b)).then_with(|| a.keys.cmp(&b.keys))
        });
        Ok(named)
    }
}

/// The groups so far.
#[derive(Debug)]
struct Groups {
    sums: HashMap<GroupKey, Totals>,
    max: usize,
}

impl Groups {
    fn add(&mut self, key: &GroupKey, totals: Totals) -> Result<(), StoreError> {
        if let Some(sum) = self.sums.get_mut(key) {
            *sum = sum.checked_add(totals)?;
        } else if self.sums.len() < self.max {
            self.sums.insert(key.clone(), totals);
        } else {
            return Err(StoreError::TooManyGroups(self.max));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_groups_are_refused_and_known_ones_still_added_to() {
        let key = |n| GroupKey { bucket: Some(n), values: vec![None] };
        let one = Totals { requests: 1, ..Totals::default() };
        let mut groups = Groups { sums: HashMap::new(), max: 2 };
        for n in [1, 2, 1] {
            groups.add(&key(n), one).unwrap();
        }
        assert!(matches!(groups.add(&key(3), one), Err(StoreError::TooManyGroups(2))));
        assert_eq!(groups.sums[&key(1)].requests, 2);
    }
}
