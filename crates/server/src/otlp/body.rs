//! Bodies of OTLP: how they are written and compressed.

use std::io::Read as _;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, header},
};
use domain::wire::opentelemetry::Encoding;
use flate2::read::MultiGzDecoder;

use crate::{
    error::{ApiError, ErrorCode, Result},
    input::too_large_error,
};

/// How the body is written, and the answer is to be.
pub(super) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match content_type.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

pub(super) fn is_compressed(headers: &HeaderMap) -> Result<bool> {
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
pub(super) fn decompress(body: &[u8], bytes_max: usize) -> Result<Bytes> {
    let mut whole = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let reading = MultiGzDecoder::new(body).take(limit).read_to_end(&mut whole);
    reading.map_err(|_| ApiError::new(ErrorCode::MalformedBody, "the body is not gzip"))?;
    if whole.len() > bytes_max { Err(too_large_error(bytes_max)) } else { Ok(whole.into()) }
}
