//! `ai-cost-tracker prices`.

mod rules;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use domain::{
    Clock as _,
    query::{Dimension, Filter, UsageQuery, Visibility},
};
use jiff::Timestamp;
use pricing::{Catalog, Price, PriceBook, import::Format};
use store::{PriceDocument, PriceStore as _, UsageStore as _, sqlite::Sqlite};

use super::{Context, output};
use crate::{
    clock::SystemClock,
    price_book::{self, Author, Prices},
    reprice::{self, Repricer},
    unpriced,
};

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
    /// Show how the prices of a model changed
    History {
        /// Name of the model in the catalog
        model: String,
    },
    /// Bring a price list in: rows that differ are closed and new ones opened; the server must not run
    Import(ListFile),
    /// Show what bringing a price list in would change
    Diff(ListFile),
    /// Look the catalog over for gaps, overlaps, absurd rates and models in use without a price
    Verify,
    /// Show or change what names of deployments stand for
    #[command(subcommand)]
    Mappings(rules::MappingsCommand),
    /// Show or change own rates, discounts and margins
    #[command(subcommand)]
    Overrides(rules::OverridesCommand),
    /// List changes of catalog, mappings and overrides, and repricings
    Revisions,
}

/// A price list of others.
#[derive(Debug, clap::Args)]
struct ListFile {
    /// The list, as it is published
    file: PathBuf,
    /// native, genai-prices or litellm
    #[arg(long, value_parser = format)]
    format: Format,
    /// Version of the list, for its rows' source [default: today]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
}

/// Runs the subcommand.
pub async fn run(args: &PricesArgs, context: &Context) -> anyhow::Result<()> {
    match &args.command {
        PricesCommand::List { provider, at } => list(&book(context).await?, provider.as_deref(), *at),
        PricesCommand::Show { model } => show(&book(context).await?, model),
        PricesCommand::History { model } => history(&book(context).await?, model),
        PricesCommand::Import(list) => import(context, list, !list.dry_run).await,
        PricesCommand::Diff(list) => import(context, list, false).await,
        PricesCommand::Verify => verify(context).await,
        PricesCommand::Mappings(command) => rules::mappings(command, context).await,
        PricesCommand::Overrides(command) => rules::overrides(command, context).await,
        PricesCommand::Revisions => revisions(context).await,
    }
}

/// The book of the store, if there is one; also while a server runs.
async fn book(context: &Context) -> anyhow::Result<PriceBook> {
    match context.open_to_read() {
        Ok(store) => Ok(price_book::load(&store).await?),
        Err(_) => Ok(PriceBook::new(Arc::clone(Catalog::embedded_arc()))),
    }
}

fn list(book: &PriceBook, provider: Option<&str>, at: Option<Timestamp>) -> anyhow::Result<()> {
    let provider = provider.map(pricing::canonical_provider);
    let rows = book.catalog().prices().filter(|price| {
        provider.as_deref().is_none_or(|provider| price.provider == provider)
            && at.is_none_or(|at| price.is_in_force(at))
    });
    let head = ["provider", "model", "from", "until", "input", "output", "row"];
    output::table(&head, &rows.map(cells).collect::<Vec<_>>())?;
    Ok(())
}

fn show(book: &PriceBook, model: &str) -> anyhow::Result<()> {
    output::line(&serde_json::to_string_pretty(&rows_of(book, model)?)?)?;
    Ok(())
}

fn history(book: &PriceBook, model: &str) -> anyhow::Result<()> {
    let mut rows = rows_of(book, model)?;
    rows.sort_by_key(|price| (price.provider.clone(), price.conditions.to_string(), price.valid_from));
    let cells = rows.into_iter().map(|price| {
        let mut cells = cells(price);
        cells.insert(2, price.conditions.to_string());
        cells
    });
    let head = ["provider", "model", "conditions", "from", "until", "input", "output", "row"];
    output::table(&head, &cells.collect::<Vec<_>>())?;
    Ok(())
}

fn rows_of<'a>(book: &'a PriceBook, model: &str) -> anyhow::Result<Vec<&'a Price>> {
    let rows: Vec<&Price> =
        book.catalog().prices().filter(|price| price.model.eq_ignore_ascii_case(model)).collect();
    ensure!(!rows.is_empty(), "{model} is not in the catalog; `ai-cost-tracker prices list` has the names");
    Ok(rows)
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

