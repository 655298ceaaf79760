//! Files and batches. Nothing is kept: what an id names is a function of the id.

use serde_json::{Value, json};

use super::multipart;
use crate::{
    Usage,
    answer::Answer,
    call::{CREATED, Call},
    failure::Failure,
};

pub(super) fn answer(call: &Call, method: &str, path: &str) -> Result<Answer, Failure> {
    let segments: Vec<&str> = path.split('/').collect();
    match (method, segments.as_slice()) {
        ("POST", ["files"]) => upload(call),
        ("GET", ["files"]) => Ok(Answer::json(&json!({ "object": "list", "data": [], "has_more": false }))),
        ("GET", ["files", id]) => Ok(Answer::json(&file(id, "batch.jsonl", "batch", 100))),
        ("DELETE", ["files", id]) => {
            Ok(Answer::json(&json!({ "id": id, "object": "file", "deleted": true })))
        }
        ("GET", ["files", id, "content"]) => Ok(results(id)),
        ("POST", ["batches"]) => create_batch(call),
        ("GET", ["batches", id]) => Ok(Answer::json(&batch(id, "completed", &json!("file-in")))),
        ("POST", ["batches", id, "cancel"]) => Ok(Answer::json(&batch(id, "cancelling", &json!("file-in")))),
        _ => Err(Failure::NotFound),
    }
}

fn upload(call: &Call) -> Result<Answer, Failure> {
    let parts = multipart::parts(call);
    let uploaded = parts.iter().find(|(name, ..)| name == "file").ok_or(Failure::Missing("file"))?;
    let purpose = multipart::text(call, "purpose").ok_or(Failure::Missing("purpose"))?;
    let name = uploaded.1.as_deref().unwrap_or("file");
    Ok(Answer::json(&file(&call.id_of("file-", &uploaded.2), name, &purpose, uploaded.2.len())))
}

fn file(id: &str, name: &str, purpose: &str, bytes: usize) -> Value {
    json!({
        "id": id,
        "object": "file",
        "bytes": bytes,
        "created_at": CREATED,
        "expires_at": null,
        "filename": name,
        "purpose": purpose,
        "status": "processed",
        "status_details": null,
    })
}

fn create_batch(call: &Call) -> Result<Answer, Failure> {
    let input = call.json.get("input_file_id").ok_or(Failure::Missing("input_file_id"))?;
    Ok(Answer::json(&batch(&call.id("batch_"), "validating", input)))
}

fn batch(id: &str, status: &str, input: &Value) -> Value {
    let is_done = status == "completed";
    json!({
        "id": id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": null,
        "input_file_id": input,
        "completion_window": "24h",
        "status": status,
        "output_file_id": is_done.then(|| format!("file-out-{id}")),
        "error_file_id": null,
        "created_at": CREATED,
        "in_progress_at": is_done.then_some(CREATED + 60),
        "expires_at": CREATED + 86400,
        "completed_at": is_done.then_some(CREATED + 120),
        "request_counts": { "total": 1, "completed": u8::from(is_done), "failed": 0 },
        "metadata": null,
    })
}

/// One line of a batch's results.
fn results(id: &str) -> Answer {
    let (reply_id, model) = (format!("chatcmpl-{id}"), "gpt-4o-mini-2024-07-18");
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120 });
    let message = json!({ "role": "assistant", "content": "Hello." });
    let body = json!({
        "id": reply_id,
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" }],
        "usage": usage,
    });
    let response = json!({ "status_code": 200, "request_id": "req_1", "body": body });
    let line = json!({ "id": "batch_req_1", "custom_id": "request-1", "response": response, "error": null });
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    Answer::bytes("application/octet-stream", format!("{line}\n")).billed(&reply_id, model, usage)
}
