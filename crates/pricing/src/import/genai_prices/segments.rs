//! Price lists with dates, hours and variants as rows, each with one period and one set of conditions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Time;

use super::rates::rate_card;
use super::source::{Constraint, Dated, Model, Prices, Variant};
use super::{NotUnderstood, Notes, RateCard, Result};
use crate::file::{Row, midnight};
use crate::{DailyWindow, Unit};

/// The rows of `model`: standard ones by date, then those of certain hours, then those of each tier.
pub(super) fn rows(model: &Model, owner: &str, notes: &mut Notes) -> Result<Vec<Row>> {
    let list = price_list(model, owner, notes)?;
    let mut rows = dated_rows(&list.by_date);
    rows.extend(list.by_hour.iter().map(|(daily, rates)| Row {
        daily: Some(daily.clone()),
        rates: rates.clone(),
        ..Row::default()
    }));
    for (when, variants) in variants(model, owner, notes)? {
        ensure(list.by_hour.is_empty(), "hours and variants")?;
        let is_batch = when.get("tier").is_some_and(|tier| tier == "batch");
        let inherits =
            |unit: Unit| !(is_batch && caches_at_no_discount_in_batches(owner) && unit.is_cache_read());
        rows.extend(variant_rows(&list.by_date, &when, &variants, inherits));
    }
    rows.retain(|row| !row.rates.is_empty());
    Ok(rows)
}

/// OpenAI gives no discount for cached tokens in a batch, but for the models whose batch price has one; the others
/// are charged for them as for any input: <https://developers.openai.com/api/docs/pricing>.
fn caches_at_no_discount_in_batches(owner: &str) -> bool {
    owner.starts_with("openai/")
}

/// Rates from a date on.
type DatedRates = (Option<Timestamp>, RateCard);

/// The standard prices: by the date from which they hold, and by the hours in which they hold instead.
struct PriceList {
    by_date: Vec<DatedRates>,
    by_hour: Vec<(DailyWindow, RateCard)>,
}

/// What a variant is for: the fields of a row's conditions.
type When = BTreeMap<String, String>;

/// In the source the last entry that holds applies; the catalog wants dates to rise and hours to come after them.
fn price_list(model: &Model, owner: &str, notes: &mut Notes) -> Result<PriceList> {
    let mut list = PriceList { by_date: Vec::new(), by_hour: Vec::new() };
    for Dated { constraint, prices } in entries(&model.prices)? {
        let rates = rate_card(&prices, owner, notes)?;
        match constraint.map(|constraint| period(&constraint)).transpose()? {
            Some(Period::Daily(daily)) => list.by_hour.push((daily, rates)),
            Some(Period::From(date)) if list.by_hour.is_empty() => list.by_date.push((Some(date), rates)),
            None if list.by_date.is_empty() && list.by_hour.is_empty() => list.by_date.push((None, rates)),
            _ => return Err(NotUnderstood::new("price entries in an unknown order")),
        }
    }
    ensure(list.by_date.windows(2).all(|pair| pair[0].0 < pair[1].0), "dates that do not rise")?;
    Ok(list)
}

fn entries(prices: &serde_json::value::RawValue) -> Result<Vec<Dated>> {
    if prices.get().starts_with('[') {
        return Ok(serde_json::from_str(prices.get())?);
    }
    let prices: Prices = serde_json::from_str(prices.get())?;
    Ok(vec![Dated { constraint: None, prices }])
}

fn dated_rows(by_date: &[DatedRates]) -> Vec<Row> {
    let until = by_date.iter().skip(1).map(|&(from, _)| from).chain([None]);
    let rows = by_date.iter().zip(until).map(|((from, rates), until)| Row {
        from: *from,
        until,
        rates: rates.clone(),
        ..Row::default()
    });
    merge(rows.collect())
}

