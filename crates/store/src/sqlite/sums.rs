//! Totals from rows.

use domain::{
    totals::{Totals, TotalsOverflow},
    usage_record::Status,
};
use pricing::Money;

use super::{
    codes::Code as _,
    columns::{Columns, damaged},
};
use crate::StoreError;

/// How many columns [`to_columns`] fills.
pub(super) const COLUMNS: usize = 12;

/// What [`read_record`] reads of a record `r`.
pub(super) const OF_RECORD: &str = "
    r.status, r.cost_nanos, r.list_cost_nanos, r.cache_savings_nanos,
    r.input_tokens, r.output_tokens, r.total_tokens, r.cache_read_tokens,
    r.cache_write_tokens";

/// What [`read_rollup`] reads of a row `r` of the rollup.
pub(super) const OF_ROLLUP: &str = "
    r.requests, r.errors, r.unpriced, r.cost_nanos, r.list_cost_nanos, r.cache_savings_nanos,
    r.tokens, r.priced_tokens, r.input_tokens, r.output_tokens, r.cache_read_tokens,
    r.cache_write_tokens";

/// The totals of one record, from the next columns.
pub(super) fn read_record(columns: &mut Columns<'_>) -> Result<Totals, StoreError> {
    let status = columns.next().and_then(Status::of_code)?;
    let cost = columns.next_money()?;
    let (list_cost, cache_savings) = (columns.next_money()?, columns.next_money()?);
    let (input, output, total) = (columns.next_count()?, columns.next_count()?, columns.next_count()?);
    let tokens = match (input, output) {
        (None, None) => total.unwrap_or(0),
        (input, output) => input.unwrap_or(0).saturating_add(output.unwrap_or(0)),
    };
    Ok(Totals {
        requests: 1,
        errors: u64::from(status == Status::Error),
        unpriced: u64::from(cost.is_none()),
        cost: cost.unwrap_or_default(),
        list_cost: list_cost.unwrap_or_default(),
        cache_savings: cache_savings.unwrap_or_default(),
        tokens,
        priced_tokens: if cost.is_some() { tokens } else { 0 },
        input_tokens: input.unwrap_or(0),
        output_tokens: output.unwrap_or(0),
        cache_read_tokens: columns.next_count()?.unwrap_or(0),
        cache_write_tokens: columns.next_count()?.unwrap_or(0),
    })
}

/// The totals of a row of the rollup, from the next columns.
pub(super) fn read_rollup(columns: &mut Columns<'_>) -> Result<Totals, StoreError> {
    let count = |columns: &mut Columns<'_>| columns.next_count()?.ok_or_else(|| damaged("a sum is missing"));
    let money = |columns: &mut Columns<'_>| columns.next().map(Money::from_nanos);
    Ok(Totals {
        requests: count(columns)?,
        errors: count(columns)?,
        unpriced: count(columns)?,
        cost: money(columns)?,
        list_cost: money(columns)?,
        cache_savings: money(columns)?,
        tokens: count(columns)?,
        priced_tokens: count(columns)?,
        input_tokens: count(columns)?,
        output_tokens: count(columns)?,
        cache_read_tokens: count(columns)?,
        cache_write_tokens: count(columns)?,
    })
}

/// The columns that [`read_rollup`] reads.
pub(super) fn to_columns(totals: &Totals) -> Result<[i64; COLUMNS], StoreError> {
    let count = |count| i64::try_from(count).map_err(|_| TotalsOverflow);
    Ok([
        count(totals.requests)?,
        count(totals.errors)?,
        count(totals.unpriced)?,
        totals.cost.nanos(),
        totals.list_cost.nanos(),
        totals.cache_savings.nanos(),
        count(totals.tokens)?,
        count(totals.priced_tokens)?,
        count(totals.input_tokens)?,
        count(totals.output_tokens)?,
        count(totals.cache_read_tokens)?,
        count(totals.cache_write_tokens)?,
    ])
}
