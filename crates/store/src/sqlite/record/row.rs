//! Records from rows.

use domain::{
    Id,
    allocation::CostAllocation,
    usage_record::{CallError, UsageRecord},
};
use pricing::Usage;
use rusqlite::Connection;

use super::COLUMN_UNITS;
use crate::{
    StoreError,
    sqlite::{
        codes::{Code, flags_of},
        columns::{Columns, damaged},
        names::Names,
    },
};

/// A row of the columns of a record, and what its numbers stand for.
pub(super) struct RecordRow<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) connection: &'a Connection,
    pub(super) names: &'a mut Names,
}

impl RecordRow<'_> {
    /// The record, without its content. Fields are in the order of the columns.
    pub(super) fn read(&mut self) -> Result<UsageRecord, StoreError> {
        Ok(UsageRecord {
            id: self.columns.next_id()?,
            user_id: self.interned_id()?.ok_or_else(|| damaged("a record has no user"))?,
            project_id: self.interned_id()?,
            provider: self.interned()?.unwrap_or_default(),
            model: self.interned()?.unwrap_or_default(),
            response_model: self.interned()?,
            operation: self.interned()?,
            service_tier: self.interned()?,
            region: self.interned()?,
            search_type: self.interned()?,
            origin: self.code()?,
            status: self.code()?,
            cost_source: self.code()?,
            flags: self.columns.next().map(flags_of)?,
            occurred_at: self.columns.next_instant()?,
            recorded_at: self.columns.next_instant()?,
            usage: read_usage(&mut self.columns)?,
            cost: self.columns.next_money()?,
            list_cost: self.columns.next_money()?,
            cache_savings: self.columns.next_money()?,
            price: self.numbered(Names::price)?,
            adjustments: self.numbered(Names::adjustments)?.unwrap_or_default(),
            unpriced_reason: self.interned()?,
            error: CallError { code: self.interned()?, message: self.columns.next()? },
            response_time_ms: self.columns.next_count()?,
            time_to_first_token_ms: self.columns.next_count()?,
            allocation: CostAllocation {
                department: self.interned()?,
                team: self.interned()?,
                purpose: self.interned()?,
                client: self.interned()?,
                campaign: self.interned()?,
                other: json(&mut self.columns)?,
            },
            tags: self.numbered(Names::tags)?.unwrap_or_default(),
            user_email: self.interned()?,
            customer_email: self.interned()?,
            session_id: self.columns.next()?,
            trace_id: self.columns.next()?,
            request_id: self.columns.next()?,
            metadata: self.columns.next()?,
            tracker_key_id: self.interned_id()?,
            other_keys: json(&mut self.columns)?,
            content: None,
        })
    }

    fn numbered<T>(
        &mut self,
        name: impl FnOnce(&mut Names, &Connection, i64) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let number: Option<i64> = self.columns.next()?;
        number.map(|number| name(self.names, self.connection, number)).transpose()
    }

    fn interned(&mut self) -> Result<Option<String>, StoreError> {
        self.numbered(Names::value).map(|value| value.map(|value| value.to_string()))
    }

    fn interned_id<K>(&mut self) -> Result<Option<Id<K>>, StoreError> {
        self.numbered(Names::id)
    }

    fn code<T: Code>(&mut self) -> Result<T, StoreError> {
        self.columns.next().and_then(T::of_code)
    }
}

/// What was counted, from the next columns: those of [`COLUMN_UNITS`] and that of the other counts.
pub(in crate::sqlite) fn read_usage(columns: &mut Columns<'_>) -> Result<Usage, StoreError> {
    let mut counted = [None; COLUMN_UNITS.len()];
    for count in &mut counted {
        *count = columns.next_count()?;
    }
    let mut usage: Usage = json(columns)?;
    for (unit, count) in COLUMN_UNITS.into_iter().zip(counted) {
        if let Some(count) = count {
            usage.set(unit, count);
        }
    }
    Ok(usage)
}

fn json<T: serde::de::DeserializeOwned + Default>(columns: &mut Columns<'_>) -> Result<T, StoreError> {
    let json: Option<String> = columns.next()?;
    json.map_or_else(
        || Ok(T::default()),
        |json| serde_json::from_str(&json).map_err(|error| StoreError::Damaged(error.to_string())),
    )
}
