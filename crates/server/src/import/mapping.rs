//! Rows of any shape → tracked calls.

use std::collections::HashMap;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, value::RawValue};

use super::{
    Unusable,
    fields::{self, Kind, Target},
    limits,
    row::{NotAnObject, Row, is_nothing, text_value},
};

/// What a person says about the columns.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Field and the column that it comes from.
    pub maps: Vec<(String, String)>,
    /// Field and the value that it has in every row.
    pub constants: Vec<(String, String)>,
    /// Columns to leave out.
    pub ignored: Vec<String>,
}

/// How a row becomes a tracked call.
#[derive(Debug, Clone)]
pub struct Mapping {
    maps: Vec<(String, Target)>,
    constants: Vec<(Target, Box<RawValue>)>,
    ignored: Vec<String>,
    zone: TimeZone,
    /// Columns that nobody named, as they were decided before.
    placements: HashMap<String, Placement>,
}

/// Where a column goes that nobody named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Placement {
    Field(Target),
    /// Kept under this name in `metadata.extra`.
    Extra(String),
}

/// Why a row cannot be a tracked call.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadRow {
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
    #[error("timestamp: is required in an import; name its column with --map timestamp=COLUMN")]
    NoTimestamp,
}

impl Mapping {
    /// A mapping by these wishes; times without an offset are in `zone`.
    pub fn new(wishes: &Wishes, zone: TimeZone) -> Result<Self, Unusable> {
        let target = |name: &str| {
            fields::find_target(name).ok_or_else(|| {
                Unusable::new(format!("{name:?} is not a field; fields are {}", fields::target_names()))
            })
        };
        let mut mapping = Self {
            maps: Vec::new(),
            constants: Vec::new(),
            ignored: wishes.ignored.clone(),
            zone,
            placements: HashMap::new(),
        };
        for (name, column) in &wishes.maps {
            let target = mapping.unnamed(target(name)?)?;
            if mapping.maps.iter().any(|(known, _)| known == column) {
                return Err(Unusable::new(format!("column {column:?} is mapped twice")));
            }
            mapping.maps.push((column.clone(), target));
        }
        for (name, text) in &wishes.constants {
            let target = mapping.unnamed(target(name)?)?;
            let value = mapping.read(target.kind, text);
            mapping.constants.push((target, value));
        }
        Ok(mapping)
    }

    /// `target`, if nothing was named for it yet.
    fn unnamed(&self, target: Target) -> Result<Target, Unusable> {
        if self.is_named(&target.field) {
            return Err(Unusable::new(format!("{} is named twice", target.field)));
        }
        Ok(target)
    }

    fn is_named(&self, field: &str) -> bool {
        self.maps.iter().any(|(_, target)| target.field == field)
            || self.constants.iter().any(|(target, _)| target.field == field)
    }

