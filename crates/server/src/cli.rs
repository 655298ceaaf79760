//! The command line.

pub mod backup;
pub mod demo;
pub mod export;
pub mod fx_rates;
pub mod import;
pub mod keys;
pub mod output;
pub mod prices;
pub mod projects;
pub mod serve;
pub mod users;
pub mod verify;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use store::sqlite::{Options, Sqlite};

use crate::{
    app::{App, Ingredients},
    clock::SystemClock,
    config::{Config, Secrets, Sources, process_environment},
    price_book, telemetry,
};

/// Self-hosted server that records every LLM call, knows its exact cost, and shows whom it was for.
#[derive(Debug, Parser)]
#[command(name = "ai-cost-tracker", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// Configuration file [default: ./ai-cost-tracker.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded store and of generated secrets; the same as `--setting store.data_dir=DIR`
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Any setting, e.g. --setting server.port=9000; repeatable
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    setting: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve(serve::ServeArgs),
    /// Record usage from CSV or JSON Lines files
    Import(import::ImportArgs),
    /// Write records to a file or to standard output
    Export(export::ExportArgs),
    /// Look at the price catalog
    Prices(prices::PricesArgs),
    /// Say what other currencies are worth
    FxRates(fx_rates::FxRatesArgs),
    /// Manage the encryption of provider keys
    Keys(keys::KeysArgs),
    /// Manage accounts
    Users(users::UsersArgs),
    /// List projects
    Projects(projects::ProjectsArgs),
    /// Recompute every sum from the records and compare
    Verify(verify::VerifyArgs),
    /// Copy the store, also while the server runs
    Backup(backup::BackupArgs),
    /// Fill the store with demo data, or take it out again
    Demo(demo::DemoArgs),
    /// Print the OpenAPI document
    Openapi,
}

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    /// The settings.
    pub config: Config,
    /// The environment, read once.
    pub environment: BTreeMap<String, String>,
}

/// Runs the command that the command line names.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { global, command } = cli;
    let command = command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::default()));
    if matches!(command, Command::Openapi) {
        output::line(&crate::router::openapi().to_pretty_json()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let context = global.context(&command)?;
    match command {
        Command::Serve(args) => serve::run(&args, &context).await?,
        Command::Import(args) => return import::run(args, &context).await,
        Command::Export(args) => export::run(&args, &context).await?,
        Command::Prices(args) => prices::run(&args, &context).await?,
        Command::FxRates(args) => fx_rates::run(args, &context).await?,
        Command::Keys(args) => keys::run(&args, &context).await?,
        Command::Users(args) => users::run(&args, &context).await?,
        Command::Projects(args) => projects::run(&args, &context).await?,
        Command::Verify(args) => return verify::run(&args, &context).await,
        Command::Backup(args) => backup::run(&args, &context).await?,
        Command::Demo(args) => demo::run(args, &context).await?,
        Command::Openapi => {}
    }
    Ok(ExitCode::SUCCESS)
}

impl Global {
    fn context(self, command: &Command) -> anyhow::Result<Context> {
        let environment = process_environment();
        let mut flags = self.setting;
        flags.extend(self.data_dir.map(|dir| ("store.data_dir".to_owned(), dir)));
        if let Command::Serve(args) = command {
            flags.extend(args.flags());
        }
        let config = Config::load(&Sources { file: self.config, environment: environment.clone(), flags })?;
        Ok(Context { config, environment })
    }
}

impl Context {
    /// Opens the store, for this process alone, and the program over it.
    pub async fn open_app(&self) -> anyhow::Result<(App, Sqlite)> {
        let store = self.open_store().await?;
        let secrets = self.secrets()?;
        let ingredients = Ingredients {
            config: self.config.clone(),
            secrets,
            clock: Arc::new(SystemClock),
            usage: Arc::new(store.clone()),
            meta: Arc::new(store.clone()),
            prices: price_book::load(&store).await?,
            metrics: telemetry::start_metrics()?,
        };
        Ok((App::new(ingredients)?, store))
    }

    /// Opens the store, for this process alone.
    pub async fn open_store(&self) -> anyhow::Result<Sqlite> {
        let path = self.config.store.sqlite_path();
        let readers = usize::try_from(self.config.store.read_connections)?;
        let options = Options { readers, ..Options::default() };
        let opened = tokio::task::spawn_blocking(move || Sqlite::open(&path, options)).await?;
        opened.map_err(|error| match error {
            store::StoreError::Locked(_) => anyhow::anyhow!(
                "{error}; stop the server first, or, to import into a running server, use import --server URL"
            ),
            other => other.into(),
        })
    }

    /// Opens the store to read only, also while a server runs.
    pub fn open_to_read(&self) -> anyhow::Result<Sqlite> {
        let path = self.config.store.sqlite_path();
        Sqlite::open_read_only(&path).with_context(|| format!("{} cannot be read", path.display()))
    }

    /// The secrets, generated and kept where none are configured.
    pub fn secrets(&self) -> anyhow::Result<Secrets> {
        let secrets = self.config.keep_secrets(&mut rand::rng())?;
        if let Some(generated) = &secrets.generated {
            tracing::info!("{generated}");
        }
        Ok(secrets)
    }
}

/// Every command and flag, for the test that they are documented.
pub fn command() -> clap::Command {
    Cli::command()
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
