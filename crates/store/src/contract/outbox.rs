//! Events and their deliveries.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    DeliveryId, WebhookId,
    delivery::{Attempt, Channel, Delivery, DeliveryState, NewDelivery, Next},
    event::{Event, EventType},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    sample::{at, id, insert_users},
    webhooks::webhook,
};
use crate::{AttemptResult, DeliveryClaim, MetaStore, StoreError};

const NOW: &str = "2024-02-10T12:00:00Z";

/// What is kept comes back as it was.
pub async fn an_event_and_its_deliveries_come_back(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    let event = event(1, "project:1");
    let refused = NewDelivery {
        id: id(3),
        channel: Channel::Email,
        webhook_id: None,
        target: "ada@example.com".to_owned(),
        state: DeliveryState::NotConfigured,
        reason: Some("no mail server".to_owned()),
    };
    store.insert_event(&event, &[to_webhook(2, 1), refused.clone()]).await.unwrap();
    let again = store.insert_event(&event, &[]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let kept = store.list_deliveries_of_event(event.id).await.unwrap();
    let expected = |new: NewDelivery, due_at| Delivery {
        id: new.id,
        event: event.clone(),
        channel: new.channel,
        webhook_id: new.webhook_id,
        target: new.target,
        state: new.state,
        attempts: 0,
        tries: 0,
        due_at,
        reason: new.reason,
    };
    let deliveries: Vec<Delivery> = kept.into_iter().map(|log| log.delivery).collect();
    assert_eq!(deliveries, [expected(to_webhook(2, 1), Some(event.at)), expected(refused, None)]);
    assert_eq!(store.find_next_due().await.unwrap(), Some(event.at));
    assert_eq!(store.count_waiting().await.unwrap(), 1);
}

/// All of it or nothing.
pub async fn events_about_records_are_kept_with_their_place(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    // Somebody asks for it from now on.
    assert_eq!(store.find_told_place().await.unwrap(), Some(0));
    store.insert_usage_events(vec![(event(1, "usage:1"), vec![to_webhook(11, 1)])], 0, 7).await.unwrap();
    assert_eq!(store.find_told_place().await.unwrap(), Some(7));
    let again = vec![(event(2, "usage:1"), vec![]), (event(1, "usage:1"), vec![])];
    assert!(store.insert_usage_events(again, 7, 9).await.is_err());
    let twice = store.insert_usage_events(vec![(event(3, "usage:1"), vec![to_webhook(12, 1)])], 0, 7).await;
    assert!(matches!(twice, Err(StoreError::Conflict("place"))), "{twice:?}");
    assert_eq!(store.find_told_place().await.unwrap(), Some(7));
    assert_eq!(due(&*store, at(NOW)).await, [11]);
}

/// Deliveries of one subject to one destination leave one after the other; others do not wait for them.
pub async fn one_destination_and_subject_is_served_in_order(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 2).await;
    store.insert_event(&event(1, "project:1"), &[to_webhook(11, 1), to_webhook(12, 2)]).await.unwrap();
    store.insert_event(&event(2, "project:1"), &[to_webhook(21, 1)]).await.unwrap();
    store.insert_event(&event(3, "project:2"), &[to_webhook(31, 1)]).await.unwrap();
    assert_eq!(due(&*store, at(NOW)).await, [11, 12, 31]);
    record(&*store, 11, at(NOW), Next::RetryAt(at(NOW) + SignedDuration::from_hours(1))).await;
    assert_eq!(due(&*store, at(NOW) + SignedDuration::from_mins(30)).await, [12, 31], "21 waits for 11");
    let later = at(NOW) + SignedDuration::from_hours(1);
    record(&*store, 11, later, Next::Delivered).await;
    record(&*store, 12, later, Next::Delivered).await;
    record(&*store, 31, later, Next::GiveUp).await;
    assert_eq!(due(&*store, later).await, [21]);
    record(&*store, 21, later, Next::Delivered).await;
    assert_eq!(store.find_next_due().await.unwrap(), None);
}

/// What was given is not given again before the time that its taker was allowed.
pub async fn a_claimed_delivery_is_given_once_until_its_time(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    store.insert_event(&event(1, "s"), &[to_webhook(1, 1)]).await.unwrap();
    let claim = claim(at(NOW));
    let early = DeliveryClaim { now: at(NOW) - SignedDuration::from_millis(1), ..claim.clone() };
    assert_eq!(store.claim_deliveries(early).await.unwrap(), []);
    assert_eq!(store.claim_deliveries(claim.clone()).await.unwrap().len(), 1);
    assert_eq!(store.claim_deliveries(claim.clone()).await.unwrap(), []);
    assert_eq!(store.find_next_due().await.unwrap(), Some(claim.until));
    let later = DeliveryClaim { now: claim.until, until: claim.until, ..claim };
    assert_eq!(store.claim_deliveries(later).await.unwrap().len(), 1, "its taker is gone");
}

