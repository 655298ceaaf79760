//! Which credentials a request carries: our tracker key, and perhaps the caller's own key of the provider.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use domain::tracker_key;

/// What a request authenticates with.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// The tracker key, wherever it was.
    pub(super) tracker_key: Option<String>,
    /// The caller's own key of the provider, with the header it goes in.
    pub(super) own: Option<(HeaderName, HeaderValue)>,
    /// An AWS signature of the caller's own; it holds for our address only and cannot be passed on.
    pub(super) is_signed_by_caller: bool,
}

/// Headers that only ever carry our key.
const OURS: [&str; 2] = ["x-tracker-key", "costkatana-auth"];
/// Headers in which providers take theirs.
const PROVIDERS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// Finds the credentials among the headers of a request.
pub(super) fn find(headers: &HeaderMap) -> Credentials {
    let mut found = Credentials::default();
    for name in OURS {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        found.tracker_key = found.tracker_key.or_else(|| value.map(|value| bearer(value).to_owned()));
    }
    for name in PROVIDERS {
        let Some(value) = headers.get(&name) else { continue };
        let text = value.to_str().unwrap_or_default();
        if let Some(key) = tracker_key_in(text) {
            found.tracker_key.get_or_insert_with(|| key.to_owned());
        } else if text.starts_with("AWS4-") {
            found.is_signed_by_caller = true;
        } else {
            let mut value = value.clone();
            value.set_sensitive(true);
            found.own.get_or_insert((name, value));
        }
    }
    found
}

/// A tracker key in a header of a provider: as the key itself, or as the access key id of an AWS signature
/// (`AWS4-HMAC-SHA256 Credential=<access key id>/<date>/…`), for AWS's own clients.
fn tracker_key_in(value: &str) -> Option<&str> {
    let signer = value.split_once("Credential=").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    [bearer(value)].into_iter().chain(signer).find(|key| key.starts_with(tracker_key::PREFIX))
}

fn bearer(value: &str) -> &str {
    let value = value.trim();
    match value.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&'static str, &'static str)]) -> (Option<String>, Option<String>, bool) {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let found = find(&headers);
        (found.tracker_key, found.own.map(|(name, _)| name.to_string()), found.is_signed_by_caller)
    }

    #[test]
    fn our_key_is_found_wherever_a_providers_client_puts_its_own() {
        let ours = Some("aict_1".to_owned());
        for (pairs, own, signed) in [
            (&[("authorization", "Bearer aict_1")][..], None, false),
            (&[("x-api-key", "aict_1")], None, false),
            (&[("x-goog-api-key", "aict_1")], None, false),
            (&[("api-key", "aict_1")], None, false),
            (
                &[(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=aict_1/20240210/us-east-1/bedrock/aws4_request, Signature=0",
                )],
                None,
                false,
            ),
            (
                &[("costkatana-auth", "Bearer aict_1"), ("authorization", "Bearer sk-own")],
                Some("authorization"),
                false,
            ),
            (&[("x-tracker-key", "aict_1"), ("x-api-key", "sk-own")], Some("x-api-key"), false),
            (
                &[
                    ("x-tracker-key", "aict_1"),
                    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/1/r/bedrock/aws4_request"),
                ],
                None,
                true,
            ),
        ] {
            assert_eq!(found(pairs), (ours.clone(), own.map(str::to_owned), signed), "{pairs:?}");
        }
        assert_eq!(
            found(&[("authorization", "Bearer sk-own")]),
            (None, Some("authorization".to_owned()), false)
        );
        assert_eq!(found(&[]), (None, None, false));
    }
}
