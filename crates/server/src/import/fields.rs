//! Fields that a column can become: those that [`crate::track`] reads.

/// How a cell of text becomes the JSON value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JSON text; what is a number stays text until [`crate::track`] reads its digits.
    Text,
    /// A word, or an HTTP status as a number.
    Status,
    /// Yes or no.
    Switch,
    /// An object or a list where the text is one, else a text.
    Json,
    /// A list, cut at `;` and `,`.
    Tags,
    /// A time; without an offset it is local to the zone of the import.
    Instant,
}

/// A field and every name that it goes by. The first one is written for what a person maps; a column keeps the name
/// that it has, so that [`crate::track`] decides between two names of one field.
struct Field {
    names: &'static [&'static str],
    kind: Kind,
}

const fn field(kind: Kind, names: &'static [&'static str]) -> Field {
    Field { names, kind }
}

const FIELDS: &[Field] = &[
    field(Kind::Text, &["service", "provider"]),
    field(Kind::Text, &["model", "requestModel"]),
    field(Kind::Text, &["responseModel"]),
    field(Kind::Text, &["operation"]),
    field(Kind::Text, &["serviceTier"]),
    field(Kind::Text, &["region"]),
    field(Kind::Text, &["searchType"]),
    field(Kind::Text, &["promptTokens", "inputTokens"]),
    field(Kind::Text, &["completionTokens", "outputTokens"]),
    field(Kind::Text, &["totalTokens", "tokens"]),
    field(Kind::Text, &["cacheReadTokens", "cachedTokens"]),
    field(Kind::Text, &["cacheWriteTokens", "cacheCreationTokens"]),
    field(Kind::Text, &["cacheWrite1hTokens"]),
    field(Kind::Text, &["cacheWrite12hTokens"]),
    field(Kind::Text, &["reasoningTokens"]),
    field(Kind::Text, &["audioInputTokens", "inputAudioTokens"]),
    field(Kind::Text, &["audioOutputTokens", "outputAudioTokens"]),
    field(Kind::Text, &["imageInputTokens", "inputImageTokens"]),
    field(Kind::Text, &["imageOutputTokens", "outputImageTokens"]),
    field(Kind::Text, &["imagesInput"]),
    field(Kind::Text, &["imagesGenerated"]),
    field(Kind::Text, &["inputCharacters"]),
    field(Kind::Text, &["pages"]),
    field(Kind::Text, &["audioSeconds"]),
    field(Kind::Text, &["audioInputSeconds"]),
    field(Kind::Text, &["audioOutputSeconds"]),
    field(Kind::Text, &["videoOutputSeconds"]),
    field(Kind::Text, &["webSearches"]),
    field(Kind::Text, &["cost", "estimatedCost", "totalCost"]),
    field(Kind::Instant, &INSTANTS),
    field(Kind::Text, &["projectId"]),
    field(Kind::Status, &["status", "httpStatus", "statusCode"]),
    field(Kind::Text, &["errorCode", "errorType"]),
    field(Kind::Text, &["errorMessage"]),
    field(Kind::Json, &["error"]),
    field(Kind::Switch, &["errorOccurred", "isError"]),
    field(Kind::Text, &["responseTime", "responseTimeMs", "latencyMs", "latency"]),
    field(Kind::Text, &["timeToFirstToken", "timeToFirstTokenMs", "ttftMs"]),
    field(Kind::Json, &["costAllocation"]),
    field(Kind::Tags, &["tags"]),
    field(Kind::Text, &["userEmail"]),
    field(Kind::Text, &["customerEmail"]),
    field(Kind::Text, &["sessionId", "conversationId"]),
    field(Kind::Text, &["traceId"]),
    field(Kind::Text, &["requestId", "idempotencyKey"]),
    field(Kind::Json, &["usage"]),
    field(Kind::Text, &["prompt"]),
    field(Kind::Json, &["messages"]),
    field(Kind::Text, &["completion", "response"]),
    field(Kind::Json, &["metadata"]),
];

/// Names of the time of a call; an import needs one.
pub(super) const INSTANTS: [&str; 3] = ["timestamp", "occurredAt", "createdAt"];