/// A slow destination leaves room for the others.
pub async fn one_destination_does_not_take_every_place(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 2).await;
    for n in 1..=5 {
        store.insert_event(&event(n, &format!("project:{n}")), &[to_webhook(n, 1)]).await.unwrap();
    }
    store.insert_event(&event(6, "project:1"), &[to_webhook(6, 2)]).await.unwrap();
    let narrow = DeliveryClaim { per_target: 2, ..claim(at(NOW)) };
    let taken = store.claim_deliveries(narrow).await.unwrap();
    assert_eq!(numbers(&taken), [1, 2, 6]);
    let few = DeliveryClaim { limit: 2, ..claim(at(NOW)) };
    assert_eq!(numbers(&store.claim_deliveries(few).await.unwrap()), [3, 4]);
    let busy = vec![to_webhook(1, 1).webhook_id.unwrap().to_string()];
    assert_eq!(store.claim_deliveries(DeliveryClaim { busy, ..claim(at(NOW)) }).await.unwrap(), []);
    assert_eq!(numbers(&store.claim_deliveries(claim(at(NOW))).await.unwrap()), [5]);
}

/// Every attempt is in the log, and the delivery says what comes next.
pub async fn attempts_are_kept_and_the_next_is_due_when_they_say(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    let event = event(1, "s");
    store.insert_event(&event, &[to_webhook(1, 1)]).await.unwrap();
    let next = at(NOW) + SignedDuration::from_secs(5);
    record(&*store, 1, at(NOW), Next::RetryAt(next)).await;
    let log = store.list_deliveries_of_event(event.id).await.unwrap().remove(0);
    assert_eq!((log.delivery.attempts, log.delivery.tries, log.delivery.due_at), (1, 1, Some(next)));
    assert_eq!(log.delivery.reason.as_deref(), Some("HTTP 500"));
    record(&*store, 1, next, Next::Delivered).await;
    record(&*store, 1, next, Next::GiveUp).await;
    let log = store.list_deliveries_of_event(event.id).await.unwrap().remove(0);
    assert_eq!((log.delivery.state, log.delivery.due_at), (DeliveryState::Delivered, None));
    assert_eq!(log.delivery.reason, None);
    assert_eq!(log.attempts, [attempt(next, false), attempt(at(NOW), true)], "the latest first");
    store.record_attempt(id(99), &result(at(NOW), Next::Delivered)).await.unwrap();
}

/// A replay starts the schedule anew, and takes its place in the order again.
pub async fn a_delivery_is_replayed(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 2).await;
    store.insert_event(&event(1, "s"), &[to_webhook(1, 1)]).await.unwrap();
    store.insert_event(&event(2, "s"), &[to_webhook(2, 1)]).await.unwrap();
    record(&*store, 1, at(NOW), Next::GiveUp).await;
    let later = at(NOW) + SignedDuration::from_hours(1);
    let replayed = store.replay_delivery(id(1), id(1), later).await.unwrap().unwrap();
    assert_eq!(
        (replayed.state, replayed.attempts, replayed.tries, replayed.due_at, replayed.reason),
        (DeliveryState::Waiting, 1, 0, Some(later), None)
    );
    assert_eq!(due(&*store, later).await, [2], "2 was first by then");
    record(&*store, 2, later, Next::Delivered).await;
    assert_eq!(due(&*store, later).await, [1]);
    assert_eq!(store.replay_delivery(id(2), id(1), later).await.unwrap(), None, "of another webhook");
    assert_eq!(store.replay_delivery(id(1), id(9), later).await.unwrap(), None);
}

/// The latest deliveries come first, and the next page starts where the one before ended.
pub async fn the_log_is_read_page_by_page(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 2).await;
    for n in 1..=5 {
        store.insert_event(&event(n, "s"), &[to_webhook(n, 1), to_webhook(100 + n, 2)]).await.unwrap();
    }
    let page = async |before| {
        let logs = store.list_deliveries(id(1), before, 2).await.unwrap();
        numbers(&logs.into_iter().map(|log| log.delivery).collect::<Vec<_>>())
    };
    assert_eq!(page(None).await, [5, 4]);
    assert_eq!(page(Some(id(4))).await, [3, 2]);
    assert_eq!(page(Some(id(2))).await, [1]);
    let foreign = store.list_deliveries(id(1), Some(id(101)), 2).await;
    assert!(matches!(foreign, Err(StoreError::BadCursor)), "{foreign:?}");
}

