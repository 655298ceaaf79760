//! A model's price keys as rate cards, one for each service tier.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{NoteKind, Notes};
use super::Entry;
use super::key::{self, Key, Meaning};
use super::name::Name;
use super::number::{self, Quantity};
use super::off_peak::{self, OffPeak};
use super::uplift::{self, Uplift};
use crate::file::{Rates, Row};
use crate::{DailyWindow, Rate, Unit, decimal};

/// The rate cards of a model.
#[derive(Debug, Default)]
pub(super) struct Cards {
    /// By service tier; `None` is the standard one.
    by_tier: BTreeMap<Option<&'static str>, Card>,
    /// The standard ones of certain hours.
    by_hour: Vec<(DailyWindow, Card)>,
    /// Where all of them cost more.
    uplifts: Vec<Uplift>,
}

/// What a search costs by how much it puts into the context.
#[derive(Deserialize)]
struct SearchPrices {
    #[serde(rename = "search_context_size_low")]
    low: Option<Box<RawValue>>,
    #[serde(rename = "search_context_size_medium")]
    medium: Option<Box<RawValue>>,
    #[serde(rename = "search_context_size_high")]
    high: Option<Box<RawValue>>,
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
            if value.get() != "null" && key != STEPS && key != off_peak::KEY {
                let (uplifts, is_all) = uplift::read(key, value.get());
                cards.uplifts.extend(uplifts);
                if !is_all {
                    reader.read_key(key, 0, value.get(), &mut cards);
                }
            }
        }
        if let Some(steps) = entry.get(STEPS) {
            reader.read_steps(steps.get(), &mut cards);
        }
        if let Some(off_peak) = entry.get(off_peak::KEY) {
            reader.read_off_peak(off_peak.get(), &mut cards);
        }
        for card in cards.by_tier.values_mut().chain(cards.by_hour.iter_mut().map(|(_, card)| card)) {
            reader.drop_rootless(card);
            reader.drop_free_writes(card);
            drop_redundant(card, mode);
        }
        cards
    }

    /// A service tier that names only some prices has the others in proportion to standard service; tools cost the same.
    pub(super) fn into_rows(mut self, name: &Name<'_>, owner: &str, notes: &mut Notes) -> Vec<Row> {
        // As OpenAI does, with Azure, but for the models whose batch price has a discount for cached tokens.
        let gives_no_discount = matches!(name.provider.as_str(), "openai" | "azure");
        let standard = self.by_tier.get(&None).cloned().unwrap_or_default();
        let by_tier = self.by_tier.iter_mut().map(|(tier, card)| (*tier, card));
        for (tier, card) in by_tier.chain(self.by_hour.iter_mut().map(|(_, card)| (None, card))) {
            let inherits = |unit: Unit| !(tier == Some("batch") && gives_no_discount && unit.is_cache_read());
            if complete(card, &standard, inherits) {
                let text =
                    "prices of a service tier that the list does not name, in proportion to those it does";
                notes.add(NoteKind::Assumed, text, owner);
            }
        }
        // A price that is one region's already has its uplift.
        let uplifts = if name.region.is_none() { self.uplifts } else { Vec::new() };
        let regions: Vec<(Option<String>, u64)> = std::iter::once((name.region.clone(), uplift::ONE))
            .chain(uplifts.into_iter().map(|Uplift { region, factor }| (Some(region), factor)))
            .collect();
        let rows = |tier: Option<&str>, daily: Option<DailyWindow>, card: &Card| {
            let row = |(region, factor): &(Option<String>, u64)| Row {
                tier: tier.map(str::to_owned),
                region: region.clone(),
                daily: daily.clone(),
                rates: card
                    .iter()
                    .map(|(&unit, rates)| (unit, by_size(uplifted(unit, rates, *factor))))
                    .collect(),
                ..Row::default()
            };
            regions.iter().map(row).collect::<Vec<_>>()
        };
        let by_tier = self.by_tier.iter().flat_map(|(tier, card)| rows(*tier, None, card));
        let by_hour = self.by_hour.iter().flat_map(|(daily, card)| rows(None, Some(daily.clone()), card));
        by_tier.chain(by_hour).filter(|row| !row.rates.is_empty()).collect()
    }
}

/// Rates by unit and smallest prompt.
type Card = BTreeMap<Unit, BTreeMap<u64, Rate>>;

