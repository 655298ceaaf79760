//! Pages of records.
//!
//! What is visible may be many projects, each of which has an index in the order of time. A page is merged from the
//! first places of each, so that a member with few records need not wait for a scan of everybody's.

use std::cmp::Ordering;

use domain::query::{PageStart, RecordQuery, RecordSort};
use rusqlite::{params_from_iter, types::Value};

use super::{
    aggregate,
    columns::Columns,
    condition::Conditions,
    cursor::Cursor,
    filter::{self, Part},
    readers::ReadTx,
    record,
};
use crate::{RecordPage, StoreError};

/// A record's place in the order asked for: first by what is sorted by, then by time.
#[derive(Debug, Clone, Copy)]
struct Place {
    sort_value: Option<i64>,
    cursor: Cursor,
}

/// Answers `query`.
pub(super) fn list(tx: &mut ReadTx<'_>, query: &RecordQuery) -> Result<RecordPage, StoreError> {
    let (skipped, after) = start(query)?;
    let mut beyond = Conditions::default();
    if let Some(Cursor { occurred_at_ms, seq }) = after {
        let is_beyond = if query.descending {
            "(r.occurred_at_ms, r.seq) < (?, ?)"
        } else {
            "(r.occurred_at_ms, r.seq) > (?, ?)"
        };
        beyond.and(is_beyond, [Value::Integer(occurred_at_ms), Value::Integer(seq)]);
    }
    // One more than the page tells whether there is another.
    let wanted = skipped.saturating_add(query.limit).saturating_add(1);
    let mut places = Vec::new();
    for part in filter::parts_in_time(tx.connection, &query.filter, &beyond)? {
        add_places(tx, query, &part, wanted, &mut places)?;
        keep_first(&mut places, query.descending, wanted);
    }
    let mut page: Vec<Place> = places.into_iter().skip(skipped).take(query.limit.saturating_add(1)).collect();
    let has_more = page.len() > query.limit;
    page.truncate(query.limit);
    let records = page.iter().map(|place| record::load(tx.connection, tx.names, place.cursor.seq));
    let records = records.collect::<Result<_, _>>()?;
    let last = page.last().filter(|_| has_more && query.sort == RecordSort::Timestamp);
    let next_cursor = last.map(|place| place.cursor.to_text());
    let total = if query.count { Some(aggregate::count(tx, &query.filter)?) } else { None };
    Ok(RecordPage { records, next_cursor, total })
}

fn start(query: &RecordQuery) -> Result<(usize, Option<Cursor>), StoreError> {
    match &query.start {
        PageStart::Offset(records) => Ok((usize::try_from(*records).unwrap_or(usize::MAX), None)),
        PageStart::Cursor(text) if query.sort == RecordSort::Timestamp => Ok((0, Some(Cursor::parse(text)?))),
        PageStart::Cursor(_) => Err(StoreError::BadCursor),
    }
}

fn add_places(
    tx: &ReadTx<'_>,
    query: &RecordQuery,
    Part { table, conditions }: &Part,
    wanted: usize,
    places: &mut Vec<Place>,
) -> Result<(), StoreError> {
    let order = match (query.sort, query.descending) {
        (RecordSort::Timestamp, false) => "r.occurred_at_ms, r.seq",
        (RecordSort::Timestamp, true) => "r.occurred_at_ms desc, r.seq desc",
        (_, false) => "1, r.occurred_at_ms, r.seq",
        (_, true) => "1 desc, r.occurred_at_ms desc, r.seq desc",
    };
    let (sort_by, all) = (sort_column(query.sort), conditions.sql());
    let sql =
        format!("select {sort_by}, r.occurred_at_ms, r.seq from {table} {all} order by {order} limit ?");
    let limit = Value::Integer(i64::try_from(wanted).unwrap_or(i64::MAX));
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(conditions.parameters().chain([limit])))?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let sort_value = columns.next()?;
        places.push(Place {
            sort_value,
            cursor: Cursor { occurred_at_ms: columns.next()?, seq: columns.next()? },
        });
    }
    Ok(())
}

/// Keeps the places that can be on the page: what is in memory does not grow with the parts.
fn keep_first(places: &mut Vec<Place>, descending: bool, wanted: usize) {
    places.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
    places.truncate(wanted);
}

const fn sort_column(sort: RecordSort) -> &'static str {
    match sort {
        RecordSort::Timestamp => "null",
        RecordSort::Cost => "r.cost_nanos",
        RecordSort::TotalTokens => {
            "coalesce(r.input_tokens + r.output_tokens, r.input_tokens, r.output_tokens, r.total_tokens)"
        }
        RecordSort::ResponseTime => "r.response_time_ms",
    }
}

/// What is unknown is the smallest, here as in SQLite.
fn compare(a: &Place, b: &Place) -> Ordering {
    a.sort_value.cmp(&b.sort_value).then_with(|| a.cursor.cmp(&b.cursor))
}
