//! The nouns and rules of AI Cost Tracker, pure: no I/O, no async, no clock of its own.
//!
//! What a call costs is in [`pricing`]; what it means to keep it is in the `store` crate. This crate holds what both
//! sides talk about: who may see what ([`user`], [`project`]), what happened ([`usage_record`]), how much may be spent
//! ([`budget`]) and what can be asked ([`query`]).
//!
//! **Architecture Invariant:** nothing here reads the time or a random source by itself; a [`Clock`] and an
//! [`IdSource`] are passed in, so that tests can freeze both.

pub mod alert;
pub mod allocation;
pub mod annotation;
pub mod anomaly;
pub mod audit;
pub mod budget;
pub mod clock;
pub mod costing;
pub mod delivery;
pub mod digest;
pub mod event;
pub mod forecast;
pub mod fx;
pub mod id;
pub mod ingest;
pub mod interval;
pub mod invalid;
pub mod limits;
pub mod project;
pub mod provider_key;
pub mod query;
pub mod redact;
pub mod same_call;
pub mod secret;
pub mod text;
pub mod totals;
pub mod tracker_key;
pub mod usage_record;
pub mod user;
pub mod webhook;
pub mod wire;
mod words;

pub use clock::{Clock, FrozenClock};
pub use id::{
    AlertId, AnnotationId, AnomalyId, BudgetId, DeliveryId, EventId, Id, IdSource, IncreaseId, KeyId,
    ProjectId, UsageId, UserId, WebhookId,
};
pub use interval::Interval;
pub use invalid::{Invalid, Problem};
pub use secret::Secret;