/// A variant overrides some of the standard rates, so each of its rows has those of the standard row of its time.
fn variant_rows(
    by_date: &[DatedRates],
    when: &When,
    variants: &[DatedRates],
    inherits: impl Fn(Unit) -> bool,
) -> Vec<Row> {
    let starts: BTreeSet<Option<Timestamp>> = by_date.iter().chain(variants).map(|&(from, _)| from).collect();
    let until = starts.iter().skip(1).copied().chain([None]);
    let rows = starts.iter().zip(until).filter_map(|(&from, until)| {
        let mut active = variants.iter().filter(|(start, _)| *start <= from).peekable();
        active.peek()?;
        let standard = by_date.iter().rfind(|(start, _)| *start <= from)?;
        let mut rates = RateCard::new();
        // The first variant that has a rate decides it, and the standard row has the rest that is inherited.
        for (unit, rate) in active.flat_map(|(_, card)| card) {
            rates.entry(*unit).or_insert_with(|| rate.clone());
        }
        for (unit, rate) in standard.1.iter().filter(|(unit, _)| inherits(**unit)) {
            rates.entry(*unit).or_insert_with(|| rate.clone());
        }
        let condition = |key: &str| when.get(key).cloned();
        Some(Row {
            from,
            until,
            tier: condition("tier"),
            region: condition("region"),
            search_type: condition("search_type"),
            rates,
            ..Row::default()
        })
    });
    merge(rows.collect())
}

/// Joins rows that follow each other and say the same.
fn merge(rows: Vec<Row>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for row in rows {
        match merged.last_mut().filter(|last| last.rates == row.rates) {
            Some(last) => last.until = row.until,
            None => merged.push(row),
        }
    }
    merged
}

/// The variants by what they are for, in the source's order, without those for standard service.
fn variants(model: &Model, owner: &str, notes: &mut Notes) -> Result<BTreeMap<When, Vec<DatedRates>>> {
    let mut by_when: BTreeMap<When, Vec<_>> = BTreeMap::new();
    for variant in &model.price_variants {
        let Variant { when, prices, constraint } = serde_json::from_str(variant.get())?;
        let Some(when) = conditions(&when)? else { continue };
        let from = match constraint.as_ref().map(period).transpose()? {
            None => None,
            Some(Period::From(date)) => Some(date),
            Some(Period::Daily(_)) => return Err(NotUnderstood::new("a variant with hours")),
        };
        by_when.entry(when).or_default().push((from, rate_card(&prices, owner, notes)?));
    }
    Ok(by_when)
}

/// `None` for the standard case, which the standard rows describe.
fn conditions(when: &BTreeMap<String, String>) -> Result<Option<When>> {
    let Some((key, value)) = when.first_key_value().filter(|_| when.len() == 1) else {
        return Err(NotUnderstood::new("a variant with several conditions"));
    };
    let (key, value) = match (key.as_str(), value.as_str()) {
        ("service_tier", "default") | ("search_type", "web") => return Ok(None),
        ("service_tier" | "processing", tier) => ("tier", tier),
        // `mistral/eu`: the upstream and where it is.
        ("route", route) => ("region", route.rsplit_once('/').map_or(route, |(_, region)| region)),
        ("search_type", kind) => ("search_type", kind),
        _ => return Err(NotUnderstood::new(format!("a variant for {key}"))),
    };
    Ok(Some(When::from([(key.to_owned(), value.to_owned())])))
}

enum Period {
    From(Timestamp),
    Daily(DailyWindow),
}

fn period(constraint: &Constraint) -> Result<Period> {
    match (&constraint.start_date, &constraint.start_time, &constraint.end_time) {
        (Some(date), None, None) => Ok(Period::From(midnight(*date)?)),
        (None, Some(from), Some(until)) => Ok(Period::Daily(DailyWindow {
            from: utc_time(from)?,
            until: utc_time(until)?,
            weekdays: Vec::new(),
        })),
        _ => Err(NotUnderstood::new("a constraint that is neither a date nor hours")),
    }
}

fn utc_time(text: &str) -> Result<Time> {
    let time = text.strip_suffix('Z').ok_or_else(|| NotUnderstood::new("hours that are not in UTC"))?;
    Ok(time.parse()?)
}

fn ensure(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(NotUnderstood::new(otherwise)) }
}
