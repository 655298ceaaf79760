//! The messages of OTLP that are read, and the two ways in which they come:
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! A request is walked span by span and never held as a whole tree: most spans are no calls and are gone at once, and a
//! hostile body cannot grow to many times its size.

use std::iter;

use prost::{
    Message,
    bytes::Buf,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, value::RawValue};

use super::Malformed;

/// What produced spans: a service.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

/// What made them inside of it: an instrumentation.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "OTLP names them so")]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "hex")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "hex")]
    pub(super) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "hex")]
    pub(super) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "whole")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    #[serde(deserialize_with = "whole")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    pub(super) status: Option<Status>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    /// 0 unset, 1 ok, 2 error.
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct AnyValue {
    #[prost(oneof = "OneValue", tags = "1, 2, 3, 4, 5, 6")]
    #[serde(flatten)]
    pub(super) value: Option<OneValue>,
}

#[derive(Clone, PartialEq, prost::Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "OTLP/JSON names them so")]
pub(super) enum OneValue {
    #[prost(string, tag = "1")]
    StringValue(String),
    #[prost(bool, tag = "2")]
    BoolValue(bool),
    #[prost(int64, tag = "3")]
    #[serde(deserialize_with = "whole")]
    IntValue(i64),
    #[prost(double, tag = "4")]
    DoubleValue(f64),
    #[prost(message, tag = "5")]
    ArrayValue(ArrayValue),
    #[prost(message, tag = "6")]
    KvlistValue(KeyValueList),
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<KeyValue>,
}

impl Resource {
    /// The first of `names` that has a text.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        let find = |name: &&str| self.attributes.iter().find(|attribute| attribute.key == *name);
        names.iter().filter_map(find).find_map(|attribute| {
            match attribute.value.as_ref()?.value.as_ref()? {
                OneValue::StringValue(text) => Some(text.as_str()),
                _ => None,
            }
        })
    }
}

/// Attributes as a JSON object; of two with one key the first counts.
pub(super) fn object(attributes: Vec<KeyValue>) -> Map<String, Value> {
    let mut object = Map::new();
    for KeyValue { key, value } in attributes {
        object.entry(key).or_insert_with(|| value.map_or(Value::Null, AnyValue::into_json));
    }
    object
}

impl AnyValue {
    fn into_json(self) -> Value {
        match self.value {
            None => Value::Null,
            Some(OneValue::StringValue(text)) => Value::String(text),
            Some(OneValue::BoolValue(truth)) => Value::Bool(truth),
            Some(OneValue::IntValue(number)) => Value::from(number),
            Some(OneValue::DoubleValue(number)) => Value::from(number),
            Some(OneValue::ArrayValue(array)) => array.values.into_iter().map(Self::into_json).collect(),
            Some(OneValue::KvlistValue(list)) => Value::Object(object(list.values)),
        }
    }
}

/// One span with what it came from. `None` in the place of a span that is too large to be looked at.
pub(super) type Visit<'a> = dyn FnMut(&Resource, &Scope, Option<Span>) + 'a;

/// Largest span that is looked at; a larger one is counted as rejected.
const SPAN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest description of a service or an instrumentation that is looked at.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// Visits every span of an `ExportTraceServiceRequest` in protobuf.
pub(super) fn each_of_protobuf(body: &[u8], visit: &mut Visit<'_>) -> Result<(), Malformed> {
    for resource_spans in messages(body, 1) {
        let resource_spans = resource_spans?;
        let resource: Resource = first(resource_spans)?;
        for scope_spans in messages(resource_spans, 2) {
            let scope_spans = scope_spans?;
            let scope: Scope = first(scope_spans)?;
            for span in messages(scope_spans, 2) {
                let span = Some(span?).filter(|span| span.len() <= SPAN_BYTES_MAX);
                visit(&resource, &scope, span.map(Span::decode).transpose()?);
            }
        }
    }
    Ok(())
}

/// What is said of everything inside of a message: its first field. Too much of it is nothing.
fn first<M: Message + Default>(message: &[u8]) -> Result<M, Malformed> {
    let first = messages(message, 1).next().transpose()?.filter(|first| first.len() <= SOURCE_BYTES_MAX);
    Ok(first.map(M::decode).transpose()?.unwrap_or_default())
}

/// The messages in a field of a message; everything else in it is passed over. Nothing comes after an error.
fn messages(mut rest: &[u8], field: u32) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    iter::from_fn(move || {
        let next = next_message(&mut rest, field).transpose();
        rest = if matches!(next, Some(Err(_))) { &[] } else { rest };
        next
    })
}

fn next_message<'a>(rest: &mut &'a [u8], field: u32) -> Result<Option<&'a [u8]>, Malformed> {
    while rest.has_remaining() {
        let (tag, wire_type) = decode_key(rest)?;
        if wire_type != WireType::LengthDelimited || tag != field {
            skip_field(wire_type, tag, rest, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
        let (message, after) = rest.split_at_checked(length).ok_or(Malformed::CutOff)?;
        *rest = after;
        return Ok(Some(message));
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TracesJson<'a> {
    #[serde(borrow, default)]
    resource_spans: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpansJson<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_spans: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct ScopeSpansJson<'a> {
    #[serde(default)]
    scope: Scope,
    #[serde(borrow, default)]
    spans: Vec<&'a RawValue>,
}

/// Visits every span of an `ExportTraceServiceRequest` in JSON.
pub(super) fn each_of_json(body: &[u8], visit: &mut Visit<'_>) -> Result<(), Malformed> {
    let traces: TracesJson<'_> = serde_json::from_slice(body)?;
    for resource_spans in traces.resource_spans {
        let ResourceSpansJson { resource, scope_spans } = serde_json::from_str(resource_spans.get())?;
        let resource = resource.map(RawValue::get).filter(|resource| resource.len() <= SOURCE_BYTES_MAX);
        let resource: Resource = resource.map(serde_json::from_str).transpose()?.unwrap_or_default();
        for scope_spans in scope_spans {
            let ScopeSpansJson { scope, spans } = serde_json::from_str(scope_spans.get())?;
            for span in spans {
                let text = span.get();
                let span = (text.len() <= SPAN_BYTES_MAX).then(|| serde_json::from_str(text)).transpose()?;
                visit(&resource, &scope, span);
            }
        }
    }
    Ok(())
}

/// OTLP/JSON writes ids in hexadecimal digits, unlike the mapping of protobuf.
fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0);
    let digits = digits.ok_or_else(|| de::Error::custom("an id must be hexadecimal digits"))?;
    Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// A whole number, which JSON has as a text or as a number.
fn whole<'de, D: Deserializer<'de>, N: Deserialize<'de> + std::str::FromStr>(
    deserializer: D,
) -> Result<N, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written<N> {
        Number(N),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(|_| de::Error::custom("must be a whole number")),
    }
}
