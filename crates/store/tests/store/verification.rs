//! Finding and mending what is wrong.

use store::{
    AuditQuery, AuditStore as _, UsageStore as _, Verification,
    contract::sample::{full_record, record, record_with},
};

use crate::Fixture;

async fn damaged(sql: &str) -> (Fixture, Verification) {
    let fixture = Fixture::new();
    let keyed = record_with(2, |record| record.request_id = Some("x".to_owned()));
    fixture.store.append(vec![full_record(), record(1), keyed]).await.unwrap();
    let whole = fixture.store.verify().await.unwrap();
    assert_eq!((whole.records, whole.rollup_rows, whole.difference_count), (3, 2, 0), "{whole:?}");
    let raw = fixture.raw();
    raw.execute_batch("pragma foreign_keys = off").unwrap();
    raw.execute_batch(sql).unwrap();
    let found = fixture.store.verify().await.unwrap();
    (fixture, found)
}

#[tokio::test]
async fn a_wrong_sum_is_found_and_mended() {
    for sql in [
        "update usage_rollup set cost_nanos = cost_nanos + 1 where requests = 2",
        "update usage_rollup set cache_read_tokens = cache_read_tokens + 1 where requests = 2",
        "delete from usage_rollup where requests = 2",
        "update usage_rollup set day = 1 where requests = 2",
        "update usage_rollup set user = user + 1000 where requests = 2",
        "update usage_record set cost_nanos = cost_nanos + 1 where seq = 1",
        "update usage_record set occurred_at_ms = occurred_at_ms + 86400000 where seq = 2",
        "delete from usage_record where seq = 2",
    ] {
        let (fixture, found) = damaged(sql).await;
        assert!(found.difference_count > 0, "{sql}");
        assert!(found.differences[0].contains("rollup"), "{sql}: {found:?}");
        fixture.store.rebuild().await.unwrap();
        assert_eq!(fixture.store.verify().await.unwrap().differences, Vec::<String>::new(), "{sql}");
    }
}

#[tokio::test]
async fn a_cost_that_its_price_does_not_give_is_found() {
    for sql in [
        "update usage_record set list_cost_nanos = list_cost_nanos + 1 where seq = 2",
        "update usage_record set cost_nanos = cost_nanos + 1 where seq = 2",
        "update usage_record set cache_savings_nanos = 5 where seq = 2",
        "update usage_record set input_tokens = input_tokens + 1000 where seq = 2",
        "update price_row set json = replace(json, '\"0.15\"', '\"0.16\"')",
    ] {
        let (_fixture, found) = damaged(sql).await;
        assert!(
            found.differences.iter().any(|difference| difference.contains("list cost")),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_part_of_a_record_is_found() {
    for sql in [
        "update usage_record set model = 9999 where seq = 2",
        "delete from dimension_value where kind = 10",
        "delete from dimension_value where kind = 14 and value = 'blog'",
        "delete from tag_set",
        "delete from tag_set_member",
        "delete from price_row",
        "update usage_record set origin = 99 where seq = 2",
        "delete from usage_key where user = (select user from usage_record where seq = 3)",
        "delete from usage_record where seq = 1",
    ] {
        let (_fixture, found) = damaged(sql).await;
        assert!(found.difference_count > 0, "{sql}");
    }
}

#[tokio::test]
async fn the_audit_log_is_append_only_and_shows_what_was_altered_past_it() {
    let fixture = Fixture::new();
    let change = domain::audit::Change {
        at: store::contract::sample::at("2024-02-10T12:00:00Z"),
        actor: None,
        actor_email: None,
        key_id: None,
        address: None,
        action: "POST /a".to_owned(),
        target: "/a".to_owned(),
        project_id: None,
        before: None,
        after: None,
    };
    for _ in 0..4 {
        fixture.store.append_audit(&change).await.unwrap();
    }
    let raw = fixture.raw();
    for sql in ["update audit set target = '/b' where number = 2", "delete from audit where number = 2"] {
        assert!(raw.execute_batch(sql).unwrap_err().to_string().contains("append-only"), "{sql}");
    }
    raw.execute_batch("drop trigger audit_is_not_changed; drop trigger audit_is_not_deleted").unwrap();
    raw.execute_batch("update audit set target = '/b' where number = 2").unwrap();
    assert_eq!(fixture.store.verify_audit(None).await.unwrap().broken_at, Some(2));
    raw.execute_batch("update audit set target = '/a' where number = 2").unwrap();
    assert_eq!(fixture.store.verify_audit(None).await.unwrap().broken_at, None);
    let whole = fixture.store.list_audit(&everything()).await.unwrap();
    let noted = |number: usize| Some((number as u64, whole[4 - number].hash));
    let broken_at = async |noted| fixture.store.verify_audit(noted).await.unwrap().broken_at;
    assert_eq!(broken_at(noted(4)).await, None);
    assert_eq!(broken_at(Some((3, [7; 32]))).await, Some(3), "it was written anew");
    raw.execute_batch("delete from audit where number = 4").unwrap();
    assert_eq!(broken_at(None).await, None, "an end that is cut off does not show by itself");
    assert_eq!(broken_at(noted(3)).await, None);
    assert_eq!(broken_at(noted(4)).await, Some(4));
    raw.execute_batch("delete from audit where number = 2").unwrap();
    assert_eq!(
        fixture.store.verify_audit(None).await.unwrap().broken_at,
        Some(3),
        "what follows does not fit"
    );
}

fn everything() -> AuditQuery {
    let period = domain::Interval::ALWAYS;
    AuditQuery { period, actor: None, project: None, action: None, before: None, limit: 100 }
}

#[tokio::test]
async fn many_differences_are_counted_but_not_spelled_out() {
    let fixture = Fixture::new();
    let with_model = |n: u32| record_with(n, |record| record.model = format!("model-{n}"));
    fixture.store.append((1..=150).map(with_model).collect()).await.unwrap();
    fixture.raw().execute_batch("delete from usage_rollup").unwrap();
    let found = fixture.store.verify().await.unwrap();
    assert_eq!((found.difference_count, found.differences.len()), (150, store::limits::DIFFERENCES_MAX));
}
