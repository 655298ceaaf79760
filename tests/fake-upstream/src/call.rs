//! A request as the providers see it.

use bytes::Bytes;
use hyper::{HeaderMap, http::request::Parts};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Behaviour, plan::Plan};

/// Unix time of everything: replies are functions of the request.
pub(crate) const CREATED: u64 = 1_760_000_000;

/// Digits of the hash that are in an id.
pub(crate) const ID_DIGITS: usize = 24;

/// A request, read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: hyper::Method,
    /// As it was sent, with its escapes.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body, if it is JSON; null if it is not.
    pub(crate) json: Value,
    pub(crate) behaviour: Behaviour,
    /// Hash of path, header `x-fake-salt` and body, in hex; ids are made of it. Once the body is read, of what it asks for.
    pub(crate) hash: String,
}

impl Call {
    pub(crate) fn new(parts: Parts, body: Bytes, behaviour: Behaviour) -> Self {
        let path = parts.uri.path().to_owned();
        let salt = parts.headers.get("x-fake-salt").map_or(&[][..], |salt| salt.as_bytes()).to_owned();
        Self {
            method: parts.method,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            hash: hash(&path, &salt, &body),
            json: Value::Null,
            path,
            body,
            behaviour,
        }
    }

    /// From here on the hash is that of the path and of what the body asks for: however it is written, and without
    /// `stream_options`, which a gateway may have added to learn the usage. The answer's ids stay the same.
    pub(crate) fn hash_what_is_asked(&mut self) {
        let mut asked = self.json.clone();
        if let Some(fields) = asked.as_object_mut() {
            fields.remove("stream_options");
        }
        asked.sort_all_objects();
        let salt = self.header("x-fake-salt").unwrap_or_default();
        self.hash = hash(&self.path, salt.as_bytes(), asked.to_string().as_bytes());
    }

    /// An id of this call: the prefix and some of the hash.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.hash.get(..ID_DIGITS).unwrap_or_default())
    }

    /// An id of what was sent in a form, whose boundary is a random one.
    pub(crate) fn id_of(&self, prefix: &str, content: &[u8]) -> String {
        let salt = self.header("x-fake-salt").unwrap_or_default();
        let hash = hash(&self.path, salt.as_bytes(), content);
        format!("{prefix}{}", hash.get(..ID_DIGITS).unwrap_or_default())
    }

    /// In the form of a UUID, as Amazon's request ids are.
    pub(crate) fn uuid(&self) -> String {
        let part = |from: usize, to: usize| self.hash.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key).and_then(Value::as_str)
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.json.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// The first of these keys that has a count.
    pub(crate) fn count(&self, keys: &[&str]) -> Option<u64> {
        keys.iter().find_map(|key| self.json.get(key).and_then(Value::as_u64))
    }

    /// Whether the request brings a list of tools with something in it.
    pub(crate) fn has_tools(&self) -> bool {
        self.json.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty())
    }

    /// What is answered to the words of these fields.
    pub(crate) fn plan(&self, inputs: &[&str], tokens_max: Option<u64>) -> Plan {
        let words = inputs.iter().filter_map(|key| self.json.get(key)).map(crate::plan::words_in).sum();
        Plan::new(&self.behaviour, words, tokens_max)
    }
}

fn hash(path: &str, salt: &[u8], body: &[u8]) -> String {
    hex(&Sha256::new().chain_update(path).chain_update([0]).chain_update(salt).chain_update(body).finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// A segment of a path without its escapes.
pub(crate) fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Numbers of a vector, a function of the hash.
pub(crate) fn vector(hash: &str, length: usize) -> Vec<f32> {
    const VALUES: [f32; 16] = [
        0.013_168_5,
        -0.008_711_9,
        -0.046_782_7,
        0.25,
        -0.5,
        0.031_25,
        0.001_953,
        -0.062_5,
        0.021_9,
        -0.014_7,
        0.007_8,
        0.125,
        -0.003_9,
        0.052_4,
        -0.037_1,
        0.018_3,
    ];
    let digits = hash.bytes().filter_map(|byte| char::from(byte).to_digit(16));
    let indexes: Vec<usize> = digits.filter_map(|digit| usize::try_from(digit).ok()).collect();
    indexes.iter().cycle().take(length).filter_map(|index| VALUES.get(*index).copied()).collect()
}
