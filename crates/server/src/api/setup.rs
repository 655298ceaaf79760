//! What a visitor can do who has not logged in, and how the installation is set up.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Read},
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

/// How the installation is set up, as far as it changes what people see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Whether there is a mail server: without one nobody is told by e-mail.
    mail_is_configured: bool,
    /// How long something is kept, where a project does not say otherwise.
    retention: RetentionDefaults,
}

/// How long something is kept, where a project does not say otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RetentionDefaults {
    /// Days after which prompts and completions are erased; `null`: never.
    content_days: Option<u32>,
    /// Days after which records are deleted; `null`: never. Their sums by day stay.
    record_days: Option<u32>,
}

/// How the installation is set up, as far as it changes what people see.
#[utoipa::path(get, path = "/settings", tag = "Account", operation_id = "get_settings",
    responses((status = 200, body = Success<Settings>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_settings(State(app): State<App>, _auth: Auth<Read>) -> Success<Settings> {
    let retention = app.config.retention;
    Success::ok(Settings {
        mail_is_configured: app.notifier.mailer.is_some(),
        retention: RetentionDefaults {
            content_days: retention.content_days(),
            record_days: retention.record_days(),
        },
    })
}
