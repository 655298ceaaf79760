//! The client.

use std::{future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    answer::{Analytics, BudgetStatus, BulkOutcome, Comparison, Estimate, Project, ProjectPage, Tracked},
    call::{Call, Context},
    error::TrackerError,
    http::{Ask, Success, in_path},
    meter::{Meter, ProviderCall, value_of},
    options::Builder,
    query::{AnalyticsQuery, ProjectQuery},
    queue::QueueStats,
    record::{Attribution, UsageRecord},
    sender::{Sender, written},
};

/// Records in one request of an import.
const IMPORT_BATCH: usize = 500;

/// Meters calls, and tells an AI Cost Tracker what was used. Cheap to clone.
///
/// When the last clone is dropped, what waits is sent, and the dropping thread waits for that: as long as
/// [`QueueOptions::close_timeout`](crate::QueueOptions) at most. In async code call [`close`](Self::close) before.
#[derive(Clone, Debug)]
pub struct Tracker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sender: Sender,
    context: Context,
    project_id: Option<String>,
    track_usage: bool,
}

impl Tracker {
    pub(crate) fn new(
        sender: Sender,
        context: Context,
        project_id: Option<String>,
        track_usage: bool,
    ) -> Self {
        Self { inner: Arc::new(Inner { sender, context, project_id, track_usage }) }
    }

    /// A client in the making.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client as the environment says; see [`Builder::from_env`].
    pub fn from_env() -> Result<Self, TrackerError> {
        Builder::from_env().build()
    }

    /// Records one call later, with others. Never fails, never waits.
    pub fn track(&self, record: UsageRecord) {
        if self.inner.track_usage {
            self.inner.sender.line.push(&self.keyed(record));
        }
    }

    /// Records one call and waits for the tracker's word. A `request_id` counts once: give one if you mean to send it again.
    pub fn track_now(
        &self,
        record: UsageRecord,
    ) -> impl Future<Output = Result<Tracked, TrackerError>> + Send {
        self.post("/usage/track", written(&self.keyed(record)))
    }

