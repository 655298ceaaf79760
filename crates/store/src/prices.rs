//! The contract for what the operator says of prices.

use async_trait::async_trait;
use domain::UserId;
use jiff::Timestamp;

use crate::StoreError;

/// One of the documents about the operator's prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PriceDocument {
    /// The catalog, once one was imported over the embedded one.
    Catalog,
    /// Names of deployments and what they stand for.
    Mappings,
    /// Own rates, discounts and margins.
    Adjustments,
    /// What the last repricing of kept records changed.
    Repricing,
}

/// A document as it was from some moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRevision {
    /// Which document.
    pub document: PriceDocument,
    /// Counts the document's revisions, from 1.
    pub number: u64,
    /// The document.
    pub json: String,
    /// What changed, in words.
    pub note: String,
    /// Who changed it; `None` for the program: from the command line, or the server by itself.
    pub author: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

/// Keeps every revision of the operator's documents about prices. Nothing is overwritten.
#[async_trait]
pub trait PriceStore: Send + Sync {
    /// The newest revision of `document`.
    async fn find_price_revision(&self, document: PriceDocument)
    -> Result<Option<PriceRevision>, StoreError>;

    /// Keeps a new revision: `Conflict("revision")` unless its number follows the newest one's.
    async fn insert_price_revision(&self, revision: &PriceRevision) -> Result<(), StoreError>;

    /// Every revision of `document`, the newest first, with `json` left empty.
    async fn list_price_revisions(&self, document: PriceDocument) -> Result<Vec<PriceRevision>, StoreError>;
}
