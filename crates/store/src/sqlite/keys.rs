//! Keys by which a call is known again, each once for an account. They outlive their records.

use domain::UsageId;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use crate::StoreError;

const FIND: &str = "select id from usage_key where user = ?1 and key_hash = ?2";
const GIVE: &str = "insert or replace into usage_key (user, key_hash, id) values (?1, ?2, ?3)";
const FORGET: &str = "delete from usage_key where user = ?1 and key_hash = ?2";

/// The record that holds a key of `user`; it may be deleted.
pub(super) fn find(connection: &Connection, user: i64, key: &str) -> Result<Option<UsageId>, StoreError> {
    let mut statement = connection.prepare_cached(FIND)?;
    let id = statement.query_row((user, hash(key)), |row| row.get(0)).optional()?;
    Ok(id.map(UsageId::from_bytes))
}

/// Makes a record the holder of `keys`, whoever held them before.
pub(super) fn give<'a>(
    connection: &Connection,
    user: i64,
    keys: impl Iterator<Item = &'a str>,
    id: UsageId,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(GIVE)?;
    for key in keys {
        statement.execute((user, hash(key), id.bytes()))?;
    }
    Ok(())
}

/// Lets a key be new again.
pub(super) fn forget(connection: &Connection, user: i64, key: &str) -> Result<(), StoreError> {
    connection.prepare_cached(FORGET)?.execute((user, hash(key)))?;
    Ok(())
}

/// What stands for a key in the database.
fn hash(key: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    hash
}
