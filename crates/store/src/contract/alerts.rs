//! Alerts of budgets that fired.

use std::sync::Arc;

use domain::{
    BudgetId, UserId,
    alert::{AlertMark, FiredAlert},
    budget::{AlertKind, Scope},
    fx::Conversion,
};
use jiff::{SignedDuration, Timestamp};
use pricing::Money;

use super::{
    budgets::budget,
    outbox::{event, insert_webhooks, to_webhook},
    sample::{at, id, insert_users, project},
};
use crate::{AlertQuery, AlertStatus, MetaStore, StoreError};

const NOW: &str = "2024-02-10T12:00:00Z";
const PERIOD: &str = "2024-02-01T00:00:00Z";

/// Once for its budget, period, threshold and definition; the event and its deliveries come with it or not at all.
pub async fn an_alert_fires_once(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    store.insert_project(&project(11, id(1))).await.unwrap();
    let first = alert(1, 11, 50);
    assert!(store.fire_alert(&first, &event(1, "s"), &[to_webhook(1, 1)]).await.unwrap());
    let again = FiredAlert { id: id(2), ..first.clone() };
    assert!(!store.fire_alert(&again, &event(2, "s"), &[to_webhook(2, 1)]).await.unwrap());
    assert_eq!(store.list_deliveries_of_event(id(2)).await.unwrap(), []);
    let others = [
        FiredAlert { threshold: 80, ..alert(3, 11, 80) },
        FiredAlert { definition: [9; 16], ..alert(4, 11, 50) },
        FiredAlert { period_start: at("2024-03-01T00:00:00Z"), ..alert(5, 11, 50) },
    ];
    for (n, other) in (3..).zip(&others) {
        assert!(store.fire_alert(other, &event(n, "s"), &[]).await.unwrap(), "{other:?}");
    }
    let fired = store.list_fired_alerts(id(11), at(PERIOD)).await.unwrap();
    assert_eq!(fired, [first.clone(), others[0].clone(), others[1].clone()]);
    assert_eq!(store.find_alert(id(1)).await.unwrap(), Some(first));
    assert_eq!(store.find_alert(id(2)).await.unwrap(), None);
    let endless = FiredAlert { period_start: Timestamp::MIN, period_end: Timestamp::MAX, ..alert(6, 11, 50) };
    assert!(store.fire_alert(&endless, &event(6, "s"), &[]).await.unwrap());
    assert_eq!(store.list_fired_alerts(id(11), Timestamp::MIN).await.unwrap(), [endless]);
}

/// Also when everybody notices at once.
pub async fn an_alert_fires_once_for_64_tasks(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    store.insert_project(&project(11, id(1))).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            store.fire_alert(&alert(n, 11, 50), &event(n, "s"), &[to_webhook(n, 1)]).await.unwrap()
        });
    }
    let fired = tasks.join_all().await.into_iter().filter(|fired| *fired).count();
    assert_eq!((fired, store.count_waiting().await.unwrap()), (1, 1));
}

/// A person sees the alerts of their projects, in one of four ways.
pub async fn a_list_holds_what_its_person_may_see(store: Arc<dyn MetaStore>) {
    let user = stage(&*store).await[0];
    let mark = AlertMark { read_at: Some(at(NOW)), ..AlertMark::default() };
    store.mark_alert(user, id(1), mark).await.unwrap();
    let until = at(NOW) + SignedDuration::from_hours(1);
    let snoozed = AlertMark { snoozed_until: Some(until), ..AlertMark::default() };
    store.mark_alert(user, id(2), snoozed).await.unwrap();
    let deleted = AlertMark { deleted: true, ..AlertMark::default() };
    store.mark_alert(user, id(3), deleted).await.unwrap();
    for (status, now, expected) in [
        (AlertStatus::All, at(NOW), vec![4, 2, 1]),
        (AlertStatus::Current, at(NOW), vec![4, 1]),
        (AlertStatus::Unread, at(NOW), vec![4]),
        (AlertStatus::Snoozed, at(NOW), vec![2]),
        (AlertStatus::Current, until, vec![4, 2, 1]),
        (AlertStatus::Unread, until, vec![4, 2]),
        (AlertStatus::Snoozed, until, vec![]),
    ] {
        let query = AlertQuery { status, now, ..query(user, &[id(11)]) };
        assert_eq!(listed(&*store, &query).await, expected, "{status:?} at {now}");
        assert_eq!(store.count_crossings(&query).await.unwrap(), expected.len() as u64, "{status:?}");
    }
    assert_eq!(listed(&*store, &query(user, &[])).await, [0; 0]);
    assert_eq!(listed(&*store, &query(user, &[id(11), id(12)])).await, [5, 4, 2, 1]);
}

/// What one person reads stays new to the others.
pub async fn marks_are_each_persons_own(store: Arc<dyn MetaStore>) {
    let users = stage(&*store).await;
    let unread = |user| AlertQuery { status: AlertStatus::Unread, ..query(user, &[id(11), id(12)]) };
    assert_eq!(store.mark_alerts_read(&unread(users[0])).await.unwrap(), 5);
    assert_eq!(store.mark_alerts_read(&unread(users[0])).await.unwrap(), 0);
    assert_eq!(store.count_crossings(&unread(users[0])).await.unwrap(), 0);
    assert_eq!(store.count_crossings(&unread(users[1])).await.unwrap(), 5);
    let mark = store.find_alert_mark(users[0], id(1)).await.unwrap();
    assert_eq!(mark, AlertMark { read_at: Some(at(NOW)), ..AlertMark::default() });
    assert_eq!(store.find_alert_mark(users[1], id(1)).await.unwrap(), AlertMark::default());
    assert!(!store.mark_alert(users[0], id(99), mark).await.unwrap());
}

