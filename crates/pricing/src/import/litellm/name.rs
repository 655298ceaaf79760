//! `bedrock/us-east-1/anthropic.claude-v2:1` as provider, region and model.

use crate::canonical_provider;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// As in [`canonical_provider`].
    pub(super) provider: String,
    pub(super) region: Option<String>,
    pub(super) model: &'a str,
}

/// Runs on the operator's own machine, for nothing.
const LOCAL: [&str; 2] = ["ollama", "lemonade"];

impl<'a> Name<'a> {
    /// `None` for capacity that is paid by the hour, whoever uses it.
    pub(super) fn parse(name: &'a str, litellm_provider: &str) -> Option<Self> {
        let provider = our_provider(litellm_provider);
        let mut model = name;
        if let Some((first, rest)) = name.split_once('/')
            && (first == litellm_provider || our_provider(first) == provider)
        {
            model = rest;
        }
        let mut region = None;
        if let Some((first, rest)) = model.split_once('/').filter(|(first, _)| is_region(&provider, first)) {
            (region, model) = (Some(first.to_owned()), rest);
        }
        let is_model = !model.is_empty() && !model.contains("-commitment/") && !model.starts_with("*/");
        is_model.then_some(Self { provider, region, model })
    }

    pub(super) fn is_local(&self) -> bool {
        LOCAL.contains(&self.provider.as_str()) || self.model.ends_with(":free")
    }
}

fn our_provider(litellm_provider: &str) -> String {
    let known = match litellm_provider {
        "text-completion-openai" => "openai",
        "azure_text" => "azure",
        "bedrock_converse" | "bedrock_mantle" => "bedrock",
        "codestral" | "text-completion-codestral" => "mistral",
        "fireworks_ai-embedding-models" => "fireworks",
        vertex if vertex.starts_with("vertex_ai-") => "google",
        other => return canonical_provider(other).into_owned(),
    };
    known.to_owned()
}

fn is_region(provider: &str, text: &str) -> bool {
    match provider {
        "azure" => matches!(text, "eu" | "us" | "global" | "global-standard"),
        // `us-gov-west-1`
        "bedrock" => {
            text.contains('-')
                && text.ends_with(|end: char| end.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn names_are_taken_apart() {
        let vectors = [
            ("gpt-4o", "openai", "openai||gpt-4o"),
            ("azure/eu/gpt-4o", "azure", "azure|eu|gpt-4o"),
            ("azure/gpt-4o", "azure", "azure||gpt-4o"),
            ("azure_ai/whisper", "azure_ai", "azure||whisper"),
            ("bedrock/us-east-1/anthropic.claude-v2:1", "bedrock", "bedrock|us-east-1|anthropic.claude-v2:1"),
            ("bedrock/us-gov-west-1/meta.llama3", "bedrock", "bedrock|us-gov-west-1|meta.llama3"),
            ("us.anthropic.claude-opus-5", "bedrock_converse", "bedrock||us.anthropic.claude-opus-5"),
            (
                "vertex_ai/claude-opus-5@20260101",
                "vertex_ai-anthropic_models",
                "google||claude-opus-5@20260101",
            ),
            ("gemini/gemini-2.5-pro", "gemini", "google||gemini-2.5-pro"),
            ("fireworks_ai/accounts/f/models/m", "fireworks_ai", "fireworks||accounts/f/models/m"),
            ("together_ai/meta-llama/Llama", "together_ai", "together||meta-llama/Llama"),
            ("1024-x-1024/dall-e-3", "openai", "openai||1024-x-1024/dall-e-3"),
        ];
        for (name, provider, expected) in vectors {
            let name = Name::parse(name, provider).unwrap();
            let parts = format!("{}|{}|{}", name.provider, name.region.unwrap_or_default(), name.model);
            assert_eq!(parts, expected);
        }
        assert_eq!(Name::parse("bedrock/*/1-month-commitment/cohere.command", "bedrock"), None);
        assert_eq!(Name::parse("bedrock/us-east-1/6-month-commitment/x", "bedrock"), None);
    }
}
