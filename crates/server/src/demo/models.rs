//! Models that the demo's projects call.

/// A model, as far as its records show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) name: &'static str,
    /// Milliseconds to the first token, about.
    pub(super) first_token_ms: u64,
    /// Milliseconds for a hundred tokens after it, about.
    pub(super) hundred_tokens_ms: u64,
    /// Reasoning tokens for a hundred tokens of answer, about.
    pub(super) reasoning_percent: u64,
    /// Writes to the cache cost extra, and are told.
    pub(super) tells_cache_writes: bool,
}

const fn model(
    provider: &'static str,
    name: &'static str,
    speed: (u64, u64),
    reasoning_percent: u64,
) -> Model {
    let (first_token_ms, hundred_tokens_ms) = speed;
    Model { provider, name, first_token_ms, hundred_tokens_ms, reasoning_percent, tells_cache_writes: false }
}

const fn claude(provider: &'static str, name: &'static str, speed: (u64, u64)) -> Model {
    Model { tells_cache_writes: true, ..model(provider, name, speed, 0) }
}

pub(super) const GPT_TERRA: Model = model("openai", "gpt-5.6-terra", (900, 1400), 60);
pub(super) const GPT_LUNA: Model = model("openai", "gpt-6-luna", (420, 600), 0);
pub(super) const GPT_SOL: Model = model("openai", "gpt-6-sol", (1300, 1500), 140);
pub(super) const GPT_MINI: Model = model("openai", "gpt-5-mini", (500, 800), 30);
pub(super) const GPT_OLD: Model = model("openai", "gpt-4.1-mini", (450, 900), 0);
pub(super) const EMBEDDING: Model = model("openai", "text-embedding-3-small", (90, 0), 0);
pub(super) const CLAUDE_SONNET: Model = claude("anthropic", "claude-sonnet-5-5", (850, 1300));
pub(super) const CLAUDE_OPUS: Model = claude("anthropic", "claude-opus-5-5", (1500, 2100));
pub(super) const CLAUDE_HAIKU: Model = claude("anthropic", "claude-haiku-5-5", (380, 650));
pub(super) const GEMINI_PRO: Model = model("google", "gemini-3.1-pro-preview", (1400, 1200), 90);
pub(super) const GEMINI_FLASH: Model = model("google", "gemini-3.8-flash", (350, 450), 20);
pub(super) const GEMINI_LITE: Model = model("google", "gemini-3.5-flash-lite", (250, 350), 0);
pub(super) const BEDROCK_SONNET: Model =
    claude("bedrock", "global.anthropic.claude-sonnet-5-v1:0", (950, 1400));
pub(super) const BEDROCK_NOVA: Model = model("bedrock", "amazon.nova-lite-v1:0", (400, 550), 0);
pub(super) const MISTRAL_LARGE: Model = model("mistral", "mistral-large-4", (600, 1100), 0);
pub(super) const MISTRAL_SMALL: Model = model("mistral", "mistral-small-2603", (300, 500), 0);
pub(super) const DEEPSEEK_FLASH: Model = model("deepseek", "deepseek-v4-flash", (700, 900), 0);
pub(super) const DEEPSEEK_PRO: Model = model("deepseek", "deepseek-v4-pro", (1600, 1900), 220);

/// Models that no catalog knows: fine-tuned or served by oneself. Their records show how the unpriced are told.
pub(super) const UNKNOWN: [Model; 3] = [
    model("openai", "acme-tone-of-voice-v3", (600, 1000), 0),
    model("mistral", "acme-labels-2026-10", (500, 800), 0),
    model("self-hosted", "acme-research-32b", (1100, 2600), 0),
];
