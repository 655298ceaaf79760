//! A call as Cost Katana's published clients for Node and Python tell it → [`NewUsage`].

use domain::{ingest::NewUsage, usage_record::Status};
use jiff::Timestamp;
use pricing::Usage;
use serde_json::Value;

use super::{fields::Fields, parse_fields};
use crate::error::Result;

/// What the loggers call by names of their own.
const NAMES: [(&str, &str); 3] =
    [("aiModel", "model"), ("result", "completion"), ("ttfb", "timeToFirstToken")];

/// Names under which they repeat parts of prompts and answers, at the top and in `requestMetadata` and the like. Whether
/// text is kept is the project's to say, and what it keeps is `prompt` and `completion`.
const TEXTS: &[&str] = &[
    "body",
    "completion",
    "content",
    "input",
    "messages",
    "output",
    "prompt",
    "system",
    "templateVariables",
];

/// Who they say sold a call where nobody did, or they do not know.
const NOBODY: [&str; 2] = ["unknown", "template"];

/// The "model" of a template that was filled in.
const TEMPLATE_ENGINE: &str = "template-engine";

/// Reads one call of `trackUsage`.
pub fn read_call(body: &[u8], now: Timestamp) -> Result<NewUsage> {
    let mut fields = Fields::read(body)?.without(TEXTS);
    for (theirs, ours) in NAMES {
        fields.rename(theirs, ours);
    }
    let has_failed = fields.value(&["success"]) == Some(Value::Bool(false));
    let new = parse_fields(fields, now)?;
    Ok(NewUsage {
        usage: counted(new.usage),
        provider: new.provider.filter(|name| !NOBODY.contains(&name.as_str())),
        status: if has_failed { Status::Error } else { new.status },
        ..new
    })
}

/// Reads one entry of a logger; `None` if it tells of no call of a model.
pub fn read_entry(entry: &[u8], now: Timestamp) -> Result<Option<NewUsage>> {
    let new = read_call(entry, now)?;
    Ok((new.model != TEMPLATE_ENGINE).then_some(new))
}

/// The clients send 0 for what nobody counted. A call that used nothing at all is one that nobody counted.
fn counted(usage: Usage) -> Usage {
    if usage.iter().all(|(_, count)| count == 0) { Usage::new() } else { usage }
}
