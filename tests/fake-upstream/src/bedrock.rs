//! Bedrock's runtime: Converse and `InvokeModel`, whole and as event streams.

pub mod event_stream;
pub mod sigv4;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    anthropic,
    call::{Call, decode, vector},
    failure::Failure,
    plan::Plan,
};

const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// `/model/{id}/{operation}`.
pub(crate) fn answer(call: &Call) -> Result<Answer, Failure> {
    let mut segments = call.path.split('/').skip(2);
    let (Some(model), Some(operation), None) = (segments.next(), segments.next(), segments.next()) else {
        return Err(Failure::NotFound);
    };
    if call.method != hyper::Method::POST {
        return Err(Failure::NotFound);
    }
    let model = decode(model);
    let answer = match operation {
        "converse" => converse(call, &model),
        "converse-stream" => converse_stream(call, &model),
        "invoke" => invoke(call, &model),
        "invoke-with-response-stream" => invoke_stream(call, &model),
        _ => return Err(Failure::NotFound),
    };
    Ok(answer.header("x-amzn-requestid", &call.uuid()))
}

fn converse_plan(call: &Call) -> Plan {
    let max = call.json.pointer("/inferenceConfig/maxTokens").and_then(Value::as_u64);
    call.plan(&["system", "messages"], max)
}

fn stop_reason(plan: &Plan) -> &'static str {
    if plan.is_complete { "end_turn" } else { "max_tokens" }
}

fn converse_usage(plan: &Plan) -> Value {
    let mut usage = json!({
        "inputTokens": plan.input,
        "outputTokens": plan.output,
        "totalTokens": plan.input + plan.output + plan.cached + plan.written,
        "cacheReadInputTokens": plan.cached,
        "cacheWriteInputTokens": plan.written,
    });
    if plan.written_1h > 0 {
        usage["cacheDetails"] = json!([
            { "ttl": "1h", "inputTokens": plan.written_1h },
            { "ttl": "5m", "inputTokens": plan.written - plan.written_1h },
        ]);
    }
    usage
}

fn converse(call: &Call, model: &str) -> Answer {
    let plan = converse_plan(call);
    let mut content = json!({ "text": plan.text() });
    let mut stop = stop_reason(&plan);
    if let Some(tool) = call.json.pointer("/toolConfig/tools/0/toolSpec/name") {
        content = json!({ "toolUse": { "toolUseId": call.id("tooluse_"), "name": tool, "input": { "city": "Paris" } } });
        stop = "tool_use";
    }
    let mut reply = json!({
        "output": { "message": { "role": "assistant", "content": [content] } },
        "stopReason": stop,
        "metrics": { "latencyMs": 42 },
    });
    if plan.says_usage {
        reply["usage"] = converse_usage(&plan);
    }
    Answer::json(&reply).billed(&call.uuid(), model, plan.usage_outside())
}

fn converse_stream(call: &Call, model: &str) -> Answer {
    let plan = converse_plan(call);
    let mut events = vec![message("messageStart", &json!({ "p": padding(1), "role": "assistant" }))];
    for (index, piece) in plan.pieces.iter().enumerate() {
        let delta = json!({ "contentBlockIndex": 0, "delta": { "text": piece }, "p": padding(index) });
        events.push(message("contentBlockDelta", &delta));
    }
    events.push(message("contentBlockStop", &json!({ "contentBlockIndex": 0, "p": padding(3) })));
    events.push(message("messageStop", &json!({ "p": padding(7), "stopReason": stop_reason(&plan) })));
    if plan.says_usage {
        let metadata =
            json!({ "metrics": { "latencyMs": 42 }, "p": padding(5), "usage": converse_usage(&plan) });
        events.push(message("metadata", &metadata));
    }
    Answer::events(EVENT_STREAM, events).billed(&call.uuid(), model, plan.usage_outside())
}

/// Bedrock fills its events up, so that their lengths do not tell what is inside.
fn padding(seed: usize) -> &'static str {
    "abcdefghijklmnopqrstuvwxyz".get(..=seed % 26).unwrap_or_default()
}

fn message(kind: &str, payload: &Value) -> Bytes {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    event_stream::encode(&headers, payload.to_string().as_bytes())
}

/// How the family of a model writes its bodies.
enum Family {
    Anthropic,
    Nova,
    Llama,
    Titan,
    TitanEmbed,
}

impl Family {
    fn of(model: &str) -> Self {
        if model.contains("titan-embed") {
            Self::TitanEmbed
        } else if model.contains("titan") {
            Self::Titan
        } else if model.contains("nova") {
            Self::Nova
        } else if model.contains("llama") {
            Self::Llama
        } else {
            Self::Anthropic
        }
    }

    fn plan(&self, call: &Call) -> Plan {
        let at = |pointer: &str| call.json.pointer(pointer).and_then(Value::as_u64);
        match self {
            Self::Anthropic => anthropic::plan(call),
            Self::Nova => converse_plan(call),
            Self::Llama => call.plan(&["prompt"], at("/max_gen_len")),
            Self::Titan | Self::TitanEmbed => {
                call.plan(&["inputText"], at("/textGenerationConfig/maxTokenCount"))
            }
        }
    }
}

