//! `/v1/traces`, `/v1/logs`, `/v1/metrics`: what instrumentations really export, see `fixtures/otlp/README.md`, and what becomes of it.

use std::{fs, io::Write as _, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Server};

/// What the upstream of the fixtures counted for a call of `OpenAI`'s: input, output, cache read.
const OPENAI: [u64; 3] = [1000, 200, 600];
/// What that costs with gpt-4o-mini: 400 × 0.15 + 600 × 0.075 + 200 × 0.6 per million.
const OPENAI_COST: &str = "0.000225";
/// The same where the cache is not told: 1000 × 0.15 + 200 × 0.6.
const OPENAI_COST_WITHOUT_CACHE: &str = "0.00027";
/// 100 × 3 + 200 × 3.75 + 100 × 6 + 600 × 0.3 + 200 × 15 per million.
const ANTHROPIC_COST: &str = "0.00483";

struct Stage {
    server: Server,
    owner: Person,
    key: Person,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::start().await;
        // The fixtures were captured then.
        server.clock.set("2026-11-24T23:00:00Z".parse().unwrap());
        let owner = server.owner().await;
        let key = server.key(&owner, json!({ "name": "collector", "scopes": ["ingest"] })).await;
        Self { server, owner, key }
    }

    async fn export(&self, fixture: &str) -> Answer {
        let content_type =
            if fixture.contains(".json") { "application/json" } else { "application/x-protobuf" };
        self.server
            .post("/v1/traces")
            .by(&self.key)
            .header("content-type", content_type)
            .bytes(read(fixture))
            .await
    }

    /// Every record, the earliest first.
    async fn records(&self) -> Vec<Value> {
        let list = self.server.get("/api/usage?order=asc&limit=100").by(&self.owner).send().await.expect(200);
        list.as_array().unwrap().clone()
    }

    /// Exports a fixture into a server of its own; the records that it makes.
    async fn records_of(fixture: &str) -> Vec<Value> {
        let stage = Self::set().await;
        let answer = stage.export(fixture).await;
        assert_eq!(answer.status, 200, "{fixture}: {}", answer.text());
        let nothing_rejected = if fixture.contains(".json") { "{}" } else { "" };
        assert_eq!(answer.text(), nothing_rejected, "{fixture}");
        stage.records().await
    }
}

fn read(fixture: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp");
    fs::read(folder.join(fixture)).unwrap_or_else(|error| panic!("{fixture}: {error}"))
}

