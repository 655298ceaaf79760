//! Accounts and invitations.

use std::sync::Arc;

use domain::{
    project::ProjectRole,
    user::{Role, User},
};

use super::sample::{at, id, insert_users, project, user};
use crate::{Claim, Invitation, MetaStore, StoreError, UserWithHash};

/// What is kept comes back as it was.
pub async fn an_account_comes_back(store: Arc<dyn MetaStore>) {
    let new = user(1, "ada@example.com");
    let kept = store.insert_user(&new, Claim::Open).await.unwrap();
    assert_eq!(kept, new.user);
    assert_eq!(store.find_user(kept.id).await.unwrap(), Some(kept));
    assert_eq!(store.find_user_by_email("ada@example.com").await.unwrap(), Some(new));
    assert_eq!(store.find_user(id(9)).await.unwrap(), None);
    assert_eq!(store.find_user_by_email("Ada@example.com").await.unwrap(), None);
}

/// Only the first, and whatever role it came with.
pub async fn the_first_account_is_the_owner(store: Arc<dyn MetaStore>) {
    assert!(!store.has_accounts().await.unwrap());
    let first = store.insert_user(&user(1, "ada@example.com"), Claim::First).await.unwrap();
    assert_eq!(first.role, Role::Owner);
    assert!(store.has_accounts().await.unwrap());
    let late = store.insert_user(&user(2, "alan@example.com"), Claim::First).await;
    assert!(matches!(late, Err(StoreError::Conflict("account"))), "{late:?}");
    assert_eq!(store.list_users().await.unwrap(), [first]);
}

/// The people of the demo are not there when the operator comes.
pub async fn demo_accounts_do_not_count_as_the_first(store: Arc<dyn MetaStore>) {
    let mut demo = user(1, "demo@example.com");
    demo.user.demo = true;
    store.insert_user(&demo, Claim::Open).await.unwrap();
    assert!(!store.has_accounts().await.unwrap());
    store.insert_user(&user(2, "ada@example.com"), Claim::First).await.unwrap();
}

/// By whatever claim.
pub async fn an_address_is_taken_once(store: Arc<dyn MetaStore>) {
    store.insert_user(&user(1, "ada@example.com"), Claim::Open).await.unwrap();
    store.insert_invitation(&invitation(1)).await.unwrap();
    for claim in [Claim::Open, Claim::Invitation([1; 32])] {
        let taken = store.insert_user(&user(2, "ada@example.com"), claim).await;
        assert!(matches!(taken, Err(StoreError::Conflict("email"))), "{taken:?}");
    }
    assert_eq!(store.list_users().await.unwrap().len(), 1);
}

/// It gives its role and its project, and is used up.
pub async fn an_invitation_lets_its_address_in_once(store: Arc<dyn MetaStore>) {
    let owner = insert_users(&*store, 1).await[0];
    store.insert_project(&project(11, owner)).await.unwrap();
    let invitation = Invitation { project: Some((id(11), ProjectRole::Viewer)), ..invitation(1) };
    store.insert_invitation(&invitation).await.unwrap();
    let claim = Claim::Invitation([1; 32]);
    let stranger = store.insert_user(&user(2, "alan@example.com"), claim).await;
    assert!(matches!(stranger, Err(StoreError::Conflict("invitation"))), "{stranger:?}");
    let guest = store.insert_user(&user(3, "ada@example.com"), claim).await.unwrap();
    assert_eq!(guest.role, Role::Admin);
    let found = store.find_project(id(11)).await.unwrap().unwrap();
    assert_eq!(found.role_of(guest.id, Role::Member), Some(ProjectRole::Viewer));
    store.delete_user(guest.id).await.unwrap();
    let again = store.insert_user(&user(4, "ada@example.com"), claim).await;
    assert!(matches!(again, Err(StoreError::Conflict("invitation"))), "{again:?}");
}

/// To the moment.
pub async fn an_invitation_expires(store: Arc<dyn MetaStore>) {
    store.insert_invitation(&invitation(1)).await.unwrap();
    let late = at_moment("2024-02-01T00:00:00Z");
    let refused = store.insert_user(&late, Claim::Invitation([1; 32])).await;
    assert!(matches!(refused, Err(StoreError::Conflict("invitation"))), "{refused:?}");
    store.insert_user(&at_moment("2024-01-31T23:59:59.999Z"), Claim::Invitation([1; 32])).await.unwrap();
}

/// For the same address and project; one for another project is another.
pub async fn a_later_invitation_replaces_the_earlier(store: Arc<dyn MetaStore>) {
    let owner = insert_users(&*store, 1).await[0];
    store.insert_project(&project(11, owner)).await.unwrap();
    let to_project = Invitation { project: Some((id(11), ProjectRole::Viewer)), ..invitation(3) };
    for invitation in [invitation(1), to_project, invitation(2)] {
        store.insert_invitation(&invitation).await.unwrap();
    }
    let register = async |token: u8| {
        let guest = store.insert_user(&user(2, "ada@example.com"), Claim::Invitation([token; 32])).await;
        store.delete_user(id(2)).await.unwrap();
        guest.is_ok()
    };
    assert_eq!([register(1).await, register(2).await, register(3).await], [false, true, true]);
}

/// Name, preferences and role change; nothing else does.
pub async fn accounts_change_and_vanish(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    let kept = store.find_user(ids[0]).await.unwrap().unwrap();
    let change = User {
        name: "Countess".to_owned(),
        preferences: "{}".to_owned(),
        role: Role::Viewer,
        email: "not@changed".to_owned(),
        ..kept.clone()
    };
    store.update_user(&change).await.unwrap();
    assert_eq!(store.find_user(ids[0]).await.unwrap(), Some(User { email: kept.email.clone(), ..change }));
    store.change_password(ids[0], "$argon2id$new").await.unwrap();
    assert_eq!(store.find_user_by_email(&kept.email).await.unwrap().unwrap().password_hash, "$argon2id$new");
    store.delete_user(ids[0]).await.unwrap();
    assert_eq!(store.find_user(ids[0]).await.unwrap(), None);
    let left = store.list_users().await.unwrap();
    assert_eq!(left.iter().map(|user| user.id).collect::<Vec<_>>(), [ids[1]]);
}

/// The account of ada@example.com, made at this moment.
fn at_moment(moment: &str) -> UserWithHash {
    let mut new = user(2, "ada@example.com");
    new.user.created_at = at(moment);
    new
}

/// An invitation of ada@example.com.
fn invitation(token: u8) -> Invitation {
    Invitation {
        token_hash: [token; 32],
        email: "ada@example.com".to_owned(),
        role: Role::Admin,
        project: None,
        expires_at: at("2024-02-01T00:00:00Z"),
    }
}
