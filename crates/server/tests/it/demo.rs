//! `ai-cost-tracker demo`.

use std::collections::BTreeMap;

use domain::{
    budget::utilization_percent,
    query::{Filter, PageStart, RecordQuery, RecordSort, Visibility},
    usage_record::{Flag, Origin, Status, UsageRecord},
};
use jiff::Timestamp;
use serde_json::json;
use server::demo::{self, EMAIL, Filled, Recipe, Removed};
use store::{AccountStore as _, AnnotationStore as _, ProjectStore as _, UsageStore as _};

use crate::harness::Server;

const RECORDS: u64 = 4_000;
const LATER: &str = "2026-11-24T10:20:30Z";

fn later() -> Timestamp {
    LATER.parse().unwrap()
}

async fn filled(server: &Server, seed: u64) -> Filled {
    server.clock.set(later());
    demo::fill(&server.app, Recipe { records: RECORDS, seed }, |_| {}).await.unwrap()
}

async fn records(server: &Server) -> Vec<UsageRecord> {
    let mut query = RecordQuery {
        filter: Filter::all(Visibility::Everything),
        sort: RecordSort::Timestamp,
        descending: false,
        start: PageStart::Offset(0),
        limit: 1_000,
        count: false,
    };
    let mut records = Vec::new();
    loop {
        let page = server.store.list_records(&query).await.unwrap();
        records.extend(page.records);
        let Some(cursor) = page.next_cursor else { return records };
        query.start = PageStart::Cursor(cursor);
    }
}

