//! Anthropic's messages.

mod batches;

use serde_json::{Value, json};

use crate::{
    answer::{Answer, event},
    call::Call,
    failure::Failure,
    plan::{CACHED_TOKENS, Plan},
};

/// Models that the list has, as they answer.
const MODELS: [(&str, &str); 3] = [
    ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
    ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
    ("claude-opus-4-1-20250805", "Claude Opus 4.1"),
];

pub(crate) fn answer(call: &Call) -> Result<Answer, Failure> {
    let path = call.path.split("/v1/").nth(1).unwrap_or_default();
    let answer = match (call.method.as_str(), path) {
        ("POST", "messages") => messages(call)?,
        ("POST", "messages/count_tokens") => Answer::json(&json!({ "input_tokens": plan(call).input })),
        (method, path) if path.starts_with("messages/batches") => batches::answer(call, method, path)?,
        ("GET", "models") => models(),
        ("GET", path) if path.starts_with("models/") => MODELS
            .iter()
            .find(|(id, _)| path.ends_with(id))
            .map(model)
            .ok_or(Failure::NotFound)
            .map(|m| Answer::json(&m))?,
        _ => return Err(Failure::NotFound),
    };
    Ok(answer
        .header("request-id", &call.id("req_"))
        .header("anthropic-organization-id", "00000000-0000-4000-a000-000000000000")
        .header("anthropic-ratelimit-requests-remaining", "3999"))
}

fn model((id, name): &(&str, &str)) -> Value {
    json!({ "type": "model", "id": id, "display_name": name, "created_at": "2025-09-29T00:00:00Z" })
}

fn models() -> Answer {
    let data: Vec<Value> = MODELS.iter().map(model).collect();
    let (first, last) = (MODELS[0].0, MODELS[MODELS.len() - 1].0);
    Answer::json(&json!({ "data": data, "has_more": false, "first_id": first, "last_id": last }))
}

/// Anthropic answers an alias with the name that it stands for.
fn dated(model: &str) -> &str {
    let starts =
        |(id, _): &&(&str, &str)| id.starts_with(model) && id.len() == model.len() + "-20250929".len();
    MODELS.iter().find(starts).map_or(model, |(id, _)| id)
}

/// A reply to a message, in the API that the call came by: Anthropic's own or Vertex's.
pub(crate) fn messages(call: &Call) -> Result<Answer, Failure> {
    let asked = call.text("model").or_else(|| model_in_path(&call.path)).ok_or(Failure::Missing("model"))?;
    if call.json.get("messages").is_none() {
        return Err(Failure::Missing("messages"));
    }
    let (model, id, plan) = (dated(asked), call.id("msg_01"), plan(call));
    let is_stream = call.is_true("stream") || call.path.ends_with(":streamRawPredict");
    let answer = if is_stream {
        Answer::events(
            "text/event-stream; charset=utf-8",
            events(call, &plan, &id, model).iter().map(event).collect(),
        )
    } else {
        Answer::json(&message(call, &plan, &id, model))
    };
    Ok(answer.billed(&id, model, plan.usage_outside()))
}

/// Vertex: `…/models/claude-sonnet-4-5@20250929:rawPredict`.
fn model_in_path(path: &str) -> Option<&str> {
    path.rsplit_once("/models/")?.1.split(':').next()
}

/// Marks of `cache_control` write [`CACHED_TOKENS`] each, or read them if the request says so.
pub(crate) fn plan(call: &Call) -> Plan {
    let mut plan = call.plan(&["system", "messages", "tools"], call.count(&["max_tokens"]));
    let (mut marks, mut long_marks) = (0, 0);
    count_marks(&call.json, &mut marks, &mut long_marks);
    let wished = call.behaviour.wished;
    if marks > 0 && wished.cached.is_none() && wished.written.is_none() && wished.written_1h.is_none() {
        let tokens = marks * CACHED_TOKENS;
        if call.behaviour.cache_read {
            plan.cached = tokens;
        } else {
            (plan.written, plan.written_1h) = (tokens, long_marks * CACHED_TOKENS);
        }
    }
    plan
}

