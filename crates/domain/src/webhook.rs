//! Webhooks: where programs are told of events, and the secrets that sign what they are told.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    Invalid, ProjectId, Secret, UserId, WebhookId, budget::is_http_url, event::EventType, invalid::Problems,
    limits, provider_key::Sealed, text,
};

/// Marks a secret of a webhook, as Standard Webhooks asks for.
pub const SECRET_PREFIX: &str = "whsec_";
/// Random bytes of a new secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 32;
/// Hours for which the secret before the current one signs as well.
pub const ROTATION_HOURS: i64 = 24;

/// Form of the body that a webhook is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Our own: `type`, `timestamp` and `data`.
    #[default]
    Json,
    /// A message for a Slack incoming webhook.
    Slack,
    /// A message for a Discord webhook.
    Discord,
    /// An adaptive card for a Microsoft Teams workflow.
    Teams,
}

impl Format {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Teams => "teams",
        }
    }

    /// The format of the service that a URL belongs to.
    pub fn of_url(url: &str) -> Self {
        let host = url.split("://").nth(1).unwrap_or_default();
        let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let is_under = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if is_under("hooks.slack.com") {
            Self::Slack
        } else if is_under("discord.com") || is_under("discordapp.com") {
            Self::Discord
        } else if is_under("webhook.office.com") || is_under("logic.azure.com") {
            Self::Teams
        } else {
            Self::Json
        }
    }

    /// The format that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Slack, Self::Discord, Self::Teams]
            .into_iter()
            .find(|format| format.as_str() == name)
    }
}

/// Whose webhook it is, and so what it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An account's: everything that its holder may know of.
    Account(UserId),
    /// A project's: what happens to the project.
    Project(ProjectId),
}

/// Where programs are told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Identifies it.
    pub id: WebhookId,
    /// Whose it is.
    pub owner: Owner,
    /// Where it goes.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// What it is told of; when empty, everything but `usage.tracked`.
    pub events: Vec<EventType>,
    /// Form of the body.
    pub format: Format,
    /// Switched off by a person, or by the server when it failed for days.
    pub enabled: bool,
    /// Why the server switched it off, if it did.
    pub disabled_reason: Option<String>,
    /// Made for an alert's `webhookUrl` rather than by a person; gets only what that alert sends.
    pub of_budget: bool,
    /// Signs what it is sent.
    pub secret: Sealed,
    /// Signed before, and still does until the moment beside it.
    pub previous_secret: Option<(Sealed, Timestamp)>,
    /// Since when every attempt has failed, if the last one did.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// Whether it wants to be told of `kind`. Of every single call, and regularly, only if it says so by name.
    pub fn wants(&self, kind: EventType) -> bool {
        let is_asked = self.events.contains(&kind);
        let is_special = matches!(kind, EventType::UsageTracked | EventType::CostDigest);
        let is_implied = self.events.is_empty() && !is_special;
        self.enabled && !self.of_budget && (is_asked || is_implied)
    }

    /// Applies `change`, made at `at`.
    pub fn apply(&mut self, change: WebhookChange, at: Timestamp) -> Result<(), Invalid> {
        let mut problems = Problems::default();
        if let Some(url) = change.url {
            match check_url(&url) {
                Ok(()) => self.url = url,
                Err(problem) => drop(problems.take::<()>(Err(problem))),
            }
        }
        if let Some(description) = change.description {
            self.description =
                problems.take(text::description("description", &description)).unwrap_or_default();
        }
        if let Some(mut events) = change.events {
            events.sort_unstable();
            events.dedup();
            self.events = events;
        }
        self.format = change.format.unwrap_or(self.format);
        if let Some(enabled) = change.enabled {
            if enabled {
                (self.disabled_reason, self.failing_since) = (None, None);
            }
            self.enabled = enabled;
        }
        self.updated_at = at;
        problems.into_result()
    }

    /// Takes `new` as the secret from `at` on; the current one signs as well for a day.
    pub fn rotate(&mut self, new: Sealed, at: Timestamp) {
        let until = at.checked_add(jiff::SignedDuration::from_hours(ROTATION_HOURS)).unwrap_or(at);
        self.previous_secret = Some((std::mem::replace(&mut self.secret, new), until));
        self.updated_at = at;
    }
}

/// What a caller says of a webhook: all of it when it is made, the fields to change afterwards.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookChange {
    /// Where it goes, `http` or `https`; required for a new one.
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    /// What it is for.
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// What it is told of; everything when empty.
    pub events: Option<Vec<EventType>>,
    /// Form of the body; `json` unless told otherwise.
    pub format: Option<Format>,
    /// `false` switches it off.
    pub enabled: Option<bool>,
}