/// Adds what `standard` has besides; whether any of it was scaled.
fn complete(card: &mut Card, standard: &Card, inherits: impl Fn(Unit) -> bool) -> bool {
    let root = |card: &Card, unit| card.get(&unit).and_then(|rates| rates.get(&0)).map(|rate| rate.nanos);
    let factor = |unit| Some((root(card, unit)?, root(standard, unit).filter(|&nanos| nanos > 0)?));
    let (input, output) = (factor(Unit::InputTokens), factor(Unit::OutputTokens));
    let mut is_scaled = false;
    for (&unit, rates) in standard {
        if card.contains_key(&unit) || !inherits(unit) {
            continue;
        }
        let is_output = OUTPUT_UNITS.contains(&unit);
        let factor = if is_output { output.or(input) } else { input.or(output) };
        let factor = factor.filter(|_| unit.is_token());
        is_scaled |= factor.is_some_and(|(ours, theirs)| ours != theirs);
        let rates = rates.iter().map(|(&size, &rate)| (size, scaled(rate, factor)));
        card.insert(unit, rates.collect());
    }
    is_scaled
}

const OUTPUT_UNITS: [Unit; 6] = [
    Unit::OutputTokens,
    Unit::ReasoningTokens,
    Unit::CitationTokens,
    Unit::OutputAudioTokens,
    Unit::OutputImageTokens,
    Unit::OutputVideoTokens,
];

/// Tokens cost more where there is an uplift; tools do not.
fn uplifted(unit: Unit, rates: &BTreeMap<u64, Rate>, factor: u64) -> BTreeMap<u64, Rate> {
    let factor = Some((factor, uplift::ONE)).filter(|_| unit.is_token());
    rates.iter().map(|(&size, &rate)| (size, scaled(rate, factor))).collect()
}

fn scaled(rate: Rate, factor: Option<(u64, u64)>) -> Rate {
    let Some((multiplier, divisor)) = factor else { return rate };
    let product = u128::from(rate.nanos) * u128::from(multiplier);
    let nanos = (product + u128::from(divisor) / 2) / u128::from(divisor);
    Rate { nanos: u64::try_from(nanos).unwrap_or(u64::MAX), ..rate }
}

/// A part that costs what its whole costs needs no rate of its own, and what has no output no rate for it.
fn drop_redundant(card: &mut Card, mode: &str) {
    const PARTS: [(Unit, Unit); 6] = [
        (Unit::ReasoningTokens, Unit::OutputTokens),
        (Unit::OutputImageTokens, Unit::OutputTokens),
        (Unit::OutputVideoTokens, Unit::OutputTokens),
        (Unit::InputAudioTokens, Unit::InputTokens),
        (Unit::InputImageTokens, Unit::InputTokens),
        (Unit::InputVideoTokens, Unit::InputTokens),
    ];
    // A part is often listed without the rates of long prompts that its whole has.
    let is_like = |part: &BTreeMap<u64, Rate>, whole: &BTreeMap<u64, Rate>| {
        part == whole || part.len() == 1 && part.get(&0) == whole.get(&0)
    };
    for (part, whole) in PARTS {
        let whole = card.get(&whole);
        if card.get(&part).is_some_and(|part| whole.is_some_and(|whole| is_like(part, whole))) {
            card.remove(&part);
        }
    }
    let is_free = |rates: &BTreeMap<u64, Rate>| rates.values().all(|rate| rate.nanos == 0);
    if matches!(mode, "embedding" | "rerank") && card.get(&Unit::OutputTokens).is_some_and(is_free) {
        card.remove(&Unit::OutputTokens);
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
                let card = cards.by_tier.entry(tier).or_default();
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
        let sizes = [prices.medium, prices.low, prices.high];
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
        for (tier, card) in stepped.by_tier {
            cards.by_tier.entry(tier).or_default().extend(card);
        }
    }

    /// Their prices are those of standard service in the hours that they name.
    fn read_off_peak(&mut self, text: &str, cards: &mut Cards) {
        let Some(off_peak) = OffPeak::parse(text) else {
            self.notes.add(NoteKind::NotUnderstood, format!("a value of {}", off_peak::KEY), self.owner);
            return;
        };
        let mut read = Cards::default();
        for (key, value) in &off_peak.prices {
            self.read_key(key, 0, value.get(), &mut read);
        }
        let Some(card) = read.by_tier.remove(&None) else { return };
        cards.by_hour.extend(off_peak.windows.into_iter().map(|window| (window, card.clone())));
    }

    /// Writing to a cache for nothing would make the tokens free: 0 says that there is no such price.
    fn drop_free_writes(&mut self, card: &mut Card) {
        let is_free = |rates: &BTreeMap<u64, Rate>| rates.values().all(|rate| rate.nanos == 0);
        let is_input_free = card.get(&Unit::InputTokens).is_none_or(is_free);
        for unit in [Unit::CacheWriteTokens, Unit::CacheWrite1hTokens, Unit::CacheWrite12hTokens] {
            if !is_input_free && card.get(&unit).is_some_and(is_free) {
                card.remove(&unit);
                self.notes.add(
                    NoteKind::Assumed,
                    format!("{unit} at 0 have no price of their own"),
                    self.owner,
                );
            }
        }
    }

    /// A rate for long prompts alone says nothing of short ones.
    fn drop_rootless(&mut self, card: &mut Card) {
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
