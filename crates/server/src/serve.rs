//! Listening, and stopping without losing anything.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{app::App, limits, router};

/// How often measurements of the store are taken.
const STATS_EVERY: Duration = Duration::from_secs(5);
/// How long no request may begin on a connection before it is told to end; what is in progress is answered.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// How often the other end of an HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long accepting pauses when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `stop` completes; then answers what is in progress, within the configured time.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let router = router::service(app.clone());
    let permits = Arc::new(Semaphore::new(app.config.server.connections_max));
    let (mut connections, stopping) = (JoinSet::new(), CancellationToken::new());
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        // Without a permit nothing is accepted: what is too much waits in the kernel, not in memory.
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?, permit))
        };
        tokio::select! {
            () = &mut stop => break,
            accepted = accepted => match accepted {
                Ok(((stream, peer), permit)) => {
                    let connection = Connection {
                        stream,
                        peer,
                        head_timeout: app.config.server.head_timeout(),
                        stopping: stopping.child_token(),
                    };
                    let connection = connection.answer(router.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    tracing::info!("stopping: no new connections; requests in progress are answered");
    app.begin_stop();
    stopping.cancel();
    let ended = async { while connections.join_next().await.is_some() {} };
    if time::timeout(app.config.server.shutdown_timeout(), ended).await.is_err() {
        tracing::warn!("requests were still in progress at the end of server.shutdown_timeout_ms");
        connections.abort_all();
    }
    app.stop().await;
    Ok(())
}

/// A client that has connected.
struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    /// How long it may take for the head of a request, stand idle before the first, and with HTTP/1 between two.
    head_timeout: Duration,
    stopping: CancellationToken,
}

impl Connection {
    /// Answers requests until the connection ends or is told to. Who asks nothing is hung up on.
    async fn answer(self, router: Router) {
        let Self { stream, peer, head_timeout, stopping } = self;
        // A piece of a stream must not wait until the client has acknowledged the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::trace!(%error, "a connection could not be made prompt");
        }
        let requests = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&requests);
        let service = router.map_request(move |request: Request<Incoming>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let protocols = protocols(head_timeout);
        let connection = protocols.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let (mut connection, mut look) = (pin!(connection), pin!(time::sleep(head_timeout)));
        let (mut seen, mut ends) = (0, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::trace!(%error, "a connection broke off");
                    }
                    return;
                }
                () = stopping.cancelled(), if !ends => ends = true,
                () = look.as_mut(), if !ends => {
                    let before = std::mem::replace(&mut seen, requests.load(Ordering::Relaxed));
                    if seen == 0 {
                        return;
                    }
                    ends = seen == before;
                    look.as_mut().reset(time::Instant::now() + IDLE_TIMEOUT);
                }
            }
            if ends {
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What is spoken, and within which bounds.
fn protocols(head_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(limits::HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits::HTTP2_HEAD_BYTES_MAX)
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX)
        .max_pending_accept_reset_streams(limits::HTTP2_RESET_STREAMS_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// Completes at the first SIGINT or SIGTERM.
pub async fn signalled() {
    let interrupt = tokio::signal::ctrl_c();
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}

/// Reports the store's own counters until the program stops.
pub fn measure_store(app: &App, store: store::sqlite::Sqlite) {
    let (stopping, measured) = (app.stopping(), app.clone());
    app.spawn("measure_store", async move {
        tokio::pin!(stopping);
        let mut ticks = time::interval(STATS_EVERY);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                _ = ticks.tick() => {
                    report(&store);
                    measured.gateway.measure();
                    // Samples gather until they are sorted into buckets, also where nobody asks for them.
                    measured.metrics.run_upkeep();
                }
            }
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a queue is far shorter than 2^53")]
fn report(store: &store::sqlite::Sqlite) {
    let stats = store.stats();
    metrics::gauge!("aict_store_queued_jobs").set(stats.queued_jobs as f64);
    metrics::counter!("aict_store_commits_total").absolute(stats.commits);
    metrics::counter!("aict_store_records_total").absolute(stats.records_appended);
}
