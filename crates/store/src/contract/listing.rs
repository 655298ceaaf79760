//! Lists of records.

use std::sync::Arc;

use domain::{
    query::{Filter, PageStart, RecordQuery, RecordSort, Visibility},
    usage_record::UsageRecord,
};
use jiff::SignedDuration;
use pricing::Money;

use super::{
    model::Model,
    questions::check_list,
    random::Random,
    sample::{
        everything, full_record, id, newest_first, period, project_id, record, record_with, usage_id,
        varied_record,
    },
};
use crate::{StoreError, UsageStore};

/// In every order, pages joined are the whole list.
pub async fn pages_join_to_the_whole_list(store: Arc<dyn UsageStore>) {
    let model = fill(&*store, 120).await;
    for sort in [RecordSort::Timestamp, RecordSort::Cost, RecordSort::TotalTokens, RecordSort::ResponseTime] {
        for descending in [false, true] {
            let query = RecordQuery { sort, descending, limit: 7, ..newest_first(everything()) };
            check_list(&*store, &model, &query).await;
        }
    }
}

/// A cursor continues after the record it was made for, whatever arrives meanwhile.
pub async fn pages_by_cursor_stay_in_place_while_records_arrive(store: Arc<dyn UsageStore>) {
    store.append((1..=6).map(record).collect()).await.unwrap();
    let query = RecordQuery { limit: 2, ..newest_first(everything()) };
    let first = store.list_records(&query).await.unwrap();
    store.append((7..=9).map(record).collect()).await.unwrap();
    let next = RecordQuery { start: PageStart::Cursor(first.next_cursor.unwrap()), ..query };
    let second = store.list_records(&next).await.unwrap();
    assert_eq!(numbers(&first.records), [6, 5]);
    assert_eq!(numbers(&second.records), [4, 3]);
    let last = RecordQuery { start: PageStart::Cursor(second.next_cursor.unwrap()), ..next };
    let last = store.list_records(&last).await.unwrap();
    assert_eq!((numbers(&last.records), last.next_cursor), (vec![2, 1], None));
}

/// Records at the same instant are on one page each.
pub async fn members_see_their_projects_and_what_they_have_outside(store: Arc<dyn UsageStore>) {
    let model = fill(&*store, 200).await;
    for projects in [vec![], vec![project_id(11)], vec![project_id(11), project_id(13), project_id(99)]] {
        let filter = Filter::all(Visibility::Of { user: id(2), projects });
        for descending in [false, true] {
            let query = RecordQuery { limit: 9, descending, ..newest_first(filter.clone()) };
            check_list(&*store, &model, &query).await;
            check_list(&*store, &model, &RecordQuery { sort: RecordSort::Cost, ..query }).await;
        }
        let march = filter.during(period("2024-03-05T00:00:00Z", "2024-03-20T10:00:00Z"));
        check_list(&*store, &model, &RecordQuery { limit: 9, ..newest_first(march) }).await;
    }
}

/// Unpriced records are the cheapest.
pub async fn unknown_values_sort_as_the_smallest(store: Arc<dyn UsageStore>) {
    let costs = [Some(5), None, Some(-3), Some(0)];
    let with_cost =
        |(n, nanos): (u32, Option<i64>)| record_with(n, |record| record.cost = nanos.map(Money::from_nanos));
    store.append((1..).zip(costs).map(with_cost).collect()).await.unwrap();
    let query = RecordQuery { sort: RecordSort::Cost, ..newest_first(everything()) };
    assert_eq!(numbers(&store.list_records(&query).await.unwrap().records), [1, 4, 3, 2]);
    let ascending = RecordQuery { descending: false, ..query };
    assert_eq!(numbers(&store.list_records(&ascending).await.unwrap().records), [2, 3, 4, 1]);
}

/// A cursor is what a list gave, and for the order of time.
pub async fn foreign_cursors_are_refused(store: Arc<dyn UsageStore>) {
    store.append((1..=3).map(record).collect()).await.unwrap();
    let query = RecordQuery { limit: 1, ..newest_first(everything()) };
    let own = store.list_records(&query).await.unwrap().next_cursor.unwrap();
    let refused = async |text: &str, sort| {
        let query = RecordQuery { sort, start: PageStart::Cursor(text.to_owned()), ..query.clone() };
        matches!(store.list_records(&query).await, Err(StoreError::BadCursor))
    };
    for text in [
        "",
        "1",
        "next page, please",
        "é",
        own.get(1..).unwrap(),
        &format!("{own}0"),
        &own.replace(|_: char| true, "é"),
    ] {
        assert!(refused(text, RecordSort::Timestamp).await, "{text:?}");
    }
    assert!(refused(&own, RecordSort::Cost).await);
}

