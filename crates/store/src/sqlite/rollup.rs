//! Sums of every UTC day, kept in the transaction that keeps the records.

use std::{collections::HashMap, fmt};

use domain::totals::{Totals, TotalsOverflow};
use rusqlite::Connection;

use super::{
    columns::{Columns, DAY_MS},
    sealed::Sealed,
    sums,
};
use crate::StoreError;

const ADD: &str = "
    insert into usage_rollup
           (day, project, user, provider, model, cost_source,
            requests, errors, unpriced, cost_nanos, list_cost_nanos, cache_savings_nanos,
            tokens, priced_tokens, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
        on conflict do update
       set requests            = requests            + excluded.requests,
           errors              = errors              + excluded.errors,
           unpriced            = unpriced            + excluded.unpriced,
           cost_nanos          = cost_nanos          + excluded.cost_nanos,
           list_cost_nanos     = list_cost_nanos     + excluded.list_cost_nanos,
           cache_savings_nanos = cache_savings_nanos + excluded.cache_savings_nanos,
           tokens              = tokens              + excluded.tokens,
           priced_tokens       = priced_tokens       + excluded.priced_tokens,
           input_tokens        = input_tokens        + excluded.input_tokens,
           output_tokens       = output_tokens       + excluded.output_tokens,
           cache_read_tokens   = cache_read_tokens   + excluded.cache_read_tokens,
           cache_write_tokens  = cache_write_tokens  + excluded.cache_write_tokens";

const DELETE_EMPTY: &str = "
    delete from usage_rollup
     where day = ?1 and project = ?2 and user = ?3 and provider = ?4 and model = ?5 and cost_source = ?6
       and requests = 0";

const DELETE_UNSEALED: &str = "
    delete from usage_rollup
     where not exists (select 1 from sealed
                        where sealed.project = usage_rollup.project and usage_rollup.day < sealed.day)";

const LIST_DAY: &str = "
    select r.day, r.project, r.user, r.provider, r.model, r.cost_source,
           r.requests, r.errors, r.unpriced, r.cost_nanos, r.list_cost_nanos, r.cache_savings_nanos,
           r.tokens, r.priced_tokens, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens
      from usage_rollup r
     where r.day = ?1";
const FIRST_DAY: &str = "select min(day) from usage_rollup where day >= ?1";
const FIRST_INSTANT: &str = "select min(occurred_at_ms) from usage_record where occurred_at_ms >= ?1";
const LIST_RECORDS: &str = "
    select ?1, coalesce(r.project, 0), r.user, r.provider, r.model, r.cost_source,
           r.status, r.cost_nanos, r.list_cost_nanos, r.cache_savings_nanos,
           r.input_tokens, r.output_tokens, r.total_tokens, r.cache_read_tokens, r.cache_write_tokens
      from usage_record r indexed by usage_record_by_time
     where r.occurred_at_ms >= ?2 and r.occurred_at_ms < ?3";

/// What a row of the rollup is about; numbers of the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// Days since the epoch, UTC.
    pub(super) day: i64,
    /// 0 is none.
    pub(super) project: i64,
    pub(super) user: i64,
    pub(super) provider: i64,
    pub(super) model: i64,
    /// 0 where it is not known: the sum is older than this part of the key, and its records are gone.
    pub(super) cost_source: i64,
}

impl Key {
    /// The key from the next columns of a row.
    pub(super) fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            day: columns.next()?,
            project: columns.next()?,
            user: columns.next()?,
            provider: columns.next()?,
            model: columns.next()?,
            cost_source: columns.next()?,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, project, user, provider, model, cost_source } = self;
        write!(
            f,
            "day {day}, project {project}, user {user}, provider {provider}, model {model}, source {cost_source}"
        )
    }
}

/// What a write adds to the rollup and takes from it.
#[derive(Debug, Default)]
pub(super) struct Change(HashMap<Key, [i64; sums::COLUMNS]>);

