//! What changed between two catalogs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::file::{self, Rates, Row};
use crate::{Conditions, Per, Rate, Unit};

/// One difference between the prices of a model in two catalogs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// What must hold of a call for the price to apply.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
    /// From when on; `None` is since ever.
    pub from: Option<Timestamp>,
    /// What is different.
    pub kind: ChangeKind,
}

/// How a price differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// There was no price before.
    Opened {
        /// What it charges.
        rates: BTreeMap<Unit, Rates>,
    },
    /// A unit costs something else.
    Rate {
        /// What is counted.
        unit: Unit,
        /// The smallest prompt for which it holds.
        input_tokens_min: u64,
        /// What it cost; `None` had no rate of its own.
        old: Option<Rate>,
        /// What it costs.
        new: Option<Rate>,
    },
    /// The fewest units that are charged are others.
    MinimumCount {
        /// What is counted.
        unit: Unit,
        /// The fewest that were charged.
        old: u64,
        /// The fewest that are charged.
        new: u64,
    },
    /// There is no price any more.
    Ended,
    /// The price goes on for longer, or for ever.
    Prolonged {
        /// Until when.
        until: Option<Timestamp>,
    },
    /// The row is not there any more, as if it had never been.
    Removed,
}

/// What is different in `new`, by provider, model, conditions and time.
pub fn diff(old: &file::Catalog, new: &file::Catalog) -> Vec<Change> {
    let (old, new) = (timelines(old), timelines(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) =
            (old.get(key).map_or(NONE, Vec::as_slice), new.get(key).map_or(NONE, Vec::as_slice));
        let (provider, model, conditions) = key;
        let change = |(from, kind)| Change {
            provider: (*provider).to_owned(),
            model: (*model).to_owned(),
            conditions: conditions.clone(),
            from,
            kind,
        };
        changes.extend(differences(before, after).into_iter().map(change));
    }
    changes
}

/// Rows by provider, model and conditions.
type Timelines<'a> = BTreeMap<(&'a str, &'a str, Conditions), Vec<&'a Row>>;

const NONE: &[&Row] = &[];

fn timelines(catalog: &file::Catalog) -> Timelines<'_> {
    let mut timelines = Timelines::new();
    for provider in &catalog.providers {
        for model in &provider.models {
            for row in &model.prices {
                let key = (provider.id.as_str(), model.id.as_str(), row.conditions());
                timelines.entry(key).or_default().push(row);
            }
        }
    }
    for rows in timelines.values_mut() {
        rows.sort_by_key(|row| row.from);
    }
    timelines
}

type Difference = (Option<Timestamp>, ChangeKind);

fn differences(before: &[&Row], after: &[&Row]) -> Vec<Difference> {
    let mut found = Vec::new();
    for row in after {
        match before.iter().find(|old| old.from == row.from && old.charges_like(row)) {
            Some(old) if old.until == row.until => {}
            Some(old) => found.extend(end_of(row, old, after)),
            None => match in_force(before, row.from) {
                Some(old) => found.extend(rate_changes(old, row)),
                None => found.push((row.from, ChangeKind::Opened { rates: row.rates.clone() })),
            },
        }
    }
    let starts: BTreeSet<_> = after.iter().map(|row| row.from).collect();
    let gone = before.iter().filter(|row| !starts.contains(&row.from));
    found.extend(gone.map(|row| (row.from, ChangeKind::Removed)));
    found
}

/// An end that another row follows is told by that row.
fn end_of(row: &Row, old: &Row, after: &[&Row]) -> Option<Difference> {
    let shorter = row.until.is_some_and(|until| old.until.is_none_or(|old| until < old));
    let is_followed = row.until.is_some() && after.iter().any(|next| next.from == row.until);
    if !shorter {
        return Some((old.until, ChangeKind::Prolonged { until: row.until }));
    }
    (!is_followed).then_some((row.until, ChangeKind::Ended))
}

