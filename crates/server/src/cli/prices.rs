//! `ai-cost-tracker prices`.

use anyhow::ensure;
use jiff::Timestamp;
use pricing::{Catalog, Price};

use super::output;

/// Flags of `prices`.
#[derive(Debug, clap::Args)]
pub struct PricesArgs {
    #[command(subcommand)]
    command: PricesCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PricesCommand {
    /// List the price rows of the catalog
    List {
        /// Only this provider
        #[arg(long, value_name = "PROVIDER")]
        provider: Option<String>,
        /// Only rows that hold at this instant (RFC 3339)
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Show every price row of a model as JSON
    Show {
        /// Name of the model in the catalog
        model: String,
    },
}

/// Runs the subcommand.
pub fn run(args: &PricesArgs) -> anyhow::Result<()> {
    let catalog = Catalog::embedded();
    match &args.command {
        PricesCommand::List { provider, at } => list(catalog, provider.as_deref(), *at),
        PricesCommand::Show { model } => show(catalog, model),
    }
}

fn list(catalog: &Catalog, provider: Option<&str>, at: Option<Timestamp>) -> anyhow::Result<()> {
    let provider = provider.map(pricing::canonical_provider);
    let rows = catalog.prices().filter(|price| {
        provider.as_deref().is_none_or(|provider| price.provider == provider)
            && at.is_none_or(|at| price.is_in_force(at))
    });
    output::table(
        &["provider", "model", "from", "until", "input", "output", "row"],
        &rows.map(cells).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn cells(price: &Price) -> Vec<String> {
    let rate = |unit| {
        let tiers = price.rates.get(&unit).map(Vec::as_slice).unwrap_or_default();
        tiers.iter().map(|tier| tier.rate.to_string()).collect::<Vec<_>>().join("/")
    };
    let day = |at: Option<Timestamp>| at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    vec![
        price.provider.clone(),
        price.model.clone(),
        day(price.valid_from),
        day(price.valid_until),
        rate(pricing::Unit::InputTokens),
        rate(pricing::Unit::OutputTokens),
        price.id.clone(),
    ]
}

fn show(catalog: &Catalog, model: &str) -> anyhow::Result<()> {
    let rows: Vec<&Price> =
        catalog.prices().filter(|price| price.model.eq_ignore_ascii_case(model)).collect();
    ensure!(!rows.is_empty(), "{model} is not in the catalog; `ai-cost-tracker prices list` has the names");
    output::line(&serde_json::to_string_pretty(&rows)?)?;
    Ok(())
}
