//! Writes that share a commit.

use store::{
    Appended, StoreError, UsageStore as _,
    contract::sample::{everything, newest_first, record, usage_id},
    sqlite::{Options, Sqlite},
};
use tokio::task::JoinSet;

use crate::Fixture;

/// Appends the records, each alone, while another connection keeps the writer from beginning; then lets it go.
async fn append_in_one_group(
    fixture: &Fixture,
    records: impl IntoIterator<Item = u32>,
) -> Vec<(u32, Result<Appended, StoreError>)> {
    let raw = fixture.raw();
    raw.execute_batch("begin immediate").unwrap();
    let mut tasks = JoinSet::new();
    for n in records {
        let store: Sqlite = fixture.store.clone();
        tasks.spawn(async move {
            (n, store.append(vec![record(n)]).await.map(|mut appended| appended.remove(0)))
        });
    }
    // One thread runs these tests: after as many turns each task has sent its write and waits.
    for _ in 0..tasks.len() {
        tokio::task::yield_now().await;
    }
    raw.execute_batch("rollback").unwrap();
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(n, _)| *n);
    answers
}

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    let fixture = Fixture::new();
    let before = fixture.store.stats();
    let answers = append_in_one_group(&fixture, 1..=200).await;
    assert!(answers.iter().all(|(_, answer)| matches!(answer, Ok(Appended::New))));
    let after = fixture.store.stats();
    assert!(after.commits - before.commits <= 2, "{after:?}");
    assert_eq!(
        (after.records_appended - before.records_appended, after.queued_jobs, after.queued_bytes),
        (200, 0, 0)
    );
}

#[tokio::test]
async fn a_write_that_fails_does_not_take_its_group_along() {
    let fixture = Fixture::new();
    fixture.store.append(vec![record(5)]).await.unwrap();
    let before = fixture.store.stats().commits;
    for (n, answer) in append_in_one_group(&fixture, 1..=10).await {
        match n {
            5 => assert!(matches!(answer, Err(StoreError::Conflict("id"))), "{answer:?}"),
            _ => assert!(matches!(answer, Ok(Appended::New)), "{answer:?}"),
        }
    }
    assert!(fixture.store.stats().commits - before <= 2);
    let verification = fixture.store.verify().await.unwrap();
    assert_eq!((verification.records, verification.difference_count), (10, 0));
    let undone = fixture.store.append(vec![record(50), record(1)]).await;
    assert!(matches!(undone, Err(StoreError::Conflict("id"))), "{undone:?}");
    assert_eq!(fixture.store.stats().records_appended, 10, "what was undone was not appended");
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once() {
    let fixture = Fixture::with(Options { queue_jobs: 4, ..Options::default() });
    let answers = append_in_one_group(&fixture, 1..=20).await;
    let busy = answers.iter().filter(|(_, answer)| matches!(answer, Err(StoreError::Busy))).count();
    let kept: Vec<u32> = answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(n, _)| *n).collect();
    assert_eq!(busy + kept.len(), 20);
    assert!((4..=5).contains(&kept.len()), "four wait, and one may have begun: {kept:?}");
    let list = fixture.store.list_records(&newest_first(everything())).await.unwrap().records;
    let found: Vec<_> = list.iter().rev().map(|record| record.id).collect();
    assert_eq!(found, kept.into_iter().map(usage_id).collect::<Vec<_>>(), "what was refused was not kept");
    fixture.store.append(vec![record(99)]).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_undo_its_write() {
    let fixture = Fixture::new();
    let mut task = JoinSet::new();
    let raw = fixture.raw();
    raw.execute_batch("begin immediate").unwrap();
    let store = fixture.store.clone();
    task.spawn(async move { store.append(vec![record(1)]).await });
    tokio::task::yield_now().await;
    task.shutdown().await;
    raw.execute_batch("rollback").unwrap();
    fixture.store.append(vec![record(2)]).await.unwrap();
    assert_eq!(fixture.store.verify().await.unwrap().records, 2);
}
