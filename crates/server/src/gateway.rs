//! The gateway: `/gateway/{provider}/…` is the provider's own API, metered.
//!
//! A request is looked at (`ask`), let in (`credential`, `door`, `rate`, and the project's budget, [`crate::ledger`]),
//! and sent on with the provider's key in place of ours (`headers`, `upstream`, `client`, `bedrock`). From then on the
//! call (`call`) goes on whether the client still waits or not (`lasting`): the answer passes piece by piece (`way`) while
//! a meter reads along (`tee`; `batch` for the results of one), and what it cost is written down (`record`, `journal`,
//! `recorder`).
//!
//! **Architecture Invariant:** nothing here waits for the store once a call is let in, and no answer is changed but for
//! the usage that the gateway itself had asked for (`usage_chunk`) and a link that would lead past it (`links`).

mod ask;
mod attribution;
mod batch;
mod bedrock;
mod call;
mod client;
mod coding;
mod credential;
mod door;
mod forward;
mod headers;
mod journal;
mod lasting;
mod links;
mod outgoing;
mod rate;
mod record;
mod recorder;
mod refusal;
mod replies;
mod tee;
mod upstream;
mod usage_chunk;
mod way;

use std::{
    io,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use domain::wire::Dialect;
use tokio::sync::Semaphore;

pub use self::client::ClientError;
use self::{
    door::Doors, journal::Journal, rate::Rates, recorder::Recorder, replies::Replies, upstream::Upstreams,
};
use crate::{
    app::App,
    config,
    error::{ApiError, ErrorCode},
};

/// Folder of the journal, in the data folder.
const JOURNAL_FOLDER: &str = "gateway";

/// What the gateway has at hand.
#[derive(Debug)]
pub struct Gateway {
    upstreams: Upstreams,
    doors: Doors,
    rates: Rates,
    replies: Replies,
    calls: Arc<Semaphore>,
    calls_max: u32,
    recorder: OnceLock<Recorder>,
}

impl Gateway {
    /// A gateway that does not take calls before it is started.
    pub fn new(config: &config::Gateway) -> Result<Self, ClientError> {
        let calls_max = u32::try_from(config.calls_max).unwrap_or(u32::MAX);
        Ok(Self {
            upstreams: Upstreams::new(config)?,
            doors: Doors::default(),
            rates: Rates::default(),
            replies: Replies::default(),
            calls: Arc::new(Semaphore::new(config.calls_max)),
            calls_max,
            recorder: OnceLock::new(),
        })
    }

    /// Opens the journal, brings what an earlier process left in it into the store, and takes calls.
    pub async fn start(app: &App) -> io::Result<()> {
        let (folder, bytes_max) =
            (app.config.store.data_dir.join(JOURNAL_FOLDER), app.config.gateway.journal_bytes_max);
        let opened = tokio::task::spawn_blocking(move || Journal::open(&folder, bytes_max));
        let (journal, left) = opened.await.map_err(io::Error::other)??;
        let recorder = app.gateway.recorder.get_or_init(|| Recorder::new(journal));
        recorder.recover(app, left).await;
        Recorder::start(app);
        Ok(())
    }

    /// Completes when every call that has ended is in the store.
    pub async fn settled(&self) {
        if let Some(recorder) = self.recorder() {
            recorder.settled().await;
        }
    }

    /// Reports what is under way.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; the journal is far shorter than 2^53 bytes"
    )]
    pub fn measure(&self) {
        let free = u32::try_from(self.calls.available_permits()).unwrap_or(u32::MAX);
        metrics::gauge!("aict_gateway_calls_in_progress").set(f64::from(self.calls_max.saturating_sub(free)));
        if let Some(recorder) = self.recorder() {
            metrics::gauge!("aict_gateway_journal_bytes").set(recorder.journal_bytes() as f64);
        }
    }

    fn recorder(&self) -> Option<&Recorder> {
        self.recorder.get()
    }

    fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Completes when no call is under way; none begins after.
    async fn all_calls_ended(&self) {
        drop(self.calls.acquire_many(self.calls_max).await);
    }
}

/// The gateway's routes. They take every method and are not described in the OpenAPI document: they are the
/// providers' own.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/gateway/{provider}/{*path}", any(relay))
        .route("/v1/chat/completions", any(relay_to_openai))
        .route("/v1/messages", any(relay_to_anthropic))
        .route("/gateway/v1/chat/completions", any(relay_to_openai))
        .route("/gateway/v1/messages", any(relay_to_anthropic))
}

async fn relay(State(app): State<App>, request: Request) -> Response {
    // As it came: a path that is decoded and encoded again may not be the same.
    let path = request.uri().path().strip_prefix("/gateway/").unwrap_or_default();
    let (name, path) = path.split_at(path.find('/').unwrap_or(path.len()));
    let (name, path) = (name.to_owned(), path.to_owned());
    pass(&app, &name, &path, request).await
}

async fn relay_to_openai(State(app): State<App>, request: Request) -> Response {
    pass(&app, "openai", "/v1/chat/completions", request).await
}

async fn relay_to_anthropic(State(app): State<App>, request: Request) -> Response {
    pass(&app, "anthropic", "/v1/messages", request).await
}

async fn pass(app: &App, name: &str, path: &str, request: Request) -> Response {
    let Some(upstream) = app.gateway.upstreams.find(name) else {
        let known: Vec<&str> = app.gateway.upstreams.names().collect();
        let message = format!("the gateway knows no provider {name:?}; it knows {}", known.join(", "));
        return refusal::respond(Dialect::OpenAi, &ApiError::new(ErrorCode::ProviderNotFound, message));
    };
    match forward::forward(app, upstream, path, request).await {
        Ok(response) => response,
        Err(error) => {
            metrics::counter!("aict_gateway_refusals_total", "code" => error.code.as_str()).increment(1);
            refusal::respond(upstream.dialect(path), &error)
        }
    }
}
