//! Takes what is due from the outbox and sends it.
//!
//! The clock decides what is due, so that a test which moves the clock drives this without waiting.

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use domain::{
    Secret,
    delivery::{Attempt, Channel, Delivery, Next, is_dead, next_try},
    webhook::Webhook,
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use store::{AttemptResult, DeliveryClaim, StoreError};

use super::{Answer, Outcome, mail::Letter, message::Message, webhook::Request};
use crate::{app::App, config::PublicUrl, limits};

/// Longer than any attempt takes; after a crash, deliveries that were under way are due again then.
const CLAIM_SECONDS: i64 = 120;
/// Shortest pause between two looks at what is not due yet.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// The same while something is being sent.
const PAUSE_WHILE_SENDING: Duration = Duration::from_secs(1);
/// Longest pause between two looks: the system's clock may jump.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// Pause after the store failed.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);

/// Sends what is due until the program stops. What is sent does not wait for what else is being sent: a receiver that is
/// slow holds up its own deliveries only.
pub fn start(app: &App) {
    let worker = app.clone();
    app.spawn("dispatch", async move {
        let stopping = worker.stopping();
        tokio::pin!(stopping);
        let (mut under_way, mut swept_at) = (UnderWay::default(), None);
        loop {
            let pause = match begin_due(&worker, &mut under_way, &mut swept_at).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "deliveries could not be looked for");
                    PAUSE_AFTER_ERROR
                }
            };
            tokio::select! {
                () = &mut stopping => break,
                () = worker.notifier.bell.notified() => {}
                () = tokio::time::sleep(pause) => {}
                Some(destination) = under_way.sending.next() => under_way.end(&destination),
            }
        }
        while under_way.sending.next().await.is_some() {}
    });
}

/// Deliveries that are being sent.
#[derive(Default)]
struct UnderWay<'a> {
    /// Each says where it went when it has ended.
    sending: FuturesUnordered<BoxFuture<'a, String>>,
    by_destination: HashMap<String, usize>,
}

impl<'a> UnderWay<'a> {
    fn begin(&mut self, app: &'a App, delivery: Delivery) {
        let destination = delivery.destination();
        *self.by_destination.entry(destination.clone()).or_default() += 1;
        self.sending.push(deliver(app, delivery).map(|()| destination).boxed());
    }

    fn end(&mut self, destination: &str) {
        if let Some(count) = self.by_destination.get_mut(destination) {
            *count -= 1;
            if *count == 0 {
                self.by_destination.remove(destination);
            }
        }
    }
}

/// Begins to send what is due, as far as there is room, and says how long the next look may wait.
async fn begin_due<'a>(
    app: &'a App,
    under_way: &mut UnderWay<'a>,
    swept_at: &mut Option<Timestamp>,
) -> Result<Duration, StoreError> {
    let room = limits::DELIVERIES_AT_ONCE - under_way.sending.len();
    if room == 0 {
        // The first that ends makes room.
        return Ok(PAUSE_MAX);
    }
    // A destination takes what it was given before it is given more: its places are never more than one claim's.
    let busy = under_way.by_destination.keys().cloned().collect();
    let due = claim(app, room, busy).await?;
    if !due.is_empty() {
        for delivery in due {
            under_way.begin(app, delivery);
        }
        note_waiting(app).await?;
        return Ok(Duration::ZERO);
    }
    let now = app.clock.now();
    if swept_at.is_none_or(|at| now.duration_since(at) >= SignedDuration::from_hours(1)) {
        sweep(app, now).await?;
        *swept_at = Some(now);
    }
    // What is due and waits for its destination's turn is looked for when that has ended.
    let pause_min = if under_way.sending.is_empty() { PAUSE_MIN } else { PAUSE_WHILE_SENDING };
    let next_due = app.meta.find_next_due().await?;
    let until = |due: Timestamp| Duration::try_from(due.duration_since(now)).unwrap_or_default();
    Ok(next_due.map_or(PAUSE_MAX, |due| until(due).max(pause_min)).min(PAUSE_MAX))
}

/// Sends what is due now, and waits until all of it was tried; how many deliveries.
pub async fn deliver_due(app: &App) -> Result<usize, StoreError> {
    let due = claim(app, limits::DELIVERIES_AT_ONCE, Vec::new()).await?;
    let tried = due.len();
    let sending: FuturesUnordered<_> = due.into_iter().map(|delivery| deliver(app, delivery)).collect();
    sending.collect::<Vec<()>>().await;
    if tried > 0 {
        note_waiting(app).await?;
    }
    Ok(tried)
}

async fn claim(app: &App, limit: usize, busy: Vec<String>) -> Result<Vec<Delivery>, StoreError> {
    let now = app.clock.now();
    let until = now.checked_add(SignedDuration::from_secs(CLAIM_SECONDS)).unwrap_or(now);
    let per_target = limits::DELIVERIES_AT_ONCE_PER_TARGET;
    app.meta.claim_deliveries(DeliveryClaim { now, until, limit, per_target, busy }).await
}

async fn note_waiting(app: &App) -> Result<(), StoreError> {
    let waiting = app.meta.count_waiting().await?;
    app.notifier.is_full.store(waiting >= limits::DELIVERIES_WAITING_MAX, Ordering::Relaxed);
    Ok(())
}

