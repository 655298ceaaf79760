//! From an event to the people and programs that are told of it.
//!
//! [`announce`] finds who is to be told ([`audience`]) and keeps the event with its deliveries in the store's outbox;
//! [`dispatch`] takes what is due from there and sends it by webhook ([`webhook`]) or e-mail ([`mail`]).
//!
//! **Architecture Invariant:** nothing is sent that is not in the outbox, so that a crash loses nothing and everything
//! that was sent can be looked up. What arrives twice carries the same id.

pub mod address;
pub mod audience;
pub mod budget_hook;
pub mod dispatch;
pub mod event;
pub mod facts;
pub mod mail;
pub mod message;
pub mod signature;
pub mod webhook;

use std::sync::atomic::{AtomicBool, Ordering};

pub use event::announce;

use crate::config::Config;

/// What sends, and the bell that wakes who does.
#[derive(Debug)]
pub struct Notifier {
    /// Sends webhooks.
    pub webhooks: webhook::WebhookClient,
    /// Sends e-mail, if a mail server is configured.
    pub mailer: Option<mail::Mailer>,
    bell: tokio::sync::Notify,
    is_full: AtomicBool,
}

/// What sends cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// The client for webhooks.
    #[error("webhooks cannot be sent: {0}")]
    Webhooks(#[from] reqwest::Error),
    /// The client for e-mail.
    #[error("e-mail cannot be sent as [smtp] says: {0}")]
    Mail(#[from] mail::MailerError),
}

impl Notifier {
    /// Sends as `config` says.
    pub fn new(config: &Config) -> Result<Self, NotifierError> {
        Ok(Self {
            webhooks: webhook::WebhookClient::new(config.notify.allow_private_addresses)?,
            mailer: mail::Mailer::new(&config.smtp)?,
            bell: tokio::sync::Notify::new(),
            is_full: AtomicBool::new(false),
        })
    }

    /// Says that something is due.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Whether so much waits that only alerts are taken.
    pub fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }
}

/// What a destination answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP or SMTP status, if it came that far.
    pub status: Option<u16>,
    /// Beginning of the answer.
    pub excerpt: Option<String>,
    /// What it means.
    pub outcome: Outcome,
    /// For how many seconds it asked us to wait.
    pub retry_after_seconds: Option<u64>,
}

/// What an answer means for a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Delivered,
    /// It may arrive later.
    Retry(String),
    /// It will not arrive.
    GiveUp(String),
    /// Nothing will arrive there any more.
    Gone(String),
}

impl Answer {
    /// No answer, for this reason.
    fn none(outcome: Outcome) -> Self {
        Self { status: None, excerpt: None, outcome, retry_after_seconds: None }
    }
}
