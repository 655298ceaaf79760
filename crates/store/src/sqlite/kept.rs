//! Records in the order in which they were kept, and how far somebody has followed them.

use domain::{
    delivery::NewDelivery,
    event::{Event, EventType},
    usage_record::UsageRecord,
    webhook::Webhook,
};
use rusqlite::{Connection, OptionalExtension as _};

use super::{ReadTx, outbox, record};
use crate::StoreError;

/// The number of the last record that was ever kept.
macro_rules! last_place {
    () => {
        "max((select seq from place where name = 'kept'), (select coalesce(max(seq), 0) from usage_record))"
    };
}
pub(super) use last_place;

const LAST: &str = concat!("select ", last_place!());
const NOTE_LAST: &str = concat!("update place set seq = ", last_place!(), " where name = 'kept'");
const COUNT_ASKING: &str = "
    select count(*) from webhook where enabled and not of_budget and events like '%usage.tracked%'";
const FIND_TOLD: &str = "select seq from place where name = 'told'";
const NOTE_TOLD: &str =
    "insert into place (name, seq) values ('told', ?1) on conflict do update set seq = excluded.seq";

/// The place of the last record that was ever kept.
pub(super) fn last(connection: &Connection) -> Result<u64, StoreError> {
    outbox::count(connection, LAST, [])
}

/// Notes the last place before records are deleted: a number is not given twice.
pub(super) fn note_last(connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached(NOTE_LAST)?.execute([])?;
    Ok(())
}

/// Records from behind `after`, in their order.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, UsageRecord)>, StoreError> {
    let mut statement = tx.connection.prepare_cached(record::LIST_BY_PLACE)?;
    let mut rows = statement.query((i64::try_from(after).unwrap_or(i64::MAX), outbox::number(limit)))?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let kept = record::read(row, tx.connection, tx.names)?;
        list.push((kept.seq.unsigned_abs(), kept.record));
    }
    Ok(list)
}

/// Does `change`, which makes `webhook` what it is. The first that asks for what is recorded is told from here on.
pub(super) fn telling<T>(
    connection: &Connection,
    webhook: &Webhook,
    change: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let is_first =
        webhook.wants(EventType::UsageTracked) && outbox::count(connection, COUNT_ASKING, [])? == 0;
    if is_first {
        note_told(connection, last(connection)?)?;
    }
    change(connection)
}

/// Up to where webhooks were told of records.
pub(super) fn find_told(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let told: Option<i64> =
        connection.prepare_cached(FIND_TOLD)?.query_row([], |row| row.get(0)).optional()?;
    Ok(told.map(i64::unsigned_abs))
}

/// Keeps events about records, and up to where they tell.
pub(super) fn tell(
    connection: &Connection,
    events: &[(Event, Vec<NewDelivery>)],
    after: u64,
    place: u64,
) -> Result<(), StoreError> {
    if find_told(connection)?.unwrap_or(0) != after {
        return Err(StoreError::Conflict("place"));
    }
    for (event, deliveries) in events {
        outbox::insert_event(connection, event, deliveries)?;
    }
    note_told(connection, place)
}

fn note_told(connection: &Connection, place: u64) -> Result<(), StoreError> {
    connection.prepare_cached(NOTE_TOLD)?.execute([i64::try_from(place).unwrap_or(i64::MAX)])?;
    Ok(())
}
