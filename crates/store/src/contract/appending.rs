//! Keeping records, each key once.

use std::sync::Arc;

use domain::{
    query::Visibility,
    usage_record::{Origin, UsageRecord},
};
use pricing::{Unit, Usage};
use tokio::task::JoinSet;

use super::sample::{
    everything, full_record, id, newest_first, project_id, record, record_with, tags, usage_id,
};
use crate::{Appended, StoreError, UsageStore};

/// What is kept comes back as it was, with its content when asked for alone and without it in a list.
pub async fn every_field_comes_back(store: Arc<dyn UsageStore>) {
    let (full, plain) = (full_record(), record(1));
    assert!(full.list_cost.is_some() && full.cache_savings.is_some() && full.price.is_some());
    assert_eq!(
        store.append(vec![full.clone(), plain.clone()]).await.unwrap(),
        [Appended::New, Appended::New]
    );
    for kept in [&full, &plain] {
        let found = store.find_record(&Visibility::Everything, kept.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(kept));
    }
    let list = store.list_records(&newest_first(everything())).await.unwrap().records;
    assert_eq!(list, [UsageRecord { content: None, ..full }, plain]);
    assert_eq!(store.find_record(&Visibility::Everything, usage_id(999)).await.unwrap(), None);
    store.ping().await.unwrap();
    assert_eq!(store.verify().await.unwrap().differences, Vec::<String>::new());
}

/// The second of two records with a key is the first.
pub async fn a_key_is_kept_once(store: Arc<dyn UsageStore>) {
    let first = keyed(1, 1);
    assert_eq!(append(&*store, first.clone()).await, Appended::New);
    assert_eq!(append(&*store, keyed(2, 1)).await, Appended::Duplicate(Box::new(first)));
    assert_eq!(count(&*store).await, 1);
}

/// Accounts do not share keys.
pub async fn keys_of_different_accounts_are_different(store: Arc<dyn UsageStore>) {
    assert_eq!(append(&*store, keyed(1, 1)).await, Appended::New);
    assert_eq!(append(&*store, keyed(2, 2)).await, Appended::New);
}

/// A batch is a sequence.
pub async fn a_key_twice_in_one_batch_is_kept_once(store: Arc<dyn UsageStore>) {
    let first = keyed(1, 1);
    let appended = store.append(vec![first.clone(), keyed(2, 1), record(3)]).await.unwrap();
    assert_eq!(appended, [Appended::New, Appended::Duplicate(Box::new(first)), Appended::New]);
    assert_eq!(count(&*store).await, 2);
}

/// However concurrently a key is sent, one of its records is kept, and everybody is told which.
pub async fn a_key_sent_by_32_tasks_is_kept_once(store: Arc<dyn UsageStore>) {
    let mut tasks = JoinSet::new();
    for n in 1..=32 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { (keyed(n, 1).id, append(&*store, keyed(n, 1)).await) });
    }
    let (mut new, mut holders) = (Vec::new(), Vec::new());
    for (id, appended) in tasks.join_all().await {
        match appended {
            Appended::New => new.push(id),
            Appended::Duplicate(kept) => holders.push(kept.id),
            Appended::Deleted(id) => holders.push(id),
            Appended::Replaced(_) | Appended::Joined(_) => {}
        }
    }
    assert_eq!((new.len(), holders.len()), (1, 31));
    assert!(holders.iter().all(|holder| *holder == new[0]));
    assert_eq!(count(&*store).await, 1);
    assert_eq!(store.verify().await.unwrap().difference_count, 0);
}

/// A retry does not bring a deleted record back.
pub async fn a_deleted_key_stays_deleted(store: Arc<dyn UsageStore>) {
    append(&*store, keyed(1, 1)).await;
    store.delete_record(usage_id(1)).await.unwrap().unwrap();
    assert_eq!(append(&*store, keyed(2, 1)).await, Appended::Deleted(usage_id(1)));
    assert_eq!(count(&*store).await, 0);
}

/// What a trace tells gives way to one that tells more, and to whoever made the call; to nothing else. Sums follow.
pub async fn what_a_trace_tells_gives_way_to_what_is_known_better(store: Arc<dyn UsageStore>) {
    let told = |n, output| UsageRecord {
        origin: Origin::Otlp,
        usage: Usage::new().with(Unit::InputTokens, 1_000).with(Unit::OutputTokens, output),
        ..keyed(n, 1)
    };
    let first = UsageRecord { tags: tags(&["a"]), trace_id: Some("trace".to_owned()), ..told(1, 10) };
    assert_eq!(append(&*store, first.clone()).await, Appended::New);
    for less in [told(2, 10), told(3, 9)] {
        assert_eq!(append(&*store, less).await, Appended::Duplicate(Box::new(first.clone())));
    }
    assert_eq!(append(&*store, told(4, 11)).await, Appended::Replaced(vec![first.clone()]));
    let second = UsageRecord { tags: first.tags.clone(), trace_id: first.trace_id.clone(), ..told(4, 11) };
    let gateway = UsageRecord { origin: Origin::Gateway, tags: tags(&["b"]), ..keyed(5, 1) };
    assert_eq!(append(&*store, gateway.clone()).await, Appended::Replaced(vec![second]));
    let kept = UsageRecord { trace_id: first.trace_id.clone(), ..gateway };
    for late in [told(6, 99), keyed(7, 1)] {
        assert_eq!(append(&*store, late).await, Appended::Duplicate(Box::new(kept.clone())));
    }
    assert_eq!(store.find_record(&Visibility::Everything, usage_id(5)).await.unwrap(), Some(kept));
    assert_eq!(store.find_record(&Visibility::Everything, usage_id(1)).await.unwrap(), None);
    assert_eq!((count(&*store).await, places(&*store, 0, 9).await), (1, vec![(3, 5)]));
    assert_eq!(store.verify().await.unwrap().differences, Vec::<String>::new());
    store.delete_record(usage_id(5)).await.unwrap().unwrap();
    assert_eq!(append(&*store, keyed(8, 1)).await, Appended::Deleted(usage_id(5)));
}

