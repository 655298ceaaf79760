//! Batches of messages (<https://docs.anthropic.com/en/api/creating-message-batches>). Nothing is kept: a batch is in progress
//! when it is made, and has ended when it is asked for.

use serde_json::{Value, json};

use crate::{Usage, answer::Answer, call::Call, failure::Failure};

const MODEL: &str = "claude-haiku-4-5-20251001";

pub(super) fn answer(call: &Call, method: &str, path: &str) -> Result<Answer, Failure> {
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    match (method, segments.as_slice()) {
        ("POST", []) => create(call),
        ("GET", []) => {
            Ok(Answer::json(&json!({ "data": [], "has_more": false, "first_id": null, "last_id": null })))
        }
        ("GET", [id]) => Ok(Answer::json(&batch(call, id, true))),
        ("GET", [id, "results"]) => Ok(results(id)),
        ("POST", [id, "cancel"]) => Ok(Answer::json(&batch(call, id, false))),
        ("DELETE", [id]) => Ok(Answer::json(&json!({ "id": id, "type": "message_batch_deleted" }))),
        _ => Err(Failure::NotFound),
    }
}

fn create(call: &Call) -> Result<Answer, Failure> {
    call.json.get("requests").ok_or(Failure::Missing("requests"))?;
    Ok(Answer::json(&batch(call, &call.id("msgbatch_01"), false)))
}

fn batch(call: &Call, id: &str, has_ended: bool) -> Value {
    // The address is the provider's own, whole.
    let host = call.header("host").unwrap_or_default();
    let results = has_ended.then(|| format!("http://{host}/v1/messages/batches/{id}/results"));
    json!({
        "id": id,
        "type": "message_batch",
        "processing_status": if has_ended { "ended" } else { "in_progress" },
        "request_counts": {
            "processing": u8::from(!has_ended), "succeeded": u8::from(has_ended), "errored": u8::from(has_ended),
            "canceled": 0, "expired": 0,
        },
        "ended_at": has_ended.then_some("2024-02-10T12:02:00Z"),
        "created_at": "2024-02-10T12:00:00Z",
        "expires_at": "2024-02-11T12:00:00Z",
        "archived_at": null,
        "cancel_initiated_at": null,
        "results_url": results,
    })
}

/// One message, and one that failed.
fn results(id: &str) -> Answer {
    let message_id = format!("msg_{id}");
    let message = json!({
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{ "type": "text", "text": "Hello." }],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": { "input_tokens": 100, "output_tokens": 20 },
    });
    let error = json!({ "type": "invalid_request_error", "message": "max_tokens: Field required" });
    let lines = [
        json!({ "custom_id": "one", "result": { "type": "succeeded", "message": message } }),
        json!({ "custom_id": "two", "result": { "type": "errored", "error": { "type": "error", "error": error } } }),
    ];
    let file = lines.map(|line| line.to_string()).join("\n") + "\n";
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    Answer::bytes("application/x-jsonl", file).billed(&message_id, MODEL, usage)
}
