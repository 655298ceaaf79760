use pricing::{Unit, Usage};
use serde_json::{Value, json};

use super::*;
use crate::{UserId, usage_record::Status};

const USER: UserId = UserId::from_bytes([1; 12]);

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// Attributes as OTLP/JSON writes them.
pub(super) fn attributes(said: &Value) -> Vec<Value> {
    let attribute = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => json!({ "stringValue": text }),
            Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
            Value::Number(number) => json!({ "intValue": number.to_string() }),
            Value::Array(words) => {
                let words: Vec<_> = words.iter().map(|word| json!({ "stringValue": word })).collect();
                json!({ "arrayValue": { "values": words } })
            }
            other => json!({ "boolValue": other }),
        };
        json!({ "key": key, "value": value })
    };
    said.as_object().unwrap().iter().map(attribute).collect()
}

/// A span number `id` of one trace inside of `parent`.
#[expect(clippy::needless_pass_by_value, reason = "attributes are written where a span is made")]
fn span(id: u8, parent: u8, said: Value) -> Value {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    json!({
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": format!("{id:016x}"), "parentSpanId": parent,
        "name": "call", "startTimeUnixNano": "1772366399000000000", "endTimeUnixNano": "1772366400500000000",
        "attributes": attributes(&said),
    })
}

fn told_by(scope: &str, spans: &[Value]) -> Told {
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "checkout" } }] },
        "scopeSpans": [{ "scope": { "name": scope }, "spans": spans }],
    }] });
    read_traces(Encoding::Json, body.to_string().as_bytes(), now()).unwrap()
}

fn call(scope: &str, attributes: Value) -> NewUsage {
    told_by(scope, &[span(1, 0, attributes)]).calls.pop().expect("the span is a call").new
}

fn usage(counts: &[(Unit, u64)]) -> Usage {
    counts.iter().copied().collect()
}

#[test]
fn a_call_is_read_with_everything_that_its_span_says() {
    let new = call(
        "test",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-pro",
            "gen_ai.response.model": "gemini-2.5-pro-002", "gen_ai.response.id": "r-1",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200,
            "gen_ai.usage.cache_read.input_tokens": 600, "gen_ai.usage.reasoning.output_tokens": 50,
            "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.conversation.id": "session",
            "user.id": "Ada@example.com", "tag.tags": ["a", "b"],
            "gen_ai.input.messages": "secret",
        }),
    );
    assert_eq!(new.provider.as_deref(), Some("google"));
    assert_eq!(
        (new.model.as_str(), new.response_model.as_deref()),
        ("gemini-2.5-pro", Some("gemini-2.5-pro-002"))
    );
    assert_eq!(new.request_id.as_deref(), Some("reply:google:r-1"));
    assert_eq!(
        new.usage,
        usage(&[
            (Unit::InputTokens, 1000),
            (Unit::OutputTokens, 200),
            (Unit::CacheReadTokens, 600),
            (Unit::ReasoningTokens, 50)
        ])
    );
    assert_eq!((new.response_time_ms, new.time_to_first_token_ms), (Some(1500), Some(250)));
    assert_eq!(new.occurred_at, Some("2026-03-01T11:59:59Z".parse().unwrap()));
    assert_eq!(
        (new.session_id.as_deref(), new.user_email.as_deref()),
        (Some("session"), Some("ada@example.com"))
    );
    assert_eq!(new.tags.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(new.trace_id.as_deref(), Some("5b8efff798038103d269b633813fc60c"));
    let metadata: Value = serde_json::from_str(&new.metadata.unwrap()).unwrap();
    assert_eq!(metadata["service"], "checkout");
    assert_eq!(metadata["attributes"]["gen_ai.usage.input_tokens"], 1000);
    assert!(!metadata.to_string().contains("secret"), "texts of prompts are not kept");
}

