//! What the crate promises, as data: each test is an input and its outcome.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use jiff::Timestamp;
use pricing::{Call, Catalog, Cost, Found, Price, Unit, Unpriced, Usage};

mod billing;
mod book;
mod catalog;
mod exchange;
mod importing;
mod matching;
mod merging;
mod money;
mod rates;
mod time;
mod vectors;
mod verifying;

/// A day on which every price of the vectors is in force.
const NOW: &str = "2026-11-02T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `"1000 input_tokens, 200 cache_read_tokens"`.
fn usage(text: &str) -> Usage {
    let count = |part: &str| {
        let (count, unit) = part.trim().split_once(' ').unwrap();
        (unit.parse::<Unit>().unwrap(), count.parse().unwrap())
    };
    text.split(',').map(count).collect()
}

fn find(provider: &str, model: &str, when: &str) -> Result<Found<'static>, Unpriced> {
    Catalog::embedded().find_price(&Call::new(Some(provider), model, at(when)))
}

fn cost_at(provider: &str, model: &str, used: &str, when: &str) -> Cost {
    find(provider, model, when).unwrap().price.cost_of(&usage(used)).unwrap()
}

fn cost(provider: &str, model: &str, used: &str) -> String {
    cost_at(provider, model, used, NOW).total.to_string()
}

/// A catalog of one provider, `maker`, with these models.
fn catalog(models: &str) -> Catalog {
    let source = r#"{"name": "test", "version": "1"}"#;
    let maker = format!(r#"{{"id": "maker", "name": "Maker", "first_party": true, "models": [{models}]}}"#);
    Catalog::from_json(&format!(r#"{{"version": "1", "source": {source}, "providers": [{maker}]}}"#)).unwrap()
}

/// A price with these rates, as in the catalog's file.
fn price(rates: &str) -> Price {
    let catalog = catalog(&format!(r#"{{"id": "model", "prices": [{{"rates": {rates}}}]}}"#));
    catalog.prices().next().unwrap().clone()
}
