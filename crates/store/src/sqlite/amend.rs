//! Correcting and deleting records; the rollup follows.

use domain::{
    ProjectId, UsageId,
    totals::Totals,
    usage_record::{Amendment, UsageRecord},
};
use rusqlite::Connection;

use super::{
    dictionary::{self, Kind},
    kept, keys,
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
const LEARN: &str = "
    update usage_record
       set user_email = ?2, customer_email = ?3, session_id = ?4, trace_id = ?5, request_id = ?6, other_keys = ?7
     where seq = ?1";
const DELETE: &str = "delete from usage_record where seq = ?1";
const LIST_KEYS_OF_PROJECT: &str = "
    select user, request_id from usage_record where project = ?1 and request_id is not null
    union all
    select user, value from usage_record, json_each(other_keys) where project = ?1";
const DELETE_OF_PROJECT: &str = "delete from usage_record where project = ?1";
const DELETE_ROLLUP_OF_PROJECT: &str = "delete from usage_rollup where project = ?1";

/// Corrects a record; as it was and as it is.
pub(super) fn amend(
    tx: &mut WriteTx<'_>,
    id: UsageId,
    amendment: &Amendment,
) -> Result<Option<(UsageRecord, UsageRecord)>, StoreError> {
    let Some(kept) = record::find(tx.connection, tx.names, id)? else { return Ok(None) };
    let mut after = kept.record.clone();
    after.amend(amendment);
    let mut change = rollup::Change::default();
    attribute(tx, &kept, &after, &mut change)?;
    change.apply(tx.connection)?;
    Ok(Some((kept.record, after)))
}

/// Makes the attribution of a kept record that of `after`.
fn attribute(
    tx: &mut WriteTx<'_>,
    kept: &record::Kept,
    after: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    let to = Attribution::intern(tx, after)?;
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
    change.subtract(kept.rollup_key, &Totals::of(&kept.record))?;
    change.add(rollup::Key { project: to.project.unwrap_or(0), ..kept.rollup_key }, &Totals::of(after))
}

/// Gives a kept record what it [took over](UsageRecord::take_over) and is now in `after`.
pub(super) fn learn(
    tx: &mut WriteTx<'_>,
    kept: &record::Kept,
    after: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    attribute(tx, kept, after, change)?;
    let user_email = tx.intern_option(Kind::UserEmail, after.user_email.as_ref())?;
    let customer_email = tx.intern_option(Kind::CustomerEmail, after.customer_email.as_ref())?;
    tx.connection.prepare_cached(LEARN)?.execute((
        kept.seq,
        user_email,
        customer_email,
        &after.session_id,
        &after.trace_id,
        &after.request_id,
        record::other_keys(after)?,
    ))?;
    Ok(())
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
    let mut known = connection.prepare_cached(LIST_KEYS_OF_PROJECT)?;
    let mut rows = known.query([project])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(1)?;
        keys::forget(connection, row.get(0)?, &key)?;
    }
    drop(rows);
    kept::note_last(connection)?;
    let deleted = connection.execute(DELETE_OF_PROJECT, [project])?;
    connection.execute(DELETE_ROLLUP_OF_PROJECT, [project])?;
    sealed::forget(connection, project)?;
    Ok(deleted as u64)
}