/// A threshold that told by mail and by webhook is crossed once, and so is that of 100 % of what is used up.
pub async fn crossings_are_counted_and_not_alerts(store: Arc<dyn MetaStore>) {
    let user = stage(&*store).await[0];
    let others = [
        FiredAlert { definition: [8; 16], ..alert(6, 11, 80) },
        FiredAlert { definition: [8; 16], exceeded: false, ..alert(7, 11, 100) },
        FiredAlert { period_start: at("2024-03-01T00:00:00Z"), ..alert(8, 11, 80) },
    ];
    for (n, other) in (6..).zip(&others) {
        assert!(store.fire_alert(other, &event(n, "s"), &[]).await.unwrap());
    }
    let unread = AlertQuery { status: AlertStatus::Unread, ..query(user, &[id(11), id(12)]) };
    assert_eq!((listed(&*store, &unread).await.len(), store.count_crossings(&unread).await.unwrap()), (8, 6));
    // One of the two is still new.
    let read = AlertMark { read_at: Some(at(NOW)), ..AlertMark::default() };
    store.mark_alert(user, id(2), read).await.unwrap();
    assert_eq!(store.count_crossings(&unread).await.unwrap(), 6);
    store.mark_alert(user, id(6), read).await.unwrap();
    assert_eq!(store.count_crossings(&unread).await.unwrap(), 5);
}

/// The latest come first, and the next page starts where the one before ended.
pub async fn a_list_is_read_page_by_page(store: Arc<dyn MetaStore>) {
    let user = stage(&*store).await[0];
    let page = |before| AlertQuery { before, limit: 2, ..query(user, &[id(11), id(12)]) };
    assert_eq!(listed(&*store, &page(None)).await, [5, 4]);
    assert_eq!(listed(&*store, &page(Some(id(4)))).await, [3, 2]);
    assert_eq!(listed(&*store, &page(Some(id(2)))).await, [1]);
    let foreign = store.list_alerts(&page(Some(id(99)))).await;
    assert!(matches!(foreign, Err(StoreError::BadCursor)), "{foreign:?}");
}

/// The demo's projects leave nothing behind, and other budgets neither.
pub async fn alerts_vanish_with_their_budget(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let demo = domain::project::Project { demo: true, ..project(11, user) };
    store.insert_project(&demo).await.unwrap();
    store.fire_alert(&alert(1, 11, 50), &event(1, "s"), &[]).await.unwrap();
    store
        .mark_alert(user, id(1), AlertMark { read_at: Some(at(NOW)), ..AlertMark::default() })
        .await
        .unwrap();
    store.insert_budget(&budget(13, Scope::Account, user)).await.unwrap();
    store.fire_alert(&alert(2, 13, 50), &event(2, "s"), &[]).await.unwrap();
    store.purge_demo_projects().await.unwrap();
    assert_eq!(store.find_alert(id(1)).await.unwrap(), None);
    assert!(store.find_alert(id(2)).await.unwrap().is_some());
    store.delete_budget(id(13)).await.unwrap();
    assert_eq!(store.find_alert(id(2)).await.unwrap(), None);
}

/// Two people, two projects; alerts 1 to 4 of project 11, and 5 of project 12.
async fn stage(store: &dyn MetaStore) -> Vec<UserId> {
    let users = insert_users(store, 2).await;
    for n in [11, 12] {
        store.insert_project(&project(n, users[0])).await.unwrap();
    }
    for (n, project, threshold) in [(1, 11, 50), (2, 11, 80), (3, 11, 90), (4, 11, 100), (5, 12, 50)] {
        assert!(store.fire_alert(&alert(n, project, threshold), &event(n, "s"), &[]).await.unwrap());
    }
    users
}

fn query(user: UserId, budgets: &[BudgetId]) -> AlertQuery {
    AlertQuery {
        user,
        budgets: budgets.to_vec(),
        status: AlertStatus::All,
        now: at(NOW),
        before: None,
        limit: 100,
    }
}

async fn listed(store: &dyn MetaStore, query: &AlertQuery) -> Vec<u32> {
    let alerts = store.list_alerts(query).await.unwrap();
    let number = |(alert, _): &(FiredAlert, AlertMark)| {
        let [.., a, b, c, d] = *alert.id.bytes();
        u32::from_be_bytes([a, b, c, d])
    };
    alerts.iter().map(number).collect()
}

fn alert(n: u32, budget: u32, threshold: u16) -> FiredAlert {
    FiredAlert {
        id: id(n),
        budget_id: id(budget),
        period_start: at(PERIOD),
        period_end: at("2024-03-01T00:00:00Z"),
        threshold,
        definition: [7; 16],
        exceeded: threshold == 100,
        kind: AlertKind::Both,
        amount: Money::from_nanos(i64::MAX),
        conversion: (budget == 12).then(conversion),
        spent: Money::from_nanos(-1),
        event_id: id(n),
        at: at(NOW),
    }
}

fn conversion() -> Conversion {
    Conversion {
        currency: "EUR".to_owned(),
        amount: Money::from_nanos(7),
        rate: "1.084300000001".parse().unwrap(),
        rate_date: "2024-01-01".parse().unwrap(),
    }
}
