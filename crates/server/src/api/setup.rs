//! What a visitor can do who has not logged in.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    error::{Failure, Result},
    reply::Success,
};

/// What a visitor can do who has not logged in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Nobody has registered yet: the next person who does becomes the owner.
    needs_owner: bool,
    /// Whether anybody may register; otherwise an invitation is needed.
    signup_open: bool,
}

/// What a visitor can do who has not logged in.
#[utoipa::path(
    get,
    path = "/setup",
    tag = "Authentication",
    operation_id = "get_setup",
    responses((status = 200, body = Success<Setup>), (status = 503, body = Failure)),
    security(())
)]
pub async fn get_setup(State(app): State<App>) -> Result<Success<Setup>> {
    let needs_owner = !app.meta.has_accounts().await?;
    Ok(Success::ok(Setup { needs_owner, signup_open: needs_owner || app.config.auth.allow_signup }))
}
