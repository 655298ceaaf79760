//! A model's price keys as rate cards, one for each service tier.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{NoteKind, Notes, RateCard};
use super::Entry;
use super::key::{self, Key, Meaning};
use super::number::{self, Quantity};
use crate::file::{Rates, Row};
use crate::{Rate, Unit, decimal};

/// Rates by service tier (`None` is the standard one), unit and smallest prompt.
#[derive(Debug, Default)]
pub(super) struct Cards(BTreeMap<Option<&'static str>, BTreeMap<Unit, BTreeMap<u64, Rate>>>);

/// What a search costs by how much it puts into the context.
#[derive(Deserialize)]
struct SearchPrices {
    search_context_size_low: Option<Box<RawValue>>,
    search_context_size_medium: Option<Box<RawValue>>,
    search_context_size_high: Option<Box<RawValue>>,
}

const STEPS: &str = "tiered_pricing";
const SEARCHES: &str = "search_context_cost_per_query";

/// What is being read, and where notes of it go.
struct Reader<'a> {
    entry: &'a Entry,
    mode: &'a str,
    owner: &'a str,
    notes: &'a mut Notes,
}

impl Cards {
    pub(super) fn read(entry: &Entry, mode: &str, owner: &str, notes: &mut Notes) -> Self {
        let mut cards = Self::default();
        let mut reader = Reader { entry, mode, owner, notes };
        for (key, value) in entry.iter().filter(|(key, _)| key::is_price(key)) {
            if value.get() != "null" && key != STEPS {
                reader.read_key(key, 0, value.get(), &mut cards);
            }
        }
        if let Some(steps) = entry.get(STEPS) {
            reader.read_steps(steps.get(), &mut cards);
        }
        for card in cards.0.values_mut() {
            reader.drop_rootless(card);
        }
        cards
    }

    /// A tier that says only some rates has the others of standard service.
    pub(super) fn into_rows(self, region: Option<&str>) -> Vec<Row> {
        let standard = self.0.get(&None).cloned().unwrap_or_default();
        let rows = self.0.into_iter().map(|(tier, mut card)| {
            for (unit, rates) in &standard {
                card.entry(*unit).or_insert_with(|| rates.clone());
            }
            Row {
                tier: tier.map(str::to_owned),
                region: region.map(str::to_owned),
                rates: card.into_iter().map(|(unit, rates)| (unit, by_size(rates))).collect::<RateCard>(),
                ..Row::default()
            }
        });
        rows.filter(|row| !row.rates.is_empty()).collect()
    }
}

impl Reader<'_> {
    fn read_key(&mut self, key: &str, from_size: u64, value: &str, cards: &mut Cards) {
        let Key { base, input_tokens_min, tier } = Key::parse(key);
        match key::meaning(base, self.mode, |key| self.entry.contains_key(key)) {
            Meaning::Redundant => {}
            // Of what does not cost anything nothing is lost.
            Meaning::Unknown if decimal::parse_scaled(value, 27) == Ok(0) => {}
            Meaning::Unknown => self.leave_out(key),
            Meaning::Price(unit, quantity) => {
                let value = if base == SEARCHES { self.search_price(value) } else { Some(value.to_owned()) };
                let rate = value.and_then(|value| self.rate(key, &value, unit, quantity));
                let Some(rate) = rate else { return };
                let card = cards.0.entry(tier).or_default();
                card.entry(unit).or_default().insert(input_tokens_min.max(from_size), rate);
            }
        }
    }

    fn rate(&mut self, key: &str, value: &str, unit: Unit, quantity: Quantity) -> Option<Rate> {
        let Some(read) = number::rate(value, unit, quantity) else {
            self.notes.add(NoteKind::NotUnderstood, format!("a value of {key}"), self.owner);
            return None;
        };
        if read.is_rounded {
            self.notes.add(NoteKind::Rounded, format!("{key} {value} to {}", read.rate), self.owner);
        }
        Some(read.rate)
    }

    fn search_price(&mut self, value: &str) -> Option<String> {
        let Ok(prices) = serde_json::from_str::<SearchPrices>(value) else {
            self.notes.add(NoteKind::NotUnderstood, format!("a value of {SEARCHES}"), self.owner);
            return None;
        };
        let sizes = [
            prices.search_context_size_medium,
            prices.search_context_size_low,
            prices.search_context_size_high,
        ];
        let mut known = sizes.iter().flatten().map(|price| price.get());
        let price = known.next()?;
        if known.any(|other| other != price) {
            let text = "searches cost what those of medium context size do";
            self.notes.add(NoteKind::Assumed, text, self.owner);
        }
        Some(price.to_owned())
    }

    /// Steps replace the flat rates of what they name.
    fn read_steps(&mut self, steps: &str, cards: &mut Cards) {
        let steps: Option<Vec<BTreeMap<String, Box<RawValue>>>> = serde_json::from_str(steps).ok();
        let Some(steps) = steps else {
            self.notes.add(NoteKind::NotUnderstood, format!("a value of {STEPS}"), self.owner);
            return;
        };
        let mut stepped = Cards::default();
        for step in steps {
            let Some(start) = step.get("range").and_then(|range| range_start(range.get())) else {
                self.leave_out(&format!("{STEPS} without a range of prompt sizes"));
                continue;
            };
            let from_size = if start == 0 { 0 } else { start.saturating_add(1) };
            for (key, value) in step.iter().filter(|(key, _)| key::is_price(key)) {
                self.read_key(key, from_size, value.get(), &mut stepped);
            }
        }
        for (tier, card) in stepped.0 {
            cards.0.entry(tier).or_default().extend(card);
        }
    }

    /// A rate for long prompts alone says nothing of short ones.
    fn drop_rootless(&mut self, card: &mut BTreeMap<Unit, BTreeMap<u64, Rate>>) {
        card.retain(|unit, rates| {
            let has_root = rates.contains_key(&0);
            if !has_root {
                let text = format!("rates of {unit} for long prompts, without one for short ones");
                self.notes.add(NoteKind::LeftOut, text, self.owner);
            }
            has_root
        });
    }

    fn leave_out(&mut self, what: &str) {
        self.notes.add(NoteKind::LeftOut, what, self.owner);
    }
}

/// `256000.0`
fn range_start(range: &str) -> Option<u64> {
    let range: Vec<Box<RawValue>> = serde_json::from_str(range).ok()?;
    u64::try_from(decimal::parse_scaled(range.first()?.get(), 0).ok()?).ok()
}

fn by_size(rates: BTreeMap<u64, Rate>) -> Rates {
    let mut rates: Vec<(u64, Rate)> = rates.into_iter().collect();
    rates.dedup_by_key(|&mut (_, rate)| rate);
    match rates.as_slice() {
        [(0, rate)] => Rates::Flat(*rate),
        _ => Rates::Tiered(rates),
    }
}

/// Whether nothing of it costs anything.
pub(super) fn is_free(row: &Row) -> bool {
    row.rates.values().all(|rates| rates.tiers().iter().all(|(_, rate)| rate.nanos == 0))
}
