//! Alerts of budgets that fired, on SQLite.

use async_trait::async_trait;
use domain::{
    AlertId, BudgetId, UserId,
    alert::{AlertMark, FiredAlert},
    budget::AlertKind,
    delivery::NewDelivery,
    event::Event,
    fx::Conversion,
};
use jiff::Timestamp;
use pricing::Money;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params, params_from_iter, types::Value};

use super::{
    Sqlite,
    columns::{Columns, damaged},
    condition::Conditions,
    outbox::{count, insert_event, number},
};
use crate::{
    AlertStore, StoreError,
    limits::SMALL_WRITE_BYTES,
    outbox::{AlertQuery, AlertStatus},
};

macro_rules! alert_columns {
    () => {
        "alert.id, alert.budget_id, alert.period_start_ms, alert.period_end_ms, alert.threshold, alert.definition, \
         alert.exceeded, alert.kind, alert.amount_nanos, alert.conversion, alert.spent_nanos, alert.event_id, alert.at_ms"
    };
}

const CLAIM: &str = "
    insert into alert (id, budget_id, period_start_ms, period_end_ms, threshold, definition, exceeded, kind,
                       amount_nanos, conversion, spent_nanos, event_id, at_ms)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        on conflict (budget_id, period_start_ms, threshold, definition) do nothing";
const LIST_FIRED: &str = concat!(
    "select ",
    alert_columns!(),
    " from alert where budget_id = ?1 and period_start_ms = ?2 order by seq"
);
const FIND: &str = concat!("select ", alert_columns!(), " from alert where id = ?1");
const FIND_SEQ: &str = "select seq from alert where id = ?1";
const FROM: &str = " from alert left join alert_mark mark on mark.alert = alert.seq and mark.user_id = ?1 ";
const SELECT: &str = concat!(
    "select ",
    alert_columns!(),
    ", mark.read_at_ms, mark.snoozed_until_ms, coalesce(mark.deleted, 0)"
);
/// That a budget is used up and that it reached 100 % is one thing to know.
const CROSSING: &str = "alert.budget_id, alert.period_start_ms, iif(alert.exceeded, 100, alert.threshold)";
const FIND_MARK: &str = "
    select read_at_ms, snoozed_until_ms, deleted from alert_mark
     where user_id = ?1 and alert = (select seq from alert where id = ?2)";
const MARK: &str = "
    insert or replace into alert_mark (user_id, alert, read_at_ms, snoozed_until_ms, deleted)
    select ?1, seq, ?3, ?4, ?5 from alert where id = ?2";
const READ: &str = "
    insert into alert_mark (user_id, alert, read_at_ms, snoozed_until_ms, deleted) values (?1, ?2, ?3, null, 0)
        on conflict (user_id, alert) do update set read_at_ms = excluded.read_at_ms";

#[async_trait]
impl AlertStore for Sqlite {
    async fn fire_alert(
        &self,
        alert: &FiredAlert,
        event: &Event,
        deliveries: &[NewDelivery],
    ) -> Result<bool, StoreError> {
        let (alert, event, deliveries) = (alert.clone(), event.clone(), deliveries.to_vec());
        let bytes = SMALL_WRITE_BYTES * (2 + deliveries.len());
        self.write(bytes, move |tx| {
            let is_first = claim(tx.connection, &alert)?;
            if is_first {
                insert_event(tx.connection, &event, &deliveries)?;
            }
            Ok(is_first)
        })
        .await
    }

    async fn list_fired_alerts(
        &self,
        budget: BudgetId,
        period_start: Timestamp,
    ) -> Result<Vec<FiredAlert>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST_FIRED, (budget.bytes(), period_start.as_millisecond())))
            .await
    }

    async fn find_alert(&self, id: AlertId) -> Result<Option<FiredAlert>, StoreError> {
        self.read(move |tx| Ok(list(tx.connection, FIND, [id.bytes()])?.pop())).await
    }

    async fn list_alerts(&self, query: &AlertQuery) -> Result<Vec<(FiredAlert, AlertMark)>, StoreError> {
        let query = query.clone();
        self.read(move |tx| list_for(tx.connection, &query)).await
    }

    async fn count_crossings(&self, query: &AlertQuery) -> Result<u64, StoreError> {
        let conditions = conditions(query, i64::MAX);
        let user = Value::Blob(query.user.bytes().to_vec());
        self.read(move |tx| {
            let sql =
                format!("select count(*) from (select distinct {CROSSING} {FROM} {})", conditions.sql());
            let parameters = params_from_iter([user].into_iter().chain(conditions.parameters()));
            count(tx.connection, &sql, parameters)
        })
        .await
    }

    async fn find_alert_mark(&self, user: UserId, alert: AlertId) -> Result<AlertMark, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(FIND_MARK)?;
            let mut found = statement
                .query_and_then((user.bytes(), alert.bytes()), |row| read_mark(&mut Columns::of(row)))?;
            found.next().transpose().map(Option::unwrap_or_default)
        })
        .await
    }

    async fn mark_alert(&self, user: UserId, alert: AlertId, mark: AlertMark) -> Result<bool, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let row = params![
                user.bytes(),
                alert.bytes(),
                mark.read_at.map(Timestamp::as_millisecond),
                mark.snoozed_until.map(Timestamp::as_millisecond),
                mark.deleted,
            ];
            Ok(tx.connection.prepare_cached(MARK)?.execute(row)? > 0)
        })
        .await
    }

    async fn mark_alerts_read(&self, query: &AlertQuery) -> Result<u64, StoreError> {
        let query = query.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| mark_all_read(tx.connection, &query)).await
    }
}

