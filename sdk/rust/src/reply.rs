//! What a provider's reply says of itself, without what it says: the tracker reads the counts of every provider, so the client
//! counts nothing. It keeps the structure of a reply with its numbers and empties its texts.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

/// Words that tell what a call was and what it is charged as; any other text is emptied.
const WORDS: &[&str] = &[
    "id",
    "responseId",
    "response_id",
    "generation_id",
    "object",
    "type",
    "model",
    "modelVersion",
    "model_version",
    "service_tier",
    "serviceTier",
    "trafficType",
    "traffic_type",
    "speed",
    "inference_geo",
    "ttl",
    "modality",
    "status",
    "stop_reason",
    "stopReason",
    "finish_reason",
    "finishReason",
    "size",
    "quality",
    "search_type",
    "reason",
    "invokedModelId",
    "currency",
];
/// Where replies keep their counts.
const COUNTS: &[&str] = &[
    "usage",
    "usageMetadata",
    "usage_metadata",
    "usage_info",
    "x_groq",
    "amazon-bedrock-invocationMetrics",
    "inputTextTokenCount",
    "prompt_token_count",
    "generation_token_count",
    "meta",
];
/// Texts of which it counts that they are there: pictures.
const COUNTED_TEXTS: &[&str] = &["b64_json", "url", "bytesBase64Encoded"];
/// What the first document of a reply says of these holds; events have others later.
const FIRST: &[&str] = &["id", "responseId", "response_id", "type", "object"];
/// What tells whose reply it is.
const INTRODUCTIONS: &[&str] = &["id", "responseId", "response_id", "model", "modelVersion", "model_version"];
/// Keys under which replies put pieces of the answer.
const ANSWERS: &[&str] = &[
    "content",
    "text",
    "delta",
    "arguments",
    "partial_json",
    "thinking",
    "reasoning_content",
    "reasoning",
    "generation",
    "outputText",
];
/// Keys under which requests put what is asked.
const QUESTIONS: &[&str] = &["text", "content", "input", "prompt", "system", "instructions", "inputText"];
/// Bytes of prompt and answer that are kept at most.
const TEXT_BYTES_MAX: usize = 256 * 1024;
const WORD_BYTES_MAX: usize = 256;
const ITEMS_MAX: usize = 1000;
const DEPTH_MAX: usize = 32;

/// Gathers the documents of one reply.
#[derive(Debug)]
pub(crate) struct Reply {
    gathered: Map<String, Value>,
    text: Text,
    is_batched: bool,
}

impl Reply {
    pub(crate) fn new() -> Self {
        Self { gathered: Map::new(), text: Text::new(""), is_batched: false }
    }

    /// Adds a whole reply, an event of a stream, or a list of events.
    pub(crate) fn add(&mut self, document: &Value) {
        if let Value::Array(events) = document {
            return events.iter().for_each(|event| self.add(event));
        }
        if let Some(reply) = batched(document) {
            self.is_batched = true;
            return self.add(reply);
        }
        let Some(document) = document.as_object() else { return };
        self.add_text(document);
        let lasting = with_duration(document);
        let whole = lasting.as_ref().unwrap_or(document);
        let reply = reply_in(whole);
        let is_introduced = self.id().is_some() && self.model().is_some();
        let introduces =
            !is_introduced && INTRODUCTIONS.iter().any(|key| reply.get(*key).is_some_and(Value::is_string));
        if counts(reply) || introduces {
            let mut digest = emptied_object(reply, 0);
            digest.remove("delta");
            // The type of an event says nothing of the reply that it is a part of.
            if reply.get("type").and_then(Value::as_str).is_some_and(|kind| kind.contains(['-', '.', '_'])) {
                digest.remove("type");
            }
            merge(&mut self.gathered, digest);
        }
        if !std::ptr::eq(reply, whole) {
            for key in COUNTS {
                if let Some(Value::Object(told)) = document.get(*key) {
                    let told = Value::Object(emptied_object(told, 0));
                    merge(&mut self.gathered, Map::from_iter([((*key).to_owned(), told)]));
                }
            }
        }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.word(&["id", "responseId", "response_id"])
    }

    pub(crate) fn model(&self) -> Option<&str> {
        self.word(&["model", "modelVersion", "model_version"])
    }

    pub(crate) fn is_counted(&self) -> bool {
        counts(&self.gathered)
    }

    /// Whether it was a line of a batch's results.
    pub(crate) fn is_batched(&self) -> bool {
        self.is_batched
    }

    /// The answer so far.
    pub(crate) fn text(&self) -> &str {
        &self.text.all
    }

    /// What the reply says of itself; `None` if that is nothing.
    pub(crate) fn digest(&self) -> Option<Value> {
        (!self.gathered.is_empty()).then(|| Value::Object(self.gathered.clone()))
    }

    fn word(&self, keys: &[&str]) -> Option<&str> {
        let words = keys.iter().filter_map(|key| self.gathered.get(*key)?.as_str());
        words.into_iter().find(|word| !word.is_empty())
    }

    fn add_text(&mut self, document: &Map<String, Value>) {
        // OpenAI's Responses repeat at the end of each part, and of the whole, what came piece by piece.
        let kind = document.get("type").and_then(Value::as_str).unwrap_or_default();
        let repeats =
            kind.strip_prefix("response.").is_some_and(|event| event.rsplit('.').next() != Some("delta"));
        if !repeats {
            self.text.collect_object(document, ANSWERS, 0);
        }
    }
}

