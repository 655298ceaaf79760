//! What is acknowledged is kept; what is refused leaves nothing.

use std::path::{Path, PathBuf};

use domain::usage_record::UsageRecord;
use store::{
    Appended, StoreError, UsageStore as _,
    contract::sample::{full_record, id, project_id, record, record_with, usage_id},
    sqlite::{Options, Sqlite},
};

use crate::Fixture;

const SMALL: Options = Options { queue_jobs: 64, readers: 2, bytes_max: Some(2 << 20) };

#[tokio::test]
async fn keys_are_known_after_a_restart() {
    let fixture = Fixture::new();
    let kept = full_record();
    fixture
        .store
        .append(vec![kept.clone(), record_with(8, |record| record.request_id = Some("x".to_owned()))])
        .await
        .unwrap();
    fixture.store.delete_record(usage_id(8)).await.unwrap();
    let fixture = fixture.reopened(Options::default()).await;
    let retry =
        |id: u32, request_id: &str| record_with(id, |record| record.request_id = Some(request_id.to_owned()));
    let retries = vec![retry(20, kept.request_id.as_ref().unwrap()), retry(21, "x")];
    let expected = [Appended::Duplicate(Box::new(kept)), Appended::Deleted(usage_id(8))];
    assert_eq!(fixture.store.append(retries).await.unwrap(), expected);
}

#[tokio::test]
async fn a_crash_keeps_what_was_acknowledged_and_nothing_half() {
    let fixture = Fixture::new();
    for n in 0..5 {
        fixture.store.append(batch(n * 10)).await.unwrap();
    }
    let log = std::fs::read(beside(&fixture.path(), "-wal")).unwrap();
    // What a crash leaves: the files as they are, without the end of the log where that was not yet on the disk.
    for lost in [0, 1, 2_000, 10_000, 40_000, 70_000, log.len()] {
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("tracker.db");
        std::fs::copy(fixture.path(), &path).unwrap();
        std::fs::write(beside(&path, "-wal"), &log[..log.len() - lost]).unwrap();
        let store = Sqlite::open(&path, Options::default()).unwrap();
        let verification = store.verify().await.unwrap();
        assert_eq!(verification.differences, Vec::<String>::new());
        assert!(
            verification.records % 10 == 0 && (lost > 0 || verification.records == 50),
            "{lost}: {verification:?}"
        );
        store.append(batch(100)).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_keeps_nothing_half() {
    let fixture = Fixture::with(SMALL);
    let mut kept = 0;
    let refused = loop {
        match fixture.store.append(batch(kept)).await {
            Ok(_) => kept += 10,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(kept > 0);
    assert_is_whole(&fixture, u64::from(kept)).await;
    fixture.store.purge_projects(&[project_id(11)]).await.unwrap();
    fixture.store.append(batch(kept)).await.unwrap();
    assert_is_whole(&fixture, 10).await;
    let larger = fixture.reopened(Options { bytes_max: Some(8 << 20), ..SMALL }).await;
    larger.store.append(batch(0)).await.unwrap();
    assert_is_whole(&larger, 20).await;
}

#[tokio::test]
async fn other_writes_of_the_group_survive_a_full_disk() {
    let fixture = Fixture::with(SMALL);
    let large = record_with(1, |record| record.metadata = Some("x".repeat(3 << 20)));
    let (large, small) =
        tokio::join!(fixture.store.append(vec![large]), fixture.store.append(vec![record(2)]));
    assert!(matches!(large, Err(StoreError::Unavailable(_))), "{large:?}");
    let kept = u64::from(small.is_ok());
    assert_is_whole(&fixture, kept).await;
    fixture.store.append(vec![record(3)]).await.unwrap();
    assert_is_whole(&fixture, kept + 1).await;
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

async fn assert_is_whole(fixture: &Fixture, records: u64) {
    let verification = fixture.store.verify().await.unwrap();
    assert_eq!((verification.differences.as_slice(), verification.records), (&[][..], records));
}

/// Ten records of a project after the `n`th, large and with new values in every dimension.
fn batch(n: u32) -> Vec<UsageRecord> {
    let new = |n| {
        record_with(n, |record| {
            record.project_id = Some(id(11));
            record.model = format!("model-{n}");
            record.customer_email = Some(format!("customer-{n}@example.com"));
            record.request_id = Some(format!("request-{n}"));
            record.metadata = Some("x".repeat(4_000));
        })
    };
    (n + 1..=n + 10).map(new).collect()
}
