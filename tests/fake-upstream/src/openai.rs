//! `OpenAI`'s API, and Azure's; what is compatible with it differs in the start of the path only.

mod audio;
mod chat;
mod files;
mod multipart;
mod responses;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    Usage,
    answer::Answer,
    call::{CREATED, Call, decode, vector},
    failure::Failure,
    plan::words_in,
};

const SSE: &str = "text/event-stream; charset=utf-8";
/// Models that the list has, as they answer; an alias is the name without its date.
const MODELS: [&str; 8] = [
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "gpt-4.1-2025-04-14",
    "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano-2025-04-14",
    "gpt-5-2025-08-07",
    "o4-mini-2025-04-16",
    "text-embedding-3-small",
];
const DATE_BYTES: usize = "-2024-08-06".len();

pub(crate) fn answer(call: &Call) -> Result<Answer, Failure> {
    let endpoint = Endpoint::of(&call.path);
    let answer = match (call.method.as_str(), endpoint.path) {
        ("POST", "chat/completions") => chat::answer(call, &endpoint)?,
        ("POST", "responses") => responses::answer(call, &endpoint)?,
        ("POST", "embeddings") => embeddings(call, &endpoint)?,
        ("POST", "images/generations") => images(call, &endpoint),
        ("POST", "moderations") => moderations(call),
        ("POST", "audio/transcriptions") => audio::transcription(call, &endpoint)?,
        ("POST", "audio/speech") => audio::speech(call, &endpoint)?,
        ("GET", "models") => models(),
        ("GET", path) if path.starts_with("models/") => {
            let known = MODELS.iter().find(|known| path.ends_with(**known)).ok_or(Failure::NotFound)?;
            Answer::json(&model(known))
        }
        (method, path) => files::answer(call, method, path)?,
    };
    Ok(answer
        .header("x-request-id", &call.id("req_"))
        .header("openai-version", "2020-10-01")
        .header("openai-organization", "fake")
        .header("openai-processing-ms", "42")
        .header("x-ratelimit-limit-requests", "10000")
        .header("x-ratelimit-remaining-requests", "9999"))
}

/// What a path names: an operation, and Azure's deployment.
#[derive(Debug)]
struct Endpoint<'a> {
    /// Without what comes before it: `chat/completions`.
    path: &'a str,
    deployment: Option<String>,
}

impl<'a> Endpoint<'a> {
    fn of(path: &'a str) -> Self {
        if let Some((_, rest)) = path.split_once("/openai/deployments/") {
            let (deployment, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Self { path, deployment: Some(decode(deployment)) };
        }
        let path = path
            .split_once("/v1/")
            .or_else(|| path.split_once("/v1beta/openai/"))
            .map_or(path, |(_, rest)| rest);
        Self { path: path.trim_start_matches('/'), deployment: None }
    }

    /// The model that answers; a deployment's name is that of its model.
    fn model(&self, call: &Call) -> Result<String, Failure> {
        let asked =
            self.deployment.as_deref().or_else(|| call.text("model")).ok_or(Failure::Missing("model"))?;
        let stands_for = |known: &&&str| known.starts_with(asked) && known.len() == asked.len() + DATE_BYTES;
        Ok(MODELS.iter().find(stands_for).map_or(asked, |known| known).to_owned())
    }
}

fn model(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "system" })
}

fn models() -> Answer {
    Answer::json(&json!({ "object": "list", "data": MODELS.map(model) }))
}

/// The name of the tool that the answer calls, unless it was just answered. The choice may be an object or a word.
fn called_tool<'a>(call: &'a Call, was_answered: bool) -> Option<&'a str> {
    let tool_name =
        |tool: &'a Value| tool.pointer("/function/name").or_else(|| tool.get("name")).and_then(Value::as_str);
    let choice = call.json.get("tool_choice");
    let word = choice.and_then(Value::as_str).unwrap_or("auto");
    if !call.has_tools() || word == "none" || (was_answered && word == "auto") {
        return None;
    }
    choice.and_then(tool_name).or_else(|| call.json["tools"].as_array()?.iter().find_map(tool_name))
}

