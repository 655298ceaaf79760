//! Provider keys, on SQLite, and the contract for both kinds of keys.

use async_trait::async_trait;
use domain::{
    KeyId, UserId,
    provider_key::{ProviderKey, Sealed},
    tracker_key::{TokenHash, TrackerKey},
};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};

use super::{Sqlite, columns::Columns, tracker_keys};
use crate::{KeyStore, StoreError, limits::SMALL_WRITE_BYTES};

macro_rules! key_columns {
    () => {
        "user_id, provider, masked, key_id, nonce, ciphertext, added_at_ms, last_used_at_ms"
    };
}

const PUT: &str = concat!(
    "insert or replace into provider_key (",
    key_columns!(),
    ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
);
const LIST: &str =
    concat!("select ", key_columns!(), " from provider_key where user_id = ?1 order by provider");
const LIST_ALL: &str = concat!("select ", key_columns!(), " from provider_key order by user_id, provider");
const RESEAL: &str = "
    update provider_key set key_id = ?6, nonce = ?7, ciphertext = ?8
     where user_id = ?1 and provider = ?2 and key_id = ?3 and nonce = ?4 and ciphertext = ?5";
const DELETE: &str = "delete from provider_key where user_id = ?1 and provider = ?2";
const TOUCH: &str = "
    update provider_key set last_used_at_ms = ?3
     where user_id = ?1 and provider = ?2 and coalesce(last_used_at_ms < ?3, true)";

#[async_trait]
impl KeyStore for Sqlite {
    async fn insert_tracker_key(&self, key: &TrackerKey, hash: &TokenHash) -> Result<(), StoreError> {
        let (key, hash) = (key.clone(), *hash);
        self.change(SMALL_WRITE_BYTES, move |tx| tracker_keys::insert(tx.connection, &key, &hash)).await
    }

    async fn find_tracker_key(&self, hash: &TokenHash) -> Result<Option<TrackerKey>, StoreError> {
        let hash = *hash;
        self.read(move |tx| tracker_keys::find(tx.connection, &hash)).await
    }

    async fn find_tracker_key_by_id(&self, id: KeyId) -> Result<Option<TrackerKey>, StoreError> {
        self.read(move |tx| tracker_keys::find_by_id(tx.connection, id)).await
    }

    async fn list_tracker_keys(&self, user: UserId) -> Result<Vec<TrackerKey>, StoreError> {
        self.read(move |tx| tracker_keys::list(tx.connection, user)).await
    }

    async fn update_tracker_key(&self, key: &TrackerKey) -> Result<bool, StoreError> {
        let key = key.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| tracker_keys::update(tx.connection, &key)).await
    }

    async fn delete_tracker_key(&self, user: UserId, id: KeyId) -> Result<bool, StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| tracker_keys::delete(tx.connection, user, id)).await
    }

    async fn touch_tracker_key(&self, id: KeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| tracker_keys::touch(tx.connection, id, at)).await
    }

    async fn put_provider_key(&self, key: &ProviderKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| put(tx.connection, &key)).await
    }

    async fn list_provider_keys(&self, user: UserId) -> Result<Vec<ProviderKey>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST, [user.bytes()])).await
    }

    async fn list_all_provider_keys(&self) -> Result<Vec<ProviderKey>, StoreError> {
        self.read(|tx| list(tx.connection, LIST_ALL, [])).await
    }

    async fn reseal_provider_key(
        &self,
        user: UserId,
        provider: &str,
        old: &Sealed,
        new: &Sealed,
    ) -> Result<bool, StoreError> {
        let (provider, old, new) = (provider.to_owned(), old.clone(), new.clone());
        self.change(SMALL_WRITE_BYTES, move |tx| {
            let row = params![
                user.bytes(),
                provider,
                old.key_id,
                old.nonce,
                old.ciphertext,
                new.key_id,
                new.nonce,
                new.ciphertext,
            ];
            Ok(tx.connection.execute(RESEAL, row)? > 0)
        })
        .await
    }

    async fn touch_provider_key(
        &self,
        user: UserId,
        provider: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let provider = provider.to_owned();
        self.write(SMALL_WRITE_BYTES, move |tx| {
            tx.connection.prepare_cached(TOUCH)?.execute((user.bytes(), provider, at.as_millisecond()))?;
            Ok(())
        })
        .await
    }

    async fn delete_provider_key(&self, user: UserId, provider: &str) -> Result<bool, StoreError> {
        let provider = provider.to_owned();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            Ok(tx.connection.execute(DELETE, (user.bytes(), provider))? > 0)
        })
        .await
    }
}

fn put(connection: &Connection, key: &ProviderKey) -> Result<(), StoreError> {
    connection.prepare_cached(PUT)?.execute(params![
        key.user_id.bytes(),
        key.provider,
        key.masked,
        key.sealed.key_id,
        key.sealed.nonce,
        key.sealed.ciphertext,
        key.added_at.as_millisecond(),
        key.last_used_at.map(Timestamp::as_millisecond),
    ])?;
    Ok(())
}

fn list(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<ProviderKey>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_and_then(parameters, read)?;
    keys.collect()
}

fn read(row: &Row<'_>) -> Result<ProviderKey, StoreError> {
    let mut columns = Columns::of(row);
    Ok(ProviderKey {
        user_id: columns.next_id()?,
        provider: columns.next()?,
        masked: columns.next()?,
        sealed: Sealed { key_id: columns.next()?, nonce: columns.next()?, ciphertext: columns.next()? },
        added_at: columns.next_instant()?,
        last_used_at: columns.next_instant_option()?,
    })
}
