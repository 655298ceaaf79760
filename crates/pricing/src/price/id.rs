//! Ids of price rows, made from their content.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::Price;

impl Price {
    /// An id made of what the row is about and a digest of what it says.
    pub(crate) fn content_id(&self) -> String {
        let date = self.valid_from.map(|from| format!("@{}", TimeZone::UTC.to_datetime(from).date()));
        let tier = self.conditions.service_tier.as_deref().unwrap_or("standard");
        let digest = fnv1a(&self.content()) & 0xffff_ffff;
        format!("{}/{}{}#{tier}~{digest:08x}", self.provider, self.model, date.unwrap_or_default())
    }

    /// What the row says, in a textual order that no build or machine changes. Provenance and notes are not content.
    fn content(&self) -> String {
        let mut text = format!("{}|{}", self.provider, self.model);
        for bound in [self.valid_from, self.valid_until] {
            text.push('|');
            text.extend(bound.map(|at| at.to_string()));
        }
        let conditions = &self.conditions;
        for condition in [&conditions.service_tier, &conditions.region, &conditions.search_type] {
            text.push('|');
            text.push_str(condition.as_deref().unwrap_or_default());
        }
        if let Some(daily) = &conditions.daily {
            add(&mut text, format_args!("|{}-{}", daily.from, daily.until));
            for day in &daily.weekdays {
                add(&mut text, format_args!(" {day:?}"));
            }
        }
        for (unit, tiers) in &self.rates {
            for tier in tiers {
                add(&mut text, format_args!("|{unit}>={}:{}", tier.input_tokens_min, tier.rate));
            }
        }
        for (unit, count) in &self.minimum_counts {
            add(&mut text, format_args!("|{unit} min {count}"));
        }
        text
    }
}

fn add(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(part);
}

fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
