//! The envelope of every answer.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, limits};

/// A successful answer.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the contract's own word")]
pub struct Success<T> {
    /// Always `true`.
    success: bool,
    /// The answer.
    data: T,
    /// What happened, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// Where in a list this page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
    #[serde(skip)]
    status: StatusCode,
}

/// Where in a list a page is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Number of this page, from 1; `null` when a cursor was given.
    pub page: Option<u64>,
    /// Most items on a page.
    pub limit: u64,
    /// Items in the whole list; `null` when a cursor was given: counting would cost more than the page.
    pub total: Option<u64>,
    /// Pages of the whole list.
    pub pages: Option<u64>,
    /// Whether there are further items.
    pub has_next: bool,
    /// Whether there are earlier ones.
    pub has_prev: bool,
    /// Send it as `cursor` for the next page; deep pages do not get slower that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Of a list of records whose period begins before: from when on records are there. Earlier ones were deleted for their
    /// age.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub records_from: Option<Timestamp>,
}

/// How many items a page of a list has at most that is read by cursor.
#[derive(Debug, Clone, Copy)]
pub struct PageSize(u64);

impl PageSize {
    /// What was asked for, within bounds.
    pub fn of(asked: Option<u64>) -> Self {
        Self(asked.unwrap_or(limits::PAGE_ITEMS_DEFAULT).clamp(1, limits::PAGE_ITEMS_MAX))
    }

    /// How many items to read: one more than the page holds tells whether there is a next one.
    pub fn to_read(self) -> usize {
        self.items() + 1
    }

    /// Cuts what was read to the page. `cursor` is that of an item; `has_prev` says whether one was given.
    pub fn cut<T>(self, read: &mut Vec<T>, has_prev: bool, cursor: impl FnOnce(&T) -> String) -> Pagination {
        let has_next = read.len() > self.items();
        read.truncate(self.items());
        let next_cursor = read.last().filter(|_| has_next).map(cursor);
        Pagination {
            page: None,
            limit: self.0,
            total: None,
            pages: None,
            has_next,
            has_prev,
            next_cursor,
            records_from: None,
        }
    }

    fn items(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX - 1)
    }
}

impl<T> Success<T> {
    /// 200 with `data`.
    pub fn ok(data: T) -> Self {
        Self { success: true, data, message: None, pagination: None, status: StatusCode::OK }
    }

    /// 201 with `data`.
    pub fn created(data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(data) }
    }

    /// 202 with `data`.
    pub fn accepted(data: T) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(data) }
    }

    /// The same, with words for people.
    #[must_use]
    pub fn with_message(self, message: &'static str) -> Self {
        Self { message: Some(message), ..self }
    }

    /// The same, as a page of a list.
    #[must_use]
    pub fn with_pagination(self, pagination: Pagination) -> Self {
        Self { pagination: Some(pagination), ..self }
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        // Straight to text: money keeps its exact digits only that way.
        match serde_json::to_vec(&self) {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json");
                (self.status, [(header::CONTENT_TYPE, json)], body).into_response()
            }
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

/// `data` of an answer that only says that it was done.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::empty_structs_with_brackets, reason = "with them it is `{}` in JSON, without `null`")]
pub struct Nothing {}
