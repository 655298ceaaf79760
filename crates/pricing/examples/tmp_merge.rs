use pricing::import::{self, Edition, Format, NoteKind};
use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let t = Instant::now();
    let imported = import::read(Format::Litellm, &text, &Edition { version: "1.109.1".into(), checked_on: None }).unwrap();
    println!("read {:?}", t.elapsed());
    let models: usize = imported.catalog.providers.iter().map(|p| p.models.len()).sum();
    let rows: usize = imported.catalog.providers.iter().flat_map(|p| &p.models).map(|m| m.prices.len()).sum();
    println!("{} providers {models} models {rows} rows {} notes", imported.catalog.providers.len(), imported.notes.len());
    for n in &imported.notes { let mut s = n.to_string(); let k = n.models.len(); s = s.chars().take(170).collect(); if n.kind != NoteKind::Rounded { println!("{k:5} {s}"); } }
    let base: pricing::file::Catalog = serde_json::from_str(pricing::Catalog::EMBEDDED_JSON).unwrap();
    let t = Instant::now();
    let merged = pricing::merge(&base, imported.catalog.clone(), "2026-11-24T00:00:00Z".parse().unwrap()).unwrap();
    println!("merge {:?} {} changes", t.elapsed(), merged.changes.len());
    let mut by: std::collections::BTreeMap<(String, String), usize> = Default::default();
    for c in &merged.changes { let k = format!("{:?}", c.kind); *by.entry((c.provider.clone(), k.split([' ', '{']).next().unwrap().into())).or_default() += 1; }
    println!("{by:?}");
    for c in merged.changes.iter().filter(|c| ["openai","anthropic","google","bedrock","mistral","xai","deepseek","groq","cohere"].contains(&c.provider.as_str())) { println!("{c}"); }
    let again = pricing::merge(&merged.catalog, imported.catalog, "2026-11-25T00:00:00Z".parse().unwrap()).unwrap();
    println!("again {}", again.changes.len());
    let c = pricing::Catalog::from_file(merged.catalog).unwrap();
    let none: [(&str,&str,jiff::Timestamp);0] = [];
    for f in pricing::verify(&c, none) { println!("verify {f}"); }
    let none: [(&str,&str,jiff::Timestamp);0] = [];
    println!("embedded:"); for f in pricing::verify(pricing::Catalog::embedded(), none) { println!("verify {f}"); }
}
