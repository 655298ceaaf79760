//! Regions in which every token costs a fixed share more.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::decimal::parse_scaled;

/// What [`Uplift::factor`] is a multiple of.
pub(super) const ONE: u64 = 1_000_000_000;

/// OpenAI's data residency: `eu`, `us`.
const RESIDENCY: &str = "regional_processing_uplift_multiplier_";
/// By Anthropic's `inference_geo`, among other things.
const BY_GEOGRAPHY: &str = "provider_specific_entry";

/// What tokens cost in a region, as a multiple of what they cost elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uplift {
    pub(super) region: String,
    /// In parts of [`ONE`].
    pub(super) factor: u64,
}

/// The uplifts that a key tells of, and whether it tells of nothing else.
pub(super) fn read(key: &str, value: &str) -> (Vec<Uplift>, bool) {
    let entries: BTreeMap<String, Box<RawValue>> = match key.strip_prefix(RESIDENCY) {
        Some(region) => {
            return (uplift(region, value).into_iter().collect(), uplift(region, value).is_some());
        }
        None if key == BY_GEOGRAPHY => serde_json::from_str(value).unwrap_or_default(),
        None => return (Vec::new(), false),
    };
    let uplifts: Vec<Uplift> =
        entries.iter().filter_map(|(region, factor)| uplift(region, factor.get())).collect();
    let is_all = !uplifts.is_empty() && uplifts.len() == entries.len();
    (uplifts, is_all)
}

fn uplift(region: &str, factor: &str) -> Option<Uplift> {
    let factor = u64::try_from(parse_scaled(factor, 9).ok()?).ok()?;
    let is_region = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_region && (ONE..=10 * ONE).contains(&factor)).then(|| Uplift { region: region.to_owned(), factor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regions_that_cost_more_are_uplifts() {
        let us = || vec![Uplift { region: "us".to_owned(), factor: 1_100_000_000 }];
        for (key, value, expected) in [
            ("regional_processing_uplift_multiplier_us", "1.1", (us(), true)),
            ("regional_processing_uplift_multiplier_us", "-1.1", (vec![], false)),
            ("regional_endpoint_uplift_multiplier", "1.1", (vec![], false)),
            ("provider_specific_entry", r#"{"us": 1.1}"#, (us(), true)),
            ("provider_specific_entry", r#"{"us": 1.1, "fast": 2.0}"#, (us(), false)),
            ("provider_specific_entry", r#"{"us": 1e300}"#, (vec![], false)),
            ("provider_specific_entry", "7", (vec![], false)),
            ("input_cost_per_token", "1.1", (vec![], false)),
        ] {
            assert_eq!(read(key, value), expected, "{key} {value}");
        }
    }
}
