//! Usage records: track one, list, look at one.

use axum::{
    body::Bytes,
    extract::{FromRequestParts, State},
    http::{HeaderMap, header, request::Parts},
};
use domain::{
    Interval, Invalid, UsageId,
    allocation::CostAllocation,
    ingest::NewUsage,
    query::{PageStart, RecordQuery, RecordSort},
    text,
    usage_record::{CostSource, Origin, UsageRecord},
    user::Role,
};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        usage_query::{FilterParams, Paging, filter, is_filter},
        usage_view::{RecordDetail, RecordView},
    },
    app::App,
    auth::{Auth, Caller, Ingest, Read},
    error::{ApiError, ErrorCode, Failure, Result},
    ingest::{Ingested, Recorded, ingest},
    input::{Pairs, path_id, read_body, require_json},
    reply::{Pagination, Success},
    track,
};

/// What became of a tracked call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// Id of the record.
    #[schema(value_type = String)]
    pub id: UsageId,
    /// What it cost; `null` is unknown, not free.
    #[schema(value_type = Option<f64>, format = "decimal")]
    pub cost: Option<Money>,
    /// Tokens in and out; `null` when nobody counted.
    pub tokens: Option<u64>,
    /// The same, under its other name.
    pub total_tokens: Option<u64>,
    /// Where the cost comes from; `null` when the record has been deleted since.
    pub cost_source: Option<CostSource>,
    /// Whether this key was sent before; then nothing was added.
    pub duplicate: bool,
    /// What other models did inside the reply: each is a record of its own, and its cost is not in `cost`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub side_calls: Vec<TrackedSideCall>,
    /// Always `false`: this server does not change prompts.
    pub optimization_applied: bool,
}

/// What another model did inside a reply.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedSideCall {
    /// Id of its record; `null` when nothing is recorded.
    #[schema(value_type = Option<String>)]
    id: Option<UsageId>,
    /// Who sold it.
    service: String,
    /// The model.
    model: String,
    /// Tokens in and out; `null` when nobody counted.
    total_tokens: Option<u64>,
    /// What it cost; `null` is unknown, not free.
    #[schema(value_type = Option<f64>, format = "decimal")]
    cost: Option<Money>,
    /// Where the cost comes from.
    cost_source: CostSource,
}

impl TrackedSideCall {
    /// The side call of `record`, which has this id if it is kept.
    pub fn new(id: Option<UsageId>, record: &UsageRecord) -> Self {
        Self {
            id,
            service: record.provider.clone(),
            model: record.model.clone(),
            total_tokens: record.total_tokens(),
            cost: record.cost,
            cost_source: record.cost_source,
        }
    }
}

