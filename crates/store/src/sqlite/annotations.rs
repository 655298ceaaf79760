//! Annotations, on SQLite.

use async_trait::async_trait;
use domain::{AnnotationId, ProjectId, annotation::Annotation};
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter, types::Value};

use super::{
    Sqlite,
    columns::{Columns, damaged, first_ms_from},
    condition::Conditions,
    outbox::{count, number},
};
use crate::{
    StoreError,
    annotation::{AnnotationQuery, AnnotationStore},
    limits::SMALL_WRITE_BYTES,
};

const INSERT: &str = "
    insert into annotation (id, project_id, at_ms, title, tags, link, created_by, created_at_ms)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict do nothing";
const SELECT: &str = "
    select id, project_id, at_ms, title, tags, link, created_by, created_at_ms from annotation ";
const OF_MOMENT: &str = "where coalesce(project_id, x'') = ?1 and at_ms = ?2 and title = ?3";
const FIND_PLACE: &str = "select at_ms, seq from annotation where id = ?1";
const COUNT: &str = "select count(*) from annotation";
const DELETE: &str = "delete from annotation where id = ?1";

#[async_trait]
impl AnnotationStore for Sqlite {
    async fn insert_annotation(&self, annotation: &Annotation) -> Result<Annotation, StoreError> {
        let annotation = annotation.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| insert(tx.connection, &annotation)).await
    }

    async fn find_annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(&format!("{SELECT} where id = ?1"))?;
            let mut found = statement.query_and_then([id.bytes()], read)?;
            found.next().transpose()
        })
        .await
    }

    async fn list_annotations(&self, query: &AnnotationQuery) -> Result<Vec<Annotation>, StoreError> {
        let query = query.clone();
        self.read(move |tx| list(tx.connection, &query)).await
    }

    async fn count_annotations(&self) -> Result<u64, StoreError> {
        self.read(|tx| count(tx.connection, COUNT, [])).await
    }

    async fn delete_annotation(&self, id: AnnotationId) -> Result<bool, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            Ok(tx.connection.prepare_cached(DELETE)?.execute([id.bytes()])? > 0)
        })
        .await
    }
}

fn insert(connection: &Connection, annotation: &Annotation) -> Result<Annotation, StoreError> {
    let Annotation { id, project_id, at, title, tags, link, created_by, created_at } = annotation;
    let tags = serde_json::to_string(tags).map_err(|error| damaged(&error.to_string()))?;
    let row = params![
        id.bytes(),
        project_id.as_ref().map(ProjectId::bytes),
        at.as_millisecond(),
        title,
        tags,
        link,
        created_by.bytes(),
        created_at.as_millisecond(),
    ];
    connection.prepare_cached(INSERT)?.execute(row)?;
    let project: &[u8] = project_id.as_ref().map_or(&[], |id| id.bytes().as_slice());
    let mut statement = connection.prepare_cached(&format!("{SELECT} {OF_MOMENT}"))?;
    let mut kept = statement.query_and_then(params![project, at.as_millisecond(), title], read)?;
    kept.next().unwrap_or_else(|| Err(damaged("an annotation is not where it was put")))
}

fn list(connection: &Connection, query: &AnnotationQuery) -> Result<Vec<Annotation>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.and("at_ms >= ?", [Value::Integer(first_ms_from(query.period.start))]);
    conditions.and("at_ms < ?", [Value::Integer(first_ms_from(query.period.end))]);
    if let Some(projects) = &query.projects {
        // Ids are hexadecimal digits: nothing in them needs escaping.
        let ids: Vec<String> = projects.iter().map(|id| format!("\"{id}\"")).collect();
        let list = Value::Text(format!("[{}]", ids.join(",")));
        conditions
            .and("(project_id is null or project_id in (select unhex(value) from json_each(?)))", [list]);
    }
    if let Some(before) = query.before {
        let place: Option<(i64, i64)> = connection
            .prepare_cached(FIND_PLACE)?
            .query_row([before.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (at_ms, seq) = place.ok_or(StoreError::BadCursor)?;
        conditions.and("(at_ms, seq) < (?, ?)", [Value::Integer(at_ms), Value::Integer(seq)]);
    }
    let sql = format!("{SELECT} {} order by at_ms desc, seq desc limit ?", conditions.sql());
    let mut statement = connection.prepare_cached(&sql)?;
    let parameters = conditions.parameters().chain([Value::Integer(number(query.limit))]);
    statement.query_and_then(params_from_iter(parameters), read)?.collect()
}

fn read(row: &Row<'_>) -> Result<Annotation, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Annotation {
        id: columns.next_id()?,
        project_id: columns.next_id_option()?,
        at: columns.next_instant()?,
        title: columns.next()?,
        tags: serde_json::from_str(&columns.next::<String>()?)
            .map_err(|error| damaged(&error.to_string()))?,
        link: columns.next()?,
        created_by: columns.next_id()?,
        created_at: columns.next_instant()?,
    })
}
