//! Batches: what was answered in one is metered when its results are fetched.

use serde_json::{Value, json};

use super::world::World;
use crate::harness::NOW;

/// From 14 October 2026 on, the price list has the prices of batches.
async fn fetch_when_batches_have_prices(
    world: &World,
    path: &str,
    headers: &[(&str, &str)],
) -> crate::harness::Answer {
    world.server.clock.set("2026-11-01T12:00:00Z".parse().unwrap());
    let answer = fetch(world, path, headers).await;
    world.server.app.gateway.settled().await;
    world.server.clock.set(NOW.parse().unwrap());
    answer
}

async fn fetch(world: &World, path: &str, headers: &[(&str, &str)]) -> crate::harness::Answer {
    let mut call = world.server.get(path).by(&world.key);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call.send().await
}

fn told(record: &Value) -> [Value; 7] {
    let fields =
        ["model", "operation", "serviceTier", "promptTokens", "completionTokens", "cost", "requestId"];
    fields.map(|field| record[field].clone())
}

#[tokio::test]
async fn results_of_openai_are_metered_once_at_the_price_of_a_batch() {
    let world = World::start().await;
    let project = world.server.project(&world.owner, json!({ "name": "Nightly" })).await;
    let path = "/gateway/openai/v1/files/file-out-batch_1/content";
    let headers = [("x-project-id", project.as_str()), ("x-cost-tags", "nightly"), ("x-cost-team", "evals")];
    for accept in ["identity", "gzip", "gzip"] {
        let headers = [&headers[..], &[("accept-encoding", accept), ("x-fake", accept)]].concat();
        let answer = fetch_when_batches_have_prices(&world, path, &headers).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("x-cost-request-id"));
        if accept == "identity" {
            assert_eq!(answer.value()["custom_id"], "request-1", "{}", answer.text());
        }
    }
    let record = World::only(world.records().await);
    // gpt-4o-mini in a batch: 0.075 in, 0.30 out. 100 × 0.075 + 20 × 0.30 = 13.5
    assert_eq!(
        told(&record),
        [
            json!("gpt-4o-mini-2024-07-18"),
            json!("chat"),
            json!("batch"),
            json!(100),
            json!(20),
            json!(0.000_013_5),
            json!("reply:openai:chatcmpl-file-out-batch_1"),
        ]
    );
    assert_eq!(
        (
            &record["projectId"],
            &record["tags"],
            &record["costAllocation"]["team"],
            &record["metadata"]["customId"]
        ),
        (&json!(project), &json!(["nightly"]), &json!("evals"), &json!("request-1"))
    );
}

#[tokio::test]
async fn results_of_anthropic_are_metered_and_their_link_leads_here() {
    let world = World::start().await;
    let version =
        [("anthropic-version", "2023-06-01"), ("host", "tracker.example:8000"), ("accept-encoding", "gzip")];
    let batch = fetch(&world, "/gateway/anthropic/v1/messages/batches/msgbatch_01", &version).await;
    let link = "http://tracker.example:8000/gateway/anthropic/v1/messages/batches/msgbatch_01/results";
    assert_eq!(batch.value()["results_url"], link);
    let (_, path) = link.split_once(":8000").unwrap();
    let results = fetch_when_batches_have_prices(&world, path, &version[..1]).await;
    assert_eq!(results.text().lines().count(), 2);
    assert_eq!(results.headers["content-type"], "application/x-jsonl");
    let record = World::only(world.records().await);
    // Claude Haiku 4.5 in a batch: 0.50 in, 2.50 out. 100 × 0.50 + 20 × 2.50 = 100
    assert_eq!(
        told(&record),
        [
            json!("claude-haiku-4-5-20251001"),
            json!("chat"),
            json!("batch"),
            json!(100),
            json!(20),
            json!(0.0001),
            json!("reply:anthropic:msg_msgbatch_01"),
        ]
    );
}

#[tokio::test]
async fn files_that_are_no_results_pass_and_leave_nothing() {
    let world = World::start().await;
    for path in ["/gateway/openai/v1/files/file-1", "/gateway/openai/v1/batches/batch_1"] {
        assert_eq!(fetch(&world, path, &[]).await.status, 200, "{path}");
    }
    let missing = fetch(&world, "/gateway/openai/v1/files/a/b/content", &[]).await;
    assert_eq!(missing.status, 404);
    assert_eq!(world.records().await, Vec::<Value>::new());
}
