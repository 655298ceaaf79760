//! Opening and closing.

use std::sync::Arc;

use store::{
    StoreError, UsageStore as _,
    contract::sample::{everything, newest_first, record},
    sqlite::{Options, Sqlite},
};

use crate::Fixture;

#[tokio::test]
async fn a_second_process_cannot_write() {
    let fixture = Fixture::new();
    let second = Sqlite::open(&fixture.path(), Options::default());
    assert!(matches!(second, Err(StoreError::Locked(_))), "{second:?}");
    fixture.store.append(vec![record(1)]).await.unwrap();
    let again = fixture.reopened(Options::default()).await;
    assert_eq!(again.store.list_records(&newest_first(everything())).await.unwrap().records, [record(1)]);
}

#[tokio::test]
async fn data_of_a_newer_version_is_not_touched() {
    let fixture = Fixture::new();
    fixture.store.close().await.unwrap();
    fixture.raw().pragma_update(None, "user_version", 999).unwrap();
    for opened in [Sqlite::open(&fixture.path(), Options::default()), Sqlite::open_read_only(&fixture.path())]
    {
        assert!(matches!(opened, Err(StoreError::TooNew { found: 999, .. })), "{opened:?}");
    }
}

#[tokio::test]
async fn an_empty_file_is_brought_to_the_current_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracker.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("pragma journal_mode = wal").unwrap();
    drop(raw);
    let too_old = Sqlite::open_read_only(&path);
    assert!(matches!(too_old, Err(StoreError::Unavailable(_))), "{too_old:?}");
    let store = Sqlite::open(&path, Options::default()).unwrap();
    store.append(vec![record(1)]).await.unwrap();
    assert_eq!(store.verify().await.unwrap().records, 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracker.db");
    std::fs::write(&path, "This is not a database, but long enough to be taken for one. ".repeat(100))
        .unwrap();
    let opened = Sqlite::open(&path, Options::default());
    assert!(matches!(opened, Err(StoreError::Damaged(_))), "{opened:?}");
}

#[tokio::test]
async fn a_store_can_be_read_while_another_writes() {
    let fixture = Fixture::new();
    fixture.store.append(vec![record(1)]).await.unwrap();
    let reader = Sqlite::open_read_only(&fixture.path()).unwrap();
    assert_eq!(reader.verify().await.unwrap().records, 1);
    fixture.store.append(vec![record(2)]).await.unwrap();
    assert_eq!(reader.verify().await.unwrap().records, 2);
    let refused = reader.append(vec![record(3)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_closed_store_has_kept_what_it_took_and_takes_no_more() {
    let fixture = Fixture::new();
    let store = Arc::new(fixture.store.clone());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=20 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.append(vec![record(n)]).await.is_ok() });
    }
    let kept = tasks.join_all().await.into_iter().filter(|kept| *kept).count();
    store.close().await.unwrap();
    assert_eq!(kept, 20);
    for refused in
        [store.append(vec![record(21)]).await.err(), store.verify().await.err(), store.ping().await.err()]
    {
        assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert!(!fixture.path().with_extension("db-wal").exists(), "the log was moved into the database");
    assert_eq!(fixture.reopened(Options::default()).await.store.verify().await.unwrap().records, 20);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let fixture = Fixture::new();
    fixture.store.append(vec![record(1)]).await.unwrap();
    let mode = |path: std::path::PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(fixture.folder.path().join("data")), 0o700);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(format!("{}{suffix}", fixture.path().display()).into()), 0o600, "{suffix}");
    }
}