fn counts(record: &Value) -> [u64; 3] {
    ["input_tokens", "output_tokens", "cache_read_tokens"]
        .map(|name| record["usage"][name].as_u64().unwrap_or(0))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_emitters_tell_of_openais_calls_is_what_the_upstream_counted() {
    for fixture in [
        "genai-openai.pb",
        "traceloop-openai.pb",
        "openinference-openai.pb",
        "stacked-openai.pb",
        "ai7-openai.json",
        "traceloop-langchain.pb",
        "openinference-langchain.pb",
    ] {
        let records = Stage::records_of(fixture).await;
        assert_eq!(records.len(), 2, "{fixture}: one whole, one stream: {records:#?}");
        for record in records {
            assert_eq!(counts(&record), OPENAI, "{fixture}");
            assert_eq!(record["cost"].to_string(), OPENAI_COST, "{fixture}");
            assert_eq!(
                (&record["service"], &record["model"]),
                (&json!("openai"), &json!("gpt-4o-mini")),
                "{fixture}"
            );
            assert_eq!(record["costSource"], "catalog", "{fixture}");
        }
    }
}

#[tokio::test]
async fn what_emitters_tell_of_anthropics_calls_is_what_the_upstream_counted() {
    for fixture in
        ["anthropic-sdk.pb", "ai5-anthropic.json", "traceloop-anthropic.pb", "stacked-anthropic.pb"]
    {
        let records = Stage::records_of(fixture).await;
        assert_eq!(records.len(), 2, "{fixture}: one whole, one stream: {records:#?}");
        for record in records {
            assert_eq!(counts(&record), [1000, 200, 600], "{fixture}");
            assert_eq!(record["usage"]["cache_write_tokens"], 300, "{fixture}");
            assert_eq!(record["cost"].to_string(), ANTHROPIC_COST, "{fixture}");
        }
    }
}

#[tokio::test]
async fn what_an_emitter_leaves_out_is_not_made_up() {
    for (fixture, cost) in [
        ("openai-v2.pb", OPENAI_COST_WITHOUT_CACHE),
        ("litellm.pb", OPENAI_COST_WITHOUT_CACHE),
        ("otel-js-openai.json", OPENAI_COST_WITHOUT_CACHE),
    ] {
        let records = Stage::records_of(fixture).await;
        assert!(!records.is_empty(), "{fixture}");
        for record in records {
            assert_eq!(counts(&record), [1000, 200, 0], "{fixture}");
            assert_eq!(record["cost"].to_string(), cost, "{fixture}");
        }
    }
    let blind = Stage::records_of("traceloop-openai-blind.pb").await;
    assert_eq!(blind.len(), 1);
    assert_eq!((&blind[0]["cost"], &blind[0]["totalTokens"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&blind[0]["costSource"], &blind[0]["unpricedReason"]),
        (&json!("unpriced"), &json!("no_usage"))
    );
}

#[tokio::test]
async fn a_stream_of_which_an_emitter_tells_no_usage_is_there_without_a_cost() {
    for (fixture, whole, cost) in [
        ("openinference-js-openai.json", OPENAI, OPENAI_COST),
        ("traceloop-js-openai.json", [1000, 200, 0], OPENAI_COST_WITHOUT_CACHE),
    ] {
        let records = Stage::records_of(fixture).await;
        assert_eq!(records.len(), 2, "{fixture}");
        let (told, silent): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record["costSource"] == "catalog");
        assert_eq!((counts(told[0]), told[0]["cost"].to_string().as_str()), (whole, cost), "{fixture}");
        assert_eq!((&silent[0]["cost"], &silent[0]["unpricedReason"]), (&Value::Null, &json!("no_usage")));
    }
}

#[tokio::test]
async fn what_emitters_tell_of_googles_calls_and_of_agents_is_what_the_upstream_counted() {
    let google = Stage::records_of("google-genai.pb").await;
    assert_eq!(google.len(), 2, "one whole, one stream: {google:#?}");
    for record in google {
        assert_eq!((counts(&record), &record["service"]), (OPENAI, &json!("google")));
        // gemini-2.5-flash: 400 × 0.3 + 600 × 0.03 + 200 × 2.5 per million.
        assert_eq!(record["cost"].to_string(), "0.000638");
    }
    let agent = Stage::records_of("pydantic-ai.pb").await;
    assert_eq!(
        (agent.len(), counts(&agent[0]), agent[0]["cost"].to_string().as_str()),
        (1, OPENAI, OPENAI_COST)
    );
}

#[tokio::test]
async fn the_ai_sdks_calls_are_counted_once_each_without_the_spans_around_them() {
    let records = Stage::records_of("ai5-openai.json").await;
    let told: Vec<_> =
        records.iter().map(|record| (record["operation"].as_str().unwrap(), counts(record))).collect();
    assert_eq!(told, [("chat", [1000, 200, 0]), ("chat", OPENAI), ("embeddings", [2, 0, 0])]);
    assert_eq!(records[0]["sessionId"], "session-7");
    let embeddings = Stage::records_of("openinference-embedding.pb").await;
    assert_eq!((embeddings.len(), &embeddings[0]["operation"]), (1, &json!("embeddings")));
    assert_eq!(embeddings[0]["costSource"], "catalog");
}

#[tokio::test]
async fn a_record_keeps_what_its_figures_were_read_from_and_no_prompt() {
    let stage = Stage::set().await;
    stage.export("traceloop-openai.pb").await;
    let id = stage.records().await[0]["id"].as_str().unwrap().to_owned();
    let answer = stage.server.get(&format!("/api/usage/{id}")).by(&stage.owner).send().await;
    assert!(!answer.text().contains("What does a call cost?"), "{}", answer.text());
    let record = answer.expect(200);
    let metadata = &record["metadata"];
    assert_eq!(metadata["instrumentation"], "opentelemetry.instrumentation.openai.v1");
    assert_eq!((&metadata["service"], &metadata["environment"]), (&json!("checkout"), &json!("test")));
    assert_eq!(metadata["attributes"]["gen_ai.usage.input_tokens"], 1000);
    assert_eq!(record["costExplanation"]["items"].as_array().unwrap().len(), 3);
    assert_eq!(record["traceId"].as_str().unwrap().len(), 32);
    assert_eq!(record["usage"]["reasoning_tokens"], 50);
}

#[tokio::test]
async fn whoever_tells_of_a_call_and_however_often_it_is_one_record_of_who_tells_most() {
    let stage = Stage::set().await;
    let fixtures = [
        "openai-v2.pb",
        "traceloop-openai.pb",
        "genai-openai.pb",
        "stacked-openai.pb",
        "openai-v2.pb",
        "genai-openai.pb",
    ];
    for fixture in fixtures {
        assert_eq!(stage.export(fixture).await.status, 200);
    }
    let records = stage.records().await;
    assert_eq!(records.len(), 2, "one whole, one stream: {records:#?}");
    for record in &records {
        assert_eq!((counts(record), record["cost"].to_string().as_str()), (OPENAI, OPENAI_COST));
        assert_eq!(record["usage"]["reasoning_tokens"], 50);
    }
    let stats = stage.server.get("/api/usage/stats").by(&stage.owner).send().await.expect(200);
    assert!(stats.to_string().contains("0.00045"), "twice {OPENAI_COST}: {stats}");
    assert_eq!(store::UsageStore::verify(&stage.server.store).await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn who_made_a_call_knows_better_than_a_trace_of_it() {
    let stage = Stage::set().await;
    stage.export("genai-openai.pb").await;
    let whole = stage.records().await.remove(0);
    let id = whole["requestId"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let reply = json!({ "id": id, "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18", "choices": [],
        "usage": { "prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12 } });
    let call = json!({ "service": "openai", "model": "gpt-4o-mini", "response": reply, "tags": ["own"] });
    let tracked = stage.server.track(&stage.owner, call).await;
    assert_eq!(tracked["duplicate"], false);
    for fixture in ["genai-openai.pb", "stacked-openai.pb"] {
        stage.export(fixture).await;
    }
    let records = stage.records().await;
    assert_eq!(records.len(), 2);
    let own = records.iter().find(|record| record["id"] == tracked["id"]).unwrap();
    assert_eq!((counts(own), &own["tags"]), ([10, 2, 0], &json!(["own"])));
    assert_eq!(own["traceId"], whole["traceId"], "what the trace knew of it stays");
}

#[tokio::test]
async fn a_budget_follows_when_a_record_takes_the_place_of_another() {
    let stage = Stage::set().await;
    let budget = json!({ "name": "shop", "budget": { "amount": 1, "period": "monthly" } });
    let project = stage.server.project(&stage.owner, budget).await;
    let key = json!({ "name": "k", "scopes": ["ingest"], "projectId": project });
    let stage = Stage { key: stage.server.key(&stage.owner, key).await, ..stage };
    let status = format!("/api/budgets/{project}/status");
    for (fixture, spent) in [("openai-v2.pb", "0.00054"), ("genai-openai.pb", "0.00045")] {
        stage.export(fixture).await;
        let status = stage.server.get(&status).by(&stage.owner).send().await.expect(200);
        assert_eq!(status["spent"].to_string(), spent, "{status}");
    }
}

#[tokio::test]
async fn a_body_may_be_compressed_and_is_bounded_before_and_after() {
    let stage = Stage::set().await;
    let send = async |body: Vec<u8>, coding: &'static str| {
        let call = stage.server.post("/v1/traces").by(&stage.key).header("content-encoding", coding);
        call.header("content-type", "application/x-protobuf").bytes(body).await
    };
    assert_eq!(send(gzip(&read("genai-openai.pb")), "gzip").await.status, 200);
    assert_eq!(stage.records().await.len(), 2);
    assert_eq!(send(gzip(&vec![0; 40 * 1024 * 1024]), "gzip").await.status, 413);
    assert_eq!(send(vec![0; 40 * 1024 * 1024], "identity").await.status, 413);
    assert_eq!(send(read("genai-openai.pb"), "gzip").await.status, 400);
    assert_eq!(send(Vec::new(), "zstd").await.status, 415);
}

#[tokio::test]
async fn a_refusal_is_a_google_rpc_status_written_as_the_request_is() {
    let stage = Stage::set().await;
    let post = |body: &str| (body.to_owned(), "application/json");
    let refused = async |by: Option<&Person>, (body, content_type): (String, &'static str)| {
        let call = stage.server.post("/v1/traces").header("content-type", content_type);
        let answer = match by {
            Some(person) => call.by(person),
            None => call,
        };
        answer.bytes(body.into_bytes()).await
    };
    let answer = refused(Some(&stage.key), post("{")).await;
    assert_eq!((answer.status.as_u16(), &answer.value()["code"]), (400, &json!(3)));
    let answer = refused(None, post("{}")).await;
    assert_eq!((answer.status.as_u16(), &answer.value()["code"]), (401, &json!(16)));
    let reader = stage.server.key(&stage.owner, json!({ "name": "r", "scopes": ["read"] })).await;
    let answer = refused(Some(&reader), post("{}")).await;
    assert_eq!((answer.status.as_u16(), &answer.value()["code"]), (403, &json!(7)));
    let answer = refused(Some(&stage.key), ("x".to_owned(), "text/plain")).await;
    assert_eq!((answer.status.as_u16(), &answer.value()["code"]), (415, &json!(3)));
    let answer = refused(Some(&stage.key), ("{}".to_owned(), "application/x-protobuf")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header(axum::http::header::CONTENT_TYPE), "application/x-protobuf");
    assert!(answer.body.starts_with(&[0x08, 3, 0x12]), "code and message: {:?}", answer.body);
}

#[tokio::test]
async fn calls_that_cannot_be_recorded_are_rejected_and_the_others_are_kept() {
    let stage = Stage::set().await;
    let span = |id: &str, start: &str| {
        json!({ "traceId": "5b8efff798038103d269b633813fc60c", "spanId": id, "name": "chat",
            "startTimeUnixNano": start, "attributes": [
                { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
                { "key": "gen_ai.usage.input_tokens", "value": { "intValue": 5 } },
            ] })
    };
    let spans =
        [span("eee19b7ec3c1b174", "1795521882615000000"), span("eee19b7ec3c1b175", "1900000000000000000")];
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    let answer = stage.server.post("/v1/traces").by(&stage.key).json(&body).await;
    assert_eq!(answer.status, 200);
    let reason = "its time is more than a day in the future";
    assert_eq!(answer.value(), json!({ "partialSuccess": { "rejectedSpans": "1", "errorMessage": reason } }));
    assert_eq!(stage.records().await.len(), 1);

    let project = stage.server.project(&stage.owner, json!({ "name": "closed" })).await;
    let key = json!({ "name": "k", "scopes": ["ingest"], "projectId": project });
    let key = stage.server.key(&stage.owner, key).await;
    let path = format!("/api/projects/{project}");
    stage.server.call("PUT", &path).by(&stage.owner).json(&json!({ "isActive": false })).await.expect(200);
    let answer = stage.server.post("/v1/traces").by(&key).json(&body).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.value()["partialSuccess"]["rejectedSpans"]),
        (200, &json!("2"))
    );
}

fn event(id: &str, cache: u64) -> Value {
    let said = [
        ("event.name", json!({ "stringValue": "api_request" })),
        ("session.id", json!({ "stringValue": "s-1" })),
        ("request_id", json!({ "stringValue": id })),
        ("model", json!({ "stringValue": "claude-sonnet-4-5" })),
        ("cost_usd", json!({ "doubleValue": 9.5 })),
        ("input_tokens", json!({ "intValue": 100 })),
        ("output_tokens", json!({ "intValue": "200" })),
        ("cache_read_tokens", json!({ "intValue": cache })),
    ];
    let said: Vec<_> = said.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "timeUnixNano": "1795521882615000000", "body": { "stringValue": "claude_code.api_request" }, "attributes": said })
}

fn logs(records: &[Value]) -> Value {
    let scope = json!({ "name": "com.anthropic.claude_code.events" });
    json!({ "resourceLogs": [{ "scopeLogs": [{ "scope": scope, "logRecords": records }] }] })
}

#[tokio::test]
async fn an_agents_events_are_records_once_each_at_the_catalogs_price() {
    let stage = Stage::set().await;
    let body = logs(&[event("req_1", 600), event("req_2", 0)]);
    for _ in 0..2 {
        let answer = stage.server.post("/v1/logs").by(&stage.key).json(&body).await;
        assert_eq!(answer.value(), json!({}));
    }
    let records = stage.records().await;
    let told: Vec<_> = records.iter().map(|record| (counts(record), record["cost"].to_string())).collect();
    // 100 × 3 + 600 × 0.3 + 200 × 15 per million; and without the cache.
    let expected = [([700, 200, 600], "0.00348".to_owned()), ([100, 200, 0], "0.0033".to_owned())];
    assert!(told.len() == 2 && expected.iter().all(|call| told.contains(call)), "{told:?}");
    assert_eq!((&records[0]["costSource"], &records[0]["sessionId"]), (&json!("catalog"), &json!("s-1")));
    let id = records[0]["id"].as_str().unwrap();
    let record = stage.server.get(&format!("/api/usage/{id}")).by(&stage.owner).send().await.expect(200);
    assert_eq!(record["metadata"]["reportedCost"], json!(9.5), "its own estimate stands beside");
}

#[tokio::test]
async fn an_event_and_the_span_of_the_same_call_are_one_record() {
    let stage = Stage::set().await;
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let number = |key: &str, value: u64| json!({ "key": key, "value": { "intValue": value } });
    let span = json!({
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "claude_code.llm_request",
        "startTimeUnixNano": "1795521882615000000", "attributes": [
            text("gen_ai.system", "anthropic"), text("gen_ai.request.model", "claude-sonnet-4-5"),
            text("request_id", "req_1"), number("input_tokens", 100), number("output_tokens", 200),
            number("cache_read_tokens", 600),
        ] });
    let traces = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
    for (path, body) in [("/v1/traces", &traces), ("/v1/logs", &logs(&[event("req_1", 600)]))] {
        assert_eq!(stage.server.post(path).by(&stage.key).json(body).await.status, 200);
    }
    let records = stage.records().await;
    assert_eq!((records.len(), counts(&records[0])), (1, [700, 200, 600]));
}

#[tokio::test]
async fn metrics_are_taken_and_not_counted() {
    let stage = Stage::set().await;
    let export = async |name: &str| {
        let metric = json!({ "name": name, "sum": { "dataPoints": [{ "asInt": "5" }] } });
        let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [metric] }] }] });
        let answer = stage.server.post("/v1/metrics").by(&stage.key).json(&body).await;
        assert_eq!(answer.status, 200);
        answer.value()
    };
    assert_eq!(export("process.cpu.time").await, json!({}));
    let usage = export("claude_code.token.usage").await;
    assert_eq!(usage["partialSuccess"]["rejectedDataPoints"], "1");
    assert!(usage["partialSuccess"]["errorMessage"].as_str().unwrap().contains("logs and traces"));
    assert_eq!(stage.records().await.len(), 0);
}

#[tokio::test]
async fn a_limit_refuses_as_otlp_does_before_anybody_reads_the_request() {
    let server = Server::with(&[("limits.requests_per_minute_credential", "1")]).await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "k", "scopes": ["ingest"] })).await;
    let send = async |path: &str, content_type: &'static str| {
        server.post(path).by(&key).header("content-type", content_type).bytes(Vec::new()).await
    };
    assert_eq!(send("/v1/traces", "application/x-protobuf").await.status, 200);
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        let answer = send(path, "application/x-protobuf").await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header(axum::http::header::CONTENT_TYPE), "application/x-protobuf");
        assert!(answer.body.starts_with(&[0x08, 8, 0x12]), "code and message: {:?}", answer.body);
        assert_eq!(answer.header(axum::http::header::RETRY_AFTER), "60");
    }
    let answer = send("/v1/logs", "application/json").await;
    assert_eq!((answer.status.as_u16(), &answer.value()["code"]), (429, &json!(8)));
}
