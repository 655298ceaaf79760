//! Prices usages with the embedded catalog, so that other calculators can be compared with it.
//!
//! Reads JSON Lines from standard input, `{"provider", "model", "at", "tier", "usage"}` with the usage in normal form,
//! and writes one line for each to standard output: the cost with exactly its digits, or why there is none.
//! `tools/oracle/pricing_conformance.py` uses it.

use std::io::{BufRead as _, BufWriter, Write as _};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use pricing::{Call, Catalog, Money, Unpriced, Usage};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    provider: String,
    model: String,
    at: Timestamp,
    tier: Option<String>,
    usage: Usage,
}

#[derive(Serialize)]
struct Answer {
    cost: Option<Money>,
    /// The row, and why it applies.
    price: Option<String>,
    why: Option<String>,
    tier_assumed_standard: bool,
    unpriced: Option<&'static str>,
}

fn main() -> Result<()> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let case: Case = serde_json::from_str(&line?).with_context(|| format!("line {}", number + 1))?;
        serde_json::to_writer(&mut output, &answer(&case))?;
        writeln!(output)?;
    }
    Ok(output.flush()?)
}

fn answer(case: &Case) -> Answer {
    let call = Call::new(Some(&case.provider), &case.model, case.at).service_tier(case.tier.as_deref());
    let unpriced = |reason: &Unpriced| Answer {
        cost: None,
        price: None,
        why: None,
        tier_assumed_standard: false,
        unpriced: Some(reason.code()),
    };
    match Catalog::embedded().find_price(&call) {
        Err(reason) => unpriced(&reason),
        Ok(found) => {
            let cost = found.price.cost_of(&case.usage);
            Answer {
                price: Some(found.price.id.clone()),
                why: Some(found.why(&call)),
                tier_assumed_standard: found.tier_assumed_standard,
                cost: cost.as_ref().ok().map(|cost| cost.total),
                unpriced: cost.err().as_ref().map(Unpriced::code),
            }
        }
    }
}