/// Counting a list is independent of its pages.
pub async fn the_total_is_that_of_the_whole_list(store: Arc<dyn UsageStore>) {
    store.append((1..=5).map(record).collect()).await.unwrap();
    let total = async |filter, count| {
        let query = RecordQuery { limit: 2, count, ..newest_first(filter) };
        store.list_records(&query).await.unwrap().total
    };
    assert_eq!(total(everything(), false).await, None);
    assert_eq!(total(everything(), true).await, Some(5));
    let noon = period("2024-01-15T12:00:02Z", "2024-01-15T12:00:04Z");
    assert_eq!(total(everything().during(noon), true).await, Some(2));
    let beyond = RecordQuery { start: PageStart::Offset(99), count: true, ..newest_first(everything()) };
    let page = store.list_records(&beyond).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.next_cursor), (0, Some(5), None));
}

/// Every searched field, in any case, also beyond ASCII.
pub async fn words_are_found_in_any_case(store: Arc<dyn UsageStore>) {
    let full = UsageRecord { provider: "Azure-OpenAI".to_owned(), ..full_record() };
    store.append(vec![full, record(1)]).await.unwrap();
    for words in [
        "azure",
        "4O-MINI",
        "MÜLLER",
        "x,Y",
        "MARKETING",
        "conten",
        "blog",
        "söhne",
        "SPRING",
        "4711",
        "\"l\"",
        "ADA@",
        "grace@",
        "Session-1",
        "0AF7651916CD",
        "REQUEST 1",
        "zu VIEL”",
        " azure ",
        usage_id(7).to_string().get(4..).unwrap(),
        &usage_id(7).to_string().to_uppercase(),
    ] {
        assert!(found(&*store, words).await.contains(&7), "{words}");
    }
    for words in ["costCenter", "Why?", "429", "chat", "nowhere", "müllers"] {
        assert_eq!(found(&*store, words).await, [0; 0], "{words}");
    }
    assert_eq!(found(&*store, "  ").await, [7, 1], "no words find everything");
}

/// What is special to a database is not special here.
pub async fn search_takes_its_words_literally(store: Arc<dyn UsageStore>) {
    let with_session =
        |(n, session): (u32, &str)| record_with(n, |record| record.session_id = Some(session.to_owned()));
    let sessions = ["100%", "1000", "a_b", "axb", r"back\slash", "it's", "a.c", "abc", "$x", "[1]", "z*"];
    store.append((1..).zip(sessions).map(with_session).collect()).await.unwrap();
    for (n, session) in (1..).zip(sessions) {
        let found = found(&*store, session).await;
        assert!(found == [n] || session == "1000", "{session}: {found:?}");
    }
}

async fn found(store: &dyn UsageStore, words: &str) -> Vec<u32> {
    let filter = Filter { search: Some(words.to_owned()), ..everything() };
    numbers(&store.list_records(&newest_first(filter)).await.unwrap().records)
}

fn numbers(records: &[UsageRecord]) -> Vec<u32> {
    let number = |record: &UsageRecord| u32::from_be_bytes(*record.id.bytes().last_chunk().unwrap());
    records.iter().map(number).collect()
}

/// Keeps varied records, of which every ten are at the same instant.
async fn fill(store: &dyn UsageStore, count: u32) -> Model {
    let mut random = Random::new(1);
    let mut records: Vec<_> = (1..=count).map(|n| varied_record(n, &mut random)).collect();
    for ten in records.chunks_mut(10) {
        let occurred_at = ten[0].occurred_at;
        ten.iter_mut()
            .take(5)
            .for_each(|record| record.occurred_at = occurred_at + SignedDuration::from_millis(1));
    }
    let mut model = Model::default();
    let expected: Vec<_> = records.iter().map(|record| model.append(record.clone())).collect();
    assert_eq!(store.append(records).await.unwrap(), expected);
    model
}
