//! Keys of the providers, kept so that the gateway can call them. Only ciphertext is stored.

use jiff::Timestamp;
use serde::Deserialize;

use crate::{Invalid, Secret, UserId, limits};

/// A provider key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderKey {
    /// Whose key it is.
    pub user_id: UserId,
    /// Canonical id of the provider (`openai`, `bedrock`, …).
    pub provider: String,
    /// First and last four characters.
    pub masked: String,
    /// The encrypted key.
    pub sealed: Sealed,
    /// When it was added or last replaced.
    pub added_at: Timestamp,
    /// When the gateway last used it.
    pub last_used_at: Option<Timestamp>,
}

/// A secret under AES-256-GCM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which master key sealed it, so that a rotation can be resumed.
    pub key_id: String,
    /// 96 random bits, fresh for every encryption.
    pub nonce: [u8; 12],
    /// Ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

/// What signs calls of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsCredential {
    /// Tells whose key it is; not secret.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Secret,
    /// Goes with keys that are temporary.
    #[serde(default)]
    pub session_token: Option<Secret>,
    /// Where calls go, e.g. `us-east-1`.
    pub region: String,
}

impl AwsCredential {
    /// The credential in a kept key, unless that is a Bedrock API key.
    pub fn read(key: &Secret) -> Option<Self> {
        serde_json::from_str(key.expose()).ok()
    }
}

/// Checks the form of a new key and gives the mask under which it is listed.
///
/// A Bedrock credential is a JSON object (`accessKeyId`, `secretAccessKey`, `sessionToken?`, `region`) or a Bedrock API
/// key; its mask shows the access key id, which is not secret.
pub fn check(provider: &str, key: &Secret) -> Result<String, Invalid> {
    let text = key.expose();
    if text.len() > limits::PROVIDER_KEY_BYTES_MAX {
        return Err(Invalid::field(
            "key",
            format!("must have at most {} bytes", limits::PROVIDER_KEY_BYTES_MAX),
        ));
    }
    if provider == "bedrock" && text.trim_start().starts_with('{') {
        return check_bedrock(text);
    }
    // Keys travel in HTTP headers: visible ASCII, no spaces (RFC 9110, 5.5).
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Invalid::field("key", "must be the key itself: visible ASCII characters without spaces"));
    }
    Ok(key.masked())
}

fn check_bedrock(text: &str) -> Result<String, Invalid> {
    // The parser's own message could quote the credential.
    let credential: AwsCredential = serde_json::from_str(text).map_err(|_| {
        Invalid::field("key", "a Bedrock credential is JSON with accessKeyId, secretAccessKey, region and, if temporary, sessionToken")
    })?;
    let empty = [
        ("key.accessKeyId", credential.access_key_id.is_empty()),
        ("key.secretAccessKey", credential.secret_access_key.expose().is_empty()),
        ("key.sessionToken", credential.session_token.is_some_and(|token| token.expose().is_empty())),
        ("key.region", credential.region.is_empty()),
    ];
    match empty.into_iter().find(|(_, is_empty)| *is_empty) {
        Some((field, _)) => Err(Invalid::field(field, "must not be empty")),
        None => Ok(Secret::new(credential.access_key_id).masked()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked() {
        assert_eq!(check("openai", &Secret::new("sk-proj-abcdefghijkl")).unwrap(), "sk-p…ijkl");
        let credential =
            r#"{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"s","region":"us-east-1"}"#;
        assert_eq!(check("bedrock", &Secret::new(credential)).unwrap(), "AKIA…MPLE");
    }

    #[test]
    fn a_wrong_key_is_refused_without_repeating_it() {
        for wrong in ["", "sk with space", "sk-\n", "sk-é"] {
            assert_eq!(check("openai", &Secret::new(wrong)).unwrap_err().0[0].field, "key");
        }
        let incomplete = Secret::new(r#"{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"hush"}"#);
        assert!(!check("bedrock", &incomplete).unwrap_err().to_string().contains("hush"));
    }
}
