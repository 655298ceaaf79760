//! What is recorded, told as it happens: to streams ([`stream`]) and to webhooks that ask for it ([`told`]).
//!
//! Whoever records rings a bell, which costs next to nothing. One task then reads what was kept from the store, in the
//! order in which it was kept, for everybody who listens; without listeners it reads nothing. A place in that order is
//! all that a listener needs to go on where it stopped, so that nothing is missed and nothing comes twice.
//!
//! **Architecture Invariant:** nothing waits for a listener, and none holds more memory than the bounds of this module.

pub mod stream;
pub mod told;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{KeyId, ProjectId, UserId, query::Visibility, usage_record::UsageRecord};
use store::StoreError;
use tokio::sync::watch;

use crate::{
    app::App,
    error::{ApiError, ErrorCode, Result},
    limits,
};

/// How long records gather before they are read together.
const GATHER: Duration = Duration::from_millis(20);
/// How long the task waits before it tries again what the store refused.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);

/// What was recorded lately, and who listens.
#[derive(Debug)]
pub struct Feed {
    bell: tokio::sync::Notify,
    /// The place up to which the task has read; changes whenever there may be something new.
    head: watch::Sender<u64>,
    window: Mutex<Option<Window>>,
    streams: Mutex<HashMap<Listener, usize>>,
    told: told::Told,
}

/// Whose streams are counted together.
pub type Listener = (UserId, Option<KeyId>);

/// The latest records, for everybody.
#[derive(Debug)]
struct Window {
    /// Every record behind this place, up to the last one, is here.
    after: u64,
    records: VecDeque<Arc<Kept>>,
}

/// A record as streams need it.
#[derive(Debug)]
pub struct Kept {
    place: u64,
    user_id: UserId,
    project_id: Option<ProjectId>,
    json: String,
}

/// The right to one stream; gives it back when dropped.
#[derive(Debug)]
pub struct Seat {
    app: App,
    listener: Listener,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            bell: tokio::sync::Notify::new(),
            head: watch::Sender::new(0),
            window: Mutex::new(None),
            streams: Mutex::default(),
            told: told::Told::default(),
        }
    }
}

impl Feed {
    /// Says that something was recorded.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        lock(&self.streams).values().sum()
    }

    /// Follows the place up to which there is something to read.
    fn follow(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Records behind `place`; `None` if they are not remembered that far back.
    fn remembered(&self, place: u64) -> Option<Vec<Arc<Kept>>> {
        let window = lock(&self.window);
        let window = window.as_ref().filter(|window| window.after <= place)?;
        let first = window.records.partition_point(|record| record.place <= place);
        Some(window.records.iter().skip(first).take(limits::LIVE_PAGE_RECORDS).cloned().collect())
    }

    /// Reads what is new for the streams, or forgets everything when there are none.
    async fn extend(&self, app: &App) -> Result<(), StoreError> {
        if self.streams() == 0 {
            *lock(&self.window) = None;
            return Ok(());
        }
        let known = lock(&self.window).as_ref().map(Window::head);
        let mut place = match known {
            Some(place) => place,
            None => app.usage.last_place().await?,
        };
        loop {
            let page = app.usage.list_kept(place, limits::LIVE_PAGE_RECORDS).await?;
            let is_last = page.len() < limits::LIVE_PAGE_RECORDS;
            let window = &mut *lock(&self.window);
            let window = window.get_or_insert_with(|| Window { after: place, records: VecDeque::new() });
            window.push(&page);
            place = window.head();
            self.head.send_replace(place);
            if is_last {
                return Ok(());
            }
        }
    }
}

impl Window {
    /// The place of the last record.
    fn head(&self) -> u64 {
        self.records.back().map_or(self.after, |record| record.place)
    }

    fn push(&mut self, page: &[(u64, UsageRecord)]) {
        self.records.extend(page.iter().map(|(place, record)| Arc::new(Kept::new(*place, record))));
        while self.records.len() > limits::LIVE_WINDOW_RECORDS {
            self.after = self.records.pop_front().map_or(self.after, |record| record.place);
        }
    }
}

impl Kept {
    fn new(place: u64, record: &UsageRecord) -> Self {
        let json = stream::TrackedUsage::of(record);
        Self {
            place,
            user_id: record.user_id,
            project_id: record.project_id,
            json: serde_json::to_string(&json).unwrap_or_default(),
        }
    }

    fn is_visible(&self, visibility: &Visibility) -> bool {
        visibility.includes(self.user_id, self.project_id)
    }
}

impl Seat {
    /// A seat for `listener`, unless they, or all together, have as many as they may.
    pub fn take(app: &App, listener: Listener) -> Result<Self> {
        let mut streams = lock(&app.feed.streams);
        if streams.values().sum::<usize>() >= limits::LIVE_STREAMS_MAX {
            let message = "as many streams are open as the server has; try again";
            return Err(ApiError::new(ErrorCode::StoreBusy, message).retry_after(30));
        }
        let own = streams.entry(listener).or_default();
        if *own >= limits::LIVE_STREAMS_PER_CALLER_MAX {
            let message = format!(
                "this credential has {} streams open, which is as many as it may; close one first",
                limits::LIVE_STREAMS_PER_CALLER_MAX
            );
            return Err(ApiError::new(ErrorCode::RateLimited, message).retry_after(30));
        }
        *own += 1;
        drop(streams);
        metrics::gauge!("aict_live_streams").increment(1.0);
        // The task starts to read ahead for it.
        app.feed.ring();
        Ok(Self { app: app.clone(), listener })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = lock(&self.app.feed.streams);
        if let Some(own) = streams.get_mut(&self.listener) {
            *own -= 1;
            if *own == 0 {
                streams.remove(&self.listener);
            }
        }
        metrics::gauge!("aict_live_streams").decrement(1.0);
    }
}

/// Reads what was recorded for those who listen, until the program stops.
pub fn start(app: &App) {
    let worker = app.clone();
    app.feed.ring();
    app.spawn("live", async move {
        let stopping = worker.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                () = worker.feed.bell.notified() => {}
            }
            let pause = match look(&worker).await {
                Ok(()) => GATHER,
                Err(error) => {
                    tracing::warn!(%error, "what was recorded could not be told; it will be");
                    worker.feed.ring();
                    PAUSE_AFTER_ERROR
                }
            };
            tokio::select! {
                () = &mut stopping => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
}

/// Reads what was recorded since the last look, for streams and for webhooks.
pub async fn look(app: &App) -> Result<()> {
    app.feed.extend(app).await?;
    told::tell(app).await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
