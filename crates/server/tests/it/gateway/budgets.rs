//! Budgets that block are never overrun.

use std::sync::Arc;

use axum::http::StatusCode;
use pricing::Money;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::world::{World, chat};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

async fn project(world: &World, amount: &str, enforcement: &str) -> String {
    let budget =
        json!({ "amount": amount.parse::<f64>().unwrap(), "period": "monthly", "enforcement": enforcement });
    world.server.project(&world.owner, json!({ "name": "Blog", "budget": budget })).await
}

/// The most that a call of [`chat`] to gpt-4o-mini can cost by the gateway's own reckoning, told by a refusal.
async fn most(world: &World, body: &Value) -> Money {
    let tiny = project(world, "0.000000001", "block").await;
    let refused = world.post(CHAT, &[("x-project-id", &tiny)], body).await;
    assert_eq!(refused.status, StatusCode::PAYMENT_REQUIRED, "{}", refused.text());
    let message = refused.value()["error"]["message"].as_str().unwrap().to_owned();
    Money::parse(message.rsplit(' ').next().unwrap()).unwrap()
}

#[tokio::test]
async fn a_used_up_budget_answers_402_in_the_providers_shape() {
    let world = World::start().await;
    let project = project(&world, "0.000001", "block").await;
    let headers = [("x-project-id", project.as_str()), ("anthropic-version", "2023-06-01")];
    let refused = world.post(CHAT, &headers, &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.value()["error"]["code"], "budget_exhausted");
    assert_eq!(refused.value()["error"]["type"], "insufficient_quota");
    let messages = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [{ "role": "user", "content": "Hi" }] });
    let refused = world.post("/gateway/anthropic/v1/messages", &headers, &messages).await;
    assert_eq!((refused.status.as_u16(), &refused.value()["error"]["type"]), (402, &json!("billing_error")));
    assert!(world.upstream.requests().is_empty() && world.records().await.is_empty());
}