/// The texts of a request, for calls whose tokens nobody counted.
pub(crate) fn prompt_of(request: &Value) -> String {
    let mut text = Text::new("\n");
    text.collect(request, "", QUESTIONS, 0);
    text.all
}

/// Texts in a document, joined, up to a length.
#[derive(Debug)]
struct Text {
    all: String,
    between: &'static str,
}

impl Text {
    fn new(between: &'static str) -> Self {
        Self { all: String::new(), between }
    }

    fn collect(&mut self, value: &Value, key: &str, keys: &[&str], depth: usize) {
        match value {
            Value::String(text) if keys.contains(&key) => self.push(text),
            Value::Array(items) if depth < DEPTH_MAX => {
                for item in items {
                    self.collect(item, key, keys, depth + 1);
                }
            }
            Value::Object(fields) if depth < DEPTH_MAX => self.collect_object(fields, keys, depth),
            _ => {}
        }
    }

    fn collect_object(&mut self, fields: &Map<String, Value>, keys: &[&str], depth: usize) {
        for (name, inner) in fields {
            self.collect(inner, name, keys, depth + 1);
        }
    }

    fn push(&mut self, text: &str) {
        if !self.all.is_empty() {
            self.all.push_str(self.between);
        }
        let left = TEXT_BYTES_MAX.saturating_sub(self.all.len());
        self.all.push_str(text.get(..text.floor_char_boundary(left)).unwrap_or_default());
    }
}

/// The value with its structure and numbers, its texts empty.
fn emptied(value: &Value, key: &str, depth: usize) -> Value {
    match value {
        Value::String(text) if WORDS.contains(&key) && text.len() <= WORD_BYTES_MAX => value.clone(),
        Value::String(_) => json!(""),
        Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => Value::Null,
        Value::Array(items) if items.iter().all(Value::is_number) => json!([]),
        Value::Array(items) => {
            // Embeddings are alike; that there are some is all that matters.
            let is_embeddings = items.first().is_some_and(|item| item["object"] == "embedding");
            let kept = items.iter().take(if is_embeddings { 1 } else { ITEMS_MAX });
            kept.map(|item| emptied(item, key, depth + 1)).collect()
        }
        Value::Object(fields) => Value::Object(emptied_object(fields, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn emptied_object(fields: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let kept = fields.iter().filter(|(name, _)| *name != "logprobs");
    let inner = kept.map(|(name, item)| (name.clone(), emptied(item, name, depth + 1)));
    inner.filter(|(name, item)| *item != "" || COUNTED_TEXTS.contains(&name.as_str())).collect()
}

/// Adds what `from` says to `into`: a later value replaces an earlier one, null and absence do not.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match into.get_mut(&key) {
            _ if value.is_null() => {}
            None => drop(into.insert(key, value)),
            Some(known) if !FIRST.contains(&key.as_str()) && value != "" => merge_value(known, value),
            Some(_) => {}
        }
    }
}

fn merge_value(known: &mut Value, value: Value) {
    match (known, value) {
        (Value::Object(known), Value::Object(value)) => merge(known, value),
        (Value::Array(known), Value::Array(value)) => {
            for (index, item) in value.into_iter().enumerate() {
                match known.get_mut(index) {
                    Some(before) => merge_value(before, item),
                    None => known.push(item),
                }
            }
        }
        (known, value) => *known = value,
    }
}

/// The reply in a line of a batch's results, of OpenAI, Anthropic, Bedrock and Gemini in turn.
fn batched(line: &Value) -> Option<&Value> {
    let is_geminis = line.get("key").or_else(|| line.get("request")).is_some();
    let replies = [
        line.pointer("/response/body"),
        line.pointer("/result/message"),
        line.get("modelOutput"),
        line.get("response").filter(|_| is_geminis),
    ];
    replies.into_iter().flatten().find(|reply| reply.is_object())
}

/// A transcription of before there was `usage` has its duration beside it.
fn with_duration(document: &Map<String, Value>) -> Option<Map<String, Value>> {
    let seconds = document.get("duration").filter(|duration| duration.is_number())?;
    if !document.contains_key("task") || document.contains_key("usage") {
        return None;
    }
    let mut document = document.clone();
    document.insert("usage".to_owned(), json!({ "type": "duration", "seconds": seconds }));
    Some(document)
}

/// The reply that an event of a stream holds, or the document itself.
fn reply_in(document: &Map<String, Value>) -> &Map<String, Value> {
    let inner = |key: &str| document.get(key).and_then(Value::as_object);
    let with_usage = |key: &str| inner(key).filter(|inner| inner.get("usage").is_some_and(Value::is_object));
    let is_start = document.get("type").is_some_and(|kind| kind == "message_start");
    inner("response")
        .or_else(|| inner("interaction"))
        .or_else(|| inner("message").filter(|_| is_start))
        .or_else(|| with_usage("metadata"))
        .or_else(|| with_usage("delta"))
        .or_else(|| with_usage("result"))
        .unwrap_or(document)
}

fn counts(document: &Map<String, Value>) -> bool {
    let in_choice = document.get("choices").is_some_and(|choices| choices[0]["usage"].is_object());
    in_choice || COUNTS.iter().any(|key| document.get(*key).is_some_and(|value| !value.is_null()))
}
