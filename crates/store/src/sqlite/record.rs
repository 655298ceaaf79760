//! Records as rows.

mod row;

use domain::{
    UsageId,
    allocation::CostAllocation,
    usage_record::{Content, UsageRecord},
};
use pricing::{Money, Unit, Usage};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use self::row::RecordRow;
pub(super) use self::row::read_usage;
use super::{
    codes::{Code as _, flag_bits},
    columns::{Columns, count},
    dictionary::Kind,
    kept::last_place,
    names::Names,
    rollup::{self, day_of},
    writer::WriteTx,
};
use crate::StoreError;

/// The columns that [`RecordRow::read`] reads, in its order.
macro_rules! record_columns {
    () => {
        "id, user, project, provider, model, response_model, operation, service_tier, region,
         search_type,
         origin, status, cost_source, flags, occurred_at_ms, recorded_at_ms,
         input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
         counts,
         cost_nanos, list_cost_nanos, cache_savings_nanos, price, adjustments, unpriced_reason,
         error_code, error_message, response_time_ms, time_to_first_token_ms,
         department, team, purpose, client, campaign, allocation_other, tag_set,
         user_email, customer_email, session_id, trace_id, request_id, metadata,
         tracker_key, other_keys"
    };
}

const INSERT: &str = concat!(
    "insert into usage_record (seq, ",
    record_columns!(),
    ") values (",
    last_place!(),
    " + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
               ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39,
               ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48)"
);
const FIND_BY_ID: &str = concat!("select ", record_columns!(), ", seq from usage_record where id = ?1");
const FIND_BY_SEQ: &str = concat!("select ", record_columns!(), ", seq from usage_record where seq = ?1");
const INSERT_CONTENT: &str = "insert into usage_content (seq, prompt, completion) values (?1, ?2, ?3)";
const FIND_CONTENT: &str = "select prompt, completion from usage_content where seq = ?1";

/// Records in the order in which they were kept.
pub(super) const LIST_BY_PLACE: &str =
    concat!("select ", record_columns!(), ", seq from usage_record where seq > ?1 order by seq limit ?2");

/// Every record of a span of time.
pub(super) const LIST_BY_TIME: &str = concat!(
    "select ",
    record_columns!(),
    ", seq from usage_record indexed by usage_record_by_time
      where occurred_at_ms >= ?1 and occurred_at_ms < ?2"
);

/// Units with a column of their own, in its order; the others share `counts`.
const COLUMN_UNITS: [Unit; 6] = [
    Unit::InputTokens,
    Unit::OutputTokens,
    Unit::TotalTokens,
    Unit::CacheReadTokens,
    Unit::CacheWriteTokens,
    Unit::ReasoningTokens,
];

/// A kept record, without its content, and where it is.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seq: i64,
    pub(super) rollup_key: rollup::Key,
    pub(super) record: UsageRecord,
}

/// Numbers of what a record is attributed to, which may be corrected later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribution {
    pub(super) project: Option<i64>,
    pub(super) department: Option<i64>,
    pub(super) team: Option<i64>,
    pub(super) purpose: Option<i64>,
    pub(super) client: Option<i64>,
    pub(super) campaign: Option<i64>,
    pub(super) tag_set: Option<i64>,
}

impl Attribution {
    /// Gives numbers to what `record` is attributed to.
    pub(super) fn intern(tx: &mut WriteTx<'_>, record: &UsageRecord) -> Result<Self, StoreError> {
        let CostAllocation { department, team, purpose, client, campaign, other: _ } = &record.allocation;
        let project = record.project_id.map(|project| project.to_string());
        Ok(Self {
            project: tx.intern_option(Kind::Project, project.as_ref())?,
            department: tx.intern_option(Kind::Department, department.as_ref())?,
            team: tx.intern_option(Kind::Team, team.as_ref())?,
            purpose: tx.intern_option(Kind::Purpose, purpose.as_ref())?,
            client: tx.intern_option(Kind::Client, client.as_ref())?,
            campaign: tx.intern_option(Kind::Campaign, campaign.as_ref())?,
            tag_set: tx.dictionary.intern_tags(tx.connection, &record.tags)?,
        })
    }
}

impl WriteTx<'_> {
    /// The number of `value`.
    pub(super) fn intern(&mut self, kind: Kind, value: &str) -> Result<i64, StoreError> {
        self.dictionary.intern(self.connection, kind, value)
    }

    /// The number of `value`, if there is one.
    pub(super) fn intern_option(
        &mut self,
        kind: Kind,
        value: Option<&String>,
    ) -> Result<Option<i64>, StoreError> {
        value.map(|value| self.intern(kind, value)).transpose()
    }
}