/// A call to record. Only `model` is required; fields this server does not know are kept under `metadata.extra`.
#[derive(Debug, ToSchema)]
#[schema(as = TrackUsage)]
#[expect(dead_code, reason = "documents what `track::parse` reads")]
pub struct TrackUsage {
    /// Who sold it (also `provider`); follows from the model when missing.
    service: Option<String>,
    /// Model that was asked for.
    model: String,
    /// Model that answered.
    #[schema(rename = "responseModel")]
    response_model: Option<String>,
    /// Kind of call: `chat`, `embeddings`, …
    operation: Option<String>,
    /// Service tier that served it: `batch`, `flex`, `priority`, …
    #[schema(rename = "serviceTier")]
    service_tier: Option<String>,
    /// Region or geography that served it.
    region: Option<String>,
    /// Kind of web search that it used, where that changes what a search costs: `fast` (Perplexity).
    #[schema(rename = "searchType")]
    search_type: Option<String>,
    /// What was asked; kept only if the project keeps prompts.
    prompt: Option<String>,
    /// What was answered; kept only if the project keeps prompts.
    completion: Option<String>,
    /// Input tokens, cached ones included (also `inputTokens`).
    #[schema(rename = "promptTokens")]
    prompt_tokens: Option<u64>,
    /// Output tokens, reasoning included (also `outputTokens`).
    #[schema(rename = "completionTokens")]
    completion_tokens: Option<u64>,
    /// Tokens in and out (also `tokens`). Alone, it can be priced only if `cost` is given.
    #[schema(rename = "totalTokens")]
    total_tokens: Option<u64>,
    /// Input tokens read from a cache.
    #[schema(rename = "cacheReadTokens")]
    cache_read_tokens: Option<u64>,
    /// Input tokens written to a cache.
    #[schema(rename = "cacheWriteTokens")]
    cache_write_tokens: Option<u64>,
    /// Those of them that are kept for an hour.
    #[schema(rename = "cacheWrite1hTokens")]
    cache_write_1h_tokens: Option<u64>,
    /// Those of them that are kept for twelve hours.
    #[schema(rename = "cacheWrite12hTokens")]
    cache_write_12h_tokens: Option<u64>,
    /// Output tokens spent on reasoning.
    #[schema(rename = "reasoningTokens")]
    reasoning_tokens: Option<u64>,
    /// Audio tokens of the input.
    #[schema(rename = "audioInputTokens")]
    audio_input_tokens: Option<u64>,
    /// Audio tokens of the output.
    #[schema(rename = "audioOutputTokens")]
    audio_output_tokens: Option<u64>,
    /// Image tokens of the input.
    #[schema(rename = "imageInputTokens")]
    image_input_tokens: Option<u64>,
    /// Image tokens of the output.
    #[schema(rename = "imageOutputTokens")]
    image_output_tokens: Option<u64>,
    /// Images looked at, where they are charged by the image.
    #[schema(rename = "imagesInput")]
    images_input: Option<u64>,
    /// Images made, where they are charged by the image.
    #[schema(rename = "imagesGenerated")]
    images_generated: Option<u64>,
    /// Seconds of audio, heard or spoken, where it is charged by time; with fractions.
    #[schema(rename = "audioSeconds")]
    audio_seconds: Option<f64>,
    /// Seconds of audio heard, where it is charged apart.
    #[schema(rename = "audioInputSeconds")]
    audio_input_seconds: Option<f64>,
    /// Seconds of audio spoken, where it is charged apart.
    #[schema(rename = "audioOutputSeconds")]
    audio_output_seconds: Option<f64>,
    /// Seconds of video made.
    #[schema(rename = "videoOutputSeconds")]
    video_output_seconds: Option<f64>,
    /// Characters of text to be spoken or translated.
    #[schema(rename = "inputCharacters")]
    input_characters: Option<u64>,
    /// Document pages read.
    pages: Option<u64>,
    /// Web searches that the model made.
    #[schema(rename = "webSearches")]
    web_searches: Option<u64>,
    /// The provider's own usage object, of any provider; or its whole reply, of which model, tier, usage and id are read.
    /// Counts with names of this body win over it.
    #[schema(value_type = Option<Object>, example = json!({ "prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": { "cached_tokens": 600 } }))]
    usage: Option<()>,
    /// The provider's whole reply, of any provider: its model, tier, usage and id are read, and nothing else is needed.
    #[schema(value_type = Option<Object>)]
    response: Option<()>,
    /// What it cost in US dollars (also `estimatedCost`). Zero is a cost; missing, it is computed from the catalog.
    #[schema(value_type = Option<f64>, format = "decimal")]
    cost: Option<Money>,
    /// From request to the end of the answer, in milliseconds.
    #[schema(rename = "responseTime")]
    response_time: Option<u64>,
    /// From request to the first token, in milliseconds.
    #[schema(rename = "timeToFirstToken")]
    time_to_first_token: Option<u64>,
    /// When it happened; now when missing.
    #[schema(format = DateTime)]
    timestamp: Option<String>,
    /// What it was for; the tracker key's project when missing.
    #[schema(rename = "projectId")]
    project_id: Option<String>,
    /// Whom inside the organisation it is charged to.
    #[schema(rename = "costAllocation")]
    cost_allocation: Option<CostAllocation>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// The sender's own user.
    #[schema(rename = "userEmail")]
    user_email: Option<String>,
    /// The sender's customer.
    #[schema(rename = "customerEmail")]
    customer_email: Option<String>,
    /// Conversation.
    #[schema(rename = "sessionId")]
    session_id: Option<String>,
    /// Trace.
    #[schema(rename = "traceId")]
    trace_id: Option<String>,
    /// `success`, `error` or an HTTP status.
    status: Option<String>,
    /// What went wrong: a text or an object with `code` and `message`.
    #[schema(value_type = Option<Object>)]
    error: Option<()>,
    /// Key of this call (also `idempotencyKey`, or the header `Idempotency-Key`): the same key is the same record.
    #[schema(rename = "requestId")]
    request_id: Option<String>,
    /// Anything else.
    #[schema(value_type = Option<Object>)]
    metadata: Option<()>,
}

