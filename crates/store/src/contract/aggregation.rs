//! Sums and percentiles.

use std::sync::Arc;

use domain::{
    interval::time_zone,
    query::{Bucket, Dimension, RecordQuery},
    totals::Totals,
    usage_record::UsageRecord,
};
use jiff::Timestamp;
use pricing::Money;

use super::{
    model::Model,
    questions::{check_aggregate, select, sums},
    random::Random,
    sample::{at, everything, id, newest_first, period, record, record_with, tags, varied_record},
};
use crate::{LatencyPercentiles, StoreError, UsageStore};

/// Without records there is no group, not even one of zeros.
pub async fn nothing_adds_up_to_nothing(store: Arc<dyn UsageStore>) {
    assert_eq!(store.aggregate(&sums(everything(), None, &[])).await.unwrap(), []);
    let by_team = sums(everything(), None, &[Dimension::Team]);
    assert_eq!(store.aggregate(&by_team).await.unwrap(), []);
    assert_eq!(store.latency_percentiles(&everything()).await.unwrap(), LatencyPercentiles::default());
    assert_eq!(store.verify().await.unwrap().records, 0);
}

/// A day has 23 or 25 hours when the clocks change.
pub async fn days_are_those_of_the_zone_over_daylight_saving(store: Arc<dyn UsageStore>) {
    let instants = [
        "2024-03-30T22:59:59.999Z",
        "2024-03-30T23:00:00Z",
        "2024-03-31T21:59:59.999Z",
        "2024-03-31T22:00:00Z",
        "2024-10-26T22:00:00Z",
        "2024-10-27T22:59:59.999Z",
        "2024-10-27T23:00:00Z",
    ];
    let records: Vec<_> =
        (1..).zip(instants).map(|(n, text)| record_with(n, |record| record.occurred_at = at(text))).collect();
    let model = keep(&*store, records).await;
    let berlin = time_zone("timeZone", "Europe/Berlin").unwrap();
    let year = period("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
    for bucket in [Bucket::Day, Bucket::Hour, Bucket::Week, Bucket::Month] {
        let starts = bucket.starts(year, &berlin).unwrap();
        check_aggregate(&*store, &model, &sums(everything().during(year), Some(starts), &[])).await;
    }
    let days = Bucket::Day.starts(year, &berlin).unwrap();
    let groups = store.aggregate(&sums(everything(), Some(days), &[])).await.unwrap();
    let counts: Vec<_> =
        groups.iter().map(|group| (group.bucket.unwrap().to_string(), group.totals.requests)).collect();
    let expected = [
        ("2024-03-29T23:00:00Z", 1),
        ("2024-03-30T23:00:00Z", 2),
        ("2024-03-31T22:00:00Z", 1),
        ("2024-10-26T22:00:00Z", 2),
        ("2024-10-27T23:00:00Z", 1),
    ];
    assert_eq!(counts, expected.map(|(start, count)| (start.to_owned(), count)));
}

/// A timeline begins with its first point.
pub async fn records_before_the_first_bucket_are_left_out(store: Arc<dyn UsageStore>) {
    let model = keep(&*store, (1..=5).map(record).collect()).await;
    for starts in [
        vec![],
        vec!["2024-01-15T12:00:03Z"],
        vec!["2024-01-15T12:00:02.5Z", "2024-01-15T12:00:04.0000001Z"],
        vec!["2024-01-16T00:00:00Z"],
    ] {
        let starts: Vec<Timestamp> = starts.into_iter().map(at).collect();
        check_aggregate(&*store, &model, &sums(everything(), Some(starts), &[])).await;
    }
}

/// However a store comes to a sum, it is that of the records: by days, where it may have sums at hand, and by the same
/// days with a condition that changes nothing but for which it has none.
pub async fn sums_by_day_agree_with_the_records(store: Arc<dyn UsageStore>) {
    let mut random = Random::new(2);
    let records = (1..=400).map(|n| varied_record(n, &mut random)).collect();
    let model = keep(&*store, records).await;
    let days = period("2024-03-03T00:00:00Z", "2024-04-02T00:00:00Z");
    let starts = Bucket::Day.starts(days, &jiff::tz::TimeZone::UTC).unwrap();
    let dimensions = [Dimension::Service, Dimension::Model, Dimension::Project, Dimension::User];
    for group_by in [&dimensions[..0], &dimensions[..1], &dimensions[1..3], &dimensions[..]] {
        for filter in [everything(), everything().during(days), everything().during(days).of_project(id(12))]
        {
            for buckets in [None, Some(starts.clone())] {
                let at_hand = sums(filter.clone(), buckets.clone(), group_by);
                check_aggregate(&*store, &model, &at_hand).await;
                let unhelped =
                    sums(select(filter.clone(), Dimension::Team, &[], &["nobody"]), buckets, group_by);
                let (at_hand, unhelped) = (store.aggregate(&at_hand).await, store.aggregate(&unhelped).await);
                assert_eq!(at_hand.unwrap(), unhelped.unwrap());
            }
        }
    }
}

/// Buckets in order; inside, the dearest first, and by value where they cost the same.
pub async fn groups_come_by_bucket_and_then_by_cost(store: Arc<dyn UsageStore>) {
    let record = |n, day: &str, model: &str, nanos| {
        record_with(n, |record| {
            record.occurred_at = at(day);
            record.model = String::from(model);
            record.cost = Some(Money::from_nanos(nanos));
        })
    };
    let (monday, tuesday) = ("2024-01-15T00:00:00Z", "2024-01-16T23:59:59.999Z");
    let records = vec![
        record(1, tuesday, "b", 2),
        record(2, tuesday, "a", 1),
        record(3, monday, "d", 0),
        record(4, monday, "c", 0),
    ];
    store.append(records).await.unwrap();
    let days = vec![at("2024-01-15T00:00:00Z"), at("2024-01-16T00:00:00Z")];
    let groups = store.aggregate(&sums(everything(), Some(days), &[Dimension::Model])).await.unwrap();
    let order: Vec<_> = groups.into_iter().map(|group| group.keys[0].clone().unwrap()).collect();
    assert_eq!(order, ["c", "d", "b", "a"]);
}

/// Tags overlap: the groups add up to more than the whole.
pub async fn a_record_with_two_tags_is_in_both_groups(store: Arc<dyn UsageStore>) {
    let tagged = |n, list: &[&str]| record_with(n, |record| record.tags = tags(list));
    store.append(vec![tagged(1, &["a", "b"]), tagged(2, &["a"]), tagged(3, &[])]).await.unwrap();
    let groups = store.aggregate(&sums(everything(), None, &[Dimension::Tag])).await.unwrap();
    let mut counts: Vec<_> =
        groups.into_iter().map(|group| (group.keys[0].clone(), group.totals.requests)).collect();
    counts.sort();
    assert_eq!(counts, [(None, 1), (Some("a".to_owned()), 2), (Some("b".to_owned()), 1)]);
}

/// The smallest duration that the share of calls did not exceed; records without one do not count.
pub async fn percentiles_are_by_nearest_rank(store: Arc<dyn UsageStore>) {
    let timed = |n: u32| record_with(n, |record| record.response_time_ms = Some(u64::from(n) * 10));
    store.append((1..=101).map(|n| if n > 100 { record(n) } else { timed(n) }).collect()).await.unwrap();
    let found = store.latency_percentiles(&everything()).await.unwrap();
    assert_eq!(found, LatencyPercentiles { count: 100, p50: Some(500), p95: Some(950), p99: Some(990) });
    let first = everything().during(period("2024-01-15T12:00:01Z", "2024-01-15T12:00:02Z"));
    let found = store.latency_percentiles(&first).await.unwrap();
    assert_eq!(found, LatencyPercentiles { count: 1, p50: Some(10), p95: Some(10), p99: Some(10) });
}

/// A sum that does not fit is refused, when it would be kept or at the latest when it is asked for; never a wrong one.
pub async fn sums_that_overflow_are_refused(store: Arc<dyn UsageStore>) {
    let dear = |n, provider: &str| {
        record_with(n, |record| {
            record.provider = String::from(provider);
            record.cost = Some(Money::MAX);
        })
    };
    store.append(vec![dear(1, "a")]).await.unwrap();
    let same_day = store.append(vec![dear(2, "a")]).await;
    let other = store.append(vec![dear(3, "b")]).await;
    let kept = 1 + u64::from(same_day.is_ok()) + u64::from(other.is_ok());
    let unhelped = select(everything(), Dimension::Team, &[], &["nobody"]);
    for filter in [everything(), unhelped] {
        let sum = store.aggregate(&sums(filter, None, &[])).await;
        match kept {
            1 => assert_eq!(sum.unwrap()[0].totals.cost, Money::MAX),
            _ => assert!(matches!(sum, Err(StoreError::Overflow(_))), "{sum:?}"),
        }
    }
    let counted = store.list_records(&RecordQuery { count: true, ..newest_first(everything()) }).await;
    assert_eq!(counted.unwrap().total, Some(kept), "counting adds up no money");
    for refused in [same_day, other].into_iter().filter_map(Result::err) {
        assert!(matches!(refused, StoreError::Overflow(_)), "{refused:?}");
    }
    let alone =
        store.aggregate(&sums(select(everything(), Dimension::Service, &["a"], &[]), None, &[])).await;
    assert!(alone.is_err() || alone.unwrap()[0].totals == Totals::of(&dear(1, "a")));
}

async fn keep(store: &dyn UsageStore, records: Vec<UsageRecord>) -> Model {
    let mut model = Model::default();
    for record in &records {
        model.append(record.clone());
    }
    store.append(records).await.unwrap();
    model
}
