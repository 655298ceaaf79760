//! What a request says of itself: which model, whether it streams, how much it may cost.

use std::{borrow::Cow, collections::BTreeMap};

use axum::http::Method;
use domain::wire;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes of a text without a space that is no longer taken for words but for a picture or a file in base 64.
const WORD_BYTES_MAX: usize = 2048;
/// Tokens that a picture or file is taken to be, whatever its size.
const ATTACHMENT_TOKENS: u64 = 2_000;
/// Bytes of text that make a token at least, on average; the rule of thumb is four.
const BYTES_PER_TOKEN_MIN: u64 = 3;

/// What one request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// Kind of call, if it is one that providers charge for (OpenTelemetry's `gen_ai.operation.name` where it has a word).
    pub(super) operation: Option<&'static str>,
    /// The model that is asked for.
    pub(super) model: Option<String>,
    /// Whether the answer is to be streamed.
    pub(super) streams: bool,
    /// Kind of web search that is asked for, where it changes the price.
    pub(super) search_type: Option<String>,
    /// Service tier that is asked for.
    pub(super) service_tier: Option<String>,
    /// Most tokens of one answer.
    pub(super) output_tokens_max: Option<u64>,
    /// How many answers.
    pub(super) answers: u64,
    /// Tokens of the prompt, rather too many than too few.
    pub(super) input_tokens: u64,
    /// Characters to be spoken.
    pub(super) characters: Option<u64>,
}

/// The fields of a JSON request that matter here, each as it stands in the text.
pub(super) type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Ask {
    /// What a request to `path` says before its body is read.
    pub(super) fn of_path(method: &Method, path: &str) -> Self {
        let operation = if *method == Method::POST { operation(path) } else { None };
        let streams = [
            ":streamGenerateContent",
            "/converse-stream",
            "/invoke-with-response-stream",
            ":streamRawPredict",
        ]
        .iter()
        .any(|end| path.ends_with(end));
        Self { operation, model: model_in(path), streams, answers: 1, ..Self::default() }
    }

    /// Adds what its JSON body says.
    pub(super) fn read_json(&mut self, fields: &Fields<'_>, body: &str) {
        if let Some(model) = text(fields, "model") {
            self.model = Some(model);
        }
        self.streams |= flag(fields, "stream");
        self.service_tier = text(fields, "service_tier").or_else(|| text(fields, "serviceTier"));
        if ["web_search_options", "tools"].iter().any(|name| fields.contains_key(*name)) {
            self.search_type =
                serde_json::from_str(body).ok().and_then(|request| wire::search_type(&request));
        }
        self.output_tokens_max = output_tokens_max(fields);
        self.answers = number(fields, "n").unwrap_or(1).clamp(1, 1_000);
        self.input_tokens = tokens_at_most(body);
        if self.operation == Some("speech") {
            self.characters = text(fields, "input").map(|input| input.chars().count() as u64);
        }
    }

    /// Most tokens that the answers can have.
    pub(super) fn output_tokens(&self, assumed: u64) -> u64 {
        let one = match self.operation {
            Some("embeddings" | "rerank" | "speech" | "transcription") => 0,
            _ => self.output_tokens_max.unwrap_or(assumed),
        };
        one.saturating_mul(self.answers)
    }
}

/// The top-level fields of a JSON object, or `None` if `body` is something else.
pub(super) fn fields(body: &str) -> Option<Fields<'_>> {
    serde_json::from_str(body).ok()
}

/// What kind of call a POST to `path` is, if it is one that is charged for.
fn operation(path: &str) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 31] = [
        ("/chat/completions", "chat"),
        ("/completions", "text_completion"),
        ("/responses", "chat"),
        ("/messages", "chat"),
        ("/complete", "text_completion"),
        ("/chat", "chat"),
        ("/generate", "text_completion"),
        ("/embeddings", "embeddings"),
        ("/embed", "embeddings"),
        ("/rerank", "rerank"),
        ("/classify", "classify"),
        ("/images/generations", "image_generation"),
        ("/images/edits", "image_generation"),
        ("/images/variations", "image_generation"),
        ("/audio/transcriptions", "transcription"),
        ("/audio/translations", "transcription"),
        ("/audio/speech", "speech"),
        ("/ocr", "ocr"),
        ("/fim/completions", "text_completion"),
        ("/converse", "chat"),
        ("/converse-stream", "chat"),
        ("/invoke", "invoke_model"),
        ("/invoke-with-response-stream", "invoke_model"),
        (":generateContent", "generate_content"),
        (":streamGenerateContent", "generate_content"),
        (":embedContent", "embeddings"),
        (":batchEmbedContents", "embeddings"),
        (":predict", "predict"),
        (":rawPredict", "chat"),
        (":streamRawPredict", "chat"),
        ("/api/chat", "chat"),
    ];
    let found = ENDINGS.iter().find(|(ending, _)| path.ends_with(ending));
    found.map(|(_, operation)| *operation)
}

/// The model that a path names: Gemini's and Vertex's `/models/{model}:verb`, Bedrock's `/model/{id}/verb`, Azure's
/// `/deployments/{name}/`.
fn model_in(path: &str) -> Option<String> {
    let after = |mark: &str| path.split_once(mark).map(|(_, rest)| rest);
    let name = if let Some(rest) = after("/model/").or_else(|| after("/deployments/")) {
        rest.split('/').next()
    } else {
        after("/models/").and_then(|rest| rest.split_once(':')).map(|(name, _)| name)
    };
    let name = percent_encoding::percent_decode_str(name?).decode_utf8_lossy();
    domain::text::dimension_value("model", &name).ok()
}

