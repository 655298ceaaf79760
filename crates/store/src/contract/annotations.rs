//! Annotations.

use std::sync::Arc;

use domain::{AnnotationId, Interval, annotation::Annotation};

use super::sample::{at, id, insert_users, period, project, tags};
use crate::{AnnotationQuery, MetaStore, StoreError};

const NOON: &str = "2024-02-10T12:00:00Z";

/// With every field as it was.
pub async fn an_annotation_comes_back(store: Arc<dyn MetaStore>) {
    stage(&*store).await;
    let whole = annotation(1, Some(11), NOON);
    let bare = Annotation { tags: tags(&[]), link: None, ..annotation(2, None, NOON) };
    for annotation in [&whole, &bare] {
        assert_eq!(store.insert_annotation(annotation).await.unwrap(), *annotation);
        assert_eq!(store.find_annotation(annotation.id).await.unwrap().as_ref(), Some(annotation));
    }
    assert_eq!(store.count_annotations().await.unwrap(), 2);
    assert_eq!(store.find_annotation(id(3)).await.unwrap(), None);
}

/// The same moment and title of the same project is said once, by however many at once.
pub async fn the_same_is_said_once(store: Arc<dyn MetaStore>) {
    stage(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=16 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.insert_annotation(&annotation(n, Some(11), NOON)).await.unwrap().id });
    }
    let mut kept = tasks.join_all().await;
    kept.dedup();
    assert_eq!((kept.len(), store.count_annotations().await.unwrap()), (1, 1));
    let others = [
        annotation(20, Some(12), NOON),
        annotation(21, None, NOON),
        annotation(22, Some(11), "2024-02-10T12:00:00.001Z"),
        Annotation { title: "v2".to_owned(), ..annotation(23, Some(11), NOON) },
    ];
    for other in others {
        assert_eq!(store.insert_annotation(&other).await.unwrap(), other);
    }
}

/// By the time at which they happened, not at which they were said; by project, by period, page by page.
pub async fn annotations_are_listed_latest_first(store: Arc<dyn MetaStore>) {
    stage(&*store).await;
    let (before, after) = ("2024-02-10T11:59:59.999Z", "2024-02-10T12:00:00.001Z");
    for (n, project, when) in
        [(1, Some(11), after), (2, Some(12), before), (3, None, NOON), (4, Some(12), NOON)]
    {
        store.insert_annotation(&annotation(n, project, when)).await.unwrap();
    }
    let all = AnnotationQuery { projects: None, period: Interval::ALWAYS, before: None, limit: 10 };
    let of = |projects: &[u32]| AnnotationQuery {
        projects: Some(projects.iter().map(|n| id(*n)).collect()),
        ..all.clone()
    };
    let cases = [
        (all.clone(), vec![1, 4, 3, 2]),
        (of(&[]), vec![3]),
        (of(&[11]), vec![1, 3]),
        (of(&[12]), vec![4, 3, 2]),
        (AnnotationQuery { period: period(NOON, after), ..all.clone() }, vec![4, 3]),
        (AnnotationQuery { limit: 2, ..all.clone() }, vec![1, 4]),
        (AnnotationQuery { before: Some(id(4)), ..all.clone() }, vec![3, 2]),
        (AnnotationQuery { before: Some(id(2)), ..all.clone() }, vec![]),
    ];
    for (query, expected) in cases {
        let listed = store.list_annotations(&query).await.unwrap();
        let ids: Vec<AnnotationId> = listed.iter().map(|annotation| annotation.id).collect();
        assert_eq!(ids, expected.into_iter().map(id).collect::<Vec<_>>(), "{query:?}");
    }
    let foreign = store.list_annotations(&AnnotationQuery { before: Some(id(99)), ..all }).await;
    assert!(matches!(foreign, Err(StoreError::BadCursor)), "{foreign:?}");
}

/// One by one, and with their project.
pub async fn annotations_are_deleted(store: Arc<dyn MetaStore>) {
    stage(&*store).await;
    for (n, project) in [(1, 11), (2, 13)] {
        store.insert_annotation(&annotation(n, Some(project), NOON)).await.unwrap();
    }
    assert!(store.delete_annotation(id(1)).await.unwrap());
    assert!(!store.delete_annotation(id(1)).await.unwrap());
    store.purge_demo_projects().await.unwrap();
    assert_eq!(store.count_annotations().await.unwrap(), 0);
}

/// Projects 11 and 12, and 13 of the demo.
async fn stage(store: &dyn MetaStore) {
    let user = insert_users(store, 1).await[0];
    for n in [11, 12, 13] {
        let demo = n == 13;
        store.insert_project(&domain::project::Project { demo, ..project(n, user) }).await.unwrap();
    }
}

fn annotation(n: u32, project: Option<u32>, when: &str) -> Annotation {
    Annotation {
        id: id(n),
        project_id: project.map(id),
        at: at(when),
        title: "v1.4.2 „blue“".to_owned(),
        tags: tags(&["deploy", "eu"]),
        link: Some("https://ci.example.com/runs/7".to_owned()),
        created_by: id(1),
        created_at: at("2024-02-10T13:00:00Z"),
    }
}
