//! An event on its way to one destination, and when it is tried again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{DeliveryId, WebhookId, event::Event};

/// Seconds between one attempt and the next: the schedule of Standard Webhooks
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Retries"): at once,
/// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
const RETRY_SECONDS: [i64; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
/// Attempts of a delivery before it is given up.
pub const ATTEMPTS_MAX: u32 = 8;
/// How much longer than the schedule a pause may be, so that many deliveries that failed together do not return together.
const JITTER_PERCENT_MAX: i64 = 20;
/// Longest pause that a receiver may ask for.
const RETRY_AFTER_SECONDS_MAX: i64 = 24 * 3600;
/// A webhook that failed for as long as this, without one success, is switched off.
pub const FAILING_HOURS_MAX: i64 = 5 * 24;

/// By which way a delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// HTTP POST to a URL.
    Webhook,
    /// E-mail by SMTP.
    Email,
}

impl Channel {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }

    /// The channel that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Webhook, Self::Email].into_iter().find(|channel| channel.as_str() == name)
    }
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, for the first time or again.
    Waiting,
    /// The destination took it.
    Delivered,
    /// It was given up; the reason says why.
    Failed,
    /// There is nowhere to send it: no mail server is configured, or no webhook.
    NotConfigured,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Failed, Self::NotConfigured];

    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::NotConfigured => "not_configured",
        }
    }

    /// The state that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One event for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Identifies it.
    pub id: DeliveryId,
    /// What is told.
    pub event: Event,
    /// By which way.
    pub channel: Channel,
    /// The webhook, if it goes to one.
    pub webhook_id: Option<WebhookId>,
    /// Where to: a URL without credentials, or an e-mail address; empty where there is no destination.
    pub target: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts since it was made or replayed; the schedule counts these.
    pub tries: u32,
    /// When it is tried next; `None` once it is not tried any more.
    pub due_at: Option<Timestamp>,
    /// Why it has not arrived, if it has not.
    pub reason: Option<String>,
}

/// A delivery to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Identifies it.
    pub id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// The webhook, if it goes to one.
    pub webhook_id: Option<WebhookId>,
    /// Where to.
    pub target: String,
    /// [`DeliveryState::Waiting`], or [`DeliveryState::NotConfigured`] where it will never leave.
    pub state: DeliveryState,
    /// Why it will not leave, if it will not.
    pub reason: Option<String>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub latency_ms: u32,
    /// HTTP or SMTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Beginning of the answer.
    pub excerpt: Option<String>,
    /// Why it failed; `None` when it arrived.
    pub failure: Option<String>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// It is tried again at this moment.
    RetryAt(Timestamp),
    /// It is not tried again.
    GiveUp,
}

impl Delivery {
    /// What tells where it goes apart: the webhook's id, or the address.
    pub fn destination(&self) -> String {
        self.webhook_id.map_or_else(|| self.target.clone(), |id| id.to_string())
    }
}

/// When to try again after `tries` attempts have failed, the last one at `now`.
///
/// `jitter` is a random number of which a part stretches the pause; `retry_after_seconds` is what the receiver asked for
/// (RFC 9110, 10.2.3), and is honoured up to a day.
pub fn next_try(tries: u32, now: Timestamp, jitter: u32, retry_after_seconds: Option<u64>) -> Next {
    let index = usize::try_from(tries).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(seconds) = RETRY_SECONDS.get(index) else { return Next::GiveUp };
    let stretch_ms = seconds * 10 * JITTER_PERCENT_MAX * i64::from(jitter % 1_000) / 1_000;
    let asked = retry_after_seconds.and_then(|asked| i64::try_from(asked).ok());
    let asked_ms = asked.unwrap_or(0).min(RETRY_AFTER_SECONDS_MAX) * 1_000;
    let pause_ms = (seconds * 1_000 + stretch_ms).max(asked_ms);
    now.checked_add(SignedDuration::from_millis(pause_ms)).map_or(Next::GiveUp, Next::RetryAt)
}

/// Whether a webhook that has failed since `failing_since` is switched off at `now`.
pub fn is_dead(failing_since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(failing_since) >= SignedDuration::from_hours(FAILING_HOURS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn pauses_follow_the_published_schedule_and_end() {
        let now = at("2024-02-10T12:00:00Z");
        let mut pauses = Vec::new();
        for tries in 1..ATTEMPTS_MAX {
            let Next::RetryAt(next) = next_try(tries, now, 0, None) else { panic!("{tries}") };
            pauses.push(next.duration_since(now).as_secs());
        }
        assert_eq!(pauses, [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
        assert_eq!(next_try(ATTEMPTS_MAX, now, 0, None), Next::GiveUp);
    }

    #[test]
    fn jitter_stretches_by_a_fifth_at_most() {
        let now = at("2024-02-10T12:00:00Z");
        for jitter in [0, 1, 500, 999, 1_000, u32::MAX] {
            let Next::RetryAt(next) = next_try(2, now, jitter, None) else { panic!("{jitter}") };
            let pause_ms = next.duration_since(now).as_millis();
            assert!((300_000..360_000).contains(&pause_ms), "{jitter}: {pause_ms}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
        let now = at("2024-02-10T12:00:00Z");
        let pause = |asked| match next_try(1, now, 0, Some(asked)) {
            Next::RetryAt(next) => next.duration_since(now).as_secs(),
            Next::Delivered | Next::GiveUp => -1,
        };
        assert_eq!([pause(0), pause(3), pause(60), pause(u64::MAX)], [5, 5, 60, 5]);
        assert_eq!(pause(10 * 24 * 3600), 24 * 3600);
    }

    #[test]
    fn five_days_without_success_are_enough() {
        let since = at("2024-02-10T12:00:00Z");
        assert!(!is_dead(since, at("2024-02-15T11:59:59Z")));
        assert!(is_dead(since, at("2024-02-15T12:00:00Z")));
    }
}
