//! `ai-cost-tracker fx-rates`.

use anyhow::Context as _;
use domain::{
    Clock as _,
    fx::{FxRate, FxRates},
};
use jiff::{civil::Date, tz::TimeZone};
use pricing::ExchangeRate;
use store::BudgetStore as _;

use super::{Context, output};
use crate::clock::SystemClock;

/// Flags of `fx-rates`.
#[derive(Debug, clap::Args)]
pub struct FxRatesArgs {
    #[command(subcommand)]
    command: FxRatesCommand,
}

#[derive(Debug, clap::Subcommand)]
enum FxRatesCommand {
    /// List the exchange rates, also while the server runs
    List,
    /// Say what a currency is worth from a day on; the server must not run
    Set(SetRate),
}

/// A rate.
#[derive(Debug, clap::Args)]
struct SetRate {
    /// Code of the currency, such as EUR
    currency: String,
    /// US dollars for one unit, digit for digit
    rate: ExchangeRate,
    /// First day on which it counts [default: today, in UTC]
    #[arg(long, value_name = "DAY")]
    date: Option<Date>,
    /// Where it is from
    #[arg(long, value_name = "TEXT", default_value = "")]
    source: String,
}

/// Runs the subcommand.
pub async fn run(args: FxRatesArgs, context: &Context) -> anyhow::Result<()> {
    match args.command {
        FxRatesCommand::List => list(context).await,
        FxRatesCommand::Set(rate) => set(rate, context).await,
    }
}

async fn list(context: &Context) -> anyhow::Result<()> {
    let rates = context.open_to_read()?.list_fx_rates().await?;
    let row = |FxRate { currency, rate, effective_date, source }| {
        vec![currency, effective_date.to_string(), rate.to_string(), source]
    };
    let rows: Vec<Vec<String>> = rates.into_iter().map(row).collect();
    output::table(&["currency", "from", "USD", "source"], &rows)?;
    Ok(())
}

async fn set(args: SetRate, context: &Context) -> anyhow::Result<()> {
    let SetRate { currency, rate, date, source } = args;
    let today = SystemClock.now().to_zoned_datetime(TimeZone::UTC).date();
    let effective_date = date.unwrap_or(today);
    let store = context.open_store().await?;
    let kept = FxRates::new(store.list_fx_rates().await?).context("the rates in the store cannot be read")?;
    let line = format!("1 {currency} = {rate} USD from {effective_date}");
    let row = FxRate { currency, rate, effective_date, source };
    let rates = kept.with(row.clone())?;
    store.replace_fx_rates(rates.rows()).await?;
    context.log(&store, "CLI fx-rates set", "fx-rates", &row).await?;
    store.close().await?;
    output::line(&line)?;
    Ok(())
}