/// Keys of `costAllocation` that need no prefix; the CSV export writes them so.
const ALLOCATION_KEYS: [&str; 5] = ["department", "team", "purpose", "client", "campaign"];

/// Fields that have keys of their own, as in `costAllocation.team`.
const OBJECTS: [&str; 2] = ["costAllocation", "metadata"];

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Names from the outside in; one, or two within an object.
    pub(super) path: Vec<String>,
    /// The field's first name, or the whole path: equal for names of the same field.
    pub(super) field: String,
    /// How text becomes its value.
    pub(super) kind: Kind,
}

/// The field that `name` names, in any case and with or without underscores.
pub(super) fn find_field(name: &str) -> Option<Target> {
    if let Some((object, key)) = name.split_once('.') {
        let object = OBJECTS.into_iter().find(|known| letters(known) == letters(object))?;
        return (!key.trim().is_empty()).then(|| within(object, key.trim()));
    }
    let wanted = letters(name);
    if let Some(key) = ALLOCATION_KEYS.into_iter().find(|key| *key == wanted) {
        return Some(within("costAllocation", key));
    }
    FIELDS.iter().find_map(|field| {
        let found = field.names.iter().find(|known| letters(known) == wanted)?;
        let canonical = field.names.first()?;
        Some(Target { path: vec![(*found).to_owned()], field: (*canonical).to_owned(), kind: field.kind })
    })
}

/// The same, under the field's first name: what a person names wins over other columns of that field.
pub(super) fn find_target(name: &str) -> Option<Target> {
    let found = find_field(name)?;
    let path = if found.path.len() == 1 { vec![found.field.clone()] } else { found.path };
    Some(Target { path, ..found })
}

/// Every name that a person can map to, for messages.
pub(super) fn target_names() -> String {
    let names = FIELDS.iter().filter_map(|field| field.names.first().copied());
    let nested = ["costAllocation.KEY", "metadata.KEY"];
    names.chain(nested).collect::<Vec<_>>().join(", ")
}

fn within(object: &str, key: &str) -> Target {
    Target {
        path: vec![object.to_owned(), key.to_owned()],
        field: format!("{object}.{key}"),
        kind: Kind::Text,
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn names_are_known_in_any_spelling() {
        for (name, path) in [
            ("promptTokens", "promptTokens"),
            ("PROMPT_TOKENS", "promptTokens"),
            ("Input Tokens", "inputTokens"),
            ("Response time (ms)", "responseTimeMs"),
            ("team", "costAllocation.team"),
            ("cost_allocation.Cost center", "costAllocation.Cost center"),
            ("metadata.run", "metadata.run"),
        ] {
            assert_eq!(find_field(name).unwrap().path.join("."), path, "{name}");
        }
        for unknown in ["id", "GeneratedTokens", "usage.prompt_tokens", "costAllocation.", ""] {
            assert_eq!(find_field(unknown), None, "{unknown}");
        }
        assert_eq!(find_target("provider").unwrap().path, ["service"]);
    }

    #[test]
    fn every_field_is_one_that_tracking_reads() {
        let now = "2024-01-15T10:30:00Z".parse().unwrap();
        for field in FIELDS {
            for name in field.names {
                let value = match field.kind {
                    Kind::Instant => json!("2024-01-15T10:30:00Z"),
                    Kind::Status => json!("success"),
                    Kind::Switch => json!(true),
                    Kind::Tags => json!(["a"]),
                    Kind::Json => json!({}),
                    Kind::Text if *name == "projectId" => json!("507f1f77bcf86cd799439011"),
                    Kind::Text if name.ends_with("Email") => json!("ada@example.com"),
                    Kind::Text => json!("12"),
                };
                let mut body = json!({ *name: value });
                if !matches!(*name, "model" | "requestModel") {
                    body["model"] = json!("gpt-4");
                }
                let read = crate::track::parse(body.to_string().as_bytes(), now).unwrap();
                let metadata: Value = serde_json::from_str(read.metadata.as_deref().unwrap_or("{}")).unwrap();
                assert_eq!(metadata.get("extra"), None, "{name}");
            }
        }
    }
}
