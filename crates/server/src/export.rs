//! Records as text for other programs, streamed page by page from the store.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use domain::{query::Filter, usage_record::UsageRecord};
use futures_util::stream;
use pricing::{Money, Unit};
use store::UsageStore;

use crate::{
    api::usage_view::RecordView,
    error::{ApiError, Result},
    pages::Pages,
};

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON list.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// RFC 4180, safe to open in a spreadsheet.
    Csv,
}

impl Format {
    /// The form that a caller names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Media type, and ending of a file.
    pub const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application/json", "json"),
            Self::Ndjson => ("application/x-ndjson", "ndjson"),
            Self::Csv => ("text/csv; charset=utf-8", "csv"),
        }
    }
}

/// Columns of the CSV form; allocation keys beyond the five, and metadata, are in the JSON forms only.
const COLUMNS: [&str; 30] = [
    "id",
    "timestamp",
    "projectId",
    "userId",
    "service",
    "model",
    "responseModel",
    "operation",
    "status",
    "promptTokens",
    "completionTokens",
    "totalTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
    "reasoningTokens",
    "cost",
    "costSource",
    "listCost",
    "responseTime",
    "department",
    "team",
    "purpose",
    "client",
    "campaign",
    "tags",
    "userEmail",
    "customerEmail",
    "sessionId",
    "traceId",
    "requestId",
];

/// The pages of an export as text, oldest record first.
#[derive(Debug)]
pub struct Export {
    pages: Pages,
    format: Format,
    part: Part,
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    FirstRecord,
    Records,
    End,
}

impl Export {
    /// Every record that `filter` lets through.
    pub fn new(store: Arc<dyn UsageStore>, filter: Filter, format: Format) -> Self {
        Self { pages: Pages::new(store, filter), format, part: Part::Head }
    }

    /// The next piece of text; `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if self.part == Part::Head {
            self.part = Part::FirstRecord;
            return self.head().map(Some);
        }
        if let Some(records) = self.pages.next_page().await? {
            let text = match self.format {
                Format::Csv => csv_rows(records.iter().map(cells))?,
                Format::Json => self.json(&records, ",\n", "")?,
                Format::Ndjson => self.json(&records, "", "\n")?,
            };
            return Ok(Some(text.into()));
        }
        let closes = self.format == Format::Json && self.part != Part::End;
        self.part = Part::End;
        Ok(closes.then(|| Bytes::from_static(b"]\n")))
    }

    fn head(&self) -> Result<Bytes> {
        Ok(match self.format {
            Format::Json => Bytes::from_static(b"["),
            Format::Ndjson => Bytes::new(),
            Format::Csv => csv_rows([COLUMNS.map(str::to_owned).to_vec()])?.into(),
        })
    }

    fn json(&mut self, records: &[UsageRecord], before: &str, after: &str) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        for record in records {
            if self.part == Part::Records {
                text.extend_from_slice(before.as_bytes());
            }
            self.part = Part::Records;
            serde_json::to_writer(&mut text, &RecordView::new(record)).map_err(ApiError::internal)?;
            text.extend_from_slice(after.as_bytes());
        }
        Ok(text)
    }

    /// The export as a body. An error in the middle breaks the transfer off, so that no half looks like the whole.
    pub fn into_body(self) -> Body {
        Body::from_stream(stream::try_unfold(self, |mut export| async move {
            match export.next_chunk().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, export))),
                Err(error) => Err(std::io::Error::other(error)),
            }
        }))
    }
}

fn cells(record: &UsageRecord) -> Vec<String> {
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let money = |money: Option<Money>| money.map(|money| money.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.as_deref().map(spreadsheet_safe).unwrap_or_default();
    let tags: Vec<&str> = record.tags.iter().collect();
    vec![
        record.id.to_string(),
        record.occurred_at.to_string(),
        record.project_id.map(|id| id.to_string()).unwrap_or_default(),
        record.user_id.to_string(),
        spreadsheet_safe(&record.provider),
        spreadsheet_safe(&record.model),
        text(&record.response_model),
        text(&record.operation),
        record.status.as_str().to_owned(),
        number(record.usage.get(Unit::InputTokens)),
        number(record.usage.get(Unit::OutputTokens)),
        number(record.total_tokens()),
        number(record.usage.get(Unit::CacheReadTokens)),
        number(record.usage.get(Unit::CacheWriteTokens)),
        number(record.usage.get(Unit::ReasoningTokens)),
        money(record.cost),
        record.cost_source.as_str().to_owned(),
        money(record.list_cost),
        number(record.response_time_ms),
        text(&record.allocation.department),
        text(&record.allocation.team),
        text(&record.allocation.purpose),
        text(&record.allocation.client),
        text(&record.allocation.campaign),
        spreadsheet_safe(&tags.join(";")),
        text(&record.user_email),
        text(&record.customer_email),
        text(&record.session_id),
        text(&record.trace_id),
        text(&record.request_id),
    ]
}

/// Rows of CSV text.
pub fn csv_rows(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(ApiError::internal)?;
    }
    writer.into_inner().map_err(ApiError::internal)
}

/// Keeps a spreadsheet from running text as a formula: what starts like one gets an apostrophe in front.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
pub fn spreadsheet_safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_fields_are_quoted() {
        assert_eq!(spreadsheet_safe("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(spreadsheet_safe("ai-team"), "ai-team");
        let rows =
            csv_rows([vec!["a,b".into(), "say \"hi\"".into(), "two\nlines".into(), String::new()]]).unwrap();
        assert_eq!(String::from_utf8(rows).unwrap(), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n");
    }
}
