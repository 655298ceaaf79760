//! From a call that has ended to its record in the store, off the call's path.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    budget::ScopedBudget,
    ingest::{CallRecords, Stamp},
    query::Visibility,
    usage_record::{CallError, Origin, Status},
};
use pricing::Money;
use store::StoreError;
use tokio::sync::{mpsc, watch};

use super::journal::{Begun, Ended, Journal, Left};
use crate::{app::App, config::WhenStoreIsDown, ingest, limits};

/// How long records gather before they are written together: a commit costs the same for one and for hundreds, and the
/// journal has them meanwhile.
const GATHER: Duration = Duration::from_millis(5);
/// How long the recorder waits before it tries a store that is down again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Keeps records coming in order.
#[derive(Debug)]
pub(super) struct Recorder {
    journal: Journal,
    queue: mpsc::Sender<CallRecords>,
    waiting: Mutex<Option<mpsc::Receiver<CallRecords>>>,
    /// Records that are on their way; a test or a stopping server waits until there is none.
    pending: watch::Sender<usize>,
    is_store_down: AtomicBool,
    /// Some records wait on disk only.
    has_overflowed: AtomicBool,
}

impl Recorder {
    pub(super) fn new(journal: Journal) -> Self {
        let (queue, waiting) = mpsc::channel(limits::GATEWAY_QUEUE_RECORDS);
        Self {
            journal,
            queue,
            waiting: Mutex::new(Some(waiting)),
            pending: watch::Sender::new(0),
            is_store_down: AtomicBool::new(false),
            has_overflowed: AtomicBool::new(false),
        }
    }

    /// Whether a call can be recorded, by the deployment's policy.
    pub(super) fn takes_calls(&self, policy: WhenStoreIsDown) -> bool {
        policy == WhenStoreIsDown::FailOpen || !self.is_store_down.load(Ordering::Relaxed)
    }

    /// Notes a call that is about to be forwarded. `false` when no more can be noted while the store is down.
    pub(super) fn begin(&self, begun: &Begun) -> bool {
        let Err(error) = self.journal.begin(begun) else { return true };
        tracing::error!(%error, "a call could not be noted in the gateway's journal");
        metrics::counter!("aict_gateway_journal_errors_total").increment(1);
        // With the store at hand the journal is a second net, and its failure no reason to refuse calls.
        !self.is_store_down.load(Ordering::Relaxed)
    }

