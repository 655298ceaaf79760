//! The integration guide's back-end services, as calls in Rust.

use serde::Serialize;

use crate::{
    Tracker,
    answer::{Analytics, Tracked},
    error::TrackerError,
    meter::ProviderCall,
    query::AnalyticsQuery,
    record::{Attribution, CostAllocation},
};

/// What the guide's `trackRequest` is told beside the call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackOptions {
    /// What it was for; the client's project when missing.
    pub project_id: Option<String>,
    /// Who sold it; follows from the model when missing.
    pub service: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Whom it is charged to.
    pub cost_allocation: Option<CostAllocation>,
}

/// Records calls that have been answered.
#[derive(Clone, Debug)]
pub struct AiCostTrackerService {
    tracker: Tracker,
}

impl AiCostTrackerService {
    /// Over a client.
    pub fn new(tracker: Tracker) -> Self {
        Self { tracker }
    }

    /// Over a client of its own, as the environment says.
    pub fn from_env() -> Result<Self, TrackerError> {
        Tracker::from_env().map(Self::new)
    }

    /// Records a request and the provider's whole reply to it, and waits for the tracker's word. A reply with an id counts once,
    /// however often it is told. A `user` that is an e-mail address is the record's user; any other is kept as
    /// `metadata.userId`.
    pub async fn track_request(
        &self,
        request: &impl Serialize,
        response: &impl Serialize,
        user: &str,
        options: TrackOptions,
    ) -> Result<Tracked, TrackerError> {
        let TrackOptions { project_id, service, tags, cost_allocation } = options;
        let mut attribution = Attribution { project_id, cost_allocation, tags, ..Attribution::default() };
        if user.contains('@') {
            attribution.user_email = Some(user.to_owned());
        } else if !user.is_empty() {
            attribution.metadata.insert("userId".to_owned(), user.into());
        }
        let call = ProviderCall::of("", "chat", request).attribution(attribution);
        self.tracker.track_answered(call, response, service).await
    }
}

/// Asks what was spent.
#[derive(Clone, Debug)]
pub struct AnalyticsService {
    tracker: Tracker,
}

impl AnalyticsService {
    /// Over a client.
    pub fn new(tracker: Tracker) -> Self {
        Self { tracker }
    }

    /// Over a client of its own, as the environment says.
    pub fn from_env() -> Result<Self, TrackerError> {
        Tracker::from_env().map(Self::new)
    }

    /// What a project cost.
    pub async fn get_project_analytics(
        &self,
        project_id: &str,
        filters: &AnalyticsQuery,
    ) -> Result<Analytics, TrackerError> {
        self.tracker.get_project_analytics(project_id, filters).await
    }
}
