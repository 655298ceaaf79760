//! One stream: server-sent events of what is recorded in the scope of its caller.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{http::request::Parts, response::sse::Event};
use domain::{
    ProjectId, UsageId,
    event::EventType,
    query::Visibility,
    usage_record::{CostSource, Status, UsageRecord},
};
use futures_util::stream::{Stream, poll_fn};
use jiff::Timestamp;
use pricing::{Money, Unit};
use serde::Serialize;
use store::StoreError;
use tokio::{sync::mpsc, time};
use utoipa::ToSchema;

use super::{Kept, Seat};
use crate::{
    app::App,
    auth::{self, Caller},
    error::{ApiError, Result},
    limits,
};

/// How often a stream says that it is alive, and looks whether its caller still may listen.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may leave events unread before it is cut off.
pub const UNREAD_MAX: Duration = Duration::from_secs(30);

/// `usage.tracked`: a record that was kept. `GET /api/usage/{usageId}` has the rest of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedUsage {
    /// Id of the record.
    #[schema(value_type = String)]
    id: UsageId,
    /// When the call happened.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// What it was for.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// Who sold it.
    service: String,
    /// The model.
    model: String,
    /// Input tokens; `null` when nobody counted.
    prompt_tokens: Option<u64>,
    /// Output tokens; `null` when nobody counted.
    completion_tokens: Option<u64>,
    /// Tokens in and out; `null` when nobody counted.
    total_tokens: Option<u64>,
    /// What it cost, in US dollars with exact digits; `null` is unknown, not free.
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
    /// Where the cost comes from.
    cost_source: CostSource,
    /// How it ended.
    status: Status,
}

impl TrackedUsage {
    /// That of `record`.
    pub fn of(record: &UsageRecord) -> Self {
        Self {
            id: record.id,
            timestamp: record.occurred_at,
            project_id: record.project_id,
            service: record.provider.clone(),
            model: record.model.clone(),
            prompt_tokens: record.usage.get(Unit::InputTokens),
            completion_tokens: record.usage.get(Unit::OutputTokens),
            total_tokens: record.total_tokens(),
            cost: record.cost,
            cost_source: record.cost_source,
            status: record.status,
        }
    }
}

/// What a caller wants to hear of.
#[derive(Debug)]
pub struct Wish {
    /// One project only.
    pub project: Option<ProjectId>,
    /// The place behind which it goes on; from now on when missing.
    pub after: Option<u64>,
}

/// The events for `caller`, whose request had these `parts`.
pub async fn open(
    app: &App,
    caller: &Caller,
    parts: Parts,
    wish: Wish,
) -> Result<impl Stream<Item = Result<Event, Infallible>> + Send + use<>, ApiError> {
    let seat = Seat::take(app, (caller.user.id, caller.key.as_ref().map(|key| key.id)))?;
    let changes = app.meta.change_count();
    let visibility = caller.visibility(app).await?;
    let last = app.usage.last_place().await?;
    let (sender, mut receiver) = mpsc::channel(limits::LIVE_EVENTS_WAITING);
    let line = Line { app: app.clone(), sender, place: wish.after.unwrap_or(last) };
    let listening = Listening { line, parts, project: wish.project, visibility, changes };
    app.spawn("live_stream", async move {
        let _seat = seat;
        listening.run().await;
    });
    Ok(poll_fn(move |context| receiver.poll_recv(context).map(|event| event.map(Ok))))
}

/// What goes to the client, and how far it has come.
struct Line {
    app: App,
    sender: mpsc::Sender<Event>,
    place: u64,
}

struct Listening {
    line: Line,
    /// Of the request: the credential is checked anew from it.
    parts: Parts,
    project: Option<ProjectId>,
    visibility: Visibility,
    /// As of when `visibility` is.
    changes: u64,
}

/// Why a stream ends.
enum End {
    /// The client has left, or does not read.
    Gone,
    /// The caller may not listen any more, or the store does not answer.
    Refused(ApiError),
}

