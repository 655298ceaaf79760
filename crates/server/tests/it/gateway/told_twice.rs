//! Calls through the gateway of which agents tell as well: one record each, whichever comes first.

use axum::http::HeaderName;
use domain::Clock as _;
use serde_json::{Value, json};
use store::UsageStore as _;

use super::world::World;
use crate::harness::Answer;

const MESSAGES: &str = "/gateway/anthropic/v1/messages";

async fn ask(world: &World, salt: &str) -> Answer {
    let body = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10,
        "messages": [{ "role": "user", "content": "What does this call cost?" }] });
    let headers = [("anthropic-version", "2023-06-01"), ("x-fake-salt", salt)];
    let answer = world.post(MESSAGES, &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// Tells of a call as Claude Code's event does, which knows the provider's id of the request only.
async fn tell(world: &World, ids: &[&str]) {
    let event = |id: &&str| {
        let said = [
            ("session.id", json!({ "stringValue": "s-1" })),
            ("request_id", json!({ "stringValue": id })),
            ("model", json!({ "stringValue": "claude-sonnet-4-5" })),
            ("input_tokens", json!({ "intValue": 7 })),
            ("output_tokens", json!({ "intValue": 9_000 })),
        ];
        let said: Vec<_> = said.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let at = world.server.clock.now().as_nanosecond().to_string();
        json!({ "timeUnixNano": at, "body": { "stringValue": "claude_code.api_request" }, "attributes": said })
    };
    let resource = json!({ "attributes": [{ "key": "team.id", "value": { "stringValue": "platform" } }] });
    let records: Vec<Value> = ids.iter().map(event).collect();
    let logs =
        json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "logRecords": records }] }] });
    let answer = world.server.post("/v1/logs").by(&world.key).json(&logs).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "{}"));
}

fn cost(answer: &Answer) -> String {
    answer.header(HeaderName::from_static("x-cost-usd")).to_owned()
}

fn request_id(answer: &Answer) -> String {
    answer.header(HeaderName::from_static("request-id")).to_owned()
}

#[tokio::test]
async fn an_agents_event_of_a_call_through_the_gateway_is_the_gateways_record_in_both_orders() {
    let world = World::start().await;
    let alone = ask(&world, "alone").await;
    let known = request_id(&ask(&world, "gateway first").await);
    assert_eq!(world.records().await.len(), 2);
    tell(&world, &[&known]).await;
    // The fake's ids are made of what was asked: the same asked elsewhere tells them beforehand.
    let elsewhere = World::start().await;
    let later = request_id(&ask(&elsewhere, "event first").await);
    tell(&world, &[&later]).await;
    ask(&world, "event first").await;
    tell(&world, &[&known, &later]).await;
    let records = world.records().await;
    assert_eq!(records.len(), 3, "{records:#?}");
    for record in &records {
        assert_eq!(record["cost"].to_string(), cost(&alone), "{record}");
    }
    let teams: Vec<_> = records.iter().map(|record| &record["costAllocation"]["team"]).collect();
    assert_eq!(teams, [&Value::Null, &json!("platform"), &json!("platform")]);
    let id = records[1]["id"].as_str().unwrap();
    let record = world.server.get(&format!("/api/usage/{id}")).by(&world.owner).send().await.expect(200);
    assert_eq!(record["metadata"]["providerRequestId"], json!(known));
    let found = world.server.get(&format!("/api/usage?search={known}")).by(&world.owner).send().await;
    assert_eq!(found.expect(200).as_array().unwrap().len(), 1, "it is found by the provider's id");
    assert_eq!(world.server.store.verify().await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn an_event_that_comes_after_a_restart_finds_the_gateways_record() {
    let world = World::start().await;
    let id = request_id(&ask(&world, "a").await);
    world.records().await;
    let World { upstream, server, owner, key } = world;
    let world = World { upstream, server: server.restart().await, owner, key };
    tell(&world, &[&id]).await;
    let list = world.server.get("/api/usage").by(&world.owner).send().await.expect(200);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(world.server.store.verify().await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn a_budget_counts_a_call_once_of_which_its_agent_told_first() {
    let world = World::start().await;
    let budget = json!({ "name": "shop", "budget": { "amount": 1, "period": "monthly" } });
    let project = world.server.project(&world.owner, budget).await;
    let key = json!({ "name": "k", "scopes": ["ingest", "read"], "projectId": project });
    let key = world.server.key(&world.owner, key).await;
    let world = World { key, ..world };
    let spent = async || {
        world.server.app.gateway.settled().await;
        let status = world.server.get(&format!("/api/budgets/{project}/status")).by(&world.owner);
        status.send().await.expect(200)["spent"].to_string()
    };
    let elsewhere = World::start().await;
    let id = request_id(&ask(&elsewhere, "a").await);
    tell(&world, &[&id]).await;
    // 7 × 3 + 9,000 × 15 per million.
    assert_eq!(spent().await, "0.135021");
    let cost = cost(&ask(&world, "a").await);
    assert_eq!(spent().await, cost);
    tell(&world, &[&id]).await;
    assert_eq!(spent().await, cost);
    assert_eq!(world.server.store.verify().await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn claude_codes_span_says_the_id_of_the_request_as_that_of_the_reply_and_is_the_gateways_record() {
    let world = World::start().await;
    let id = request_id(&ask(&world, "a").await);
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let said = [text("request_id", &id), text("gen_ai.response.id", &id), text("model", "claude-sonnet-4-5")];
    let span = json!({ "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "name": "claude_code.llm_request", "attributes": said });
    let traces = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
    assert_eq!(world.server.post("/v1/traces").by(&world.key).json(&traces).await.status, 200);
    let record = World::only(world.records().await);
    assert_eq!(record["traceId"], "5b8efff798038103d269b633813fc60c");
}
