//! Exact percentiles of the response time.

use std::collections::BTreeMap;

use domain::query::Filter;
use rusqlite::params_from_iter;

use super::{
    columns::{Columns, damaged},
    condition::Conditions,
    filter::{self, Part},
    readers::ReadTx,
    source::Source,
};
use crate::{LatencyPercentiles, StoreError};

/// Answers for the records that `filter` finds.
pub(super) fn percentiles(tx: &ReadTx<'_>, filter: &Filter) -> Result<LatencyPercentiles, StoreError> {
    let counts = count_by_duration(tx, filter)?;
    let total: u64 = counts.values().sum();
    Ok(LatencyPercentiles {
        p50: nearest_rank(&counts, total, 50),
        p95: nearest_rank(&counts, total, 95),
        p99: nearest_rank(&counts, total, 99),
    })
}

/// How many calls took how many milliseconds.
fn count_by_duration(tx: &ReadTx<'_>, filter: &Filter) -> Result<BTreeMap<u64, u64>, StoreError> {
    let mut is_timed = Conditions::default();
    is_timed.and("r.response_time_ms is not null", []);
    let mut counts = BTreeMap::new();
    for Part { table, conditions } in filter::parts(tx.connection, filter, Source::Records, &is_timed)? {
        let sql = format!("select r.response_time_ms from {table} {}", conditions.sql());
        let mut statement = tx.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(conditions.parameters()))?;
        while let Some(row) = rows.next()? {
            let duration = Columns::of(row).next_count()?.ok_or_else(|| damaged("a duration is missing"))?;
            *counts.entry(duration).or_default() += 1;
        }
    }
    Ok(counts)
}

/// The smallest duration that at least `percent` of `total` calls did not exceed.
fn nearest_rank(counts: &BTreeMap<u64, u64>, total: u64, percent: u64) -> Option<u64> {
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    counts.iter().find_map(|(duration, count)| {
        seen += count;
        (seen >= rank).then_some(*duration)
    })
}
