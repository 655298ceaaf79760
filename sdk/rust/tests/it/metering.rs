//! Calls to the fake providers, metered, priced by the real server.

use ai_cost_tracker_client::{Attribution, ProviderCall, Tracker, ask_for_usage};
use futures_util::StreamExt as _;
use reqwest::{Response, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::servers::{Fake, Server};

/// Asks the fake, which behaves as `fake` says.
async fn post(url: &str, request: &Value, fake: &str) -> Response {
    let call = reqwest::Client::builder().build().unwrap().post(url).json(request);
    call.bearer_auth(fake_upstream::KEY)
        .header("x-api-key", fake_upstream::KEY)
        .header("x-fake", fake)
        .send()
        .await
        .unwrap()
}

fn kind_of(response: &Response) -> String {
    response.headers().get(CONTENT_TYPE).unwrap().to_str().unwrap().to_owned()
}

fn question(model: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "one two three four" }]);
    json!({ "model": model, "stream": stream, "max_tokens": 100, "messages": messages })
}

/// Streams a call through a meter, up to its end, the provider's failure, or so many pieces; what was seen of it.
async fn stream(tracker: &Tracker, url: &str, fake: &str, pieces_max: usize) -> String {
    let request = ask_for_usage(url, question("gpt-4o-mini", true));
    let attribution = Attribution { tags: vec!["streamed".to_owned()], ..Attribution::default() };
    let mut meter = tracker.observe(ProviderCall::to(url, &request).attribution(attribution));
    let response = post(url, &request, fake).await;
    meter.answers(response.status().as_u16(), &kind_of(&response));
    let mut answer = meter.watch(response.bytes_stream()).take(pieces_max);
    let mut seen = Vec::new();
    while let Some(Ok(piece)) = answer.next().await {
        seen.extend_from_slice(&piece);
    }
    String::from_utf8(seen).unwrap()
}