#[tokio::test]
async fn a_budget_that_only_alerts_lets_calls_pass_and_says_what_is_left() {
    let world = World::start().await;
    let project = project(&world, "0.0005", "alert").await;
    let headers = [("x-project-id", project.as_str()), ("x-fake-usage", "input=1000,cached=200,output=500")];
    let first = world.post(CHAT, &headers, &chat("gpt-4o-mini", &json!({}))).await;
    // 0.0005 less 0.000435.
    assert_eq!(first.headers["x-budget-remaining-usd"], "0.000065");
    let second = world.post(CHAT, &headers, &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(
        (second.status.as_u16(), second.headers["x-budget-remaining-usd"].to_str().unwrap()),
        (200, "0")
    );
}

#[tokio::test]
async fn what_comes_in_by_other_doors_counts_and_corrections_too() {
    let world = World::start().await;
    let project = project(&world, "1", "block").await;
    let headers = [("x-project-id", project.as_str())];
    let body = chat("gpt-4o-mini", &json!({}));
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
    let tracked = json!({ "model": "gpt-4o", "promptTokens": 1, "completionTokens": 1, "cost": 1, "projectId": project });
    let tracked = world.server.track(&world.owner, tracked).await;
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 402);
    let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
    world.server.call("DELETE", &path).by(&world.owner).send().await.expect(200);
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
    // A late record of another month is not of this budget's period.
    let late = json!({ "model": "gpt-4o", "promptTokens": 1, "completionTokens": 1, "cost": 5, "projectId": project, "timestamp": "2024-01-31T23:59:59Z" });
    world.server.track(&world.owner, late).await;
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
    world.server.clock.set("2024-03-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
}

#[tokio::test]
async fn a_model_without_a_price_cannot_be_bounded() {
    let world = World::start().await;
    let blocking = project(&world, "1", "block").await;
    let body = chat("nobodys-model", &json!({}));
    let refused = world.post(CHAT, &[("x-project-id", &blocking)], &body).await;
    assert_eq!((refused.status.as_u16(), &refused.value()["error"]["code"]), (403, &json!("price_unknown")));
    let alerting = project(&world, "1", "alert").await;
    assert_eq!(world.post(CHAT, &[("x-project-id", &alerting)], &body).await.status, 200);
    let record = World::only(world.records().await);
    assert_eq!((&record["cost"], &record["costSource"]), (&Value::Null, &json!("unpriced")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_spend_a_dollar_and_not_a_nano_dollar_more() {
    let world = Arc::new(World::start().await);
    let most =
        most(&world, &chat("gpt-4o", &json!({ "max_tokens": 300, "user": "user-0000" }))).await.nanos();
    // The provider bills exactly the most that the call can cost: 10 dollars a million of output, 2.5 of input.
    let input_nanos = most - 300 * 10_000;
    assert!(input_nanos > 0 && input_nanos % 2_500 == 0, "{most}");
    let usage = format!("input={},output=300", input_nanos / 2_500);
    let project = project(&world, "1", "block").await;
    let mut calls = JoinSet::new();
    for number in 0..1_000 {
        let body = chat("gpt-4o", &json!({ "max_tokens": 300, "user": format!("user-{number:04}") }));
        let (world, usage, project) = (Arc::clone(&world), usage.clone(), project.clone());
        calls.spawn(async move {
            let headers = [("x-project-id", project.as_str()), ("x-fake-usage", usage.as_str())];
            world.post(CHAT, &headers, &body).await.status.as_u16()
        });
    }
    let statuses = calls.join_all().await;
    let succeeded = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(succeeded + statuses.iter().filter(|status| **status == 402).count(), 1_000);
    let affordable = 1_000_000_000 / most;
    assert_eq!(i64::try_from(succeeded).unwrap(), affordable);
    world.server.app.gateway.settled().await;
    let path = format!("/api/analytics/projects/{project}");
    let analytics = world.server.get(&path).by(&world.owner).send().await.expect(200);
    let spent = Money::parse(&analytics["summary"]["totalCost"].to_string()).unwrap();
    assert_eq!(spent.nanos(), affordable * most);
    assert!(spent.nanos() <= 1_000_000_000);
    assert_eq!(world.upstream.ledger().len(), succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_cost_less_than_they_might_never_overrun_either() {
    let world = Arc::new(World::start().await);
    let project = project(&world, "0.01", "block").await;
    let mut calls = JoinSet::new();
    for number in 0..300 {
        let body = chat("gpt-4o", &json!({ "max_tokens": 300, "user": format!("user-{number:04}") }));
        // Between a tenth and all of what was asked for, by the number of the call.
        let usage = format!("input=20,output={}", 30 + number * 7 % 271);
        let (world, project) = (Arc::clone(&world), project.clone());
        calls.spawn(async move {
            let headers = [("x-project-id", project.as_str()), ("x-fake-usage", usage.as_str())];
            world.post(CHAT, &headers, &body).await.status.as_u16()
        });
    }
    let statuses = calls.join_all().await;
    assert!(statuses.iter().all(|status| [200, 402].contains(status)));
    let records = world.records().await;
    let costs = records.iter().map(|record| Money::parse(&plain(&record["cost"])).unwrap().nanos());
    let spent: i64 = costs.sum();
    assert!(spent > 0 && spent <= 10_000_000, "{spent}");
}

/// A small number as JSON writes it, without an exponent.
fn plain(number: &Value) -> String {
    format!("{:.9}", number.as_f64().unwrap())
}

#[tokio::test]
async fn a_reservation_is_given_back_when_the_call_costs_less_or_fails() {
    let world = World::start().await;
    let body = chat("gpt-4o", &json!({ "max_tokens": 1000 }));
    let most = most(&world, &body).await.nanos();
    // Enough for one call at its worst, and for many as they are.
    let enough = Money::from_nanos(most * 3 / 2).to_string();
    let project = project(&world, &enough, "block").await;
    let headers = |fake: &'static str| {
        [
            ("x-project-id", project.clone()),
            ("x-fake", fake.to_owned()),
            ("x-fake-usage", "input=10,output=1".to_owned()),
        ]
    };
    for fake in ["", "status=500", "cut-after=1", ""] {
        let headers = headers(fake);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let status = world.open(CHAT, &headers, &body).await.status.as_u16();
        assert!(status != 402, "{fake}");
        world.records().await;
    }
}