    /// Takes the records of a call that has ended.
    pub(super) fn end(&self, ended: &Ended, records: CallRecords) {
        if let Err(error) = self.journal.end(ended) {
            tracing::error!(%error, "the end of a call could not be noted in the gateway's journal");
            metrics::counter!("aict_gateway_journal_errors_total").increment(1);
        }
        self.pending.send_modify(|pending| *pending += 1);
        if self.queue.try_send(records).is_err() {
            self.has_overflowed.store(true, Ordering::Release);
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Completes when every record is in the store.
    pub(super) async fn settled(&self) {
        let mut pending = self.pending.subscribe();
        drop(pending.wait_for(|pending| *pending == 0).await);
    }

    /// Writes records until the program stops and no call is under way.
    pub(super) fn start(app: &App) {
        let working = app.clone();
        app.spawn("gateway_recorder", async move {
            let app = working;
            let Some(recorder) = app.gateway.recorder() else { return };
            let taken = recorder.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(mut waiting) = taken else { return };
            let mut stopping = std::pin::pin!(app.stopping());
            loop {
                let mut batch = Vec::new();
                tokio::select! {
                    _ = waiting.recv_many(&mut batch, limits::INGEST_BATCH_RECORDS) => {}
                    () = &mut stopping => break,
                }
                if batch.len() < limits::INGEST_BATCH_RECORDS {
                    tokio::time::sleep(GATHER).await;
                    let room = limits::INGEST_BATCH_RECORDS - batch.len();
                    batch.extend(std::iter::from_fn(|| waiting.try_recv().ok()).take(room));
                }
                recorder.write(&app, batch).await;
            }
            app.gateway.all_calls_ended().await;
            let mut rest = Vec::new();
            while let Ok(records) = waiting.try_recv() {
                rest.push(records);
            }
            for batch in rest.chunks(limits::INGEST_BATCH_RECORDS) {
                recorder.write(&app, batch.to_vec()).await;
            }
        });
    }

    /// Writes a batch, however long the store takes; gives up only when the program stops, and leaves it on disk.
    async fn write(&self, app: &App, batch: Vec<CallRecords>) {
        let count = batch.len();
        while let Err(error) = self.try_write(app, &batch).await {
            if !matches!(error, StoreError::Busy | StoreError::Unavailable(_)) {
                self.write_one_by_one(app, &batch).await;
                break;
            }
            if !self.is_store_down.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "the store is down; records of the gateway wait on disk");
            }
            if app.is_stopping() {
                break;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        self.pending.send_modify(|pending| *pending -= count);
        if self.has_overflowed.load(Ordering::Acquire) && *self.pending.borrow() == 0 {
            self.write_overflow(app).await;
        }
    }

    async fn try_write(&self, app: &App, batch: &[CallRecords]) -> Result<(), StoreError> {
        ingest::append(app, batch.iter().flat_map(CallRecords::iter).cloned().collect()).await?;
        if self.is_store_down.swap(false, Ordering::Relaxed) {
            tracing::info!("the store is back");
        }
        self.note_kept(batch.iter().map(|records| records.call.id).collect());
        Ok(())
    }

    /// A call that the store cannot take must not hold up the others.
    async fn write_one_by_one(&self, app: &App, batch: &[CallRecords]) {
        for records in batch {
            if let Err(error) = self.try_write(app, std::slice::from_ref(records)).await {
                let id = records.call.id;
                tracing::error!(%error, %id, "a record of the gateway was not taken by the store");
                metrics::counter!("aict_gateway_records_lost_total").increment(1);
                self.note_kept(vec![id]);
            }
        }
    }

    /// Records that found no room in memory are read from disk again.
    async fn write_overflow(&self, app: &App) {
        self.has_overflowed.store(false, Ordering::Release);
        match self.journal.unkept() {
            Ok(ended) => self.recover(app, Left { ended, interrupted: Vec::new() }).await,
            Err(error) => {
                tracing::error!(%error, "the gateway's journal cannot be read");
                self.has_overflowed.store(true, Ordering::Release);
            }
        }
    }

    /// Brings what an earlier process left behind into the store.
    pub(super) async fn recover(&self, app: &App, left: Left) {
        let mut calls: Vec<CallRecords> = left.ended.iter().map(|ended| records_of(app, ended)).collect();
        for begun in left.interrupted {
            let id = begun.id;
            if let Err(error) = hold(app, &begun).await {
                tracing::error!(%error, %id, "what an interrupted call may have cost is not counted in its budgets");
            }
            tracing::warn!(%id, "a call was under way when the server stopped; what it cost is not known");
            calls.push(records_of(app, &interrupted(app, begun)));
        }
        for records in calls {
            match app.usage.find_record(&Visibility::Everything, records.call.id).await {
                Ok(Some(_)) => self.note_kept(vec![records.call.id]),
                Ok(None) => {
                    self.pending.send_modify(|pending| *pending += 1);
                    self.write_recovered(app, records).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the store cannot be read; the gateway's journal is left as it is");
                }
            }
        }
    }

    async fn write_recovered(&self, app: &App, records: CallRecords) {
        if let Err(error) = self.try_write(app, &[records]).await {
            tracing::error!(%error, "a record of the gateway's journal could not be written; it stays there");
            self.has_overflowed.store(true, Ordering::Release);
        }
        self.pending.send_modify(|pending| *pending -= 1);
    }

    fn note_kept(&self, ids: Vec<domain::UsageId>) {
        if let Err(error) = self.journal.keep(ids) {
            tracing::warn!(%error, "the gateway's journal cannot be written; records are looked up when it is read again");
        }
    }

    /// Bytes of calls on disk.
    pub(super) fn journal_bytes(&self) -> u64 {
        self.journal.bytes()
    }
}

/// The records of a call, priced by what is known now.
pub(super) fn records_of(app: &App, ended: &Ended) -> CallRecords {
    let stamp = Stamp {
        id: ended.id,
        user_id: ended.user_id,
        tracker_key_id: ended.tracker_key_id,
        origin: Origin::Gateway,
        recorded_at: ended.at,
        keeps_content: ended.keeps_content,
    };
    ended.call.clone().into_records(stamp, &app.prices.current(), || app.ids.next(ended.at))
}

/// What a call cost with everything that was done for it, as far as that is known.
pub(super) fn cost_of(records: &CallRecords) -> Option<Money> {
    let costs = records.iter().filter_map(|record| record.cost);
    costs.reduce(|sum, cost| sum.checked_add(cost).unwrap_or(Money::MAX))
}

/// Counts what an interrupted call had reserved until it must have ended, in every budget that it counts in.
async fn hold(app: &App, begun: &Begun) -> Result<(), StoreError> {
    let Some((most, until)) = begun.reserved else { return Ok(()) };
    let book = app.budgets.current(app).await?;
    let project = match begun.call.project_id {
        Some(id) => app.meta.find_project(id).await?,
        None => None,
    };
    let of_project = project.as_ref().and_then(ScopedBudget::of_project).map(Arc::new);
    for budget in of_project.iter().chain(book.of_call(begun.tracker_key_id, &begun.call.tags)) {
        app.ledger.hold(budget, most, until).await;
    }
    Ok(())
}

/// A call whose end nobody saw: it may have cost something, and nobody knows what.
fn interrupted(app: &App, begun: Begun) -> Ended {
    let mut call = begun.call;
    call.status = Status::Error;
    call.error = CallError {
        code: Some("interrupted".to_owned()),
        message: Some("the server stopped during the call; what it cost is not known".to_owned()),
    };
    Ended {
        id: begun.id,
        user_id: begun.user_id,
        tracker_key_id: begun.tracker_key_id,
        at: app.clock.now(),
        keeps_content: false,
        call,
    }
}
