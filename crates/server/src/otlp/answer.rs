//! Answers of OTLP, written as the request was: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::wire::opentelemetry::{Encoding, Rejected};
use prost::Message;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PATHS, body::encoding};
use crate::error::ApiError;

/// What was not recorded.
macro_rules! accepted {
    ($(#[$doc:meta])* $name:ident, $partial:ident, $rejected:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Message, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// What was not recorded; missing if everything was, or was known.
            #[prost(message, optional, tag = "1")]
            #[serde(skip_serializing_if = "Option::is_none")]
            partial_success: Option<$partial>,
        }

        /// What was not recorded.
        #[derive(Clone, PartialEq, Message, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        struct $partial {
            #[doc = concat!($what, "; sending them again changes nothing. A 64-bit number, which is a text in JSON.")]
            #[prost(int64, tag = "1")]
            #[serde(serialize_with = "as_text")]
            #[schema(value_type = String)]
            $rejected: i64,
            /// Why, for people.
            #[prost(string, tag = "2")]
            error_message: String,
        }

        impl From<Rejected> for $name {
            fn from(rejected: Rejected) -> Self {
                let partial_success = (rejected.count > 0).then(|| $partial {
                    $rejected: i64::try_from(rejected.count).unwrap_or(i64::MAX),
                    error_message: rejected.reasons.into_iter().collect::<Vec<_>>().join("; "),
                });
                Self { partial_success }
            }
        }
    };
}

accepted! {
    /// `ExportTraceServiceResponse`.
    TracesAccepted, TracesPartly, rejected_spans, "Calls that cannot be recorded"
}
accepted! {
    /// `ExportLogsServiceResponse`.
    LogsAccepted, LogsPartly, rejected_log_records, "Calls that cannot be recorded"
}
accepted! {
    /// `ExportMetricsServiceResponse`.
    MetricsAccepted, MetricsPartly, rejected_data_points, "Points that tell of tokens and costs, which are not counted"
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

/// An answer in the encoding of its request.
pub(super) fn write(encoding: Encoding, message: &(impl Message + Serialize)) -> Response {
    match encoding {
        Encoding::Json => axum::Json(message).into_response(),
        Encoding::Protobuf => {
            let content_type = [(header::CONTENT_TYPE, "application/x-protobuf")];
            (content_type, message.encode_to_vec()).into_response()
        }
    }
}

/// Says every refusal of these routes as OTLP does, whoever refused: a handler, a limit, a panic.
pub async fn refuse_as_otlp(request: Request, next: Next) -> Response {
    if !PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let encoding = encoding(request.headers()).unwrap_or(Encoding::Json);
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let said = RpcStatus { code: rpc_code(error.code.status()), message: error.message };
    let (said, body) = write(encoding, &said).into_parts();
    let (mut parts, _) = response.into_parts();
    // `Retry-After` and whatever else a layer had to say stays; what described the other body goes.
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.headers.extend(said.headers);
    Response::from_parts(parts, Body::new(body))
}

/// gRPC's code of what an HTTP status says: <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>.
fn rpc_code(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => 16,
        403 => 7,
        404 => 5,
        405 => 12,
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
