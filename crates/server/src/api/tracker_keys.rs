//! The caller's tracker API keys: how their programs authenticate here.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    Invalid, KeyId, ProjectId,
    event::EventType,
    invalid::Problems,
    limits, text,
    tracker_key::{self, Network, PerMinute, Scope, TrackerKey},
    user::Role,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Caller},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, path_id, present},
    notify::{self, event::About, facts::KeyFacts},
    reply::{Nothing, Success},
};

/// A tracker key as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackerKeyView {
    /// Id.
    #[schema(value_type = String)]
    key_id: KeyId,
    /// What it is for.
    name: String,
    /// First four characters, `…`, last four.
    masked_key: String,
    /// What it may do.
    scopes: Vec<Scope>,
    /// Project of records that name none.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// Networks it may be used from; any when empty.
    allowed_ips: Vec<String>,
    /// Calls through the gateway a minute, if it has a limit of its own.
    requests_per_minute: Option<u32>,
    /// Tokens through the gateway a minute, if it has a limit of its own.
    tokens_per_minute: Option<u32>,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last authenticated a request, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Whether it still works.
    is_active: bool,
}

/// A tracker key that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTrackerKeyView {
    /// The key itself. It is shown this once.
    api_key: String,
    /// What is kept of it.
    #[serde(flatten)]
    key: TrackerKeyView,
}

/// A tracker key to make, or what to change in one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrackerKeyChange {
    /// What it is for; required for a new key.
    name: Option<String>,
    /// What it may do; `ingest` and `read` unless told otherwise.
    #[serde(alias = "permissions")]
    scopes: Option<Vec<Scope>>,
    /// Project of records that name none.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// When it stops working; `null` takes the end away.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    #[expect(clippy::option_option, reason = "three cases: absent, null, a time")]
    expires_at: Option<Option<Timestamp>>,
    /// Addresses or networks (`10.0.0.0/8`) it may be used from.
    allowed_ips: Option<Vec<String>>,
    /// Calls through the gateway a minute; 0 takes a limit away.
    requests_per_minute: Option<u32>,
    /// Tokens through the gateway a minute; 0 takes a limit away.
    tokens_per_minute: Option<u32>,
}

