//! What the operator knows better: names, own rates, discounts, margins.

use std::sync::Arc;

use pricing::{
    Adjustment, Adjustments, Amount, Call, Catalog, Mapping, Mappings, MatchRule, Money, Payer, PriceBook,
    Priced, Scope, Unpriced,
};
use proptest::prelude::*;

use crate::{NOW, at, catalog, usage};

const CATALOG: &str = r#"
    {"id": "swift", "prices": [{"rates": {"input_tokens": "2", "output_tokens": "10"}},
        {"tier": "batch", "rates": {"input_tokens": "1", "output_tokens": "5"}}]},
    {"id": "heron", "prices": [{"rates": {"input_tokens": "20", "output_tokens": "100"}}]}"#;

fn mapping(text: &str) -> Mapping {
    serde_json::from_str(text).unwrap()
}

fn book(mappings: &[&str], adjustments: &[&str]) -> PriceBook {
    let catalog = Arc::new(catalog(CATALOG));
    let mappings = Mappings::new(mappings.iter().map(|text| mapping(text)).collect(), &catalog).unwrap();
    let adjustments = adjustments.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    PriceBook::new(catalog).with_mappings(mappings).with_adjustments(Adjustments::new(adjustments).unwrap())
}

const USED: &str = "1000000 input_tokens, 100000 output_tokens";

fn price(book: &PriceBook, call: &Call<'_>, payer: Payer<'_>) -> Result<Priced, Unpriced> {
    book.price(call, &usage(USED), payer)
}

/// List cost and effective cost of a call of `swift`.
fn costs(adjustments: &[&str], payer: Payer<'_>) -> (String, String) {
    let call = Call::new(Some("maker"), "swift", at(NOW));
    let priced = price(&book(&[], adjustments), &call, payer).unwrap();
    (priced.list.unwrap().total.to_string(), priced.effective.to_string())
}

fn effective(adjustments: &[&str]) -> String {
    let (list, effective) = costs(adjustments, Payer { account: Some("a"), project: Some("p") });
    assert_eq!(list, "3", "the list cost stays the catalog's");
    effective
}

#[test]
fn names_of_deployments_are_mapped() {
    let book = book(
        &[
            r#"{"provider": "azure-openai", "pattern": "prod-chat", "to_provider": "maker", "to_model": "heron"}"#,
            r#"{"pattern": "prod-*", "to_provider": "maker", "to_model": "swift"}"#,
            r#"{"pattern": "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a1b2", "to_provider": "maker", "to_model": "swift"}"#,
        ],
        &[],
    );
    let vectors = [
        (Some("azure"), "prod-chat", "heron"),
        (Some("azure"), "PROD-Chat", "heron"),
        (Some("openai"), "prod-chat", "swift"),
        (None, "prod-anything", "swift"),
        (Some("bedrock"), "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a1b2", "swift"),
    ];
    for (provider, name, model) in vectors {
        let call = Call::new(provider, name, at(NOW));
        let found = book.find_price(&call).unwrap();
        assert_eq!((found.price.model.as_str(), found.rule), (model, MatchRule::Operator), "{name}");
        assert_eq!(found.why(&call), format!("the operator maps {name} to maker/{model}"));
    }
    let call = Call::new(Some("maker"), "swift", at(NOW));
    assert_eq!(book.find_price(&call).unwrap().rule, MatchRule::Exact);
    assert_eq!(book.resolve_provider("prod-x"), Some("maker"));
    assert_eq!(book.resolve_provider("heron"), Some("maker"));
}

