//! Many records at once.

use axum::{
    body::{Body, BodyDataStream},
    extract::State,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use domain::{Problem, ingest::NewUsage, text, usage_record::Origin, user::Role};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    api::usage::{TrackUsage, Tracked, tracked},
    app::App,
    auth::{Auth, Caller, Ingest},
    error::{ApiError, ErrorCode, Failure, Result},
    ingest::{Ingested, Recorded, ingest},
    input::{parse_json, read_body, require_json},
    limits::{BULK_ERRORS_MAX, BULK_RESULTS_MAX, INGEST_BATCH_RECORDS},
    lines::{Line, Lines},
    reply::Success,
    track,
};

/// Records to keep, as one JSON body.
#[derive(Debug, ToSchema)]
#[schema(as = BulkUsage)]
#[expect(dead_code, reason = "documents the body")]
pub struct BulkUsage {
    /// The records.
    #[schema(rename = "usageData")]
    usage_data: Vec<TrackUsage>,
}

/// What became of many records. A bad one fails alone.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkOutcome {
    /// Records that were kept.
    successful: u64,
    /// Records whose key had been sent before.
    duplicates: u64,
    /// Records that were refused.
    failed: u64,
    /// The first thousand records that were kept or known, in order.
    results: Vec<BulkResult>,
    /// The first thousand that were refused.
    errors: Vec<BulkError>,
}

/// A record that was kept or known.
#[derive(Debug, Serialize, ToSchema)]
struct BulkResult {
    /// Its place in what was sent, from 0.
    index: u64,
    /// What became of it.
    #[serde(flatten)]
    tracked: Tracked,
}

/// A record that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct BulkError {
    /// Its place in what was sent, from 0.
    index: u64,
    /// Why, for people.
    error: String,
    /// Stable code.
    code: ErrorCode,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Problem>,
}

#[derive(Deserialize)]
struct UsageData<'a> {
    #[serde(rename = "usageData", alias = "data", alias = "records", borrow)]
    usage_data: Vec<&'a RawValue>,
}

