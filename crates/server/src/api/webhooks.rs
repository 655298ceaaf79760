//! Webhooks: where programs are told of events.

pub mod deliveries;

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    Invalid, ProjectId, UserId, WebhookId,
    event::EventType,
    project::ProjectRole,
    webhook::{self, Format, Owner, Webhook, WebhookChange},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Caller, Read},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, Query, path_id},
    reply::{Nothing, Success},
};

/// A webhook as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookView {
    /// Id.
    #[schema(value_type = String)]
    id: WebhookId,
    /// The account that it belongs to, if it belongs to one.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// The project that it belongs to, if it belongs to one.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// Where it goes.
    url: String,
    /// What it is for.
    description: String,
    /// What it is told of; everything when empty.
    events: Vec<EventType>,
    /// Form of the body.
    format: Format,
    /// Whether anything is sent.
    enabled: bool,
    /// Why the server switched it off, if it did.
    disabled_reason: Option<String>,
    /// Since when every attempt has failed, if the last one did.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// Whether it was made for an alert's `webhookUrl`; it gets only what that alert sends.
    of_budget: bool,
    /// The secret that signs. Shown when it is new; that of an alert's webhook is always shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when the secret before signs as well, if it was rotated lately.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A webhook to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewWebhook {
    /// The project that it is for, which needs the role admin there; the caller's own account when missing.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// The webhook.
    #[serde(flatten)]
    webhook: WebhookChange,
}

/// Which webhooks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct WebhooksOf {
    /// Those of this project; the caller's own when missing.
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
}

