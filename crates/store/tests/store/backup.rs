//! Copies while the store is in use.

use store::{
    StoreError, UsageStore as _,
    contract::sample::{full_record, record},
    sqlite::{Options, Sqlite},
};

use crate::Fixture;

#[tokio::test]
async fn a_backup_is_the_store_as_it_was() {
    let fixture = Fixture::new();
    let target = fixture.folder.path().join("backup.db");
    fixture.store.append(vec![full_record()]).await.unwrap();
    let (copied, appended) =
        tokio::join!(fixture.store.backup_to(&target), fixture.store.append(vec![record(1)]));
    copied.unwrap();
    appended.unwrap();
    fixture.store.append(vec![record(2)]).await.unwrap();
    let backup = Sqlite::open(&target, Options::default()).unwrap();
    let verification = backup.verify().await.unwrap();
    assert_eq!(verification.difference_count, 0);
    assert!((1..=2).contains(&verification.records));
    backup.append(vec![record(3)]).await.unwrap();
    assert_eq!(fixture.store.verify().await.unwrap().records, 3);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half() {
    let fixture = Fixture::new();
    let target = fixture.folder.path().join("backup.db");
    std::fs::write(&target, "precious").unwrap();
    let refused = fixture.store.backup_to(&target).await;
    assert!(matches!(refused, Err(StoreError::Conflict("backup file"))), "{refused:?}");
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    let nowhere = fixture.store.backup_to(&fixture.folder.path().join("missing/backup.db")).await;
    assert!(matches!(nowhere, Err(StoreError::Unavailable(_))), "{nowhere:?}");
    let left: Vec<_> =
        std::fs::read_dir(fixture.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn a_backup_can_be_made_of_a_store_that_another_process_writes() {
    let fixture = Fixture::new();
    fixture.store.append(vec![record(1)]).await.unwrap();
    let target = fixture.folder.path().join("backup.db");
    Sqlite::open_read_only(&fixture.path()).unwrap().backup_to(&target).await.unwrap();
    assert_eq!(Sqlite::open_read_only(&target).unwrap().verify().await.unwrap().records, 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
