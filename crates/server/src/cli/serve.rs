//! `ai-cost-tracker serve`.

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::Context;
use crate::{
    anomalies, audit, digest, gateway::Gateway, live, notify, otlp, retention, serve, telemetry, unpriced,
    watch,
};

/// Flags of `serve`.
#[derive(Debug, Default, clap::Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

impl ServeArgs {
    /// As settings.
    pub fn flags(&self) -> Vec<(String, String)> {
        let host = self.host.clone().map(|host| ("server.host".to_owned(), host));
        let port = self.port.map(|port| ("server.port".to_owned(), port.to_string()));
        host.into_iter().chain(port).collect()
    }
}

/// Runs the server until it is told to stop.
pub async fn run(_args: &ServeArgs, context: &Context) -> anyhow::Result<()> {
    telemetry::start_logs(&context.config.log)?;
    let (app, store) = context.open_app().await?;
    let server = &context.config.server;
    let listener = TcpListener::bind((server.host.as_str(), server.port)).await.with_context(|| {
        format!("{}:{} cannot be listened on; choose another port with PORT", server.host, server.port)
    })?;
    let address = listener.local_addr()?;
    tracing::info!(data = %context.config.store.sqlite_path().display(), "store open");
    tracing::info!("listening on http://{address}");
    if app.meta.has_accounts().await? {
        tracing::info!("open http://{address} or see http://{address}/docs/api");
    } else {
        tracing::info!(
            "next: open http://{address} and create the owner's account (or run `ai-cost-tracker demo` first)"
        );
    }
    Gateway::start(&app).await.context("the gateway's journal cannot be opened")?;
    serve::measure_store(&app, store.clone());
    unpriced::follow_prices(&app);
    notify::dispatch::start(&app);
    watch::start(&app);
    anomalies::start(&app);
    digest::start(&app);
    live::start(&app);
    retention::start(&app);
    otlp::aggregates::start(&app);
    audit::say_head(&app);
    serve::serve(app, listener, serve::signalled()).await?;
    store.close().await?;
    tracing::info!("stopped; everything is on disk");
    Ok(())
}
