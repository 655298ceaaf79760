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
use pricing::file;

mod convert;
mod matchers;
mod overlay;
mod rates;
mod segments;
mod source;
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
    let folder = catalog_folder();
    let mut log = Log::default();
    let catalog = build(&package, &path, &mut log)?;
    std::fs::write(folder.join("catalog.json"), write::catalog(&catalog)?)?;
    std::fs::write(folder.join("NOTICE"), notice(&package)?)?;
    log.print(&catalog)
}

/// What the reader of the catalog's diff should know.
#[derive(Debug, Default)]
struct Log(Vec<String>);

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

impl Log {
    fn add(&mut self, line: String) {
        self.0.push(line);
    }

    fn print(&self, catalog: &file::Catalog) -> Result<()> {
        let mut stderr = std::io::stderr().lock();
        for line in &self.0 {
            writeln!(stderr, "{line}")?;
        }
        let models = catalog.providers.iter().flat_map(|provider| &provider.models);
        let rows: usize = models.clone().map(|model| model.prices.len()).sum();
        writeln!(stderr, "{}: {} models, {rows} price rows", catalog.version, models.count())?;
        Ok(())
    }
}

fn build(package: &Package, path: &Path, log: &mut Log) -> Result<file::Catalog> {
    let source = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let overlay = std::fs::read_to_string(catalog_folder().join("overlay.json"))?;
    let providers = serde_json::from_str(&source).context("the source has changed its form")?;
    let mut catalog = convert::catalog(providers, &package.version, log)?;
    overlay::apply(&mut catalog, serde_json::from_str(&overlay).context("overlay.json")?)?;
    Ok(catalog)
}

fn notice(package: &Package) -> Result<String> {
    let license = std::fs::read_to_string(package.folder.join("LICENSE"))?;
    let text = include_str!("notice.txt");
    Ok(text.replace("{version}", &package.version).replace("{license}", license.trim_end()))
}

fn catalog_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/pricing/catalog")
}
