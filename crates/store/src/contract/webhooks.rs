//! Webhooks.

use std::sync::Arc;

use domain::{
    delivery::{DeliveryState, Next},
    event::EventType,
    provider_key::Sealed,
    webhook::{Format, Owner, Webhook},
};
use jiff::SignedDuration;

use super::{
    outbox::{event, insert_webhooks, record, to_webhook},
    sample::{at, id, insert_users, project},
};
use crate::{AttemptResult, MetaStore, StoreError};

const NOW: &str = "2024-02-10T12:00:00Z";

/// What is kept comes back as it was, and every change of it.
pub async fn a_webhook_comes_back(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let full = webhook(1, Owner::Account(user));
    store.insert_webhook(&full).await.unwrap();
    assert_eq!(store.find_webhook(full.id).await.unwrap().as_ref(), Some(&full));
    let again = store.insert_webhook(&full).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let changed = Webhook {
        url: "https://example.org".to_owned(),
        description: String::new(),
        events: Vec::new(),
        format: Format::Json,
        enabled: true,
        disabled_reason: None,
        secret: sealed(9),
        previous_secret: None,
        failing_since: None,
        updated_at: at("2024-02-11T12:00:00Z"),
        ..full.clone()
    };
    assert!(store.update_webhook(&changed).await.unwrap());
    assert_eq!(store.find_webhook(full.id).await.unwrap(), Some(changed));
    assert!(!store.update_webhook(&webhook(2, Owner::Account(user))).await.unwrap());
    assert!(store.delete_webhook(full.id).await.unwrap());
    assert!(!store.delete_webhook(full.id).await.unwrap());
    assert_eq!(store.find_webhook(full.id).await.unwrap(), None);
}

/// Accounts' webhooks may hear of everything, a project's only of its own; what is switched off hears nothing.
pub async fn webhooks_are_listed_by_their_owner_and_heard_by_whom_they_concern(store: Arc<dyn MetaStore>) {
    let users = insert_users(&*store, 2).await;
    for n in [11, 12] {
        store.insert_project(&project(n, users[0])).await.unwrap();
    }
    let on = |n, owner| Webhook { enabled: true, ..webhook(n, owner) };
    let all = [
        on(1, Owner::Account(users[0])),
        on(2, Owner::Account(users[1])),
        on(3, Owner::Project(id(11))),
        on(4, Owner::Project(id(12))),
        Webhook { enabled: false, ..webhook(5, Owner::Project(id(11))) },
        Webhook { of_budget: true, ..on(6, Owner::Project(id(11))) },
    ];
    for webhook in &all {
        store.insert_webhook(webhook).await.unwrap();
    }
    let ids = |webhooks: Vec<Webhook>| webhooks.into_iter().map(|webhook| webhook.id).collect::<Vec<_>>();
    assert_eq!(ids(store.list_webhooks(Owner::Account(users[1])).await.unwrap()), [id(2)]);
    assert_eq!(ids(store.list_webhooks(Owner::Project(id(11))).await.unwrap()), [id(3), id(5), id(6)]);
    assert_eq!(ids(store.list_listening_webhooks(Some(id(11))).await.unwrap()), [id(1), id(2), id(3)]);
    assert_eq!(ids(store.list_listening_webhooks(None).await.unwrap()), [id(1), id(2)]);
    assert_eq!(store.list_all_webhooks().await.unwrap(), all);
}

/// One for each URL of a project.
pub async fn a_webhook_of_a_budget_is_made_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    for n in [11, 12] {
        store.insert_project(&project(n, user)).await.unwrap();
    }
    let of_budget = |n, project| Webhook { of_budget: true, ..webhook(n, Owner::Project(id(project))) };
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=8 {
        let (store, webhook) = (Arc::clone(&store), of_budget(n, 11));
        tasks.spawn(async move { store.ensure_budget_webhook(&webhook).await.unwrap() });
    }
    let kept = tasks.join_all().await;
    assert!(kept.iter().all(|webhook| *webhook == kept[0]), "{kept:?}");
    let other = store.ensure_budget_webhook(&of_budget(20, 12)).await.unwrap();
    assert_eq!(other.id, id(20), "another project has another secret");
    let elsewhere = Webhook { url: "https://example.org".to_owned(), ..of_budget(21, 11) };
    assert_eq!(store.ensure_budget_webhook(&elsewhere).await.unwrap().id, id(21));
}