    /// Refuses a table whose columns cannot become calls, before any row is read.
    pub(super) fn check_columns(&self, columns: &[String]) -> Result<(), Unusable> {
        let list = || columns.join(", ");
        let named = self.maps.iter().map(|(column, _)| column).chain(&self.ignored);
        for name in named {
            if !columns.contains(name) {
                return Err(Unusable::new(format!("there is no column {name:?}; there are {}", list())));
            }
        }
        for (index, name) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|earlier| earlier == name) {
                return Err(Unusable::new(format!("two columns are called {name:?}")));
            }
        }
        for needed in ["model", "timestamp"] {
            let by_column = |column: &String| {
                !self.is_taken(column)
                    && fields::find_field(column).is_some_and(|target| target.field == needed)
            };
            if !self.is_named(needed) && !columns.iter().any(by_column) {
                return Err(Unusable::new(format!(
                    "no column is the {needed}; name it with --map {needed}=COLUMN, or give all rows the same \
                     with --set {needed}=VALUE; there are {}",
                    list()
                )));
            }
        }
        Ok(())
    }

    fn is_taken(&self, column: &String) -> bool {
        self.ignored.contains(column) || self.maps.iter().any(|(mapped, _)| mapped == column)
    }

    /// The row in the shape of a tracked call.
    pub(super) fn apply(&mut self, mut row: Row) -> Result<Row, BadRow> {
        let mut call = Row::default();
        for (source, target) in &self.maps {
            if let Some(value) = take(&mut row, source) {
                self.put(&mut call, target, &value)?;
            }
        }
        for source in &self.ignored {
            take(&mut row, source);
        }
        for (name, value) in row {
            match self.placement(&name) {
                Placement::Field(target) if !is_set(&call, &target) => {
                    self.put(&mut call, &target, &value)?;
                }
                _ if is_nothing(&value) => {}
                Placement::Field(_) => call.insert(extra_name(&name), value),
                Placement::Extra(extra) => call.insert(extra, value),
            }
        }
        for (target, value) in &self.constants {
            call.set(&target.path, value.clone())?;
        }
        if fields::INSTANTS.iter().any(|name| call.has(name)) { Ok(call) } else { Err(BadRow::NoTimestamp) }
    }

    fn put(&self, call: &mut Row, target: &Target, value: &RawValue) -> Result<(), NotAnObject> {
        let read = match serde_json::from_str(value.get()) {
            Ok(Value::String(text)) if text.trim().is_empty() => return Ok(()),
            Ok(Value::String(text)) => self.read(target.kind, text.trim()),
            _ if is_nothing(value) => return Ok(()),
            _ => value.to_owned(),
        };
        call.set(&target.path, read)
    }

    fn placement(&mut self, name: &str) -> Placement {
        if let Some(known) = self.placements.get(name) {
            return known.clone();
        }
        let placement = match fields::find_field(name) {
            Some(target) if !self.is_named(&target.field) => Placement::Field(target),
            _ => Placement::Extra(extra_name(name)),
        };
        if self.placements.len() < limits::COLUMNS_REMEMBERED {
            self.placements.insert(name.to_owned(), placement.clone());
        }
        placement
    }

    /// A text as the JSON value of a field.
    fn read(&self, kind: Kind, text: &str) -> Box<RawValue> {
        let read = match kind {
            Kind::Text => None,
            Kind::Status => text.parse::<u16>().ok().and_then(|code| raw(&code)),
            Kind::Switch => switch(text).and_then(|on| raw(&on)),
            Kind::Json => text
                .starts_with(['{', '['])
                .then(|| serde_json::from_str::<Box<RawValue>>(text).ok())
                .flatten(),
            Kind::Tags => raw(&text.split([';', ',']).map(str::trim).collect::<Vec<_>>()),
            Kind::Instant => self.local_instant(text).and_then(|at| raw(&at)),
        };
        read.unwrap_or_else(|| text_value(text))
    }

    /// The instant of a time without an offset. What has one, and what is no time, is left to [`crate::track`].
    fn local_instant(&self, text: &str) -> Option<Timestamp> {
        if text.parse::<Timestamp>().is_ok() || text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let local: DateTime = text.parse().ok()?;
        local.to_zoned_datetime(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }
}

/// Whether another column has given the field its value; keys of an object go side by side.
fn is_set(call: &Row, target: &Target) -> bool {
    matches!(target.path.as_slice(), [name] if call.has(name))
}

/// A column of this name, or else the value at its dotted path.
fn take(row: &mut Row, source: &str) -> Option<Box<RawValue>> {
    row.take(&[source]).or_else(|| row.take(&source.split('.').collect::<Vec<_>>()))
}

