//! The catalog that comes with the crate is sound.

use std::collections::HashSet;

use pricing::{Call, Catalog, CatalogError, Price};

use crate::{NOW, at};

#[test]
fn it_says_where_it_comes_from() {
    let catalog = Catalog::embedded();
    assert!(catalog.version().starts_with("genai-prices 0.2.1"), "{}", catalog.version());
    assert_eq!(catalog.find_provider("aws").unwrap().source_id(), "aws");
    assert_eq!(catalog.find_provider("aws").unwrap().id(), "bedrock");
    for price in catalog.prices() {
        assert!(price.source.url.is_some(), "{}", price.id);
        // What was not compared with the provider's page says so in its notes.
        assert!(price.source.checked_on.is_some() || price.notes.is_some(), "{}", price.id);
    }
}

#[test]
fn every_row_has_an_id_of_its_own_and_rates() {
    let mut ids = HashSet::new();
    for price in Catalog::embedded().prices() {
        assert!(ids.insert(&price.id), "{} is there twice", price.id);
        assert!(!price.rates.is_empty(), "{}", price.id);
        for (unit, tiers) in &price.rates {
            assert!(tiers.iter().all(|tier| tier.rate.per == unit.per()), "{} {unit}", price.id);
        }
    }
    assert!(ids.len() > 2500, "{}", ids.len());
}

#[test]
fn no_two_rows_of_a_model_apply_equally() {
    let overlap = |a: &Price, b: &Price| {
        let starts_before_end = |a: &Price, b: &Price| match (a.valid_from, b.valid_until) {
            (Some(from), Some(until)) => from < until,
            _ => true,
        };
        starts_before_end(a, b) && starts_before_end(b, a)
    };
    let prices: Vec<&Price> = Catalog::embedded().prices().collect();
    for pair in prices.chunk_by(|a, b| (&a.provider, &a.model) == (&b.provider, &b.model)) {
        for (index, a) in pair.iter().enumerate() {
            for b in &pair[index + 1..] {
                assert!(a.conditions != b.conditions || !overlap(a, b), "{} and {}", a.id, b.id);
            }
        }
    }
}

#[test]
fn every_model_is_found_under_its_own_name() {
    for price in Catalog::embedded().prices() {
        let call =
            Call::new(Some(&price.provider), &price.model, price.valid_from.unwrap_or_else(|| at(NOW)));
        match Catalog::embedded().find_price(&call) {
            Ok(found) => {
                assert_eq!((&found.price.provider, &found.price.model), (&price.provider, &price.model));
            }
            Err(reason) => panic!("{}: {reason}", price.id),
        }
    }
}

#[test]
fn ids_follow_from_content() {
    let (a, b) = (crate::price(r#"{"input_tokens": "1"}"#), crate::price(r#"{"input_tokens": "1.1"}"#));
    assert_eq!(a.id, "maker/model#standard~43494489");
    assert_ne!(a.id, b.id);
}

#[test]
fn a_bad_catalog_is_refused() {
    let load = |providers: &str| {
        let source = r#"{"name": "test", "version": "1"}"#;
        Catalog::from_json(&format!(r#"{{"version": "1", "source": {source}, "providers": [{providers}]}}"#))
    };
    let maker = |models: &str| format!(r#"{{"id": "m", "name": "M", "models": [{models}]}}"#);
    let model = |prices: &str| maker(&format!(r#"{{"id": "x", "prices": [{prices}]}}"#));
    let tiers = |tiers: &str| load(&model(&format!(r#"{{"rates": {{"input_tokens": {tiers}}}}}"#)));

    assert!(load(&maker("")).is_ok());
    assert!(matches!(Catalog::from_json("{}"), Err(CatalogError::Malformed(_))));
    assert!(matches!(load(&format!("{0},{0}", maker(""))), Err(CatalogError::Duplicate { .. })));
    assert!(matches!(load(&model(r#"{"rates": {}}"#)), Err(CatalogError::BadRates { .. })));
    assert!(matches!(tiers(r#"[[5, "1"]]"#), Err(CatalogError::BadRates { .. })));
    assert!(matches!(tiers(r#"[[0, "1"], [0, "2"]]"#), Err(CatalogError::BadRates { .. })));
    assert!(matches!(tiers("0.5"), Err(CatalogError::Malformed(_))), "a rate is text, never a float");
    assert!(matches!(
        load(r#"{"id": "m", "name": "M", "resells": ["z"], "models": []}"#),
        Err(CatalogError::UnknownProvider { .. })
    ));
}
