//! Keeping records, each key once.

use domain::{UsageId, totals::Totals, usage_record::UsageRecord};
use rusqlite::OptionalExtension as _;
use sha2::{Digest as _, Sha256};

use super::{amend, dictionary::Kind, record, rollup, writer::WriteTx};
use crate::{Appended, StoreError};

const CLAIM_KEY: &str =
    "insert into usage_key (user, key_hash, id) values (?1, ?2, ?3) on conflict do nothing";
const MOVE_KEY: &str = "update usage_key set id = ?3 where user = ?1 and key_hash = ?2";
const FIND_KEY: &str = "select id from usage_key where user = ?1 and key_hash = ?2";

/// Keeps `records`; what became of each.
pub(super) fn append(tx: &mut WriteTx<'_>, records: &[UsageRecord]) -> Result<Vec<Appended>, StoreError> {
    let mut change = rollup::Change::default();
    let appended =
        records.iter().map(|record| append_one(tx, record, &mut change)).collect::<Result<_, _>>()?;
    change.apply(tx.connection)?;
    Ok(appended)
}

/// What stands for a key in the database.
pub(super) fn key_hash(request_id: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(request_id.as_bytes()).into();
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    hash
}

/// The record that holds a key of `user`.
pub(super) fn find_key(
    connection: &rusqlite::Connection,
    user: i64,
    request_id: &str,
) -> Result<Option<UsageId>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_KEY)?;
    let id = statement.query_row((user, key_hash(request_id)), |row| row.get(0)).optional()?;
    Ok(id.map(UsageId::from_bytes))
}

fn append_one(
    tx: &mut WriteTx<'_>,
    record: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<Appended, StoreError> {
    let user = tx.intern(Kind::User, &record.user_id.to_string())?;
    if let Some(request_id) = &record.request_id
        && !claim_key(tx, user, request_id, record.id)?
    {
        return append_again(tx, user, record, request_id, change);
    }
    insert(tx, user, record, change)?;
    Ok(Appended::New)
}

fn insert(
    tx: &mut WriteTx<'_>,
    user: i64,
    record: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    let rollup_key = record::insert(tx, user, record)?;
    change.add(rollup_key, &Totals::of(record))?;
    *tx.appended += 1;
    Ok(())
}

/// What becomes of a record whose key is taken.
fn append_again(
    tx: &mut WriteTx<'_>,
    user: i64,
    record: &UsageRecord,
    request_id: &str,
    change: &mut rollup::Change,
) -> Result<Appended, StoreError> {
    let id = find_key(tx.connection, user, request_id)?;
    let id = id.ok_or_else(|| StoreError::Damaged("a key that is taken has no holder".to_owned()))?;
    let Some(kept) = record::find(tx.connection, tx.names, id)? else { return Ok(Appended::Deleted(id)) };
    if !record.supersedes(&kept.record) {
        return Ok(Appended::Duplicate(Box::new(kept.record)));
    }
    amend::remove(tx, &kept, change)?;
    tx.connection.prepare_cached(MOVE_KEY)?.execute((user, key_hash(request_id), record.id.bytes()))?;
    let mut successor = record.clone();
    successor.take_over(kept.record.clone());
    insert(tx, user, &successor, change)?;
    Ok(Appended::Replaced(Box::new(kept.record)))
}

fn claim_key(tx: &WriteTx<'_>, user: i64, request_id: &str, id: UsageId) -> Result<bool, StoreError> {
    let mut statement = tx.connection.prepare_cached(CLAIM_KEY)?;
    Ok(statement.execute((user, key_hash(request_id), id.bytes()))? == 1)
}
