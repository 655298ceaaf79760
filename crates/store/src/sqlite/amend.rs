//! Correcting and deleting records; the rollup follows.

use domain::{
    ProjectId, UsageId,
    totals::Totals,
    usage_record::{Amendment, UsageRecord},
};
use rusqlite::Connection;

use super::{
    append::key_hash,
    dictionary::{self, Kind},
    kept,
    record::{self, Attribution},
    rollup, sealed,
    writer::WriteTx,
};
use crate::StoreError;

const UPDATE: &str = "
    update usage_record
       set project = ?2, department = ?3, team = ?4, purpose = ?5, client = ?6, campaign = ?7,
           allocation_other = ?8, tag_set = ?9
     where seq = ?1";
const DELETE: &str = "delete from usage_record where seq = ?1";
const LIST_KEYS_OF_PROJECT: &str =
    "select user, request_id from usage_record where project = ?1 and request_id is not null";
const DELETE_KEY: &str = "delete from usage_key where user = ?1 and key_hash = ?2";
const DELETE_OF_PROJECT: &str = "delete from usage_record where project = ?1";
const DELETE_ROLLUP_OF_PROJECT: &str = "delete from usage_rollup where project = ?1";

/// Corrects a record; as it was and as it is.
pub(super) fn amend(
    tx: &mut WriteTx<'_>,
    id: UsageId,
    amendment: &Amendment,
) -> Result<Option<(UsageRecord, UsageRecord)>, StoreError> {
    let Some(kept) = record::find(tx.connection, tx.names, id)? else { return Ok(None) };
    let before = kept.record;
    let mut after = before.clone();
    after.amend(amendment);
    let to = Attribution::intern(tx, &after)?;
    let other = record::other_allocation(&after.allocation)?;
    tx.connection.prepare_cached(UPDATE)?.execute((
        kept.seq,
        to.project,
        to.department,
        to.team,
        to.purpose,
        to.client,
        to.campaign,
        other,
        to.tag_set,
    ))?;
    let mut change = rollup::Change::default();
    change.subtract(kept.rollup_key, &Totals::of(&before))?;
    change.add(rollup::Key { project: to.project.unwrap_or(0), ..kept.rollup_key }, &Totals::of(&after))?;
    change.apply(tx.connection)?;
    Ok(Some((before, after)))
}

/// Deletes a record but not its key; as it was.
pub(super) fn delete(tx: &mut WriteTx<'_>, id: UsageId) -> Result<Option<UsageRecord>, StoreError> {
    let Some(found) = record::find(tx.connection, tx.names, id)? else { return Ok(None) };
    let mut change = rollup::Change::default();
    remove(tx, &found, &mut change)?;
    change.apply(tx.connection)?;
    Ok(Some(found.record))
}

/// Takes a record out of the store and of the sums, but not its key.
pub(super) fn remove(
    tx: &WriteTx<'_>,
    found: &record::Kept,
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    kept::note_last(tx.connection)?;
    tx.connection.prepare_cached(DELETE)?.execute([found.seq])?;
    change.subtract(found.rollup_key, &Totals::of(&found.record))
}

/// Deletes the records of `projects` and their keys; how many records.
pub(super) fn purge(tx: &mut WriteTx<'_>, projects: &[ProjectId]) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for project in projects {
        if let Some(project) = dictionary::find(tx.connection, Kind::Project, &project.to_string())? {
            deleted += purge_project(tx.connection, project)?;
        }
    }
    Ok(deleted)
}

fn purge_project(connection: &Connection, project: i64) -> Result<u64, StoreError> {
    let mut delete_key = connection.prepare_cached(DELETE_KEY)?;
    let mut keys = connection.prepare_cached(LIST_KEYS_OF_PROJECT)?;
    let mut rows = keys.query([project])?;
    while let Some(row) = rows.next()? {
        let request_id: String = row.get(1)?;
        delete_key.execute((row.get::<_, i64>(0)?, key_hash(&request_id)))?;
    }
    drop(rows);
    kept::note_last(connection)?;
    let deleted = connection.execute(DELETE_OF_PROJECT, [project])?;
    connection.execute(DELETE_ROLLUP_OF_PROJECT, [project])?;
    sealed::forget(connection, project)?;
    Ok(deleted as u64)
}
