//! In what shape a reply is.

use pricing::canonical_provider;
use serde_json::Value;

/// A shape of replies: what most providers share with OpenAI, and what does not follow it.
///
/// Kinds of calls are not told apart here: chat, responses, embeddings, images, audio, realtime events and lines of a
/// batch have keys of their own, which every dialect recognises. The same holds for what providers add to the `OpenAi`
/// dialect without contradiction: Azure, Mistral, DeepSeek, Moonshot, Groq, OpenRouter, Together, Voyage and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI and what is compatible with it. Details are inside of the totals.
    OpenAi,
    /// xAI's variety of it: in chat, reasoning is outside of the completion.
    XAi,
    /// Perplexity's variety of it: in chat, reasoning and citations are outside of the completion.
    Perplexity,
    /// Anthropic messages, wherever they are served. Cached tokens are outside of the input.
    Anthropic,
    /// Gemini and Vertex. Thoughts are outside of the candidates.
    Gemini,
    /// Bedrock's Converse. Cached tokens are outside of the input.
    BedrockConverse,
    /// Bedrock's `InvokeModel`: the model's own body, and Bedrock's metrics of it.
    BedrockInvoke,
    /// Cohere's own API. What is billed is not all that was processed.
    Cohere,
}

/// Marks in a usage object, the first that is there decides.
const MARKS: [(&[&str], Dialect); 6] = [
    (
        &[
            "promptTokenCount",
            "candidatesTokenCount",
            "totalTokenCount",
            "responseTokenCount",
            "candidates_token_count",
            "total_token_count",
            "total_input_tokens",
            "total_output_tokens",
        ],
        Dialect::Gemini,
    ),
    (
        &["inputTokenCount", "inputTextTokenCount", "prompt_token_count", "generation_token_count"],
        Dialect::BedrockInvoke,
    ),
    (&["billed_units"], Dialect::Cohere),
    (&["cost_in_usd_ticks", "num_sources_used", "server_side_tool_usage_details"], Dialect::XAi),
    (&["citation_tokens", "num_search_queries"], Dialect::Perplexity),
    (&["prompt_tokens", "completion_tokens", "promptTokens", "completionTokens"], Dialect::OpenAi),
];

/// What only Anthropic says. Databricks and `litellm` repeat some of it beside `prompt_tokens`, which is read before.
const ANTHROPIC_MARKS: [&str; 5] = [
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "server_tool_use",
    "iterations",
];

impl Dialect {
    /// The dialect of `provider`'s replies to a request for `path`.
    pub fn of(provider: &str, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let is_openai = path.contains("/chat/completions") || path.contains("/openai/");
        if path.ends_with("/v1/messages") || path.contains("/publishers/anthropic/") {
            return Self::Anthropic;
        }
        match canonical_provider(provider).as_ref() {
            "xai" => Self::XAi,
            "perplexity" => Self::Perplexity,
            "anthropic" if !is_openai => Self::Anthropic,
            "google"
                if !is_openai && !path.contains("/openapi/") && !path.contains("/publishers/mistralai/") =>
            {
                Self::Gemini
            }
            "cohere" if !path.contains("/compatibility/") => Self::Cohere,
            "bedrock" if path.contains("/converse") => Self::BedrockConverse,
            "bedrock" if path.contains("/invoke") => Self::BedrockInvoke,
            _ => Self::OpenAi,
        }
    }

    /// The dialect of a reply or of a usage object, by its own keys; `provider` decides where they fit several.
    pub(super) fn recognise(provider: Option<&str>, value: &Value) -> Self {
        let provider = provider.map(canonical_provider);
        let provider = provider.as_deref();
        let first = value.as_array().and_then(|documents| documents.first()).unwrap_or(value);
        if ["amazon-bedrock-invocationMetrics", "inputTextTokenCount", "generation_token_count"]
            .iter()
            .any(|key| first.get(key).is_some())
        {
            return Self::BedrockInvoke;
        }
        let usage = usage_object(first);
        let marked = MARKS.iter().find(|(keys, _)| keys.iter().any(|key| usage.get(key).is_some()));
        match (marked.map(|(_, dialect)| *dialect), provider) {
            (Some(Self::OpenAi), Some("xai")) => Self::XAi,
            (Some(Self::OpenAi), Some("perplexity")) => Self::Perplexity,
            (Some(dialect), _) => dialect,
            (None, _) if is_converse(usage) => Self::BedrockConverse,
            (None, _) if is_anthropic(provider, first, usage) => Self::Anthropic,
            (None, Some("cohere")) => Self::Cohere,
            (None, Some("google")) if first.get("predictions").is_some() => Self::Gemini,
            (None, Some("xai")) => Self::XAi,
            (None, Some("perplexity")) => Self::Perplexity,
            (None, _) => Self::OpenAi,
        }
    }
}

