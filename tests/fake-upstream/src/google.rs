//! Gemini, by Google's own API and by Vertex.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    Usage,
    answer::Answer,
    anthropic,
    call::{Call, decode, vector},
    failure::Failure,
    plan::{Plan, words_in},
};

/// Thoughts of a model that may think.
const THOUGHT_TOKENS: u64 = 5;
const MODELS: [&str; 3] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001"];
const SSE: &str = "text/event-stream";

pub(crate) fn answer(call: &Call) -> Result<Answer, Failure> {
    let Some((_, rest)) = call.path.rsplit_once("/models") else { return Err(Failure::NotFound) };
    let (name, operation) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let model = decode(name.trim_start_matches('/'));
    let is_post = call.method == hyper::Method::POST;
    match (is_post, operation) {
        (true, "generateContent") => Ok(generate(call, &model)),
        (true, "streamGenerateContent") => Ok(stream(call, &model)),
        (true, "countTokens") => Ok(count(call)),
        (true, "embedContent") => Ok(embed(call, &model)),
        (true, "batchEmbedContents") => Ok(embed_batch(call, &model)),
        (true, "predict") => Ok(predict(call, &model)),
        (true, "rawPredict" | "streamRawPredict") => anthropic::messages(call),
        (false, "") if model.is_empty() => Ok(Answer::json(&json!({ "models": MODELS.map(described) }))),
        (false, "") => {
            let known = MODELS.iter().find(|known| **known == model).ok_or(Failure::NotFound)?;
            Ok(Answer::json(&described(known)))
        }
        _ => Err(Failure::NotFound),
    }
}

fn described(model: &str) -> Value {
    json!({
        "name": format!("models/{model}"),
        "version": "001",
        "displayName": model,
        "description": "A model of the fake.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    })
}

fn plan(call: &Call) -> Plan {
    let at = |pointer: &str| call.json.pointer(pointer).and_then(Value::as_u64);
    let mut plan = call.plan(&["systemInstruction", "contents"], at("/generationConfig/maxOutputTokens"));
    let budget = at("/generationConfig/thinkingConfig/thinkingBudget");
    plan.thoughts = plan.thoughts.or_else(|| Some(if budget == Some(0) { 0 } else { THOUGHT_TOKENS }));
    plan
}

fn usage(plan: &Plan) -> Usage {
    let thoughts = plan.thoughts.unwrap_or(0);
    Usage { output_tokens: plan.output + thoughts, reasoning_tokens: thoughts, ..plan.usage_inside() }
}

/// So far: the candidates grow, thoughts are outside of them.
fn usage_metadata(plan: &Plan, candidates: u64) -> Value {
    let thoughts = plan.thoughts.unwrap_or(0);
    let mut metadata = json!({
        "promptTokenCount": plan.input,
        "candidatesTokenCount": candidates,
        "totalTokenCount": plan.input + candidates + thoughts,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": plan.input }],
    });
    if thoughts > 0 {
        metadata["thoughtsTokenCount"] = json!(thoughts);
    }
    if plan.cached > 0 {
        metadata["cachedContentTokenCount"] = json!(plan.cached);
        metadata["cacheTokensDetails"] = json!([{ "modality": "TEXT", "tokenCount": plan.cached }]);
    }
    metadata
}

/// The part that the answer consists of, unless it is text: a call of the first function, when one has to be called.
fn function_call(call: &Call) -> Option<Value> {
    let name = call.json.pointer("/tools/0/functionDeclarations/0/name")?;
    let was_answered = call.json["contents"].to_string().contains("functionResponse");
    (!was_answered).then(|| json!({ "functionCall": { "name": name, "args": { "city": "Paris" } } }))
}

fn chunk(call: &Call, plan: &Plan, model: &str, part: &Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({ "content": { "parts": [part], "role": "model" }, "index": 0 });
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    let mut chunk = json!({ "candidates": [candidate], "modelVersion": model, "responseId": call.id("") });
    if plan.says_usage {
        let words = u64::try_from(part["text"].as_str().unwrap_or_default().split_whitespace().count());
        let candidates = if finish.is_some() { plan.output } else { words.unwrap_or(0).min(plan.output) };
        chunk["usageMetadata"] = usage_metadata(plan, candidates);
    }
    chunk
}

fn finish(plan: &Plan) -> &'static str {
    if plan.is_complete { "STOP" } else { "MAX_TOKENS" }
}

fn generate(call: &Call, model: &str) -> Answer {
    let plan = plan(call);
    let part = function_call(call).unwrap_or_else(|| json!({ "text": plan.text() }));
    Answer::json(&chunk(call, &plan, model, &part, Some(finish(&plan)))).billed(
        &call.id(""),
        model,
        usage(&plan),
    )
}

/// Server-sent events with `alt=sse`, else a list that grows.
fn stream(call: &Call, model: &str) -> Answer {
    let plan = plan(call);
    let mut parts: Vec<Value> = plan.pieces.iter().map(|piece| json!({ "text": piece })).collect();
    if let Some(part) = function_call(call) {
        parts = vec![part];
    }
    let last = parts.len().saturating_sub(1);
    let chunks: Vec<Value> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| chunk(call, &plan, model, part, (index == last).then(|| finish(&plan))))
        .collect();
    let answer = if call.query_value("alt") == Some("sse") {
        let events = chunks.iter().map(|chunk| Bytes::from(format!("data: {chunk}\r\n\r\n")));
        Answer::events(SSE, events.collect())
    } else {
        let mut events: Vec<Bytes> = chunks
            .iter()
            .enumerate()
            .map(|(index, chunk)| Bytes::from(format!("{}{chunk}\n", if index == 0 { "[" } else { ",\r\n" })))
            .collect();
        events.push(Bytes::from_static(b"]"));
        Answer::events("application/json; charset=UTF-8", events)
    };
    answer.billed(&call.id(""), model, usage(&plan))
}

