//! The contract for anomalies of spending.

use async_trait::async_trait;
use domain::{
    AnomalyId, ProjectId,
    anomaly::{Anomaly, Expectation, Series},
    delivery::NewDelivery,
    event::Event,
};
use jiff::Timestamp;
use pricing::Money;

use crate::StoreError;

/// An anomaly that was found, with what is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnomaly {
    /// The anomaly.
    pub anomaly: Anomaly,
    /// It is kept only if the series has none of the same span that starts at or after this.
    pub quiet_since: Timestamp,
    /// What is told of it.
    pub event: Event,
    /// To whom.
    pub deliveries: Vec<NewDelivery>,
}

/// A part of the anomalies, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnomalyQuery {
    /// Those of these projects; `None` for all of the installation, those of no project included.
    pub projects: Option<Vec<ProjectId>>,
    /// Those that nobody expected, or those that somebody did; both when missing.
    pub expected: Option<bool>,
    /// Those that were found before this one.
    pub before: Option<AnomalyId>,
    /// So many at most.
    pub limit: usize,
}

/// Spending that was far from usual.
#[async_trait]
pub trait AnomalyStore: Send + Sync {
    /// Keeps an anomaly with its event and deliveries, as one; `false`, and nothing is kept, if its series was quiet to be.
    async fn insert_anomaly(&self, found: &NewAnomaly) -> Result<bool, StoreError>;

    /// The anomaly.
    async fn find_anomaly(&self, id: AnomalyId) -> Result<Option<Anomaly>, StoreError>;

    /// A part of them, the latest first. `BadCursor` if `before` is none.
    async fn list_anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError>;

    /// What of the series was expected at most since `since`, by the same span; `None` if nothing was.
    async fn find_expected(
        &self,
        series: &Series,
        span: domain::anomaly::Span,
        since: Timestamp,
    ) -> Result<Option<Money>, StoreError>;

    /// Replaces what somebody says of the anomaly; `false` if there is no such anomaly.
    async fn mark_anomaly(&self, id: AnomalyId, expected: Option<&Expectation>) -> Result<bool, StoreError>;
}