/// The name under which a column is kept that is no field; one that is called like a field steps aside.
fn extra_name(name: &str) -> String {
    if fields::find_field(name).is_some() { format!("file.{name}") } else { name.to_owned() }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn raw<T: serde::Serialize>(value: &T) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[&str]) -> Vec<(String, String)> {
        let split = |pair: &&str| pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        pairs.iter().map(split).collect()
    }

    fn mapping(maps: &[&str], constants: &[&str], ignored: &[&str]) -> Result<Mapping, Unusable> {
        let ignored = ignored.iter().map(|name| (*name).to_owned()).collect();
        let wishes = Wishes { maps: pairs(maps), constants: pairs(constants), ignored };
        Mapping::new(&wishes, TimeZone::get("Europe/Berlin").unwrap())
    }

    fn check(mapping: Result<Mapping, Unusable>, row: &str, call: &str) {
        let mapped = mapping.unwrap().apply(serde_json::from_str(row).unwrap()).unwrap();
        assert_eq!(mapped.to_json(), call);
    }

    #[test]
    fn named_columns_go_where_they_are_sent_and_the_rest_is_kept() {
        check(
            mapping(
                &["model=Deployment", "costAllocation.team=Squad", "timestamp=When"],
                &["provider=openai"],
                &["Secret"],
            ),
            r#"{"Deployment":"gpt-4","Squad":"search","When":"2024-01-15 10:30:00","Secret":"x","Prompt_Tokens":"25",
                "model":"other","service":"azure","Comment":"hello","empty":""}"#,
            r#"{"Comment":"hello","costAllocation":{"team":"search"},"file.model":"other","file.service":"azure","model":"gpt-4","promptTokens":"25","service":"openai","timestamp":"2024-01-15T09:30:00Z"}"#,
        );
    }

    #[test]
    fn nested_fields_move_and_leave_nothing_behind() {
        check(
            mapping(
                &["model=request.model", "prompt=request.body.prompt", "promptTokens=usage.in"],
                &[],
                &["request.key"],
            ),
            r#"{"request":{"model":"gpt-4","body":{"prompt":"hi"},"key":"k","id":7},"usage":{"in":25,"out":1.50},"timestamp":1705314600}"#,
            r#"{"model":"gpt-4","prompt":"hi","promptTokens":25,"request":{"id":7},"timestamp":1705314600,"usage":{"out":1.50}}"#,
        );
    }

    #[test]
    fn texts_become_what_the_field_is() {
        check(
            mapping(&[], &["tags=a; b,c"], &[]),
            r#"{"timestamp":"2023-11-16 18:17:03.9799600","model":"m","status":"500","isError":"yes","usage":"{\"prompt_tokens\": 3}",
                "metadata":"plain","cost":"0.12345678901234567890"}"#,
            r#"{"cost":"0.12345678901234567890","isError":true,"metadata":"plain","model":"m","status":500,"tags":["a","b","c"],"timestamp":"2023-11-16T17:17:03.97996Z","usage":{"prompt_tokens": 3}}"#,
        );
        check(
            mapping(&[], &[], &[]),
            r#"{"timestamp":"2024-01-15T10:30:00+05:00","prompt_tokens":1,"promptTokens":2}"#,
            r#"{"file.prompt_tokens":1,"promptTokens":2,"timestamp":"2024-01-15T10:30:00+05:00"}"#,
        );
    }

    #[test]
    fn what_cannot_work_is_refused_before_any_row() {
        for (maps, constants) in [
            (&["nonsense=a"][..], &[][..]),
            (&["model=a", "model=b"], &[]),
            (&["model=a"], &["requestModel=b"]),
            (&["model=a", "service=a"], &[]),
        ] {
            assert!(mapping(maps, constants, &[]).is_err(), "{maps:?} {constants:?}");
        }
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let azure = columns(&["TIMESTAMP", "ContextTokens", "GeneratedTokens"]);
        let plain = mapping(&[], &[], &[]).unwrap();
        assert!(plain.check_columns(&azure).unwrap_err().to_string().contains("--map model=COLUMN"));
        let with_model = mapping(&["promptTokens=ContextTokens"], &["model=gpt-4"], &[]).unwrap();
        assert!(with_model.check_columns(&azure).is_ok());
        assert!(with_model.check_columns(&columns(&["TIMESTAMP"])).is_err());
        assert!(plain.check_columns(&columns(&["model", "timestamp", "x", "x"])).is_err());
    }

    #[test]
    fn a_row_without_a_time_is_refused() {
        let row = serde_json::from_str(r#"{"model":"m","timestamp":" "}"#).unwrap();
        assert!(matches!(mapping(&[], &[], &[]).unwrap().apply(row), Err(BadRow::NoTimestamp)));
    }
}