/// The first failure in a row is remembered, a success forgets it, and the end of the webhook ends what waits for it.
pub async fn failures_are_noted_and_a_dead_webhook_is_switched_off(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 1).await;
    let healthy = Webhook { enabled: true, failing_since: None, ..webhook(1, Owner::Account(id(1))) };
    store.update_webhook(&healthy).await.unwrap();
    store.insert_event(&event(1, "s"), &[to_webhook(1, 1)]).await.unwrap();
    store.insert_event(&event(2, "s"), &[to_webhook(2, 1)]).await.unwrap();
    let retry = Next::RetryAt(at(NOW) + SignedDuration::from_hours(2));
    let since = async || store.find_webhook(id(1)).await.unwrap().unwrap().failing_since;
    record(&*store, 1, at(NOW), retry).await;
    record(&*store, 1, at(NOW) + SignedDuration::from_hours(1), retry).await;
    assert_eq!(since().await, Some(at(NOW)));
    record(&*store, 1, at(NOW) + SignedDuration::from_hours(2), Next::Delivered).await;
    assert_eq!(since().await, None);
    let gone = AttemptResult {
        attempt: domain::delivery::Attempt {
            at: at(NOW),
            latency_ms: 1,
            status: Some(410),
            excerpt: None,
            failure: Some("HTTP 410".to_owned()),
        },
        next: Next::GiveUp,
        disable_webhook: Some("gone".to_owned()),
    };
    store.insert_event(&event(3, "other"), &[to_webhook(3, 1)]).await.unwrap();
    store.record_attempt(id(2), &gone).await.unwrap();
    let webhook = store.find_webhook(id(1)).await.unwrap().unwrap();
    assert_eq!((webhook.enabled, webhook.disabled_reason.as_deref()), (false, Some("gone")));
    assert_eq!(store.count_waiting().await.unwrap(), 0);
}

/// A person who switches a webhook off does not want what it was about to get.
pub async fn a_webhook_that_is_switched_off_gives_its_deliveries_up(store: Arc<dyn MetaStore>) {
    insert_webhooks(&*store, 2).await;
    store.insert_event(&event(1, "s"), &[to_webhook(1, 1), to_webhook(2, 2)]).await.unwrap();
    let off = Webhook { enabled: false, ..webhook(1, Owner::Account(id(1))) };
    store.update_webhook(&off).await.unwrap();
    let logs = store.list_deliveries_of_event(id(1)).await.unwrap();
    let states: Vec<DeliveryState> = logs.iter().map(|log| log.delivery.state).collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Waiting]);
    assert!(logs[0].delivery.reason.as_deref().unwrap().contains("switched off"));
    store.insert_event(&event(2, "s"), &[to_webhook(3, 1)]).await.unwrap();
    assert_eq!(store.find_next_due().await.unwrap(), Some(at(NOW)), "its lane is free again");
}

/// A rotation of the master key does not overwrite a secret that was rotated meanwhile.
pub async fn a_webhook_is_resealed_if_it_is_still_the_same(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let old = webhook(1, Owner::Account(user));
    store.insert_webhook(&old).await.unwrap();
    let stale = Webhook { secret: sealed(7), ..old.clone() };
    assert!(!store.reseal_webhook(&stale, &sealed(8), Some(&sealed(9))).await.unwrap());
    let stale = Webhook { previous_secret: None, ..old.clone() };
    assert!(!store.reseal_webhook(&stale, &sealed(8), None).await.unwrap());
    assert!(store.reseal_webhook(&old, &sealed(8), Some(&sealed(9))).await.unwrap());
    let until = old.previous_secret.as_ref().unwrap().1;
    let expected = Webhook { secret: sealed(8), previous_secret: Some((sealed(9), until)), ..old };
    assert_eq!(store.find_webhook(id(1)).await.unwrap(), Some(expected));
}

/// Nobody is told any more on behalf of an account that is gone.
pub async fn webhooks_vanish_with_their_owner_and_take_their_deliveries_along(store: Arc<dyn MetaStore>) {
    let ids = insert_webhooks(&*store, 1).await;
    store.insert_event(&event(1, "s"), &[to_webhook(1, 1)]).await.unwrap();
    store.delete_user(id(1)).await.unwrap();
    assert_eq!(store.find_webhook(ids[0]).await.unwrap(), None);
    assert_eq!(store.count_waiting().await.unwrap(), 0);
    let orphan = store.insert_webhook(&webhook(2, Owner::Account(id(1)))).await;
    assert!(matches!(orphan, Err(StoreError::Conflict("reference"))), "{orphan:?}");
}

/// Webhook number `n`, in which every field has a value.
pub fn webhook(n: u32, owner: Owner) -> Webhook {
    Webhook {
        id: id(n),
        owner,
        url: "https://example.com/hook".to_owned(),
        description: "billing\n“worker”".to_owned(),
        events: vec![EventType::UsageTracked, EventType::BudgetExceeded],
        format: Format::Slack,
        enabled: n != 0,
        disabled_reason: Some("HTTP 410".to_owned()),
        of_budget: false,
        secret: sealed(1),
        previous_secret: Some((sealed(2), at("2024-02-11T12:00:00Z"))),
        failing_since: Some(at("2024-02-09T12:00:00Z")),
        created_at: at("2024-02-08T12:00:00Z"),
        updated_at: at("2024-02-09T12:00:00Z"),
    }
}

fn sealed(n: u8) -> Sealed {
    Sealed { key_id: format!("master-{n}"), nonce: [n; 12], ciphertext: vec![0, n, 255] }
}
