//! Bodies, queries and paths as callers send them, with errors that name the field.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts},
};
use bytes::Bytes;
use domain::{Invalid, Problem};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    app::App,
    error::{ApiError, ErrorCode, Result},
};

/// A JSON body within the server's bound.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        require_json(request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()))?;
        let body = read_body(request.into_body(), app.config.limits.body_bytes_max, app).await?;
        parse_json(&body).map(Self)
    }
}

/// The whole body, at most `bytes_max` of it.
pub async fn read_body(body: Body, bytes_max: usize, app: &App) -> Result<Bytes> {
    let reading = tokio::time::timeout(app.config.server.request_timeout(), to_bytes(body, bytes_max));
    let Ok(read) = reading.await else {
        return Err(ApiError::new(ErrorCode::RequestTimeout, "the body did not arrive in time"));
    };
    read.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if too_large {
            too_large_error(bytes_max)
        } else {
            ApiError::new(ErrorCode::MalformedBody, "the body could not be read")
        }
    })
}

/// 413 with what to do.
pub fn too_large_error(bytes_max: usize) -> ApiError {
    ApiError::new(ErrorCode::PayloadTooLarge, format!("the body is larger than {bytes_max} bytes"))
}

/// A body of JSON must say so: a browser sends other types across sites without asking first.
pub fn require_json(content_type: Option<&str>) -> Result<()> {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, "send the body as Content-Type: application/json"))
}

/// Reads `body` as `T`; an error names the field's path.
pub fn parse_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        malformed(&field, error.inner())
    })?;
    deserializer.end().map_err(|error| malformed(".", &error))?;
    Ok(value)
}

fn malformed(field: &str, error: &serde_json::Error) -> ApiError {
    let message = error.to_string();
    // Text that is JSON but of the wrong kind is the field's fault; text that is not JSON is the body's.
    if error.is_data() && field != "." {
        let details = vec![Problem { field: field.to_owned(), message: message.clone() }];
        return ApiError {
            details,
            ..ApiError::new(ErrorCode::MalformedBody, format!("{field}: {message}"))
        };
    }
    ApiError::new(ErrorCode::MalformedBody, format!("the body is not the JSON this route takes: {message}"))
}

/// Tells `null` (taken away) from what is absent (left as it is), together with `#[serde(default)]`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| ApiError::new(ErrorCode::MalformedQuery, rejection.body_text()))
    }
}

/// The query string as its pairs, for routes whose parameters repeat.
#[derive(Debug)]
pub struct Pairs(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        Query::<Vec<(String, String)>>::from_request_parts(parts, state).await.map(|Query(pairs)| Self(pairs))
    }
}

impl Pairs {
    /// The last value of `name`; an empty one counts as missing.
    pub fn last(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().rev().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.as_str()).find(|value| !value.is_empty())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The last value of `name` as `parse` reads it.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Invalid> {
        let read = |text| parse(text).ok_or_else(|| Invalid::field(name, format!("must be {expected}")));
        self.last(name).map(read).transpose()
    }

    /// Refuses names that the route does not know: a filter with a typing mistake would answer the wrong question.
    pub fn only(&self, known: impl Fn(&str) -> bool) -> Result<(), Invalid> {
        match self.0.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => {
                Err(Invalid::field(domain::text::cut(name, 64), "is not a parameter of this route"))
            }
            None => Ok(()),
        }
    }
}

/// The id in the path under `name`. What is not an id names nothing: `None`.
pub async fn path_id<K>(parts: &mut Parts, name: &str) -> Option<domain::Id<K>> {
    path_text(parts, name).await?.parse().ok()
}

/// The text in the path under `name`.
pub async fn path_text(parts: &mut Parts, name: &str) -> Option<String> {
    let params = axum::extract::RawPathParams::from_request_parts(parts, &()).await.ok()?;
    params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}
