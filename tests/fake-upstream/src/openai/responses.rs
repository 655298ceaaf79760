//! Responses.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Endpoint, SSE, called_tool};
use crate::{
    answer::{Answer, event},
    call::{CREATED, Call},
    failure::Failure,
    plan::Plan,
};

pub(super) fn answer(call: &Call, endpoint: &Endpoint<'_>) -> Result<Answer, Failure> {
    let model = endpoint.model(call)?;
    let input = call.json.get("input").ok_or(Failure::Missing("input"))?;
    let plan = call.plan(&["instructions", "input", "tools"], call.count(&["max_output_tokens"]));
    let is_last = |item: &Value| item["type"] == "function_call_output";
    let was_answered = input.as_array().and_then(|items| items.last()).is_some_and(is_last);
    let item = match called_tool(call, was_answered) {
        Some(name) => json!({
            "id": call.id("fc_"),
            "type": "function_call",
            "status": "completed",
            "arguments": "{\"city\":\"Paris\"}",
            "call_id": call.id("call_"),
            "name": name,
        }),
        None => json!({
            "id": call.id("msg_"),
            "type": "message",
            "status": if plan.is_complete { "completed" } else { "incomplete" },
            "role": "assistant",
            "content": [text_part(&plan.text())],
        }),
    };
    let id = call.id("resp_");
    let whole = whole(call, &plan, &model, &item);
    let answer = if call.is_true("stream") {
        Answer::events(SSE, events(&whole, &plan, &item))
    } else {
        Answer::json(&whole)
    };
    Ok(answer.billed(&id, &model, plan.usage_inside()))
}

fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text })
}

fn whole(call: &Call, plan: &Plan, model: &str, item: &Value) -> Value {
    let asked = |key: &str| call.json.get(key).cloned().unwrap_or_default();
    let incomplete = (!plan.is_complete).then(|| json!({ "reason": "max_output_tokens" }));
    let mut response = json!({
        "id": call.id("resp_"),
        "object": "response",
        "created_at": CREATED,
        "status": if plan.is_complete { "completed" } else { "incomplete" },
        "background": false,
        "error": null,
        "incomplete_details": incomplete,
        "instructions": asked("instructions"),
        "max_output_tokens": asked("max_output_tokens"),
        "model": model,
        "output": [item],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "service_tier": "default",
        "store": true,
        "temperature": 1.0,
        "text": { "format": { "type": "text" }, "verbosity": "medium" },
        "tool_choice": "auto",
        "tools": call.json.get("tools").cloned().unwrap_or_else(|| json!([])),
        "top_p": 1.0,
        "truncation": "disabled",
        "user": null,
        "metadata": {},
    });
    if plan.says_usage {
        response["usage"] = json!({
            "input_tokens": plan.input,
            "input_tokens_details": { "cached_tokens": plan.cached },
            "output_tokens": plan.output,
            "output_tokens_details": { "reasoning_tokens": plan.reasoning },
            "total_tokens": plan.input + plan.output,
        });
    }
    response
}

fn events(whole: &Value, plan: &Plan, item: &Value) -> Vec<Bytes> {
    let mut begun = whole.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    begun["incomplete_details"] = Value::Null;
    let mut events = vec![
        json!({ "type": "response.created", "response": begun }),
        json!({ "type": "response.in_progress", "response": begun }),
    ];
    events.extend(item_events(plan, item));
    let end = if plan.is_complete { "response.completed" } else { "response.incomplete" };
    events.push(json!({ "type": end, "response": whole }));
    let numbered = events.into_iter().enumerate().map(|(number, mut value)| {
        value["sequence_number"] = json!(number);
        event(&value)
    });
    numbered.collect()
}

fn item_events(plan: &Plan, item: &Value) -> Vec<Value> {
    let id = &item["id"];
    let mut added = item.clone();
    added["status"] = json!("in_progress");
    let is_message = item["type"] == "message";
    added[if is_message { "content" } else { "arguments" }] = if is_message { json!([]) } else { json!("") };
    let mut events = vec![json!({ "type": "response.output_item.added", "output_index": 0, "item": added })];
    let mut push = |kind: &str, what: &str, value: Value| {
        let mut event = json!({ "type": kind, "item_id": id, "output_index": 0 });
        event[what] = value;
        if is_message {
            event["content_index"] = json!(0);
        }
        if kind.starts_with("response.output_text") {
            event["logprobs"] = json!([]);
        }
        events.push(event);
    };
    if is_message {
        push("response.content_part.added", "part", text_part(""));
        for piece in &plan.pieces {
            push("response.output_text.delta", "delta", json!(piece));
        }
        push("response.output_text.done", "text", json!(plan.text()));
        push("response.content_part.done", "part", text_part(&plan.text()));
    } else {
        push("response.function_call_arguments.delta", "delta", item["arguments"].clone());
        push("response.function_call_arguments.done", "arguments", item["arguments"].clone());
    }
    events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": item }));
    events
}
