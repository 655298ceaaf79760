//! Costing kept records anew, after prices have changed or have been learnt.
//!
//! What a sender reported stays; what the catalog says of it follows. Everything else takes the price that holds, by
//! today's knowledge, at the record's own time.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Interval,
    costing::Costing,
    limits,
    query::{Bucket, Dimension, Filter, Selection, UsageQuery, Visibility},
    usage_record::{CostSource, UsageRecord},
};
use jiff::{Timestamp, civil::date, tz::TimeZone};
use pricing::{Money, PriceBook};
use store::{StoreError, UsageStore};

use crate::pages::Pages;

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

/// Costs the records of a store anew.
#[expect(missing_debug_implementations, reason = "borrows a closure")]
pub struct Repricer<'a> {
    /// The records.
    pub usage: Arc<dyn UsageStore>,
    /// What they cost.
    pub book: &'a PriceBook,
    /// Asked before each page: whether to break off.
    pub is_stopping: &'a (dyn Fn() -> bool + Sync),
}

impl Repricer<'_> {
    /// Costs every record that `filter` lets through anew; writes only if `apply`.
    ///
    /// Pages are written one by one, each whole: a repricing that breaks off is finished by another, which finds less
    /// to do.
    pub async fn reprice(&self, filter: Filter, apply: bool) -> Result<Repricing, StoreError> {
        let mut repricing = Repricing::default();
        self.add(filter, apply, &mut repricing).await?;
        Ok(repricing)
    }

    /// Costs the records that have no cost, by the prices that are known by now. Where there are none it only adds up
    /// the rollup; where there are some it reads the records of their months.
    pub async fn price_unpriced(&self, now: Timestamp) -> Result<Repricing, StoreError> {
        let mut repricing = Repricing::default();
        for month in self.months_with_unpriced(now).await? {
            self.add(unpriced().during(month), true, &mut repricing).await?;
        }
        Ok(repricing)
    }

    async fn add(&self, filter: Filter, apply: bool, repricing: &mut Repricing) -> Result<(), StoreError> {
        let mut pages = Pages::new(Arc::clone(&self.usage), filter);
        while !(self.is_stopping)()
            && let Some(records) = pages.next_page().await?
        {
            let mut costings = Vec::new();
            for record in &records {
                if let Some(costing) = changed(record, self.book) {
                    repricing.note(record, &costing);
                    costings.push((record.id, costing));
                }
            }
            repricing.looked_at += u64::try_from(records.len()).unwrap_or(u64::MAX);
            if apply && !costings.is_empty() {
                self.usage.recost(costings).await?;
            }
        }
        Ok(())
    }

    async fn months_with_unpriced(&self, now: Timestamp) -> Result<Vec<Interval>, StoreError> {
        let months = months_until(now);
        let query = UsageQuery {
            filter: Filter::all(Visibility::Everything),
            buckets: Some(months.clone()),
            group_by: Vec::new(),
        };
        let groups =
            self.usage.aggregate(&query).await?.into_iter().filter(|group| group.totals.unpriced > 0);
        let month = |start: Timestamp| {
            // A record from a clock that is ahead is in the last month.
            let end = months.iter().copied().find(|end| *end > start).unwrap_or(Timestamp::MAX);
            Interval { start, end }
        };
        Ok(groups.filter_map(|group| group.bucket).map(month).collect())
    }
}

impl Repricing {
    /// Records that had no cost and have, or would have, one.
    pub fn newly_priced(&self) -> u64 {
        self.changes.values().map(|change| change.newly_priced).sum()
    }

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

/// Starts of the months in which a record can be, in UTC.
pub fn months_until(now: Timestamp) -> Vec<Timestamp> {
    let first = date(limits::FIRST_YEAR, 1, 1).to_zoned_datetime(TimeZone::UTC);
    let start = first.map_or(Timestamp::UNIX_EPOCH, |first| first.timestamp());
    Bucket::Month.starts(Interval { start, end: now }, &TimeZone::UTC).unwrap_or_default()
}

fn unpriced() -> Filter {
    let mut filter = Filter::all(Visibility::Everything);
    let only = Selection { include: vec![CostSource::Unpriced.as_str().to_owned()], exclude: Vec::new() };
    filter.selections.insert(Dimension::CostSource, only);
    filter
}
