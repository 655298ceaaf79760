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

/// Budgets that block, over the world's key, a tag and the account, of these many dollars.
async fn blocking(world: &World, key: &str, tag: &str, account: &str) -> Vec<String> {
    let keys = world.server.get("/api/user/dashboard-api-keys").by(&world.owner).send().await.expect(200);
    let key_id = &keys[0]["keyId"];
    let scopes = [
        (json!({ "type": "key", "keyId": key_id }), key),
        (json!({ "type": "tag", "tag": "nightly" }), tag),
        (json!({ "type": "account" }), account),
    ];
    let mut ids = Vec::new();
    for (scope, amount) in scopes {
        let terms = json!({ "amount": amount, "period": "monthly", "enforcement": "block" });
        let body = json!({ "name": format!("Of {}", scope["type"]), "scope": scope, "budget": terms });
        let made = world.server.post("/api/budgets").by(&world.owner).json(&body).await.expect(201);
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    ids
}

#[tokio::test]
async fn a_call_is_refused_by_whichever_of_its_budgets_is_used_up() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    blocking(&world, "1", "0.0005", "0.002").await;
    let usage = ("x-fake-usage", "input=1000,cached=200,output=500");
    let tagged = [("x-cost-tags", "nightly"), usage];
    let first = world.post(CHAT, &tagged, &body).await;
    // Of a tag's 0.0005 less 0.000435: the tightest of the three.
    assert_eq!(
        (first.status.as_u16(), first.headers["x-budget-remaining-usd"].to_str().unwrap()),
        (200, "0.000065")
    );
    let larger = chat("gpt-4o-mini", &json!({ "max_tokens": 1000 }));
    let refused = world.post(CHAT, &tagged, &larger).await;
    let message = refused.value()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(refused.status, 402);
    assert!(
        message.starts_with("the budget \"Of \\\"tag\\\"\" of tag \"nightly\" has too little left"),
        "{message}"
    );
    let untagged = world.post(CHAT, &[usage], &body).await;
    assert_eq!(untagged.headers["x-budget-remaining-usd"], "0.00113");
    let record = World::only(world.records().await.into_iter().take(1).collect());
    assert!(record["trackerKey"].is_string(), "{record}");
    // What was refused by one has reserved nothing in the others.
    let account = world.server.get("/api/budgets").by(&world.owner).send().await.expect(200);
    for budget in account.as_array().unwrap() {
        let path = format!("/api/budgets/{}/status", budget["id"].as_str().unwrap());
        let status = world.server.get(&path).by(&world.owner).send().await.expect(200);
        assert_eq!(status["reserved"], json!(0), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_never_overrun_the_tightest_of_three_budgets() {
    let world = Arc::new(World::start().await);
    let most =
        most(&world, &chat("gpt-4o", &json!({ "max_tokens": 300, "user": "user-0000" }))).await.nanos();
    let usage = format!("input={},output=300", (most - 300 * 10_000) / 2_500);
    let ids = blocking(&world, "1.5", "1", "1.2").await;
    let mut calls = JoinSet::new();
    for number in 0..1_000 {
        let body = chat("gpt-4o", &json!({ "max_tokens": 300, "user": format!("user-{number:04}") }));
        let (world, usage) = (Arc::clone(&world), usage.clone());
        calls.spawn(async move {
            // Every tenth is not tagged: it counts in the key's and in the account's budget only.
            let tags = if number % 10 == 0 { "other" } else { "nightly,other" };
            let headers = [("x-cost-tags", tags), ("x-fake-usage", usage.as_str())];
            (number % 10 != 0, world.post(CHAT, &headers, &body).await.status.as_u16())
        });
    }
    let statuses = calls.join_all().await;
    assert!(statuses.iter().all(|(_, status)| [200, 402].contains(status)));
    let passed = |tagged: bool| statuses.iter().filter(|call| **call == (tagged, 200)).count();
    world.server.app.gateway.settled().await;
    let mut spent = Vec::new();
    for id in &ids {
        let path = format!("/api/budgets/{id}/status");
        let status = world.server.get(&path).by(&world.owner).send().await.expect(200);
        assert_eq!(status["reserved"], json!(0));
        spent.push(Money::parse(&plain(&status["spent"])).unwrap().nanos());
    }
    let cost = |calls: usize| i64::try_from(calls).unwrap() * most;
    let all = passed(true) + passed(false);
    assert_eq!(spent, [cost(all), cost(passed(true)), cost(all)]);
    assert!(spent[1] <= 1_000_000_000 && spent[2] <= 1_200_000_000, "{spent:?}");
    // Nothing was given away either: one more call of each kind would not have fitted, or there were no more.
    assert!(spent[1] + most > 1_000_000_000 || spent[2] + most > 1_200_000_000, "{spent:?}");
    assert_eq!(world.upstream.ledger().len(), all);
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
