//! Asking a store and the model the same.

use domain::query::{Dimension, Filter, PageStart, RecordQuery, Selection, UsageQuery};
use jiff::Timestamp;

use super::model::{Model, sort_value};
use crate::{CallBatch, CallKind, MeteredCall, UsageStore};

/// The store's sums must be the model's.
pub async fn check_aggregate(store: &dyn UsageStore, model: &Model, query: &UsageQuery) {
    let answer = store.aggregate(query).await.unwrap();
    assert_eq!(answer, model.aggregate(query), "{query:?}");
}

/// The store's durations must be the model's.
pub async fn check_durations(store: &dyn UsageStore, model: &Model, query: &UsageQuery) {
    let answer = store.durations(query).await.unwrap();
    assert_eq!(answer, model.durations(query), "{query:?}");
}

/// What the store says of the price of calls must be what their records say.
pub async fn check_calls(store: &dyn UsageStore, model: &Model, filter: &Filter) {
    let (batches, mut sent) = tokio::sync::mpsc::channel::<CallBatch>(1);
    let listen = async {
        let mut calls = Vec::new();
        while let Some(batch) = sent.recv().await {
            let named = |call: MeteredCall| (batch.kinds[call.kind].clone(), call.at, call.cost, call.usage);
            calls.extend(batch.calls.into_iter().map(named));
        }
        calls
    };
    let (read, found) = tokio::join!(store.read_calls(filter, batches), listen);
    read.unwrap();
    let expected = model.find_all(filter).into_iter().map(|record| {
        let kind = CallKind {
            provider: record.provider.clone(),
            model: record.model.clone(),
            response_model: record.response_model.clone(),
            service_tier: record.service_tier.clone(),
            region: record.region.clone(),
            search_type: record.search_type.clone(),
        };
        (kind, record.occurred_at, record.cost, record.usage.clone())
    });
    let sorted = |mut lines: Vec<String>| {
        lines.sort_unstable();
        lines
    };
    let found = sorted(found.iter().map(|call| format!("{call:?}")).collect());
    assert_eq!(found, sorted(expected.map(|call| format!("{call:?}")).collect()), "{filter:?}");
}

/// The store's list, page by page, must be the model's; so must its total.
pub async fn check_list(store: &dyn UsageStore, model: &Model, query: &RecordQuery) {
    let expected = model.sort_values(query);
    let mut found = Vec::new();
    let mut query = RecordQuery { count: true, ..query.clone() };
    loop {
        let page = store.list_records(&query).await.unwrap();
        assert_eq!(page.total, Some(expected.len() as u64), "{query:?}");
        assert!(page.records.len() <= query.limit);
        let is_last = page.records.len() < query.limit;
        found.extend(page.records);
        query.start = match page.next_cursor {
            Some(cursor) => PageStart::Cursor(cursor),
            None if is_last || found.len() >= expected.len() => break,
            None => PageStart::Offset(found.len() as u64),
        };
    }
    let values: Vec<i128> = found.iter().map(|record| sort_value(query.sort, record)).collect();
    assert_eq!(values, expected, "{query:?}");
    let mut ids: Vec<_> = found.iter().map(|record| record.id).collect();
    let mut expected: Vec<_> = model.find_all(&query.filter).iter().map(|record| record.id).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected, "{query:?}");
}

/// Everything that can be asked about `filter` must be answered as the model does.
pub async fn check_filter(store: &dyn UsageStore, model: &Model, filter: &Filter, group_by: &[Dimension]) {
    check_aggregate(store, model, &sums(filter.clone(), None, group_by)).await;
    check_list(store, model, &RecordQuery { limit: 50, ..super::sample::newest_first(filter.clone()) }).await;
    check_durations(store, model, &sums(filter.clone(), None, group_by)).await;
    check_calls(store, model, filter).await;
    let percentiles = store.latency_percentiles(filter).await.unwrap();
    assert_eq!(percentiles, model.latency_percentiles(filter), "{filter:?}");
}

/// A question for sums.
pub fn sums(filter: Filter, buckets: Option<Vec<Timestamp>>, group_by: &[Dimension]) -> UsageQuery {
    UsageQuery { filter, buckets, group_by: group_by.to_vec() }
}

/// `filter` with a selection.
pub fn select(mut filter: Filter, dimension: Dimension, include: &[&str], exclude: &[&str]) -> Filter {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    filter.selections.insert(dimension, Selection { include: list(include), exclude: list(exclude) });
    filter
}
