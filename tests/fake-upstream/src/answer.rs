//! A reply before it is sent.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{Billed, Usage};

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
    pub(crate) billed: Option<Billed>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Whole(Bytes),
    /// Events of a stream, framed as the provider does.
    Events(Vec<Bytes>),
}

impl Answer {
    fn new(content_type: &'static str, content: Content) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status: StatusCode::OK, headers, content, billed: None }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new("application/json", Content::Whole(serde_json::to_vec(value).unwrap().into()))
    }

    pub(crate) fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::new(content_type, Content::Whole(bytes.into()))
    }

    pub(crate) fn events(content_type: &'static str, events: Vec<Bytes>) -> Self {
        Self::new(content_type, Content::Events(events))
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        self
    }

    pub(crate) fn billed(mut self, response_id: &str, model: &str, usage: Usage) -> Self {
        self.billed = Some(Billed { response_id: response_id.to_owned(), model: model.to_owned(), usage });
        self
    }
}

/// `data: …`, as everybody but Anthropic does.
pub(crate) fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// `event: …` and `data: …`; the event is the value's type.
pub(crate) fn event(value: &Value) -> Bytes {
    Bytes::from(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default()))
}