async fn import(context: &Context, list: &ListFile, apply: bool) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(&list.file).with_context(|| format!("{} cannot be read", list.file.display()))?;
    let at = SystemClock.now();
    let version = list.version.clone().unwrap_or_else(|| at.strftime("%Y-%m-%d").to_string());
    let (catalog, notes) = price_book::read_list(list.format, &text, version, at)?;
    let store = context.open_store().await?;
    let prices = Prices::new(price_book::load(&store).await?);
    let note = format!("{} imported from {}", list.format, list.file.display());
    let changes = prices.import(&store, catalog, apply, Author { user: None, at, note: &note }).await?;
    let priced = if apply { price_unpriced(&store, &prices, at).await? } else { 0 };
    if apply && !changes.is_empty() {
        let done = serde_json::json!({ "note": note, "changes": changes.len() });
        context.log(&store, "CLI prices import", "prices", &done).await?;
    }
    store.close().await?;
    for change in &changes {
        output::line(&change.to_string())?;
    }
    for note in &notes {
        output::complain(&note.to_string());
    }
    let verb = if apply { "made" } else { "would be made" };
    output::line(&format!("{} changes {verb}", changes.len()))?;
    if apply && !changes.is_empty() {
        tell_priced(priced)?;
    }
    Ok(())
}

/// Gives records without a cost one, as a running server does by itself after a change of prices.
async fn price_unpriced(store: &Sqlite, prices: &Prices, now: Timestamp) -> anyhow::Result<u64> {
    let (usage, book) = (Arc::new(store.clone()), prices.current());
    let repricer = Repricer { usage, book: &book, is_stopping: &|| false };
    Ok(unpriced::price_unpriced(&repricer, store, now).await?)
}

fn tell_priced(records: u64) -> anyhow::Result<()> {
    output::line(&format!("{records} records that had no cost have one now"))?;
    output::line(
        "records that had one keep it; POST /api/prices/reprice shows what costing them anew would change",
    )?;
    Ok(())
}

async fn verify(context: &Context) -> anyhow::Result<()> {
    let book = book(context).await?;
    let used = match context.open_to_read() {
        Ok(store) => models_in_use(&store).await?,
        Err(_) => BTreeMap::new(),
    };
    let used = used.into_iter().map(|((provider, model), last)| (provider, model, last));
    let findings = pricing::verify(book.catalog(), used);
    for finding in &findings {
        output::line(&finding.to_string())?;
    }
    output::line(&format!("{} things to look at", findings.len()))?;
    Ok(())
}

/// Providers and models of the records, with the last day on which each was called.
async fn models_in_use(store: &Sqlite) -> anyhow::Result<BTreeMap<(String, String), Timestamp>> {
    let query = UsageQuery {
        filter: Filter::all(Visibility::Everything),
        buckets: Some(reprice::months_until(SystemClock.now())),
        group_by: vec![Dimension::Service, Dimension::Model],
    };
    let mut last = BTreeMap::new();
    for group in store.aggregate(&query).await? {
        if let (Some(at), [Some(provider), Some(model)]) = (group.bucket, group.keys.as_slice()) {
            // Groups come in order of time: the last one of a model stays.
            last.insert((provider.clone(), model.clone()), at);
        }
    }
    Ok(last)
}

async fn revisions(context: &Context) -> anyhow::Result<()> {
    let store = context.open_to_read()?;
    let mut rows = Vec::new();
    for (document, name) in [
        (PriceDocument::Catalog, "catalog"),
        (PriceDocument::Mappings, "mappings"),
        (PriceDocument::Adjustments, "overrides"),
        (PriceDocument::Repricing, "repricing"),
    ] {
        for revision in store.list_price_revisions(document).await? {
            let author =
                revision.author.map_or_else(|| "the program".to_owned(), |author| author.to_string());
            rows.push(vec![
                name.to_owned(),
                revision.number.to_string(),
                revision.at.to_string(),
                author,
                revision.note,
            ]);
        }
    }
    output::table(&["document", "number", "at", "author", "note"], &rows)?;
    Ok(())
}

fn format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|error: pricing::import::UnknownFormat| error.to_string())
}
