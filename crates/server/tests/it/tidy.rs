//! What keeps the code in order and no compiler checks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "helpers", "helper", "shared", "core", "misc"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Rust files of the product, without tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = ["crates", "tools", "tests/fake-upstream/src", "sdk/rust/src"]
        .map(|folder| root().join(folder))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !matches!(name.as_str(), "tests" | "target" | "examples") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn functions_fit_on_a_page() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
        for (start, line) in lines.iter().enumerate() {
            let is_function = line
                .trim_start()
                .split(['(', '<'])
                .next()
                .is_some_and(|head| head.split_whitespace().rev().nth(1) == Some("fn"));
            if !is_function || line.trim_start().starts_with("//") || line.trim_end().ends_with(';') {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| **line == *end).unwrap_or(0) + 1;
            if length > FUNCTION_LINES_MAX {
                long.push(format!("{}:{}: {length} lines", path.display(), start + 1));
            }
        }
    }
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn modules_are_named_for_what_is_inside() {
    let empty: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| {
            path.iter().any(|part| EMPTY_NAMES.contains(&part.to_str().unwrap().trim_end_matches(".rs")))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(empty, Vec::<String>::new());
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("//", "TEMP")];
    let left: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| text.lines().enumerate().map(move |(number, line)| (path, number + 1, line)))
        .filter(|(_, _, line)| marks.iter().any(|mark| line.contains(mark)))
        .map(|(path, number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn dependencies_between_crates_point_one_way() {
    let metadata = metadata();
    let ours = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("ai-cost-")).collect::<BTreeSet<_>>()
    };
    let packages = metadata["packages"].as_array().unwrap();
    for (name, allowed) in [
        ("ai-cost-pricing", &[][..]),
        ("ai-cost-domain", &["ai-cost-pricing"]),
        ("ai-cost-store", &["ai-cost-domain", "ai-cost-pricing"]),
        ("ai-cost-tracker", &["ai-cost-domain", "ai-cost-pricing", "ai-cost-store"]),
    ] {
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        assert_eq!(ours(package), allowed.iter().map(|name| (*name).to_owned()).collect(), "{name}");
    }
}

#[test]
fn pure_crates_stay_pure() {
    for (path, text) in sources() {
        let pure = path.starts_with("crates/pricing/src") || path.starts_with("crates/domain/src");
        for word in ["std::fs", "std::net::Tcp", "tokio", "std::process", "async fn"] {
            assert!(!pure || !text.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn sql_stays_in_the_stores() {
    for (path, text) in sources() {
        assert!(
            path.starts_with("crates/store/src/sqlite") || !text.contains("rusqlite"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_dependency_has_a_licence_that_deny_toml_allows() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: BTreeSet<String> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap().to_owned())
        .collect();
    let refused: Vec<String> = metadata()["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or("none"), &allowed))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}

/// `A OR B` needs one of them, `A AND B` both. Parentheses do not nest in what crates write.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    expression.split(" AND ").all(|part| part.split(" OR ").any(|licence| allowed.contains(licence.trim())))
}

#[test]
fn each_dependency_of_the_workspace_says_why_it_is_there() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = text.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let blocks = section
        .split("\n\n")
        .map(str::trim)
        .filter(|block| block.contains(" = ") && !block.contains("path ="));
    let silent: Vec<&str> = blocks.filter(|block| !block.starts_with('#')).collect();
    assert_eq!(silent, Vec::<&str>::new());
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_path_of_a_machine_is_committed() {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    let marks = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let found: Vec<&str> = files
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter(|path| {
            fs::read_to_string(Path::new(&root()).join(path))
                .is_ok_and(|text| marks.iter().any(|mark| text.contains(mark)))
        })
        .collect();
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn every_measurement_is_described() {
    let (mut emitted, mut described) = (BTreeSet::new(), BTreeSet::new());
    for (_, text) in sources() {
        for kind in ["counter!(", "gauge!(", "histogram!("] {
            for (start, _) in text.match_indices(kind) {
                let name =
                    text.get(start + kind.len()..).and_then(|rest| rest.trim_start().strip_prefix('"'));
                let Some((name, _)) = name.and_then(|name| name.split_once('"')) else { continue };
                let is_description = text.get(..start).is_some_and(|before| before.ends_with("describe_"));
                let names = if is_description { &mut described } else { &mut emitted };
                names.insert(format!("{} {name}", kind.trim_end_matches("!(")));
            }
        }
    }
    assert!(emitted.len() > 20, "{emitted:?}");
    assert_eq!(emitted, described);
}
