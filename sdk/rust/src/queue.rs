//! Records on their way to the tracker: bounded, in batches, each with a key, so that sending twice counts once. What is decided
//! here is done in [`crate::sender`]; time is an argument.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use crate::{answer::BulkOutcome, error::TrackerError};

/// Bounds of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// Records that wait at most; further ones are dropped and counted.
    pub records_max: usize,
    /// Records in one request.
    pub batch_max: usize,
    /// How long a record waits for others.
    pub interval: Duration,
    /// How long flushing and closing may take.
    pub close_timeout: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            records_max: 10_000,
            batch_max: 100,
            interval: Duration::from_secs(1),
            close_timeout: Duration::from_secs(5),
        }
    }
}

/// What became of the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Kept by the tracker.
    pub sent: u64,
    /// Known to the tracker before.
    pub duplicates: u64,
    /// Lost: refused, too many, too long, or not taken before the end.
    pub dropped: u64,
    /// Of those that were lost: refused by the tracker.
    pub refused: u64,
    /// Not yet sent, or under way.
    pub waiting: u64,
}

const BACKOFF_MS: u64 = 500;
const BACKOFF_MS_MAX: u64 = 30_000;
/// Bytes of a batch; the tracker takes 32 MiB.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a record; the tracker takes a mebibyte.
const RECORD_BYTES_MAX: usize = 768 * 1024;
/// A record that cannot be written now, as the tracker says it.
const BUSY: &[&str] = &["store_busy", "store_unavailable", "internal"];

/// What is to be told of a loss; only the first one is.
pub(crate) type Problem = Option<String>;

/// What the sender does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Vec<String>),
    Wait(Duration),
    /// Until something comes.
    Idle,
}

#[derive(Debug)]
pub(crate) struct Queue {
    options: QueueOptions,
    /// Records as JSON, as they were when they came.
    waiting: VecDeque<String>,
    in_flight: usize,
    counted: QueueStats,
    failures: u32,
    /// When the oldest record has waited long enough.
    due_at: Duration,
    /// Nothing is sent before.
    resume_at: Duration,
    /// Until then nothing waits for others.
    hurries_until: Duration,
    is_reported: bool,
    is_closed: bool,
}

impl Queue {
    pub(crate) fn new(options: QueueOptions) -> Self {
        Self {
            options: QueueOptions { batch_max: options.batch_max.max(1), ..options },
            waiting: VecDeque::new(),
            in_flight: 0,
            counted: QueueStats::default(),
            failures: 0,
            due_at: Duration::ZERO,
            resume_at: Duration::ZERO,
            hurries_until: Duration::ZERO,
            is_reported: false,
            is_closed: false,
        }
    }

    pub(crate) fn stats(&self) -> QueueStats {
        let waiting = self.waiting.len() + self.in_flight;
        QueueStats { waiting: u64::try_from(waiting).unwrap_or(u64::MAX), ..self.counted }
    }

    /// Takes a record.
    pub(crate) fn push(&mut self, record: Result<String, TrackerError>, now: Duration) -> Problem {
        let refusal = match &record {
            Err(error) => Some(error.to_string()),
            Ok(record) if record.len() > RECORD_BYTES_MAX => Some("it is too long".to_owned()),
            Ok(_) if self.is_closed => Some("the client is closed".to_owned()),
            Ok(_) if self.waiting.len() + self.in_flight >= self.options.records_max => {
                Some("the queue is full".to_owned())
            }
            Ok(_) => None,
        };
        if let Some(reason) = refusal {
            return self.lose(1, &reason);
        }
        if self.waiting.is_empty() {
            self.due_at = now + self.options.interval;
        }
        self.waiting.extend(record);
        None
    }

    /// Sends what waits, and what comes, at once until a moment; pauses that the tracker asked for are kept.
    pub(crate) fn hurry(&mut self, until: Duration) {
        self.hurries_until = self.hurries_until.max(until);
    }

