//! Refresh tokens.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::sample::{at, insert_users, key_id};
use crate::{MetaStore, NewSession, PasswordReset, Rotation};

/// A good token becomes the next one.
pub async fn a_token_is_exchanged_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 2).await[0];
    store.insert_session(&session(1, 0)).await.unwrap();
    assert_eq!(rotate(&*store, 1, 2, 60).await, Rotation::Rotated(user));
    assert_eq!(rotate(&*store, 2, 3, 120).await, Rotation::Rotated(user));
}

/// Somebody has a copy: neither the copy nor what followed from the token works any more; other log-ins do.
pub async fn a_token_that_is_used_twice_revokes_its_family(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 2).await[0];
    store.insert_session(&session(1, 0)).await.unwrap();
    let other = NewSession { family: key_id(2), ..session(9, 0) };
    store.insert_session(&other).await.unwrap();
    assert_eq!(rotate(&*store, 1, 2, 60).await, Rotation::Rotated(user));
    assert_eq!(rotate(&*store, 1, 3, 61).await, Rotation::Reused(user));
    assert_eq!(rotate(&*store, 2, 4, 62).await, Rotation::Refused);
    assert_eq!(rotate(&*store, 1, 5, 63).await, Rotation::Refused);
    assert_eq!(rotate(&*store, 9, 6, 64).await, Rotation::Rotated(user));
}

/// Within the grace, and not when the token that followed was used: then somebody is behind.
pub async fn two_windows_may_send_a_token_at_the_same_moment_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_session(&session(1, 0)).await.unwrap();
    let rotate = async |presented: u8, token, seconds| {
        store.rotate_session(&[presented; 32], &session(token, seconds), 10_000).await.unwrap()
    };
    assert_eq!(rotate(1, 2, 60).await, Rotation::Rotated(user));
    assert_eq!(rotate(1, 3, 69).await, Rotation::Rotated(user), "the other window");
    assert_eq!(rotate(3, 4, 70).await, Rotation::Rotated(user));
    assert_eq!(rotate(2, 5, 71).await, Rotation::Rotated(user));
    assert_eq!(rotate(5, 6, 72).await, Rotation::Rotated(user));
    assert_eq!(rotate(2, 7, 73).await, Rotation::Reused(user), "its successor was used");
    for (late, first) in [(10, 20), (11, 30)] {
        let family = NewSession { family: key_id(u32::from(first)), ..session(first, 0) };
        store.insert_session(&family).await.unwrap();
        assert_eq!(rotate(first, first + 1, 60).await, Rotation::Rotated(user));
        assert_eq!(rotate(first, first + 2, 60).await, Rotation::Rotated(user));
        assert_eq!(rotate(first, first + 3, 50 + late).await, Rotation::Reused(user), "a third time");
    }
    store.insert_session(&NewSession { family: key_id(40), ..session(40, 0) }).await.unwrap();
    assert_eq!(rotate(40, 41, 60).await, Rotation::Rotated(user));
    assert_eq!(rotate(40, 42, 70).await, Rotation::Reused(user), "too late");
}

/// Of tasks that present the same token, one gets the next; it is revoked by the others.
pub async fn concurrent_exchanges_let_one_through(store: Arc<dyn MetaStore>) {
    insert_users(&*store, 1).await;
    store.insert_session(&session(1, 0)).await.unwrap();
    let mut tasks = JoinSet::new();
    for token in 2..10 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { rotate(&*store, 1, token, 60).await });
    }
    let answers = tasks.join_all().await;
    let count = |wanted: fn(&Rotation) -> bool| answers.iter().filter(|answer| wanted(answer)).count();
    assert_eq!(count(|answer| matches!(answer, Rotation::Rotated(_))), 1, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Rotation::Reused(_))), 1, "{answers:?}");
}