    /// Records many calls. Bad ones fail alone and are listed in `errors`; a `request_id` counts once.
    pub async fn bulk_import(
        &self,
        records: impl IntoIterator<Item = UsageRecord>,
    ) -> Result<BulkOutcome, TrackerError> {
        let texts: Vec<String> =
            records.into_iter().map(|record| written(&self.keyed(record))).collect::<Result<_, _>>()?;
        let mut total = BulkOutcome::default();
        for (batch, texts) in texts.chunks(IMPORT_BATCH).enumerate() {
            let body = format!(r#"{{"usageData":[{}]}}"#, texts.join(","));
            let outcome: BulkOutcome = self.post("/usage/bulk", Ok(body)).await?;
            total.successful += outcome.successful;
            total.duplicates += outcome.duplicates;
            total.failed += outcome.failed;
            let start = batch * IMPORT_BATCH;
            total.results.extend(outcome.results.into_iter().map(|mut result| {
                result.index += start;
                result
            }));
            total.errors.extend(outcome.errors.into_iter().map(|mut error| {
                error.index += start;
                error
            }));
        }
        Ok(total)
    }

    /// Records the calls of a batch by its results: the documents of OpenAI's, Anthropic's, Gemini's or Bedrock's file. They cost
    /// what a batch does. Calls that failed are not charged and not recorded; a reply counts once. `service` says who answered
    /// where the model does not.
    pub async fn track_batch(
        &self,
        results: impl IntoIterator<Item = Value>,
        service: Option<&str>,
        attribution: Attribution,
    ) -> Result<BulkOutcome, TrackerError> {
        let record = |line: Value| {
            let call = ProviderCall::of(service.unwrap_or_default(), "chat", &());
            let call = self.call(call.attribution(attribution.clone()))?;
            call.into_batch_record(&line, service.map(str::to_owned))
        };
        let records: Vec<UsageRecord> = results.into_iter().filter_map(record).collect();
        self.bulk_import(records).await
    }

    /// What a project cost.
    pub fn get_project_analytics(
        &self,
        project_id: &str,
        query: &AnalyticsQuery,
    ) -> impl Future<Output = Result<Analytics, TrackerError>> + Send {
        self.get(format!("/analytics/projects/{}", in_path(project_id)), query.parameters())
    }

    /// Projects side by side.
    pub fn compare_projects(
        &self,
        project_ids: &[&str],
        query: &AnalyticsQuery,
    ) -> impl Future<Output = Result<Comparison, TrackerError>> + Send {
        let mut parameters = query.parameters();
        parameters.push(("projectIds".to_owned(), project_ids.join(",")));
        self.get("/analytics/projects/compare".to_owned(), parameters)
    }

    /// How a project's budget stands.
    pub fn get_budget_status(
        &self,
        project_id: &str,
    ) -> impl Future<Output = Result<BudgetStatus, TrackerError>> + Send {
        self.get(format!("/budgets/{}/status", in_path(project_id)), Vec::new())
    }

    /// What a call would cost; records nothing.
    pub fn estimate(
        &self,
        call: &UsageRecord,
    ) -> impl Future<Output = Result<Estimate, TrackerError>> + Send {
        self.post("/prices/estimate", written(call))
    }

    /// The projects that the key may see, a page at a time.
    pub async fn list_projects(&self, query: &ProjectQuery) -> Result<ProjectPage, TrackerError> {
        let Success { data: projects, pagination } =
            self.ask::<Vec<Project>>(Ask::get("/projects", query.parameters())).await?;
        let missing = || TrackerError::Unreadable { reason: "there is no `pagination`".to_owned() };
        Ok(ProjectPage { projects, pagination: pagination.ok_or_else(missing)? })
    }

    /// Begins to meter a call that you make yourself, now. It is recorded when the [`Meter`] ends or is dropped. Calls through the
    /// tracker's own gateway are left alone: it records them itself.
    pub fn observe(&self, call: ProviderCall) -> Meter {
        Meter::new(self.metered(call))
    }

    /// Records a call that has been answered, whole, with `status`. How long it took is not known; [`observe`](Self::observe) knows.
    pub fn observe_reply(&self, call: ProviderCall, status: u16, reply: &impl Serialize) {
        if let Some(call) = self.metered(call) {
            self.track(call.into_told_record(status, &value_of(reply)));
        }
    }

    /// Records an answered call of which only request and reply are known, and waits for the tracker's word. The tracker tells who
    /// sold it and what kind of call it was, and makes the key of the reply's id.
    pub(crate) async fn track_answered(
        &self,
        call: ProviderCall,
        reply: &impl Serialize,
        service: Option<String>,
    ) -> Result<Tracked, TrackerError> {
        let call = self.call(call).ok_or(TrackerError::Closed)?;
        let record = call.into_told_record(200, &value_of(reply));
        let request_id = record.request_id.filter(|key| !key.starts_with("reply:"));
        let record = UsageRecord { service, operation: None, request_id, ..record };
        self.post("/usage/track", written(&record)).await
    }

    /// Sends what waits, for as long as `close_timeout` at most.
    pub async fn flush(&self) {
        let line = Arc::clone(&self.inner.sender.line);
        // A client that is closed has nothing to send.
        drop(self.inner.sender.run(async move { line.flush().await }).await);
    }

    /// Sends what waits and ends; what cannot be sent in time is counted and told.
    pub async fn close(&self) {
        self.inner.sender.close().await;
    }

    /// Records sent, known before, lost, and waiting.
    pub fn stats(&self) -> QueueStats {
        self.inner.sender.line.stats()
    }

    /// The call, if it is to be recorded: the gateway records its own.
    fn metered(&self, call: ProviderCall) -> Option<Call> {
        let gateway = self.inner.sender.line.api.gateway();
        let is_gateway = call.url.as_ref().is_some_and(|url| url.starts_with(&gateway));
        self.call(call).filter(|_| self.inner.track_usage && !is_gateway)
    }

    fn call(&self, call: ProviderCall) -> Option<Call> {
        let attribution = self.attributed(call.attribution);
        call.target.map(|target| Call::new(target, call.request, attribution, self.inner.context.clone()))
    }

    fn attributed(&self, attribution: Attribution) -> Attribution {
        let project_id = attribution.project_id.or_else(|| self.inner.project_id.clone());
        Attribution { project_id, ..attribution }
    }

    fn keyed(&self, record: UsageRecord) -> UsageRecord {
        record.keyed(self.inner.project_id.as_deref(), || self.inner.context.clock.unique_key())
    }

    async fn post<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        body: Result<String, TrackerError>,
    ) -> Result<T, TrackerError> {
        Ok(self.ask(Ask::post(path, body?)).await?.data)
    }

    async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        path: String,
        query: Vec<(String, String)>,
    ) -> Result<T, TrackerError> {
        Ok(self.ask(Ask::get(path, query)).await?.data)
    }

    async fn ask<T: DeserializeOwned + Send + 'static>(&self, ask: Ask) -> Result<Success<T>, TrackerError> {
        let line = Arc::clone(&self.inner.sender.line);
        self.inner.sender.run(async move { line.api.ask(ask).await }).await?
    }
}