/// List one's tracker keys.
#[utoipa::path(get, path = "/user/dashboard-api-keys", tag = "Tracker keys", operation_id = "list_tracker_keys",
    responses((status = 200, body = Success<Vec<TrackerKeyView>>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn list_tracker_keys(
    State(app): State<App>,
    auth: Auth<Admin>,
) -> Result<Success<Vec<TrackerKeyView>>> {
    let keys = app.meta.list_tracker_keys(auth.caller.user.id).await?;
    let now = app.clock.now();
    Ok(Success::ok(keys.into_iter().map(|key| view(key, now)).collect()))
}

/// Make a tracker key. It is shown this once.
#[utoipa::path(post, path = "/user/dashboard-api-keys", tag = "Tracker keys", operation_id = "create_tracker_key",
    request_body = TrackerKeyChange,
    responses((status = 201, body = Success<NewTrackerKeyView>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn create_tracker_key(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(change): Json<TrackerKeyChange>,
) -> Result<Success<NewTrackerKeyView>> {
    if change.name.is_none() {
        return Err(Invalid::field("name", "is required").into());
    }
    let now = app.clock.now();
    let secret = tracker_key::generate(&mut rand::rng());
    let blank = TrackerKey {
        id: app.ids.next(now),
        user_id: auth.caller.user.id,
        name: String::new(),
        masked: secret.masked(),
        scopes: vec![Scope::Ingest, Scope::Read],
        project_id: None,
        allowed_ips: Vec::new(),
        per_minute: PerMinute::default(),
        expires_at: None,
        created_at: now,
        last_used_at: None,
    };
    let key = changed(&app, &auth.caller, blank, change).await?;
    app.meta.insert_tracker_key(&key, &tracker_key::hash_token(secret.expose())).await?;
    tracing::info!(user = %key.user_id, key = %key.id, "tracker key made");
    let facts = KeyFacts {
        kind: "tracker",
        key_id: Some(key.id),
        name: key.name.clone(),
        masked_key: key.masked.clone(),
        user_id: key.user_id,
    };
    auth.caller.trail.after(&view(key.clone(), now));
    notify::announce(&app, EventType::KeyAdded, About::account(key.user_id), &facts).await;
    Ok(Success::created(NewTrackerKeyView { api_key: secret.expose().to_owned(), key: view(key, now) }))
}

/// Change a tracker key.
#[utoipa::path(patch, path = "/user/dashboard-api-keys/{keyId}", tag = "Tracker keys", operation_id = "update_tracker_key",
    params(("keyId" = String, Path, description = "Id of the key")),
    request_body = TrackerKeyChange,
    responses((status = 200, body = Success<TrackerKeyView>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn update_tracker_key(
    State(app): State<App>,
    auth: Auth<Admin>,
    KeyInPath(id): KeyInPath,
    Json(change): Json<TrackerKeyChange>,
) -> Result<Success<TrackerKeyView>> {
    let keys = app.meta.list_tracker_keys(auth.caller.user.id).await?;
    let key = keys.into_iter().find(|key| key.id == id).ok_or_else(key_not_found)?;
    auth.caller.trail.before(&view(key.clone(), app.clock.now()));
    let key = changed(&app, &auth.caller, key, change).await?;
    if !app.meta.update_tracker_key(&key).await? {
        return Err(key_not_found());
    }
    auth.caller.trail.after(&view(key.clone(), app.clock.now()));
    Ok(Success::ok(view(key, app.clock.now())))
}

/// Delete a tracker key. It stops working at once.
#[utoipa::path(delete, path = "/user/dashboard-api-keys/{keyId}", tag = "Tracker keys", operation_id = "delete_tracker_key",
    params(("keyId" = String, Path, description = "Id of the key")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn delete_tracker_key(
    State(app): State<App>,
    auth: Auth<Admin>,
    KeyInPath(id): KeyInPath,
) -> Result<Success<Nothing>> {
    if !app.meta.delete_tracker_key(auth.caller.user.id, id).await? {
        return Err(key_not_found());
    }
    tracing::info!(user = %auth.caller.user.id, key = %id, "tracker key deleted");
    Ok(Success::ok(Nothing {}).with_message("key deleted"))
}

async fn changed(
    app: &App,
    caller: &Caller,
    mut key: TrackerKey,
    change: TrackerKeyChange,
) -> Result<TrackerKey> {
    let mut problems = Problems::default();
    if let Some(name) = change.name {
        key.name = problems.take(text::name("name", &name)).unwrap_or_default();
    }
    if let Some(scopes) = change.scopes {
        if scopes.is_empty() {
            problems.add("scopes", "must not be empty");
        }
        key.scopes = scopes;
        key.scopes.sort_unstable();
        key.scopes.dedup();
    }
    if let Some(expires_at) = change.expires_at {
        if expires_at.is_some_and(|at| at <= app.clock.now()) {
            problems.add("expiresAt", "must be in the future");
        }
        key.expires_at = expires_at;
    }
    if let Some(networks) = change.allowed_ips {
        if networks.len() > limits::ALLOWED_IPS_MAX {
            problems.add("allowedIps", format!("must have at most {} networks", limits::ALLOWED_IPS_MAX));
        }
        let networks = networks.iter().take(limits::ALLOWED_IPS_MAX);
        key.allowed_ips = networks.filter_map(|network| problems.take(network.parse::<Network>())).collect();
    }
    let limit = |limit: u32| (limit > 0).then_some(limit);
    key.per_minute = PerMinute {
        requests: change.requests_per_minute.map_or(key.per_minute.requests, limit),
        tokens: change.tokens_per_minute.map_or(key.per_minute.tokens, limit),
    };
    if caller.user.role == Role::Viewer && key.scopes.iter().any(|scope| *scope != Scope::Read) {
        problems.add("scopes", "a viewer's key can only read");
    }
    problems.into_result()?;
    if let Some(project) = change.project_id {
        caller.find_project(app, project).await?.ok_or_else(ApiError::project_not_found)?;
        key.project_id = Some(project);
    }
    Ok(key)
}

fn view(key: TrackerKey, now: Timestamp) -> TrackerKeyView {
    TrackerKeyView {
        is_active: key.is_valid_at(now),
        key_id: key.id,
        name: key.name,
        masked_key: key.masked,
        scopes: key.scopes,
        project_id: key.project_id,
        allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect(),
        requests_per_minute: key.per_minute.requests,
        tokens_per_minute: key.per_minute.tokens,
        expires_at: key.expires_at,
        created_at: key.created_at,
        last_used_at: key.last_used_at,
    }
}

fn key_not_found() -> ApiError {
    ApiError::new(ErrorCode::KeyNotFound, "you have no such key")
}

/// The key id in the path.
#[derive(Debug)]
pub struct KeyInPath(KeyId);

impl<S: Send + Sync> FromRequestParts<S> for KeyInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "keyId").await.map(Self).ok_or_else(key_not_found)
    }
}
