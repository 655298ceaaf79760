//! The thread that sends. Everything that goes to the tracker goes over its runtime, so that a caller may have any or none.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde::Serialize as _;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{Notify, watch},
    time,
};

use crate::{
    answer::BulkOutcome,
    clock::Clock,
    error::TrackerError,
    http::{Api, Ask},
    queue::{Queue, QueueOptions, QueueStats, Step},
    record::UsageRecord,
};

/// Hears of losses.
pub(crate) type OnProblem = Box<dyn Fn(&str) + Send + Sync>;

/// What the sending thread and the callers have in common.
pub(crate) struct Line {
    pub(crate) api: Api,
    clock: Arc<dyn Clock>,
    options: QueueOptions,
    on_problem: OnProblem,
    queue: Mutex<Queue>,
    /// Something has come for the thread.
    wake: Notify,
    /// A batch has been settled.
    settled: Notify,
    /// When everything ends.
    ends_at: watch::Sender<Option<Duration>>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("api", &self.api).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Line {
    pub(crate) fn new(api: Api, clock: Arc<dyn Clock>, options: QueueOptions, on_problem: OnProblem) -> Self {
        Self {
            api,
            clock,
            options,
            on_problem,
            queue: Mutex::new(Queue::new(options)),
            wake: Notify::new(),
            settled: Notify::new(),
            ends_at: watch::Sender::new(None),
        }
    }

    /// Takes a record; never fails and never waits for the tracker.
    pub(crate) fn push(&self, record: &UsageRecord) {
        let text = written(record);
        let problem = self.queue().push(text, self.clock.elapsed());
        self.tell(problem);
        self.wake.notify_one();
    }

    pub(crate) fn stats(&self) -> QueueStats {
        self.queue().stats()
    }

    /// Sends what waits, for as long as closing may take.
    pub(crate) async fn flush(&self) {
        self.queue().hurry(self.clock.elapsed() + self.options.close_timeout);
        self.wake.notify_one();
        let all_settled = async {
            loop {
                let settled = self.settled.notified();
                if self.stats().waiting == 0 {
                    return;
                }
                settled.await;
            }
        };
        drop(time::timeout(self.options.close_timeout, all_settled).await);
    }

    fn end(&self) {
        let ends_at = self.clock.elapsed() + self.options.close_timeout;
        self.ends_at.send_if_modified(|at| {
            let is_first = at.is_none();
            at.get_or_insert(ends_at);
            is_first
        });
        self.queue().hurry(ends_at);
        self.wake.notify_one();
    }

    async fn run(&self) {
        let mut ends_at = self.ends_at.subscribe();
        let sending = async {
            while self.ends_at.borrow().is_none() || self.stats().waiting > 0 {
                self.step().await;
            }
        };
        let deadline = async {
            // The sender of this is `self`.
            let at = ends_at.wait_for(Option::is_some).await.ok().and_then(|at| *at).unwrap_or_default();
            time::sleep(at.saturating_sub(self.clock.elapsed())).await;
        };
        tokio::select! { () = sending => {}, () = deadline => {} }
        let problems = self.queue().close();
        self.tell(problems);
        self.settled.notify_waiters();
    }

    async fn step(&self) {
        let step = self.queue().step(self.clock.elapsed());
        match step {
            Step::Send(batch) => self.send(batch).await,
            Step::Wait(pause) => drop(time::timeout(pause, self.wake.notified()).await),
            Step::Idle => self.wake.notified().await,
        }
    }

    async fn send(&self, batch: Vec<String>) {
        let body = format!(r#"{{"usageData":[{}]}}"#, batch.join(","));
        let outcome = self.api.data::<BulkOutcome>(Ask::post("/usage/bulk", body)).await;
        let now = self.clock.elapsed();
        let problem = self.queue().settle(batch, outcome, now, |below| self.clock.random_below(below));
        self.tell(problem);
        self.settled.notify_waiters();
    }

    fn tell(&self, problems: impl IntoIterator<Item = String>) {
        for problem in problems {
            (self.on_problem)(&format!("AI Cost Tracker: {problem}"));
        }
    }

    /// A panic while it was held left it whole: every change of it is one assignment after the other.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value as the text that goes out: money keeps its digits.
pub(crate) fn written(record: &UsageRecord) -> Result<String, TrackerError> {
    let mut text = Vec::new();
    record.serialize(&mut serde_json::Serializer::new(&mut text))?;
    String::from_utf8(text).map_err(|error| TrackerError::Unwritable { reason: error.to_string() })
}

/// The thread, as long as somebody has it.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) line: Arc<Line>,
    runtime: Handle,
    ended: watch::Receiver<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sender {
    pub(crate) fn start(line: Line) -> Result<Self, TrackerError> {
        let failed =
            |error: std::io::Error| TrackerError::Setting { setting: "thread", reason: error.to_string() };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (line, handle, (tells, ended)) =
            (Arc::new(line), runtime.handle().clone(), watch::channel(false));
        let its = Arc::clone(&line);
        let run = move || {
            runtime.block_on(its.run());
            Runtime::shutdown_background(runtime);
            tells.send_replace(true);
        };
        let thread = thread::Builder::new().name("ai-cost-tracker".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { line, runtime: handle, ended, thread: Some(thread) })
    }

    /// Does something on the thread's runtime.
    pub(crate) async fn run<F>(&self, work: F) -> Result<F::Output, TrackerError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(work).await.map_err(|_| TrackerError::Closed)
    }

    /// Sends what waits, for a bounded time, and ends.
    pub(crate) async fn close(&self) {
        self.line.end();
        // An error says that the thread has ended, too.
        drop(self.ended.clone().wait_for(|ended| *ended).await);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.line.end();
        // Whoever hears of losses may have held the last client.
        let thread = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            // It has said what there was to say.
            drop(thread.join());
        }
    }
}