/// Where a reply keeps its usage object, in any dialect; the reply itself when it is one.
fn usage_object(reply: &Value) -> &Value {
    const PLACES: [&[&str]; 16] = [
        &["usageMetadata"],
        &["usage_metadata"],
        &["usage"],
        &["message", "usage"],
        &["response", "usage"],
        &["response", "usageMetadata"],
        &["response", "body", "usage"],
        &["result", "message", "usage"],
        &["result", "usage"],
        &["modelOutput", "usage"],
        &["interaction", "usage"],
        &["metadata", "usage"],
        &["delta", "usage"],
        &["response", "meta"],
        &["x_groq", "usage"],
        &["meta"],
    ];
    let at = |path: &&[&str]| {
        path.iter().try_fold(reply, |value, key| value.get(key)).filter(|value| value.is_object())
    };
    PLACES.iter().find_map(at).unwrap_or(reply)
}

/// The AI SDK says `inputTokens` too, and means all of them.
fn is_converse(usage: &Value) -> bool {
    (usage.get("inputTokens").is_some() || usage.get("outputTokens").is_some())
        && ["cachedInputTokens", "inputTokenDetails", "reasoningTokens"]
            .iter()
            .all(|key| usage.get(key).is_none())
}

/// Anthropic and OpenAI both say `input_tokens`; only Anthropic leaves cached ones out of it.
fn is_anthropic(provider: Option<&str>, reply: &Value, usage: &Value) -> bool {
    let is_message = matches!(
        reply.get("type").and_then(Value::as_str),
        Some("message" | "message_start" | "message_delta" | "message_stop")
    );
    let is_openai =
        ["input_tokens_details", "input_token_details"].iter().any(|key| usage.get(key).is_some());
    is_message
        || ANTHROPIC_MARKS.iter().any(|key| usage.get(key).is_some())
        || (matches!(provider, Some("anthropic" | "bedrock")) && !is_openai)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_and_path_tell_the_dialect() {
        for (provider, path, expected) in [
            ("openai", "/v1/chat/completions", Dialect::OpenAi),
            ("openai", "/v1/threads/thread_1/messages", Dialect::OpenAi),
            ("azure", "/openai/deployments/gpt/chat/completions?api-version=2024-10-21", Dialect::OpenAi),
            ("azure", "/anthropic/v1/messages", Dialect::Anthropic),
            ("anthropic", "/v1/messages", Dialect::Anthropic),
            ("anthropic", "/v1/messages?beta=true", Dialect::Anthropic),
            ("anthropic", "/v1/chat/completions", Dialect::OpenAi),
            ("deepseek", "/anthropic/v1/messages", Dialect::Anthropic),
            ("openrouter", "/api/v1/chat/completions", Dialect::OpenAi),
            ("google", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", Dialect::Gemini),
            ("google", "/v1beta/openai/chat/completions", Dialect::OpenAi),
            (
                "vertex_ai",
                "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5:rawPredict",
                Dialect::Anthropic,
            ),
            ("bedrock", "/model/eu.anthropic.claude-sonnet-4-5/converse-stream", Dialect::BedrockConverse),
            ("aws-bedrock", "/model/amazon.titan-text-express-v1/invoke", Dialect::BedrockInvoke),
            ("bedrock", "/openai/v1/chat/completions", Dialect::OpenAi),
            ("cohere", "/v2/chat", Dialect::Cohere),
            ("cohere", "/compatibility/v1/chat/completions", Dialect::OpenAi),
            ("xai", "/v1/chat/completions", Dialect::XAi),
            ("perplexity", "/chat/completions", Dialect::Perplexity),
            ("somebody", "/v1/embeddings", Dialect::OpenAi),
        ] {
            assert_eq!(Dialect::of(provider, path), expected, "{provider} {path}");
        }
    }
}
