//! What goes wrong on the way, what the client sees of it, and what is charged.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{World, chat};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

fn stream() -> Value {
    chat("gpt-4o-mini", &json!({ "stream": true }))
}

#[tokio::test]
async fn a_providers_error_is_passed_on_and_recorded_as_free() {
    let world = World::start().await;
    for status in ["429", "500", "503"] {
        let fake = format!("status={status}");
        let answer = world.post(CHAT, &[("x-fake", &fake)], &chat("gpt-4o-mini", &json!({}))).await;
        assert_eq!(answer.status.as_str(), status);
        let direct = [("authorization", "Bearer sk-upstream"), ("x-fake", fake.as_str())];
        assert_eq!(
            answer.body,
            world.direct("/v1/chat/completions", &direct, &chat("gpt-4o-mini", &json!({}))).await
        );
        if status == "429" {
            assert_eq!(answer.headers["retry-after"], "7");
        }
        let record = world.records().await.pop().unwrap();
        assert_eq!((&record["status"], &record["errorCode"]), (&json!("error"), &json!(status)));
        assert_eq!((&record["cost"], &record["costSource"]), (&json!(0), &json!("provider")));
        assert!(record["errorMessage"].as_str().unwrap().len() > 5);
    }
}

#[tokio::test]
async fn a_client_that_leaves_mid_stream_is_charged_for_what_the_provider_bills() {
    let world = World::start().await;
    let mut answer = world.open(CHAT, &[("x-fake", "stall-after=2")], &stream()).await;
    assert_eq!(answer.status, 200);
    answer.piece().await.unwrap().unwrap();
    drop(answer);
    world.upstream.release();
    world.upstream.wait_for_requests(1).await;
    let record = wait_for_record(&world).await;
    assert_eq!(record["completionTokens"], world.upstream.ledger()[0].usage.output_tokens);
    assert_eq!((&record["metadata"]["clientLeft"], &record["costSource"]), (&json!(true), &json!("catalog")));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_charged_too() {
    let world = Arc::new(World::start().await);
    let mut asking = tokio::task::JoinSet::new();
    asking.spawn({
        let world = Arc::clone(&world);
        async move { world.post(CHAT, &[("x-fake", "hold")], &chat("gpt-4o-mini", &json!({}))).await }
    });
    world.upstream.wait_for_requests(1).await;
    asking.shutdown().await;
    world.upstream.release();
    let record = wait_for_record(&world).await;
    assert_eq!(record["promptTokens"], world.upstream.ledger()[0].usage.input_tokens);
    assert_eq!(record["metadata"]["clientLeft"], true);
}

#[tokio::test]
async fn a_client_that_leaves_a_provider_that_is_silent_is_waited_for_within_limits() {
    let world = World::with(&[("gateway.drain_timeout_ms", "0")]).await;
    let mut answer = world.open(CHAT, &[("x-fake", "stall-after=3")], &stream()).await;
    answer.piece().await.unwrap().unwrap();
    drop(answer);
    let record = wait_for_record(&world).await;
    assert_eq!((&record["status"], &record["errorCode"]), (&json!("error"), &json!("not_drained")));
    // Nobody told what was used: it is estimated, and says so.
    assert_eq!(record["costSource"], "estimated");
    assert!(record["promptTokens"].as_u64().unwrap() > 0);
    world.upstream.wait_for_disconnect().await;
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_is_cut_for_the_client_and_estimated() {
    let world = World::start().await;
    let answer = world.open(CHAT, &[("x-fake", "cut-after=3")], &stream()).await;
    assert_eq!(answer.status, 200);
    let (begun, ended_well) = answer.rest().await;
    assert!(!ended_well && String::from_utf8_lossy(&begun).contains("data: "));
    let record = World::only(world.records().await);
    assert_eq!((&record["status"], &record["errorCode"]), (&json!("error"), &json!("cut")));
    assert_eq!(record["costSource"], "estimated");
}

#[tokio::test]
async fn a_whole_answer_that_is_cut_is_cut_for_the_client() {
    let world = World::start().await;
    let answer = world.open(CHAT, &[("x-fake", "cut-after=2")], &chat("gpt-4o-mini", &json!({}))).await;
    let (_, ended_well) = answer.rest().await;
    assert!(!ended_well);
    assert_eq!(World::only(world.records().await)["errorCode"], "cut");
}

#[tokio::test]
async fn a_cut_stream_of_anthropic_is_charged_for_its_input_as_told() {
    let world = World::start().await;
    let body = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10, "stream": true, "messages": [{ "role": "user", "content": "Hi" }] });
    let headers =
        [("anthropic-version", "2023-06-01"), ("x-fake", "cut-after=2"), ("x-fake-usage", "input=1000")];
    let (_, ended_well) = world.open("/gateway/anthropic/v1/messages", &headers, &body).await.rest().await;
    assert!(!ended_well);
    let record = World::only(world.records().await);
    assert_eq!((&record["promptTokens"], &record["errorCode"]), (&json!(1000), &json!("cut")));
}

#[tokio::test]
async fn a_provider_that_stalls_is_given_up() {
    let world = World::with(&[("gateway.idle_timeout_ms", "100")]).await;
    let (_, ended_well) = world.open(CHAT, &[("x-fake", "stall-after=2")], &stream()).await.rest().await;
    assert!(!ended_well);
    assert_eq!(World::only(world.records().await)["errorCode"], "stalled");
    world.upstream.wait_for_disconnect().await;
}

#[tokio::test]
async fn a_provider_that_does_not_begin_to_answer_is_a_504_in_its_own_shape() {
    let world = World::with(&[("gateway.head_timeout_ms", "100")]).await;
    let answer = world.post(CHAT, &[("x-fake", "hold")], &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.value()["error"]["code"], "provider_timeout");
    let record = World::only(world.records().await);
    // It may have worked, and billed: what it cost is not known, and not zero.
    assert_eq!((&record["errorCode"], &record["cost"]), (&json!("timeout"), &Value::Null));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_a_502_and_free() {
    let world = World::with(&[("gateway.providers.openai.base_url", "http://127.0.0.1:9")]).await;
    let answer = world.post(CHAT, &[], &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.value()["error"]["code"]),
        (502, &json!("provider_unreachable"))
    );
    let record = World::only(world.records().await);
    assert_eq!((&record["errorCode"], &record["cost"]), (&json!("unreachable"), &json!(0)));
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_passed_on() {
    let world = World::start().await;
    let answer = world.post(CHAT, &[("x-fake", "early")], &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(World::only(world.records().await)["errorCode"], "413");
}

/// The record of a call whose client has left: nobody else waits for it.
async fn wait_for_record(world: &World) -> Value {
    loop {
        if let Some(record) = world.records().await.pop() {
            return record;
        }
        tokio::task::yield_now().await;
    }
}
