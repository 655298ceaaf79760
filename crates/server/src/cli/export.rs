//! `ai-cost-tracker export`.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use domain::{
    Interval,
    interval::time_zone,
    query::{Filter, Visibility},
};
use store::sqlite::Sqlite;

use super::Context;
use crate::export::{Export, Format};

/// Flags of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// csv, json or ndjson
    #[arg(long, value_parser = format, default_value = "csv")]
    format: Format,
    /// First day or instant
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last day, which is included whole, or the instant after the last one
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// Zone whose days count
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Only records of this project
    #[arg(long, value_name = "ID")]
    project: Option<domain::ProjectId>,
    /// File to write; standard output when missing
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes every record that the flags let through, also while a server runs.
pub async fn run(args: &ExportArgs, context: &Context) -> anyhow::Result<()> {
    let store: Sqlite = context.open_to_read()?;
    let zone = time_zone("time-zone", &args.time_zone)?;
    let period = Interval::from_bounds(args.start.as_deref(), args.end.as_deref(), &zone, Interval::ALWAYS)?;
    let filter = Filter::all(Visibility::Everything).during(period);
    let filter = args.project.map_or_else(|| filter.clone(), |project| filter.clone().of_project(project));
    let mut export = Export::new(Arc::new(store), filter, args.format);
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => {
            Box::new(File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?)
        }
        None => Box::new(io::stdout()),
    };
    while let Some(chunk) = export.next_chunk().await? {
        out.write_all(&chunk)?;
    }
    out.flush()?;
    Ok(())
}

fn format(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| "must be csv, json or ndjson".to_owned())
}
