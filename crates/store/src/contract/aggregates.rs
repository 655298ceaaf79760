//! Spans that add up what calls inside of them used.

use std::sync::Arc;

use domain::{UserId, ingest::NewUsage, wire::opentelemetry::SpanId};

use super::sample::{at, id, insert_users};
use crate::{AggregateSpan, MetaStore, Person};

const NOON: &str = "2024-02-13T12:00:00Z";
const LATER: &str = "2024-02-13T12:10:00Z";
const TRACE: [u8; 16] = [7; 16];

fn span(number: u8, user: UserId) -> AggregateSpan {
    let call = serde_json::json!({
        "model": "claude-sonnet-4-5", "usage": { "input_tokens": 10, "output_tokens": 5 }, "tokens_estimated": false,
        "status": "success", "error": {}, "allocation": {}, "tags": [], "user_email": "ada@example.com",
        "session_id": "s", "metadata": r#"{"endUser":"Ada@example.com"}"#, "content": {}, "side_calls": [],
    });
    let call: NewUsage = serde_json::from_value(call).unwrap();
    AggregateSpan {
        user_id: user,
        id: SpanId { trace: TRACE, span: [number; 8] },
        parent: Some([9; 8]),
        started_at: at(NOON),
        record_id: id(u32::from(number)),
        tracker_key_id: Some(id(3)),
        due_at: at(LATER),
        call: Some(call),
    }
}

/// It comes back as it was, is due at its time, and once it became its record it is only there to be found.
pub async fn an_aggregate_waits_and_is_settled_once(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    let kept = span(1, user);
    assert_eq!(store.insert_aggregates(vec![kept.clone(), kept.clone()], 10).await.unwrap(), 0);
    let only = vec![kept.clone()];
    assert_eq!(store.list_aggregates(user, &[TRACE, [8; 16]]).await.unwrap(), only);
    assert_eq!(store.list_aggregates(user, &[[8; 16]]).await.unwrap(), []);
    assert_eq!(store.list_due_aggregates(at(NOON), 10).await.unwrap(), []);
    assert_eq!(store.list_due_aggregates(at(LATER), 10).await.unwrap(), only);
    store.postpone_aggregate(user, kept.id, at("2024-02-13T12:20:00Z")).await.unwrap();
    assert_eq!(store.list_due_aggregates(at(LATER), 10).await.unwrap(), []);
    let forget_at = at("2024-02-20T12:00:00Z");
    store.settle_aggregate(user, kept.id, forget_at).await.unwrap();
    let settled = AggregateSpan { call: None, due_at: forget_at, ..kept.clone() };
    assert_eq!(store.insert_aggregates(vec![kept], 10).await.unwrap(), 0, "known, and not kept again");
    assert_eq!(store.list_aggregates(user, &[TRACE]).await.unwrap(), [settled]);
    assert_eq!(store.list_due_aggregates(at("2030-01-01T00:00:00Z"), 10).await.unwrap(), []);
    assert_eq!(store.forget_aggregates(at(LATER)).await.unwrap(), 0);
    assert_eq!(store.forget_aggregates(forget_at).await.unwrap(), 1);
    assert_eq!(store.list_aggregates(user, &[TRACE]).await.unwrap(), []);
}

/// What finds no room is said; an account takes its own along.
pub async fn aggregates_of_one_account_are_bounded_and_vanish_with_it(store: Arc<dyn MetaStore>) {
    let users = insert_users(&*store, 2).await;
    let spans = (1..=3).map(|number| span(number, users[1])).collect();
    assert_eq!(store.insert_aggregates(spans, 2).await.unwrap(), 1);
    assert_eq!(store.insert_aggregates(vec![span(4, users[0])], 2).await.unwrap(), 0);
    store.delete_aggregate(users[1], SpanId { trace: TRACE, span: [1; 8] }).await.unwrap();
    assert_eq!(store.list_aggregates(users[1], &[TRACE]).await.unwrap().len(), 1);
    store.delete_user(users[1]).await.unwrap();
    assert_eq!(store.list_due_aggregates(at(LATER), 10).await.unwrap().len(), 1);
}

/// Its counts stay.
pub async fn a_person_is_taken_out_of_what_waits(store: Arc<dyn MetaStore>) {
    let user = insert_users(&*store, 1).await[0];
    store.insert_aggregates(vec![span(1, user)], 10).await.unwrap();
    let person = Person { user_email: Some("ada@example.com".to_owned()), customer_email: None };
    store.erase_person(&person, "erased-1").await.unwrap();
    let kept = store.list_aggregates(user, &[TRACE]).await.unwrap().remove(0);
    let call = kept.call.unwrap();
    assert_eq!((call.user_email.as_deref(), call.session_id), (Some("erased-1"), None));
    assert_eq!(call.metadata.as_deref(), Some(r#"{"aggregate":true}"#));
    assert_eq!(call.usage, span(1, user).call.unwrap().usage);
}