impl From<ApiError> for End {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Listening {
    async fn run(mut self) {
        let app = self.line.app.clone();
        let stopped = tokio::select! {
            end = self.listen() => Some(end),
            () = app.stopping() => None,
        };
        if let Some(Err(End::Refused(error))) = stopped {
            let end = serde_json::json!({ "code": error.code, "message": error.message });
            // Whether it is read is the client's affair: the stream ends either way.
            drop(self.line.send(Event::default().event("end").data(end.to_string())).await);
        }
    }

    async fn listen(&mut self) -> Result<Infallible, End> {
        let mut head = self.line.app.feed.follow();
        let mut heartbeat = time::interval_at(time::Instant::now() + HEARTBEAT, HEARTBEAT);
        self.line.heartbeat().await?;
        let last = self.line.app.usage.last_place().await?;
        if last < self.line.place || last - self.line.place > limits::LIVE_BACKLOG_RECORDS {
            self.reset(last).await?;
        }
        loop {
            head.mark_unchanged();
            self.catch_up().await?;
            tokio::select! {
                _ = head.changed() => {}
                () = self.line.sender.closed() => return Err(End::Gone),
                _ = heartbeat.tick() => {
                    self.check().await?;
                    self.line.heartbeat().await?;
                }
            }
        }
    }

    /// Sends every record that is behind the last one.
    async fn catch_up(&mut self) -> Result<(), End> {
        loop {
            let head = *self.line.app.feed.head.borrow();
            if head.saturating_sub(self.line.place) > limits::LIVE_BACKLOG_RECORDS {
                self.reset(head).await?;
            }
            let page = self.line.next_page().await?;
            if page.is_empty() {
                return Ok(());
            }
            if self.changes != self.line.app.meta.change_count() {
                self.check().await?;
            }
            for record in page {
                let is_wanted = self.project.is_none_or(|project| record.project_id == Some(project));
                if is_wanted && record.is_visible(&self.visibility) {
                    self.line.send(event(&record)).await?;
                }
                self.line.place = record.place;
            }
        }
    }

    /// Looks again who the caller is and what they may see.
    async fn check(&mut self) -> Result<(), End> {
        let app = &self.line.app;
        self.changes = app.meta.change_count();
        let caller = auth::authenticate(&self.parts, app).await?;
        caller.require_scope(domain::tracker_key::Scope::Read)?;
        self.visibility = caller.visibility(app).await?;
        if let Some(project) = self.project {
            caller.find_project(app, project).await?.ok_or_else(ApiError::project_not_found)?;
        }
        Ok(())
    }

    /// Goes on from `place`, and says that what lies between is not told.
    async fn reset(&mut self, place: u64) -> Result<(), End> {
        self.line.place = place;
        let message = "more was recorded than is told again; read it from /api/usage, then listen on";
        let data = serde_json::json!({ "message": message });
        let event = Event::default().event("reset").id(place.to_string()).data(data.to_string());
        self.line.send(event).await
    }
}

impl Line {
    /// The next records: those that are remembered for everybody, or else from the store.
    async fn next_page(&self) -> Result<Vec<Arc<Kept>>, StoreError> {
        if let Some(page) = self.app.feed.remembered(self.place) {
            return Ok(page);
        }
        let page = self.app.usage.list_kept(self.place, limits::LIVE_PAGE_RECORDS).await?;
        Ok(page.iter().map(|(place, record)| Arc::new(Kept::new(*place, record))).collect())
    }

    /// A comment, and how far the client has come although nothing was for it.
    async fn heartbeat(&self) -> Result<(), End> {
        self.send(Event::default().comment("heartbeat").id(self.place.to_string())).await
    }

    /// A client that does not read is cut off: what waits for it is bounded.
    async fn send(&self, event: Event) -> Result<(), End> {
        let Ok(sent) = time::timeout(UNREAD_MAX, self.sender.send(event)).await else {
            metrics::counter!("aict_live_cut_off_total").increment(1);
            return Err(End::Gone);
        };
        sent.map_err(|_| End::Gone)
    }
}

fn event(record: &Kept) -> Event {
    Event::default()
        .event(EventType::UsageTracked.as_str())
        .id(record.place.to_string())
        .data(record.json.as_str())
}
