use pricing::{Unit, Usage};
use serde_json::{Value, json};

use super::{Encoding, read_logs, tests::attributes};
use crate::{ingest::NewUsage, usage_record::Status};

fn told_by(scope: &str, records: &[Value]) -> Vec<NewUsage> {
    let resource =
        attributes(&json!({ "service.name": "agent", "team.id": "platform", "department": "engineering" }));
    let body = json!({ "resourceLogs": [{
        "resource": { "attributes": resource }, "scopeLogs": [{ "scope": { "name": scope }, "logRecords": records }],
    }] });
    let told =
        read_logs(Encoding::Json, body.to_string().as_bytes(), "2026-03-01T12:00:00Z".parse().unwrap())
            .unwrap();
    assert_eq!(told.rejected.reasons.len(), 0, "{:?}", told.rejected);
    told.calls.into_iter().map(|call| call.new).collect()
}

fn record(body: &str, said: &Value) -> Value {
    json!({ "timeUnixNano": "1772366400000000000", "body": { "stringValue": body }, "attributes": attributes(said) })
}

fn only(scope: &str, body: &str, said: &Value) -> NewUsage {
    let mut calls = told_by(scope, &[record(body, said)]);
    assert_eq!(calls.len(), 1, "{said}");
    calls.remove(0)
}

fn usage(counts: &[(Unit, u64)]) -> Usage {
    counts.iter().copied().collect()
}

/// As documented, <https://code.claude.com/docs/en/monitoring-usage#api-request-event>.
fn claude_code() -> Value {
    json!({
        "event.name": "api_request", "event.timestamp": "2026-03-01T12:00:00.000Z", "event.sequence": 4,
        "session.id": "s-1", "user.id": "0f3a", "user.email": "Ada@example.com", "organization.id": "org-1",
        "model": "claude-sonnet-4-5-20250929", "cost_usd": 0.0047, "duration_ms": 1500, "request_id": "req_011",
        "input_tokens": 100, "output_tokens": 200, "cache_read_tokens": 600, "cache_creation_tokens": 300,
        "query_source": "repl_main_thread", "prompt": "secret",
    })
}

#[test]
fn claude_codes_input_leaves_the_cache_out_and_its_own_cost_is_kept_apart() {
    let new = only("com.anthropic.claude_code.events", "claude_code.api_request", &claude_code());
    assert_eq!(
        (new.provider.as_deref(), new.model.as_str()),
        (Some("anthropic"), "claude-sonnet-4-5-20250929")
    );
    let counted = [
        (Unit::InputTokens, 1000),
        (Unit::OutputTokens, 200),
        (Unit::CacheReadTokens, 600),
        (Unit::CacheWriteTokens, 300),
    ];
    assert_eq!(new.usage, usage(&counted));
    assert_eq!(new.request_id.as_deref(), Some("request:anthropic:req_011"));
    assert_eq!((new.reported_cost, new.session_id.as_deref()), (None, Some("s-1")));
    assert_eq!(new.occurred_at, Some("2026-03-01T11:59:58.500Z".parse().unwrap()));
    assert_eq!((new.response_time_ms, new.user_email.as_deref()), (Some(1500), Some("ada@example.com")));
    assert_eq!(
        (new.allocation.team.as_deref(), new.allocation.department.as_deref()),
        (Some("platform"), Some("engineering"))
    );
    let metadata: Value = serde_json::from_str(&new.metadata.unwrap()).unwrap();
    assert_eq!(metadata["reportedCost"], json!(0.0047));
    assert_eq!((&metadata["event"], &metadata["service"]), (&json!("api_request"), &json!("agent")));
    assert_eq!(metadata["attributes"]["organization.id"], "org-1");
    assert!(!metadata.to_string().contains("secret"));
}

