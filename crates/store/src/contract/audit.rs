//! The audit log.

use std::sync::Arc;

use domain::{
    Interval,
    audit::{Change, Entry, GENESIS},
};

use super::sample::{at, id, period};
use crate::{AuditQuery, MetaStore};

/// What is kept comes back as it was, in a chain that can be computed anew.
pub async fn changes_come_back_in_a_chain(store: Arc<dyn MetaStore>) {
    assert_eq!(store.verify_audit(None).await.unwrap().head, GENESIS);
    let (full, plain) = (full_change(), plain_change());
    let first = store.append_audit(&full).await.unwrap();
    let second = store.append_audit(&plain).await.unwrap();
    assert_eq!(first, full.follow(&GENESIS, 1));
    assert_eq!(second, plain.follow(&first.hash, 2));
    assert_eq!(store.list_audit(&everything()).await.unwrap(), [second.clone(), first]);
    let verified = store.verify_audit(None).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at, verified.head), (2, None, second.hash));
}

/// Every filter narrows the list, and a page starts where the one before ended.
pub async fn the_audit_log_is_filtered_and_read_page_by_page(store: Arc<dyn MetaStore>) {
    for n in 1..=4 {
        let change = if n % 2 == 0 { full_change() } else { plain_change() };
        store.append_audit(&change).await.unwrap();
    }
    for (query, expected) in [
        (everything(), vec![4, 3, 2, 1]),
        (AuditQuery { actor: Some(id(1)), ..everything() }, vec![4, 2]),
        (AuditQuery { actor: Some(id(2)), ..everything() }, vec![]),
        (AuditQuery { project: Some(id(11)), ..everything() }, vec![4, 2]),
        (AuditQuery { action: Some("POST".to_owned()), ..everything() }, vec![3, 1]),
        (
            AuditQuery { period: period("2024-02-10T12:00:00Z", "2024-02-10T12:00:01Z"), ..everything() },
            vec![4, 2],
        ),
        (AuditQuery { before: Some(3), limit: 1, ..everything() }, vec![2]),
    ] {
        let listed = store.list_audit(&query).await.unwrap();
        let numbers: Vec<u64> = listed.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
}

/// Many who change something at once make one chain.
pub async fn concurrent_changes_make_one_chain(store: Arc<dyn MetaStore>) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.append_audit(&plain_change()).await.unwrap() });
    }
    let entries: Vec<Entry> = tasks.join_all().await;
    let numbers: std::collections::BTreeSet<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=32).collect());
    let verified = store.verify_audit(None).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at), (32, None));
}

fn everything() -> AuditQuery {
    AuditQuery {
        period: Interval::ALWAYS,
        actor: None,
        project: None,
        action: None,
        before: None,
        limit: 100,
    }
}

fn full_change() -> Change {
    let text = |text: &str| Some(text.to_owned());
    Change {
        at: at("2024-02-10T12:00:00.123Z"),
        actor: Some(id(1)),
        actor_email: text("ada@example.com"),
        key_id: Some(id(3)),
        address: text("2001:db8::1"),
        action: "PUT /api/projects/{projectId}".to_owned(),
        target: "/api/projects/507f1f77bcf86cd799439011".to_owned(),
        project_id: Some(id(11)),
        before: text(r#"{"name":"Größe"}"#),
        after: text("{}"),
    }
}

fn plain_change() -> Change {
    Change {
        at: at("2024-02-10T12:00:01Z"),
        actor: None,
        actor_email: None,
        key_id: None,
        address: None,
        action: "POST /api/auth/logout".to_owned(),
        target: String::new(),
        project_id: None,
        before: None,
        after: None,
    }
}
