//! OpenTelemetry's door: OTLP over HTTP, <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! What spans mean is in [`domain::wire::opentelemetry`]; here is how they come and what is answered. Requests may be sent
//! again: every call has a key.

use std::io::Read as _;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    usage_record::Origin,
    user::Role,
    wire::opentelemetry::{self, Encoding, SpanCall, Told},
};
use flate2::read::MultiGzDecoder;
use prost::Message;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Caller, Ingest},
    error::{ApiError, ErrorCode, Result},
    ingest::ingest,
    input::{read_body, too_large_error},
    limits::INGEST_BATCH_RECORDS,
};

/// `ExportTraceServiceRequest`: spans by what produced them, as OTLP defines it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `domain::wire::opentelemetry` reads")]
pub struct TracesExport {
    /// Spans of one service: `resource` and `scopeSpans`.
    #[schema(rename = "resourceSpans", value_type = Vec<Object>)]
    resource_spans: Vec<()>,
}

/// `ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, Message, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TracesAccepted {
    /// What was not recorded; missing if everything was, or was known.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_success: Option<PartialSuccess>,
}

/// What was not recorded.
#[derive(Clone, PartialEq, Message, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PartialSuccess {
    /// Calls that cannot be recorded; sending them again changes nothing. A 64-bit number, which is a text in JSON.
    #[prost(int64, tag = "1")]
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    rejected_spans: i64,
    /// Why, for people.
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`: how OTLP says that a request is refused.
#[derive(Clone, PartialEq, Message, Serialize, ToSchema)]
pub struct RpcStatus {
    /// gRPC's code of the error.
    #[prost(int32, tag = "1")]
    code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    message: String,
}

/// Record the model calls of traces, as OpenTelemetry sends them.
///
/// An `ExportTraceServiceRequest` in protobuf or JSON, also compressed with gzip. Spans that are calls of models become
/// records; all others are taken and not kept.
#[utoipa::path(post, path = "/v1/traces", tag = "OpenTelemetry", operation_id = "export_traces",
    request_body(content((String = "application/x-protobuf"), (TracesExport = "application/json"))),
    responses((status = 200, body = TracesAccepted), (status = 400, body = RpcStatus), (status = 401, body = RpcStatus), (status = 403, body = RpcStatus), (status = 413, body = RpcStatus), (status = 415, body = RpcStatus), (status = 503, body = RpcStatus)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn export_traces(
    State(app): State<App>,
    auth: Result<Auth<Ingest>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let encoding = encoding(&headers);
    let told = match (auth, encoding) {
        (Err(error), _) => Err(error),
        (Ok(_), None) => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "send the body as Content-Type: application/x-protobuf or application/json",
        )),
        (Ok(auth), Some(encoding)) => export(&app, &auth.caller, &headers, body, encoding).await,
    };
    let encoding = encoding.unwrap_or(Encoding::Json);
    match told {
        Ok(partial_success) => answer(encoding, StatusCode::OK, &TracesAccepted { partial_success }),
        Err(error) => refuse(encoding, error),
    }
}

async fn export(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    encoding: Encoding,
) -> Result<Option<PartialSuccess>> {
    caller.require_role(Role::Member)?;
    let is_compressed = is_compressed(headers)?;
    let bytes_max = app.config.limits.bulk_body_bytes_max;
    let body = read_body(body, bytes_max, app).await?;
    let now = app.clock.now();
    // Off the threads that serve requests: it takes as long as the body is.
    let reading = tokio::task::spawn_blocking(move || {
        let body = if is_compressed { decompress(&body, bytes_max)? } else { body };
        opentelemetry::read(encoding, &body, now)
            .map_err(|malformed| ApiError::new(ErrorCode::MalformedBody, malformed.to_string()))
    });
    let mut told = reading.await.map_err(ApiError::internal)??;
    let calls = app.nesting.settle(caller.user.id, &mut told);
    record(app, caller, calls, &mut told).await?;
    Ok((told.rejected > 0).then(|| PartialSuccess {
        rejected_spans: i64::try_from(told.rejected).unwrap_or(i64::MAX),
        error_message: told.reasons.into_iter().collect::<Vec<_>>().join("; "),
    }))
}

/// Records calls; what the store cannot take now fails the whole request, which may be sent again.
async fn record(app: &App, caller: &Caller, calls: Vec<SpanCall>, told: &mut Told) -> Result<()> {
    let mut calls = calls.into_iter().map(|call| call.new).peekable();
    while calls.peek().is_some() {
        let batch = calls.by_ref().take(INGEST_BATCH_RECORDS).collect();
        for outcome in ingest(app, caller, batch, Origin::Otlp).await? {
            if let Err(error) = outcome {
                told.reject(&error.message);
            }
        }
    }
    Ok(())
}

/// How the body is written, and the answer is to be.
fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match content_type.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

fn is_compressed(headers: &HeaderMap) -> Result<bool> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "send the body as it is, or with Content-Encoding: gzip",
        )),
    }
}

/// What was compressed, if it is no larger than a body that was not.
fn decompress(body: &[u8], bytes_max: usize) -> Result<Bytes> {
    let mut whole = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let reading = MultiGzDecoder::new(body).take(limit).read_to_end(&mut whole);
    reading.map_err(|_| ApiError::new(ErrorCode::MalformedBody, "the body is not gzip"))?;
    if whole.len() > bytes_max { Err(too_large_error(bytes_max)) } else { Ok(whole.into()) }
}

fn answer(encoding: Encoding, status: StatusCode, message: &(impl Message + Serialize)) -> Response {
    match encoding {
        Encoding::Json => (status, axum::Json(message)).into_response(),
        Encoding::Protobuf => {
            let content_type = [(header::CONTENT_TYPE, "application/x-protobuf")];
            (status, content_type, message.encode_to_vec()).into_response()
        }
    }
}

/// The same refusal as on every other route, as OTLP wants it said.
fn refuse(encoding: Encoding, error: ApiError) -> Response {
    let status = error.code.status();
    let said = RpcStatus { code: rpc_code(status), message: error.message.clone() };
    let mut response = answer(encoding, status, &said);
    let usual = error.into_response();
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = usual.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// gRPC's code of what an HTTP status says: <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>.
fn rpc_code(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => 16,
        403 => 7,
        404 => 5,
        408 => 4,
        413 | 429 => 8,
        500 => 13,
        503 => 14,
        _ => 3,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn as_text<S: serde::Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
