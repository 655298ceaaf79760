//! Anomalies of spending.

use std::sync::Arc;

use domain::{
    AnomalyId,
    anomaly::{Anomaly, Basis, Expectation, Series, Span, Usual},
};
use jiff::{SignedDuration, Timestamp};
use pricing::Money;

use super::{
    outbox::{event, insert_webhooks, to_webhook},
    sample::{at, id, insert_users, project},
};
use crate::{AnomalyQuery, MetaStore, NewAnomaly, StoreError};

const TUESDAY: &str = "2024-02-13T00:00:00Z";

/// With its event and deliveries, and with every field as it was.
pub async fn an_anomaly_comes_back(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    store.insert_project(&project(11, id(1))).await.unwrap();
    let found = NewAnomaly { deliveries: vec![to_webhook(1, 1)], ..found(1, Some(11), TUESDAY) };
    assert!(store.insert_anomaly(&found).await.unwrap());
    assert_eq!(store.find_anomaly(id(1)).await.unwrap(), Some(found.anomaly));
    assert_eq!(store.list_deliveries_of_event(id(1)).await.unwrap().len(), 1);
    assert_eq!(store.find_anomaly(id(2)).await.unwrap(), None);
    let of_no_project = found_of(2, None);
    assert!(store.insert_anomaly(&of_no_project).await.unwrap());
    assert_eq!(store.find_anomaly(id(2)).await.unwrap(), Some(of_no_project.anomaly));
}

/// Of 64 that find the same at once, one is kept, and told once.
pub async fn an_anomaly_is_kept_once_for_64_tasks(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    store.insert_project(&project(11, id(1))).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let found = NewAnomaly { deliveries: vec![to_webhook(n, 1)], ..found(n, Some(11), TUESDAY) };
            store.insert_anomaly(&found).await.unwrap()
        });
    }
    let kept = tasks.join_all().await.into_iter().filter(|kept| *kept).count();
    assert_eq!((kept, store.count_waiting().await.unwrap()), (1, 1));
}

/// Nothing is kept of a series that is quiet; other series and spans are.
pub async fn a_series_is_quiet_for_a_while(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    for n in [11, 12] {
        store.insert_project(&project(n, user)).await.unwrap();
    }
    let keep = async |found: NewAnomaly| store.insert_anomaly(&found).await.unwrap();
    assert!(keep(found(1, Some(11), TUESDAY)).await);
    let next_day = "2024-02-14T00:00:00Z";
    let quiet = NewAnomaly { quiet_since: at(TUESDAY), ..found(2, Some(11), next_day) };
    assert!(!keep(quiet.clone()).await);
    assert_eq!(store.list_deliveries_of_event(id(2)).await.unwrap(), []);
    let with = |n: u32, change: &dyn Fn(&mut Anomaly)| {
        let mut other =
            NewAnomaly { anomaly: Anomaly { id: id(n), ..quiet.anomaly.clone() }, ..quiet.clone() };
        other.event = event(n, "s");
        change(&mut other.anomaly);
        other
    };
    assert!(keep(with(3, &|anomaly| anomaly.span = Span::Hour)).await);
    assert!(keep(with(4, &|anomaly| anomaly.series.project_id = Some(id(12)))).await);
    assert!(keep(with(5, &|anomaly| anomaly.series.project_id = None)).await);
    assert!(keep(with(6, &|anomaly| "o3".clone_into(&mut anomaly.series.model))).await);
    assert!(keep(with(7, &|anomaly| "azure".clone_into(&mut anomaly.series.provider))).await);
    let later = NewAnomaly { quiet_since: at(next_day), ..found(8, Some(11), next_day) };
    assert!(keep(later).await);
}

