//! `ai-cost-tracker prices mappings` and `prices overrides`: what the operator says of prices, as the API takes it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use domain::{Clock as _, IdSource};
use pricing::{Adjustment, Mapping, PriceBook};
use serde::{Serialize, de::DeserializeOwned};
use store::sqlite::Sqlite;

use super::{Context, book, output, price_unpriced, tell_priced};
use crate::{
    api::prices::rules::{ModelMapping, ModelMappings, PriceRules},
    clock::SystemClock,
    input::parse_json,
    price_book::{self, Author, Prices, checked_names, checked_rules},
};

/// What can be done with the table of names.
#[derive(Debug, clap::Subcommand)]
pub(super) enum MappingsCommand {
    /// Print the table as JSON, as `set` takes it
    Show,
    /// Replace the whole table; the server must not run
    Set(DocumentFile),
    /// Add a name, or replace what it stands for; the server must not run
    Add(Line),
    /// Remove a name; the server must not run
    Remove(Name),
}

/// What can be done with own rates, discounts and margins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum OverridesCommand {
    /// Print the rules as JSON, as `set` takes them
    Show,
    /// Replace all rules; the server must not run
    Set(DocumentFile),
}

/// A whole document.
#[derive(Debug, clap::Args)]
pub(super) struct DocumentFile {
    /// JSON, as `show` prints it and the API takes it
    file: PathBuf,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
}

/// A name.
#[derive(Debug, clap::Args)]
pub(super) struct Name {
    /// The name; a `*` at the end stands for any ending
    model: String,
    /// Only calls of this provider
    #[arg(long, value_name = "PROVIDER")]
    service: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
}

/// A name and what it stands for.
#[derive(Debug, clap::Args)]
pub(super) struct Line {
    #[command(flatten)]
    name: Name,
    /// Provider of the model that it stands for
    #[arg(long, value_name = "PROVIDER")]
    to_service: String,
    /// The model that it stands for, by its name in the catalog
    #[arg(long, value_name = "MODEL")]
    to_model: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Shows or changes the table of names.
pub(super) async fn mappings(command: &MappingsCommand, context: &Context) -> anyhow::Result<()> {
    match command {
        MappingsCommand::Show => print(&ModelMappings::of(&book(context).await?)),
        MappingsCommand::Set(DocumentFile { file, dry_run }) => {
            let new = read::<ModelMappings>(file)?.to_mappings()?;
            let note = format!("mappings set from {}", file.display());
            change_mappings(context, *dry_run, &note, |_| Ok(new)).await
        }
        MappingsCommand::Add(line) => {
            let new = line.to_mapping()?;
            let note = format!("mapping of {} added", line.name.model);
            let add = |mut table: Vec<Mapping>| {
                new.place_into(&mut table);
                Ok(table)
            };
            change_mappings(context, line.name.dry_run, &note, add).await
        }
        MappingsCommand::Remove(name) => {
            let note = format!("mapping of {} removed", name.model);
            change_mappings(context, name.dry_run, &note, |table| name.removed_from(table)).await
        }
    }
}

/// Shows or changes own rates, discounts and margins.
pub(super) async fn overrides(command: &OverridesCommand, context: &Context) -> anyhow::Result<()> {
    match command {
        OverridesCommand::Show => print(&PriceRules::of(&book(context).await?)),
        OverridesCommand::Set(DocumentFile { file, dry_run }) => {
            let mut new = read::<PriceRules>(file)?;
            new.name_the_nameless(&IdSource::new(&mut rand::rng()), SystemClock.now());
            let note = format!("overrides set from {}", file.display());
            change_overrides(context, *dry_run, &note, new.to_adjustments()?).await
        }
    }
}

impl Line {
    fn to_mapping(&self) -> anyhow::Result<Mapping> {
        let line = ModelMapping {
            service: self.name.service.clone(),
            model: self.name.model.clone(),
            to_service: self.to_service.clone(),
            to_model: self.to_model.clone(),
            note: self.note.clone(),
        };
        Ok(line.to_mapping("mapping")?)
    }
}

impl Name {
    fn removed_from(&self, mut table: Vec<Mapping>) -> anyhow::Result<Vec<Mapping>> {
        let service = self.service.as_deref().map(pricing::canonical_provider);
        let is_meant = |line: &Mapping| {
            String::from(line.pattern.clone()).eq_ignore_ascii_case(self.model.trim())
                && line.provider.as_deref() == service.as_deref()
        };
        let lines = table.len();
        table.retain(|line| !is_meant(line));
        ensure!(
            table.len() < lines,
            "{} is not mapped; `ai-cost-tracker prices mappings show` has the names, each with its service",
            self.model
        );
        Ok(table)
    }
}

/// The price book, and the store to change it in, unless it is only to be shown what would change.
struct Change<'a> {
    context: &'a Context,
    store: Option<Sqlite>,
    prices: Prices,
    author: Author<'a>,
}