/// Record many calls.
///
/// Either one JSON body, or NDJSON (`application/x-ndjson`): one record a line, streamed, of any size. With an
/// `Idempotency-Key`, sending all of it again adds nothing.
#[utoipa::path(post, path = "/usage/bulk", tag = "Usage", operation_id = "track_usage_bulk",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a key of every record that has none: this key and the record's place")),
    request_body(content((BulkUsage = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 200, body = Success<BulkOutcome>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 413, body = Failure), (status = 415, body = Failure), (status = 503, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn track_usage_bulk(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<BulkOutcome>> {
    auth.caller.require_role(Role::Member)?;
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.map(|key| text::reference("Idempotency-Key", key)).transpose()?;
    let mut bulk = Bulk { key, ..Bulk::new(&app, &auth.caller, Origin::Bulk) };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if matches!(essence, "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines") {
        bulk.take_lines(body.into_data_stream()).await?;
    } else {
        require_json(Some(content_type))?;
        let body =
            read_body(body, app.config.limits.bulk_body_bytes_max, &app).await.map_err(advise_ndjson)?;
        bulk.take_list(&body).await?;
    }
    bulk.finish().await.map(Success::ok)
}

fn advise_ndjson(error: ApiError) -> ApiError {
    if error.code != ErrorCode::PayloadTooLarge {
        return error;
    }
    let message =
        format!("{}; send larger imports as application/x-ndjson, one record a line", error.message);
    ApiError { message, ..error }
}

/// A bulk request in progress.
pub(super) struct Bulk<'a> {
    app: &'a App,
    caller: &'a Caller,
    origin: Origin,
    key: Option<String>,
    batch: Vec<(u64, NewUsage)>,
    next_index: u64,
    outcome: BulkOutcome,
}

impl<'a> Bulk<'a> {
    pub(super) fn new(app: &'a App, caller: &'a Caller, origin: Origin) -> Self {
        let outcome = BulkOutcome::default();
        Self { app, caller, origin, key: None, batch: Vec::new(), next_index: 0, outcome }
    }

    /// Keeps what is left; what became of all.
    pub(super) async fn finish(mut self) -> Result<BulkOutcome> {
        self.flush().await?;
        Ok(self.outcome)
    }

    async fn take_list(&mut self, body: &[u8]) -> Result<()> {
        for record in records_in(body)? {
            self.take(record.get().as_bytes()).await?;
        }
        Ok(())
    }

    async fn take_lines(&mut self, mut stream: BodyDataStream) -> Result<()> {
        let mut lines = Lines::new(self.app.config.limits.bulk_line_bytes_max);
        while let Some(chunk) = self.next_chunk(&mut stream).await? {
            lines.push(&chunk);
            while let Some(line) = lines.next_line() {
                self.take_line(line).await?;
            }
        }
        match lines.finish() {
            Some(line) => self.take_line(line).await,
            None => Ok(()),
        }
    }

    /// The next bytes; a sender that falls silent does not hold on to the server.
    async fn next_chunk(&self, stream: &mut BodyDataStream) -> Result<Option<Bytes>> {
        let next = tokio::time::timeout(self.app.config.server.request_timeout(), stream.next()).await;
        match next {
            Ok(chunk) => chunk.transpose().map_err(|_| {
                ApiError::new(ErrorCode::MalformedBody, "the body broke off; records up to there are kept")
            }),
            Err(_) => Err(ApiError::new(
                ErrorCode::RequestTimeout,
                "the body fell silent; records up to there are kept",
            )),
        }
    }

    async fn take_line(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Whole(bytes) => self.take(&bytes).await,
            Line::TooLong => {
                let bytes_max = self.app.config.limits.bulk_line_bytes_max;
                let index = self.count_one();
                let message = format!("the line is longer than {bytes_max} bytes");
                self.refuse(index, ApiError::new(ErrorCode::PayloadTooLarge, message));
                Ok(())
            }
        }
    }

    async fn take(&mut self, record: &[u8]) -> Result<()> {
        self.take_read(track::parse(record, self.app.clock.now())).await
    }

    /// Takes the next record, as it was read.
    pub(super) async fn take_read(&mut self, read: Result<NewUsage>) -> Result<()> {
        let index = self.count_one();
        match read {
            Ok(mut new) => {
                if let (None, Some(key)) = (&new.request_id, &self.key) {
                    new.request_id = Some(format!("{key}:{index}"));
                }
                self.batch.push((index, new));
            }
            Err(error) => self.refuse(index, error),
        }
        if self.batch.len() >= INGEST_BATCH_RECORDS { self.flush().await } else { Ok(()) }
    }

    /// Counts something that was sent; its place.
    pub(super) fn count_one(&mut self) -> u64 {
        let index = self.next_index;
        self.next_index += 1;
        index
    }

    async fn flush(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (indexes, batch): (Vec<u64>, Vec<NewUsage>) = std::mem::take(&mut self.batch).into_iter().unzip();
        let outcomes = ingest(self.app, self.caller, batch, self.origin).await?;
        for (index, outcome) in indexes.into_iter().zip(outcomes) {
            match outcome {
                Ok(recorded) => self.accept(index, &recorded),
                Err(error) => self.refuse(index, error),
            }
        }
        Ok(())
    }

    fn accept(&mut self, index: u64, recorded: &Recorded) {
        match recorded.call {
            Ingested::New(_) => self.outcome.successful += 1,
            Ingested::Duplicate(_) | Ingested::Deleted(_) => self.outcome.duplicates += 1,
        }
        if self.outcome.results.len() < BULK_RESULTS_MAX {
            self.outcome.results.push(BulkResult { index, tracked: tracked(recorded) });
        }
    }

    fn refuse(&mut self, index: u64, error: ApiError) {
        self.outcome.failed += 1;
        if self.outcome.errors.len() < BULK_ERRORS_MAX {
            let ApiError { code, message, details, .. } = error;
            self.outcome.errors.push(BulkError { index, error: message, code, details });
        }
    }
}

/// The records of a JSON body, unread: `{ "usageData": [ … ] }` or the bare list.
fn records_in(body: &[u8]) -> Result<Vec<&RawValue>> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return parse_json(body);
    }
    parse_json(body).map(|UsageData { usage_data }| usage_data)
}
