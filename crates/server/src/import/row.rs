//! A row as an object of unread JSON values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest as _, Sha256};

/// A row by the names of its columns or fields. Values stay JSON text, so that numbers keep their digits.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Row(BTreeMap<String, Box<RawValue>>);

/// A value stands where an object should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}: must be an object")]
pub(super) struct NotAnObject(String);

/// What tells a row from others: 128 bits of SHA-256 over its names and values.
pub(super) type Digest = [u8; 16];

impl Row {
    pub(super) fn insert(&mut self, name: String, value: Box<RawValue>) {
        self.0.insert(name, value);
    }

    /// Whether `name` has a value that is not null and not the empty text.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !is_nothing(value))
    }

    /// Sets the value at `path`, inside of the objects that are there.
    pub(super) fn set(&mut self, path: &[String], value: Box<RawValue>) -> Result<(), NotAnObject> {
        let Some((name, inner)) = path.split_first() else { return Ok(()) };
        if inner.is_empty() {
            self.insert(name.clone(), value);
            return Ok(());
        }
        let mut object = match self.0.get(name) {
            Some(there) => Self::inside(there).ok_or_else(|| NotAnObject(name.clone()))?,
            None => Self::default(),
        };
        object.set(inner, value)?;
        self.insert(name.clone(), object.to_raw());
        Ok(())
    }

    /// Takes the value at `path` out: it is not kept anywhere else.
    pub(super) fn take(&mut self, path: &[&str]) -> Option<Box<RawValue>> {
        let (name, inner) = path.split_first()?;
        if inner.is_empty() {
            return self.0.remove(*name);
        }
        let mut object = Self::inside(self.0.get(*name)?)?;
        let taken = object.take(inner)?;
        if object.0.is_empty() {
            self.0.remove(*name);
        } else {
            self.insert((*name).to_owned(), object.to_raw());
        }
        Some(taken)
    }

    /// The object as JSON text.
    pub(super) fn to_json(&self) -> String {
        self.to_raw().get().to_owned()
    }

    /// The same for rows with the same names and values, however they are ordered, spaced and escaped.
    pub(super) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for (name, value) in &self.0 {
            feed(&mut hash, name.as_bytes());
            feed_value(&mut hash, &serde_json::from_str(value.get()).unwrap_or_default());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut half = Digest::default();
        half.copy_from_slice(&digest[..16]);
        half
    }

    fn inside(value: &RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    fn to_raw(&self) -> Box<RawValue> {
        // Text keys and JSON values: there is nothing in it that cannot be written.
        serde_json::value::to_raw_value(self).unwrap_or_default()
    }
}

impl IntoIterator for Row {
    type Item = (String, Box<RawValue>);
    type IntoIter = std::collections::btree_map::IntoIter<String, Box<RawValue>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Null and the empty text say nothing.
pub(super) fn is_nothing(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"")
}

/// A text as a JSON value.
pub(super) fn text_value(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).unwrap_or_default()
}

fn feed(hash: &mut Sha256, bytes: &[u8]) {
    // With its length in front, no two sequences of texts are the same sequence of bytes.
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

fn feed_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(object) => {
            hash.update(b"{");
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            for (name, value) in sorted {
                feed(hash, name.as_bytes());
                feed_value(hash, value);
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed_value(hash, item);
            }
            hash.update(b"]");
        }
        scalar => feed(hash, scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_are_set_and_taken_at_any_depth_and_keep_their_digits() {
        let mut row = row(r#"{"a":{"b":{"c":0.12345678901234567890,"d":1}},"e":2}"#);
        assert_eq!(row.take(&["a", "b", "c"]).unwrap().get(), "0.12345678901234567890");
        assert_eq!(row.to_json(), r#"{"a":{"b":{"d":1}},"e":2}"#);
        row.take(&["a", "b", "d"]).unwrap();
        row.set(&["x".to_owned(), "y".to_owned()], text_value("z")).unwrap();
        assert_eq!(row.to_json(), r#"{"e":2,"x":{"y":"z"}}"#);
        assert!(row.take(&["e", "f"]).is_none());
        assert!(row.set(&["e".to_owned(), "f".to_owned()], text_value("z")).is_err());
    }

    #[test]
    fn a_digest_sees_names_and_values_only() {
        let same = row(r#"{"a": {"x": 1, "y": [true, "é"]}, "b": "2"}"#).digest();
        assert_eq!(row(r#"{"b":"2","a":{"y":[true,"\u00e9"],"x":1}}"#).digest(), same);
        for other in [
            r#"{"b":2,"a":{"y":[true,"é"],"x":1}}"#,
            r#"{"b":"2","a":{"y":["é",true],"x":1}}"#,
            r#"{"a":{"x":1,"y":[true,"é"]}}"#,
        ] {
            assert_ne!(row(other).digest(), same, "{other}");
        }
    }
}