/// Forgets events that nobody waits for any more and that are older than the log is kept.
async fn sweep(app: &App, now: Timestamp) -> Result<(), StoreError> {
    let before = now.checked_sub(SignedDuration::from_hours(24 * limits::EVENT_DAYS_KEPT));
    let Ok(before) = before else { return Ok(()) };
    while app.meta.sweep_events(before, limits::SWEEP_EVENTS).await? == limits::SWEEP_EVENTS as u64 {}
    Ok(())
}

async fn deliver(app: &App, delivery: Delivery) {
    let at = app.clock.now();
    let started = tokio::time::Instant::now();
    let sent = match delivery.channel {
        Channel::Webhook => by_webhook(app, &delivery).await,
        Channel::Email => by_email(app, &delivery).await.map(|answer| (answer, None)),
    };
    // The store failed, or the webhook is gone: the claim ends by itself.
    let Some((answer, webhook)) = sent else { return };
    let latency_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    let result = judge(&delivery, webhook.as_ref(), answer, Tried { at, latency_ms, now: app.clock.now() });
    count(&delivery, &result);
    if let Err(error) = app.meta.record_attempt(delivery.id, &result).await {
        tracing::error!(delivery = %delivery.id, %error, "an attempt could not be noted; it will be repeated");
    }
}

async fn by_webhook(app: &App, delivery: &Delivery) -> Option<(Answer, Option<Webhook>)> {
    let webhook = match app.meta.find_webhook(delivery.webhook_id?).await {
        Ok(found) => found?,
        Err(error) => {
            tracing::error!(%error, "a webhook could not be read");
            return None;
        }
    };
    let now = app.clock.now();
    let secrets = match secrets(app, &webhook, now) {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::error!(webhook = %webhook.id, %error, "a webhook's secret cannot be opened");
            let why = "the webhook's secret cannot be opened; rotate it".to_owned();
            return Some((Answer::none(Outcome::GiveUp(why)), Some(webhook)));
        }
    };
    let request =
        Request { url: &webhook.url, format: webhook.format, secrets: &secrets, event: &delivery.event, now };
    let answer = app.notifier.webhooks.send(request).await;
    Some((answer, Some(webhook)))
}

/// The current secret, and for a day the one before.
fn secrets(app: &App, webhook: &Webhook, now: Timestamp) -> Result<Vec<Secret>, crate::vault::VaultError> {
    let previous = webhook.previous_secret.as_ref().filter(|(_, until)| now < *until);
    let sealed = [Some(&webhook.secret), previous.map(|(sealed, _)| sealed)];
    sealed.into_iter().flatten().map(|sealed| app.vault.open_webhook(webhook.id, sealed)).collect()
}

async fn by_email(app: &App, delivery: &Delivery) -> Option<Answer> {
    let Some(mailer) = &app.notifier.mailer else {
        let why = "no mail server is configured any more: see [smtp]".to_owned();
        return Some(Answer::none(Outcome::GiveUp(why)));
    };
    let letter = Letter {
        to: &delivery.target,
        id: &delivery.id.to_string(),
        at: delivery.event.at,
        message: &Message::of(&delivery.event),
        link: app.config.server.public_url.as_ref().map(PublicUrl::as_str),
    };
    Some(mailer.send(&letter).await)
}

/// When an attempt was made.
#[derive(Clone, Copy)]
struct Tried {
    at: Timestamp,
    latency_ms: u32,
    now: Timestamp,
}

/// What comes of an answer.
fn judge(delivery: &Delivery, webhook: Option<&Webhook>, answer: Answer, tried: Tried) -> AttemptResult {
    let jitter: u32 = rand::rng().random_range(0..1_000);
    let (failure, next, is_gone) = match answer.outcome {
        Outcome::Delivered => (None, Next::Delivered, false),
        Outcome::Retry(why) => {
            let next = next_try(delivery.tries + 1, tried.now, jitter, answer.retry_after_seconds);
            (Some(why), next, false)
        }
        Outcome::GiveUp(why) => (Some(why), Next::GiveUp, false),
        Outcome::Gone(why) => (Some(why), Next::GiveUp, true),
    };
    let since = webhook.and_then(|webhook| webhook.failing_since);
    let is_dead = failure.is_some() && since.is_some_and(|since| is_dead(since, tried.now));
    let disable_webhook = match (is_gone, is_dead) {
        (true, _) => failure.clone(),
        (false, true) => failure.as_ref().map(|why| format!("nothing arrived for five days; last: {why}")),
        (false, false) => None,
    };
    let Tried { at, latency_ms, .. } = tried;
    let attempt = Attempt { at, latency_ms, status: answer.status, excerpt: answer.excerpt, failure };
    AttemptResult { attempt, next, disable_webhook }
}

fn count(delivery: &Delivery, result: &AttemptResult) {
    let outcome = match result.next {
        Next::Delivered => "delivered",
        Next::RetryAt(_) => "retry",
        Next::GiveUp => "failed",
    };
    metrics::counter!(
        "aict_delivery_attempts_total", "channel" => delivery.channel.as_str(), "outcome" => outcome
    )
    .increment(1);
    if let Some(failure) = &result.attempt.failure {
        tracing::warn!(delivery = %delivery.id, channel = delivery.channel.as_str(), failure, "not delivered");
    }
}
