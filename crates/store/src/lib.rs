//! What persistence means to AI Cost Tracker.
//!
//! [`UsageStore`] keeps usage records and answers questions about them; [`MetaStore`] keeps everything else. Every
//! database implements the same two contracts, and the `contract` module proves it. [`sqlite`] is the embedded default.
//!
//! # Conventions
//! - A method that returns `Ok` has made its effect durable: it survives `kill -9` and a power cut.
//! - `find_…` answers `None` when the thing does not exist; nothing else does.
//! - A method is atomic: after an error, nothing of it has happened.
//! - Stores do not read the clock; every instant is passed in. They keep instants to the millisecond.
//!
//! **Architecture Invariant:** no SQL, and no word of any database, outside of a store's own module.

mod aggregates;
mod annotation;
mod anomaly;
mod audit;
mod budgets;
#[cfg(feature = "contract")]
pub mod contract;
mod erasure;
mod error;
pub mod limits;
mod meta;
mod outbox;
mod prices;
pub mod sqlite;
mod usage;

pub use aggregates::{AggregateSpan, AggregateStore};
pub use annotation::{AnnotationQuery, AnnotationStore};
pub use anomaly::{AnomalyQuery, AnomalyStore, NewAnomaly};
pub use audit::{AuditQuery, AuditStore, AuditVerification};
pub use budgets::BudgetStore;
pub use erasure::{ErasureCount, ErasureStore, Person};
pub use error::StoreError;
pub use meta::{
    AccountStore, Claim, Invitation, KeyStore, MetaStore, NewSession, PasswordReset, ProjectStore, Rotation,
    UserWithHash,
};
pub use outbox::{
    AlertQuery, AlertStatus, AlertStore, AttemptResult, DeliveryClaim, DeliveryLog, OutboxStore, WebhookStore,
};
pub use prices::{PriceDocument, PriceRevision, PriceStore};
pub use usage::{
    Appended, CallBatch, CallKind, DurationGroup, LatencyPercentiles, MeteredCall, RecordPage, Trimmed,
    UsageStore, Verification,
};
