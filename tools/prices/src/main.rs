//! Writes `crates/pricing/catalog/catalog.json` and `NOTICE`.
//!
//! `cargo run -p prices-converter` reads the pinned genai-prices package where cargo keeps it and
//! `crates/pricing/catalog/overlay.json`; `cargo run -p prices-converter -- <prices.json>` reads another file.
//! What had to be rounded, left out or rewritten is listed on stderr.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use jiff::civil::{Date, date};
use pricing::import::{self, Edition, Format, Imported, Note, NoteKind};

mod write;

#[cfg(test)]
mod tests;

const PACKAGE: &str = "genai-prices";
/// The day on which the pinned version was published, after its maintainers had compared it with the providers.
const CHECKED_ON: Date = date(2026, 10, 30);

fn main() -> Result<()> {
    let package = Package::find()?;
    let path =
        std::env::args_os().nth(1).map_or_else(|| package.folder.join("data/prices.json"), PathBuf::from);
    let imported = read(&package, &path)?;
    let folder = catalog_folder();
    std::fs::write(folder.join("catalog.json"), write::catalog(&imported.catalog)?)?;
    std::fs::write(folder.join("NOTICE"), notice(&package)?)?;
    print(&imported)
}

/// A source package in cargo's registry folder.
struct Package {
    folder: PathBuf,
    version: String,
}

impl Package {
    fn find() -> Result<Self> {
        // For this platform only: cargo has not fetched what others would need.
        let rustc = output("rustc", &["-vV"])?;
        let host =
            rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let arguments =
            ["metadata", "--format-version=1", "--filter-platform", host, "--manifest-path", manifest];
        let metadata: serde_json::Value = serde_json::from_str(&output("cargo", &arguments)?)?;
        let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
        let package =
            packages.iter().find(|package| package["name"] == PACKAGE).context("not a dependency")?;
        let text =
            |key: &str| package[key].as_str().map(str::to_owned).context("cargo metadata lacks a field");
        let folder = PathBuf::from(text("manifest_path")?).parent().context("no folder")?.to_owned();
        Ok(Self { folder, version: text("version")? })
    }
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().context(program.to_owned())?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What the reader of the catalog's diff should know.
fn print(imported: &Imported) -> Result<()> {
    let mut stderr = std::io::stderr().lock();
    for note in &imported.notes {
        writeln!(stderr, "{note}")?;
    }
    let models = imported.catalog.providers.iter().flat_map(|provider| &provider.models);
    let rows: usize = models.clone().map(|model| model.prices.len()).sum();
    writeln!(stderr, "{}: {} models, {rows} price rows", imported.catalog.version, models.count())?;
    Ok(())
}

/// The importer goes on past what it does not understand; the catalog that others start from does not.
fn read(package: &Package, path: &Path) -> Result<Imported> {
    let source = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let edition = Edition { version: package.version.clone(), checked_on: Some(CHECKED_ON) };
    let imported = import::read(Format::GenaiPrices, &source, &edition)?;
    let gaps = imported.notes.iter().filter(|note| note.kind == NoteKind::NotUnderstood);
    let gaps: Vec<String> = gaps.map(Note::to_string).collect();
    ensure!(gaps.is_empty(), "the source or the overlay has changed its form:\n{}", gaps.join("\n"));
    Ok(imported)
}

fn notice(package: &Package) -> Result<String> {
    let license = std::fs::read_to_string(package.folder.join("LICENSE"))?;
    let text = include_str!("notice.txt");
    Ok(text.replace("{version}", &package.version).replace("{license}", license.trim_end()))
}

fn catalog_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/pricing/catalog")
}
