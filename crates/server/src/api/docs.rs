//! The description of this API, for people and for programs.

use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Response},
};

use crate::{app::App, docs_page, error::Result};

/// The OpenAPI document.
#[utoipa::path(get, path = "/docs/openapi.json", tag = "Documentation", operation_id = "get_openapi", security(()),
    responses((status = 200, body = Object)))]
pub async fn get_openapi(State(app): State<App>) -> Response {
    Json(&app.openapi).into_response()
}

/// The same as a page for people. It loads nothing from anywhere else.
#[utoipa::path(get, path = "/docs/api", tag = "Documentation", operation_id = "get_api_page", security(()),
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn get_api_page(State(app): State<App>) -> Result<Html<String>> {
    docs_page::render(&app.openapi).map(Html)
}