#[test]
fn the_table_has_authority_over_the_model_that_answered() {
    let book = book(&[r#"{"pattern": "mine", "to_provider": "maker", "to_model": "heron"}"#], &[]);
    let model = |call: Call<'_>| {
        let found = book.find_price(&call).unwrap();
        assert_eq!(book.price_history(&call).at(call.at), Some(found.price));
        found.price.model.clone()
    };
    let call = Call::new(Some("maker"), "swift", at(NOW));
    assert_eq!(model(call.response_model(Some("heron"))), "heron");
    assert_eq!(model(call.response_model(Some("unheard-of"))), "swift");
    assert_eq!(model(call.response_model(Some("mine"))), "heron");
    assert_eq!(model(Call { model: "mine", ..call }.response_model(Some("swift"))), "heron");
}

#[test]
fn a_table_that_points_nowhere_is_refused() {
    let catalog = catalog(CATALOG);
    let check = |lines: &[&str]| {
        let refused = Mappings::new(lines.iter().map(|text| mapping(text)).collect(), &catalog);
        refused.map(|_| ()).map_err(|error| error.to_string())
    };
    let line = r#"{"pattern": "x", "to_provider": "maker", "to_model": "swift"}"#;
    assert_eq!(check(&[line]), Ok(()));
    assert_eq!(check(&[line, line]), Err("x is mapped twice".to_owned()));
    // Pointing to a name of the table itself is pointing nowhere: there are no loops.
    let loops = r#"{"pattern": "y", "to_provider": "maker", "to_model": "x"}"#;
    assert_eq!(check(&[line, loops]), Err("y is mapped to maker/x, which is not in the catalog".to_owned()));
    for pattern in ["", " ", "a*b", "**"] {
        let line = format!(r#"{{"pattern": "{pattern}", "to_provider": "maker", "to_model": "swift"}}"#);
        assert!(serde_json::from_str::<Mapping>(&line).is_err(), "{pattern:?}");
    }
}

#[test]
fn discounts_and_margins_change_the_effective_cost_alone() {
    assert_eq!(effective(&[]), "3");
    assert_eq!(effective(&[r#"{"id": "1", "kind": {"discount": 1500}}"#]), "2.55");
    assert_eq!(effective(&[r#"{"id": "1", "kind": {"margin": 2000}}"#]), "3.6");
    assert_eq!(effective(&[r#"{"id": "1", "kind": {"discount": 10000}}"#]), "0");
    let both = [r#"{"id": "1", "kind": {"margin": 2000}}"#, r#"{"id": "2", "kind": {"discount": 1500}}"#];
    assert_eq!(effective(&both), "3.06");
}

#[test]
fn own_rates_replace_the_catalogs() {
    let own = r#"{"id": "1", "kind": {"own_rates": {"rates": {"input_tokens": "1", "output_tokens": "4"}}}}"#;
    assert_eq!(effective(&[own]), "1.4");
    assert_eq!(effective(&[own, r#"{"id": "2", "kind": {"discount": 5000}}"#]), "0.7");
    let priced =
        price(&book(&[], &[own]), &Call::new(Some("maker"), "swift", at(NOW)), Payer::default()).unwrap();
    assert_eq!(priced.own.unwrap().items.len(), 2);
    assert_eq!(priced.adjustments.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert_eq!(priced.price.model, "swift");
}

#[test]
fn own_rates_price_what_the_catalog_does_not_know() {
    let own = r#"{"id": "1", "model": "my-*", "kind": {"own_rates": {"rates": {"input_tokens": "1", "output_tokens": "4"}}}}"#;
    let book = book(&[], &[own]);
    let call = Call::new(Some("My Cloud"), "my-model", at(NOW));
    let priced = price(&book, &call, Payer::default()).unwrap();
    assert_eq!((priced.list, priced.effective.to_string()), (None, "1.4".to_owned()));
    assert_eq!((priced.rule, priced.price.model.as_str()), (MatchRule::OwnRates, "my-*"));
    assert!(priced.price.id.starts_with("own/*/my-*#standard~"), "{}", priced.price.id);
    assert_eq!(priced.provider.as_deref(), Some("my cloud"));
    let unknown = Call::new(Some("maker"), "other", at(NOW));
    assert_eq!(price(&book, &unknown, Payer::default()).unwrap_err().code(), "unknown_model");
}

#[test]
fn own_rates_are_whole() {
    let own = r#"{"id": "1", "kind": {"own_rates": {"rates": {"input_tokens": "1"}}}}"#;
    let call = Call::new(Some("maker"), "swift", at(NOW));
    assert_eq!(price(&book(&[], &[own]), &call, Payer::default()).unwrap_err().code(), "unit_not_priced");
}

#[test]
fn the_rule_with_most_authority_applies() {
    let rule = |id: u32, narrow: &str, points: u32| {
        format!(r#"{{"id": "{id}", {narrow} "kind": {{"discount": {points}}}}}"#)
    };
    // Each is stronger than all before it.
    let rules = [
        rule(1, "", 100),
        rule(2, r#""valid_from": "2026-01-01T00:00:00Z","#, 200),
        rule(3, r#""valid_from": "2026-01-01T00:00:00Z","#, 300),
        rule(4, r#""provider": "maker","#, 400),
        rule(5, r#""model": "*","#, 500),
        rule(6, r#""model": "sw*","#, 600),
        rule(7, r#""model": "swift","#, 700),
        rule(8, r#""model": "swift", "provider": "Maker","#, 800),
        rule(9, r#""scope": {"account": "a"},"#, 900),
        rule(10, r#""scope": {"project": "p"},"#, 1000),
    ];
    let off = |effective: &str| 10_000 - Money::parse(effective).unwrap().nanos() * 10_000 / 3_000_000_000;
    for count in 1..=rules.len() {
        let rules: Vec<&str> = rules[..count].iter().map(String::as_str).collect();
        assert_eq!(off(&effective(&rules)), i64::try_from(count * 100).unwrap());
        let reversed: Vec<&str> = rules.iter().rev().copied().collect();
        if count != 3 {
            assert_eq!(effective(&reversed), effective(&rules), "order does not matter, but between equals");
        }
    }
}

#[test]
fn rules_that_do_not_apply_do_nothing() {
    for narrow in [
        r#""scope": {"project": "q"},"#,
        r#""scope": {"account": "b"},"#,
        r#""provider": "openai","#,
        r#""model": "swif","#,
        r#""valid_from": "2026-11-02T12:00:00.001Z","#,
        r#""valid_until": "2026-11-02T12:00:00Z","#,
    ] {
        let rule = format!(r#"{{"id": "1", {narrow} "kind": {{"discount": 5000}}}}"#);
        assert_eq!(effective(&[&rule]), "3", "{narrow}");
    }
    let inside = r#"{"id": "1", "valid_from": "2026-11-02T12:00:00Z", "valid_until": "2026-11-02T12:00:00.001Z", "kind": {"discount": 5000}}"#;
    assert_eq!(effective(&[inside]), "1.5");
}

#[test]
fn own_rates_of_a_tier_are_for_that_tier() {
    let own = |id: u32, tier: &str, rate: u32| {
        format!(
            r#"{{"id": "{id}", "kind": {{"own_rates": {{{tier} "rates": {{"input_tokens": "{rate}", "output_tokens": "0"}}}}}}}}"#
        )
    };
    let (any, batch) = (own(1, "", 4), own(2, r#""service_tier": "batch","#, 3));
    let book = book(&[], &[&any, &batch]);
    let call = Call::new(Some("maker"), "swift", at(NOW));
    let effective = |call| price(&book, &call, Payer::default()).unwrap().effective.to_string();
    assert_eq!(effective(call), "4");
    assert_eq!(effective(call.service_tier(Some("default"))), "4");
    assert_eq!(effective(call.service_tier(Some("batch"))), "3");
}

#[test]
fn bad_rules_are_refused() {
    let check = |rules: &[&str]| {
        let rules = rules.iter().map(|text| serde_json::from_str::<Adjustment>(text));
        let rules = rules.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        Adjustments::new(rules).map(|_| ()).map_err(|error| error.to_string())
    };
    let rule = r#"{"id": "1", "kind": {"discount": 1}}"#;
    assert_eq!(check(&[rule]), Ok(()));
    assert_eq!(check(&[rule, rule]), Err("1 is there twice".to_owned()));
    assert_eq!(
        check(&[r#"{"id": "1", "kind": {"discount": 10001}}"#]),
        Err("1 takes off more than 100 %".to_owned())
    );
    let empty = r#"{"id": "1", "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z", "kind": {"margin": 1}}"#;
    assert_eq!(check(&[empty]), Err("1 is over before it begins".to_owned()));
    for kind in [
        r#"{"discount": -1}"#,
        r#"{"discount": 1.5}"#,
        r#"{"margin": 10000001}"#,
        r#"{"own_rates": {"rates": {}}}"#,
        r#"{"own_rates": {"rates": {"input_tokens": "1/hour"}}}"#,
        r#"{"own_rates": {"rates": {"input_tokens": 1}}}"#,
    ] {
        assert!(check(&[&format!(r#"{{"id": "1", "kind": {kind}}}"#)]).is_err(), "{kind}");
    }
}

#[test]
fn rules_and_names_survive_json() {
    let rule = r#"{"id":"1","scope":{"project":"p"},"provider":"maker","model":"sw*","valid_from":"2026-01-01T00:00:00Z","kind":{"own_rates":{"rates":{"input_tokens":"0.15","output_tokens":[[0,"1"],[200001,"2"]]}}},"note":"contract 7"}"#;
    let read: Adjustment = serde_json::from_str(rule).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), rule);
    assert_eq!(read.scope, Scope::Project("p".to_owned()));
    let line =
        r#"{"provider":"azure","pattern":"prod-*","to_provider":"openai","to_model":"gpt-4o","note":"east"}"#;
    assert_eq!(serde_json::to_string(&mapping(line)).unwrap(), line);
}

#[test]
fn the_embedded_catalog_is_shared() {
    let book = PriceBook::new(Arc::clone(Catalog::embedded_arc()));
    let call = Call::new(Some("openai"), "gpt-4o-2024-08-06", at(NOW));
    let priced = book.price(&call, &usage("1000 input_tokens, 10 output_tokens"), Payer::default()).unwrap();
    assert_eq!(priced.list.as_ref().unwrap().total, priced.effective);
    assert_eq!(priced.why(&call), "gpt-4o-2024-08-06 is another name of gpt-4o");
}

fn adjusted(discount: i64, margin: i64, input: u64) -> Money {
    let discount = format!(r#"{{"id": "d", "kind": {{"discount": {discount}}}}}"#);
    let margin = format!(r#"{{"id": "m", "kind": {{"margin": {margin}}}}}"#);
    let call = Call::new(Some("maker"), "swift", at(NOW));
    let used = usage(&format!("{input} input_tokens"));
    book(&[], &[&discount, &margin]).price(&call, &used, Payer::default()).unwrap().effective
}

proptest! {
    #[test]
    fn nothing_off_and_nothing_on_change_nothing(input in 0..1_000_000_000_u64) {
        prop_assert_eq!(adjusted(0, 0, input), Amount::from_parts(i128::from(input) * 2_000 * Amount::DENOMINATOR).round().unwrap());
    }

    #[test]
    fn the_product_is_exact_and_rounded_once(discount in 0..=10_000_i64, margin in 0..50_000_i64, input in 0..10_000_000_u64) {
        // 2,000 nano-dollars a token; the two factors are over 1e4 each.
        let product = i128::from(input) * 2_000 * i128::from(10_000 - discount) * i128::from(10_000 + margin);
        let (whole, rest) = (product / 100_000_000, product % 100_000_000);
        let rounds_up = rest > 50_000_000 || rest == 50_000_000 && whole % 2 == 1;
        prop_assert_eq!(i128::from(adjusted(discount, margin, input).nanos()), whole + i128::from(rounds_up));
    }

    #[test]
    fn more_off_never_costs_more_and_more_on_never_less(
        discount in 0..10_000_i64, margin in 0..50_000_i64, input in 0..10_000_000_u64, more in 1..5_000_u64,
    ) {
        let cost = adjusted(discount, margin, input);
        prop_assert!(adjusted(discount + 1, margin, input) <= cost);
        prop_assert!(adjusted(discount, margin + 1, input) >= cost);
        prop_assert!(adjusted(discount, margin, input + more) >= cost);
    }
}