/// The one record that there is.
async fn only_record(tracker: &Tracker, server: &Server) -> Value {
    tracker.flush().await;
    let records = server.records().await;
    assert_eq!(records.len(), 1, "{records:?}");
    server.get(&format!("/api/usage/{}", records[0]["id"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_whole_reply_is_recorded_for_what_the_provider_counted() {
    let (server, fake) = (Server::start().await, Fake::start());
    let tracker = server.client().build().unwrap();
    let (url, request) = (format!("{}/v1/chat/completions", fake.url()), question("gpt-4o-mini", false));
    let meter = tracker.observe(ProviderCall::to(&url, &request));
    let response = post(&url, &request, "").await;
    let status = response.status().as_u16();
    let reply: Value = response.json().await.unwrap();
    meter.reply(status, &reply);
    let record = only_record(&tracker, &server).await;
    assert_eq!(record["promptTokens"], reply["usage"]["prompt_tokens"]);
    assert_eq!(record["completionTokens"], reply["usage"]["completion_tokens"]);
    assert_eq!((&record["costSource"], &record["projectId"]), (&json!("catalog"), &json!(server.project)));
    assert!(record["responseTime"].is_number());
}

#[tokio::test]
async fn a_reply_that_is_told_has_no_time() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let usage = json!({ "input_tokens": 10, "output_tokens": 5 });
    let reply = json!({ "id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "usage": usage });
    let call = ProviderCall::of("anthropic", "chat", &question("claude-sonnet-4-5", false));
    tracker.observe_reply(call.clone(), 200, &reply);
    // The same reply is the same call.
    tracker.observe_reply(call, 200, &reply);
    let record = only_record(&tracker, &server).await;
    assert_eq!((&record["promptTokens"], &record["responseTime"]), (&json!(10), &Value::Null));
    assert_eq!(tracker.stats().duplicates, 1);
}

#[tokio::test]
async fn a_refusal_that_is_told_has_no_time_and_cost_nothing() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let refusal = json!({ "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let call = ProviderCall::of("anthropic", "chat", &json!({})).model("claude-sonnet-4-5");
    tracker.observe_reply(call, 529, &refusal);
    let record = only_record(&tracker, &server).await;
    assert_eq!((&record["cost"], &record["responseTime"]), (&json!(0), &Value::Null));
    assert_eq!((&record["errorCode"], &record["errorMessage"]), (&json!("529"), &json!("Overloaded")));
}

#[tokio::test]
async fn a_stream_is_recorded_when_it_ends() {
    let (server, fake) = (Server::start().await, Fake::start());
    let tracker = server.client().build().unwrap();
    let url = format!("{}/v1/chat/completions", fake.url());
    let seen = stream(&tracker, &url, "byte-at-a-time", usize::MAX).await;
    assert!(seen.ends_with("data: [DONE]\n\n"));
    let record = only_record(&tracker, &server).await;
    let input = fake_upstream::INPUT_TOKENS_BASE + 4;
    assert_eq!((&record["promptTokens"], &record["tags"]), (&json!(input), &json!(["streamed"])));
    assert_eq!((&record["status"], &record["costSource"]), (&json!("success"), &json!("catalog")));
    assert!(record["timeToFirstToken"].is_number());
}

#[tokio::test]
async fn a_stream_that_is_dropped_was_left_and_is_estimated() {
    let (server, fake) = (Server::start().await, Fake::start());
    let tracker = server.client().build().unwrap();
    let url = format!("{}/v1/chat/completions", fake.url());
    // Two events come, then nothing: the caller leaves after the first piece.
    stream(&tracker, &url, "stall-after=2", 1).await;
    let record = only_record(&tracker, &server).await;
    assert_eq!(
        (&record["metadata"]["clientLeft"], &record["costSource"]),
        (&json!(true), &json!("estimated"))
    );
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_is_an_error() {
    let (server, fake) = (Server::start().await, Fake::start());
    let tracker = server.client().build().unwrap();
    let url = format!("{}/v1/chat/completions", fake.url());
    stream(&tracker, &url, "cut-after=2", usize::MAX).await;
    let record = only_record(&tracker, &server).await;
    assert_eq!((&record["status"], &record["errorCode"]), (&json!("error"), &json!("cut")));
}

#[tokio::test]
async fn a_refused_call_cost_nothing() {
    let (server, fake) = (Server::start().await, Fake::start());
    let tracker = server.client().build().unwrap();
    let url = format!("{}/v1/messages", fake.url());
    let request = json!({ "model": "claude-sonnet-4-5" });
    let mut meter = tracker.observe(ProviderCall::to(&url, &request).service("anthropic"));
    let response = post(&url, &request, "").await;
    meter.answers(response.status().as_u16(), &kind_of(&response));
    assert!(response.status().is_client_error());
    meter.feed(&response.bytes().await.unwrap());
    meter.ends();
    let record = only_record(&tracker, &server).await;
    assert_eq!((&record["status"], &record["cost"]), (&json!("error"), &json!(0)));
}

#[tokio::test]
async fn what_is_not_to_be_recorded_is_not() {
    let server = Server::start().await;
    let silent = server.client().track_usage(false).build().unwrap();
    silent.observe(ProviderCall::of("openai", "chat", &json!({}))).ends();
    silent.track(ai_cost_tracker_client::UsageRecord::new("m"));
    let tracker = server.client().build().unwrap();
    // The gateway records its calls itself.
    let gateway = format!("{}/gateway/openai/v1/chat/completions", server.url());
    tracker.observe(ProviderCall::to(&gateway, &question("gpt-4o-mini", false))).ends();
    tracker.observe_reply(
        ProviderCall::to(&gateway, &question("gpt-4o-mini", false)),
        200,
        &json!({ "id": "1" }),
    );
    // No call that is charged for.
    tracker.observe(ProviderCall::to("https://api.openai.com/v1/models", &json!({}))).ends();
    assert_eq!((silent.stats(), tracker.stats()), Default::default());
}

#[tokio::test]
async fn results_of_batches_are_recorded_once_at_half_the_price() {
    let server = Server::start().await;
    let tracker = server.client().build().unwrap();
    let read = |path: &str| -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/domain/tests/wire/fixtures/");
        serde_json::from_str(&std::fs::read_to_string(format!("{folder}{path}")).unwrap()).unwrap()
    };
    let results = || {
        let answered = ["openai/batch-chat.json", "anthropic/batch-succeeded.json"];
        let failed = ["openai/batch-error.json", "anthropic/batch-errored.json"];
        answered.into_iter().chain(failed).map(read)
    };
    let nightly = Attribution { tags: vec!["nightly".to_owned()], ..Attribution::default() };
    let first = tracker.track_batch(results(), None, nightly).await.unwrap();
    let second = tracker.track_batch(results(), None, Attribution::default()).await.unwrap();
    assert_eq!((first.successful, first.failed), (2, 0));
    assert_eq!((second.successful, second.duplicates), (0, 2));
    let records = server.records().await;
    let mut costs: Vec<String> = records.iter().map(|record| record["cost"].to_string()).collect();
    costs.sort();
    // (22 × 2 + 2 × 8) / 2 and (11 × 3 + 36 × 15) / 2 millionths of a dollar
    assert_eq!(costs, ["0.00003", "0.0002865"]);
    assert!(
        records.iter().all(
            |record| (&record["serviceTier"], &record["tags"][0]) == (&json!("batch"), &json!("nightly"))
        )
    );
}
