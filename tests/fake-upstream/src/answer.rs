//! A reply before it is sent.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{Billed, Usage, call::ID_DIGITS};

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

    /// The same with another id: its digits become those of `number`. For ids that end in so many digits of a hash.
    pub(crate) fn renumbered(&self, number: u64) -> Self {
        let mut answer = self.clone();
        let Some(bill) = &mut answer.billed else { return answer };
        let start = bill.response_id.len().saturating_sub(ID_DIGITS);
        let Some(digits) = bill.response_id.get(start..).map(str::to_owned) else { return answer };
        let others = format!("{number:0ID_DIGITS$x}");
        bill.response_id.replace_range(start.., &others);
        let replace = |bytes: &Bytes| replace(bytes, digits.as_bytes(), others.as_bytes());
        answer.content = match &self.content {
            Content::Whole(bytes) => Content::Whole(replace(bytes)),
            Content::Events(events) => Content::Events(events.iter().map(replace).collect()),
        };
        answer
    }

    pub(crate) fn billed(mut self, response_id: &str, model: &str, usage: Usage) -> Self {
        self.billed = Some(Billed { response_id: response_id.to_owned(), model: model.to_owned(), usage });
        self
    }
}

fn replace(bytes: &Bytes, digits: &[u8], others: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) =
        bytes.get(at..).and_then(|rest| rest.windows(digits.len()).position(|window| window == digits))
    {
        at += found + digits.len();
        if let Some(place) = bytes.get_mut(at - digits.len()..at) {
            place.copy_from_slice(others);
        }
    }
    bytes.into()
}

/// `data: …`, as everybody but Anthropic does.
pub(crate) fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// `event: …` and `data: …`; the event is the value's type.
pub(crate) fn event(value: &Value) -> Bytes {
    Bytes::from(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default()))
}