/// Keeps a record of `user`; the key of its part of the rollup.
pub(super) fn insert(
    tx: &mut WriteTx<'_>,
    user: i64,
    record: &UsageRecord,
) -> Result<rollup::Key, StoreError> {
    let to = Attribution::intern(tx, record)?;
    let provider = tx.intern(Kind::Provider, &record.provider)?;
    let model = tx.intern(Kind::Model, &record.model)?;
    let price =
        record.price.as_ref().map(|price| tx.dictionary.intern_price(tx.connection, price)).transpose()?;
    let unit = |index: usize| record.usage.get(COLUMN_UNITS[index]).map(count).transpose();
    tx.connection.prepare_cached(INSERT)?.execute(params![
        record.id.bytes(),
        user,
        to.project,
        provider,
        model,
        tx.intern_option(Kind::ResponseModel, record.response_model.as_ref())?,
        tx.intern_option(Kind::Operation, record.operation.as_ref())?,
        tx.intern_option(Kind::ServiceTier, record.service_tier.as_ref())?,
        tx.intern_option(Kind::Region, record.region.as_ref())?,
        tx.intern_option(Kind::SearchType, record.search_type.as_ref())?,
        record.origin.code(),
        record.status.code(),
        record.cost_source.code(),
        flag_bits(&record.flags),
        record.occurred_at.as_millisecond(),
        record.recorded_at.as_millisecond(),
        unit(0)?,
        unit(1)?,
        unit(2)?,
        unit(3)?,
        unit(4)?,
        unit(5)?,
        other_counts(&record.usage)?,
        record.cost.map(Money::nanos),
        record.list_cost.map(Money::nanos),
        record.cache_savings.map(Money::nanos),
        price,
        tx.dictionary.intern_adjustments(tx.connection, &record.adjustments)?,
        tx.intern_option(Kind::UnpricedReason, record.unpriced_reason.as_ref())?,
        tx.intern_option(Kind::ErrorCode, record.error.code.as_ref())?,
        record.error.message,
        record.response_time_ms.map(count).transpose()?,
        record.time_to_first_token_ms.map(count).transpose()?,
        to.department,
        to.team,
        to.purpose,
        to.client,
        to.campaign,
        other_allocation(&record.allocation)?,
        to.tag_set,
        tx.intern_option(Kind::UserEmail, record.user_email.as_ref())?,
        tx.intern_option(Kind::CustomerEmail, record.customer_email.as_ref())?,
        record.session_id,
        record.trace_id,
        record.request_id,
        record.metadata,
        tx.intern_option(Kind::TrackerKey, record.tracker_key_id.map(|id| id.to_string()).as_ref())?,
        other_keys(record)?,
    ])?;
    insert_content(tx.connection, record.content.as_ref())?;
    let day = day_of(record.occurred_at.as_millisecond());
    let cost_source = record.cost_source.code();
    Ok(rollup::Key { day, project: to.project.unwrap_or(0), user, provider, model, cost_source })
}

/// The record with this id, with its content.
pub(super) fn find(
    connection: &Connection,
    names: &mut Names,
    id: UsageId,
) -> Result<Option<Kept>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_BY_ID)?;
    let mut rows = statement.query([id.bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut kept = read(row, connection, names)?;
    kept.record.content = find_content(connection, kept.seq)?;
    Ok(Some(kept))
}

/// The record at `seq`, without its content.
pub(super) fn load(connection: &Connection, names: &mut Names, seq: i64) -> Result<UsageRecord, StoreError> {
    let mut statement = connection.prepare_cached(FIND_BY_SEQ)?;
    let mut rows = statement.query([seq])?;
    let row = rows.next()?.ok_or_else(|| StoreError::Damaged(format!("record {seq} is in an index only")))?;
    read(row, connection, names).map(|kept| kept.record)
}

/// The record of a row of [`LIST_BY_TIME`] or [`LIST_BY_PLACE`], without its content.
pub(super) fn read(row: &Row<'_>, connection: &Connection, names: &mut Names) -> Result<Kept, StoreError> {
    let mut reading = RecordRow { columns: Columns::of(row), connection, names };
    let record = reading.read()?;
    let seq = reading.columns.next()?;
    let mut columns = Columns::of(row);
    let _id: [u8; 12] = columns.next()?;
    let rollup_key = rollup::Key {
        day: day_of(record.occurred_at.as_millisecond()),
        user: columns.next()?,
        project: columns.next::<Option<i64>>()?.unwrap_or(0),
        provider: columns.next()?,
        model: columns.next()?,
        cost_source: record.cost_source.code(),
    };
    Ok(Kept { seq, rollup_key, record })
}

/// The further keys of an allocation as JSON.
pub(super) fn other_allocation(allocation: &CostAllocation) -> Result<Option<String>, StoreError> {
    let other = &allocation.other;
    if other.is_empty() {
        Ok(None)
    } else {
        serde_json::to_string(other).map(Some).map_err(|error| damaged(&error))
    }
}

/// The other keys of a record as JSON.
pub(super) fn other_keys(record: &UsageRecord) -> Result<Option<String>, StoreError> {
    let keys = &record.other_keys;
    let json = (!keys.is_empty()).then(|| serde_json::to_string(keys));
    json.transpose().map_err(|error| damaged(&error))
}

/// Memory that a record holds, about.
pub(super) fn bytes(record: &UsageRecord) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let content =
        record.content.as_ref().map_or(0, |content| length(&content.prompt) + length(&content.completion));
    size_of::<UsageRecord>() + 512 + content + length(&record.metadata) + length(&record.error.message)
}

fn other_counts(usage: &Usage) -> Result<Option<String>, StoreError> {
    let others: Usage = usage.iter().filter(|(unit, _)| !COLUMN_UNITS.contains(unit)).collect();
    if others.is_empty() {
        Ok(None)
    } else {
        serde_json::to_string(&others).map(Some).map_err(|error| damaged(&error))
    }
}

fn insert_content(connection: &Connection, content: Option<&Content>) -> Result<(), StoreError> {
    if let Some(Content { prompt, completion }) = content {
        let seq = connection.last_insert_rowid();
        connection.prepare_cached(INSERT_CONTENT)?.execute((seq, prompt, completion))?;
    }
    Ok(())
}

fn find_content(connection: &Connection, seq: i64) -> Result<Option<Content>, StoreError> {
    let read = |row: &Row<'_>| Ok(Content { prompt: row.get(0)?, completion: row.get(1)? });
    Ok(connection.prepare_cached(FIND_CONTENT)?.query_row([seq], read).optional()?)
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}
