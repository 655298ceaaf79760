//! The two ways in which requests of OTLP come: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! Traces, logs and metrics have the same shape: resources hold scopes, scopes hold items. A request is walked item by item
//! and never held as a whole tree: most items are no calls and are gone at once, and a hostile body cannot grow to many
//! times its size.

use std::{borrow::Cow, fmt, iter};

use prost::{
    Message,
    bytes::Buf,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Encoding, Malformed,
    message::{LogRecord, Metric, Resource, Scope, Span},
};

/// What the scopes of a request hold.
pub(super) trait Item: Message + Default + DeserializeOwned {
    /// Names in JSON of the lists of resources, of scopes and of items; in protobuf they have the same numbers everywhere.
    const LISTS: [&'static str; 3];
}

impl Item for Span {
    const LISTS: [&'static str; 3] = ["resourceSpans", "scopeSpans", "spans"];
}

impl Item for LogRecord {
    const LISTS: [&'static str; 3] = ["resourceLogs", "scopeLogs", "logRecords"];
}

impl Item for Metric {
    const LISTS: [&'static str; 3] = ["resourceMetrics", "scopeMetrics", "metrics"];
}

/// One item with what it came from. `None` in the place of an item that is too large to be looked at.
pub(super) type Visit<'a, T> = dyn FnMut(&Resource, &Scope, Option<T>) + 'a;

/// Largest item that is looked at; a larger one is counted as rejected.
const ITEM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest description of a service or an instrumentation that is looked at.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// Visits every item of a request.
pub(super) fn each<T: Item>(
    encoding: Encoding,
    body: &[u8],
    visit: &mut Visit<'_, T>,
) -> Result<(), Malformed> {
    match encoding {
        Encoding::Protobuf => each_of_protobuf(body, visit),
        Encoding::Json => each_of_json(body, visit),
    }
}

fn each_of_protobuf<T: Item>(body: &[u8], visit: &mut Visit<'_, T>) -> Result<(), Malformed> {
    for of_resource in messages(body, 1) {
        let of_resource = of_resource?;
        let resource: Resource = first(of_resource)?;
        for of_scope in messages(of_resource, 2) {
            let of_scope = of_scope?;
            let scope: Scope = first(of_scope)?;
            for item in messages(of_scope, 2) {
                let item = Some(item?).filter(|item| item.len() <= ITEM_BYTES_MAX);
                visit(&resource, &scope, item.map(T::decode).transpose()?);
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

fn each_of_json<T: Item>(body: &[u8], visit: &mut Visit<'_, T>) -> Result<(), Malformed> {
    let [resources, scopes, items] = T::LISTS;
    let mut document = serde_json::Deserializer::from_slice(body);
    let [found] = Fields([resources]).deserialize(&mut document)?;
    document.end()?;
    for of_resource in list(found)? {
        let [resource, found] = fields(of_resource, ["resource", scopes])?;
        let resource: Resource = source(resource)?;
        for of_scope in list(found)? {
            let [scope, found] = fields(of_scope, ["scope", items])?;
            let scope: Scope = source(scope)?;
            for item in list(found)? {
                let text = item.get();
                let item = (text.len() <= ITEM_BYTES_MAX).then(|| serde_json::from_str(text)).transpose()?;
                visit(&resource, &scope, item);
            }
        }
    }
    Ok(())
}

fn source<T: DeserializeOwned + Default>(text: Option<&RawValue>) -> Result<T, Malformed> {
    let text = text.map(RawValue::get).filter(|text| text.len() <= SOURCE_BYTES_MAX);
    let source: Option<Option<T>> = text.map(serde_json::from_str).transpose()?;
    Ok(source.flatten().unwrap_or_default())
}

/// The elements of a list, each as it is written; none if there is no list.
fn list(text: Option<&RawValue>) -> Result<Vec<&RawValue>, Malformed> {
    let list: Option<Option<Vec<&RawValue>>> =
        text.map(|text| serde_json::from_str(text.get())).transpose()?;
    Ok(list.flatten().unwrap_or_default())
}

fn fields<'de, const N: usize>(
    object: &'de RawValue,
    names: [&'static str; N],
) -> Result<[Option<&'de RawValue>; N], Malformed> {
    Ok(Fields(names).deserialize(&mut serde_json::Deserializer::from_str(object.get()))?)
}

/// Fields of an object, as they are written; all others are passed over.
struct Fields<const N: usize>([&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let place = self.0.iter().position(|wanted| *wanted == name);
            match place.and_then(|place| found.get_mut(place)) {
                Some(field) => *field = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