impl<'a> Change<'a> {
    async fn open(context: &'a Context, dry_run: bool, note: &'a str) -> anyhow::Result<Self> {
        let store = if dry_run { None } else { Some(context.open_store().await?) };
        let book = match &store {
            Some(store) => price_book::load(store).await?,
            None => book(context).await?,
        };
        let author = Author { user: None, at: SystemClock.now(), note };
        Ok(Self { context, store, prices: Prices::new(book), author })
    }

    /// Tells what has changed, or would.
    async fn finish<T: Serialize>(self, before: &[T], after: &[T]) -> anyhow::Result<()> {
        let count = show_difference(before, after)?;
        let Some(store) = self.store else {
            output::line(&format!("{count} changes would be made"))?;
            return Ok(());
        };
        output::line(&format!("{count} changes made"))?;
        let priced = price_unpriced(&store, &self.prices, self.author.at).await?;
        let done = serde_json::json!({ "note": self.author.note, "changes": count });
        self.context.log(&store, "CLI prices change", "prices", &done).await?;
        store.close().await?;
        tell_priced(priced)
    }
}

async fn change_mappings(
    context: &Context,
    dry_run: bool,
    note: &str,
    edit: impl FnOnce(Vec<Mapping>) -> anyhow::Result<Vec<Mapping>>,
) -> anyhow::Result<()> {
    let change = Change::open(context, dry_run, note).await?;
    let before = change.prices.current();
    let lines = edit(before.mappings().iter().cloned().collect())?;
    let after = PriceBook::clone(&before).with_mappings(checked_names(lines.clone(), &before)?);
    let (before, after) = (ModelMappings::of(&before), ModelMappings::of(&after));
    if let Some(store) = &change.store {
        change.prices.put_mappings(store, lines, change.author).await?;
    }
    change.finish(&before.mappings, &after.mappings).await
}

async fn change_overrides(
    context: &Context,
    dry_run: bool,
    note: &str,
    rules: Vec<Adjustment>,
) -> anyhow::Result<()> {
    let change = Change::open(context, dry_run, note).await?;
    let before = change.prices.current();
    let after = PriceBook::clone(&before).with_adjustments(checked_rules(rules.clone())?);
    let (before, after) = (PriceRules::of(&before), PriceRules::of(&after));
    if let Some(store) = &change.store {
        change.prices.put_adjustments(store, rules, change.author).await?;
    }
    change.finish(&before.rules, &after.rules).await
}

/// Prints what is gone with a minus and what is new with a plus; how many there are of both.
fn show_difference<T: Serialize>(before: &[T], after: &[T]) -> anyhow::Result<usize> {
    let json = |list: &[T]| list.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let (before, after) = (json(before)?, json(after)?);
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = gone.chain(new).collect();
    if lines.is_empty() && before != after {
        lines.push("the order changes".to_owned());
    }
    lines.iter().try_for_each(|line| output::line(line))?;
    Ok(lines.len())
}

fn print(document: &impl Serialize) -> anyhow::Result<()> {
    output::line(&serde_json::to_string_pretty(document)?)?;
    Ok(())
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    parse_json(&text).with_context(|| format!("{} is not such a document", file.display()))
}
