//! Chat completions.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Endpoint, SSE, called_tool};
use crate::{
    Usage,
    answer::{Answer, data},
    call::{CREATED, Call},
    failure::Failure,
    plan::Plan,
};

/// What every chunk and the whole reply say.
struct Chat<'a> {
    call: &'a Call,
    plan: Plan,
    id: String,
    model: String,
    /// Answers to the same prompt.
    choices: u64,
    tool: Option<&'a str>,
    is_azure: bool,
}

pub(super) fn answer(call: &Call, endpoint: &Endpoint<'_>) -> Result<Answer, Failure> {
    let model = endpoint.model(call)?;
    let messages = call.json.get("messages").and_then(Value::as_array).ok_or(Failure::Missing("messages"))?;
    let was_answered = messages.last().is_some_and(|last| last["role"] == "tool");
    let chat = Chat {
        call,
        plan: call.plan(&["messages", "tools"], call.count(&["max_completion_tokens", "max_tokens"])),
        id: call.id("chatcmpl-"),
        choices: call.count(&["n"]).unwrap_or(1).clamp(1, 8),
        tool: called_tool(call, was_answered),
        is_azure: endpoint.deployment.is_some(),
        model,
    };
    let answer =
        if call.is_true("stream") { Answer::events(SSE, chat.events()) } else { Answer::json(&chat.whole()) };
    Ok(answer.billed(&chat.id, &chat.model, chat.billed()))
}

impl Chat<'_> {
    fn output(&self) -> u64 {
        // A wish is for the whole reply.
        self.call.behaviour.wished.output.unwrap_or(self.plan.output * self.choices)
    }

    fn billed(&self) -> Usage {
        Usage { output_tokens: self.output(), ..self.plan.usage_inside() }
    }

    fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.plan.input,
            "completion_tokens": self.output(),
            "total_tokens": self.plan.input + self.output(),
            "prompt_tokens_details": { "cached_tokens": self.plan.cached, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": self.plan.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    fn finish(&self) -> &'static str {
        match (self.tool, self.plan.is_complete) {
            (Some(_), _) => "tool_calls",
            (None, true) => "stop",
            (None, false) => "length",
        }
    }

    fn whole(&self) -> Value {
        let mut message =
            json!({ "role": "assistant", "content": self.plan.text(), "refusal": null, "annotations": [] });
        if let Some(name) = self.tool {
            let function = json!({ "name": name, "arguments": "{\"city\": \"Paris\"}" });
            message["content"] = Value::Null;
            message["tool_calls"] =
                json!([{ "id": self.call.id("call_"), "type": "function", "function": function }]);
        }
        let choice = |index| {
            let mut choice = json!({
                "index": index, "message": message, "logprobs": null, "finish_reason": self.finish(),
            });
            if self.is_azure {
                choice["content_filter_results"] = filtered();
            }
            choice
        };
        let mut reply = self.frame("chat.completion");
        reply["choices"] = (0..self.choices).map(choice).collect();
        if self.is_azure {
            reply["prompt_filter_results"] = prompt_filtered();
        }
        if self.plan.says_usage {
            reply["usage"] = self.usage();
        }
        reply
    }

    fn frame(&self, object: &str) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": CREATED,
            "model": self.model,
            "choices": [],
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        })
    }

    /// Asked for, and not kept back.
    fn includes_usage(&self) -> bool {
        let asked = self.call.json.pointer("/stream_options/include_usage").and_then(Value::as_bool);
        asked == Some(true) && self.plan.says_usage
    }

    fn chunk(&self, index: u64, delta: &Value, finish: Option<&str>) -> Bytes {
        let mut chunk = self.frame("chat.completion.chunk");
        chunk["choices"] =
            json!([{ "index": index, "delta": delta, "logprobs": null, "finish_reason": finish }]);
        if self.includes_usage() {
            chunk["usage"] = Value::Null;
        }
        data(&chunk)
    }

    fn events(&self) -> Vec<Bytes> {
        let mut events = Vec::new();
        if self.is_azure {
            let first = json!({
                "choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": prompt_filtered(),
            });
            events.push(data(&first));
        }
        for index in 0..self.choices {
            let deltas = self.deltas();
            events.extend(deltas.iter().map(|delta| self.chunk(index, delta, None)));
            events.push(self.chunk(index, &json!({}), Some(self.finish())));
        }
        if self.includes_usage() {
            let mut last = self.frame("chat.completion.chunk");
            last["usage"] = self.usage();
            events.push(data(&last));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    fn deltas(&self) -> Vec<Value> {
        let Some(name) = self.tool else {
            let role = json!({ "role": "assistant", "content": "", "refusal": null });
            return std::iter::once(role)
                .chain(self.plan.pieces.iter().map(|piece| json!({ "content": piece })))
                .collect();
        };
        let function = json!({ "name": name, "arguments": "" });
        let tool =
            json!({ "index": 0, "id": self.call.id("call_"), "type": "function", "function": function });
        let role = json!({ "role": "assistant", "content": null, "tool_calls": [tool] });
        let pieces = ["{\"city\"", ": \"Paris\"}"]
            .map(|piece| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] }));
        std::iter::once(role).chain(pieces).collect()
    }
}

fn filtered() -> Value {
    let safe = json!({ "filtered": false, "severity": "safe" });
    json!({ "hate": safe, "self_harm": safe, "sexual": safe, "violence": safe })
}

fn prompt_filtered() -> Value {
    json!([{ "prompt_index": 0, "content_filter_results": filtered() }])
}
