//! Reading the fixtures and what is expected of them.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use domain::wire::{Dialect, Metered, Note, SideCall};
use pricing::{Unit, Usage};

/// Replies that there must be, so that none gets lost.
const FIXTURES_MIN: usize = 230;

pub(crate) const DIALECTS: [(&str, Dialect); 8] = [
    ("OpenAi", Dialect::OpenAi),
    ("XAi", Dialect::XAi),
    ("Perplexity", Dialect::Perplexity),
    ("Anthropic", Dialect::Anthropic),
    ("Gemini", Dialect::Gemini),
    ("BedrockConverse", Dialect::BedrockConverse),
    ("BedrockInvoke", Dialect::BedrockInvoke),
    ("Cohere", Dialect::Cohere),
];

/// A reply, and what is expected of it.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) dialect: Dialect,
    /// What it says, as [`describe`] writes it.
    pub(crate) expected: String,
    /// Whose name tells the dialect, if one must be told.
    pub(crate) provider: String,
    pub(crate) by_value: ByValue,
}

/// Whether the reply's own keys tell its dialect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ByValue {
    /// They do.
    Alone,
    /// Its provider must be named.
    WithProvider,
    /// It has no counts, or it is no JSON.
    Not,
    /// It is a usage object, not a reply.
    Only,
}

impl Fixture {
    pub(crate) fn is_stream(&self) -> bool {
        Path::new(&self.path).extension() != Some(OsStr::new("json"))
    }
}

pub(crate) fn all() -> Vec<Fixture> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/fixtures");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let fixtures: Vec<Fixture> = folders.iter().flat_map(|folder| read_folder(folder)).collect();
    assert!(fixtures.len() >= FIXTURES_MIN, "{} fixtures", fixtures.len());
    fixtures
}

fn read_folder(folder: &Path) -> Vec<Fixture> {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
    let fixtures: Vec<Fixture> = expected.trim().split("\n\n").map(|rows| read(folder, name, rows)).collect();
    let described: BTreeSet<String> = fixtures.iter().map(|fixture| fixture.path.clone()).collect();
    let present =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let present = present.filter(|file| file != "expected.txt").map(|file| format!("{name}/{file}"));
    assert_eq!(present.collect::<BTreeSet<_>>(), described);
    fixtures
}

/// Rows: `# file as Dialect`, then `key: value`. `why` is for the reader, `value` tells how [`ByValue`] is.
fn read(folder: &Path, name: &str, rows: &str) -> Fixture {
    let (head, rest) = rows.split_once('\n').unwrap();
    let (file, dialect) = head.strip_prefix("# ").and_then(|head| head.split_once(" as ")).unwrap();
    let dialect = DIALECTS.iter().find(|(name, _)| *name == dialect).unwrap().1;
    let mut by_value = ByValue::Alone;
    let mut provider = name.trim_end_matches("-converse").trim_end_matches("-invoke").to_owned();
    let mut expected = String::new();
    for row in rest.lines() {
        match row.split_once(": ") {
            Some(("why", _)) => {}
            Some(("value", "no")) => by_value = ByValue::Not,
            Some(("value", "only")) => by_value = ByValue::Only,
            Some(("value", needs)) => {
                by_value = ByValue::WithProvider;
                needs.strip_prefix("needs ").unwrap().clone_into(&mut provider);
            }
            Some(("counts", counts)) => writeln!(expected, "counts: {}", in_order(counts)).unwrap(),
            Some(("side", side)) => {
                let (model, counts) = side.split_once(": ").unwrap();
                writeln!(expected, "side: {model}: {}", in_order(counts)).unwrap();
            }
            _ => writeln!(expected, "{row}").unwrap(),
        }
    }
    let bytes = fs::read(folder.join(file)).unwrap();
    Fixture { path: format!("{name}/{file}"), bytes, dialect, expected, provider, by_value }
}

fn in_order(counts: &str) -> String {
    let counts = counts.split(", ").filter(|count| *count != "-");
    let usage: Usage = counts
        .map(|count| {
            let (unit, count) = count.split_once(' ').unwrap();
            (unit.parse::<Unit>().unwrap_or_else(|_| panic!("{unit}")), count.parse::<u64>().unwrap())
        })
        .collect();
    describe_usage(&usage)
}

fn describe_usage(usage: &Usage) -> String {
    let counts: Vec<String> = usage.iter().map(|(unit, count)| format!("{unit} {count}")).collect();
    if counts.is_empty() { "-".to_owned() } else { counts.join(", ") }
}

/// What was metered, in the words of `expected.txt`.
pub(crate) fn describe(metered: Option<&Metered>) -> String {
    let Some(metered) = metered else { return "nothing\n".to_owned() };
    let mut text = format!("counts: {}\n", describe_usage(&metered.usage));
    for (key, value) in [
        ("id", &metered.response_id),
        ("model", &metered.response_model),
        ("tier", &metered.service_tier),
        ("region", &metered.region),
        ("search", &metered.search_type),
        ("finish", &metered.finish),
        ("cost", &metered.provider_cost.map(|cost| cost.to_string())),
    ] {
        if let Some(value) = value {
            writeln!(text, "{key}: {value}").unwrap();
        }
    }
    if let Some(image) = &metered.image {
        let words: Vec<&str> =
            [&image.size, &image.quality].into_iter().flatten().map(String::as_str).collect();
        writeln!(text, "image: {}", words.join(" ")).unwrap();
    }
    for SideCall { model, usage } in &metered.side_calls {
        let model = model.as_deref().unwrap_or("?");
        writeln!(text, "side: {model}: {}", describe_usage(usage)).unwrap();
    }
    for note in &metered.notes {
        let name = match note {
            Note::ZeroCost => "ZeroCost",
            Note::CountTooLarge => "CountTooLarge",
            Note::EventTooLong => "EventTooLong",
        };
        writeln!(text, "notes: {name}").unwrap();
    }
    text
}
