//! Spans that add up what calls inside of them used, on SQLite.

use async_trait::async_trait;
use domain::{
    UserId,
    wire::opentelemetry::{SpanId, TraceId},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{Sqlite, columns::Columns, outbox::number};
use crate::{
    StoreError,
    aggregates::{AggregateSpan, AggregateStore},
    limits::SMALL_WRITE_BYTES,
};

const COUNT: &str = "select count(*) from aggregate where user_id = ?1";
const INSERT: &str = "
    insert into aggregate (user_id, trace, span, parent, started_at_ms, record_id, tracker_key_id, due_at_ms, call)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        on conflict do nothing";
const SELECT: &str = "
    select user_id, trace, span, parent, started_at_ms, record_id, tracker_key_id, due_at_ms, call from aggregate ";
const OF_TRACE: &str = "where user_id = ?1 and trace = ?2";
const DUE: &str = "where due_at_ms <= ?1 and call is not null order by started_at_ms, span limit ?2";
const SETTLE: &str =
    "update aggregate set call = null, due_at_ms = ?4 where user_id = ?1 and trace = ?2 and span = ?3";
const POSTPONE: &str = "update aggregate set due_at_ms = ?4 where user_id = ?1 and trace = ?2 and span = ?3";
const DELETE: &str = "delete from aggregate where user_id = ?1 and trace = ?2 and span = ?3";
const FORGET: &str = "delete from aggregate where due_at_ms <= ?1 and call is null";

#[async_trait]
impl AggregateStore for Sqlite {
    async fn insert_aggregates(&self, spans: Vec<AggregateSpan>, max: usize) -> Result<usize, StoreError> {
        let Some(user) = spans.first().map(|span| span.user_id) else { return Ok(0) };
        self.write(spans.len() * SMALL_WRITE_BYTES, move |tx| {
            let known: i64 = tx.connection.query_row(COUNT, [user.bytes()], |row| row.get(0))?;
            let room = max.saturating_sub(usize::try_from(known).unwrap_or(usize::MAX));
            for span in spans.iter().take(room) {
                insert(tx.connection, span)?;
            }
            Ok(spans.len().saturating_sub(room))
        })
        .await
    }

    async fn list_aggregates(
        &self,
        user: UserId,
        traces: &[TraceId],
    ) -> Result<Vec<AggregateSpan>, StoreError> {
        let traces = traces.to_vec();
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(&format!("{SELECT} {OF_TRACE}"))?;
            let mut found = Vec::new();
            for trace in traces {
                for span in statement.query_and_then((user.bytes(), trace), read)? {
                    found.push(span?);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn list_due_aggregates(
        &self,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<AggregateSpan>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(&format!("{SELECT} {DUE}"))?;
            statement.query_and_then((at.as_millisecond(), number(limit)), read)?.collect()
        })
        .await
    }

    async fn settle_aggregate(&self, user: UserId, id: SpanId, due_at: Timestamp) -> Result<(), StoreError> {
        self.change_aggregate(SETTLE, user, id, Some(due_at)).await
    }

    async fn postpone_aggregate(
        &self,
        user: UserId,
        id: SpanId,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change_aggregate(POSTPONE, user, id, Some(due_at)).await
    }

    async fn delete_aggregate(&self, user: UserId, id: SpanId) -> Result<(), StoreError> {
        self.change_aggregate(DELETE, user, id, None).await
    }

    async fn forget_aggregates(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            Ok(tx.connection.execute(FORGET, [at.as_millisecond()])? as u64)
        })
        .await
    }
}

impl Sqlite {
    async fn change_aggregate(
        &self,
        sql: &'static str,
        user: UserId,
        id: SpanId,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let mut statement = tx.connection.prepare_cached(sql)?;
            match due_at {
                Some(at) => statement.execute((user.bytes(), id.trace, id.span, at.as_millisecond()))?,
                None => statement.execute((user.bytes(), id.trace, id.span))?,
            };
            Ok(())
        })
        .await
    }
}

fn insert(connection: &Connection, span: &AggregateSpan) -> Result<(), StoreError> {
    let call = span.call.as_ref().map(serde_json::to_string).transpose();
    let call = call.map_err(|error| StoreError::Damaged(error.to_string()))?;
    connection.prepare_cached(INSERT)?.execute(params![
        span.user_id.bytes(),
        span.id.trace,
        span.id.span,
        span.parent,
        span.started_at.as_millisecond(),
        span.record_id.bytes(),
        span.tracker_key_id.as_ref().map(domain::Id::bytes),
        span.due_at.as_millisecond(),
        call,
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<AggregateSpan, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AggregateSpan {
        user_id: columns.next_id()?,
        id: SpanId { trace: columns.next()?, span: columns.next()? },
        parent: columns.next()?,
        started_at: columns.next_instant()?,
        record_id: columns.next_id()?,
        tracker_key_id: columns.next_id_option()?,
        due_at: columns.next_instant()?,
        call: columns
            .next::<Option<String>>()?
            .map(|call| serde_json::from_str(&call))
            .transpose()
            .map_err(|error| StoreError::Damaged(error.to_string()))?,
    })
}
