//! Sums of every UTC day, kept in the transaction that keeps the records.

use std::{collections::HashMap, fmt};

use domain::totals::{Totals, TotalsOverflow};
use pricing::Money;
use rusqlite::Connection;

use super::columns::{Columns, DAY_MS, damaged};
use crate::StoreError;

/// Columns of sums.
pub(super) const SUMS: usize = 11;

const ADD: &str = "
    insert into usage_rollup
           (day, project, user, provider, model,
            requests, errors, unpriced, cost_nanos, list_cost_nanos, cache_savings_nanos,
            tokens, priced_tokens, input_tokens, output_tokens, cache_read_tokens)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
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
           cache_read_tokens   = cache_read_tokens   + excluded.cache_read_tokens";

const DELETE_EMPTY: &str = "
    delete from usage_rollup
     where day = ?1 and project = ?2 and user = ?3 and provider = ?4 and model = ?5 and requests = 0";

/// The sums over records, in the order of the rollup's columns.
macro_rules! sums_of_records {
    () => {
        "count(*), coalesce(sum(r.status = 1), 0), coalesce(sum(r.cost_nanos is null), 0),
         coalesce(sum(r.cost_nanos), 0), coalesce(sum(r.list_cost_nanos), 0), coalesce(sum(r.cache_savings_nanos), 0),
         coalesce(sum(coalesce(r.input_tokens + r.output_tokens, r.input_tokens, r.output_tokens, r.total_tokens)), 0),
         coalesce(sum(case when r.cost_nanos is not null then
             coalesce(r.input_tokens + r.output_tokens, r.input_tokens, r.output_tokens, r.total_tokens) end), 0),
         coalesce(sum(r.input_tokens), 0), coalesce(sum(r.output_tokens), 0), coalesce(sum(r.cache_read_tokens), 0)"
    };
}

pub(super) const SUMS_OF_RECORDS: &str = sums_of_records!();
pub(super) const SUMS_OF_ROLLUP: &str = "
    coalesce(sum(r.requests), 0), coalesce(sum(r.errors), 0), coalesce(sum(r.unpriced), 0),
    coalesce(sum(r.cost_nanos), 0), coalesce(sum(r.list_cost_nanos), 0), coalesce(sum(r.cache_savings_nanos), 0),
    coalesce(sum(r.tokens), 0), coalesce(sum(r.priced_tokens), 0),
    coalesce(sum(r.input_tokens), 0), coalesce(sum(r.output_tokens), 0), coalesce(sum(r.cache_read_tokens), 0)";

const LIST_DAY: &str = "
    select day, project, user, provider, model,
           requests, errors, unpriced, cost_nanos, list_cost_nanos, cache_savings_nanos,
           tokens, priced_tokens, input_tokens, output_tokens, cache_read_tokens
      from usage_rollup
     where day = ?1";
const FIRST_DAY: &str = "select min(day) from usage_rollup where day >= ?1";
const FIRST_INSTANT: &str = "select min(occurred_at_ms) from usage_record where occurred_at_ms >= ?1";
const REBUILD_DAY: &str = concat!(
    "insert into usage_rollup
     select ?1, coalesce(r.project, 0), r.user, r.provider, r.model, ",
    sums_of_records!(),
    " from usage_record r indexed by usage_record_by_time
      where r.occurred_at_ms >= ?2 and r.occurred_at_ms < ?3
      group by 2, 3, 4, 5"
);

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
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, project, user, provider, model } = self;
        write!(f, "day {day}, project {project}, user {user}, provider {provider}, model {model}")
    }
}

/// What a write adds to the rollup and takes from it.
#[derive(Debug, Default)]
pub(super) struct Change(HashMap<Key, [i64; SUMS]>);

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
        let mut rows: Vec<_> = self.0.into_iter().filter(|(_, sums)| *sums != [0; SUMS]).collect();
        rows.sort_unstable();
        let mut add = connection.prepare_cached(ADD)?;
        let mut delete_empty = connection.prepare_cached(DELETE_EMPTY)?;
        for (key, sums) in rows {
            let keys = [key.day, key.project, key.user, key.provider, key.model];
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
        for (sum, part) in sums.iter_mut().zip(sums_of(totals)?) {
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
        list.push((Key::read(&mut columns)?, read_totals(&mut columns)?));
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

/// Makes the rollup anew, day by day, so that no more than the groups of a day are in memory.
pub(super) fn rebuild(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("delete from usage_rollup", [])?;
    let mut next = first_day(connection)?;
    while let Some(day) = next {
        connection.prepare_cached(REBUILD_DAY)?.execute([day, day * DAY_MS, (day + 1) * DAY_MS])?;
        next = first_day_from(connection, day + 1)?;
    }
    Ok(())
}

/// Totals from the next columns of a row, in the order of the rollup's.
pub(super) fn read_totals(columns: &mut Columns<'_>) -> Result<Totals, StoreError> {
    let count = |columns: &mut Columns<'_>| columns.next_count()?.ok_or_else(|| damaged("a sum is missing"));
    let money = |columns: &mut Columns<'_>| columns.next().map(Money::from_nanos);
    Ok(Totals {
        requests: count(columns)?,
        errors: count(columns)?,
        unpriced: count(columns)?,
        cost: money(columns)?,
        list_cost: money(columns)?,
        cache_savings: money(columns)?,
        tokens: count(columns)?,
        priced_tokens: count(columns)?,
        input_tokens: count(columns)?,
        output_tokens: count(columns)?,
        cache_read_tokens: count(columns)?,
    })
}

fn sums_of(totals: &Totals) -> Result<[i64; SUMS], StoreError> {
    let count = |count| i64::try_from(count).map_err(|_| TotalsOverflow);
    Ok([
        count(totals.requests)?,
        count(totals.errors)?,
        count(totals.unpriced)?,
        totals.cost.nanos(),
        totals.list_cost.nanos(),
        totals.cache_savings.nanos(),
        count(totals.tokens)?,
        count(totals.priced_tokens)?,
        count(totals.input_tokens)?,
        count(totals.output_tokens)?,
        count(totals.cache_read_tokens)?,
    ])
}
