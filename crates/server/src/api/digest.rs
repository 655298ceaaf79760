//! What was spent, told regularly: who wants it, and what it would say.

use axum::extract::State;
use domain::{
    Invalid,
    digest::{DigestSettings, Frequency},
    user::User,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Read, Write},
    digest,
    error::{ApiError, Failure, Result},
    input::Json,
    notify::{facts::DigestFacts, message::Message},
    reply::Success,
};

/// What a digest would say.
#[derive(Debug, Serialize, ToSchema)]
pub struct DigestPreview {
    /// Subject of the e-mail.
    title: String,
    /// Lines of the e-mail.
    lines: Vec<String>,
    /// The figures.
    #[schema(value_type = Object)]
    facts: DigestFacts,
}

/// How often one is told what was spent.
#[utoipa::path(get, path = "/user/digest", tag = "Notifications", operation_id = "get_digest",
    responses((status = 200, body = Success<DigestSettings>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_digest(auth: Auth<Read>) -> Success<DigestSettings> {
    Success::ok(DigestSettings::of_preferences(&auth.caller.user.preferences))
}

/// Say how often one wants to be told what was spent: `off`, `weekly`, `monthly`.
///
/// It is sent at seven in the morning of the first day after the week or month, by e-mail and to those of one's webhooks
/// that ask for `cost.digest`.
#[utoipa::path(put, path = "/user/digest", tag = "Notifications", operation_id = "update_digest",
    request_body = DigestSettings,
    responses((status = 200, body = Success<DigestSettings>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn update_digest(
    State(app): State<App>,
    auth: Auth<Write>,
    Json(settings): Json<DigestSettings>,
) -> Result<Success<DigestSettings>> {
    settings.check()?;
    let mut user = auth.caller.user;
    user.preferences = with_digest(&user, &settings)?;
    app.meta.update_user(&user).await?;
    Ok(Success::ok(settings))
}

/// What the digest of the last week, or month, says: the one that is told; of a week when none is.
#[utoipa::path(get, path = "/user/digest/preview", tag = "Notifications", operation_id = "preview_digest",
    responses((status = 200, body = Success<DigestPreview>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn preview_digest(State(app): State<App>, auth: Auth<Read>) -> Result<Success<DigestPreview>> {
    let user = &auth.caller.user;
    let mut settings = DigestSettings::of_preferences(&user.preferences);
    if settings.frequency == Frequency::Off {
        settings.frequency = Frequency::Weekly;
    }
    let no_period = || ApiError::from(Invalid::field("timeZone", "has no week that is over"));
    let period = settings.last_period(app.clock.now()).ok_or_else(no_period)?;
    let facts = digest::facts(&app, user, &settings, period).await?;
    let Message { title, lines } = Message::of_digest(&facts);
    Ok(Success::ok(DigestPreview { title, lines, facts }))
}

fn with_digest(user: &User, settings: &DigestSettings) -> Result<String> {
    let mut preferences: Map<String, Value> =
        serde_json::from_str(&user.preferences).map_err(ApiError::internal)?;
    let value = serde_json::to_value(settings).map_err(ApiError::internal)?;
    preferences.insert(DigestSettings::KEY.to_owned(), value);
    Ok(Value::Object(preferences).to_string())
}
