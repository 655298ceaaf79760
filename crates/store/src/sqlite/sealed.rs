//! Days whose records may be deleted while their sums stay, and the deleting.

use std::collections::HashMap;

use domain::{Interval, ProjectId, query::Filter};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    columns::{DAY_MS, first_ms_from, instant},
    dictionary::{self, Kind},
    kept, outbox,
    readers::ReadTx,
    rollup::{self, day_of},
    scope::{Scope, scopes},
    writer::WriteTx,
};
use crate::{StoreError, Trimmed};

const LIST: &str = "select project, day from sealed";
const SEAL: &str = "
    insert into sealed (project, day) values (?1, ?2) on conflict do update set day = max(day, excluded.day)";
const DELETE_OF_PROJECT: &str = "
    delete from usage_record where seq in (
        select seq from usage_record
         where project = ?1 and occurred_at_ms < ?2 order by occurred_at_ms limit ?3)";
/// Account by account, as the index has them; `?1` is not used.
const DELETE_OF_NONE: &str = "
    delete from usage_record where seq in (
        select r.seq
          from dimension_value u
          join usage_record r indexed by usage_record_unassigned
            on r.user = u.id and r.project is null and r.occurred_at_ms < ?2
         where u.kind = 8 and ?1 = 0 limit ?3)";
const LIST_CONTENTS: &str = "
    select r.seq, r.occurred_at_ms
      from usage_record r
      join usage_content c on c.seq = r.seq
     where r.project is nullif(?1, 0) and r.occurred_at_ms >= ?2 and r.occurred_at_ms < ?3
     order by r.occurred_at_ms limit ?4";
const DELETE_CONTENT: &str = "delete from usage_content where seq = ?1";
const HAS_CONTENT: &str = "select count(*) from (select 1 from usage_content limit 1)";
const FORGET: &str = "delete from sealed where project = ?1";

/// From which day on the records of each project are complete.
#[derive(Debug, Default)]
pub(super) struct Sealed(HashMap<i64, i64>);

impl Sealed {
    /// As the database has them.
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(LIST)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(rows.collect::<Result<_, _>>()?))
    }

    /// Whether the sums under `key` may be of more records than there are.
    pub(super) fn covers(&self, key: &rollup::Key) -> bool {
        self.0.get(&key.project).is_some_and(|day| key.day < *day)
    }

    /// From when on every record is there that `filter` finds; `None` if none of its period is sealed.
    fn records_from(
        &self,
        connection: &Connection,
        filter: &Filter,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut last = None;
        for scope in scopes(connection, filter)? {
            let day = match scope {
                Scope::Everything | Scope::Users(_) => self.0.values().max().copied(),
                Scope::Projects(ids) => ids.iter().filter_map(|id| self.0.get(id)).max().copied(),
                Scope::Unassigned(_) => self.0.get(&0).copied(),
            };
            last = last.max(day);
        }
        let start_ms = filter.period.start.as_millisecond();
        last.map(|day| day * DAY_MS).filter(|from_ms| *from_ms > start_ms).map(instant).transpose()
    }
}

/// See [`crate::UsageStore::records_from`].
pub(super) fn records_from(tx: &ReadTx<'_>, filter: &Filter) -> Result<Option<Timestamp>, StoreError> {
    Sealed::load(tx.connection)?.records_from(tx.connection, filter)
}

/// Seals the days before that of `before`, and deletes records of them.
pub(super) fn trim(
    tx: &mut WriteTx<'_>,
    project: Option<ProjectId>,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let Some(project) = number(tx.connection, project)? else { return Ok(0) };
    let day = day_of(before.as_millisecond());
    tx.connection.prepare_cached(SEAL)?.execute((project, day))?;
    kept::note_last(tx.connection)?;
    let sql = if project == 0 { DELETE_OF_NONE } else { DELETE_OF_PROJECT };
    let deleted =
        tx.connection.prepare_cached(sql)?.execute((project, day * DAY_MS, outbox::number(limit)))?;
    Ok(deleted as u64)
}

/// Forgets that days of a project are sealed, when nothing of it is left.
pub(super) fn forget(connection: &Connection, project: i64) -> Result<(), StoreError> {
    connection.prepare_cached(FORGET)?.execute([project])?;
    Ok(())
}

/// Which contents [`erase_contents`] is to erase.
pub(super) fn list_contents(
    tx: &ReadTx<'_>,
    project: Option<ProjectId>,
    period: Interval,
    limit: usize,
) -> Result<Vec<(i64, i64)>, StoreError> {
    if outbox::count(tx.connection, HAS_CONTENT, [])? == 0 {
        return Ok(Vec::new());
    }
    let Some(project) = number(tx.connection, project)? else { return Ok(Vec::new()) };
    let (start_ms, end_ms) = (first_ms_from(period.start), first_ms_from(period.end));
    let mut statement = tx.connection.prepare_cached(LIST_CONTENTS)?;
    let rows = statement.query_map((project, start_ms, end_ms, outbox::number(limit)), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Erases what [`list_contents`] found.
pub(super) fn erase_contents(
    connection: &Connection,
    contents: &[(i64, i64)],
) -> Result<Trimmed, StoreError> {
    let mut delete = connection.prepare_cached(DELETE_CONTENT)?;
    let mut count = 0;
    for (seq, _) in contents {
        count += delete.execute([seq])? as u64;
    }
    let until = contents.last().map(|(_, at_ms)| instant(*at_ms)).transpose()?;
    Ok(Trimmed { count, until })
}

/// The number of a project, if a record was ever for it; 0 for none.
fn number(connection: &Connection, project: Option<ProjectId>) -> Result<Option<i64>, StoreError> {
    project.map_or(Ok(Some(0)), |project| dictionary::find(connection, Kind::Project, &project.to_string()))
}