/// List webhooks: one's own, or those of a project that one administrates.
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", operation_id = "list_webhooks",
    params(WebhooksOf),
    responses((status = 200, body = Success<Vec<WebhookView>>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_webhooks(
    State(app): State<App>,
    auth: Auth<Read>,
    Query(of): Query<WebhooksOf>,
) -> Result<Success<Vec<WebhookView>>> {
    let owner = owner(&app, &auth.caller, of.project_id).await?;
    let webhooks = app.meta.list_webhooks(owner).await?;
    let views = webhooks.into_iter().map(|webhook| {
        let is_shown =
            webhook.of_budget && auth.caller.require_scope(domain::tracker_key::Scope::Admin).is_ok();
        let secret = if is_shown { Some(app.vault.open_webhook(webhook.id, &webhook.secret)?) } else { None };
        Ok(WebhookView::new(webhook, secret.as_ref(), app.clock.now()))
    });
    views.collect::<Result<_>>().map(Success::ok)
}

/// Make a webhook. Its secret is shown this once.
#[utoipa::path(post, path = "/webhooks", tag = "Webhooks", operation_id = "create_webhook",
    request_body = NewWebhook,
    responses((status = 201, body = Success<WebhookView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn create_webhook(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(new): Json<NewWebhook>,
) -> Result<Success<WebhookView>> {
    let owner = owner(&app, &auth.caller, new.project_id).await?;
    if new.webhook.url.is_none() {
        return Err(Invalid::field("url", "is required").into());
    }
    webhook::check_count(app.meta.list_webhooks(owner).await?.len())?;
    let now = app.clock.now();
    let (id, secret) = (app.ids.next(now), webhook::generate_secret(&mut rand::rng()));
    let mut webhook = Webhook {
        id,
        owner,
        url: String::new(),
        description: String::new(),
        events: Vec::new(),
        format: Format::of_url(new.webhook.url.as_deref().unwrap_or_default()),
        enabled: true,
        disabled_reason: None,
        of_budget: false,
        secret: app.vault.seal_webhook(id, &secret)?,
        previous_secret: None,
        failing_since: None,
        created_at: now,
        updated_at: now,
    };
    webhook.apply(new.webhook, now)?;
    app.meta.insert_webhook(&webhook).await?;
    tracing::info!(user = %auth.caller.user.id, webhook = %webhook.id, "webhook made");
    auth.caller.trail.after(&WebhookFields::of(&webhook));
    Ok(Success::created(WebhookView::new(webhook, Some(&secret), now)))
}

/// One webhook.
#[utoipa::path(get, path = "/webhooks/{webhookId}", tag = "Webhooks", operation_id = "get_webhook",
    params(("webhookId" = String, Path, description = "Id of the webhook")),
    responses((status = 200, body = Success<WebhookView>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_webhook(
    State(app): State<App>,
    auth: Auth<Read>,
    WebhookInPath(id): WebhookInPath,
) -> Result<Success<WebhookView>> {
    let webhook = find(&app, &auth.caller, id).await?;
    Ok(Success::ok(WebhookView::new(webhook, None, app.clock.now())))
}

/// Change a webhook. One that is switched off gives up what waits for it.
#[utoipa::path(patch, path = "/webhooks/{webhookId}", tag = "Webhooks", operation_id = "update_webhook",
    params(("webhookId" = String, Path, description = "Id of the webhook")),
    request_body = WebhookChange,
    responses((status = 200, body = Success<WebhookView>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn update_webhook(
    State(app): State<App>,
    auth: Auth<Admin>,
    WebhookInPath(id): WebhookInPath,
    Json(change): Json<WebhookChange>,
) -> Result<Success<WebhookView>> {
    let mut webhook = find(&app, &auth.caller, id).await?;
    if webhook.of_budget && change.url.is_some() {
        return Err(Invalid::field("url", "is that of the budget's alert; change it there").into());
    }
    auth.caller.trail.before(&WebhookFields::of(&webhook));
    webhook.apply(change, app.clock.now())?;
    keep(&app, &webhook).await?;
    auth.caller.trail.after(&WebhookFields::of(&webhook));
    Ok(Success::ok(WebhookView::new(webhook, None, app.clock.now())))
}

/// Delete a webhook with the log of its deliveries.
#[utoipa::path(delete, path = "/webhooks/{webhookId}", tag = "Webhooks", operation_id = "delete_webhook",
    params(("webhookId" = String, Path, description = "Id of the webhook")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn delete_webhook(
    State(app): State<App>,
    auth: Auth<Admin>,
    WebhookInPath(id): WebhookInPath,
) -> Result<Success<Nothing>> {
    let webhook = find(&app, &auth.caller, id).await?;
    auth.caller.trail.before(&WebhookFields::of(&webhook));
    if !app.meta.delete_webhook(webhook.id).await? {
        return Err(webhook_not_found());
    }
    tracing::info!(user = %auth.caller.user.id, webhook = %webhook.id, "webhook deleted");
    Ok(Success::ok(Nothing {}).with_message("webhook deleted"))
}

/// Give a webhook a new secret, shown this once. For a day the old one signs as well.
#[utoipa::path(post, path = "/webhooks/{webhookId}/rotate-secret", tag = "Webhooks", operation_id = "rotate_webhook_secret",
    params(("webhookId" = String, Path, description = "Id of the webhook")),
    responses((status = 200, body = Success<WebhookView>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn rotate_webhook_secret(
    State(app): State<App>,
    auth: Auth<Admin>,
    WebhookInPath(id): WebhookInPath,
) -> Result<Success<WebhookView>> {
    let mut webhook = find(&app, &auth.caller, id).await?;
    let secret = webhook::generate_secret(&mut rand::rng());
    webhook.rotate(app.vault.seal_webhook(webhook.id, &secret)?, app.clock.now());
    keep(&app, &webhook).await?;
    tracing::info!(user = %auth.caller.user.id, webhook = %webhook.id, "secret of a webhook rotated");
    Ok(Success::ok(WebhookView::new(webhook, Some(&secret), app.clock.now())))
}

impl WebhookView {
    fn new(webhook: Webhook, secret: Option<&domain::Secret>, now: Timestamp) -> Self {
        let (user_id, project_id) = match webhook.owner {
            Owner::Account(user) => (Some(user), None),
            Owner::Project(project) => (None, Some(project)),
        };
        let until = webhook.previous_secret.map(|(_, until)| until);
        Self {
            id: webhook.id,
            user_id,
            project_id,
            url: webhook.url,
            description: webhook.description,
            events: webhook.events,
            format: webhook.format,
            enabled: webhook.enabled,
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing_since,
            of_budget: webhook.of_budget,
            secret: secret.map(|secret| secret.expose().to_owned()),
            previous_secret_until: until.filter(|until| *until > now),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// What the audit log says of a webhook: of its URL the host only, because the rest can be a secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookFields<'a> {
    id: WebhookId,
    host: &'a str,
    events: &'a [EventType],
    format: Format,
    enabled: bool,
}

impl<'a> WebhookFields<'a> {
    fn of(webhook: &'a Webhook) -> Self {
        let Webhook { id, url, events, format, enabled, .. } = webhook;
        Self { id: *id, host: webhook::host(url), events, format: *format, enabled: *enabled }
    }
}

/// The caller's own account, or the project if they administrate it.
async fn owner(app: &App, caller: &Caller, project: Option<ProjectId>) -> Result<Owner> {
    let Some(id) = project else { return Ok(Owner::Account(caller.user.id)) };
    let (_, role) = caller.find_project(app, id).await?.ok_or_else(ApiError::project_not_found)?;
    if role < ProjectRole::Admin {
        return Err(ApiError::forbidden("admin of the project"));
    }
    Ok(Owner::Project(id))
}

/// The webhook, if the caller may manage it. To others it does not exist: its URL alone can be a secret.
pub(super) async fn find(app: &App, caller: &Caller, id: WebhookId) -> Result<Webhook> {
    let webhook = app.meta.find_webhook(id).await?.ok_or_else(webhook_not_found)?;
    let may_manage = match webhook.owner {
        Owner::Account(user) => user == caller.user.id,
        Owner::Project(project) => {
            caller.trail.project(project);
            let found = caller.find_project(app, project).await?;
            found.is_some_and(|(_, role)| role >= ProjectRole::Admin)
        }
    };
    if may_manage { Ok(webhook) } else { Err(webhook_not_found()) }
}

async fn keep(app: &App, webhook: &Webhook) -> Result<()> {
    if app.meta.update_webhook(webhook).await? { Ok(()) } else { Err(webhook_not_found()) }
}

fn webhook_not_found() -> ApiError {
    ApiError::new(ErrorCode::WebhookNotFound, "there is no such webhook, or you may not manage it")
}

/// The webhook's id in the path.
#[derive(Debug)]
pub struct WebhookInPath(pub(super) WebhookId);

impl<S: Send + Sync> FromRequestParts<S> for WebhookInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "webhookId").await.map(Self).ok_or_else(webhook_not_found)
    }
}
