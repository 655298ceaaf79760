//! Tracker keys, on SQLite.

use domain::{
    KeyId, UserId,
    tracker_key::{Network, PerMinute, Scope, TokenHash, TrackerKey},
};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};

use super::{
    columns::{Columns, damaged},
    failure::taken,
};
use crate::StoreError;

macro_rules! key_columns {
    () => {
        "id, user_id, name, masked, scopes, project_id, allowed_ips, requests_per_minute, tokens_per_minute, \
         expires_at_ms, created_at_ms, last_used_at_ms"
    };
}

const INSERT: &str = concat!(
    "insert into tracker_key (",
    key_columns!(),
    ", token_hash) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
);
const FIND: &str = concat!("select ", key_columns!(), " from tracker_key where token_hash = ?1");
const FIND_BY_ID: &str = concat!("select ", key_columns!(), " from tracker_key where id = ?1");
const LIST: &str =
    concat!("select ", key_columns!(), " from tracker_key where user_id = ?1 order by created_at_ms, id");
const UPDATE: &str = "
    update tracker_key set name = ?3, scopes = ?4, project_id = ?5, allowed_ips = ?6, expires_at_ms = ?7,
           requests_per_minute = ?8, tokens_per_minute = ?9
     where id = ?1 and user_id = ?2";
const DELETE: &str = "delete from tracker_key where id = ?1 and user_id = ?2";
const TOUCH: &str = "
    update tracker_key set last_used_at_ms = ?2 where id = ?1 and coalesce(last_used_at_ms < ?2, true)";

pub(super) fn insert(connection: &Connection, key: &TrackerKey, hash: &TokenHash) -> Result<(), StoreError> {
    let row = params![
        key.id.bytes(),
        key.user_id.bytes(),
        key.name,
        key.masked,
        scopes_text(&key.scopes),
        key.project_id.as_ref().map(domain::Id::bytes),
        networks_text(&key.allowed_ips),
        key.per_minute.requests,
        key.per_minute.tokens,
        key.expires_at.map(Timestamp::as_millisecond),
        key.created_at.as_millisecond(),
        key.last_used_at.map(Timestamp::as_millisecond),
        hash,
    ];
    connection.prepare_cached(INSERT)?.execute(row).map(drop).map_err(taken("key"))
}

pub(super) fn find_by_id(connection: &Connection, id: KeyId) -> Result<Option<TrackerKey>, StoreError> {
    Ok(query(connection, FIND_BY_ID, [id.bytes()])?.pop())
}

pub(super) fn find(connection: &Connection, hash: &TokenHash) -> Result<Option<TrackerKey>, StoreError> {
    Ok(query(connection, FIND, [hash])?.pop())
}

pub(super) fn list(connection: &Connection, user: UserId) -> Result<Vec<TrackerKey>, StoreError> {
    query(connection, LIST, [user.bytes()])
}

pub(super) fn update(connection: &Connection, key: &TrackerKey) -> Result<bool, StoreError> {
    let row = params![
        key.id.bytes(),
        key.user_id.bytes(),
        key.name,
        scopes_text(&key.scopes),
        key.project_id.as_ref().map(domain::Id::bytes),
        networks_text(&key.allowed_ips),
        key.expires_at.map(Timestamp::as_millisecond),
        key.per_minute.requests,
        key.per_minute.tokens,
    ];
    Ok(connection.prepare_cached(UPDATE)?.execute(row)? > 0)
}

pub(super) fn delete(connection: &Connection, user: UserId, id: KeyId) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached(DELETE)?.execute((id.bytes(), user.bytes()))? > 0)
}

/// Two servers' clocks may disagree; the later one wins.
pub(super) fn touch(connection: &Connection, id: KeyId, at: Timestamp) -> Result<(), StoreError> {
    connection.prepare_cached(TOUCH)?.execute((id.bytes(), at.as_millisecond()))?;
    Ok(())
}

fn query(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<TrackerKey>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_and_then(parameters, read)?;
    keys.collect()
}

fn read(row: &Row<'_>) -> Result<TrackerKey, StoreError> {
    let mut columns = Columns::of(row);
    Ok(TrackerKey {
        id: columns.next_id()?,
        user_id: columns.next_id()?,
        name: columns.next()?,
        masked: columns.next()?,
        scopes: columns.next::<String>().and_then(|text| read_scopes(&text))?,
        project_id: columns.next::<Option<[u8; 12]>>()?.map(domain::ProjectId::from_bytes),
        allowed_ips: columns.next::<String>().and_then(|text| read_networks(&text))?,
        per_minute: PerMinute { requests: columns.next()?, tokens: columns.next()? },
        expires_at: columns.next_instant_option()?,
        created_at: columns.next_instant()?,
        last_used_at: columns.next_instant_option()?,
    })
}

fn scopes_text(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn read_scopes(text: &str) -> Result<Vec<Scope>, StoreError> {
    let scope = |word| Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
    text.split_whitespace().map(|word| scope(word).ok_or_else(|| damaged("a scope is unknown"))).collect()
}

fn networks_text(networks: &[Network]) -> String {
    networks.iter().map(Network::to_string).collect::<Vec<_>>().join(" ")
}

fn read_networks(text: &str) -> Result<Vec<Network>, StoreError> {
    text.split_whitespace()
        .map(|network| network.parse().map_err(|_| damaged("a network cannot be read")))
        .collect()
}
