//! Anomalies of spending, on SQLite.

use async_trait::async_trait;
use domain::{
    AnomalyId, ProjectId,
    anomaly::{Anomaly, Basis, Expectation, Series, Span, Usual},
};
use jiff::Timestamp;
use pricing::Money;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter, types::Value};

use super::{
    Sqlite,
    columns::Columns,
    condition::Conditions,
    outbox::{insert_event, number},
};
use crate::{
    StoreError,
    anomaly::{AnomalyQuery, AnomalyStore, NewAnomaly},
    limits::SMALL_WRITE_BYTES,
};

const INSERT: &str = "
    insert into anomaly (id, project_id, provider, model, span, start_ms, spent_nanos, median_nanos, deviation_nanos,
                         samples, basis, event_id, at_ms)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        on conflict do nothing";
/// The index is on `coalesce(project_id, x'')`: calls without a project are a series too.
const IS_QUIET: &str = "
    select exists (select 1 from anomaly where coalesce(project_id, x'') = ?1 and provider = ?2 and model = ?3
                      and span = ?4 and start_ms >= ?5)";
const FIND_EXPECTED: &str = "
    select max(spent_nanos) from anomaly where coalesce(project_id, x'') = ?1 and provider = ?2 and model = ?3
       and span = ?4 and start_ms >= ?5 and expected_by is not null";
const SELECT: &str = "
    select id, project_id, provider, model, span, start_ms, spent_nanos, median_nanos, deviation_nanos, samples, basis,
           event_id, at_ms, expected_by, expected_at_ms, note
      from anomaly ";
const FIND_SEQ: &str = "select seq from anomaly where id = ?1";
const MARK: &str = "update anomaly set expected_by = ?2, expected_at_ms = ?3, note = ?4 where id = ?1";

#[async_trait]
impl AnomalyStore for Sqlite {
    async fn insert_anomaly(&self, found: &NewAnomaly) -> Result<bool, StoreError> {
        let found = found.clone();
        let bytes = SMALL_WRITE_BYTES * (2 + found.deliveries.len());
        self.write(bytes, move |tx| {
            let is_new = insert(tx.connection, &found)?;
            if is_new {
                insert_event(tx.connection, &found.event, &found.deliveries)?;
            }
            Ok(is_new)
        })
        .await
    }

    async fn find_anomaly(&self, id: AnomalyId) -> Result<Option<Anomaly>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(&format!("{SELECT} where id = ?1"))?;
            let mut found = statement.query_and_then([id.bytes()], read)?;
            found.next().transpose()
        })
        .await
    }

    async fn list_anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
        let query = query.clone();
        self.read(move |tx| list(tx.connection, &query)).await
    }

    async fn find_expected(
        &self,
        series: &Series,
        span: Span,
        since: Timestamp,
    ) -> Result<Option<Money>, StoreError> {
        let series = series.clone();
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(FIND_EXPECTED)?;
            let most: Option<i64> = statement.query_row(
                params![
                    project_of(&series),
                    series.provider,
                    series.model,
                    span.as_str(),
                    since.as_millisecond()
                ],
                |row| row.get(0),
            )?;
            Ok(most.map(Money::from_nanos))
        })
        .await
    }

    async fn mark_anomaly(&self, id: AnomalyId, expected: Option<&Expectation>) -> Result<bool, StoreError> {
        let expected = expected.cloned();
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let row = params![
                id.bytes(),
                expected.as_ref().map(|expected| expected.by.bytes()),
                expected.as_ref().map(|expected| expected.at.as_millisecond()),
                expected.as_ref().map(|expected| expected.note.as_str()),
            ];
            Ok(tx.connection.prepare_cached(MARK)?.execute(row)? > 0)
        })
        .await
    }
}

fn insert(connection: &Connection, found: &NewAnomaly) -> Result<bool, StoreError> {
    let Anomaly { id, series, span, start, spent, usual, event_id, at, expected: _ } = &found.anomaly;
    let is_quiet: bool = connection.prepare_cached(IS_QUIET)?.query_row(
        params![
            project_of(series),
            series.provider,
            series.model,
            span.as_str(),
            found.quiet_since.as_millisecond()
        ],
        |row| row.get(0),
    )?;
    if is_quiet {
        return Ok(false);
    }
    let row = params![
        id.bytes(),
        series.project_id.as_ref().map(ProjectId::bytes),
        series.provider,
        series.model,
        span.as_str(),
        start.as_millisecond(),
        spent.nanos(),
        usual.median.nanos(),
        usual.deviation.nanos(),
        usual.samples,
        usual.basis.as_str(),
        event_id.bytes(),
        at.as_millisecond(),
    ];
    Ok(connection.prepare_cached(INSERT)?.execute(row)? > 0)
}

/// As the index has it.
fn project_of(series: &Series) -> &[u8] {
    series.project_id.as_ref().map_or(&[], |id| id.bytes().as_slice())
}

fn list(connection: &Connection, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(projects) = &query.projects {
        // Ids are hexadecimal digits: nothing in them needs escaping.
        let ids: Vec<String> = projects.iter().map(|id| format!("\"{id}\"")).collect();
        let list = Value::Text(format!("[{}]", ids.join(",")));
        conditions.and("project_id in (select unhex(value) from json_each(?))", [list]);
    }
    match query.expected {
        Some(true) => conditions.and("expected_by is not null", []),
        Some(false) => conditions.and("expected_by is null", []),
        None => {}
    }
    if let Some(before) = query.before {
        let seq: Option<i64> =
            connection.prepare_cached(FIND_SEQ)?.query_row([before.bytes()], |row| row.get(0)).optional()?;
        conditions.and("seq < ?", [Value::Integer(seq.ok_or(StoreError::BadCursor)?)]);
    }
    let sql = format!("{SELECT} {} order by seq desc limit ?", conditions.sql());
    let mut statement = connection.prepare_cached(&sql)?;
    let parameters = conditions.parameters().chain([Value::Integer(number(query.limit))]);
    statement.query_and_then(params_from_iter(parameters), read)?.collect()
}

fn read(row: &Row<'_>) -> Result<Anomaly, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Anomaly {
        id: columns.next_id()?,
        series: Series {
            project_id: columns.next_id_option()?,
            provider: columns.next()?,
            model: columns.next()?,
        },
        span: columns.next_word(Span::from_name)?,
        start: columns.next_instant()?,
        spent: columns.next().map(Money::from_nanos)?,
        usual: Usual {
            median: columns.next().map(Money::from_nanos)?,
            deviation: columns.next().map(Money::from_nanos)?,
            samples: columns.next()?,
            basis: columns.next_word(Basis::from_name)?,
        },
        event_id: columns.next_id()?,
        at: columns.next_instant()?,
        expected: read_expectation(&mut columns)?,
    })
}

fn read_expectation(columns: &mut Columns<'_>) -> Result<Option<Expectation>, StoreError> {
    let by = columns.next_id_option()?;
    let at = columns.next_instant_option()?;
    let note: Option<String> = columns.next()?;
    Ok(by.zip(at).map(|(by, at)| Expectation { by, at, note: note.unwrap_or_default() }))
}
