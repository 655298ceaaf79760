//! Whether what is derived agrees with the records.
//!
//! It goes day by day, which bounds what is in memory, however many records there are.

use std::collections::HashMap;

use domain::{
    totals::Totals,
    usage_record::{CostSource, UsageRecord},
};
use rusqlite::Connection;

use super::{
    columns::DAY_MS,
    keys,
    names::Names,
    record::{self, Kept},
    rollup::{self, Key},
    sealed::Sealed,
};
use crate::{StoreError, Verification, limits};

const CHECK_PAGES: &str = "pragma quick_check(100)";
const COUNT_TAG_SETS: &str = "
    select count(*)
      from tag_set
     where json_array_length(tags) <> (select count(*)
                                         from tag_set_member
                                         join dimension_value on dimension_value.id = tag_id
                                        where set_id = tag_set.id)";
const COUNT_CONTENTS: &str =
    "select count(*) from usage_content where seq not in (select seq from usage_record)";

/// Compares everything that is derived, as of one moment.
pub(super) fn verify(connection: &Connection) -> Result<Verification, StoreError> {
    // With no memory of earlier answers: what is gone from the database must be missed.
    let mut verifying = Verifying {
        connection,
        names: Names::default(),
        sealed: Sealed::load(connection)?,
        found: Verification::default(),
    };
    verifying.pages()?;
    verifying.count(COUNT_TAG_SETS, "sets of tags lack a member")?;
    verifying.count(COUNT_CONTENTS, "prompts and completions belong to no record")?;
    let mut next = rollup::first_day(connection)?;
    while let Some(day) = next {
        verifying.day(day)?;
        next = rollup::first_day_from(connection, day + 1)?;
    }
    Ok(verifying.found)
}

struct Verifying<'a> {
    connection: &'a Connection,
    names: Names,
    sealed: Sealed,
    found: Verification,
}

impl Verifying<'_> {
    fn differ(&mut self, difference: impl FnOnce() -> String) {
        self.found.difference_count += 1;
        if self.found.differences.len() < limits::DIFFERENCES_MAX {
            self.found.differences.push(difference());
        }
    }

    fn pages(&mut self) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(CHECK_PAGES)?;
        let problems = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        problems.into_iter().filter(|problem| problem != "ok").for_each(|problem| self.differ(|| problem));
        Ok(())
    }

    fn count(&mut self, sql: &str, what: &str) -> Result<(), StoreError> {
        let count: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        if count > 0 {
            self.differ(|| format!("{count} {what}"));
        }
        Ok(())
    }

    /// Compares the rollup of a day with its records, and each of these with its parts.
    fn day(&mut self, day: i64) -> Result<(), StoreError> {
        let mut sums: HashMap<Key, Totals> = HashMap::new();
        let mut statement = self.connection.prepare_cached(record::LIST_BY_TIME)?;
        let mut rows = statement.query([day * DAY_MS, (day + 1) * DAY_MS])?;
        while let Some(row) = rows.next()? {
            self.found.records += 1;
            match record::read(row, self.connection, &mut self.names) {
                Ok(kept) => {
                    let sum = sums.entry(kept.rollup_key).or_default();
                    *sum = sum.checked_add(Totals::of(&kept.record))?;
                    self.record(&kept)?;
                }
                Err(StoreError::Damaged(why)) => self.differ(|| format!("a record cannot be read: {why}")),
                Err(error) => return Err(error),
            }
        }
        self.rollup(day, sums)
    }

    fn rollup(&mut self, day: i64, mut sums: HashMap<Key, Totals>) -> Result<(), StoreError> {
        for (key, kept) in rollup::list_day(self.connection, day)? {
            self.found.rollup_rows += 1;
            let summed = sums.remove(&key).unwrap_or_default();
            if self.sealed.covers(&key) {
                self.found.sealed_rows += 1;
                if summed.requests > kept.requests || summed.tokens > kept.tokens {
                    self.differ(|| {
                        format!("{key}: the rollup has {kept:?}, the records left add up to {summed:?}")
                    });
                }
            } else if summed != kept {
                self.differ(|| format!("{key}: the rollup has {kept:?}, its records add up to {summed:?}"));
            }
        }
        for (key, summed) in sums {
            self.differ(|| format!("{key}: the rollup has nothing, its records add up to {summed:?}"));
        }
        Ok(())
    }

    fn record(&mut self, kept: &Kept) -> Result<(), StoreError> {
        let UsageRecord { id, cost, cost_source, list_cost, cache_savings, .. } = &kept.record;
        if kept.record.price.is_some() && list_cost.is_some() {
            let computed = kept.record.explain().map(|cost| (cost.total, cost.cache_savings));
            if computed != list_cost.zip(*cache_savings) {
                self.differ(|| {
                    format!("record {id}: its list cost is {list_cost:?}, its price gives {computed:?}")
                });
            }
        }
        if *cost_source == CostSource::Catalog && cost != list_cost {
            self.differ(|| format!("record {id}: its cost is {cost:?}, its list cost is {list_cost:?}"));
        }
        for key in kept.record.keys() {
            if keys::find(self.connection, kept.rollup_key.user, key)? != Some(*id) {
                self.differ(|| format!("record {id}: its key {key} is not known"));
            }
        }
        Ok(())
    }
}