fn count_marks(value: &Value, marks: &mut u64, long_marks: &mut u64) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| count_marks(value, marks, long_marks)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "cache_control" && value.is_object() {
                    *marks += 1;
                    *long_marks += u64::from(value["ttl"] == "1h");
                } else {
                    count_marks(value, marks, long_marks);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn usage(plan: &Plan, output: u64) -> Value {
    json!({
        "input_tokens": plan.input,
        "cache_creation_input_tokens": plan.written,
        "cache_read_input_tokens": plan.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": plan.written - plan.written_1h,
            "ephemeral_1h_input_tokens": plan.written_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "not_available",
    })
}

/// The tool that the answer calls, unless it was just answered.
fn tool(call: &Call) -> Option<&str> {
    let choice = call.json.pointer("/tool_choice/type").and_then(Value::as_str).unwrap_or("auto");
    let was_answered =
        call.json.pointer("/messages").is_some_and(|messages| messages.to_string().contains("tool_result"));
    if !call.has_tools() || choice == "none" || (was_answered && choice == "auto") {
        return None;
    }
    let named = call.json.pointer("/tool_choice/name").and_then(Value::as_str);
    named.or_else(|| call.json.pointer("/tools/0/name").and_then(Value::as_str))
}

fn stop_reason(call: &Call, plan: &Plan) -> &'static str {
    match (tool(call), plan.is_complete) {
        (Some(_), _) => "tool_use",
        (None, true) => "end_turn",
        (None, false) => "max_tokens",
    }
}

/// The whole message.
pub(crate) fn message(call: &Call, plan: &Plan, id: &str, model: &str) -> Value {
    let mut content = json!({ "type": "text", "text": plan.text() });
    if let Some(name) = tool(call) {
        content = json!({ "type": "tool_use", "id": call.id("toolu_"), "name": name, "input": { "city": "Paris" } });
    }
    let mut message = json!({
        "model": model,
        "id": id,
        "type": "message",
        "role": "assistant",
        "content": [content],
        "stop_reason": stop_reason(call, plan),
        "stop_sequence": null,
    });
    if plan.says_usage {
        message["usage"] = usage(plan, plan.output);
    }
    message
}

/// The events of its stream.
pub(crate) fn events(call: &Call, plan: &Plan, id: &str, model: &str) -> Vec<Value> {
    let mut start = json!({
        "model": model,
        "id": id,
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    });
    if plan.says_usage {
        start["usage"] = usage(plan, 1);
    }
    let (block, deltas) = block(call, plan);
    let mut events = vec![
        json!({ "type": "message_start", "message": start }),
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "ping" }),
    ];
    events.extend(
        deltas.iter().map(|delta| json!({ "type": "content_block_delta", "index": 0, "delta": delta })),
    );
    events.push(json!({ "type": "content_block_stop", "index": 0 }));
    let mut end = json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(call, plan), "stop_sequence": null },
    });
    if plan.says_usage {
        end["usage"] = json!({
            "input_tokens": plan.input,
            "cache_creation_input_tokens": plan.written,
            "cache_read_input_tokens": plan.cached,
            "output_tokens": plan.output,
        });
    }
    events.push(end);
    events.push(json!({ "type": "message_stop" }));
    events
}

fn block(call: &Call, plan: &Plan) -> (Value, Vec<Value>) {
    if let Some(name) = tool(call) {
        let pieces = ["", "{\"city\": ", "\"Paris\"}"];
        let deltas = pieces.map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }));
        (json!({ "type": "tool_use", "id": call.id("toolu_"), "name": name, "input": {} }), deltas.to_vec())
    } else {
        let deltas = plan.pieces.iter().map(|piece| json!({ "type": "text_delta", "text": piece }));
        (json!({ "type": "text", "text": "" }), deltas.collect())
    }
}
