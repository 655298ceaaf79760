//! Streams: the client sees what it asked for, piece by piece, and the usage is known all the same.

use serde_json::{Value, json};

use super::world::{World, chat};

const CHAT: &str = "/gateway/openai/v1/chat/completions";
const DIRECT: [(&str, &str); 1] = [("authorization", "Bearer sk-upstream")];

#[tokio::test]
async fn a_client_that_did_not_ask_for_usage_does_not_see_it() {
    let world = World::start().await;
    for asked in
        [json!({ "stream": true }), json!({ "stream": true, "stream_options": { "include_usage": true } })]
    {
        let body = chat("gpt-4o-mini", &asked);
        let answer = world.post(CHAT, &[], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
        assert_eq!(
            answer.text(),
            String::from_utf8(world.direct("/v1/chat/completions", &DIRECT, &body).await).unwrap()
        );
        assert_eq!(answer.text().contains("\"usage\""), asked["stream_options"].is_object());
        let record = world.records().await.pop().unwrap();
        let billed = world.upstream.ledger().remove(0);
        assert_eq!(record["promptTokens"], billed.usage.input_tokens);
        assert_eq!(record["completionTokens"], billed.usage.output_tokens);
        assert_eq!(record["costSource"], "catalog");
        assert!(record["timeToFirstToken"].is_u64() || record["timeToFirstTokenMs"].is_u64(), "{record}");
        world.upstream.reset();
    }
}

#[tokio::test]
async fn every_dialects_stream_passes_byte_for_byte() {
    let world = World::start().await;
    let anthropic = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10, "stream": true, "messages": [{ "role": "user", "content": "Hi" }] });
    let responses = json!({ "model": "gpt-5", "stream": true, "input": "Hi" });
    let google = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    let version = [("anthropic-version", "2023-06-01"), ("x-api-key", "sk-upstream")];
    let google_key = [("x-goog-api-key", "sk-upstream")];
    for (name, path, direct, body) in [
        ("anthropic", "/v1/messages", &version[..], &anthropic),
        ("openai", "/v1/responses", &DIRECT, &responses),
        ("google", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", &google_key, &google),
        ("google", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", &google_key, &google),
    ] {
        world.upstream.reset();
        let headers: Vec<(&str, &str)> =
            direct.iter().copied().filter(|(name, _)| *name == "anthropic-version").collect();
        let answer = world.post(&format!("/gateway/{name}{path}"), &headers, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.body, world.direct(path, direct, body).await, "{path}");
        let record = world.records().await.pop().unwrap();
        let billed = world.upstream.ledger().remove(0);
        assert_eq!(record["promptTokens"], billed.usage.input_tokens, "{path}");
        assert_eq!(record["completionTokens"], billed.usage.output_tokens, "{path}");
        assert_eq!(record["status"], "success", "{path}");
    }
}

#[tokio::test]
async fn bedrocks_frames_pass_and_are_metered() {
    let world = World::start().await;
    let model = "anthropic.claude-sonnet-4-5-20250929-v1%3A0";
    let converse = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] });
    let invoke = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": [{ "role": "user", "content": "Hi" }] });
    for (verb, body) in
        [("converse-stream", &converse), ("invoke-with-response-stream", &invoke), ("invoke", &invoke)]
    {
        world.upstream.reset();
        let answer = world.post(&format!("/gateway/bedrock/model/{model}/{verb}"), &[], body).await;
        assert_eq!(answer.status, 200, "{verb}: {}", answer.text());
        let billed = world.upstream.ledger().remove(0);
        let record = world.records().await.pop().unwrap();
        assert_eq!(record["promptTokens"], billed.usage.input_tokens, "{verb}");
        assert_eq!(record["completionTokens"], billed.usage.output_tokens, "{verb}");
        assert!(record["cost"].is_number(), "{verb}: {record}");
    }
}

#[tokio::test]
async fn pieces_pass_as_they_come() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let mut answer = world.open(CHAT, &[("x-fake", "stall-after=2")], &body).await;
    assert_eq!(answer.status, 200);
    let mut first = Vec::new();
    while String::from_utf8_lossy(&first).matches("data: ").count() < 2 {
        first.extend(answer.piece().await.unwrap().unwrap());
    }
    // The provider has stopped here, and the client has everything that came.
    world.upstream.release();
    let (rest, ended_well) = answer.rest().await;
    assert!(ended_well && String::from_utf8_lossy(&rest).ends_with("data: [DONE]\n\n"));
    assert_eq!(World::only(world.records().await)["status"], "success");
}

#[tokio::test]
async fn a_byte_at_a_time_is_the_same_stream() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({ "stream": true }));
    let answer = world.post(CHAT, &[("x-fake", "byte-at-a-time")], &body).await;
    assert_eq!(answer.body, world.direct("/v1/chat/completions", &DIRECT, &body).await);
    let record: Value = World::only(world.records().await);
    assert_eq!(record["completionTokens"], world.upstream.ledger()[0].usage.output_tokens);
}

#[tokio::test]
async fn a_slow_reader_gets_everything() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({ "stream": true, "max_tokens": 2000 }));
    let mut answer = world.open(CHAT, &[("x-fake", "chunks=500")], &body).await;
    let first = answer.piece().await.unwrap().unwrap();
    // The provider is held back by a client that does not read, and goes on when it does.
    let (rest, ended_well) = answer.rest().await;
    assert!(ended_well);
    let all = [first, rest].concat();
    assert_eq!(
        all,
        world.direct("/v1/chat/completions", &[DIRECT[0], ("x-fake", "chunks=500")], &body).await
    );
}

#[tokio::test]
async fn a_stream_tells_its_cost_at_the_end_to_a_client_that_wants_it() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({ "stream": true }));
    let headers = [("x-cost-comment", "1"), ("x-fake-usage", "input=1000,cached=200,output=500")];
    let answer = world.post(CHAT, &headers, &body).await;
    let id = World::only(world.records().await)["id"].as_str().unwrap().to_owned();
    let direct = world.direct("/v1/chat/completions", &[DIRECT[0], headers[1]], &body).await;
    let comment = format!(": x-cost-usd=0.000435 x-cost-request-id={id}\n\n");
    assert_eq!(answer.text(), String::from_utf8(direct).unwrap() + &comment);
}
