//! What is probably wrong in a catalog.

use pricing::{Catalog, Finding, verify};

use crate::{NOW, at, catalog};

fn findings(models: &str, used: &[(&str, &str, &str)]) -> Vec<String> {
    let used = used.iter().map(|&(provider, model, when)| (provider, model, at(when)));
    verify(&catalog(models), used).iter().map(Finding::to_string).collect()
}

/// The findings of one model with these rows.
fn of_rows(rows: &str) -> Vec<String> {
    let findings = findings(&format!(r#"{{"id": "m", "prices": [{rows}]}}"#), &[]);
    let short = |line: String| line.split_once(": ").map_or(&*line, |(_, text)| text).to_owned();
    findings.into_iter().map(short).collect()
}

#[test]
fn times_without_a_price_and_times_with_two_are_found() {
    let rates = r#""rates": {"input_tokens": "1"}"#;
    assert_eq!(
        of_rows(&format!(r#"{{"until": "2025-01-01", {rates}}}, {{"from": "2025-02-01", {rates}}}"#)),
        ["maker/m has no price from 2025-01-01T00:00:00Z until 2025-02-01T00:00:00Z"]
    );
    let both = of_rows(&format!(r#"{{"until": "2025-01-02", {rates}}}, {{"from": "2025-01-01", {rates}}}"#));
    assert_eq!(both.len(), 1);
    assert!(both[0].ends_with("apply equally to the same calls"), "{both:?}");
    let whole = format!(
        r#"{{"until": "2025-01-01", {rates}}}, {{"from": "2025-01-01", {rates}}}, {{"tier": "flex", {rates}}}"#
    );
    assert_eq!(of_rows(&whole), <[&str; 0]>::default());
    let never = of_rows(&format!(r#"{{"from": "2025-01-02", "until": "2025-01-01", {rates}}}"#));
    assert!(never[0].ends_with("is over before it begins"), "{never:?}");
}

#[test]
fn absurd_rates_are_found() {
    let vectors = [
        (
            r#"{"input_tokens": "10001"}"#,
            "input_tokens at 10001 is more than 10000 dollars per million tokens",
        ),
        (
            r#"{"input_tokens": [[0, "1"], [9, "20000"]]}"#,
            "input_tokens at 20000 is more than 10000 dollars per million tokens",
        ),
        (
            r#"{"input_tokens": "1", "cache_read_tokens": "1.1"}"#,
            "cache_read_tokens at 1.1 is more than input costs without the cache",
        ),
        (
            r#"{"input_tokens": "1", "output_tokens": "0.009"}"#,
            "output_tokens at 0.009 is less than a hundredth of what input costs",
        ),
    ];
    for (rates, expected) in vectors {
        assert_eq!(of_rows(&format!(r#"{{"rates": {rates}}}"#)), [expected], "{rates}");
    }
    assert_eq!(
        of_rows(r#"{"rates": {"input_tokens": "1"}}, {"tier": "batch", "rates": {"input_tokens": "2"}}"#),
        ["input_tokens at 2 is more than standard service costs"]
    );
    for fine in [
        r#"{"input_tokens": "10000", "output_tokens": "0", "web_searches": "35000"}"#,
        r#"{"input_tokens": "1", "cache_read_tokens": "1", "output_tokens": "0.01"}"#,
    ] {
        assert_eq!(of_rows(&format!(r#"{{"rates": {fine}}}"#)), <[&str; 0]>::default(), "{fine}");
    }
}

#[test]
fn models_in_use_without_a_price_are_found() {
    let models = r#"{"id": "swift", "retires_on": "2026-12-31", "prices": [{"rates": {"input_tokens": "1"}}]},
        {"id": "heron", "prices": [{"until": "2026-01-01", "rates": {"input_tokens": "1"}}]}"#;
    assert_eq!(
        findings(
            models,
            &[
                ("maker", "heron", "2025-12-31T00:00:00Z"),
                ("maker", "heron", NOW),
                ("maker", "swift", NOW),
                ("maker", "crane", NOW)
            ]
        ),
        [
            "maker/heron, last used at 2026-11-02T12:00:00Z, has no price: model heron of maker had no price at 2026-11-02T12:00:00Z",
            "maker/swift, last used at 2026-11-02T12:00:00Z, is retired on 2026-12-31",
            "maker/crane, last used at 2026-11-02T12:00:00Z, has no price: model crane of maker is not in the catalog",
        ]
    );
}

#[test]
fn the_embedded_catalog_has_no_holes() {
    let unused: [(&str, &str, jiff::Timestamp); 0] = [];
    let findings = verify(Catalog::embedded(), unused);
    let grave: Vec<String> = findings
        .iter()
        .filter(|finding| !matches!(finding, Finding::AbsurdRate { .. }))
        .map(ToString::to_string)
        .collect();
    assert_eq!(grave, <[String; 0]>::default());
}