fn count(call: &Call) -> Answer {
    let request = call.json.get("generateContentRequest").unwrap_or(&call.json);
    let words = words_in(&request["contents"]) + words_in(&request["systemInstruction"]);
    let tokens = call.behaviour.wished.input.unwrap_or(words + crate::INPUT_TOKENS_BASE);
    Answer::json(&json!({
        "totalTokens": tokens,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": tokens }],
    }))
}

fn embedding_usage(call: &Call, words: u64) -> (Usage, Value) {
    let tokens = call.behaviour.wished.input.unwrap_or(words);
    let metadata = json!({
        "promptTokenCount": tokens,
        "promptTokenDetails": [{ "modality": "TEXT", "tokenCount": tokens }],
    });
    (Usage { input_tokens: tokens, ..Usage::default() }, metadata)
}

fn dimensions(request: &Value) -> usize {
    let asked = request.get("outputDimensionality").and_then(Value::as_u64);
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(768).clamp(1, 3072)
}

fn embed(call: &Call, model: &str) -> Answer {
    let (usage, metadata) = embedding_usage(call, words_in(&call.json["content"]));
    let embedding = json!({ "values": vector(&call.hash, dimensions(&call.json)) });
    let mut reply = json!({ "embedding": embedding });
    if !call.behaviour.says_no_usage {
        reply["usageMetadata"] = metadata;
    }
    Answer::json(&reply).billed(&call.id(""), model, usage)
}

fn embed_batch(call: &Call, model: &str) -> Answer {
    let requests = call.json["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words = requests.iter().map(|request| words_in(&request["content"])).sum();
    let (usage, metadata) = embedding_usage(call, words);
    let embeddings: Vec<Value> =
        requests.iter().map(|request| json!({ "values": vector(&call.hash, dimensions(request)) })).collect();
    let mut reply = json!({ "embeddings": embeddings });
    if !call.behaviour.says_no_usage {
        reply["usageMetadata"] = metadata;
    }
    Answer::json(&reply).billed(&call.id(""), model, usage)
}

/// Vertex: embeddings of text.
fn predict(call: &Call, model: &str) -> Answer {
    let instances = call.json["instances"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut tokens = 0;
    let mut predictions = Vec::new();
    for instance in instances {
        let words = words_in(&instance["content"]);
        tokens += words;
        let statistics = json!({ "truncated": false, "token_count": words });
        predictions
            .push(json!({ "embeddings": { "values": vector(&call.hash, 768), "statistics": statistics } }));
    }
    let characters = call.json["instances"].to_string().len();
    let reply = json!({ "predictions": predictions, "metadata": { "billableCharacterCount": characters } });
    Answer::json(&reply).billed(&call.id(""), model, Usage { input_tokens: tokens, ..Usage::default() })
}
