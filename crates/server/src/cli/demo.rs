//! `ai-cost-tracker demo`.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Context, output};
use crate::{
    app::App,
    demo::{self, EMAIL, Filled, RECORDS_MAX, Recipe},
    import::{dollars, grouped},
    telemetry,
};

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// How many records
    #[arg(long, value_name = "COUNT", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=RECORDS_MAX))]
    records: u64,
    /// Another seed makes other records
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Take the demo out again; everything else stays
    #[arg(long, conflicts_with_all = ["records", "seed"])]
    remove: bool,
}

/// Puts the demo in, or takes it out; the server must not run.
pub async fn run(args: DemoArgs, context: &Context) -> anyhow::Result<()> {
    telemetry::start_logs(&context.config.log)?;
    let (app, store) = context.open_app().await?;
    let done = if args.remove { remove(&app).await } else { fill(&app, &args, context).await };
    app.stop().await;
    store.close().await?;
    done
}

async fn fill(app: &App, args: &DemoArgs, context: &Context) -> anyhow::Result<()> {
    let bar = progress_bar(args.records);
    let recipe = Recipe { records: args.records, seed: args.seed };
    let filled = demo::fill(app, recipe, |kept| bar.set_position(kept)).await?;
    bar.finish_and_clear();
    let server = &context.config.server;
    let url = match &server.public_url {
        Some(url) => url.as_str().to_owned(),
        None => format!("http://{}:{}", server.host, server.port),
    };
    output::line(&told(&filled, &url))?;
    Ok(())
}

fn told(filled: &Filled, url: &str) -> String {
    let Filled { password, projects, records, unpriced, errors, cost } = filled;
    format!(
        "{records} records of 90 days in {projects} projects, {cost} in all; {unpriced} without a known price, {errors} \
         ended in an error.\n\n\
         Start the server with `ai-cost-tracker serve`, open {url} and log in:\n  \
         e-mail    {EMAIL}\n  password  {password}\n\n\
         The password is not shown again. `ai-cost-tracker demo --remove` takes all of it out.",
        records = grouped(*records),
        cost = dollars(Some(*cost)),
        unpriced = grouped(*unpriced),
        errors = grouped(*errors),
        password = password.expose(),
    )
}

async fn remove(app: &App) -> anyhow::Result<()> {
    let removed = demo::remove(app).await?;
    output::line(&format!(
        "removed the demo: {} projects, {} records, {} account{}",
        removed.projects,
        grouped(removed.records),
        removed.accounts,
        if removed.accounts == 1 { "" } else { "s" },
    ))?;
    if !removed.kept_projects.is_empty() {
        let names = removed.kept_projects.join(", ");
        output::line(&format!("kept, because the demo's account had made them itself: {names}"))?;
    }
    Ok(())
}

fn progress_bar(records: u64) -> ProgressBar {
    let shown = std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(records), target);
    match ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records  {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
