//! One's own account.

use axum::extract::State;
use domain::{
    Invalid, UserId, text,
    user::{Role, User},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Auth, Read, Write},
    error::{Failure, Result},
    input::Json,
    limits,
    reply::Success,
};

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// The same id, for older clients.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    object_id: UserId,
    /// E-mail address.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// What they may do on the installation.
    pub role: Role,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { id: user.id, object_id: user.id, email: user.email, name: user.name, role: user.role }
    }
}

/// An account with its settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The account.
    #[serde(flatten)]
    user: UserView,
    /// Free-form settings of the dashboard.
    #[schema(value_type = Object)]
    preferences: Box<RawValue>,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What to change in one's own account.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ProfileChange {
    /// How the person is called.
    name: Option<String>,
    /// Free-form settings to change; a JSON object. Keys that are missing stay, `null` takes one away.
    #[schema(value_type = Option<Object>)]
    preferences: Option<Box<RawValue>>,
}

/// One's own account with its settings.
#[utoipa::path(get, path = "/user/profile", tag = "Account", operation_id = "get_profile",
    responses((status = 200, body = Success<Profile>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_profile(auth: Auth<Read>) -> Result<Success<Profile>> {
    profile(auth.caller.user).map(Success::ok)
}

/// Change one's own name or settings.
#[utoipa::path(put, path = "/user/profile", tag = "Account", operation_id = "update_profile",
    request_body = ProfileChange,
    responses((status = 200, body = Success<Profile>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn update_profile(
    State(app): State<App>,
    auth: Auth<Write>,
    Json(change): Json<ProfileChange>,
) -> Result<Success<Profile>> {
    let (mut user, trail) = (auth.caller.user, auth.caller.trail);
    trail.before(&ProfileFields::of(&user));
    if let Some(name) = change.name {
        user.name = text::name("name", &name)?;
    }
    if let Some(preferences) = change.preferences {
        user.preferences = merged_preferences(&user.preferences, preferences.get())?;
    }
    app.meta.update_user(&user).await?;
    trail.after(&ProfileFields::of(&user));
    profile(user).map(Success::ok)
}

/// What the audit log says of an account. Preferences may hold anything, so only their keys.
#[derive(Debug, Serialize)]
struct ProfileFields {
    name: String,
    preferences: Vec<String>,
}

impl ProfileFields {
    fn of(user: &User) -> Self {
        let preferences: Object = serde_json::from_str(&user.preferences).unwrap_or_default();
        Self { name: user.name.clone(), preferences: preferences.into_iter().map(|(key, _)| key).collect() }
    }
}

type Object = serde_json::Map<String, serde_json::Value>;

/// `kept` with the keys of `change`; those that are `null` there are gone.
fn merged_preferences(kept: &str, change: &str) -> Result<String, Invalid> {
    let invalid = |message: String| Invalid::field("preferences", message);
    let change: Object = serde_json::from_str(change).map_err(|_| invalid("must be an object".to_owned()))?;
    let mut merged: Object = serde_json::from_str(kept).unwrap_or_default();
    for (key, value) in change {
        if value.is_null() {
            merged.remove(&key);
        } else {
            merged.insert(key, value);
        }
    }
    let text = serde_json::Value::Object(merged).to_string();
    if text.len() > limits::PREFERENCES_BYTES_MAX {
        return Err(invalid(format!("must have at most {} bytes", limits::PREFERENCES_BYTES_MAX)));
    }
    Ok(text)
}

fn profile(user: User) -> Result<Profile> {
    let preferences =
        RawValue::from_string(user.preferences.clone()).map_err(crate::error::ApiError::internal)?;
    let created_at = user.created_at;
    Ok(Profile { user: user.into(), preferences, created_at })
}
