//! Forgetting records and keeping their sums.

use std::sync::Arc;

use domain::{
    Interval,
    query::{Dimension, RecordQuery, UsageQuery, Visibility},
    usage_record::{Content, UsageRecord},
};
use jiff::{SignedDuration, Timestamp};

use super::sample::{at, everything, id, newest_first, project_id, record_with, usage_id};
use crate::{Appended, UsageStore};

const FIRST: &str = "2024-01-01T12:00:00Z";

/// A sum by what sums are kept by is what it was; a retry of a record that is gone does not bring it back.
pub async fn sums_outlive_records_and_keys_stay_known(store: Arc<dyn UsageStore>) {
    store.append((0..10).map(daily).collect()).await.unwrap();
    let before = sums(&*store).await;
    assert_eq!(store.records_from(&everything()).await.unwrap(), None);
    let cut = at("2024-01-05T18:00:00Z");
    let mut trimmed = Vec::new();
    for _ in 0..3 {
        trimmed.push(store.trim_records(Some(project_id(11)), cut, 3).await.unwrap());
    }
    assert_eq!(trimmed, [3, 1, 0], "whole days only, so many at a time");
    assert_eq!(sums(&*store).await, before);
    let counted = RecordQuery { count: true, ..newest_first(everything()) };
    let page = store.list_records(&counted).await.unwrap();
    assert_eq!((page.records.len(), page.total), (6, Some(6)), "the list is of what is there");
    let from = at("2024-01-05T00:00:00Z");
    assert_eq!(store.records_from(&everything()).await.unwrap(), Some(from));
    let later = everything().during(Interval { start: from, end: Timestamp::MAX });
    assert_eq!(store.records_from(&later).await.unwrap(), None);
    let others = Visibility::Of { user: id(9), projects: vec![project_id(12)] };
    assert_eq!(store.records_from(&domain::query::Filter::all(others)).await.unwrap(), None);
    let retry = UsageRecord { id: usage_id(50), ..daily(0) };
    assert_eq!(store.append(vec![retry]).await.unwrap(), [Appended::Deleted(usage_id(1))]);
    assert_eq!(sums(&*store).await, before);
}

/// A record that arrives late is in the sums too. Nothing that is left of a sealed day can be more than its sum.
pub async fn what_is_sealed_is_not_compared_and_not_made_anew(store: Arc<dyn UsageStore>) {
    store.append((0..10).map(daily).collect()).await.unwrap();
    store.trim_records(Some(project_id(11)), at("2024-01-05T00:00:00Z"), 2).await.unwrap();
    let late = UsageRecord { id: usage_id(50), request_id: None, ..daily(1) };
    store.append(vec![late]).await.unwrap();
    let before = sums(&*store).await;
    for _ in 0..2 {
        let verified = store.verify().await.unwrap();
        assert_eq!(verified.differences, Vec::<String>::new());
        assert_eq!((verified.rollup_rows, verified.sealed_rows), (10, 4));
        store.rebuild().await.unwrap();
        assert_eq!(sums(&*store).await, before);
    }
    assert_eq!(store.trim_records(Some(project_id(11)), at("2024-01-02T00:00:00Z"), 99).await.unwrap(), 0);
    assert_eq!(store.trim_records(Some(project_id(11)), at("2024-01-05T00:00:00Z"), 99).await.unwrap(), 3);
    assert_eq!(sums(&*store).await, before);
    store.purge_projects(&[project_id(11)]).await.unwrap();
    assert_eq!(store.records_from(&everything()).await.unwrap(), None);
}

/// As if they were a project.
pub async fn records_of_no_project_are_trimmed_by_themselves(store: Arc<dyn UsageStore>) {
    let outside =
        |n: u32| UsageRecord { project_id: None, id: usage_id(20 + n), request_id: None, ..daily(n) };
    store.append((0..3).map(daily).chain((0..3).map(outside)).collect()).await.unwrap();
    let before = sums(&*store).await;
    assert_eq!(store.trim_records(None, at("2024-01-03T00:00:00Z"), 99).await.unwrap(), 2);
    assert_eq!(store.trim_records(Some(project_id(99)), at("2024-01-03T00:00:00Z"), 99).await.unwrap(), 0);
    assert_eq!(store.list_records(&newest_first(everything())).await.unwrap().records.len(), 4);
    assert_eq!(sums(&*store).await, before);
    let own = Visibility::Of { user: id(1), projects: vec![] };
    let from = store.records_from(&domain::query::Filter::all(own)).await.unwrap();
    assert_eq!(from, Some(at("2024-01-03T00:00:00Z")));
}

/// Page by page, the earliest first.
pub async fn contents_are_erased_and_records_stay(store: Arc<dyn UsageStore>) {
    let spoken = |n: u32| UsageRecord {
        content: Some(Content { prompt: Some(format!("prompt {n}")), completion: None }),
        ..daily(n)
    };
    store.append((0..5).map(spoken).collect()).await.unwrap();
    let until = |day: &str| Interval { start: Timestamp::MIN, end: at(day) };
    let period = until("2024-01-04T12:00:00Z");
    let first = store.erase_contents(Some(project_id(11)), period, 2).await.unwrap();
    assert_eq!((first.count, first.until), (2, Some(at("2024-01-02T12:00:00Z"))));
    let rest = Interval { start: first.until.unwrap(), ..period };
    assert_eq!(store.erase_contents(Some(project_id(11)), rest, 9).await.unwrap().count, 1);
    assert_eq!(store.erase_contents(None, period, 9).await.unwrap().count, 0);
    for (n, is_there) in [(1, false), (3, false), (4, true)] {
        let kept = store.find_record(&Visibility::Everything, usage_id(n)).await.unwrap().unwrap();
        assert_eq!(kept.content.is_some(), is_there, "{n}");
    }
    assert_eq!(store.verify().await.unwrap().differences, Vec::<String>::new());
}

/// A record of project 11 on day `n` of the year, with a key of its own.
fn daily(n: u32) -> UsageRecord {
    record_with(n + 1, |record| {
        record.project_id = Some(project_id(11));
        record.occurred_at = at(FIRST) + SignedDuration::from_hours(24 * i64::from(n));
        record.request_id = Some(format!("day {n}"));
    })
}

async fn sums(store: &dyn UsageStore) -> Vec<domain::query::Group> {
    let group_by = vec![Dimension::Project, Dimension::Model, Dimension::User, Dimension::CostSource];
    store.aggregate(&UsageQuery { filter: everything(), buckets: None, group_by }).await.unwrap()
}