#[test]
fn agents_tools_steps_and_what_contains_calls_are_no_calls() {
    for attributes in [
        json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5 }),
        json!({ "gen_ai.operation.name": "execute_tool" }),
        json!({ "ai.operationId": "ai.generateText", "ai.usage.inputTokens": 5 }),
        json!({ "openinference.span.kind": "CHAIN", "llm.token_count.prompt": 5 }),
        json!({ "http.request.method": "GET" }),
        json!({}),
    ] {
        assert_eq!(told_by("test", &[span(1, 0, attributes.clone())]).calls, [], "{attributes}");
    }
}

#[test]
fn an_input_that_leaves_the_cache_out_is_told_by_what_does_not_fit_into_it() {
    let counts = |scope, provider, input: u64| {
        let new = call(
            scope,
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.usage.input_tokens": input,
                "gen_ai.usage.output_tokens": 1, "gen_ai.usage.cache_read.input_tokens": 600,
                "gen_ai.usage.cache_creation.input_tokens": 300,
            }),
        );
        new.usage.get(Unit::InputTokens)
    };
    assert_eq!(counts("test", "anthropic", 1000), Some(1000));
    assert_eq!(counts("test", "anthropic", 100), Some(1000));
    assert_eq!(counts("ai", "anthropic", 1000), Some(1900), "the AI SDK passes on what Anthropic says");
    assert_eq!(counts("ai", "openai", 1000), Some(1000));
}

#[test]
fn a_total_that_its_parts_exceed_by_more_than_a_hundredth_stays_so_that_the_record_is_flagged() {
    let total = |total: u64| {
        let new = call(
            "test",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 10,
                "gen_ai.usage.total_tokens": total,
            }),
        );
        (new.usage.get(Unit::TotalTokens), new.usage.inconsistencies().len())
    };
    assert_eq!((total(1010), total(1000), total(999)), ((None, 0), (None, 0), (Some(999), 1)));
}