    pub(crate) fn step(&mut self, now: Duration) -> Step {
        if self.waiting.is_empty() {
            return Step::Idle;
        }
        let is_due = now < self.hurries_until || self.waiting.len() >= self.options.batch_max;
        let at = self.resume_at.max(if is_due { now } else { self.due_at });
        let pause = at.saturating_sub(now);
        if pause.is_zero() { Step::Send(self.take_batch()) } else { Step::Wait(pause) }
    }

    fn take_batch(&mut self) -> Vec<String> {
        let mut bytes = 0;
        let mut batch = Vec::new();
        while let Some(record) = self.waiting.front().filter(|_| batch.len() < self.options.batch_max) {
            bytes += record.len();
            if bytes > BATCH_BYTES_MAX {
                break;
            }
            batch.extend(self.waiting.pop_front());
        }
        self.in_flight = batch.len();
        batch
    }

    /// What became of the batch under way. `jitter` is a random number below its argument.
    pub(crate) fn settle(
        &mut self,
        batch: Vec<String>,
        outcome: Result<BulkOutcome, TrackerError>,
        now: Duration,
        jitter: impl FnOnce(u64) -> u64,
    ) -> Problem {
        self.in_flight = 0;
        let problem = match outcome {
            Ok(outcome) => self.settle_each(batch, &outcome, now, jitter),
            Err(error) if error.is_temporary() => {
                let pause = error.refusal().and_then(|refusal| refusal.retry_after);
                self.retry(batch, pause, now, jitter);
                None
            }
            Err(error) => {
                self.counted.refused += count(batch.len());
                self.lose(count(batch.len()), &format!("the tracker refused it: {error}"))
            }
        };
        self.due_at = now + self.options.interval;
        problem
    }

    fn settle_each(
        &mut self,
        batch: Vec<String>,
        outcome: &BulkOutcome,
        now: Duration,
        jitter: impl FnOnce(u64) -> u64,
    ) -> Problem {
        self.failures = 0;
        self.counted.sent += outcome.successful;
        self.counted.duplicates += outcome.duplicates;
        let is_busy = |code: &str| BUSY.contains(&code);
        let busy: Vec<usize> =
            outcome.errors.iter().filter(|error| is_busy(&error.code)).map(|error| error.index).collect();
        let again: Vec<String> = batch
            .into_iter()
            .enumerate()
            .filter_map(|(index, record)| busy.contains(&index).then_some(record))
            .collect();
        let refused = outcome.failed.saturating_sub(count(again.len()));
        if !again.is_empty() {
            self.retry(again, None, now, jitter);
        }
        let first = outcome.errors.iter().find(|error| !is_busy(&error.code))?;
        self.counted.refused += refused;
        self.lose(refused, &format!("the tracker refused it: {}: {}", first.code, first.error))
    }

    /// Exponential back-off with full jitter, unless the tracker said when.
    fn retry(
        &mut self,
        batch: Vec<String>,
        pause: Option<Duration>,
        now: Duration,
        jitter: impl FnOnce(u64) -> u64,
    ) {
        for record in batch.into_iter().rev() {
            self.waiting.push_front(record);
        }
        let longest_ms = BACKOFF_MS.saturating_mul(1 << self.failures.min(10)).min(BACKOFF_MS_MAX);
        self.failures += 1;
        self.resume_at = now + pause.unwrap_or_else(|| Duration::from_millis(jitter(longest_ms)));
    }

    /// Ends: what was not taken is lost. What is to be told of that.
    pub(crate) fn close(&mut self) -> Vec<String> {
        self.is_closed = true;
        let left = self.waiting.len() + std::mem::take(&mut self.in_flight);
        self.waiting.clear();
        let problem =
            (left > 0).then(|| self.lose(count(left), "the tracker did not take it before the end"));
        let sum =
            (self.counted.dropped > 0).then(|| format!("records lost in all: {}", self.counted.dropped));
        problem.flatten().into_iter().chain(sum).collect()
    }

    fn lose(&mut self, records: u64, reason: &str) -> Problem {
        self.counted.dropped += records;
        let is_first = !std::mem::replace(&mut self.is_reported, true);
        is_first.then(|| format!("a record was lost: {reason}; further losses are only counted"))
    }
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}
