//! What was sent to a webhook, what came of it, and sending it again.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    DeliveryId,
    delivery::{Attempt, Channel, Delivery, DeliveryState},
    event::EventType,
    webhook::Webhook,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::DeliveryLog;
use utoipa::ToSchema;

use super::{WebhookInPath, find};
use crate::{
    app::App,
    auth::{Admin, Auth, Read},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Query, path_id},
    notify::{
        audience,
        event::{About, event},
        facts::TestFacts,
        webhook::message_id,
    },
    reply::{PageSize, Success},
};

/// One event for one destination.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Id.
    #[schema(value_type = String)]
    id: DeliveryId,
    /// The receiver knows it by this `webhook-id`, over every repetition.
    message_id: String,
    /// What it told of.
    event: EventType,
    /// When that happened.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// By which way.
    channel: Channel,
    /// Where to.
    target: String,
    /// How far it has come.
    state: DeliveryState,
    /// Attempts so far.
    attempts: u32,
    /// When it is tried next, if it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// Why it has not arrived, if it has not.
    reason: Option<String>,
    /// The attempts, the latest first.
    log: Vec<AttemptView>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How long it took.
    latency_ms: u32,
    /// Status of the answer, if there was one.
    status: Option<u16>,
    /// Beginning of the answer.
    response: Option<String>,
    /// Why it failed; `null` when it arrived.
    failure: Option<String>,
}

/// Which page of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogPage {
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<DeliveryId>,
    /// Most deliveries on the page, 1 to 100; 20 unless told otherwise.
    limit: Option<u64>,
}

/// The log of a webhook's deliveries, the latest first. It is kept for 30 days.
#[utoipa::path(get, path = "/webhooks/{webhookId}/deliveries", tag = "Webhooks", operation_id = "list_webhook_deliveries",
    params(("webhookId" = String, Path, description = "Id of the webhook"), LogPage),
    responses((status = 200, body = Success<Vec<DeliveryView>>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_webhook_deliveries(
    State(app): State<App>,
    auth: Auth<Read>,
    WebhookInPath(id): WebhookInPath,
    Query(page): Query<LogPage>,
) -> Result<Success<Vec<DeliveryView>>> {
    let webhook = find(&app, &auth.caller, id).await?;
    let size = PageSize::of(page.limit);
    let mut logs = app.meta.list_deliveries(webhook.id, page.cursor, size.to_read()).await?;
    let pagination = size.cut(&mut logs, page.cursor.is_some(), |log| log.delivery.id.to_string());
    Ok(Success::ok(logs.into_iter().map(DeliveryView::from).collect()).with_pagination(pagination))
}

/// Send a delivery again, with the same `webhook-id` and the schedule from its start.
#[utoipa::path(post, path = "/webhooks/{webhookId}/deliveries/{deliveryId}/replay", tag = "Webhooks", operation_id = "replay_webhook_delivery",
    params(("webhookId" = String, Path, description = "Id of the webhook"), ("deliveryId" = String, Path, description = "Id of the delivery")),
    responses((status = 200, body = Success<DeliveryView>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 409, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn replay_webhook_delivery(
    State(app): State<App>,
    auth: Auth<Admin>,
    WebhookInPath(id): WebhookInPath,
    DeliveryInPath(delivery): DeliveryInPath,
) -> Result<Success<DeliveryView>> {
    let webhook = find(&app, &auth.caller, id).await?;
    require_enabled(&webhook)?;
    let replayed = app.meta.replay_delivery(webhook.id, delivery, app.clock.now()).await?;
    let delivery = replayed.ok_or_else(delivery_not_found)?;
    app.notifier.ring();
    Ok(Success::ok(DeliveryView::new(delivery, Vec::new())))
}

/// Send a test event. The log of deliveries says what came of it.
#[utoipa::path(post, path = "/webhooks/{webhookId}/test", tag = "Webhooks", operation_id = "test_webhook",
    params(("webhookId" = String, Path, description = "Id of the webhook")),
    responses((status = 201, body = Success<DeliveryView>), (status = 401, body = Failure), (status = 404, body = Failure), (status = 409, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn test_webhook(
    State(app): State<App>,
    auth: Auth<Admin>,
    WebhookInPath(id): WebhookInPath,
) -> Result<Success<DeliveryView>> {
    let webhook = find(&app, &auth.caller, id).await?;
    require_enabled(&webhook)?;
    let user_id = auth.caller.user.id;
    let facts = TestFacts { message: "This is a test. Your webhook works.", user_id };
    // A subject of its own: a test does not wait behind what cannot be delivered.
    let about = About { subject: format!("test:{}", app.clock.now()), ..About::account(user_id) };
    let event = event(&app, EventType::WebhookTest, about, &facts)?;
    let delivery = audience::to_webhook(&app, &webhook, event.at);
    app.meta.insert_event(&event, std::slice::from_ref(&delivery)).await?;
    app.notifier.ring();
    let kept = app.meta.list_deliveries_of_event(event.id).await?.into_iter().next();
    kept.map(|log| Success::created(DeliveryView::from(log))).ok_or_else(delivery_not_found)
}

fn require_enabled(webhook: &Webhook) -> Result<()> {
    if webhook.enabled {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::WebhookDisabled, "the webhook is switched off; switch it on first"))
}

impl DeliveryView {
    fn new(delivery: Delivery, attempts: Vec<Attempt>) -> Self {
        Self {
            id: delivery.id,
            message_id: message_id(&delivery.event),
            event: delivery.event.kind,
            occurred_at: delivery.event.at,
            channel: delivery.channel,
            target: delivery.target,
            state: delivery.state,
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at,
            reason: delivery.reason,
            log: attempts.into_iter().map(AttemptView::from).collect(),
        }
    }
}

impl From<DeliveryLog> for DeliveryView {
    fn from(log: DeliveryLog) -> Self {
        Self::new(log.delivery, log.attempts)
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let Attempt { at, latency_ms, status, excerpt, failure } = attempt;
        Self { at, latency_ms, status, response: excerpt, failure }
    }
}

fn delivery_not_found() -> ApiError {
    ApiError::new(ErrorCode::DeliveryNotFound, "the webhook has no such delivery")
}

/// The delivery's id in the path.
#[derive(Debug)]
pub struct DeliveryInPath(DeliveryId);

impl<S: Send + Sync> FromRequestParts<S> for DeliveryInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "deliveryId").await.map(Self).ok_or_else(delivery_not_found)
    }
}
