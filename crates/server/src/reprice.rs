//! Costing kept records anew, after prices have changed or have been learnt.
//!
//! What a sender reported stays; what the catalog says of it follows. Everything else takes the price that holds, by
//! today's knowledge, at the record's own time.

use std::{collections::BTreeMap, sync::Arc};

use domain::{UsageId, costing::Costing, query::Filter, usage_record::UsageRecord};
use jiff::tz::TimeZone;
use pricing::{Money, PriceBook};
use store::StoreError;

use crate::{app::App, pages::Pages};

/// What a repricing changes, for one model and month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Records whose cost, or whose catalog figure, changes.
    pub records: u64,
    /// Of these, records that had no cost and get one.
    pub newly_priced: u64,
    /// What they cost so far, as far as that was known.
    pub before: Money,
    /// What they cost then.
    pub after: Money,
}

/// What a repricing changes, by provider, model and month (`2024-01`, UTC).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repricing {
    /// Records that were looked at.
    pub looked_at: u64,
    /// What changes.
    pub changes: BTreeMap<(String, String, String), Change>,
}

/// Costs every record that `filter` lets through anew; writes only if `apply`.
///
/// Pages are written one by one, each whole: a repricing that breaks off is finished by another, which finds less to do.
pub async fn reprice(app: &App, filter: Filter, apply: bool) -> Result<Repricing, StoreError> {
    let book = app.prices.current();
    let mut repricing = Repricing::default();
    let mut pages = Pages::new(Arc::clone(&app.usage), filter);
    while let Some(records) = pages.next_page().await? {
        let mut costings = Vec::new();
        for record in &records {
            if let Some(costing) = changed(record, &book) {
                repricing.note(record, &costing);
                costings.push((record.id, costing));
            }
        }
        repricing.looked_at += u64::try_from(records.len()).unwrap_or(u64::MAX);
        if apply && !costings.is_empty() {
            write(app, costings).await?;
        }
    }
    Ok(repricing)
}

async fn write(app: &App, costings: Vec<(UsageId, Costing)>) -> Result<(), StoreError> {
    app.usage.recost(costings).await?;
    app.ledger.forget();
    Ok(())
}

/// The record's new costing, if it differs in a figure or in where one comes from.
fn changed(record: &UsageRecord, book: &PriceBook) -> Option<Costing> {
    let costing = record.facts().cost(book);
    let is_same = costing.cost == record.cost
        && costing.cost_source == record.cost_source
        && costing.list_cost == record.list_cost
        && costing.cache_savings == record.cache_savings
        && costing.adjustments == record.adjustments
        && costing.unpriced_reason == record.unpriced_reason;
    (!is_same).then_some(costing)
}

impl Repricing {
    fn note(&mut self, record: &UsageRecord, costing: &Costing) {
        let month = record.occurred_at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m").to_string();
        let key = (record.provider.clone(), record.model.clone(), month);
        let change = self.changes.entry(key).or_default();
        change.records += 1;
        change.newly_priced += u64::from(record.cost.is_none() && costing.cost.is_some());
        let add =
            |sum: Money, cost: Option<Money>| sum.checked_add(cost.unwrap_or_default()).unwrap_or(Money::MAX);
        change.before = add(change.before, record.cost);
        change.after = add(change.after, costing.cost);
    }
}