#[test]
fn usage_that_nobody_told_is_unknown_and_what_a_provider_refused_is_free() {
    let silent = call("test", json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" }));
    assert_eq!((silent.usage, silent.provider_cost), (Usage::new(), None));
    let refused =
        json!({ "gen_ai.operation.name": "chat", "http.response.status_code": 429, "error.type": "429" });
    let mut refused = span(1, 0, refused);
    refused["status"] = json!({ "code": 2, "message": "slow down" });
    let refused = told_by("test", &[refused]).calls.pop().unwrap().new;
    assert_eq!((refused.status, refused.provider_cost), (Status::Error, Some(pricing::Money::ZERO)));
    assert_eq!(
        (refused.error.code.as_deref(), refused.error.message.as_deref()),
        (Some("429"), Some("slow down"))
    );
}

#[test]
fn what_cannot_be_recorded_is_rejected_with_a_reason_and_alone() {
    let chat = || json!({ "gen_ai.operation.name": "chat" });
    let with = |field: &str, value: Value| {
        let mut span = span(1, 0, chat());
        span[field] = value;
        span
    };
    let told = told_by(
        "test",
        &[
            with("traceId", json!("00000000000000000000000000000000")),
            with("spanId", json!("abcd")),
            with("startTimeUnixNano", json!("1900000000000000000")),
            with("startTimeUnixNano", json!(1)),
            span(9, 0, chat()),
        ],
    );
    assert_eq!((told.calls.len(), told.rejected.count, told.rejected.reasons.len()), (1, 4, 3));
}

#[test]
fn claude_codes_span_of_a_call_counts_in_its_own_words_and_has_the_key_of_its_event() {
    let mut request = span(
        1,
        0,
        json!({
            "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-opus-4-5", "request_id": "req_011",
            "gen_ai.response.id": "req_011", "input_tokens": 2, "output_tokens": 1200, "cache_read_tokens": 84562,
            "cache_creation_tokens": 7096, "ttft_ms": 800, "session.id": "s-1",
        }),
    );
    request["name"] = json!("claude_code.llm_request");
    let new = told_by("com.anthropic.claude_code.tracing", &[request]).calls.pop().unwrap().new;
    assert_eq!(new.usage.get(Unit::InputTokens), Some(2 + 84562 + 7096));
    assert_eq!((new.usage.get(Unit::CacheWriteTokens), new.time_to_first_token_ms), (Some(7096), Some(800)));
    assert_eq!(new.request_id.as_deref(), Some("request:anthropic:req_011"));
}

#[test]
fn codex_spans_that_count_and_name_no_model_are_no_calls() {
    let said = json!({ "gen_ai.usage.input_tokens": 5, "codex.usage.total_tokens": 6 });
    assert_eq!(told_by("codex", &[span(1, 0, said)]).calls, []);
}

#[test]
fn metrics_of_tokens_and_costs_are_rejected_and_others_taken() {
    let points = |count: usize| json!({ "dataPoints": vec![json!({ "asInt": "1" }); count] });
    let metrics = json!([
        { "name": "claude_code.token.usage", "sum": points(4) }, { "name": "claude_code.cost.usage", "sum": points(1) },
        { "name": "gen_ai.client.token.usage", "histogram": points(2) }, { "name": "process.cpu.time", "gauge": points(9) },
    ]);
    let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": metrics }] }] });
    let rejected = read_metrics(Encoding::Json, body.to_string().as_bytes()).unwrap();
    assert_eq!((rejected.count, rejected.reasons.len()), (7, 1));
}

#[test]
fn what_is_no_request_is_malformed() {
    for body in ["{", "[1]", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#] {
        assert!(
            matches!(read_traces(Encoding::Json, body.as_bytes(), now()), Err(Malformed::Json(_))),
            "{body}"
        );
    }
    assert!(matches!(read_traces(Encoding::Protobuf, b"\x0a\x05\x12", now()), Err(Malformed::CutOff)));
    assert!(read_traces(Encoding::Protobuf, b"{}", now()).is_err());
    assert_eq!(read_traces(Encoding::Protobuf, b"", now()).unwrap(), Told::default());
}

fn chat(id: Option<&str>) -> Value {
    let mut attributes = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai" });
    if let Some(id) = id {
        attributes["gen_ai.response.id"] = id.into();
    }
    attributes
}

fn keys(nesting: &Nesting, spans: &[Value]) -> Vec<String> {
    let calls = nesting.settle(USER, &mut told_by("test", spans));
    calls
        .into_iter()
        .map(|call| call.new.request_id.unwrap().rsplit(':').next().unwrap().to_owned())
        .collect()
}

#[test]
fn of_calls_inside_of_each_other_the_innermost_was_made() {
    let agent = || json!({ "gen_ai.operation.name": "invoke_agent" });
    let inner = "0000000000000003";
    // With a span between them, which is no call.
    assert_eq!(
        keys(&Nesting::default(), &[span(3, 2, chat(None)), span(2, 1, agent()), span(1, 0, chat(None))]),
        [inner]
    );
    // In requests of their own, one after the other, and once more.
    let nesting = Nesting::default();
    assert_eq!(keys(&nesting, &[span(3, 2, chat(None))]), [inner]);
    assert_eq!(keys(&nesting, &[span(2, 1, agent())]), [""; 0]);
    assert_eq!(keys(&nesting, &[span(1, 0, chat(None))]), [""; 0]);
    assert_eq!(keys(&nesting, &[span(3, 2, chat(None))]), [inner]);
    // Other work is another call.
    let embed = json!({ "gen_ai.operation.name": "embeddings" });
    assert_eq!(keys(&Nesting::default(), &[span(3, 1, chat(None)), span(1, 0, embed)]).len(), 2);
}

#[test]
fn what_is_known_of_a_reply_around_a_call_is_known_of_the_call() {
    let nesting = Nesting::default();
    // Both tell of the same reply: the store keeps the one that tells more.
    assert_eq!(keys(&nesting, &[span(2, 1, chat(None)), span(1, 0, chat(Some("r")))]), ["r", "r"]);
    // Around two calls, it is that of neither.
    let two = [span(4, 3, chat(None)), span(5, 3, chat(None)), span(3, 0, chat(Some("r")))];
    assert_eq!(keys(&nesting, &two), ["0000000000000004", "0000000000000005"]);
}
