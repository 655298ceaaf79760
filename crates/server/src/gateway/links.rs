//! The one address in an answer that has to lead back here.
//!
//! Anthropic's clients fetch the results of a batch from the address that the batch names (`results_url`), with the key
//! that they have: ours. Past the gateway it would be refused, and would have been shown to somebody who should not see it.

use axum::http::{HeaderMap, HeaderValue, header, request::Parts, uri::Authority};
use bytes::Bytes;

use super::upstream::Upstream;
use crate::app::App;

const KEY: &str = "\"results_url\"";

/// Leads links to a provider back to the gateway.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Links {
    from: String,
    to: String,
}

impl Links {
    /// For a request whose answer has such a link.
    pub(super) fn of(app: &App, upstream: &Upstream, path: &str, parts: &Parts) -> Option<Self> {
        if !path.contains("/messages/batches") || path.ends_with("/results") {
            return None;
        }
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(Authority::as_str));
        let ours = match &app.config.server.public_url {
            Some(address) => address.as_str().to_owned(),
            None => format!("http://{}", host?),
        };
        let to = format!("{ours}/gateway/{}", upstream.name);
        Some(Self { from: upstream.base_url().to_owned(), to })
    }

    /// The answer has to be readable.
    pub(super) fn ask_for_plain(headers: &mut HeaderMap) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }

    /// The answer with its links led back; everything else in it is as it was.
    pub(super) fn lead_back(&self, answer: Bytes) -> Bytes {
        let Some(text) = std::str::from_utf8(&answer).ok().filter(|text| text.contains(KEY)) else {
            return answer;
        };
        let mut led = String::with_capacity(text.len());
        for (index, part) in text.split_inclusive(KEY).enumerate() {
            let value = part.trim_start().strip_prefix(':').map(str::trim_start);
            let link = value.filter(|_| index > 0).and_then(|value| value.strip_prefix('"'));
            match link.and_then(|link| link.strip_prefix(self.from.as_str())) {
                Some(rest) => led.extend([":\"", self.to.as_str(), rest]),
                None => led.push_str(part),
            }
        }
        led.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_provider_are_led_back_and_nothing_else_changes() {
        let links = Links {
            from: "https://api.anthropic.com".to_owned(),
            to: "http://127.0.0.1:8000/gateway/anthropic".to_owned(),
        };
        for (answer, expected) in [
            (
                r#"{"id":"b","results_url":"https://api.anthropic.com/v1/messages/batches/b/results","n":1}"#,
                r#"{"id":"b","results_url":"http://127.0.0.1:8000/gateway/anthropic/v1/messages/batches/b/results","n":1}"#,
            ),
            (
                r#"{"data":[{"results_url" : "https://api.anthropic.com/1"},{"results_url":null}]}"#,
                r#"{"data":[{"results_url":"http://127.0.0.1:8000/gateway/anthropic/1"},{"results_url":null}]}"#,
            ),
            (r#"{"results_url":"https://elsewhere/1"}"#, r#"{"results_url":"https://elsewhere/1"}"#),
            (r#"{"url":"https://api.anthropic.com/1"}"#, r#"{"url":"https://api.anthropic.com/1"}"#),
        ] {
            assert_eq!(links.lead_back(Bytes::from(answer)), expected.as_bytes(), "{answer}");
        }
    }
}