fn claim(connection: &Connection, alert: &FiredAlert) -> Result<bool, StoreError> {
    let has_end = alert.period_end != Timestamp::MAX;
    let conversion = alert.conversion.as_ref().map(serde_json::to_string).transpose();
    let conversion = conversion.map_err(|error| damaged(&error.to_string()))?;
    let row = params![
        alert.id.bytes(),
        alert.budget_id.bytes(),
        alert.period_start.as_millisecond(),
        has_end.then(|| alert.period_end.as_millisecond()),
        alert.threshold,
        alert.definition,
        alert.exceeded,
        alert.kind.as_str(),
        alert.amount.nanos(),
        conversion,
        alert.spent.nanos(),
        alert.event_id.bytes(),
        alert.at.as_millisecond(),
    ];
    Ok(connection.prepare_cached(CLAIM)?.execute(row)? > 0)
}

fn list_for(connection: &Connection, query: &AlertQuery) -> Result<Vec<(FiredAlert, AlertMark)>, StoreError> {
    let before = match query.before {
        Some(id) => find_seq(connection, id)?.ok_or(StoreError::BadCursor)?,
        None => i64::MAX,
    };
    let conditions = conditions(query, before);
    let sql = format!("{SELECT} {FROM} {} order by alert.seq desc limit ?", conditions.sql());
    let mut statement = connection.prepare_cached(&sql)?;
    let user = Value::Blob(query.user.bytes().to_vec());
    let limit = Value::Integer(number(query.limit));
    let parameters = [user].into_iter().chain(conditions.parameters()).chain([limit]);
    let found = statement.query_and_then(params_from_iter(parameters), |row| {
        let mut columns = Columns::of(row);
        Ok((read(&mut columns)?, read_mark(&mut columns)?))
    })?;
    found.collect()
}

fn mark_all_read(connection: &Connection, query: &AlertQuery) -> Result<u64, StoreError> {
    let unread = AlertQuery { status: AlertStatus::Unread, ..query.clone() };
    let conditions = conditions(&unread, i64::MAX);
    let sql = format!("select alert.seq {FROM} {}", conditions.sql());
    let mut statement = connection.prepare_cached(&sql)?;
    let user = Value::Blob(query.user.bytes().to_vec());
    let parameters = params_from_iter([user].into_iter().chain(conditions.parameters()));
    let unread: Vec<i64> = statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?;
    for alert in &unread {
        let row = (query.user.bytes(), alert, query.now.as_millisecond());
        connection.prepare_cached(READ)?.execute(row)?;
    }
    Ok(u64::try_from(unread.len()).unwrap_or(u64::MAX))
}

fn conditions(query: &AlertQuery, before: i64) -> Conditions {
    let budgets: Vec<String> = query.budgets.iter().map(ToString::to_string).collect();
    let now = || [Value::Integer(query.now.as_millisecond())];
    let mut conditions = Conditions::default();
    conditions.and("coalesce(mark.deleted, 0) = 0", []);
    conditions.and(
        "alert.budget_id in (select unhex(value) from json_each(?))",
        [Value::Text(format!("[{}]", quoted(&budgets)))],
    );
    conditions.and("alert.seq < ?", [Value::Integer(before)]);
    match query.status {
        AlertStatus::All => {}
        AlertStatus::Current => conditions.and("coalesce(mark.snoozed_until_ms, 0) <= ?", now()),
        AlertStatus::Snoozed => conditions.and("mark.snoozed_until_ms > ?", now()),
        AlertStatus::Unread => {
            conditions.and("mark.read_at_ms is null", []);
            conditions.and("coalesce(mark.snoozed_until_ms, 0) <= ?", now());
        }
    }
    conditions
}

/// Ids are hexadecimal digits: nothing in them needs escaping.
fn quoted(ids: &[String]) -> String {
    ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(",")
}

fn find_seq(connection: &Connection, id: AlertId) -> Result<Option<i64>, StoreError> {
    Ok(connection.prepare_cached(FIND_SEQ)?.query_row([id.bytes()], |row| row.get(0)).optional()?)
}

fn list(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<FiredAlert>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let alerts = statement.query_and_then(parameters, |row: &Row<'_>| read(&mut Columns::of(row)))?;
    alerts.collect()
}

fn read(columns: &mut Columns<'_>) -> Result<FiredAlert, StoreError> {
    Ok(FiredAlert {
        id: columns.next_id()?,
        budget_id: columns.next_id()?,
        period_start: columns.next_instant()?,
        period_end: columns.next_instant_option()?.unwrap_or(Timestamp::MAX),
        threshold: columns.next()?,
        definition: columns.next()?,
        exceeded: columns.next()?,
        kind: columns.next_word(AlertKind::from_name)?,
        amount: columns.next().map(Money::from_nanos)?,
        conversion: columns.next::<Option<String>>()?.map(|json| read_conversion(&json)).transpose()?,
        spent: columns.next().map(Money::from_nanos)?,
        event_id: columns.next_id()?,
        at: columns.next_instant()?,
    })
}

fn read_conversion(json: &str) -> Result<Conversion, StoreError> {
    serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))
}

fn read_mark(columns: &mut Columns<'_>) -> Result<AlertMark, StoreError> {
    Ok(AlertMark {
        read_at: columns.next_instant_option()?,
        snoozed_until: columns.next_instant_option()?,
        deleted: columns.next()?,
    })
}
