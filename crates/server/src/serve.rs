//! Listening, and stopping without losing anything.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time,
};
use tower::ServiceExt as _;

use crate::{app::App, limits, router};

/// How often measurements of the store are taken.
const STATS_EVERY: Duration = Duration::from_secs(5);
/// How long a client may take for the head of a request, and a connection may stand idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long accepting pauses when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `stop` completes; then answers what is in progress, within the configured time.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let router = router::service(app.clone());
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
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
                    // A piece of a stream must not wait until the client has acknowledged the one before.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::trace!(%error, "a connection could not be made prompt");
                    }
                    let connection = connection(router.clone(), stream, peer, &graceful);
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
    if time::timeout(app.config.server.shutdown_timeout(), graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in progress at the end of server.shutdown_timeout_ms");
        connections.abort_all();
    }
    app.stop().await;
    Ok(())
}

/// Answers the requests of one connection until it ends.
fn connection(
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    let watched = graceful.watch(connection);
    async move {
        if let Err(error) = watched.await {
            tracing::trace!(%error, "a connection broke off");
        }
    }
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