/// Two dispatchers never get the same delivery.
pub async fn concurrent_claims_share_what_is_due(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    for n in 1..=40 {
        store.insert_event(&event(n, &format!("s{n}")), &[to_webhook(n, 1)]).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        let claim = DeliveryClaim { limit: 5, per_target: 5, ..claim(at(NOW)) };
        tasks.spawn(async move { store.claim_deliveries(claim).await.unwrap() });
    }
    let taken: Vec<Delivery> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<DeliveryId> = taken.iter().map(|delivery| delivery.id).collect();
    assert_eq!((taken.len(), distinct.len()), (40, 40));
}

/// What is still on its way is kept, however old.
pub async fn old_events_are_swept_when_nothing_of_them_waits(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    for n in 1..=3 {
        store.insert_event(&event(n, &format!("s{n}")), &[to_webhook(n, 1)]).await.unwrap();
    }
    store.insert_event(&event(4, "s4"), &[]).await.unwrap();
    record(&*store, 1, at(NOW), Next::Delivered).await;
    record(&*store, 2, at(NOW), Next::GiveUp).await;
    assert_eq!(store.sweep_events(at(NOW), 100).await.unwrap(), 0, "they are not before it");
    let later = at(NOW) + SignedDuration::from_secs(1);
    assert_eq!(store.sweep_events(later, 2).await.unwrap(), 2);
    assert_eq!(store.sweep_events(later, 100).await.unwrap(), 1);
    let left = store.list_deliveries(id(1), None, 10).await.unwrap();
    assert_eq!(left.iter().map(|log| log.delivery.id).collect::<Vec<_>>(), [id(3)]);
}

/// Event number `n`, at noon of 2024-02-10.
pub fn event(n: u32, subject: &str) -> Event {
    Event {
        id: id(n),
        kind: EventType::BudgetThresholdCrossed,
        subject: subject.to_owned(),
        project_id: Some(id(11)),
        user_id: Some(id(1)),
        payload: r#"{"name":"Größe"}"#.to_owned(),
        at: at(NOW),
    }
}

/// Delivery number `n`, to webhook number `webhook`.
pub fn to_webhook(n: u32, webhook: u32) -> NewDelivery {
    NewDelivery {
        id: id(n),
        channel: Channel::Webhook,
        webhook_id: Some(id(webhook)),
        target: "https://example.com/hook".to_owned(),
        state: DeliveryState::Waiting,
        reason: None,
    }
}

/// Webhooks 1 to `count`, of account 1.
pub async fn insert_webhooks(store: &dyn MetaStore, count: u32) -> Vec<WebhookId> {
    let user = insert_users(store, 1).await[0];
    let mut ids = Vec::new();
    for n in 1..=count {
        let webhook = webhook(n, domain::webhook::Owner::Account(user));
        store.insert_webhook(&webhook).await.unwrap();
        ids.push(webhook.id);
    }
    ids
}

/// Keeps that an attempt was made at `when`.
pub async fn record(store: &dyn MetaStore, delivery: u32, when: Timestamp, next: Next) {
    store.record_attempt(id(delivery), &result(when, next)).await.unwrap();
}

fn result(when: Timestamp, next: Next) -> AttemptResult {
    AttemptResult { attempt: attempt(when, next != Next::Delivered), next, disable_webhook: None }
}

fn attempt(when: Timestamp, failed: bool) -> Attempt {
    Attempt {
        at: when,
        latency_ms: 12,
        status: Some(if failed { 500 } else { 204 }),
        excerpt: failed.then(|| "<h1>“oops”</h1>".to_owned()),
        failure: failed.then(|| "HTTP 500".to_owned()),
    }
}

fn claim(now: Timestamp) -> DeliveryClaim {
    DeliveryClaim {
        now,
        until: now + SignedDuration::from_secs(60),
        limit: 100,
        per_target: 100,
        busy: Vec::new(),
    }
}

/// Numbers of what is due at `now`, without taking it away.
async fn due(store: &dyn MetaStore, now: Timestamp) -> Vec<u32> {
    let claim = DeliveryClaim { until: now, ..claim(now) };
    numbers(&store.claim_deliveries(claim).await.unwrap())
}

fn numbers(deliveries: &[Delivery]) -> Vec<u32> {
    let number = |delivery: &Delivery| {
        let [.., a, b, c, d] = *delivery.id.bytes();
        u32::from_be_bytes([a, b, c, d])
    };
    deliveries.iter().map(number).collect()
}
