//! Lists what `make web` built, so that `dashboard.rs` can embed it. Without it the program is built without a dashboard.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    // A path that does not exist would make every build start anew; `make web` touches this file when it makes the folder.
    if let Ok(dist) = manifest.join("../../web/dist").canonicalize() {
        println!("cargo::rerun-if-changed={}", dist.display());
        collect(&dist, &dist, &mut files)?;
    }
    files.sort();
    let entries: String = files.iter().map(|(name, path)| entry(name, path)).collect();
    fs::write(out.join("dashboard.rs"), format!("&[\n{entries}]\n"))
}

/// Files below `folder`, by their path in `root`; compressed ones go with the file that they are of.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for found in fs::read_dir(folder)? {
        let path = found?.path();
        let name = path.strip_prefix(root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_none_or(|ending| ending != "br") {
            files.push((name, path));
        }
    }
    Ok(())
}

fn entry(name: &str, path: &Path) -> String {
    let file = path.display().to_string();
    let compressed = format!("{file}.br");
    let brotli = if Path::new(&compressed).exists() {
        format!("Some(include_bytes!({compressed:?}))")
    } else {
        "None".to_owned()
    };
    format!("    File {{ name: {name:?}, content: include_bytes!({file:?}), brotli: {brotli} }},\n")
}
