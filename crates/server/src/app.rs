//! What every handler and job has at hand.

use std::{future::Future, ops::Deref, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use domain::{Clock, IdSource, wire::opentelemetry::Nesting};
use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use pricing::PriceBook;
use store::{MetaStore, UsageStore};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::{
        password::{PasswordError, Passwords},
        throttle::LoginThrottle,
        token::AccessTokens,
    },
    budgets::Budgets,
    config::{Config, Secrets},
    gateway::{ClientError, Gateway},
    ledger::Ledger,
    limits,
    live::Feed,
    notify::{Notifier, NotifierError},
    otlp::Aggregates,
    price_book::Prices,
    rate_limit::RateLimits,
    router,
    unpriced::Repricings,
    vault::Vault,
    watch::Watch,
};

/// The running program. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] shares.
#[expect(missing_debug_implementations, reason = "`App` has one that shows the settings")]
pub struct Parts {
    /// The operator's settings.
    pub config: Config,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: IdSource,
    /// Usage records.
    pub usage: Arc<dyn UsageStore>,
    /// Everything else that is kept.
    pub meta: Arc<dyn MetaStore>,
    /// What calls cost.
    pub prices: Prices,
    /// Costing of kept records.
    pub repricings: Repricings,
    /// Encrypts provider keys.
    pub vault: Vault,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Issues and checks access tokens.
    pub tokens: AccessTokens,
    /// Slows down guessing.
    pub throttle: LoginThrottle,
    /// Bounds what one caller sends.
    pub rate_limits: RateLimits,
    /// Forwards calls.
    pub gateway: Gateway,
    /// Budgets as they are now.
    pub budgets: Budgets,
    /// What budgets have left.
    pub ledger: Ledger,
    /// Tells people and programs of events.
    pub notifier: Notifier,
    /// Watches what is spent of budgets.
    pub watch: Watch,
    /// Tells of what is recorded as it happens.
    pub feed: Feed,
    /// Calls inside of calls, in traces whose spans come one by one.
    pub nesting: Nesting,
    /// Spans that add up what calls inside of them used.
    pub aggregates: Aggregates,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// The description of the API.
    pub openapi: utoipa::openapi::OpenApi,
    /// One permit for each request in progress.
    pub requests: Semaphore,
    tasks: Tasks,
}

/// Background work that the program waits for when it stops.
#[derive(Debug, Default)]
struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// What an [`App`] is made of; see the fields of [`Parts`].
#[expect(missing_debug_implementations, reason = "used up at once by `App::new`")]
pub struct Ingredients {
    /// The operator's settings.
    pub config: Config,
    /// Keys of tokens and of the vault.
    pub secrets: Secrets,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Usage records.
    pub usage: Arc<dyn UsageStore>,
    /// Everything else that is kept.
    pub meta: Arc<dyn MetaStore>,
    /// What calls cost.
    pub prices: PriceBook,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// The program cannot be set up as configured.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// Nobody can be told of anything.
    #[error(transparent)]
    Notifier(#[from] NotifierError),
    /// There is no client for calls to providers.
    #[error("calls to providers cannot be made: {0}")]
    Client(#[from] ClientError),
}

impl App {
    /// The program over these stores. Hashes one password, which blocks for tens of milliseconds.
    pub fn new(ingredients: Ingredients) -> Result<Self, StartError> {
        let Ingredients { config, secrets, clock, usage, meta, prices, metrics } = ingredients;
        let auth = &config.auth;
        Ok(Self(Arc::new(Parts {
            vault: Vault::new(&secrets.encryption_key, secrets.previous_encryption_key.as_ref()),
            passwords: Passwords::new(&auth.argon2)?,
            tokens: AccessTokens::new(&secrets.jwt_secret, auth.access_token_minutes),
            throttle: LoginThrottle::new(auth),
            rate_limits: RateLimits::new(&config.limits),
            gateway: Gateway::new(&config.gateway)?,
            budgets: Budgets::default(),
            ledger: Ledger::default(),
            ids: IdSource::new(&mut rand::rng()),
            notifier: Notifier::new(&config)?,
            watch: Watch::default(),
            feed: Feed::default(),
            nesting: Nesting::default(),
            aggregates: Aggregates::default(),
            config,
            clock,
            usage,
            meta,
            prices: Prices::new(prices),
            repricings: Repricings::default(),
            metrics,
            openapi: router::openapi(),
            requests: Semaphore::new(limits::REQUESTS_IN_PROGRESS_MAX),
            tasks: Tasks::default(),
        })))
    }

    /// Starts background work with a name; shutdown waits for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that spawns, so that shutdown can wait"
    )]
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.tasks.tracker.track_future(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                metrics::counter!("aict_task_panics_total", "task" => name).increment(1);
                tracing::error!(task = name, "a background task panicked");
            }
        }));
    }

    /// Starts background work with a name that is done now and again and again, with a pause of `every` in between, until the
    /// program stops.
    pub fn spawn_every<F: Future<Output = ()> + Send + 'static>(
        &self,
        every: Duration,
        name: &'static str,
        work: impl Fn(Self) -> F + Send + 'static,
    ) {
        let app = self.clone();
        self.spawn(name, async move {
            let stopping = app.stopping();
            tokio::pin!(stopping);
            loop {
                work(app.clone()).await;
                tokio::select! {
                    () = &mut stopping => return,
                    () = tokio::time::sleep(every) => {}
                }
            }
        });
    }

    /// Completes when the program has been told to stop.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        self.tasks.stop.clone().cancelled_owned()
    }

    /// Whether the program has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.tasks.stop.is_cancelled()
    }

    /// Tells background work to stop.
    pub fn begin_stop(&self) {
        self.tasks.stop.cancel();
    }

    /// Tells background work to stop and waits for it.
    pub async fn stop(&self) {
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