fn check_url(url: &str) -> Result<(), Invalid> {
    if !is_http_url(url) {
        return Err(Invalid::field("url", "must be an http or https URL"));
    }
    let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(Invalid::field("url", "must not hold a user name or a password"));
    }
    Ok(())
}

/// Host and port of a URL: what can be shown where the whole may be a secret.
pub fn host(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default()
}

/// A new secret, from `rng`.
pub fn generate_secret(rng: &mut impl rand::Rng) -> Secret {
    let bytes: Zeroizing<[u8; SECRET_BYTES]> = Zeroizing::new(rng.random());
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(*bytes)))
}

/// Webhooks that one account or project may have; see [`limits::WEBHOOKS_MAX`].
pub fn check_count(existing: usize) -> Result<(), Invalid> {
    if existing < limits::WEBHOOKS_MAX {
        return Ok(());
    }
    Err(Invalid::field(
        "url",
        format!("there are {} webhooks already; delete one first", limits::WEBHOOKS_MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(n: u8) -> Sealed {
        Sealed { key_id: "m".to_owned(), nonce: [n; 12], ciphertext: vec![n] }
    }

    fn webhook() -> Webhook {
        let at = "2024-02-10T12:00:00Z".parse().unwrap();
        Webhook {
            id: WebhookId::from_bytes([1; 12]),
            owner: Owner::Account(UserId::from_bytes([2; 12])),
            url: "https://example.com".to_owned(),
            description: String::new(),
            events: vec![EventType::BudgetExceeded],
            format: Format::Json,
            enabled: true,
            disabled_reason: None,
            of_budget: false,
            secret: sealed(1),
            previous_secret: None,
            failing_since: None,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn a_webhook_hears_what_it_asked_for_while_it_is_on() {
        let mut webhook = webhook();
        assert!(webhook.wants(EventType::BudgetExceeded) && !webhook.wants(EventType::KeyAdded));
        webhook.events.clear();
        assert!(webhook.wants(EventType::KeyAdded));
        webhook.enabled = false;
        assert!(!webhook.wants(EventType::KeyAdded));
    }

    #[test]
    fn only_urls_without_credentials_are_taken() {
        for (url, is_taken) in [
            ("https://example.com/hook?x=a@b", true),
            ("http://example.com", true),
            ("https://user:password@example.com/", false),
            ("ftp://example.com", false),
            ("https://exa mple.com", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            let change = WebhookChange { url: Some(url.to_owned()), ..WebhookChange::default() };
            let applied = webhook().apply(change, "2024-02-10T12:00:00Z".parse().unwrap());
            assert_eq!(applied.is_ok(), is_taken, "{url}");
        }
    }

    #[test]
    fn the_format_follows_from_the_host() {
        for (url, format) in [
            ("https://hooks.slack.com/services/T/B/x", Format::Slack),
            ("https://discord.com/api/webhooks/1/x", Format::Discord),
            ("https://contoso.webhook.office.com/webhookb2/x", Format::Teams),
            ("https://example.com/hooks.slack.com", Format::Json),
            ("https://evilhooks.slack.com.example.com/", Format::Json),
            ("https://nothooks.slack.com/", Format::Json),
        ] {
            assert_eq!(Format::of_url(url), format, "{url}");
        }
    }

    #[test]
    fn switching_on_again_forgets_the_failures() {
        let at = "2024-02-11T12:00:00Z".parse().unwrap();
        let mut webhook = Webhook {
            enabled: false,
            failing_since: Some(at),
            disabled_reason: Some("410".to_owned()),
            ..webhook()
        };
        webhook.apply(WebhookChange { enabled: Some(true), ..WebhookChange::default() }, at).unwrap();
        assert_eq!((webhook.enabled, webhook.failing_since, webhook.disabled_reason), (true, None, None));
    }

    #[test]
    fn a_rotated_secret_signs_for_another_day() {
        let mut webhook = webhook();
        webhook.rotate(sealed(2), "2024-02-11T12:00:00Z".parse().unwrap());
        assert_eq!(webhook.secret, sealed(2));
        assert_eq!(webhook.previous_secret, Some((sealed(1), "2024-02-12T12:00:00Z".parse().unwrap())));
    }

    #[test]
    fn secrets_are_32_random_bytes_in_base64() {
        let secret = generate_secret(&mut rand::rng());
        let encoded = secret.expose().strip_prefix(SECRET_PREFIX).unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap().len(), 32);
        assert_ne!(secret, generate_secret(&mut rand::rng()));
    }
}
