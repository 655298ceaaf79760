//! Names of providers.

use std::borrow::Cow;

/// The catalog's name of a provider, for the many names that SDKs, traces and clouds give it.
///
/// `aws-bedrock`, `aws.bedrock` and `Amazon Bedrock` are `bedrock`; `gemini`, `vertex_ai` and `gcp.gemini` are
/// `google`; `openai.chat` (the AI SDK's `provider.api`) is `openai`. An unknown name comes back trimmed and in
/// lower case.
pub fn canonical_provider(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim();
    let known =
        lookup(trimmed).or_else(|| trimmed.split_once('.').and_then(|(provider, _)| lookup(provider)));
    match known {
        Some(provider) => Cow::Borrowed(provider),
        None if trimmed.chars().any(char::is_uppercase) => Cow::Owned(trimmed.to_lowercase()),
        None => Cow::Borrowed(trimmed),
    }
}

/// Longest name that is looked up.
const NAME_BYTES_MAX: usize = 40;

fn lookup(name: &str) -> Option<&'static str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    by_letters(&letters)
}

/// Names are compared by their letters and digits alone.
fn by_letters(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "openai" | "openaichat" | "openairesponses" => "openai",
        "anthropic" | "claude" => "anthropic",
        "google" | "googleai" | "googleaistudio" | "googlegenai" | "googlegenerativeai" | "gemini"
        | "vertex" | "vertexai" | "googlevertex" | "googlevertexai" | "gcpgemini" | "gcpvertexai"
        | "gcpgenai" | "gcp" => "google",
        "bedrock" | "awsbedrock" | "amazonbedrock" | "bedrockconverse" | "aws" | "amazon" => "bedrock",
        "azure" | "azureopenai" | "azureaiopenai" | "azaiopenai" | "azureaiinference" | "azaiinference"
        | "azureai" | "azureaifoundry" | "microsoft" => "azure",
        "mistral" | "mistralai" => "mistral",
        "deepseek" => "deepseek",
        "xai" | "grok" => "xai",
        "cohere" | "coherechat" => "cohere",
        "groq" => "groq",
        "perplexity" | "perplexityai" => "perplexity",
        "moonshot" | "moonshotai" | "kimi" => "moonshotai",
        "together" | "togetherai" => "together",
        "fireworks" | "fireworksai" => "fireworks",
        "openrouter" => "openrouter",
        "voyage" | "voyageai" => "voyageai",
        "cerebras" => "cerebras",
        "zai" => "zai",
        "zhipu" | "zhipuai" | "bigmodel" => "zhipuai",
        "githubcopilot" | "copilot" => "github-copilot",
        "workersai" | "cloudflare" | "cloudflareworkersai" => "cloudflare",
        "meta" | "metallama" => "meta",
        "elevenlabs" => "elevenlabs",
        "databricks" => "databricks",
        "ovh" | "ovhcloud" => "ovhcloud",
        "novita" | "novitaai" => "novita",
        "minimax" => "minimax",
        _ => return None,
    })
}