/// Each for its own reason, all alike.
pub async fn expired_unknown_and_revoked_tokens_are_refused(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    assert_eq!(rotate(&*store, 1, 2, 0).await, Rotation::Refused);
    store.insert_session(&session(1, 0)).await.unwrap();
    assert_eq!(rotate(&*store, 1, 2, 3_600).await, Rotation::Refused, "it lasts for an hour");
    assert_eq!(rotate(&*store, 1, 2, 3_599).await, Rotation::Rotated(user));
    store.revoke_session(&[1; 32]).await.unwrap();
    store.revoke_session(&[77; 32]).await.unwrap();
    assert_eq!(rotate(&*store, 2, 3, 3_600).await, Rotation::Refused, "its family was revoked");
    store.insert_session(&session(5, 9_000)).await.unwrap();
    assert_eq!(rotate(&*store, 2, 6, 60).await, Rotation::Refused, "it was swept away");
}

/// Whoever knew the old one is out.
pub async fn a_new_password_revokes_every_token(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    store.insert_session(&session(1, 0)).await.unwrap();
    store.insert_session(&NewSession { family: key_id(2), ..session(2, 0) }).await.unwrap();
    store.insert_session(&NewSession { family: key_id(3), user_id: ids[1], ..session(3, 0) }).await.unwrap();
    store.change_password(ids[0], "new").await.unwrap();
    assert_eq!(rotate(&*store, 1, 11, 1).await, Rotation::Refused);
    assert_eq!(rotate(&*store, 2, 12, 1).await, Rotation::Refused);
    assert_eq!(rotate(&*store, 3, 13, 1).await, Rotation::Rotated(ids[1]));
}

/// A better hash of the same password is no reason to log in again.
pub async fn a_better_hash_leaves_every_token(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_session(&session(1, 0)).await.unwrap();
    store.upgrade_password_hash(user, "better").await.unwrap();
    let email = store.find_user(user).await.unwrap().unwrap().email;
    let kept = store.find_user_by_email(&email).await.unwrap().unwrap();
    assert_eq!(kept.password_hash, "better");
    assert_eq!(rotate(&*store, 1, 11, 1).await, Rotation::Rotated(user));
}

/// It is used up, and so is every log-in; a later token replaces an earlier one, and each has its time.
pub async fn a_token_of_a_reset_replaces_the_password_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_session(&session(1, 0)).await.unwrap();
    let expires_at = at("2024-01-15T10:30:00Z");
    for token in [7, 8] {
        let reset = PasswordReset { token_hash: [token; 32], user_id: user, expires_at };
        store.insert_password_reset(&reset).await.unwrap();
    }
    let before = at("2024-01-15T10:29:59Z");
    for (token, at, works) in [(7, before, None), (8, expires_at, None), (8, before, Some(user))] {
        assert_eq!(store.find_password_reset(&[token; 32], at).await.unwrap(), works);
        assert_eq!(store.reset_password(&[token; 32], "new", at).await.unwrap(), works);
    }
    assert_eq!(store.reset_password(&[8; 32], "again", before).await.unwrap(), None);
    let email = store.find_user(user).await.unwrap().unwrap().email;
    assert_eq!(store.find_user_by_email(&email).await.unwrap().unwrap().password_hash, "new");
    assert_eq!(rotate(&*store, 1, 2, 60).await, Rotation::Refused);
}

async fn rotate(store: &dyn MetaStore, presented: u8, token: u8, seconds: i64) -> Rotation {
    // Family and user are taken from the old token, not from here.
    let new = NewSession { family: key_id(77), user_id: super::sample::id(2), ..session(token, seconds) };
    store.rotate_session(&[presented; 32], &new, 0).await.unwrap()
}

/// A token of user 1, issued so many seconds after a log-in, which lasts for an hour.
fn session(token: u8, seconds: i64) -> NewSession {
    let issued_at = at("2024-01-15T10:00:00Z") + SignedDuration::from_secs(seconds);
    NewSession {
        token_hash: [token; 32],
        family: key_id(1),
        user_id: super::sample::id(1),
        issued_at,
        expires_at: issued_at + SignedDuration::from_hours(1),
    }
}
