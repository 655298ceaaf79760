//! Exact percentiles of how long calls took.

use std::collections::{BTreeMap, HashMap};

use domain::query::{Filter, UsageQuery};
use rusqlite::params_from_iter;

use super::{
    aggregate::{self, GroupKey},
    columns::Columns,
    filter::{self, Part},
    readers::ReadTx,
    source::Source,
};
use crate::{DurationGroup, LatencyPercentiles, StoreError, limits};

/// What is read of a record `r`.
const DURATIONS: &str = "r.response_time_ms, r.time_to_first_token_ms";

/// How many calls took how many milliseconds.
type Counts = BTreeMap<u64, u64>;

/// Answers for all the records that `filter` finds.
pub(super) fn percentiles(tx: &mut ReadTx<'_>, filter: &Filter) -> Result<LatencyPercentiles, StoreError> {
    let whole = UsageQuery { filter: filter.clone(), buckets: None, group_by: Vec::new() };
    Ok(durations(tx, &whole)?.pop().map(|group| group.response).unwrap_or_default())
}

/// Answers for each group of `query` that has calls whose duration is known.
pub(super) fn durations(tx: &mut ReadTx<'_>, query: &UsageQuery) -> Result<Vec<DurationGroup>, StoreError> {
    let Some(mut conditions) = aggregate::in_timeline(query, Source::Records) else { return Ok(Vec::new()) };
    conditions.and("(r.response_time_ms is not null or r.time_to_first_token_ms is not null)", []);
    let mut timed = Timed { groups: HashMap::new(), room: limits::DURATIONS_MAX };
    for part in filter::parts(tx.connection, &query.filter, Source::Records, &conditions)? {
        add_part(tx, query, &part, &mut timed)?;
    }
    let mut named = timed
        .groups
        .into_iter()
        .map(|(key, [response, first_token])| {
            let (bucket, keys) = key.name(tx, query)?;
            let (response, first_token) = (percentiles_of(&response), percentiles_of(&first_token));
            Ok(DurationGroup { bucket, keys, response, first_token })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    named.sort_by(|a, b| a.bucket.cmp(&b.bucket).then_with(|| a.keys.cmp(&b.keys)));
    Ok(named)
}

/// The durations so far: of responses, and up to their first token.
#[derive(Debug)]
struct Timed {
    groups: HashMap<GroupKey, [Counts; 2]>,
    /// How many more different durations may be kept, of all groups together.
    room: usize,
}

impl Timed {
    fn add(&mut self, key: &GroupKey, durations: [Option<u64>; 2]) -> Result<(), StoreError> {
        if !self.groups.contains_key(key) {
            self.groups.insert(key.clone(), [Counts::new(), Counts::new()]);
        }
        let Some(counts) = self.groups.get_mut(key) else { return Ok(()) };
        for (counts, duration) in counts.iter_mut().zip(durations) {
            let Some(duration) = duration else { continue };
            let before = counts.len();
            *counts.entry(duration).or_default() += 1;
            let is_new = counts.len() - before;
            let too_many = || StoreError::TooManyGroups(limits::DURATIONS_MAX);
            self.room = self.room.checked_sub(is_new).ok_or_else(too_many)?;
        }
        Ok(())
    }
}

fn add_part(tx: &ReadTx<'_>, query: &UsageQuery, part: &Part, timed: &mut Timed) -> Result<(), StoreError> {
    let starts = aggregate::starts(query, Source::Records);
    let sql = aggregate::select(query, Source::Records, part, DURATIONS)?;
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(part.conditions.parameters()))?;
    let mut key = GroupKey::default();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        key.read(&mut columns, query, Source::Records, starts.as_deref())?;
        timed.add(&key, [columns.next_count()?, columns.next_count()?])?;
    }
    Ok(())
}

fn percentiles_of(counts: &Counts) -> LatencyPercentiles {
    let count: u64 = counts.values().sum();
    let percentile = |percent| nearest_rank(counts, count, percent);
    LatencyPercentiles { count, p50: percentile(50), p95: percentile(95), p99: percentile(99) }
}

/// The smallest duration that at least `percent` of `total` calls did not exceed.
fn nearest_rank(counts: &Counts, total: u64, percent: u64) -> Option<u64> {
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    counts.iter().find_map(|(duration, count)| {
        seen += count;
        (seen >= rank).then_some(*duration)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_durations_than_there_is_room_for_are_refused_and_known_ones_still_counted() {
        let mut timed = Timed { groups: HashMap::new(), room: 2 };
        let key = GroupKey::default();
        for durations in [[Some(5), None], [Some(5), Some(1)], [None, Some(1)]] {
            timed.add(&key, durations).unwrap();
        }
        assert!(matches!(timed.add(&key, [Some(6), None]), Err(StoreError::TooManyGroups(_))));
        assert_eq!(timed.groups[&key], [Counts::from([(5, 2), (6, 1)]), Counts::from([(1, 2)])]);
    }
}
