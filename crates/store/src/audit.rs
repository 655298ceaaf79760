//! The contract for the audit log.

use async_trait::async_trait;
use domain::{
    Interval, ProjectId, UserId,
    audit::{ChainHash, Change, Entry},
};

use crate::StoreError;

/// A part of the audit log, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// When.
    pub period: Interval,
    /// By whom, if by one account only.
    pub actor: Option<UserId>,
    /// About which project, if about one only.
    pub project: Option<ProjectId>,
    /// A part of the action, e.g. `DELETE` or `/webhooks`.
    pub action: Option<String>,
    /// Entries before this number.
    pub before: Option<u64>,
    /// So many at most.
    pub limit: usize,
}

/// Whether the audit log is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerification {
    /// Entries that were looked at.
    pub entries: u64,
    /// The first entry that is not what it was, or that another one before it is missing.
    pub broken_at: Option<u64>,
    /// The hash of the last entry; what was noted of it elsewhere shows whether the end was cut off.
    pub head: ChainHash,
}

/// Keeps who changed what. Nothing of it is ever changed or deleted.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Keeps a change at the end of the chain.
    async fn append_audit(&self, change: &Change) -> Result<Entry, StoreError>;

    /// A part of the log, the latest first.
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<Entry>, StoreError>;

    /// Computes the chain anew from its first entry, and compares it with what was noted elsewhere: the hash of an entry
    /// that was once the last one. An end that was cut off cannot be seen without.
    async fn verify_audit(&self, noted: Option<(u64, ChainHash)>) -> Result<AuditVerification, StoreError>;
}
