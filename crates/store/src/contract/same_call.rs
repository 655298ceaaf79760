//! Records that find each other by any key of their call.

use std::sync::Arc;

use domain::{
    query::Visibility,
    usage_record::{Origin, UsageRecord},
};
use pricing::{Unit, Usage};

use super::sample::{everything, newest_first, priced, project_id, record_with, usage_id};
use crate::{Appended, UsageStore};

/// A record of `origin` with these keys; the first of a call's is its own.
fn told(n: u32, origin: Origin, keys: (Option<&str>, &[&str])) -> UsageRecord {
    priced(record_with(n, |record| {
        record.origin = origin;
        record.usage = Usage::new().with(Unit::InputTokens, 1_000).with(Unit::OutputTokens, u64::from(n));
        record.request_id = keys.0.map(str::to_owned);
        record.other_keys = keys.1.iter().map(|key| (*key).to_owned()).collect();
    }))
}

fn sdk(n: u32) -> UsageRecord {
    told(n, Origin::Track, (Some("reply:a"), &[]))
}

fn gateway(n: u32, reply: &str) -> UsageRecord {
    told(n, Origin::Gateway, (Some(reply), &["request:r"]))
}

fn event(n: u32) -> UsageRecord {
    let session_id = Some("session".to_owned());
    UsageRecord { session_id, ..told(n, Origin::Otlp, (Some("request:r"), &[])) }
}

fn span(n: u32) -> UsageRecord {
    told(n, Origin::Otlp, (Some("reply:a"), &[]))
}

/// Every order of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |index: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
    };
    (0..items.len()).flat_map(with_first).collect()
}

/// `records` as those of a project of their own, each with an id and keys of its own.
fn in_round(records: &[UsageRecord], round: usize) -> Vec<UsageRecord> {
    let round = u32::try_from(round).unwrap();
    let of_round = |(record, n): (&UsageRecord, u32)| UsageRecord {
        id: usage_id(100 * (round + 1) + n),
        project_id: Some(project_id(100 + round)),
        request_id: record.request_id.as_ref().map(|key| format!("{key}{round}")),
        other_keys: record.other_keys.iter().map(|key| format!("{key}{round}")).collect(),
        ..record.clone()
    };
    records.iter().zip(0..).map(of_round).collect()
}

async fn kept(store: &dyn UsageStore, round: usize) -> Vec<UsageRecord> {
    let list = store.list_records(&newest_first(everything())).await.unwrap().records;
    let project = project_id(100 + u32::try_from(round).unwrap());
    list.into_iter().filter(|record| record.project_id == Some(project)).collect()
}

async fn is_whole(store: &dyn UsageStore) {
    assert_eq!(store.verify().await.unwrap().differences, Vec::<String>::new());
}

/// Who made a call, the gateway that it went through, a span and an event of it: one record, in every order, alone and in
/// batches, and also when all of it is sent again.
pub async fn in_every_order_what_is_told_of_a_call_is_one_record(store: Arc<dyn UsageStore>) {
    let all = [sdk(1), gateway(2, "reply:a"), event(3), span(4)];
    for (index, order) in orders(&all).into_iter().enumerate() {
        for (round, batch) in [(4 * index, 1), (4 * index + 1, 2), (4 * index + 2, 4)] {
            let records = in_round(&order, round);
            for batch in records.chunks(batch) {
                store.append(batch.to_vec()).await.unwrap();
            }
            let kept = kept(&*store, round).await;
            assert_eq!(kept.len(), 1, "{records:#?} in batches of {batch}: {kept:#?}");
            let first = records.iter().find(|record| record.origin != Origin::Otlp).unwrap();
            assert_eq!((kept[0].id, &kept[0].usage), (first.id, &first.usage), "who made it, and came first");
            assert_eq!(kept[0].session_id.as_deref(), Some("session"), "what only the event knew");
            let again: Vec<_> = records.iter().cloned().zip(50_000..).collect();
            let again = again.into_iter().map(|(record, n)| UsageRecord {
                id: usage_id(n + 10 * u32::try_from(round).unwrap()),
                ..record
            });
            for appended in store.append(again.collect()).await.unwrap() {
                assert!(matches!(appended, Appended::Duplicate(_)), "{appended:?}");
            }
        }
    }
    is_whole(&*store).await;
}

