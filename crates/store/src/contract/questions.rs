//! Asking a store and the model the same.

use domain::query::{Dimension, Filter, PageStart, RecordQuery, Selection, UsageQuery};
use jiff::Timestamp;

use super::model::{Model, sort_value};
use crate::UsageStore;

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
