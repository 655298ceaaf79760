//! Costing kept records anew; the rollup follows.

use domain::{UsageId, costing::Costing, totals::Totals};
use pricing::Money;

use super::{
    codes::{Code as _, flag_bits},
    dictionary::Kind,
    record, rollup,
    writer::WriteTx,
};
use crate::StoreError;

const UPDATE: &str = "
    update usage_record
       set cost_nanos = ?2, cost_source = ?3, list_cost_nanos = ?4, cache_savings_nanos = ?5, price = ?6,
           unpriced_reason = ?7, flags = ?8, adjustments = ?9
     where seq = ?1";

/// Gives each record its new costing; how many of them exist.
pub(super) fn recost(tx: &mut WriteTx<'_>, costings: Vec<(UsageId, Costing)>) -> Result<u64, StoreError> {
    let mut change = rollup::Change::default();
    let mut found = 0;
    for (id, costing) in costings {
        found += u64::from(recost_one(tx, id, costing, &mut change)?);
    }
    change.apply(tx.connection)?;
    Ok(found)
}

fn recost_one(
    tx: &mut WriteTx<'_>,
    id: UsageId,
    costing: Costing,
    change: &mut rollup::Change,
) -> Result<bool, StoreError> {
    let Some(kept) = record::find(tx.connection, tx.names, id)? else { return Ok(false) };
    let mut record = kept.record;
    change.subtract(kept.rollup_key, &Totals::of(&record))?;
    record.recost(costing);
    let cost_source = record.cost_source.code();
    change.add(rollup::Key { cost_source, ..kept.rollup_key }, &Totals::of(&record))?;
    let price =
        record.price.as_ref().map(|price| tx.dictionary.intern_price(tx.connection, price)).transpose()?;
    let unpriced_reason = tx.intern_option(Kind::UnpricedReason, record.unpriced_reason.as_ref())?;
    let adjustments = tx.dictionary.intern_adjustments(tx.connection, &record.adjustments)?;
    tx.connection.prepare_cached(UPDATE)?.execute((
        kept.seq,
        record.cost.map(Money::nanos),
        record.cost_source.code(),
        record.list_cost.map(Money::nanos),
        record.cache_savings.map(Money::nanos),
        price,
        unpriced_reason,
        flag_bits(&record.flags),
        adjustments,
    ))?;
    Ok(true)
}