/// Calls of different replies, or of which no reply is known, are never one for the id of their request; what is told of
/// one of them is not a third.
pub async fn an_id_that_calls_share_joins_no_two_of_them(store: Arc<dyn UsageStore>) {
    let silent = |n| told(n, Origin::Gateway, (None, &["request:r"]));
    let with_replies = [gateway(1, "reply:a"), gateway(2, "reply:b"), event(3), event(3)];
    let without = [silent(1), silent(2), event(3), event(3)];
    let spans = [gateway(1, "reply:a"), told(2, Origin::Otlp, (Some("reply:b"), &["request:r"])), event(3)];
    let cases = [with_replies.as_slice(), &without, &spans];
    let orders = cases.into_iter().flat_map(orders);
    for (round, order) in orders.enumerate() {
        for record in in_round(&order, round) {
            store.append(vec![record]).await.unwrap();
        }
        let kept = kept(&*store, round).await;
        assert_eq!(kept.len(), 2, "{order:#?}: {kept:#?}");
    }
    is_whole(&*store).await;
}

/// Two that were kept apart become one when somebody knows both of their keys; what they had cost is no longer counted.
pub async fn who_knows_both_keys_joins_what_was_kept_apart(store: Arc<dyn UsageStore>) {
    let [event, span, gateway] = [event(1), span(2), gateway(3, "reply:a")];
    let appended = store.append(vec![event.clone(), span.clone(), gateway.clone()]).await.unwrap();
    assert_eq!(appended[..2], [Appended::New, Appended::New]);
    assert_eq!(appended[2], Appended::Replaced(vec![span, event]));
    // The same, told by a span that tells less than both.
    let [event, span] =
        [told(11, Origin::Otlp, (Some("request:q"), &[])), told(12, Origin::Otlp, (Some("reply:q"), &[]))];
    let both = told(9, Origin::Otlp, (Some("reply:q"), &["request:q"]));
    let appended = store.append(vec![event.clone(), span.clone(), both]).await.unwrap();
    let expected = UsageRecord { other_keys: vec!["request:q".to_owned()], ..span };
    assert_eq!(appended[2], Appended::Joined(Box::new(expected.clone())));
    let found = store.find_record(&Visibility::Everything, expected.id).await.unwrap();
    assert_eq!(found, Some(expected));
    assert_eq!(store.find_record(&Visibility::Everything, event.id).await.unwrap(), None);
    is_whole(&*store).await;
}

/// A call that was deleted stays so under each of its keys, and a project takes all of them along.
pub async fn every_key_of_a_deleted_record_stays_known(store: Arc<dyn UsageStore>) {
    let of_project = |record| UsageRecord { project_id: Some(project_id(11)), ..record };
    store.append(vec![of_project(gateway(1, "reply:a"))]).await.unwrap();
    store.delete_record(usage_id(1)).await.unwrap().unwrap();
    for late in [event(2), span(3)] {
        assert_eq!(store.append(vec![late]).await.unwrap(), [Appended::Deleted(usage_id(1))]);
    }
    let purged = told(4, Origin::Gateway, (Some("reply:b"), &["request:s"]));
    store.append(vec![of_project(purged)]).await.unwrap();
    assert_eq!(store.purge_projects(&[project_id(11)]).await.unwrap(), 1);
    let new = told(5, Origin::Otlp, (Some("request:s"), &[]));
    assert_eq!(store.append(vec![new]).await.unwrap(), [Appended::New]);
    is_whole(&*store).await;
}

/// What people have corrected or erased is not brought back by a trace that is sent again later.
pub async fn a_record_learns_whom_a_call_was_for_while_it_is_new(store: Arc<dyn UsageStore>) {
    let gateway = gateway(1, "reply:a");
    store.append(vec![gateway.clone()]).await.unwrap();
    let recorded_at = gateway.recorded_at + jiff::SignedDuration::from_hours(2);
    let late = UsageRecord { recorded_at, ..event(2) };
    assert_eq!(store.append(vec![late]).await.unwrap(), [Appended::Duplicate(Box::new(gateway))]);
}