#[test]
fn claude_codes_numbers_may_be_texts_and_its_fast_mode_is_a_tier() {
    let mut said = claude_code();
    said["input_tokens"] = json!("100");
    said["speed"] = json!("fast");
    said["model"] = json!("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    said.as_object_mut().unwrap().remove("request_id");
    let new = only("com.anthropic.claude_code.events", "claude_code.api_request", &said);
    assert_eq!(new.usage.get(Unit::InputTokens), Some(1000));
    assert_eq!((new.service_tier.as_deref(), new.provider), (Some("fast"), None));
    let key = "log:s-1:4:2026-03-01T12:00:00.000Z:us.anthropic.claude-sonnet-4-5-20250929-v1:0:100:200";
    assert_eq!(new.request_id.as_deref(), Some(key), "without an id: when, in which session, and what");
}

#[test]
fn a_failed_request_of_claude_codes_is_an_error_and_free_if_it_was_refused() {
    let said = json!({ "event.name": "api_error", "session.id": "s-1", "model": "claude-sonnet-4-5", "status_code": 529,
        "error": "overloaded", "attempt": 11 });
    let new = only("com.anthropic.claude_code.events", "claude_code.api_error", &said);
    assert_eq!((new.status, new.provider_cost), (Status::Error, Some(pricing::Money::ZERO)));
    assert_eq!((new.error.code.as_deref(), new.error.message.as_deref()), (Some("529"), Some("overloaded")));
}

#[test]
fn codex_input_includes_the_cache_and_its_tool_tokens_are_the_total() {
    let said = json!({
        "event.name": "codex.sse_event", "event.kind": "response.completed", "event.timestamp": "2026-03-01T12:00:00.000Z",
        "conversation.id": "c-1", "model": "gpt-5.1", "user.email": "ada@example.com",
        "input_token_count": "1000", "output_token_count": "200", "cached_token_count": 600, "reasoning_token_count": 50,
        "tool_token_count": "1200",
    });
    let new = only("codex_otel.log_only", "", &said);
    let counted = [
        (Unit::InputTokens, 1000),
        (Unit::OutputTokens, 200),
        (Unit::CacheReadTokens, 600),
        (Unit::ReasoningTokens, 50),
    ];
    let told: Usage = new.usage.iter().filter(|(unit, _)| *unit != Unit::TotalTokens).collect();
    assert_eq!((told, new.usage.inconsistencies().len()), (usage(&counted), 0));
    assert_eq!((new.provider.as_deref(), new.session_id.as_deref()), (Some("openai"), Some("c-1")));
    assert!(new.request_id.unwrap().starts_with("log:c-1:0:2026-03-01T12:00:00.000Z:gpt-5.1:"));
}

#[test]
fn gemini_thoughts_and_tool_results_are_counted_on_top() {
    let said = json!({
        "event.name": "gemini_cli.api_response", "event.timestamp": "2026-03-01T12:00:00.000Z", "session.id": "s-1",
        "model": "gemini-2.5-pro", "status_code": 200, "duration_ms": 2311, "prompt_id": "s-1########1",
        "input_token_count": 12000, "output_token_count": 350, "cached_content_token_count": 8000,
        "thoughts_token_count": 420, "tool_token_count": 30, "total_token_count": 12800,
    });
    let new = only("gemini-cli", "API response from gemini-2.5-pro.", &said);
    let count = |unit| new.usage.get(unit);
    assert_eq!((count(Unit::InputTokens), count(Unit::OutputTokens)), (Some(12030), Some(770)));
    assert_eq!((count(Unit::CacheReadTokens), count(Unit::ReasoningTokens)), (Some(8000), Some(420)));
    assert_eq!((new.provider.as_deref(), new.status), (Some("google"), Status::Success));
}

#[test]
fn thoughts_that_the_total_has_in_the_output_are_not_counted_again() {
    let said = json!({
        "event.name": "qwen-code.api_response", "session.id": "s-1", "model": "qwen3-coder-plus", "response_id": "chatcmpl-1",
        "input_token_count": 13472, "output_token_count": 101, "cached_content_token_count": 0,
        "thoughts_token_count": 24, "total_token_count": 13573,
    });
    let new = only("qwen-code", "API response from qwen3-coder-plus.", &said);
    let count = |unit| new.usage.get(unit);
    assert_eq!((count(Unit::InputTokens), count(Unit::OutputTokens)), (Some(13472), Some(101)));
    assert_eq!(new.request_id.as_deref(), Some("reply::chatcmpl-1"));
}

#[test]
fn zeros_of_an_agent_that_was_told_nothing_are_unknown() {
    let said = json!({ "event.name": "gemini_cli.api_response", "session.id": "s", "model": "gemini-2.5-pro",
        "input_token_count": 0, "output_token_count": 0, "total_token_count": 0 });
    assert_eq!(only("gemini-cli", "", &said).usage, Usage::new());
}

#[test]
fn an_event_of_the_conventions_is_the_call_that_its_span_is() {
    let said = json!({
        "event.name": "gen_ai.client.inference.operation.details", "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
    });
    let mut of_span = record("", &said);
    of_span["traceId"] = json!("5b8efff798038103d269b633813fc60c");
    of_span["spanId"] = json!("eee19b7ec3c1b174");
    let mut of_reply = said.clone();
    of_reply["gen_ai.response.id"] = json!("r-1");
    let calls = told_by("test", &[of_span, record("", &of_reply), record("", &said)]);
    let keys: Vec<_> = calls.iter().map(|call| call.request_id.as_deref().unwrap()).collect();
    assert_eq!(keys[..2], ["span:5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174", "reply:openai:r-1"]);
    assert!(keys[2].starts_with("log:"), "{}", keys[2]);
    // Gemini CLI sends it beside an event of its own.
    assert_eq!(told_by("gemini-cli", &[record("", &said)]), []);
}

#[test]
fn other_records_are_no_calls() {
    for (scope, body, said) in [
        (
            "com.anthropic.claude_code.events",
            "claude_code.user_prompt",
            json!({ "event.name": "user_prompt" }),
        ),
        ("app", "api_request", json!({ "event.name": "api_request" })),
        (
            "codex_otel.log_only",
            "",
            json!({ "event.name": "codex.sse_event", "event.kind": "response.created" }),
        ),
        (
            "codex_otel.log_only",
            "",
            json!({ "event.name": "codex.api_request", "http.response.status_code": 200 }),
        ),
        ("app", "something happened", json!({})),
        ("app", "", json!({ "event.name": "gen_ai.client.inference.operation.details" })),
    ] {
        assert_eq!(told_by(scope, &[record(body, &said)]), [], "{said}");
    }
}
