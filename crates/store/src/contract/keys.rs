//! Tracker keys and provider keys.

use std::sync::Arc;

use domain::{
    UserId,
    provider_key::{ProviderKey, Sealed},
    tracker_key::{PerMinute, Scope, TrackerKey},
};

use super::sample::{at, id, insert_users, key_id};
use crate::{MetaStore, StoreError};

/// What is kept comes back as it was.
pub async fn a_tracker_key_comes_back(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let (full, plain) = (tracker_key(1, user), plain_tracker_key(2, user));
    store.insert_tracker_key(&full, &[1; 32]).await.unwrap();
    store.insert_tracker_key(&plain, &[2; 32]).await.unwrap();
    assert_eq!(store.find_tracker_key(&[1; 32]).await.unwrap().as_ref(), Some(&full));
    assert_eq!(store.find_tracker_key(&[3; 32]).await.unwrap(), None);
    assert_eq!(store.find_tracker_key_by_id(full.id).await.unwrap().as_ref(), Some(&full));
    assert_eq!(store.find_tracker_key_by_id(key_id(9)).await.unwrap(), None);
    assert_eq!(store.list_tracker_keys(user).await.unwrap(), [plain, full], "the oldest first");
    let again = store.insert_tracker_key(&tracker_key(3, user), &[1; 32]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

/// Nobody changes or deletes the keys of others.
pub async fn tracker_keys_are_their_owners(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    let key = tracker_key(1, ids[0]);
    store.insert_tracker_key(&key, &[1; 32]).await.unwrap();
    let stolen = TrackerKey { user_id: ids[1], ..plain_tracker_key(1, ids[1]) };
    assert!(!store.update_tracker_key(&stolen).await.unwrap());
    assert!(!store.delete_tracker_key(ids[1], key.id).await.unwrap());
    let change =
        TrackerKey { masked: "not changed".to_owned(), last_used_at: None, ..plain_tracker_key(1, ids[0]) };
    assert!(store.update_tracker_key(&change).await.unwrap());
    let TrackerKey { name, scopes, project_id, allowed_ips, per_minute, expires_at, .. } = change;
    let expected =
        TrackerKey { name, scopes, project_id, allowed_ips, per_minute, expires_at, ..key.clone() };
    assert_eq!(store.find_tracker_key(&[1; 32]).await.unwrap(), Some(expected));
    assert!(store.delete_tracker_key(ids[0], key.id).await.unwrap());
    assert!(!store.delete_tracker_key(ids[0], key.id).await.unwrap());
    assert_eq!(store.find_tracker_key(&[1; 32]).await.unwrap(), None);
}

/// Replies may overtake each other; the last use is the latest.
pub async fn a_tracker_key_is_touched_forwards(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_tracker_key(&plain_tracker_key(1, user), &[1; 32]).await.unwrap();
    for (moment, last) in
        [("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"), ("2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z")]
    {
        store.touch_tracker_key(key_id(1), at(moment)).await.unwrap();
        assert_eq!(store.find_tracker_key(&[1; 32]).await.unwrap().unwrap().last_used_at, Some(at(last)));
    }
    store.touch_tracker_key(key_id(99), at("2024-05-01T00:00:00Z")).await.unwrap();
}

/// One for each provider.
pub async fn a_provider_key_is_replaced(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    let old = provider_key(ids[0], "openai", 1);
    let new = ProviderKey { last_used_at: None, ..provider_key(ids[0], "openai", 2) };
    let (bedrock, others) = (provider_key(ids[0], "bedrock", 3), provider_key(ids[1], "openai", 4));
    for key in [&old, &bedrock, &others, &new] {
        store.put_provider_key(key).await.unwrap();
    }
    assert_eq!(store.list_provider_keys(ids[0]).await.unwrap(), [bedrock.clone(), new.clone()]);
    let mut all = store.list_all_provider_keys().await.unwrap();
    all.sort_by_key(|key| (key.user_id, key.provider.clone()));
    assert_eq!(all, [bedrock, new, others]);
    assert!(store.delete_provider_key(ids[0], "openai").await.unwrap());
    assert!(!store.delete_provider_key(ids[0], "openai").await.unwrap());
    assert_eq!(store.list_provider_keys(ids[1]).await.unwrap().len(), 1);
}

/// Replies may overtake each other; the last use is the latest.
pub async fn a_provider_key_is_touched_forwards(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let key = ProviderKey { last_used_at: None, ..provider_key(user, "openai", 1) };
    store.put_provider_key(&key).await.unwrap();
    for (moment, last) in
        [("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"), ("2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z")]
    {
        store.touch_provider_key(user, "openai", at(moment)).await.unwrap();
        assert_eq!(store.list_provider_keys(user).await.unwrap()[0].last_used_at, Some(at(last)));
    }
    store.touch_provider_key(user, "nobody", at("2024-05-01T00:00:00Z")).await.unwrap();
}

/// What was cached is read anew after a change, and only then.
pub async fn changes_of_keys_are_counted(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let mut last = store.change_count();
    store.insert_tracker_key(&plain_tracker_key(1, user), &[1; 32]).await.unwrap();
    assert_ne!(store.change_count(), last);
    last = store.change_count();
    store.put_provider_key(&provider_key(user, "openai", 1)).await.unwrap();
    assert_ne!(store.change_count(), last);
    last = store.change_count();
    store.touch_tracker_key(key_id(1), at("2024-05-01T00:00:00Z")).await.unwrap();
    store.find_tracker_key(&[1; 32]).await.unwrap();
    assert_eq!(store.change_count(), last);
    store.delete_tracker_key(user, key_id(1)).await.unwrap();
    assert_ne!(store.change_count(), last);
}

/// A rotation does not overwrite a key that was replaced meanwhile.
pub async fn a_provider_key_is_resealed_if_it_is_still_the_same(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let key = provider_key(user, "openai", 1);
    store.put_provider_key(&key).await.unwrap();
    let (stale, new) = (provider_key(user, "openai", 2).sealed, provider_key(user, "openai", 3).sealed);
    assert!(!store.reseal_provider_key(user, "openai", &stale, &new).await.unwrap());
    assert!(!store.reseal_provider_key(user, "anthropic", &key.sealed, &new).await.unwrap());
    assert!(store.reseal_provider_key(user, "openai", &key.sealed, &new).await.unwrap());
    assert_eq!(store.list_provider_keys(user).await.unwrap(), [ProviderKey { sealed: new, ..key }]);
}

/// Who is gone cannot authenticate.
pub async fn keys_vanish_with_their_account(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_tracker_key(&plain_tracker_key(1, user), &[1; 32]).await.unwrap();
    store.put_provider_key(&provider_key(user, "openai", 1)).await.unwrap();
    store.delete_user(user).await.unwrap();
    assert_eq!(store.find_tracker_key(&[1; 32]).await.unwrap(), None);
    assert_eq!(store.list_all_provider_keys().await.unwrap(), []);
}

pub(super) fn tracker_key(n: u32, user_id: UserId) -> TrackerKey {
    TrackerKey {
        id: key_id(n),
        user_id,
        name: "CI".to_owned(),
        masked: "aict…wxyz".to_owned(),
        scopes: vec![Scope::Write, Scope::Ingest],
        project_id: Some(id(11)),
        allowed_ips: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        per_minute: PerMinute { requests: Some(60), tokens: Some(u32::MAX) },
        expires_at: Some(at("2025-01-01T00:00:00Z")),
        created_at: at("2024-01-15T10:30:00.123Z"),
        last_used_at: Some(at("2024-01-16T10:30:00Z")),
    }
}

fn plain_tracker_key(n: u32, user_id: UserId) -> TrackerKey {
    TrackerKey {
        name: "plain".to_owned(),
        scopes: vec![Scope::Admin],
        project_id: None,
        allowed_ips: Vec::new(),
        per_minute: PerMinute::default(),
        expires_at: None,
        created_at: at("2024-01-01T00:00:00Z"),
        last_used_at: None,
        ..tracker_key(n, user_id)
    }
}

fn provider_key(user_id: UserId, provider: &str, n: u8) -> ProviderKey {
    ProviderKey {
        user_id,
        provider: provider.to_owned(),
        masked: format!("sk-{n}…wxyz"),
        sealed: Sealed { key_id: format!("master-{n}"), nonce: [n; 12], ciphertext: vec![0, n, 255] },
        added_at: at("2024-01-15T10:30:00.123Z"),
        last_used_at: Some(at("2024-01-16T10:30:00Z")),
    }
}
