//! The contract for spans that add up what calls inside of them used.

use async_trait::async_trait;
use domain::{
    KeyId, UsageId, UserId,
    ingest::NewUsage,
    wire::opentelemetry::{SpanId, TraceId},
};
use jiff::Timestamp;

use crate::StoreError;

/// A span that adds up what calls inside of it used.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateSpan {
    /// The account that sent it.
    pub user_id: UserId,
    /// Where it is.
    pub id: SpanId,
    /// In which span of its trace.
    pub parent: Option<[u8; 8]>,
    /// When it began.
    pub started_at: Timestamp,
    /// Id of the record that it becomes or became.
    pub record_id: UsageId,
    /// The tracker key that it came in with.
    pub tracker_key_id: Option<KeyId>,
    /// When it is decided whether it becomes a record; once it did, when it is forgotten.
    pub due_at: Timestamp,
    /// What will be recorded; `None` once it was.
    pub call: Option<NewUsage>,
}

/// Keeps them until it is known whether such a call is told of.
#[async_trait]
pub trait AggregateStore: Send + Sync {
    /// Keeps spans, unless they are known, as long as fewer than `max` of the account are kept; for how many there was no
    /// room. All are of one account.
    async fn insert_aggregates(&self, spans: Vec<AggregateSpan>, max: usize) -> Result<usize, StoreError>;

    /// Those of an account in these traces.
    async fn list_aggregates(
        &self,
        user: UserId,
        traces: &[TraceId],
    ) -> Result<Vec<AggregateSpan>, StoreError>;

    /// Those that are to be decided at `at`, the earliest begun first.
    async fn list_due_aggregates(
        &self,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<AggregateSpan>, StoreError>;

    /// Notes that one became its record, to be forgotten at `due_at`.
    async fn settle_aggregate(&self, user: UserId, id: SpanId, due_at: Timestamp) -> Result<(), StoreError>;

    /// Decides later.
    async fn postpone_aggregate(&self, user: UserId, id: SpanId, due_at: Timestamp)
    -> Result<(), StoreError>;

    /// Deletes one; its record is another matter.
    async fn delete_aggregate(&self, user: UserId, id: SpanId) -> Result<(), StoreError>;

    /// Deletes those that became records and are to be forgotten at `at`; how many.
    async fn forget_aggregates(&self, at: Timestamp) -> Result<u64, StoreError>;
}
