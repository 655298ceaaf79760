//! `[gateway]`, whose providers have names of the operator's choice.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use axum::http::Uri;
use serde::{Deserialize, Deserializer, de::Error as _};

const SECTION: &str = "gateway.providers.";
const VARIABLE: &str = "AICT_GATEWAY__PROVIDERS__";
/// Settings that a provider's section may have.
const SETTINGS: [&str; 5] = ["base_url", "provider", "auth", "ask_for_usage", "ca_file"];

/// `[gateway]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// What happens to calls while the store is down.
    pub when_store_is_down: WhenStoreIsDown,
    /// What happens to calls whose cost cannot be bounded, under a budget that blocks.
    pub unpriced_models: UnpricedModels,
    /// Calls under way at the same time.
    pub calls_max: usize,
    /// Bytes of a request that is read to be metered.
    pub body_bytes_max: usize,
    /// Output that a call is taken to have at most when it does not say.
    pub assumed_output_tokens: u64,
    /// How long a provider may take until its answer begins.
    pub head_timeout_ms: u64,
    /// How long a pause in an answer may be.
    pub idle_timeout_ms: u64,
    /// How long an answer is read after the client has left.
    pub drain_timeout_ms: u64,
    /// How much of an answer is read after the client has left.
    pub drain_bytes_max: u64,
    /// Bytes of records that wait on disk.
    pub journal_bytes_max: u64,
    /// Calls a minute for a tracker key without a limit of its own; 0 is no limit.
    pub requests_per_minute: u32,
    /// Tokens a minute for a tracker key without a limit of its own; 0 is no limit.
    pub tokens_per_minute: u32,
    /// Where calls go, by the name in the path.
    pub providers: BTreeMap<String, ProviderUpstream>,
}

/// What happens to calls while the tracker's own store is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenStoreIsDown {
    /// They are forwarded; their records wait on disk.
    FailOpen,
    /// They are answered with 503.
    FailClosed,
}

/// What happens to a call of a model without a price, under a budget that blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedModels {
    /// It is refused: nobody knows whether the budget allows it.
    Refuse,
    /// It is forwarded.
    Allow,
}

/// `[gateway.providers.<name>]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderUpstream {
    /// Address to which the rest of the path is appended; may contain `{region}` or `{location}`.
    #[serde(deserialize_with = "base_url")]
    pub base_url: String,
    /// Whose prices and keys hold; the section's name when missing.
    pub provider: Option<String>,
    /// How the key is sent.
    #[serde(default)]
    pub auth: KeyPlace,
    /// Whether a stream must be asked to say its usage.
    #[serde(default = "yes")]
    pub ask_for_usage: bool,
    /// Certificates (PEM) of authorities that are trusted for this provider, besides those of the machine.
    pub ca_file: Option<PathBuf>,
}

/// How a provider takes its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// `Authorization: Bearer`.
    #[default]
    Bearer,
    /// The header `x-api-key`, as Anthropic does.
    XApiKey,
    /// The header `api-key`, as Azure does.
    ApiKey,
    /// The header `x-goog-api-key`, as Google does.
    XGoogApiKey,
    /// A signature (Signature Version 4), or a bearer key.
    Aws,
    /// Not at all.
    None,
}

impl Gateway {
    /// How long a provider may take until its answer begins.
    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_timeout_ms)
    }

    /// How long a pause in an answer may be.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    /// How long an answer is read after the client has left.
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }
}

/// Whether `key` is a setting of some provider, known or new.
pub(super) fn is_provider_setting(key: &str) -> bool {
    let parts = key.strip_prefix(SECTION).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(name, setting)| is_name(name) && SETTINGS.contains(&setting))
}

/// Whether such a setting is true or false.
pub(super) fn is_switch(key: &str) -> bool {
    is_provider_setting(key) && key.ends_with(".ask_for_usage")
}

/// Keys of providers that only the environment names.
pub(super) fn keys_among(variables: &BTreeMap<String, String>) -> Vec<String> {
    let key = |variable: &String| {
        let (name, setting) = variable.strip_prefix(VARIABLE)?.split_once("__")?;
        let key = format!("{SECTION}{}.{}", name.to_lowercase(), setting.to_lowercase());
        is_provider_setting(&key).then_some(key)
    };
    variables.keys().filter_map(key).collect()
}

/// A name that can stand in a path as it is.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let probe = text.replace("{region}", "region").replace("{location}", "location");
    let is_address = probe.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    });
    if !is_address || probe.contains(['{', '}', '#']) {
        return Err(D::Error::custom(format!(
            "must be an address such as https://api.example.com, not {text:?}"
        )));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Sources};
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, String> {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { environment, ..Sources::default() };
        Config::load(&sources).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_may_name_a_provider_of_its_own() {
        let config = load(&[
            ("AICT_GATEWAY__PROVIDERS__MY_VLLM__BASE_URL", "http://10.0.0.5:8001/"),
            ("AICT_GATEWAY__PROVIDERS__MY_VLLM__AUTH", "none"),
            ("AICT_GATEWAY__PROVIDERS__MY_VLLM__ASK_FOR_USAGE", "false"),
            ("AICT_GATEWAY__PROVIDERS__OPENAI__BASE_URL", "https://eu.api.openai.com"),
        ])
        .unwrap();
        let mine = &config.gateway.providers["my_vllm"];
        assert_eq!(
            (mine.base_url.as_str(), mine.auth, mine.ask_for_usage),
            ("http://10.0.0.5:8001", KeyPlace::None, false)
        );
        assert_eq!(config.gateway.providers["openai"].base_url, "https://eu.api.openai.com");
        assert_eq!(config.gateway.providers["anthropic"].auth, KeyPlace::XApiKey);
    }

    #[test]
    fn a_provider_that_cannot_be_used_is_told() {
        for (variable, value, expected) in [
            ("AICT_GATEWAY__PROVIDERS__OPENAI__BASE_URL", "api.openai.com", "must be an address"),
            ("AICT_GATEWAY__PROVIDERS__OPENAI__BASE_URL", "https://{zone}.example.com", "must be an address"),
            ("AICT_GATEWAY__PROVIDERS__MINE__AUTH", "bearer", "base_url"),
            ("AICT_GATEWAY__PROVIDERS__OPENAI__AUTH", "basic", "unknown variant"),
            ("AICT_GATEWAY__PROVIDERS__OPENAI__BASE_URI", "https://x", "did you mean"),
        ] {
            let error = load(&[(variable, value)]).unwrap_err();
            assert!(error.contains(expected), "{variable}={value}: {error}");
        }
    }
}