/// What may not be seen does not exist.
pub async fn a_record_is_found_by_those_who_may_see_it(store: Arc<dyn UsageStore>) {
    let in_project = record_with(1, |record| record.project_id = Some(id(11)));
    store.append(vec![in_project, record(2)]).await.unwrap();
    let sees = async |user, projects, record| {
        let visibility = Visibility::Of { user: id(user), projects };
        store.find_record(&visibility, usage_id(record)).await.unwrap().is_some()
    };
    assert!(sees(9, vec![project_id(11)], 1).await, "a member sees what others record for the project");
    assert!(!sees(1, vec![], 1).await, "who left the project no longer sees their own records for it");
    assert!(sees(1, vec![], 2).await, "everybody sees their own records outside of projects");
    assert!(!sees(9, vec![project_id(11)], 2).await, "nobody sees those of others");
}

/// An id is given once; a batch is kept whole or not at all, and what was new in it is as new as before.
pub async fn nothing_of_a_batch_with_a_known_id_is_kept(store: Arc<dyn UsageStore>) {
    append(&*store, record(1)).await;
    let new = |n| UsageRecord { id: usage_id(n), user_id: id(9), ..full_record() };
    let refused = store.append(vec![new(2), record_with(3, |record| record.id = usage_id(1))]).await;
    assert!(matches!(refused, Err(StoreError::Conflict("id"))), "{refused:?}");
    assert_eq!(count(&*store).await, 1);
    assert_eq!(append(&*store, new(4)).await, Appended::New, "the key of the batch is free");
    assert_eq!(store.find_record(&Visibility::Everything, usage_id(4)).await.unwrap(), Some(new(4)));
    assert_eq!(store.verify().await.unwrap().differences, Vec::<String>::new());
}

/// No records are kept at once.
pub async fn batches_of_nothing_are_kept(store: Arc<dyn UsageStore>) {
    assert_eq!(store.append(Vec::new()).await.unwrap(), []);
}

/// Whoever follows sees every record once, in the order in which they were kept.
pub async fn records_are_followed_in_the_order_of_keeping(store: Arc<dyn UsageStore>) {
    assert_eq!((store.last_place().await.unwrap(), places(&*store, 0, 9).await), (0, vec![]));
    store.append(vec![record(5), record(1)]).await.unwrap();
    append(&*store, record(3)).await;
    assert_eq!(places(&*store, 0, 9).await, [(1, 5), (2, 1), (3, 3)]);
    assert_eq!(places(&*store, 1, 1).await, [(2, 1)]);
    assert_eq!((store.last_place().await.unwrap(), places(&*store, 3, 9).await), (3, vec![]));
}

/// Also after the last record was deleted.
pub async fn a_place_is_not_given_twice(store: Arc<dyn UsageStore>) {
    store
        .append(vec![record(1), record_with(2, |record| record.project_id = Some(project_id(11)))])
        .await
        .unwrap();
    store.purge_projects(&[project_id(11)]).await.unwrap();
    append(&*store, record(3)).await;
    store.delete_record(usage_id(3)).await.unwrap();
    assert_eq!(store.last_place().await.unwrap(), 3);
    append(&*store, record(4)).await;
    assert_eq!(places(&*store, 0, 9).await, [(1, 1), (4, 4)]);
}

/// Places of records from behind `after`, and which records they are.
async fn places(store: &dyn UsageStore, after: u64, limit: usize) -> Vec<(u64, u32)> {
    let kept = store.list_kept(after, limit).await.unwrap();
    let number = |record: UsageRecord| (1..10).find(|n| usage_id(*n) == record.id).unwrap();
    kept.into_iter().map(|(place, record)| (place, number(record))).collect()
}

/// Record `n` of account `user` with the same key as every other.
fn keyed(n: u32, user: u32) -> UsageRecord {
    record_with(n, |record| {
        record.user_id = id(user);
        record.request_id = Some("the key".to_owned());
    })
}

async fn append(store: &dyn UsageStore, record: UsageRecord) -> Appended {
    store.append(vec![record]).await.unwrap().remove(0)
}

async fn count(store: &dyn UsageStore) -> usize {
    store.list_records(&newest_first(everything())).await.unwrap().records.len()
}
