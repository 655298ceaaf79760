//! The handle of a running fake, and what its connections share.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{Billed, Request, answer::Answer, serve};

/// Requests and bills that are kept; a fake that serves for longer forgets the rest.
const KEPT_MAX: usize = 10_000;
/// Prepared replies.
const PREPARED_MAX: usize = 256;

/// How a fake is started.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// 0: any that is free.
    pub port: u16,
    /// Whether requests and bills are kept; a benchmark does without.
    pub keeps_records: bool,
    /// Whether the ids of every reply are new, as a provider's are; replies are no functions of their requests then.
    pub makes_ids_unique: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { port: 0, keeps_records: true, makes_ids_unique: false }
    }
}

/// A fake provider on loopback. It ends when the handle is dropped, with all of its connections.
#[derive(Debug)]
pub struct FakeUpstream {
    state: Arc<State>,
    listening: JoinHandle<()>,
}

impl FakeUpstream {
    /// Starts on a free port.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await.unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no server here that could wait for its tasks; the handle ends them"
    )]
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port))).await?;
        let state = Arc::new(State {
            base_url: format!("http://{}", listener.local_addr()?),
            settings,
            kept: Mutex::default(),
            prepared: Mutex::default(),
            counts: watch::Sender::default(),
            number: AtomicU64::new(1),
        });
        let listening = tokio::spawn(serve::accept(listener, Arc::clone(&state)));
        Ok(Self { state, listening })
    }

    /// `http://127.0.0.1:PORT`, for every provider.
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// The requests, in the order in which they were read.
    pub fn requests(&self) -> Vec<Request> {
        self.state.kept().requests.clone()
    }

    /// What the provider bills, in the same order, also for calls whose clients have left.
    pub fn ledger(&self) -> Vec<Billed> {
        self.state.kept().ledger.clone()
    }

    /// Lets everything go on that is held or stalled now. What comes later is held again.
    pub fn release(&self) {
        self.state.release();
    }

    /// Forgets requests, bills and counts.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Chunks that were given to their connections.
    pub fn sent_chunks(&self) -> u64 {
        self.state.counts.borrow().chunks
    }

    /// Connections that were accepted.
    pub fn connections(&self) -> u64 {
        self.state.counts.borrow().connections
    }

    /// Until so many requests were read since the start or the last reset.
    pub async fn wait_for_requests(&self, count: u64) {
        self.state.wait(|counts| counts.requests >= count).await;
    }

    /// Until so many chunks were given to their connections.
    pub async fn wait_for_chunks(&self, count: u64) {
        self.state.wait(|counts| counts.chunks >= count).await;
    }

    /// Until a client left before it had its whole reply.
    pub async fn wait_for_disconnect(&self) {
        self.wait_for_disconnects(1).await;
    }

    /// Until so many clients left before they had their whole reply.
    pub async fn wait_for_disconnects(&self, count: u64) {
        self.state.wait(|counts| counts.disconnects >= count).await;
    }

    /// Until the fake ends, which it does not by itself.
    pub async fn serve(mut self) {
        drop((&mut self.listening).await);
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Everything that is counted, since the start or the last reset.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) chunks: u64,
    pub(crate) connections: u64,
    pub(crate) disconnects: u64,
    /// Never reset: who waits compares it with what it was.
    pub(crate) releases: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) requests: Vec<Request>,
    pub(crate) ledger: Vec<Billed>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) base_url: String,
    pub(crate) settings: Settings,
    kept: Mutex<Kept>,
    /// Replies to requests that want nothing special, by their hash and query.
    prepared: Mutex<HashMap<(String, String), Arc<Answer>>>,
    counts: watch::Sender<Counts>,
    number: AtomicU64,
}

impl State {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    pub(crate) fn releases(&self) -> u64 {
        self.counts.borrow().releases
    }

    pub(crate) fn keep_request(&self, request: impl FnOnce() -> Request) {
        if self.settings.keeps_records {
            let mut kept = self.kept();
            if kept.requests.len() < KEPT_MAX {
                kept.requests.push(request());
            }
        }
        self.count(|counts| counts.requests += 1);
    }

    pub(crate) fn keep_bill(&self, bill: &Billed) {
        let mut kept = self.kept();
        if self.settings.keeps_records && kept.ledger.len() < KEPT_MAX {
            kept.ledger.push(bill.clone());
        }
    }

    pub(crate) fn prepared(&self, key: &(String, String)) -> Option<Arc<Answer>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(key).map(Arc::clone)
    }

    pub(crate) fn prepare(&self, key: (String, String), answer: &Arc<Answer>) {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= PREPARED_MAX {
            prepared.clear();
        }
        prepared.insert(key, Arc::clone(answer));
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn release(&self) {
        self.count(|counts| counts.releases += 1);
    }

    pub(crate) fn reset(&self) {
        *self.kept() = Kept::default();
        self.count(|counts| *counts = Counts { releases: counts.releases, ..Counts::default() });
    }

    /// Until there was a release after so many.
    pub(crate) fn released_since(&self, releases: u64) -> impl Future<Output = ()> + Send + use<> {
        let mut counts = self.counts.subscribe();
        async move { drop(counts.wait_for(|counts| counts.releases > releases).await) }
    }

    async fn wait(&self, is_so: impl FnMut(&Counts) -> bool) {
        drop(self.counts.subscribe().wait_for(is_so).await);
    }
}
