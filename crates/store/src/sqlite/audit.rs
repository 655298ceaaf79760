//! The audit log, on SQLite.

use async_trait::async_trait;
use domain::audit::{ChainHash, Change, Entry, GENESIS};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter, types::Value};

use super::{
    Sqlite,
    columns::{Columns, damaged, first_ms_from},
    condition::Conditions,
    outbox::number,
};
use crate::{
    AuditStore, StoreError,
    audit::{AuditQuery, AuditVerification},
    limits::SMALL_WRITE_BYTES,
};

macro_rules! audit_columns {
    () => {
        "number, at_ms, actor, actor_email, key_id, address, action, target, project_id, before_json, after_json, hash"
    };
}

const LAST: &str = "select number, hash from audit order by number desc limit 1";
const INSERT: &str = concat!(
    "insert into audit (",
    audit_columns!(),
    ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
);
const SELECT: &str = concat!("select ", audit_columns!(), " from audit ");
const SELECT_ALL: &str = concat!("select ", audit_columns!(), " from audit order by number");

#[async_trait]
impl AuditStore for Sqlite {
    async fn append_audit(&self, change: &Change) -> Result<Entry, StoreError> {
        let change = change.clone();
        let texts = [&change.before, &change.after].into_iter().flatten().map(String::len).sum::<usize>();
        self.write(SMALL_WRITE_BYTES + texts, move |tx| append(tx.connection, change)).await
    }

    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<Entry>, StoreError> {
        let conditions = conditions(query);
        let limit = Value::Integer(number(query.limit));
        self.read(move |tx| {
            let sql = format!("{SELECT} {} order by number desc limit ?", conditions.sql());
            let mut statement = tx.connection.prepare_cached(&sql)?;
            let parameters = params_from_iter(conditions.parameters().chain([limit]));
            statement.query_and_then(parameters, read)?.collect()
        })
        .await
    }

    async fn verify_audit(&self, noted: Option<(u64, ChainHash)>) -> Result<AuditVerification, StoreError> {
        self.read(move |tx| verify(tx.connection, noted)).await
    }
}

fn append(connection: &Connection, change: Change) -> Result<Entry, StoreError> {
    let last: Option<(i64, ChainHash)> =
        connection.prepare_cached(LAST)?.query_row([], |row| row.try_into()).optional()?;
    let (last_number, previous) = last.unwrap_or((0, GENESIS));
    // What is kept to the millisecond is hashed to the millisecond.
    let entry = change.follow(&previous, u64::try_from(last_number + 1).unwrap_or(u64::MAX));
    let Entry { change, hash, .. } = &entry;
    connection.prepare_cached(INSERT)?.execute(params![
        last_number + 1,
        change.at.as_millisecond(),
        change.actor.map(|id| *id.bytes()),
        change.actor_email,
        change.key_id.map(|id| *id.bytes()),
        change.address,
        change.action,
        change.target,
        change.project_id.map(|id| *id.bytes()),
        change.before,
        change.after,
        hash,
    ])?;
    Ok(entry)
}

fn verify(connection: &Connection, noted: Option<(u64, ChainHash)>) -> Result<AuditVerification, StoreError> {
    let mut statement = connection.prepare_cached(SELECT_ALL)?;
    let mut verified = AuditVerification { entries: 0, broken_at: None, head: GENESIS };
    for entry in statement.query_and_then([], read)? {
        let entry = entry?;
        verified.entries += 1;
        let is_right =
            entry.number == verified.entries && entry.change.hash(&verified.head, entry.number) == entry.hash;
        if !is_right {
            verified.broken_at.get_or_insert(entry.number);
        }
        verified.head = entry.hash;
        if noted.is_some_and(|(number, hash)| number == entry.number && hash != entry.hash) {
            verified.broken_at.get_or_insert(entry.number);
        }
    }
    if let Some((number, _)) = noted.filter(|(number, _)| *number > verified.entries) {
        verified.broken_at.get_or_insert(number);
    }
    Ok(verified)
}

fn conditions(query: &AuditQuery) -> Conditions {
    let mut conditions = Conditions::default();
    if query.period.start != Timestamp::MIN {
        conditions.and("at_ms >= ?", [Value::Integer(first_ms_from(query.period.start))]);
    }
    if query.period.end != Timestamp::MAX {
        conditions.and("at_ms < ?", [Value::Integer(first_ms_from(query.period.end))]);
    }
    if let Some(actor) = query.actor {
        conditions.and("actor = ?", [Value::Blob(actor.bytes().to_vec())]);
    }
    if let Some(project) = query.project {
        conditions.and("project_id = ?", [Value::Blob(project.bytes().to_vec())]);
    }
    if let Some(action) = &query.action {
        conditions.and("instr(action, ?) > 0", [Value::Text(action.clone())]);
    }
    if let Some(before) = query.before {
        conditions.and("number < ?", [Value::Integer(i64::try_from(before).unwrap_or(i64::MAX))]);
    }
    conditions
}

fn read(row: &Row<'_>) -> Result<Entry, StoreError> {
    let mut columns = Columns::of(row);
    let number = columns.next_count()?.ok_or_else(|| damaged("an entry of the audit log has no number"))?;
    let change = Change {
        at: columns.next_instant()?,
        actor: columns.next_id_option()?,
        actor_email: columns.next()?,
        key_id: columns.next_id_option()?,
        address: columns.next()?,
        action: columns.next()?,
        target: columns.next()?,
        project_id: columns.next_id_option()?,
        before: columns.next()?,
        after: columns.next()?,
    };
    Ok(Entry { number, change, hash: columns.next()? })
}
