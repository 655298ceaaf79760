//! Projects and their members.

use std::sync::Arc;

use domain::{
    project::{Member, Project, ProjectRole, ProjectSettings},
    user::Role,
};

use super::sample::{at, id, insert_users, project, project_id, tags};
use crate::{MetaStore, StoreError};

/// What is kept comes back as it was, and every change of it.
pub async fn a_project_comes_back(store: Arc<dyn MetaStore>) {
    let owner = insert_users(&*store, 1).await[0];
    let full = project(11, owner);
    store.insert_project(&full).await.unwrap();
    assert_eq!(store.find_project(full.id).await.unwrap().as_ref(), Some(&full));
    assert_eq!(store.find_project(project_id(99)).await.unwrap(), None);
    let again = store.insert_project(&full).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let plain = Project {
        name: "renamed".to_owned(),
        description: String::new(),
        budget: None,
        tags: tags(&[]),
        settings: ProjectSettings::default(),
        members: Vec::new(),
        is_active: false,
        updated_at: at("2024-02-01T00:00:00Z"),
        ..full.clone()
    };
    store.update_project(&plain).await.unwrap();
    let found = store.find_project(full.id).await.unwrap();
    assert_eq!(found, Some(Project { members: full.members, ..plain }), "members are changed one by one");
}

/// Deleted projects are gone for everybody.
pub async fn archived_projects_are_not_found(store: Arc<dyn MetaStore>) {
    let owner = insert_users(&*store, 1).await[0];
    let kept = project(11, owner);
    store.insert_project(&kept).await.unwrap();
    store
        .update_project(&Project { archived_at: Some(at("2024-02-01T00:00:00Z")), ..kept.clone() })
        .await
        .unwrap();
    assert_eq!(store.find_project(kept.id).await.unwrap(), None);
    assert_eq!(store.list_projects().await.unwrap(), []);
    assert_eq!(store.list_projects_of(owner).await.unwrap(), []);
    let archived: Vec<_> = store.list_archived_projects().await.unwrap().iter().map(|kept| kept.id).collect();
    assert_eq!(archived, [kept.id], "but for what forgets their records");
}

/// Members see theirs; the list of all has all.
pub async fn projects_are_listed_by_name_to_their_members(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    for (n, name, owner) in [(11, "b", ids[0]), (12, "c", ids[1]), (13, "a", ids[0])] {
        store.insert_project(&Project { name: name.to_owned(), ..project(n, owner) }).await.unwrap();
    }
    let names = |list: Vec<Project>| list.into_iter().map(|project| project.name).collect::<Vec<_>>();
    assert_eq!(names(store.list_projects().await.unwrap()), ["a", "b", "c"]);
    assert_eq!(names(store.list_projects_of(ids[0]).await.unwrap()), ["a", "b"]);
    assert_eq!(names(store.list_projects_of(id(99)).await.unwrap()), [""; 0]);
}

/// A member's role changes; since when they are a member does not.
pub async fn members_join_change_and_leave(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    let kept = project(11, ids[0]);
    store.insert_project(&kept).await.unwrap();
    let (joined, changed) = (at("2024-02-01T00:00:00Z"), at("2024-03-01T00:00:00Z"));
    store.put_member(kept.id, ids[1], ProjectRole::Viewer, joined).await.unwrap();
    store.put_member(kept.id, ids[1], ProjectRole::Admin, changed).await.unwrap();
    let found = store.find_project(kept.id).await.unwrap().unwrap();
    let member = Member { user_id: ids[1], role: ProjectRole::Admin, added_at: joined };
    assert_eq!(found.members, [kept.members[0].clone(), member]);
    assert!(store.remove_member(kept.id, ids[1]).await.unwrap());
    assert!(!store.remove_member(kept.id, ids[1]).await.unwrap());
    assert_eq!(store.list_projects_of(ids[1]).await.unwrap(), []);
}

/// A project is never left without an owner, unless the owner's account is deleted.
pub async fn the_last_owner_stays(store: Arc<dyn MetaStore>) {
    let ids = insert_users(&*store, 2).await;
    let (id, now) = (project_id(11), at("2024-02-01T00:00:00Z"));
    store.insert_project(&project(11, ids[0])).await.unwrap();
    let demoted = store.put_member(id, ids[0], ProjectRole::Admin, now).await;
    assert!(matches!(demoted, Err(StoreError::Conflict("owner"))), "{demoted:?}");
    let removed = store.remove_member(id, ids[0]).await;
    assert!(matches!(removed, Err(StoreError::Conflict("owner"))), "{removed:?}");
    let found = store.find_project(id).await.unwrap().unwrap();
    assert_eq!(found.role_of(ids[0], Role::Member), Some(ProjectRole::Owner), "nothing has happened");
    store.put_member(id, ids[1], ProjectRole::Owner, now).await.unwrap();
    assert!(store.remove_member(id, ids[0]).await.unwrap());
    store.delete_user(ids[1]).await.unwrap();
    assert_eq!(store.find_project(id).await.unwrap().unwrap().members, []);
    store.put_member(id, ids[0], ProjectRole::Viewer, now).await.unwrap();
}

/// The demo takes its projects along, archived ones too; others stay.
pub async fn demo_projects_are_purged(store: Arc<dyn MetaStore>) {
    let owner = insert_users(&*store, 1).await[0];
    let demo = Project { demo: true, ..project(11, owner) };
    let archived =
        Project { demo: true, archived_at: Some(at("2024-02-01T00:00:00Z")), ..project(12, owner) };
    for project in [&demo, &archived, &project(13, owner)] {
        store.insert_project(project).await.unwrap();
    }
    let mut purged = store.purge_demo_projects().await.unwrap();
    purged.sort_unstable();
    assert_eq!(purged, [demo.id, archived.id]);
    assert_eq!(store.list_projects_of(owner).await.unwrap(), [project(13, owner)]);
    assert_eq!(store.purge_demo_projects().await.unwrap(), []);
    store.insert_project(&demo).await.unwrap();
}
