//! The documentation is true: what exists is in it, and what it shows is current.

use std::{collections::BTreeSet, fs, path::PathBuf};

use server::{config::Config, error::ErrorCode};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn missing<'a>(page: &str, wanted: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    wanted.into_iter().filter(|word| !page.contains(word)).map(str::to_owned).collect()
}

#[test]
fn the_openapi_document_is_the_one_that_the_code_generates() {
    let generated = server::router::openapi().to_pretty_json().unwrap();
    assert!(
        page("docs/openapi.json").trim() == generated.trim(),
        "run `make openapi` and look at what changed"
    );
}

#[test]
fn every_route_is_documented() {
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            routes.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert_eq!(
        missing(&page("docs/reference/http-api.md"), routes.iter().map(String::as_str)),
        Vec::<String>::new()
    );
}

#[test]
fn every_error_code_is_documented_with_its_status() {
    let page = page("docs/reference/errors.md");
    for code in ErrorCode::ALL {
        let line = page.lines().find(|line| line.contains(&format!("`{}`", code.as_str())));
        let line = line.unwrap_or_else(|| panic!("{} is not in errors.md", code.as_str()));
        assert!(line.contains(code.status().as_str()), "{line}");
    }
}

#[test]
fn every_setting_is_documented_with_its_variable() {
    let settings = Config::documented_keys();
    let words: Vec<String> = settings
        .iter()
        .flat_map(|setting| [format!("`{}`", setting.key), format!("`{}`", setting.variable())])
        .collect();
    assert_eq!(
        missing(&page("docs/reference/configuration.md"), words.iter().map(String::as_str)),
        Vec::<String>::new()
    );
}

#[test]
fn every_command_and_flag_is_documented() {
    let mut words = BTreeSet::new();
    collect(&server::cli::command(), "", &mut words);
    assert_eq!(
        missing(&page("docs/reference/cli.md"), words.iter().map(String::as_str)),
        Vec::<String>::new()
    );
}

fn collect(command: &clap::Command, path: &str, words: &mut BTreeSet<String>) {
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        words.extend(
            argument
                .get_long()
                .filter(|long| !matches!(*long, "help" | "version"))
                .map(|long| format!("--{long}")),
        );
    }
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let path = format!("{path} {}", inner.get_name()).trim().to_owned();
        words.insert(format!("`{path}`"));
        collect(inner, &path, words);
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for path in markdown_files() {
        let text = fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !path.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

fn markdown_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root(), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && folder != root() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "md") {
                found.push(entry);
            }
        }
    }
    found
}

/// What a section of a YAML file defines: the keys two spaces in.
fn defined(yaml: &str, section: &str) -> BTreeSet<String> {
    let lines = yaml.lines().skip_while(|line| *line != format!("{section}:")).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let keys = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])));
    keys.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}

#[test]
fn the_collectors_configuration_uses_what_it_defines_and_sends_to_routes_that_exist() {
    let yaml = page("examples/otel-collector/config.yaml");
    let pipelines = yaml.split("  pipelines:\n").nth(1).expect("it has pipelines");
    for section in ["receivers", "processors", "exporters"] {
        let defined = defined(&yaml, section);
        let lists = pipelines.lines().filter_map(|line| line.trim().strip_prefix(&format!("{section}: [")));
        let used: BTreeSet<String> = lists
            .flat_map(|list| list.trim_end_matches(']').split(", ").map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert_eq!(used, defined, "{section}");
    }
    let routes = serde_json::to_value(server::router::openapi()).unwrap();
    let signals: Vec<&str> =
        pipelines.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(':')).collect();
    assert_eq!(signals, ["traces", "logs"]);
    for signal in signals {
        assert!(routes["paths"][format!("/v1/{signal}")]["post"].is_object(), "{signal}");
    }
}
