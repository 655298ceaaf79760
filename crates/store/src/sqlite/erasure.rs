//! Taking a person out of the records: what they cost stays.

use rusqlite::{Connection, named_params, params};

use super::{
    Sqlite, connection,
    dictionary::{self, Dictionary, Kind},
    names::Names,
    run_blocking,
    writer::WriteTx,
};
use crate::{
    StoreError,
    erasure::{ErasureCount, Person},
    limits,
};

/// Records of a person, and what of them is personal.
const COUNT: &str = "
    select count(*), count(c.seq), count(distinct r.session_id), count(distinct r.trace_id)
      from usage_record r left join usage_content c on c.seq = r.seq
     where r.user_email = ?1 or r.customer_email = ?2";
const LIST: &str = "
    select r.seq from usage_record r
     where r.seq > ?3 and (r.user_email = ?1 or r.customer_email = ?2)
     order by r.seq limit ?4";
const CLEAN: &str = "
    update usage_record
       set session_id = null, trace_id = null, error_message = null,
           request_id = case when instr(lower(request_id), :user) = 0 and instr(lower(request_id), :customer) = 0
                             then request_id end,
           other_keys = case when instr(lower(other_keys), :user) = 0 and instr(lower(other_keys), :customer) = 0
                             then other_keys end,
           metadata = case when json_type(metadata, '$.sideCalls') = 'array'
                           then json_object('sideCalls', json(json_extract(metadata, '$.sideCalls'))) end
     where seq = :seq";
const DELETE_CONTENT: &str = "delete from usage_content where seq = ?1";
const RENAME: &str = "update dimension_value set value = ?2 where id = ?1";
const COUNT_EVENTS: &str =
    "select count(*) from event where type <> 'usage.tracked' and instr(lower(payload), ?1) > 0";
const CLEAN_EVENTS: &str = "
    update event set payload = replace(payload, ?1, ?2) where type <> 'usage.tracked' and instr(payload, ?1) > 0";
const CLEAN_DELIVERIES: &str = "
    update delivery set target = replace(target, ?1, ?2), lane = replace(lane, ?1, ?2)
     where state <> 'waiting' and channel = 'email' and target = ?1";
const CLEAN_ATTEMPTS: &str = "
    update delivery_attempt
       set excerpt = replace(excerpt, ?1, ?2), failure = replace(failure, ?1, ?2)
     where instr(coalesce(excerpt, '') || coalesce(failure, ''), ?1) > 0";
/// What waits to become a record keeps its counts.
const CLEAN_AGGREGATES: &str = "
    update aggregate
       set call = json_set(json_remove(call, '$.metadata', '$.session_id', '$.trace_id', '$.customer_email'),
                           '$.user_email', ?2, '$.metadata', '{\"aggregate\":true}')
     where call is not null and instr(lower(call), ?1) > 0";
const CHECKPOINT: &str = "pragma wal_checkpoint(truncate)";

/// The person's numbers in the dictionary; 0, which is none, for an address that no record has.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    user: i64,
    customer: i64,
}

impl Numbers {
    fn find(connection: &Connection, person: &Person) -> Result<Self, StoreError> {
        let find = |kind, address: &Option<String>| match address {
            Some(address) => dictionary::find(connection, kind, address).map(Option::unwrap_or_default),
            None => Ok(0),
        };
        Ok(Self {
            user: find(Kind::UserEmail, &person.user_email)?,
            customer: find(Kind::CustomerEmail, &person.customer_email)?,
        })
    }
}

/// How much there is of a person.
pub(super) async fn count(store: &Sqlite, person: Person) -> Result<ErasureCount, StoreError> {
    store
        .read(move |tx| {
            let Numbers { user, customer } = Numbers::find(tx.connection, &person)?;
            let mut count = tx.connection.query_row(COUNT, (user, customer), |row| {
                let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                Ok(ErasureCount {
                    records: number(0)?,
                    contents: number(1)?,
                    sessions: number(2)?,
                    traces: number(3)?,
                    events: 0,
                })
            })?;
            for address in person.addresses() {
                count.events += super::outbox::count(tx.connection, COUNT_EVENTS, [address])?;
            }
            Ok(count)
        })
        .await
}

/// Takes a person out. What is personal goes first and the address last, so that after a crash it can be done again.
pub(super) async fn erase(store: &Sqlite, person: Person, pseudonym: String) -> Result<(), StoreError> {
    let found = person.clone();
    let numbers = store.read(move |tx| Numbers::find(tx.connection, &found)).await?;
    let cleaned = clean_records(store, &person, numbers, 0).await?;
    let renamed = person.clone();
    store.write(limits::SMALL_WRITE_BYTES, move |tx| rename(tx, &renamed, numbers, &pseudonym)).await?;
    store.inner.readers.forget_names();
    // Those that arrived meanwhile.
    clean_records(store, &person, numbers, cleaned).await?;
    Ok(())
}

/// Moves the log into the database and empties it: what was deleted is not in the files any more. `false` if somebody reads.
pub(super) async fn empty_log(store: &Sqlite) -> Result<bool, StoreError> {
    let path = store.inner.path.clone();
    run_blocking(move || {
        let connection = connection::open_to_write(&path, None)?;
        let is_busy: i64 = connection.query_row(CHECKPOINT, [], |row| row.get(0))?;
        Ok(is_busy == 0)
    })
    .await
}

/// Cleans records from behind `after`; up to where.
async fn clean_records(
    store: &Sqlite,
    person: &Person,
    numbers: Numbers,
    after: i64,
) -> Result<i64, StoreError> {
    let mut last = after;
    loop {
        let limit = limits::ERASED_RECORDS;
        let page = store.read(move |tx| list(tx.connection, numbers, last, limit)).await?;
        let Some(end) = page.last().copied() else { return Ok(last) };
        let person = person.clone();
        let bytes = page.len() * limits::SMALL_WRITE_BYTES;
        store.write(bytes, move |tx| clean(tx.connection, &person, &page)).await?;
        last = end;
    }
}

fn list(connection: &Connection, numbers: Numbers, after: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(LIST)?;
    let row = (numbers.user, numbers.customer, after, super::outbox::number(limit));
    Ok(statement.query_map(row, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn clean(connection: &Connection, person: &Person, records: &[i64]) -> Result<(), StoreError> {
    // Nothing contains a zero byte.
    let or_nothing = |address: &Option<String>| address.clone().unwrap_or_else(|| "\0".to_owned());
    let (user, customer) = (or_nothing(&person.user_email), or_nothing(&person.customer_email));
    let mut clean = connection.prepare_cached(CLEAN)?;
    let mut delete_content = connection.prepare_cached(DELETE_CONTENT)?;
    for seq in records {
        clean.execute(named_params! { ":seq": seq, ":user": user, ":customer": customer })?;
        delete_content.execute([seq])?;
    }
    Ok(())
}

fn rename(
    tx: &mut WriteTx<'_>,
    person: &Person,
    numbers: Numbers,
    pseudonym: &str,
) -> Result<(), StoreError> {
    for number in [numbers.user, numbers.customer].into_iter().filter(|number| *number != 0) {
        tx.connection.execute(RENAME, params![number, pseudonym])?;
    }
    for address in person.addresses() {
        for sql in [CLEAN_EVENTS, CLEAN_DELIVERIES, CLEAN_ATTEMPTS, CLEAN_AGGREGATES] {
            tx.connection.execute(sql, (address, pseudonym))?;
        }
    }
    *tx.dictionary = Dictionary::default();
    *tx.names = Names::default();
    Ok(())
}