impl Change {
    /// Adds a record's totals.
    pub(super) fn add(&mut self, key: Key, totals: &Totals) -> Result<(), StoreError> {
        self.combine(key, totals, i64::checked_add)
    }

    /// Takes a record's totals away.
    pub(super) fn subtract(&mut self, key: Key, totals: &Totals) -> Result<(), StoreError> {
        self.combine(key, totals, i64::checked_sub)
    }

    /// Writes the change, one row at a time; rows without records vanish.
    pub(super) fn apply(self, connection: &Connection) -> Result<(), StoreError> {
        let mut rows: Vec<_> = self.0.into_iter().filter(|(_, sums)| *sums != [0; sums::COLUMNS]).collect();
        rows.sort_unstable();
        let mut add = connection.prepare_cached(ADD)?;
        let mut delete_empty = connection.prepare_cached(DELETE_EMPTY)?;
        for (key, sums) in rows {
            let keys = [key.day, key.project, key.user, key.provider, key.model, key.cost_source];
            add.execute(rusqlite::params_from_iter(keys.iter().chain(&sums)))?;
            if sums[0] < 0 {
                delete_empty.execute(keys)?;
            }
        }
        Ok(())
    }

    fn combine(
        &mut self,
        key: Key,
        totals: &Totals,
        with: impl Fn(i64, i64) -> Option<i64>,
    ) -> Result<(), StoreError> {
        let sums = self.0.entry(key).or_default();
        for (sum, part) in sums.iter_mut().zip(sums::to_columns(totals)?) {
            *sum = with(*sum, part).ok_or(TotalsOverflow)?;
        }
        Ok(())
    }
}

/// The UTC day of an instant.
pub(super) const fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// The rows of a day.
pub(super) fn list_day(connection: &Connection, day: i64) -> Result<Vec<(Key, Totals)>, StoreError> {
    let mut statement = connection.prepare_cached(LIST_DAY)?;
    let mut rows = statement.query([day])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        list.push((Key::read(&mut columns)?, sums::read_rollup(&mut columns)?));
    }
    Ok(list)
}

/// The first day that has records or a row.
pub(super) fn first_day(connection: &Connection) -> Result<Option<i64>, StoreError> {
    first_day_from(connection, i64::MIN / DAY_MS)
}

/// The first day, from `day` on, that has records or a row.
pub(super) fn first_day_from(connection: &Connection, day: i64) -> Result<Option<i64>, StoreError> {
    let kept: Option<i64> = connection.prepare_cached(FIRST_DAY)?.query_row([day], |row| row.get(0))?;
    let at_ms: Option<i64> =
        connection.prepare_cached(FIRST_INSTANT)?.query_row([day * DAY_MS], |row| row.get(0))?;
    Ok([kept, at_ms.map(day_of)].into_iter().flatten().min())
}

/// Makes the rollup anew, day by day, so that no more than the groups of a day are in memory. What is sealed stays: its
/// records are not there to make it from.
pub(super) fn rebuild(connection: &Connection) -> Result<(), StoreError> {
    let sealed = Sealed::load(connection)?;
    connection.execute(DELETE_UNSEALED, [])?;
    let mut next = first_day(connection)?;
    while let Some(day) = next {
        let mut change = sum_day(connection, day)?;
        change.0.retain(|key, _| !sealed.covers(key));
        change.apply(connection)?;
        next = first_day_from(connection, day + 1)?;
    }
    Ok(())
}

fn sum_day(connection: &Connection, day: i64) -> Result<Change, StoreError> {
    let mut change = Change::default();
    let mut statement = connection.prepare_cached(LIST_RECORDS)?;
    let mut rows = statement.query([day, day * DAY_MS, (day + 1) * DAY_MS])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let key = Key::read(&mut columns)?;
        change.add(key, &sums::read_record(&mut columns)?)?;
    }
    Ok(change)
}