/// The row of `rows` that holds at `at`, or at the beginning of time.
fn in_force<'a>(rows: &[&'a Row], at: Option<Timestamp>) -> Option<&'a Row> {
    let holds = |row: &&&Row| match at {
        Some(at) => row.covers(at),
        None => row.from.is_none(),
    };
    rows.iter().find(holds).copied()
}

fn rate_changes(old: &Row, new: &Row) -> Vec<Difference> {
    let units: BTreeSet<Unit> = old.rates.keys().chain(new.rates.keys()).copied().collect();
    let mut changes = Vec::new();
    for unit in units {
        let tiers = |row: &Row| row.rates.get(&unit).map(Rates::tiers).unwrap_or_default();
        let (before, after) = (tiers(old), tiers(new));
        let sizes: BTreeSet<u64> = before.iter().chain(&after).map(|&(size, _)| size).collect();
        for input_tokens_min in sizes {
            let (old, new) = (rate_at(&before, input_tokens_min), rate_at(&after, input_tokens_min));
            if old != new {
                changes.push((unit, input_tokens_min, old, new));
            }
        }
    }
    let rates = changes.into_iter().map(|(unit, input_tokens_min, old, new)| ChangeKind::Rate {
        unit,
        input_tokens_min,
        old,
        new,
    });
    let counted: BTreeSet<Unit> = old.minimum.keys().chain(new.minimum.keys()).copied().collect();
    let minimums = counted.into_iter().filter_map(|unit| {
        let least = |row: &Row| row.minimum.get(&unit).copied().unwrap_or(0);
        let (old, new) = (least(old), least(new));
        (old != new).then_some(ChangeKind::MinimumCount { unit, old, new })
    });
    rates.chain(minimums).map(|kind| (new.from, kind)).collect()
}

fn rate_at(tiers: &[(u64, Rate)], size: u64) -> Option<Rate> {
    tiers.iter().rev().find(|(min, _)| *min <= size).map(|&(_, rate)| rate)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)?;
        if !self.conditions.is_empty() {
            write!(f, " ({})", self.conditions)?;
        }
        match self.from {
            Some(from) => write!(f, " from {from}: ")?,
            None => f.write_str(": ")?,
        }
        match &self.kind {
            ChangeKind::Opened { rates } => {
                f.write_str("new")?;
                rates.iter().try_for_each(|(unit, rates)| write!(f, ", {unit} {}", Listed(rates)))
            }
            ChangeKind::Rate { unit, input_tokens_min, old, new } => {
                write!(f, "{unit} ")?;
                if *input_tokens_min > 0 {
                    write!(f, "from {input_tokens_min} input tokens ")?;
                }
                write!(f, "{} → {}", Quoted(*old), Quoted(*new))?;
                percent(*old, *new).map_or(Ok(()), |percent| write!(f, " ({percent})"))
            }
            ChangeKind::MinimumCount { unit, old, new } => write!(f, "at least {new} {unit}, not {old}"),
            ChangeKind::Ended => f.write_str("no price any more"),
            ChangeKind::Prolonged { until: Some(until) } => write!(f, "goes on until {until}"),
            ChangeKind::Prolonged { until: None } => f.write_str("goes on"),
            ChangeKind::Removed => f.write_str("the row is gone"),
        }
    }
}

/// A rate as people quote it.
struct Quoted(Option<Rate>);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no rate of its own"),
            Some(rate) if rate.per == Per::Million => write!(f, "${rate} per million"),
            Some(rate) => write!(f, "${rate}"),
        }
    }
}

struct Listed<'a>(&'a Rates);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (size, rate)) in self.0.tiers().into_iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            write!(f, "{}", Quoted(Some(rate)))?;
            if size > 0 {
                write!(f, " from {size} input tokens")?;
            }
        }
        Ok(())
    }
}

/// The difference as `-12.5 %`, cut after a tenth of a percent.
fn percent(old: Option<Rate>, new: Option<Rate>) -> Option<String> {
    let (old, new) = (i128::from(old?.nanos), i128::from(new?.nanos));
    let tenths = (new - old).checked_mul(1_000)?.checked_div(old)?;
    let sign = if tenths < 0 { '-' } else { '+' };
    Some(format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10))
}
