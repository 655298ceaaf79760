//! Bringing newer prices into a catalog.

use pricing::{Call, Catalog, Merged, diff, file, merge};
use proptest::prelude::*;

use crate::{at, usage};

/// A catalog from `source` of one provider, `maker`, with these models.
fn list(source: &str, models: &str) -> file::Catalog {
    let source = format!(r#"{{"name": "{source}", "version": "1"}}"#);
    let maker = format!(r#"{{"id": "maker", "name": "Maker", "models": [{models}]}}"#);
    serde_json::from_str(&format!(r#"{{"version": "1", "source": {source}, "providers": [{maker}]}}"#))
        .unwrap()
}

const THEN: &str = "2026-11-24T00:00:00Z";

fn merged(base: &str, incoming: (&str, &str)) -> Merged {
    merge(&list("a", base), list(incoming.0, incoming.1), at(THEN)).unwrap()
}

/// The rows of the catalog's models, one a line: model, tier, period, rates.
fn rows(catalog: &file::Catalog) -> Vec<String> {
    let models = catalog.providers.iter().flat_map(|provider| &provider.models);
    let rows = models.flat_map(|model| model.prices.iter().map(|row| (model.id.clone(), row)));
    let day = |at: Option<jiff::Timestamp>| at.map(|at| at.strftime("%F").to_string()).unwrap_or_default();
    let line = |(model, row): (String, &file::Row)| {
        let rates: Vec<String> =
            row.rates.iter().map(|(unit, rates)| format!("{unit} {}", rates.tiers()[0].1)).collect();
        let tier = row.tier.as_deref().unwrap_or("standard");
        format!("{model} {tier} {}..{}: {}", day(row.from), day(row.until), rates.join(", "))
    };
    rows.map(line).collect()
}

fn changes(merged: &Merged) -> Vec<String> {
    merged.changes.iter().map(ToString::to_string).collect()
}

fn model(id: &str, prices: &str) -> String {
    format!(r#"{{"id": "{id}", "prices": [{prices}]}}"#)
}

const ONE: &str = r#"{"rates": {"input_tokens": "1"}}"#;
const TWO: &str = r#"{"rates": {"input_tokens": "2"}}"#;

#[test]
fn a_price_that_differs_closes_the_old_one() {
    let merged = merged(&model("swift", TWO), ("a", &model("swift", ONE)));
    assert_eq!(
        rows(&merged.catalog),
        ["swift standard ..2026-11-24: input_tokens 2", "swift standard 2026-11-24..: input_tokens 1"]
    );
    assert_eq!(
        changes(&merged),
        ["maker/swift from 2026-11-24T00:00:00Z: input_tokens $2 per million → $1 per million (-50.0 %)"]
    );
    assert!(merged.catalog.version.ends_with("merged 2026-11-24T00:00:00Z"));
}

#[test]
fn what_is_the_same_stays() {
    let base = format!("{}, {}", model("swift", TWO), model("retired", ONE));
    let merged = merged(&base, ("b", &model("swift", TWO)));
    assert_eq!(merged.catalog, list("a", &base));
    assert_eq!(changes(&merged), <[String; 0]>::default());
}

#[test]
fn a_new_model_holds_since_ever() {
    let merged = merged(&model("swift", TWO), ("b", &model("heron", ONE)));
    assert_eq!(rows(&merged.catalog)[1], "heron standard ..: input_tokens 1");
    assert_eq!(changes(&merged), ["maker/heron: new, input_tokens $1 per million"]);
    let heron = &merged.catalog.providers[0].models[1];
    assert_eq!(heron.source.as_ref().unwrap().name, "b");
}

#[test]
fn rows_with_dates_keep_them() {
    let incoming = r#"{"until": "2026-06-01", "rates": {"input_tokens": "2"}},
        {"from": "2026-06-01", "until": "2026-12-01", "rates": {"input_tokens": "3"}},
        {"from": "2026-12-01", "rates": {"input_tokens": "4"}}"#;
    let merged = merged(&model("swift", TWO), ("a", &model("swift", incoming)));
    assert_eq!(
        rows(&merged.catalog),
        [
            "swift standard ..2026-06-01: input_tokens 2",
            "swift standard 2026-06-01..2026-12-01: input_tokens 3",
            "swift standard 2026-12-01..: input_tokens 4",
        ]
    );
}

#[test]
fn a_change_that_is_already_announced_stays() {
    let base = r#"{"until": "2027-01-01", "rates": {"input_tokens": "2"}}, {"from": "2027-01-01", "rates": {"input_tokens": "9"}}"#;
    let merged = merged(&model("swift", base), ("a", &model("swift", ONE)));
    assert_eq!(
        rows(&merged.catalog),
        [
            "swift standard ..2026-11-24: input_tokens 2",
            "swift standard 2026-11-24..2027-01-01: input_tokens 1",
            "swift standard 2027-01-01..: input_tokens 9",
        ]
    );
}

#[test]
fn conditions_that_their_own_list_drops_are_closed() {
    let base = model("swift", &format!(r#"{ONE}, {{"tier": "batch", "rates": {{"input_tokens": "5"}}}}"#));
    let dropped = |source| rows(&merged(&base, (source, &model("swift", ONE))).catalog)[1].clone();
    assert_eq!(dropped("a"), "swift batch ..2026-11-24: input_tokens 5");
    assert_eq!(dropped("b"), "swift batch ..: input_tokens 5");
}

#[test]
fn another_list_adds_what_it_knows_and_unsays_nothing() {
    let base = model("swift", r#"{"rates": {"input_tokens": "2", "cache_read_tokens": "1"}}"#);
    let incoming = model("swift", r#"{"rates": {"input_tokens": "3", "web_searches": "10000"}}"#);
    let merged = merged(&base, ("b", &incoming));
    assert_eq!(
        rows(&merged.catalog)[1],
        "swift standard 2026-11-24..: input_tokens 3, cache_read_tokens 1, web_searches 10000"
    );
    let source = merged.catalog.providers[0].models[0].prices[1].source.clone().unwrap();
    assert_eq!(source.name, "b over a");
    let less = model("swift", r#"{"rates": {"cache_read_tokens": "1"}}"#);
    assert_eq!(merge(&list("a", &base), list("b", &less), at(THEN)).unwrap().catalog, list("a", &base));
}

#[test]
fn a_snapshot_that_costs_the_same_needs_no_row() {
    let base =
        r#"{"id": "swift", "aliases": ["swift-classic"], "prices": [{"rates": {"input_tokens": "2"}}]}"#;
    for name in ["swift-classic", "swift-2026-01-31"] {
        assert_eq!(merged(base, ("b", &model(name, TWO))).catalog, list("a", base));
    }
}

#[test]
fn a_snapshot_that_costs_something_else_keeps_its_past() {
    let merged = merged(&model("swift", TWO), ("b", &model("swift-2026-01-31", ONE)));
    let catalog = Catalog::from_file(merged.catalog).unwrap();
    let cost = |when| {
        let found = catalog.find_price(&Call::new(Some("maker"), "swift-2026-01-31", at(when))).unwrap();
        found.price.cost_of(&usage("1000000 input_tokens")).unwrap().total.to_string()
    };
    assert_eq!(cost("2026-11-23T23:59:59Z"), "2");
    assert_eq!(cost(THEN), "1");
}

#[test]
fn a_name_that_kept_its_price_is_told_apart_from_a_model_that_changed() {
    let incoming = format!("{}, {}", model("swift", ONE), model("swift-2026-01-31", TWO));
    let merged = merged(&model("swift", TWO), ("b", &incoming));
    assert_eq!(rows(&merged.catalog)[2], "swift-2026-01-31 standard ..: input_tokens 2");
    let again = merge(&merged.catalog, list("b", &incoming), at("2026-12-24T00:00:00Z")).unwrap();
    assert_eq!(again.catalog, merged.catalog);
}

#[test]
fn what_changed_between_two_catalogs_is_readable() {
    let old = list("a", &format!("{}, {}", model("swift", TWO), model("gone", ONE)));
    let new = list(
        "a",
        &format!(
            "{}, {}",
            model("swift", r#"{"until": "2027-01-01", "rates": {"input_tokens": "2"}}"#),
            model(
                "heron",
                r#"{"tier": "batch", "rates": {"input_tokens": [[0, "1"], [200001, "2"]], "audio_milliseconds": "0.36/hour"}}"#
            )
        ),
    );
    let lines: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "maker/gone: the row is gone",
            "maker/heron (batch): new, input_tokens $1 per million, $2 per million from 200001 input tokens, audio_milliseconds $0.36/hour",
            "maker/swift from 2027-01-01T00:00:00Z: no price any more",
        ]
    );
    assert_eq!(diff(&new, &new), []);
}

#[test]
fn the_embedded_catalog_merged_into_itself_is_itself() {
    let embedded: file::Catalog = serde_json::from_str(Catalog::EMBEDDED_JSON).unwrap();
    let merged = merge(&embedded, embedded.clone(), at(THEN)).unwrap();
    assert_eq!(changes(&merged), <[String; 0]>::default());
    assert!(merged.catalog == embedded);
}

/// Models with one row for each of a few conditions and periods.
fn any_models() -> impl Strategy<Value = String> {
    let day = prop::sample::select(vec!["2025-01-01", "2026-01-01", "2026-11-24", "2027-01-01"]);
    let row = (prop::option::of(day), 1..4_u8, prop::bool::ANY, prop::bool::ANY);
    let rows = prop::collection::vec(row, 1..4);
    prop::collection::btree_map(
        prop::sample::select(vec!["swift", "swift-2026-01-31", "heron", "Heron-mini"]),
        rows,
        1..4,
    )
    .prop_map(|models| {
        let models = models.into_iter().map(|(id, rows)| model(id, &periods(&rows)));
        models.collect::<Vec<_>>().join(", ")
    })
}

/// Rows that follow each other, for standard service and for batches.
fn periods(rows: &[(Option<&str>, u8, bool, bool)]) -> String {
    let mut texts = Vec::new();
    for tier in [false, true] {
        let mut starts: Vec<_> = rows.iter().filter(|row| row.2 == tier).collect();
        starts.sort_by_key(|row| row.0);
        starts.dedup_by_key(|row| row.0);
        for (index, (from, rate, _, cached)) in starts.iter().enumerate() {
            let mut fields = Vec::new();
            fields.extend(from.map(|from| format!(r#""from": "{from}""#)));
            fields.extend(
                starts.get(index + 1).and_then(|next| next.0).map(|until| format!(r#""until": "{until}""#)),
            );
            fields.extend(tier.then(|| r#""tier": "batch""#.to_owned()));
            let cached = if *cached { r#", "cache_read_tokens": "0.5""# } else { "" };
            fields.push(format!(r#""rates": {{"input_tokens": "{rate}"{cached}}}"#));
            texts.push(format!("{{{}}}", fields.join(", ")));
        }
    }
    texts.join(", ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn merging_again_changes_nothing(base in any_models(), incoming in any_models(), source in "[ab]") {
        let incoming = list(&source, &incoming);
        let once = merge(&list("a", &base), incoming.clone(), at(THEN)).unwrap();
        let again = merge(&once.catalog, incoming, at(THEN)).unwrap();
        prop_assert_eq!(&again.catalog, &once.catalog);
        prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
    }

    #[test]
    fn rows_never_overlap(base in any_models(), incoming in any_models(), source in "[ab]") {
        let merged = merge(&list("a", &base), list(&source, &incoming), at(THEN)).unwrap();
        let catalog = Catalog::from_file(merged.catalog).unwrap();
        let unused: [(&str, &str, jiff::Timestamp); 0] = [];
        let overlaps = pricing::verify(&catalog, unused).into_iter()
            .filter(|finding| matches!(finding, pricing::Finding::Overlap { .. } | pricing::Finding::NeverInForce { .. }));
        prop_assert_eq!(overlaps.collect::<Vec<_>>(), []);
    }

    #[test]
    fn undated_prices_do_not_touch_the_past(base in any_models(), rate in 5..9_u8, batch in prop::bool::ANY) {
        let tier = if batch { r#""tier": "batch", "# } else { "" };
        let row = format!(r#"{{{tier}"rates": {{"input_tokens": "{rate}"}}}}"#);
        let incoming = format!("{}, {}", model("swift", &row), model("heron", &row));
        let before = Catalog::from_file(list("a", &base)).unwrap();
        let merged = merge(&list("a", &base), list("b", &incoming), at(THEN)).unwrap();
        let after = Catalog::from_file(merged.catalog).unwrap();
        for name in ["swift", "swift-2026-01-31", "heron", "heron-2025-05-05"] {
            for tier in [None, Some("batch")] {
                for when in ["2024-06-01T00:00:00Z", "2025-06-01T00:00:00Z", "2026-11-23T23:59:59Z"] {
                    let call = Call::new(Some("maker"), name, at(when)).service_tier(tier);
                    if let Ok(old) = before.find_price(&call) {
                        let new = after.find_price(&call).unwrap();
                        prop_assert_eq!(&old.price.rates, &new.price.rates, "{} {:?} {}", name, tier, when);
                    }
                }
            }
        }
    }
}
