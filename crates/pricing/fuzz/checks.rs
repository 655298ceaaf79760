//! What must hold of every text that is imported.

use jiff::Timestamp;
use pricing::import::{self, Edition, Format};
use pricing::{Call, Catalog, Unit, Usage, file, merge, verify};

/// Reads `bytes` as a price list: whatever it is, nothing panics, and what is accepted is sound.
pub fn check_import(format: Format, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let edition = Edition { version: "fuzz".to_owned(), checked_on: None };
    let Ok(imported) = import::read(format, text, &edition) else { return };

    let json = serde_json::to_string(&imported.catalog).expect("a catalog is JSON");
    let again: file::Catalog = serde_json::from_str(&json).expect("a catalog that was written can be read");
    assert!(again == imported.catalog, "a catalog survives JSON");

    let catalog = Catalog::from_file(again).expect("what is imported is sound");
    let unused: [(&str, &str, Timestamp); 0] = [];
    for finding in verify(&catalog, unused) {
        let _ = finding.to_string();
    }
    let usage = Usage::new().with(Unit::InputTokens, u64::MAX).with(Unit::OutputTokens, 1).with(Unit::CacheReadTokens, 7);
    for price in catalog.prices() {
        let call = Call::new(Some(&price.provider), &price.model, Timestamp::UNIX_EPOCH);
        let _ = catalog.find_price(&call).map(|found| found.why(&call));
        let _ = price.cost_of(&usage);
    }
    check_merge(&imported.catalog);
}

/// Merging is checked with lists of no rows that overlap: what such a list says is not defined.
fn check_merge(list: &file::Catalog) {
    let base: file::Catalog = serde_json::from_str(BASE).expect("the base is a catalog");
    let at = Timestamp::UNIX_EPOCH;
    let Ok(once) = merge(&base, list.clone(), at) else { return };
    for change in &once.changes {
        let _ = change.to_string();
    }
    Catalog::from_file(once.catalog).expect("what is merged is sound");
}

const BASE: &str = r#"{"version": "1", "source": {"name": "base", "version": "1"}, "providers": [{"id": "openai", "name": "OpenAI", "models": [
    {"id": "gpt-4o", "aliases": ["gpt-4o-2024-08-06"], "prices": [{"rates": {"input_tokens": "2.5", "output_tokens": "10"}}]}]}]}"#;