/// By project, by what was expected, and page by page.
pub async fn anomalies_are_listed_latest_first(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    for n in [11, 12] {
        store.insert_project(&project(n, user)).await.unwrap();
    }
    for (n, project) in [(1, Some(11)), (2, Some(12)), (3, None)] {
        assert!(store.insert_anomaly(&found_of(n, project)).await.unwrap());
    }
    let expectation = Expectation { by: user, at: at(TUESDAY), note: "a „load test“".to_owned() };
    assert!(store.mark_anomaly(id(2), Some(&expectation)).await.unwrap());
    let all = AnomalyQuery { limit: 100, ..AnomalyQuery::default() };
    let of = |projects: &[u32]| AnomalyQuery {
        projects: Some(projects.iter().map(|n| id(*n)).collect()),
        ..all.clone()
    };
    let cases = [
        (all.clone(), vec![3, 2, 1]),
        (of(&[11]), vec![1]),
        (of(&[11, 12]), vec![2, 1]),
        (of(&[]), vec![]),
        (AnomalyQuery { expected: Some(true), ..all.clone() }, vec![2]),
        (AnomalyQuery { expected: Some(false), ..all.clone() }, vec![3, 1]),
        (AnomalyQuery { limit: 2, ..all.clone() }, vec![3, 2]),
        (AnomalyQuery { before: Some(id(2)), ..all.clone() }, vec![1]),
    ];
    for (query, expected) in cases {
        let listed = store.list_anomalies(&query).await.unwrap();
        let ids: Vec<AnomalyId> = listed.iter().map(|anomaly| anomaly.id).collect();
        assert_eq!(ids, expected.into_iter().map(id).collect::<Vec<_>>(), "{query:?}");
    }
    assert_eq!(store.find_anomaly(id(2)).await.unwrap().unwrap().expected, Some(expectation));
    let foreign = store.list_anomalies(&AnomalyQuery { before: Some(id(99)), ..all }).await;
    assert!(matches!(foreign, Err(StoreError::BadCursor)), "{foreign:?}");
}

/// The most that was expected of a series counts, as long as it is not long ago and nobody took it back.
pub async fn what_was_expected_is_remembered(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_project(&project(11, user)).await.unwrap();
    let wednesday = "2024-02-14T00:00:00Z";
    for (n, day, spent) in [(1, TUESDAY, 90), (2, wednesday, 70), (3, "2024-02-15T00:00:00Z", 500)] {
        let mut found = NewAnomaly { quiet_since: at(day), ..found(n, Some(11), day) };
        found.anomaly.spent = Money::from_nanos(spent);
        assert!(store.insert_anomaly(&found).await.unwrap());
    }
    let expectation = Expectation { by: user, at: at(TUESDAY), note: String::new() };
    for n in [1, 2] {
        assert!(store.mark_anomaly(id(n), Some(&expectation)).await.unwrap());
    }
    let series = series(Some(11));
    let expected = async |span, since: &str| store.find_expected(&series, span, at(since)).await.unwrap();
    assert_eq!(expected(Span::Day, TUESDAY).await, Some(Money::from_nanos(90)));
    assert_eq!(expected(Span::Day, wednesday).await, Some(Money::from_nanos(70)));
    assert_eq!(expected(Span::Hour, TUESDAY).await, None);
    assert!(store.mark_anomaly(id(1), None).await.unwrap());
    assert_eq!(expected(Span::Day, TUESDAY).await, Some(Money::from_nanos(70)));
    assert!(!store.mark_anomaly(id(99), None).await.unwrap());
}

/// The demo's projects leave nothing behind.
pub async fn anomalies_vanish_with_their_project(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let demo = domain::project::Project { demo: true, ..project(11, user) };
    store.insert_project(&demo).await.unwrap();
    assert!(store.insert_anomaly(&found(1, Some(11), TUESDAY)).await.unwrap());
    store.purge_demo_projects().await.unwrap();
    assert_eq!(store.find_anomaly(id(1)).await.unwrap(), None);
}

fn series(project: Option<u32>) -> Series {
    Series { project_id: project.map(id), provider: "openai".to_owned(), model: "gpt-4o".to_owned() }
}

fn found_of(n: u32, project: Option<u32>) -> NewAnomaly {
    found(n, project, TUESDAY)
}

fn found(n: u32, project: Option<u32>, day: &str) -> NewAnomaly {
    let start: Timestamp = at(day);
    let anomaly = Anomaly {
        id: id(n),
        series: series(project),
        span: Span::Day,
        start,
        spent: Money::from_nanos(i64::MAX),
        usual: Usual {
            median: Money::from_nanos(20),
            deviation: Money::from_nanos(1),
            samples: 8,
            basis: Basis::SameTime,
        },
        event_id: id(n),
        at: start + SignedDuration::from_hours(14),
        expected: None,
    };
    NewAnomaly { anomaly, quiet_since: start, event: event(n, "s"), deliveries: Vec::new() }
}
