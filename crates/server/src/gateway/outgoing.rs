//! The request as the provider gets it: its own headers and key, and nothing of ours.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, header, request::Parts},
};
use bytes::Bytes;
use domain::{Secret, provider_key::AwsCredential};
use jiff::Timestamp;

use super::{bedrock, credential::Credentials, headers, upstream::Upstream};
use crate::{
    config::KeyPlace,
    error::{ApiError, ErrorCode, Result},
};

/// A body, read or still coming.
#[derive(Debug)]
pub(super) enum Sent {
    Whole(Bytes),
    Coming(Body),
}

/// Where a request goes, and with which key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'a> {
    pub(super) upstream: &'a Upstream,
    /// With its slash in front.
    pub(super) path: &'a str,
    pub(super) parts: &'a Parts,
    pub(super) credentials: &'a Credentials,
    /// The key of the provider that is stored here.
    pub(super) stored: Option<&'a Secret>,
}

impl Route<'_> {
    /// The request to send, at `now`.
    pub(super) fn request(self, body: Sent, now: Timestamp) -> Result<Request<Body>> {
        let aws =
            self.stored.filter(|_| self.upstream.key_place == KeyPlace::Aws).and_then(AwsCredential::read);
        let query = self.parts.uri.query();
        let address =
            self.upstream.address(self.path, query, aws.as_ref()).ok_or_else(|| no_address(self.upstream))?;
        let mut request = Request::new(body);
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = address;
        *request.headers_mut() = headers::to_provider(&self.parts.headers);
        self.authenticate(&mut request, aws.as_ref(), now)?;
        Ok(request.map(Body::from))
    }

    fn authenticate(
        self,
        request: &mut Request<Sent>,
        aws: Option<&AwsCredential>,
        now: Timestamp,
    ) -> Result<()> {
        if let Some((name, value)) = &self.credentials.own {
            request.headers_mut().insert(name.clone(), value.clone());
            return Ok(());
        }
        match (self.upstream.key_place, self.stored) {
            (KeyPlace::None, _) => Ok(()),
            // Google's API also takes its key in the address; then it is the caller's own.
            (_, None) if has_key_in_query(self.parts) => Ok(()),
            (KeyPlace::Aws, None) if self.credentials.is_signed_by_caller => Err(cannot_pass_signature()),
            (_, None) => Err(no_key(self.upstream)),
            (KeyPlace::Aws, Some(key)) => {
                bedrock::drop_signature(request.headers_mut());
                match aws {
                    Some(aws) => bedrock::sign_request(aws, request, now).map_err(ApiError::internal),
                    None => insert_key(request.headers_mut(), KeyPlace::Bearer, key),
                }
            }
            (place, Some(key)) => insert_key(request.headers_mut(), place, key),
        }
    }
}

impl From<Sent> for Body {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Whole(bytes) => bytes.into(),
            Sent::Coming(body) => body,
        }
    }
}

fn insert_key(headers: &mut HeaderMap, place: KeyPlace, key: &Secret) -> Result<()> {
    let bearer = || format!("Bearer {}", key.expose());
    let (name, text) = match place {
        KeyPlace::XApiKey => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
        KeyPlace::ApiKey => (HeaderName::from_static("api-key"), key.expose().to_owned()),
        KeyPlace::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), key.expose().to_owned()),
        KeyPlace::Bearer | KeyPlace::Aws | KeyPlace::None => (header::AUTHORIZATION, bearer()),
    };
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| ApiError::internal("a stored key is not a header"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn has_key_in_query(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")))
}

fn no_key(upstream: &Upstream) -> ApiError {
    let message = format!(
        "no key of {} is stored for this account: add one (POST /api/user/api-keys), or send your own and the tracker \
         key in X-Tracker-Key",
        upstream.provider
    );
    ApiError::new(ErrorCode::ProviderKeyMissing, message)
}

fn cannot_pass_signature() -> ApiError {
    let message = "a signature of your own holds for the gateway's address only: store the credential \
                   (POST /api/user/api-keys), or use a Bedrock API key";
    ApiError::new(ErrorCode::ProviderKeyMissing, message)
}

fn no_address(upstream: &Upstream) -> ApiError {
    let message = format!(
        "the address of {} has a region or location that neither the stored credential nor the path names",
        upstream.name
    );
    ApiError::new(ErrorCode::InvalidInput, message)
}
