//! What a span says, by every name that instrumentations have for it; newest names first, the first that is there counts.

use serde_json::{Map, Value};

use super::super::count;

pub(super) const PROVIDER: &[&str] =
    &["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"];
pub(super) const REQUEST_MODEL: &[&str] =
    &["gen_ai.request.model", "llm.request.model_name", "ai.model.id", "embedding.model_name"];
pub(super) const RESPONSE_MODEL: &[&str] = &[
    "gen_ai.response.model",
    "llm.response.model_name",
    "llm.model_name",
    "ai.response.model",
    "embedding.model_name",
];
pub(super) const RESPONSE_ID: &[&str] = &["gen_ai.response.id", "ai.response.id"];
pub(super) const SERVICE_TIER: &[&str] = &[
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "anthropic.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
];
pub(super) const INPUT: &[&str] = &[
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "ai.usage.tokens",
];
pub(super) const OUTPUT: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
];
pub(super) const TOTAL: &[&str] =
    &["gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens"];
pub(super) const CACHE_READ: &[&str] = &[
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.input_cached_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
    "ai.usage.cachedInputTokens",
];
pub(super) const CACHE_WRITE: &[&str] = &[
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.token_count.prompt_details.cache_write",
];
pub(super) const CACHE_WRITE_1H: &[&str] = &["anthropic.usage.cache_creation.ephemeral_1h_input_tokens"];
pub(super) const REASONING: &[&str] = &[
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "ai.usage.reasoningTokens",
];
pub(super) const INPUT_AUDIO: &[&str] =
    &["gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"];
pub(super) const INPUT_IMAGE: &[&str] = &["gen_ai.usage.image.input_tokens"];
pub(super) const INPUT_VIDEO: &[&str] = &["gen_ai.usage.video.input_tokens"];
pub(super) const OUTPUT_AUDIO: &[&str] =
    &["gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"];
pub(super) const OUTPUT_IMAGE: &[&str] = &["gen_ai.usage.image.output_tokens"];
pub(super) const SESSION: &[&str] = &[
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id",
    "ai.telemetry.metadata.sessionId",
];
pub(super) const USER: &[&str] = &[
    "user.id",
    "enduser.id",
    "user.email",
    "gen_ai.user",
    "llm.user",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "ai.telemetry.metadata.userId",
];
pub(super) const TAGS: &[&str] = &["tag.tags", "langfuse.trace.tags"];

/// Attributes that an audit of the figures needs, beside everything that is a number or a truth value.
const KEPT_TEXTS: &[&[&str]] =
    &[PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, RESPONSE_ID, SERVICE_TIER, SESSION, USER, KEPT_OTHERS];
const KEPT_OTHERS: &[&str] = &[
    "gen_ai.operation.name",
    "openinference.span.kind",
    "llm.request.type",
    "ai.operationId",
    "server.address",
    "error.type",
    "litellm.call_id",
    "request_id",
    "client_request_id",
    "event.name",
    "event.timestamp",
    "model",
    "speed",
    "effort",
    "query_source",
    "agent.name",
    "skill.name",
    "organization.id",
    "user.account_uuid",
    "user.account_id",
    "conversation.id",
    "prompt.id",
    "prompt_id",
    "auth_mode",
    "auth_type",
];
/// What the application says of its own call.
const KEPT_PREFIXES: &[&str] = &["ai.telemetry.metadata.", "traceloop.association.properties."];
const KEPT_MAX: usize = 100;
const KEPT_TEXT_BYTES: usize = 256;

/// The attributes of a span.
#[derive(Debug)]
pub(super) struct Attributes(Value);

impl Attributes {
    pub(super) fn new(attributes: Map<String, Value>) -> Self {
        Self(Value::Object(attributes))
    }

    /// The first of `names` that has a text.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| count::text(&self.0, name))
    }

    /// The first of `names` that has an e-mail address, in lower case.
    pub(super) fn email(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| crate::text::email("user", count::text(&self.0, name)?).ok())
    }

    /// A number, as it came.
    pub(super) fn number(&self, name: &str) -> Option<Value> {
        self.0.get(name).filter(|value| value.is_number()).cloned()
    }

    /// The first of `names` that has a count; some instrumentations write counts as texts.
    pub(super) fn count(&self, names: &[&str]) -> Option<u64> {
        let written = |name: &&str| count::text(&self.0, name)?.parse().ok();
        names.iter().find_map(|name| count::count(&self.0, name).or_else(|| written(name)))
    }

    /// Milliseconds of a number of seconds.
    pub(super) fn milliseconds_of_seconds(&self, name: &str) -> Option<u64> {
        count::milliseconds(&self.0, name)
    }

    /// Whole milliseconds.
    pub(super) fn milliseconds(&self, name: &str) -> Option<u64> {
        let Value::Number(number) = self.0.get(name)? else { return None };
        number.to_string().split('.').next()?.parse().ok()
    }

    /// A document that is written into a text.
    pub(super) fn document(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.text(&[name])?).ok()
    }

    /// The words of a list, which is one or a text of one.
    pub(super) fn words(&self, names: &[&str]) -> Vec<String> {
        let list = names.iter().find_map(|name| {
            let value = self.0.get(name)?;
            value.as_str().and_then(|text| serde_json::from_str(text).ok()).or_else(|| Some(value.clone()))
        });
        let Some(Value::Array(words)) = list else { return Vec::new() };
        words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Whether any attribute begins like this.
    pub(super) fn any_begins(&self, prefix: &str) -> bool {
        self.0.as_object().is_some_and(|all| all.keys().any(|key| key.starts_with(prefix)))
    }

    /// What is kept of them as it was sent: figures, names and ids; no prompts, no answers.
    pub(super) fn kept(&self) -> Map<String, Value> {
        let all = self.0.as_object().into_iter().flatten();
        let kept = all.filter_map(|(key, value)| Some((key.clone(), keepable(key, value)?)));
        kept.take(KEPT_MAX).collect()
    }
}

fn keepable(key: &str, value: &Value) -> Option<Value> {
    if key.len() > KEPT_TEXT_BYTES {
        return None;
    }
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let is_kept = KEPT_TEXTS.iter().any(|names| names.contains(&key))
                || KEPT_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
            is_kept.then(|| crate::text::cut(text, KEPT_TEXT_BYTES).into())
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
