//! The messages of OTLP that are read: <https://github.com/open-telemetry/opentelemetry-proto>.

use prost::Message;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

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

/// An event, or a line of a log.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LogRecord {
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "whole")]
    pub(super) time_unix_nano: u64,
    #[prost(message, optional, tag = "5")]
    pub(super) body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    #[serde(deserialize_with = "hex")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    #[serde(deserialize_with = "hex")]
    pub(super) span_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    #[serde(deserialize_with = "whole")]
    pub(super) observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    pub(super) event_name: String,
}

/// A metric, of which only is looked at what it is and how many points it has.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metric {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "5")]
    pub(super) gauge: Option<Points>,
    #[prost(message, optional, tag = "7")]
    pub(super) sum: Option<Points>,
    #[prost(message, optional, tag = "9")]
    pub(super) histogram: Option<Points>,
    #[prost(message, optional, tag = "10")]
    pub(super) exponential_histogram: Option<Points>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Points {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<Point>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message, Deserialize)]
#[expect(clippy::empty_structs_with_brackets, reason = "JSON has an object in its place")]
pub(super) struct Point {}

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
        names.iter().filter_map(find).find_map(|attribute| attribute.value.as_ref()?.text())
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

impl Metric {
    pub(super) fn point_count(&self) -> u64 {
        let points = [&self.gauge, &self.sum, &self.histogram, &self.exponential_histogram];
        points.into_iter().flatten().map(|points| points.data_points.len() as u64).sum()
    }
}

impl AnyValue {
    /// Its text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self.value.as_ref()? {
            OneValue::StringValue(text) => Some(text),
            _ => None,
        }
    }

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