fn embeddings(call: &Call, endpoint: &Endpoint<'_>) -> Result<Answer, Failure> {
    let model = endpoint.model(call)?;
    let input = call.json.get("input").ok_or(Failure::Missing("input"))?;
    // Texts, or lists of tokens.
    let texts = match input {
        Value::Array(values) if !values.iter().any(Value::is_number) => values.len(),
        _ => 1,
    };
    let numbers = |value: &Value| {
        value.as_array().map_or(0, |values| values.iter().filter(|value| value.is_number()).count())
    };
    let listed = numbers(input) + input.as_array().map_or(0, |values| values.iter().map(numbers).sum());
    let counted = words_in(input) + u64::try_from(listed).unwrap_or(0);
    let tokens = call.behaviour.wished.input.unwrap_or(counted);
    let dimensions =
        call.count(&["dimensions"]).and_then(|count| usize::try_from(count).ok()).unwrap_or(1536);
    let vector = vector(&call.hash, dimensions.clamp(1, 3072));
    let embedding = if call.text("encoding_format") == Some("base64") {
        let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
        json!(STANDARD.encode(bytes))
    } else {
        json!(vector)
    };
    let data: Vec<Value> = (0..texts)
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": embedding }))
        .collect();
    let mut reply = json!({ "object": "list", "data": data, "model": model });
    if !call.behaviour.says_no_usage {
        reply["usage"] = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
    }
    let usage = Usage { input_tokens: tokens, ..Usage::default() };
    Ok(Answer::json(&reply).billed(&call.id("req_"), &model, usage))
}

/// Models of the `gpt-image` family say tokens, `dall-e` says nothing.
fn images(call: &Call, endpoint: &Endpoint<'_>) -> Answer {
    // A PNG of one pixel.
    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let model = endpoint.model(call).unwrap_or_else(|_| "dall-e-2".to_owned());
    let count = call.count(&["n"]).unwrap_or(1).clamp(1, 10);
    let plan = call.plan(&["prompt"], None);
    if model.starts_with("dall-e") {
        let image = json!({ "url": format!("https://images.invalid/{}.png", call.hash), "revised_prompt": plan.text() });
        let images: Vec<&Value> = (0..count).map(|_| &image).collect();
        let usage = Usage { images: count, ..Usage::default() };
        return Answer::json(&json!({ "created": CREATED, "data": images })).billed(
            &call.id("img_"),
            &model,
            usage,
        );
    }
    let output = call.behaviour.wished.output.unwrap_or(1056 * count);
    let images: Vec<Value> = (0..count).map(|_| json!({ "b64_json": PIXEL })).collect();
    let mut reply = json!({
        "created": CREATED,
        "background": "opaque",
        "output_format": "png",
        "quality": call.text("quality").unwrap_or("medium"),
        "size": call.text("size").unwrap_or("1024x1024"),
        "data": images,
    });
    if plan.says_usage {
        reply["usage"] = json!({
            "input_tokens": plan.input,
            "input_tokens_details": { "text_tokens": plan.input, "image_tokens": 0 },
            "output_tokens": output,
            "total_tokens": plan.input + output,
        });
    }
    let usage = Usage { output_tokens: output, images: count, ..plan.usage_inside() };
    Answer::json(&reply).billed(&call.id("img_"), &model, usage)
}

/// Free of charge.
fn moderations(call: &Call) -> Answer {
    const CATEGORIES: [&str; 6] = ["harassment", "hate", "illicit", "self-harm", "sexual", "violence"];
    let each = |value: Value| -> Value {
        CATEGORIES
            .iter()
            .map(|category| ((*category).to_owned(), value.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let result = json!({
        "flagged": false,
        "categories": each(json!(false)),
        "category_scores": each(json!(0.000_123)),
        "category_applied_input_types": each(json!(["text"])),
    });
    let model = call.text("model").unwrap_or("omni-moderation-latest");
    Answer::json(&json!({ "id": call.id("modr-"), "model": model, "results": [result] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        for (path, operation, deployment) in [
            ("/v1/chat/completions", "chat/completions", None),
            ("/chat/completions", "chat/completions", None),
            ("/api/v1/chat/completions", "chat/completions", None),
            ("/openai/v1/responses", "responses", None),
            ("/v1beta/openai/chat/completions", "chat/completions", None),
            ("/openai/deployments/my%20gpt/chat/completions", "chat/completions", Some("my gpt")),
        ] {
            let endpoint = Endpoint::of(path);
            assert_eq!((endpoint.path, endpoint.deployment.as_deref()), (operation, deployment), "{path}");
        }
    }
}