/// Record one call.
#[utoipa::path(post, path = "/usage/track", tag = "Usage", operation_id = "track_usage",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key from the same account is the same record, however often it is sent")),
    request_body = TrackUsage,
    responses((status = 201, body = Success<Tracked>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 413, body = Failure), (status = 422, body = Failure), (status = 503, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn track_usage(
    State(app): State<App>,
    auth: Auth<Ingest>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Success<Tracked>> {
    let body = read_call(&app, &auth.caller, &headers, body).await?;
    let new = track::parse(&body, app.clock.now())?;
    record_call(&app, &auth.caller, &headers, new, Origin::Track).await
}

/// The body of a request that records one call, from a caller who may.
pub(super) async fn read_call(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Bytes> {
    caller.require_role(Role::Member)?;
    require_json(headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()))?;
    read_body(body, app.config.limits.body_bytes_max, app).await
}

/// Records one call. `Idempotency-Key` wins over the body: a proxy that retries can set it without reading the body.
pub(super) async fn record_call(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    mut new: NewUsage,
    origin: Origin,
) -> Result<Success<Tracked>> {
    if let Some(key) = headers.get("idempotency-key") {
        let key = key.to_str().map_err(|_| Invalid::field("Idempotency-Key", "must be ASCII"))?;
        new.request_id = Some(text::reference("Idempotency-Key", key)?);
    }
    let mut outcomes = ingest(app, caller, vec![new], origin).await?;
    let outcome =
        outcomes.pop().unwrap_or_else(|| Err(ApiError::internal("nothing became of the record")))?;
    Ok(Success::created(tracked(&outcome)))
}

/// The reply for one call.
pub fn tracked(Recorded { call, side_calls }: &Recorded) -> Tracked {
    let side_call = |ingested: &Ingested| match ingested {
        Ingested::New(record) | Ingested::Duplicate(record) => {
            Some(TrackedSideCall::new(Some(record.id), record))
        }
        Ingested::Deleted(_) => None,
    };
    let side_calls: Vec<_> = side_calls.iter().filter_map(side_call).collect();
    match call {
        Ingested::New(record) | Ingested::Duplicate(record) => Tracked {
            id: record.id,
            cost: record.cost,
            tokens: record.total_tokens(),
            total_tokens: record.total_tokens(),
            cost_source: Some(record.cost_source),
            duplicate: matches!(call, Ingested::Duplicate(_)),
            side_calls,
            optimization_applied: false,
        },
        Ingested::Deleted(id) => Tracked {
            id: *id,
            cost: None,
            tokens: None,
            total_tokens: None,
            cost_source: None,
            duplicate: true,
            side_calls,
            optimization_applied: false,
        },
    }
}

/// List records, newest first.
#[utoipa::path(get, path = "/usage", tag = "Usage", operation_id = "list_usage",
    params(FilterParams, Paging,
        ("cursor" = Option<String>, Query, description = "`pagination.nextCursor` of the page before; in order of time only"),
        ("sort" = Option<String>, Query, description = "`timestamp` (unless told otherwise), `cost`, `totalTokens` or `responseTime`"),
        ("order" = Option<String>, Query, description = "`desc` (unless told otherwise) or `asc`")),
    responses((status = 200, body = Success<Vec<RecordView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_usage(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<Vec<RecordView>>> {
    list(&app, &auth.caller, &pairs).await
}

/// The same list, under its other name; `q` is also read as `search`.
#[utoipa::path(get, path = "/usage/search", tag = "Usage", operation_id = "search_usage",
    params(FilterParams, Paging, ("q" = Option<String>, Query, description = "Words to search for; also `search`")),
    responses((status = 200, body = Success<Vec<RecordView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn search_usage(
    State(app): State<App>,
    auth: Auth<Read>,
    mut pairs: Pairs,
) -> Result<Success<Vec<RecordView>>> {
    for (name, _) in pairs.0.iter_mut().filter(|(name, _)| name == "q") {
        "search".clone_into(name);
    }
    list(&app, &auth.caller, &pairs).await
}

async fn list(app: &App, caller: &Caller, pairs: &Pairs) -> Result<Success<Vec<RecordView>>> {
    pairs.only(|name| is_filter(name) || matches!(name, "page" | "limit" | "cursor" | "sort" | "order"))?;
    let paging = Paging::from_pairs(pairs)?;
    let query = record_query(pairs, paging, caller.visibility(app).await?)?;
    let records_from = app.usage.records_from(&query.filter).await?;
    let page = app.usage.list_records(&query).await?;
    let pagination = match page.total {
        Some(total) => Pagination { next_cursor: page.next_cursor, records_from, ..paging.pagination(total) },
        None => Pagination {
            page: None,
            limit: paging.limit,
            total: None,
            pages: None,
            has_next: page.next_cursor.is_some(),
            has_prev: true,
            next_cursor: page.next_cursor,
            records_from,
        },
    };
    Ok(Success::ok(page.records.iter().map(RecordView::new).collect()).with_pagination(pagination))
}

fn record_query(
    pairs: &Pairs,
    paging: Paging,
    visibility: domain::query::Visibility,
) -> Result<RecordQuery, Invalid> {
    let sorts = "timestamp, cost, totalTokens or responseTime";
    let sort = pairs.parsed("sort", sort_from_name, sorts)?.unwrap_or_default();
    let order = |text: &str| ["asc", "desc"].iter().position(|order| *order == text);
    let descending = pairs.parsed("order", order, "asc or desc")? != Some(0);
    let start = match pairs.last("cursor") {
        Some(_) if sort != RecordSort::Timestamp => {
            return Err(Invalid::field("cursor", "works in order of time only; use page"));
        }
        Some(cursor) => PageStart::Cursor(cursor.to_owned()),
        None => PageStart::Offset(paging.offset()),
    };
    Ok(RecordQuery {
        filter: filter(pairs, visibility, Interval::ALWAYS)?,
        sort,
        descending,
        count: matches!(start, PageStart::Offset(_)),
        start,
        limit: usize::try_from(paging.limit).unwrap_or(usize::MAX),
    })
}

fn sort_from_name(name: &str) -> Option<RecordSort> {
    match name {
        "timestamp" | "createdAt" => Some(RecordSort::Timestamp),
        "cost" => Some(RecordSort::Cost),
        "totalTokens" => Some(RecordSort::TotalTokens),
        "responseTime" => Some(RecordSort::ResponseTime),
        _ => None,
    }
}

/// One record, with its text and the explanation of its cost.
#[utoipa::path(get, path = "/usage/{usageId}", tag = "Usage", operation_id = "get_usage",
    params(("usageId" = String, Path, description = "Id of the record")),
    responses((status = 200, body = Success<RecordDetail>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_usage(
    State(app): State<App>,
    auth: Auth<Read>,
    UsageInPath(id): UsageInPath,
) -> Result<Success<RecordDetail>> {
    let record = find_visible(&app, &auth.caller, id).await?;
    Ok(Success::ok(RecordDetail::new(&record, &app.prices.current())))
}

/// The record, if the caller may see it.
pub(super) async fn find_visible(app: &App, caller: &Caller, id: UsageId) -> Result<UsageRecord> {
    let visibility = caller.visibility(app).await?;
    app.usage.find_record(&visibility, id).await?.ok_or_else(usage_not_found)
}

/// The record does not exist, or the caller may not know that it does.
pub(super) fn usage_not_found() -> ApiError {
    ApiError::new(ErrorCode::UsageNotFound, "there is no such record, or you may not see it")
}

/// The record id in the path.
#[derive(Debug)]
pub struct UsageInPath(pub UsageId);

impl<S: Send + Sync> FromRequestParts<S> for UsageInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "usageId").await.map(Self).ok_or_else(usage_not_found)
    }
}