fn output_tokens_max(fields: &Fields<'_>) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Nested {
        #[serde(default, alias = "maxTokens")]
        max_output_tokens: Option<u64>,
    }
    let nested = |name: &str| {
        let nested: Nested = serde_json::from_str(fields.get(name)?.get()).ok()?;
        nested.max_output_tokens
    };
    ["max_completion_tokens", "max_output_tokens", "max_tokens", "max_tokens_to_sample", "maxTokens"]
        .iter()
        .find_map(|name| number(fields, name))
        .or_else(|| {
            ["generationConfig", "generation_config", "inferenceConfig"].iter().find_map(|name| nested(name))
        })
}

fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    let text: Cow<'_, str> = serde_json::from_str(fields.get(name)?.get()).ok()?;
    Some(text.into_owned())
}

fn number(fields: &Fields<'_>, name: &str) -> Option<u64> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

fn flag(fields: &Fields<'_>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| value.get() == "true")
}

/// Tokens of a request, about, and rather too many: everything that is not a picture counts as text.
fn tokens_at_most(body: &str) -> u64 {
    let (mut text_bytes, mut attachments) = (0_u64, 0_u64);
    for word in body.split([' ', ',', '"']) {
        if word.len() > WORD_BYTES_MAX {
            attachments += 1;
        } else {
            text_bytes += word.len() as u64 + 1;
        }
    }
    text_bytes.div_ceil(BYTES_PER_TOKEN_MIN) + attachments * ATTACHMENT_TOKENS
}

/// The field `model` of a form (`multipart/form-data`), as audio and image routes take it.
pub(super) fn model_in_form(body: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"name=\"model\"";
    let start = body.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let rest = body.get(start..)?;
    let value = rest.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let value = rest.get(value..)?.split(|byte| *byte == b'\r').next()?;
    domain::text::dimension_value("model", std::str::from_utf8(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &Method, path: &str, body: &str) -> Ask {
        let mut ask = Ask::of_path(method, path);
        if let Some(fields) = fields(body) {
            ask.read_json(&fields, body);
        }
        ask
    }

    #[test]
    fn paths_tell_the_operation_and_the_model() {
        for (path, operation, model, streams) in [
            ("v1/chat/completions", Some("chat"), None, false),
            ("v1/embeddings", Some("embeddings"), None, false),
            (
                "v1beta/models/gemini-2.5-pro:streamGenerateContent",
                Some("generate_content"),
                Some("gemini-2.5-pro"),
                true,
            ),
            ("v1beta/models/gemini-2.5-pro:countTokens", None, Some("gemini-2.5-pro"), false),
            (
                "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
                Some("chat"),
                Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                false,
            ),
            ("/openai/deployments/our-gpt/chat/completions", Some("chat"), Some("our-gpt"), false),
            ("v1/messages/count_tokens", None, None, false),
            ("v1/messages/batches", None, None, false),
            ("v1/files", None, None, false),
        ] {
            let path = format!("/{}", path.trim_start_matches('/'));
            let ask = ask(&Method::POST, &path, "");
            assert_eq!(
                (ask.operation, ask.model.as_deref(), ask.streams),
                (operation, model, streams),
                "{path}"
            );
            assert_eq!(Ask::of_path(&Method::GET, &path).operation, None, "{path}");
        }
    }

    #[test]
    fn bodies_tell_the_rest_and_wrong_types_are_the_providers_business() {
        let chat = ask(
            &Method::POST,
            "/v1/chat/completions",
            r#"{"model":"gpt-4o","stream":true,"max_tokens":5,"max_completion_tokens":7,"n":3,"service_tier":"flex"}"#,
        );
        assert_eq!(chat.model.as_deref(), Some("gpt-4o"));
        assert!(chat.streams);
        assert_eq!((chat.output_tokens(100), chat.service_tier.as_deref()), (21, Some("flex")));
        let wrong = ask(
            &Method::POST,
            "/v1/chat/completions",
            r#"{"model":7,"stream":"yes","max_tokens":"a","n":-1}"#,
        );
        assert_eq!(
            (wrong.model, wrong.streams, wrong.output_tokens_max, wrong.answers),
            (None, false, None, 1)
        );
        for (path, body) in [
            ("/v1beta/models/g:generateContent", r#"{"generationConfig":{"maxOutputTokens":9}}"#),
            ("/model/m/converse", r#"{"inferenceConfig":{"maxTokens":9}}"#),
            ("/v1/responses", r#"{"max_output_tokens":9}"#),
        ] {
            assert_eq!(ask(&Method::POST, path, body).output_tokens(100), 9, "{path}");
        }
        assert_eq!(
            ask(&Method::POST, "/v1/embeddings", r#"{"model":"m","input":"x"}"#).output_tokens(100),
            0
        );
    }

    #[test]
    fn pictures_do_not_count_as_text() {
        let picture = format!(r#"{{"image":"data:image/png;base64,{}"}}"#, "A".repeat(300_000));
        assert!(ask(&Method::POST, "/v1/responses", &picture).input_tokens < 3_000);
        let words = format!(r#"{{"input":"{}"}}"#, "word ".repeat(30_000));
        assert!(ask(&Method::POST, "/v1/responses", &words).input_tokens >= 37_500);
    }

    #[test]
    fn a_form_names_its_model() {
        let form = b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--x--\r\n";
        assert_eq!(model_in_form(form).as_deref(), Some("whisper-1"));
        assert_eq!(model_in_form(b"--x\r\n\r\n--x--"), None);
    }
}