fn invoke(call: &Call, model: &str) -> Answer {
    let family = Family::of(model);
    let plan = family.plan(call);
    let stop = if plan.is_complete { "stop" } else { "length" };
    let body = match family {
        Family::Anthropic => anthropic::message(call, &plan, &call.id("msg_bdrk_"), anthropic_name(model)),
        Family::Nova => json!({
            "output": { "message": { "content": [{ "text": plan.text() }], "role": "assistant" } },
            "stopReason": stop_reason(&plan),
            "usage": converse_usage(&plan),
        }),
        Family::Llama => json!({
            "generation": plan.text(),
            "prompt_token_count": plan.input,
            "generation_token_count": plan.output,
            "stop_reason": stop,
        }),
        Family::Titan => json!({
            "inputTextTokenCount": plan.input,
            "results": [{
                "tokenCount": plan.output,
                "outputText": plan.text(),
                "completionReason": if plan.is_complete { "FINISH" } else { "LENGTH" },
            }],
        }),
        Family::TitanEmbed => {
            json!({ "embedding": vector(&call.hash, 1024), "inputTextTokenCount": plan.input })
        }
    };
    let is_embedding = matches!(family, Family::TitanEmbed);
    let output = if is_embedding { 0 } else { plan.output };
    let usage = crate::Usage { output_tokens: output, ..plan.usage_outside() };
    let answer = Answer::json(&body).header("x-amzn-bedrock-invocation-latency", "42");
    let answer = if plan.says_usage {
        answer
            .header("x-amzn-bedrock-input-token-count", &plan.input.to_string())
            .header("x-amzn-bedrock-output-token-count", &output.to_string())
            .header("x-amzn-bedrock-cache-read-input-token-count", &plan.cached.to_string())
            .header("x-amzn-bedrock-cache-write-input-token-count", &plan.written.to_string())
    } else {
        answer
    };
    let id = body["id"].as_str().map_or_else(|| call.uuid(), str::to_owned);
    answer.billed(&id, model, usage)
}

/// `eu.anthropic.claude-3-5-sonnet-20240620-v1:0` says `claude-3-5-sonnet-20240620` of itself.
fn anthropic_name(model: &str) -> &str {
    let name = model.rsplit("anthropic.").next().unwrap_or(model);
    name.rsplit_once("-v").map_or(name, |(name, _)| name)
}

fn invoke_stream(call: &Call, model: &str) -> Answer {
    let family = Family::of(model);
    let plan = family.plan(call);
    let mut payloads = match family {
        Family::Anthropic => anthropic::events(call, &plan, &call.id("msg_bdrk_"), anthropic_name(model)),
        Family::Nova => nova_events(&plan),
        Family::Llama => llama_events(&plan),
        Family::Titan | Family::TitanEmbed => titan_events(&plan),
    };
    if let Some(last) = payloads.last_mut().filter(|_| plan.says_usage) {
        last["amazon-bedrock-invocationMetrics"] = json!({
            "inputTokenCount": plan.input,
            "outputTokenCount": plan.output,
            "invocationLatency": 42,
            "firstByteLatency": 21,
            "cacheReadInputTokenCount": plan.cached,
            "cacheWriteInputTokenCount": plan.written,
        });
    }
    let id = payloads.first().and_then(|first| first.pointer("/message/id")).and_then(Value::as_str);
    let id = id.map_or_else(|| call.uuid(), str::to_owned);
    let events = payloads.iter().enumerate().map(|(index, payload)| {
        message("chunk", &json!({ "bytes": STANDARD.encode(payload.to_string()), "p": padding(index) }))
    });
    Answer::events(EVENT_STREAM, events.collect())
        .header("x-amzn-bedrock-content-type", "application/json")
        .billed(&id, model, plan.usage_outside())
}

fn nova_events(plan: &Plan) -> Vec<Value> {
    let deltas = plan
        .pieces
        .iter()
        .map(|piece| json!({ "contentBlockDelta": { "delta": { "text": piece }, "contentBlockIndex": 0 } }));
    let mut events = vec![json!({ "messageStart": { "role": "assistant" } })];
    events.extend(deltas);
    events.push(json!({ "contentBlockStop": { "contentBlockIndex": 0 } }));
    events.push(json!({ "messageStop": { "stopReason": stop_reason(plan) } }));
    events.push(json!({ "metadata": { "usage": converse_usage(plan), "metrics": {}, "trace": {} } }));
    events
}

fn llama_events(plan: &Plan) -> Vec<Value> {
    let mut events = vec![json!({
        "generation": "", "prompt_token_count": plan.input, "generation_token_count": 0, "stop_reason": null,
    })];
    events.extend(plan.pieces.iter().enumerate().map(|(index, piece)| {
        json!({ "generation": piece, "prompt_token_count": null, "generation_token_count": index + 1, "stop_reason": null })
    }));
    events.push(json!({
        "generation": "",
        "prompt_token_count": null,
        "generation_token_count": plan.output,
        "stop_reason": if plan.is_complete { "stop" } else { "length" },
    }));
    events
}

fn titan_events(plan: &Plan) -> Vec<Value> {
    let last = plan.pieces.len().saturating_sub(1);
    let event = |(index, piece): (usize, &String)| {
        let is_last = index == last;
        json!({
            "outputText": piece,
            "index": 0,
            "totalOutputTextTokenCount": is_last.then_some(plan.output),
            "completionReason": is_last.then_some(if plan.is_complete { "FINISH" } else { "LENGTH" }),
            "inputTextTokenCount": plan.input,
        })
    };
    plan.pieces.iter().enumerate().map(event).collect()
}
