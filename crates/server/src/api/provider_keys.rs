//! The caller's keys of the providers, for the gateway. Only masks ever leave the server.

use axum::extract::{Path, State};
use domain::{Invalid, Secret, event::EventType, provider_key, provider_key::ProviderKey, user::Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Read},
    error::{ApiError, ErrorCode, Failure, Result},
    input::Json,
    notify::{self, event::About, facts::KeyFacts},
    reply::{Nothing, Success},
};

/// A provider key as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderKeyView {
    /// The provider.
    service: String,
    /// First four characters, `…`, last four.
    masked_key: String,
    /// When it was added or last replaced.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// When the gateway last used it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Whether it can be used.
    status: KeyStatus,
}

/// Whether a stored key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum KeyStatus {
    /// It can be decrypted.
    Active,
    /// It was encrypted under another `ENCRYPTION_KEY`; add it again.
    Unreadable,
}

/// A provider key to keep.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewProviderKey {
    /// `openai`, `anthropic`, `google` (or `google-ai`), `bedrock` (or `aws-bedrock`), or any provider of the catalog.
    service: String,
    /// The key. A Bedrock credential is a JSON object as text or a Bedrock API key.
    #[serde(alias = "apiKey")]
    #[schema(value_type = String)]
    key: Secret,
}

/// List one's provider keys, masked.
#[utoipa::path(get, path = "/user/api-keys", tag = "Provider keys", operation_id = "list_provider_keys",
    responses((status = 200, body = Success<Vec<ProviderKeyView>>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_provider_keys(
    State(app): State<App>,
    auth: Auth<Read>,
) -> Result<Success<Vec<ProviderKeyView>>> {
    let keys = app.meta.list_provider_keys(auth.caller.user.id).await?;
    Ok(Success::ok(keys.iter().map(|key| view(&app, key)).collect()))
}

/// Keep a provider key. One for the same provider is replaced.
#[utoipa::path(post, path = "/user/api-keys", tag = "Provider keys", operation_id = "add_provider_key",
    request_body = NewProviderKey,
    responses((status = 201, body = Success<ProviderKeyView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn add_provider_key(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(new): Json<NewProviderKey>,
) -> Result<Success<ProviderKeyView>> {
    auth.caller.require_role(Role::Member)?;
    let provider = known_provider(&app, &new.service)?;
    let masked = provider_key::check(&provider, &new.key)?;
    let user_id = auth.caller.user.id;
    let sealed = app.vault.seal(user_id, &provider, &new.key)?;
    let key =
        ProviderKey { user_id, provider, masked, sealed, added_at: app.clock.now(), last_used_at: None };
    app.meta.put_provider_key(&key).await?;
    tracing::info!(user = %user_id, provider = key.provider, "provider key added");
    let (name, masked_key) = (key.provider.clone(), key.masked.clone());
    let facts = KeyFacts { kind: "provider", key_id: None, name, masked_key, user_id };
    auth.caller.trail.after(&facts);
    notify::announce(&app, EventType::KeyAdded, About::account(user_id), &facts).await;
    Ok(Success::created(view(&app, &key)))
}

/// Remove a provider key.
#[utoipa::path(delete, path = "/user/api-keys/{service}", tag = "Provider keys", operation_id = "remove_provider_key",
    params(("service" = String, Path, description = "The provider")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn remove_provider_key(
    State(app): State<App>,
    auth: Auth<Admin>,
    Path(service): Path<String>,
) -> Result<Success<Nothing>> {
    let provider = pricing::canonical_provider(&service);
    if !app.meta.delete_provider_key(auth.caller.user.id, &provider).await? {
        return Err(ApiError::new(ErrorCode::KeyNotFound, "you have no key for this provider"));
    }
    tracing::info!(user = %auth.caller.user.id, provider = %provider, "provider key removed");
    Ok(Success::ok(Nothing {}).with_message("key removed"))
}

fn known_provider(app: &App, service: &str) -> Result<String, Invalid> {
    let provider = pricing::canonical_provider(service);
    if app.prices.current().catalog().find_provider(&provider).is_some() {
        return Ok(provider.into_owned());
    }
    Err(Invalid::field(
        "service",
        "is not a provider of the catalog; openai, anthropic, google and bedrock are",
    ))
}

fn view(app: &App, key: &ProviderKey) -> ProviderKeyView {
    let readable = app.vault.open(key.user_id, &key.provider, &key.sealed).is_ok();
    ProviderKeyView {
        service: key.provider.clone(),
        masked_key: key.masked.clone(),
        added_at: key.added_at,
        last_used_at: key.last_used_at,
        status: if readable { KeyStatus::Active } else { KeyStatus::Unreadable },
    }
}
