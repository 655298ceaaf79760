//! Listening, and stopping without losing anything.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use tokio::{net::TcpListener, time};

use crate::{app::App, router};

/// How often measurements of the store are taken.
const STATS_EVERY: Duration = Duration::from_secs(5);

/// Serves `app` on `listener` until `stop` completes; then answers what is in progress, within the configured time.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> =
        router::service(app.clone()).into_make_service_with_connect_info();
    let stopping = Arc::new(tokio::sync::Notify::new());
    let begun = Arc::clone(&stopping);
    let stopped = app.clone();
    let graceful = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping: no new connections; requests in progress are answered");
        stopped.begin_stop();
        begun.notify_one();
    });
    let timeout = app.config.server.shutdown_timeout();
    let deadline = async {
        stopping.notified().await;
        time::sleep(timeout).await;
    };
    tokio::select! {
        served = graceful => served?,
        () = deadline => tracing::warn!("requests were still in progress at the end of server.shutdown_timeout_ms"),
    }
    app.stop().await;
    Ok(())
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
    let stopping = app.stopping();
    app.spawn("measure_store", async move {
        tokio::pin!(stopping);
        let mut ticks = time::interval(STATS_EVERY);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                _ = ticks.tick() => report(&store),
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
