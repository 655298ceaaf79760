//! What the gateway itself has to say, in the shape in which the provider's client expects errors.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use domain::wire::Dialect;
use serde_json::{Value, json};

use crate::error::ApiError;

/// The error as the provider would say it. The tracker's own code is in it, and in the header `x-cost-error`.
pub(super) fn respond(dialect: Dialect, error: &ApiError) -> Response {
    let status = error.code.status();
    let body = body(dialect, status, error).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-cost-error", HeaderValue::from_static(error.code.as_str()));
    if matches!(dialect, Dialect::BedrockConverse | Dialect::BedrockInvoke) {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(aws_type(status)));
    }
    if let Some(seconds) = error.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn body(dialect: Dialect, status: StatusCode, error: &ApiError) -> Value {
    let (code, message) = (error.code.as_str(), &error.message);
    match dialect {
        // https://docs.anthropic.com/en/api/errors
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(status), "message": message, "code": code },
        }),
        // https://cloud.google.com/apis/design/errors#http_mapping
        Dialect::Gemini => json!({
            "error": { "code": status.as_u16(), "message": message, "status": google_status(status), "details": [{ "reason": code }] },
        }),
        Dialect::BedrockConverse | Dialect::BedrockInvoke | Dialect::Cohere => {
            json!({ "message": message, "code": code })
        }
        // https://platform.openai.com/docs/guides/error-codes
        Dialect::OpenAi | Dialect::XAi | Dialect::Perplexity => json!({
            "error": { "message": message, "type": openai_type(status), "param": null, "code": code },
        }),
    }
}

fn openai_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        402 => "insufficient_quota",
        429 => "rate_limit_exceeded",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

fn google_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>
fn aws_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "AccessDeniedException",
        402 => "ServiceQuotaExceededException",
        404 => "ResourceNotFoundException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        504 => "ModelTimeoutException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    }
}
