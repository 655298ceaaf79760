//! The contract for events, their deliveries, webhooks, and alerts of budgets.

use async_trait::async_trait;
use domain::{
    AlertId, BudgetId, DeliveryId, EventId, ProjectId, UserId, WebhookId,
    alert::{AlertMark, FiredAlert},
    delivery::{Attempt, Delivery, NewDelivery, Next},
    event::Event,
    provider_key::Sealed,
    webhook::{Owner, Webhook},
};
use jiff::Timestamp;

use crate::StoreError;

/// Deliveries to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryClaim {
    /// Those due at this moment.
    pub now: Timestamp,
    /// Until when nobody else is given them; after a crash they are due again then.
    pub until: Timestamp,
    /// So many at most.
    pub limit: usize,
    /// So many at most for one webhook, or one address.
    pub per_target: usize,
    /// None to these destinations.
    pub busy: Vec<String>,
}

/// What came of an attempt, kept as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// The attempt.
    pub attempt: Attempt,
    /// What becomes of the delivery.
    pub next: Next,
    /// Switches its webhook off, for this reason.
    pub disable_webhook: Option<String>,
}

/// A delivery with its attempts, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLog {
    /// The delivery.
    pub delivery: Delivery,
    /// Its attempts.
    pub attempts: Vec<Attempt>,
}

/// Events on their way out. An event is kept together with its deliveries, and nothing of it is lost before they arrived
/// or were given up.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Keeps an event with its deliveries, due at the event's own time.
    async fn insert_event(&self, event: &Event, deliveries: &[NewDelivery]) -> Result<(), StoreError>;

    /// Up to which place records were told of, if ever; see [`last_place`](crate::UsageStore::last_place).
    async fn find_told_place(&self) -> Result<Option<u64>, StoreError>;

    /// Keeps events about the records behind the place `after`, up to `place`, with their deliveries, and that these were
    /// told of, as one. `Conflict("place")` if records were told of up to another place than `after`.
    async fn insert_usage_events(
        &self,
        events: Vec<(Event, Vec<NewDelivery>)>,
        after: u64,
        place: u64,
    ) -> Result<(), StoreError>;

    /// Deliveries that are due, the earliest first. Of deliveries with the same destination and subject only the earliest
    /// that waits is given.
    async fn claim_deliveries(&self, claim: DeliveryClaim) -> Result<Vec<Delivery>, StoreError>;

    /// When the next delivery is due, if any waits.
    async fn find_next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// How many deliveries wait.
    async fn count_waiting(&self) -> Result<u64, StoreError>;

    /// Keeps what came of an attempt, with what it means for the webhook: failing since when, switched off or not. A
    /// delivery that vanished or ended meanwhile is left alone.
    async fn record_attempt(&self, delivery: DeliveryId, result: &AttemptResult) -> Result<(), StoreError>;

    /// Deliveries to a webhook, the latest first, after `before` if given: `BadCursor` if that is none of its own.
    async fn list_deliveries(
        &self,
        webhook: WebhookId,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<DeliveryLog>, StoreError>;

    /// Deliveries of an event, in their order.
    async fn list_deliveries_of_event(&self, event: EventId) -> Result<Vec<DeliveryLog>, StoreError>;

    /// Makes a delivery of the webhook due again at `at`, with the schedule from its start; `None` if there is none such.
    async fn replay_delivery(
        &self,
        webhook: WebhookId,
        delivery: DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Delivery>, StoreError>;

    /// Deletes events of before `before` of which no delivery waits, at most `limit`; how many.
    async fn sweep_events(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError>;
}

/// Where programs are told of events.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Keeps a new webhook.
    async fn insert_webhook(&self, webhook: &Webhook) -> Result<(), StoreError>;

    /// Keeps the webhook of a budget, or gives the one that its owner has for the same URL.
    async fn ensure_budget_webhook(&self, webhook: &Webhook) -> Result<Webhook, StoreError>;

    /// The webhook.
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// The owner's webhooks, oldest first.
    async fn list_webhooks(&self, owner: Owner) -> Result<Vec<Webhook>, StoreError>;

    /// Enabled webhooks that may be told of something of `project`: every account's, and the project's own.
    async fn list_listening_webhooks(&self, project: Option<ProjectId>) -> Result<Vec<Webhook>, StoreError>;

    /// The webhooks of everybody; for a rotation of the master key.
    async fn list_all_webhooks(&self) -> Result<Vec<Webhook>, StoreError>;

    /// Replaces everything but owner and creation; `false` if it is gone. The deliveries that wait for a webhook that is
    /// switched off are given up.
    async fn update_webhook(&self, webhook: &Webhook) -> Result<bool, StoreError>;

    /// Replaces the ciphertexts of a webhook's secrets, if they are still those of `old`; `false` if they are not.
    async fn reseal_webhook(
        &self,
        old: &Webhook,
        secret: &Sealed,
        previous: Option<&Sealed>,
    ) -> Result<bool, StoreError>;

    /// Deletes a webhook with its deliveries; `false` if there was none.
    async fn delete_webhook(&self, id: WebhookId) -> Result<bool, StoreError>;
}

/// Which alerts of a person's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertStatus {
    /// Those that are not snoozed.
    Current,
    /// Those of them that were not read.
    Unread,
    /// Those that are snoozed.
    Snoozed,
    /// All of them.
    All,
}

/// A part of a person's list of alerts. Alerts that they deleted are never on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertQuery {
    /// Whose list.
    pub user: UserId,
    /// Budgets whose alerts they may see; a project's has the project's id.
    pub budgets: Vec<BudgetId>,
    /// Which.
    pub status: AlertStatus,
    /// The moment at which something is snoozed or not.
    pub now: Timestamp,
    /// Those that fired before this one.
    pub before: Option<AlertId>,
    /// So many at most.
    pub limit: usize,
}

/// Alerts of budgets.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Keeps an alert that fires, with its event and deliveries, as one; `false`, and nothing is kept, if it had fired for
    /// the same budget, period, threshold and definition.
    async fn fire_alert(
        &self,
        alert: &FiredAlert,
        event: &Event,
        deliveries: &[NewDelivery],
    ) -> Result<bool, StoreError>;

    /// What has fired for a budget in the period that starts at `period_start`, in the order of firing.
    async fn list_fired_alerts(
        &self,
        budget: BudgetId,
        period_start: Timestamp,
    ) -> Result<Vec<FiredAlert>, StoreError>;

    /// The alert.
    async fn find_alert(&self, id: AlertId) -> Result<Option<FiredAlert>, StoreError>;

    /// A part of a person's list, the latest first. `BadCursor` if `before` is no alert.
    async fn list_alerts(&self, query: &AlertQuery) -> Result<Vec<(FiredAlert, AlertMark)>, StoreError>;

    /// How many thresholds were crossed that a person's list tells of, by however many alerts; `before` and `limit` do not
    /// count. That a budget is used up is the same as that it reached 100 %.
    async fn count_crossings(&self, query: &AlertQuery) -> Result<u64, StoreError>;

    /// What the person did with the alert.
    async fn find_alert_mark(&self, user: UserId, alert: AlertId) -> Result<AlertMark, StoreError>;

    /// Replaces what the person did with the alert; `false` if there is no such alert.
    async fn mark_alert(&self, user: UserId, alert: AlertId, mark: AlertMark) -> Result<bool, StoreError>;

    /// Marks everything on the person's list as read at `query.now`; how many were not.
    async fn mark_alerts_read(&self, query: &AlertQuery) -> Result<u64, StoreError>;
}
