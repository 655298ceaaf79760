//! Where a request goes: which provider, which kind of call, which model.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::Value;

/// What a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) model: Option<String>,
}

/// Ends of the paths that providers charge for, and the kind of call.
const OPERATIONS: &[(&str, &str)] = &[
    ("/chat/completions", "chat"),
    ("/completions", "text_completion"),
    ("/responses", "chat"),
    ("/messages", "chat"),
    ("/embeddings", "embeddings"),
    ("/embed", "embeddings"),
    ("/rerank", "rerank"),
    ("/chat", "chat"),
    ("/images/generations", "image_generation"),
    ("/images/edits", "image_generation"),
    ("/images/variations", "image_generation"),
    ("/audio/transcriptions", "transcription"),
    ("/audio/translations", "transcription"),
    ("/audio/speech", "speech"),
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
];

/// Ends of host names, and whose they are.
const HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("googleapis.com", "google"),
    ("amazonaws.com", "bedrock"),
    ("openrouter.ai", "openrouter"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cohere.com", "cohere"),
    ("api.together.xyz", "together"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
];

impl Target {
    /// What a POST to `url` is; `None` if it is no call that is charged for. `service` is whose it is, if the host does not
    /// tell.
    pub(crate) fn of(url: &str, request: &Value, service: Option<&str>) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let path = url.path().trim_end_matches('/');
        let (_, operation) = OPERATIONS.iter().find(|(end, _)| path.ends_with(end))?;
        let service = service.or_else(|| service_at(url.host_str()?)).unwrap_or("openai");
        let model = request["model"].as_str().map(str::to_owned).or_else(|| model_in(path));
        Some(Self { service: service.to_owned(), operation: (*operation).to_owned(), model })
    }
}

fn service_at(host: &str) -> Option<&'static str> {
    let is_at = |end: &str| host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    HOSTS.iter().find(|(end, _)| is_at(end)).map(|(_, service)| *service)
}

/// Gemini's and Vertex's `/models/{model}:verb`, Bedrock's `/model/{id}/verb`, Azure's `/deployments/{name}/`.
fn model_in(path: &str) -> Option<String> {
    let after = |mark: &str| path.split_once(mark).map(|(_, rest)| rest);
    let segment = |rest: &'static str| after(rest).and_then(|rest| rest.split_once('/'));
    let found = segment("/model/").or_else(|| segment("/deployments/"));
    let (model, _) = found.or_else(|| after("/models/").and_then(|rest| rest.split_once(':')))?;
    Some(percent_decode_str(model).decode_utf8_lossy().into_owned())
}

/// The request with the question for usage, where it does not ask itself. `OpenAI` and what is compatible with it say the usage
/// of a streamed chat only when told to, in one more chunk whose `choices` are empty:
/// <https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options>
pub fn ask_for_usage(url: &str, request: Value) -> Value {
    let Some(target) = Target::of(url, &request, None) else { return request };
    let speaks_so = request["messages"].is_array() || target.operation == "text_completion";
    if target.service == "anthropic" || request["stream"] != true || !speaks_so {
        return request;
    }
    let mut request = request;
    match &mut request["stream_options"] {
        Value::Object(options) => drop(options.insert("include_usage".to_owned(), Value::Bool(true))),
        options => *options = serde_json::json!({ "include_usage": true }),
    }
    request
}
