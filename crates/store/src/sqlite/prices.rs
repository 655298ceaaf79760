//! What the operator says of prices, on SQLite.

use async_trait::async_trait;
use domain::UserId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, columns::damaged};
use crate::{PriceDocument, PriceRevision, PriceStore, StoreError};

const FIND: &str = "
    select number, json, note, author, at_ms from price_revision
     where document = ?1 order by number desc limit 1";
const LIST: &str = "
    select number, '', note, author, at_ms from price_revision where document = ?1 order by number desc";
const NEWEST: &str = "select coalesce(max(number), 0) from price_revision where document = ?1";
const INSERT: &str = "
    insert into price_revision (document, number, json, note, author, at_ms) values (?1, ?2, ?3, ?4, ?5, ?6)";

#[async_trait]
impl PriceStore for Sqlite {
    async fn find_price_revision(
        &self,
        document: PriceDocument,
    ) -> Result<Option<PriceRevision>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(FIND)?;
            let found = statement.query_row([code(document)], read).optional()?;
            found.map(|columns| revision(document, columns)).transpose()
        })
        .await
    }

    async fn insert_price_revision(&self, revision: &PriceRevision) -> Result<(), StoreError> {
        let revision = revision.clone();
        self.write(revision.json.len(), move |tx| insert(tx.connection, &revision)).await
    }

    async fn list_price_revisions(&self, document: PriceDocument) -> Result<Vec<PriceRevision>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.connection.prepare_cached(LIST)?;
            let rows = statement.query_map([code(document)], read)?;
            rows.map(|columns| revision(document, columns?)).collect()
        })
        .await
    }
}

fn insert(connection: &Connection, revision: &PriceRevision) -> Result<(), StoreError> {
    let number =
        i64::try_from(revision.number).map_err(|_| damaged("a number of a revision is too large"))?;
    let newest: i64 = connection.query_row(NEWEST, [code(revision.document)], |row| row.get(0))?;
    if number != newest + 1 {
        return Err(StoreError::Conflict("revision"));
    }
    connection.prepare_cached(INSERT)?.execute(params![
        code(revision.document),
        number,
        revision.json,
        revision.note,
        revision.author.map(|author| *author.bytes()),
        revision.at.as_millisecond(),
    ])?;
    Ok(())
}

/// Stored for ever: a code is never given to another document.
const fn code(document: PriceDocument) -> i64 {
    match document {
        PriceDocument::Catalog => 1,
        PriceDocument::Mappings => 2,
        PriceDocument::Adjustments => 3,
        PriceDocument::Repricing => 4,
    }
}

type Columns = (i64, String, String, Option<[u8; 12]>, i64);

fn read(row: &Row<'_>) -> rusqlite::Result<Columns> {
    row.try_into()
}

fn revision(document: PriceDocument, columns: Columns) -> Result<PriceRevision, StoreError> {
    let (number, json, note, author, at_ms) = columns;
    Ok(PriceRevision {
        document,
        number: u64::try_from(number).map_err(|_| damaged("a number of a revision is negative"))?,
        json,
        note,
        author: author.map(UserId::from_bytes),
        at: Timestamp::from_millisecond(at_ms).map_err(|_| damaged("a time is out of range"))?,
    })
}
