//! The tracker's HTTP API: one request, its answer or a [`TrackerError`].

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{self, HeaderMap, HeaderValue},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    answer::Pagination,
    clock::Clock,
    error::{FieldProblem, Refusal, TrackerError},
};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer; the tracker's are smaller.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What of a name is not a part of a path.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where the tracker is, and the key to it.
#[derive(Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: Url,
    key: Option<HeaderValue>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<String>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>, query: Vec<(String, String)>) -> Self {
        Self { method: Method::GET, path: path.into(), query, body: None }
    }

    pub(crate) fn post(path: impl Into<String>, body: String) -> Self {
        Self { method: Method::POST, path: path.into(), query: Vec::new(), body: Some(body) }
    }
}

/// The answer's envelope, read straight from its text: money keeps its digits.
#[derive(Debug, Deserialize)]
pub(crate) struct Success<T> {
    pub(crate) data: T,
    pub(crate) pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    error: Failed,
}

#[derive(Debug, Deserialize)]
struct Failed {
    code: String,
    message: String,
    #[serde(default)]
    details: Vec<FieldProblem>,
}

/// A name as a part of a path.
pub(crate) fn in_path(name: &str) -> String {
    utf8_percent_encode(name, NAME).to_string()
}

impl Api {
    pub(crate) fn new(
        base_url: &str,
        key: Option<&str>,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TrackerError> {
        let base_url = Url::parse(base_url.trim_end_matches('/'))
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                setting("API_KEY", format!("{base_url:?} is no address such as http://localhost:8000/api"))
            })?;
        let key = key.map(authorization).transpose()?;
        Ok(Self { http: http()?, base_url, key, timeout, clock })
    }

    /// Where calls go that the tracker's gateway records itself.
    pub(crate) fn gateway(&self) -> String {
        let base = self.base_url.as_str().trim_end_matches('/');
        format!("{}/gateway/", base.strip_suffix("/api").unwrap_or(base))
    }

    pub(crate) async fn data<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, TrackerError> {
        Ok(self.ask(ask).await?.data)
    }

    /// One bound for the whole exchange, the body of the answer included.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<Success<T>, TrackerError> {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{}", url.path().trim_end_matches('/'), ask.path));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        let mut request = self.http.request(ask.method, url).timeout(self.timeout);
        request = request.header(header::ACCEPT, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, key);
        }
        if let Some(body) = ask.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let (status, retry_after) = (response.status(), self.retry_after(response.headers()));
        let text = self.body(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&text)
                .map_err(|error| TrackerError::Unreadable { reason: error.to_string() });
        }
        Err(refusal(status, &text, retry_after))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, TrackerError> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(TrackerError::Unreadable { reason: "it is too long".to_owned() });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> TrackerError {
        let reason = if error.is_timeout() {
            format!("no answer within {} ms", self.timeout.as_millis())
        } else {
            innermost(error)
        };
        TrackerError::Unreachable { address: self.base_url.to_string(), reason }
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let said = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        pause_of(said, self.clock.now())
    }
}

/// Seconds, or a date.
fn pause_of(said: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = said.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = Timestamp::try_from(httpdate::parse_http_date(said.trim()).ok()?).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

fn refusal(status: StatusCode, text: &[u8], retry_after: Option<Duration>) -> TrackerError {
    let said = serde_json::from_slice::<Failure>(text).ok().map(|failure| failure.error);
    let (code, message, details) = match said {
        Some(failed) => (Some(failed.code), failed.message, failed.details),
        None => (None, format!("the tracker answered {}", status.as_u16()), Vec::new()),
    };
    TrackerError::Refused(Box::new(Refusal { status: status.as_u16(), code, message, details, retry_after }))
}

/// What is at the bottom of an error: its outer layers only say that something was sent.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn setting(setting: &'static str, reason: String) -> TrackerError {
    TrackerError::Setting { setting, reason }
}

fn authorization(key: &str) -> Result<HeaderValue, TrackerError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| setting("AICT_API_KEY", "it has characters that no key has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// TLS with the platform's authorities, and without a provider for the whole process: that is the program's to choose. No
/// redirects: a key goes where it was sent, and nowhere else.
fn http() -> Result<reqwest::Client, TrackerError> {
    let failed = |reason: String| setting("TLS", reason);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
        .map_err(|error| failed(error.to_string()))?;
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| failed(innermost(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        assert_eq!(pause_of("12", now), Some(Duration::from_secs(12)));
        assert_eq!(pause_of("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(pause_of("Sun, 06 Nov 1994 08:49:29 GMT", now), Some(Duration::ZERO));
        assert_eq!(pause_of("soon", now), None);
    }

    #[test]
    fn a_refusal_keeps_code_and_fields() {
        let text = br#"{"success":false,"error":{"code":"invalid","message":"no","details":[{"field":"model","message":"is required"}]}}"#;
        let error = refusal(StatusCode::UNPROCESSABLE_ENTITY, text, None);
        assert_eq!((error.code(), error.status(), error.is_temporary()), (Some("invalid"), Some(422), false));
        assert_eq!(error.refusal().unwrap().details[0].field, "model");
        let error = refusal(StatusCode::BAD_GATEWAY, b"<html>", None);
        assert_eq!((error.code(), error.is_temporary()), (None, true));
    }

    #[test]
    fn names_are_one_part_of_a_path() {
        assert_eq!(in_path("../a b"), "..%2Fa%20b");
    }
}
