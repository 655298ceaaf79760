//! What the fake remembers: requests that came, and what they cost.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde::Serialize;
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// In the order in which they came; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty if it was not read (`x-fake: early`).
    pub body: Bytes,
}

impl Request {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parts.headers.iter();
        Self {
            method: parts.method.to_string(),
            target: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body,
        }
    }

    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn to_json(&self) -> Value {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        json!({
            "method": self.method,
            "target": self.target,
            "headers": self.headers,
            "body": String::from_utf8_lossy(&self.body),
            "bodyBase64": STANDARD.encode(&self.body),
        })
    }
}

/// What a call used, in the tracker's normal form: details are inside of the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub cache_write_1h_tokens: u64,
    pub reasoning_tokens: u64,
    pub audio_seconds: u64,
    pub images: u64,
}

/// A call that the provider bills, also when its client has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// As the reply says it; Bedrock's is that of the header `x-amzn-requestid`.
    pub response_id: String,
    /// The model that answered.
    pub model: String,
    pub usage: Usage,
}