fn counted<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    values.into_iter().fold(BTreeMap::new(), |mut counts, value| {
        *counts.entry(value).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn a_demo_looks_like_an_organisation() {
    let server = Server::start().await;
    let filled = filled(&server, 1).await;
    let records = records(&server).await;
    assert_eq!((filled.records, records.len() as u64), (RECORDS, RECORDS));

    let providers = counted(records.iter().map(|record| record.provider.clone()));
    for provider in ["openai", "anthropic", "google", "bedrock", "mistral", "deepseek"] {
        assert!(providers.get(provider).is_some_and(|count| *count > 20), "{providers:?}");
    }
    let unpriced: Vec<_> = records.iter().filter(|record| record.cost.is_none()).collect();
    assert!(!unpriced.is_empty() && unpriced.len() < 60, "{}", unpriced.len());
    assert!(unpriced.iter().all(|record| record.model.starts_with("acme-")), "{unpriced:?}");
    let errors = records.iter().filter(|record| record.status == Status::Error).count();
    assert!((30..90).contains(&errors), "{errors}");
    assert_eq!((filled.unpriced, filled.errors), (unpriced.len() as u64, errors as u64));

    assert!(records.iter().all(|record| record.origin == Origin::Demo && record.occurred_at < later()));
    assert!(
        records
            .iter()
            .all(|record| record.id.to_string() >= format!("{:08x}", record.occurred_at.as_second()))
    );
    assert!(records.iter().all(|record| !record.flags.contains(&Flag::InconsistentUsage)));
    for present in [
        |record: &UsageRecord| record.service_tier.as_deref() == Some("batch"),
        |record: &UsageRecord| record.cache_savings.is_some_and(|saved| saved > pricing::Money::ZERO),
        |record: &UsageRecord| record.usage.count(pricing::Unit::ReasoningTokens) > 0,
        |record: &UsageRecord| record.time_to_first_token_ms.is_some(),
        |record: &UsageRecord| record.allocation.campaign.is_some() && record.allocation.client.is_some(),
        |record: &UsageRecord| record.session_id.is_some(),
        |record: &UsageRecord| record.trace_id.is_some(),
        |record: &UsageRecord| record.customer_email.is_some(),
    ] {
        assert!(records.iter().filter(|record| present(record)).count() > 20);
    }
    assert_eq!(server.store.verify().await.unwrap().difference_count, 0);
    assert!(server.store.count_annotations().await.unwrap() >= 2, "a first look shows markers");
}

#[tokio::test]
async fn some_budgets_are_near_their_limit_or_over_it() {
    let server = Server::start().await;
    filled(&server, 1).await;
    let all = records(&server).await;
    let mut used = BTreeMap::new();
    for project in server.store.list_projects().await.unwrap() {
        let Some(budget) = &project.budget else { continue };
        budget.check("budget").unwrap();
        let period = budget.period_containing(later());
        let spent = all
            .iter()
            .filter(|record| record.project_id == Some(project.id) && period.contains(record.occurred_at));
        let spent = spent
            .filter_map(|record| record.cost)
            .try_fold(pricing::Money::ZERO, pricing::Money::checked_add)
            .unwrap();
        used.insert(project.name.clone(), utilization_percent(budget.amount, spent));
    }
    assert_eq!(used.len(), 9, "{used:?}");
    assert_eq!(used.values().filter(|percent| **percent > 100.0).count(), 2, "{used:?}");
    assert_eq!(used.values().filter(|percent| (90.0..=100.0).contains(*percent)).count(), 2, "{used:?}");
}

#[tokio::test]
async fn the_same_seed_is_the_same_demo() {
    let (one, same, other) = (Server::start().await, Server::start().await, Server::start().await);
    let (first, second, third) = (filled(&one, 7).await, filled(&same, 7).await, filled(&other, 8).await);
    assert_eq!((first.cost, first.errors, first.unpriced), (second.cost, second.errors, second.unpriced));
    assert_ne!(first.cost, third.cost);
    assert_ne!(first.password.expose(), second.password.expose());
    let ids = |records: Vec<UsageRecord>| {
        records.into_iter().map(|record| (record.id, record.cost)).collect::<Vec<_>>()
    };
    assert_eq!(ids(records(&one).await), ids(records(&same).await));
}

#[tokio::test]
async fn removing_it_leaves_everything_else() {
    let server = Server::start().await;
    server.clock.set(later());
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Real" })).await;
    for project in [json!(project), json!(null)] {
        server.track(&owner, json!({ "model": "gpt-4o", "promptTokens": 1000, "completionTokens": 10, "projectId": project })).await;
    }
    let before = records(&server).await;

    let filled = filled(&server, 1).await;
    let login = json!({ "email": EMAIL, "password": filled.password.expose() });
    let session = server.post("/api/auth/login").json(&login).await.expect(200);
    assert_eq!(session["user"]["email"], EMAIL);
    let again = demo::fill(&server.app, Recipe { records: 1, seed: 1 }, |_| {}).await.unwrap_err();
    assert!(again.to_string().contains("demo --remove"), "{again}");
    // Also what somebody deleted in the meantime goes.
    let demo_project =
        server.store.list_projects().await.unwrap().into_iter().find(|project| project.demo).unwrap();
    server.call("DELETE", &format!("/api/projects/{}", demo_project.id)).by(&owner).send().await;

    let removed = demo::remove(&server.app).await.unwrap();
    assert_eq!(removed, Removed { projects: 12, records: RECORDS, accounts: 1, kept_projects: Vec::new() });
    assert_eq!(records(&server).await, before);
    assert_eq!(server.store.list_users().await.unwrap().len(), 1);
    assert_eq!(server.store.list_projects().await.unwrap().len(), 1);
    let verification = server.store.verify().await.unwrap();
    assert_eq!((verification.records, verification.difference_count), (2, 0));
    assert_eq!(server.store.count_annotations().await.unwrap(), 0);
    let nothing = Removed { projects: 0, records: 0, accounts: 0, kept_projects: Vec::new() };
    assert_eq!(demo::remove(&server.app).await.unwrap(), nothing);
}

#[tokio::test]
async fn an_account_of_somebody_else_is_not_touched() {
    let server = Server::start().await;
    server.register(EMAIL, None).await;
    let refused = demo::fill(&server.app, Recipe { records: 1, seed: 1 }, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("not of the demo"), "{refused}");
    assert_eq!(demo::remove(&server.app).await.unwrap().accounts, 0);
    assert_eq!(server.store.list_users().await.unwrap().len(), 1);
}
