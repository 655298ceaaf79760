//! What only AWS does: signed requests, and streams in frames of their own.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header, uri::Authority};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use domain::{provider_key::AwsCredential, wire::StreamMeter};
use jiff::Timestamp;
use serde::Deserialize;

use super::outgoing::Sent;

/// Bytes of one frame (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> has the format;
/// AWS sends no payload above 16 MiB).
const FRAME_BYTES_MAX: usize = 17 * 1024 * 1024;

/// The name by which Bedrock's runtime is signed for.
const SERVICE: &str = "bedrock";

/// Signs a request, whose body is there as a whole, with `credential`, at `at`.
pub(super) fn sign_request(
    credential: &AwsCredential,
    request: &mut Request<Sent>,
    at: Timestamp,
) -> Result<(), String> {
    let token = credential.session_token.as_ref().map(|token| token.expose().to_owned());
    let secret = credential.secret_access_key.expose();
    let identity = Credentials::new(&credential.access_key_id, secret, token, None, "stored").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&credential.region)
        .name(SERVICE)
        .time(system_time(at))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).unwrap_or_default();
    let signed = [("host", host)].into_iter();
    // AWS wants each of its headers covered that is sent; its Node SDK says `x-amz-user-agent`.
    let theirs = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-amz-"));
    let theirs = theirs.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signed = signed.chain(content_type.map(|value| ("content-type", value))).chain(theirs);
    let Sent::Whole(body) = request.body() else { return Err("the body is still coming".to_owned()) };
    let (method, url) = (request.method().as_str(), request.uri().to_string());
    let signable = SignableRequest::new(method, url, signed, SignableBody::Bytes(body))
        .map_err(|error| error.to_string())?;
    let (instructions, _) =
        sign(signable, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
    for (name, value) in instructions.headers() {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        let mut value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

/// Headers of a client's own signature, which holds for our address only.
pub(super) fn drop_signature(headers: &mut HeaderMap) {
    for name in [
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
    ] {
        headers.remove(name);
    }
}

/// Takes the events of a stream (`application/vnd.amazon.eventstream`) out of their frames, for the meter.
#[derive(Debug, Default)]
pub(super) struct EventFrames {
    decoder: MessageFrameDecoder,
    open: BytesMut,
    is_lost: bool,
}

impl EventFrames {
    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, piece: &[u8], meter: &mut StreamMeter) {
        if self.is_lost {
            return;
        }
        self.open.extend_from_slice(piece);
        loop {
            match self.decoder.decode_frame(&mut self.open) {
                Ok(DecodedFrame::Complete(message)) => meter.push_event(&payload(message.payload())),
                Ok(DecodedFrame::Incomplete) => break,
                Err(error) => return self.lose(&error.to_string()),
            }
        }
        if self.open.len() > FRAME_BYTES_MAX {
            self.lose("a frame is too long");
        }
    }

    fn lose(&mut self, why: &str) {
        tracing::warn!(why, "a stream of Bedrock cannot be metered to its end");
        self.is_lost = true;
        self.open = BytesMut::new();
    }
}

/// The document in an event: `InvokeModelWithResponseStream` wraps it once more
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html>).
fn payload(bytes: &[u8]) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow)]
        bytes: std::borrow::Cow<'a, str>,
    }
    let wrapped = serde_json::from_slice::<Part<'_>>(bytes).ok();
    let inner = wrapped.and_then(|part| STANDARD.decode(part.bytes.as_bytes()).ok());
    inner.unwrap_or_else(|| bytes.to_vec())
}
