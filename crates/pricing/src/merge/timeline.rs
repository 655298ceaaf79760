//! The rows of a model under one set of conditions, one after the other.

use jiff::Timestamp;

use crate::file::{Rates, Row};
use crate::{Conditions, PriceSource, Rate};

pub(super) struct Timeline {
    pub(super) conditions: Conditions,
    pub(super) rows: Vec<Row>,
}

/// The list that is brought in.
pub(super) struct Incoming<'a> {
    /// Where the known rows come from that do not say otherwise.
    pub(super) known_source: &'a PriceSource,
    /// Where the incoming ones do.
    pub(super) source: &'a PriceSource,
    pub(super) effective_at: Timestamp,
    /// Whether both call the model by the same name, and not merely by one that the other recognises.
    pub(super) is_same_model: bool,
}

/// A half-open period; `None` is without end on that side.
#[derive(Clone, Copy)]
struct Period {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Incoming<'_> {
    /// Closes rows that came from the same list, which no longer has them.
    pub(super) fn close(&self, timeline: &mut Timeline) {
        let at = self.effective_at;
        timeline.rows.retain(|row| !self.is_same_source(row) || row.from.is_none_or(|from| from < at));
        for row in &mut timeline.rows {
            if self.is_same_source(row) && row.until.is_none_or(|until| until > at) {
                row.until = Some(at);
            }
        }
    }

    /// Puts `row` where it holds, and shortens or splits what it is laid over.
    pub(super) fn lay_over(&self, timeline: &mut Timeline, row: &Row) {
        let period = self.period_of(row, timeline);
        let (mut rows, mut uncovered) = (Vec::new(), vec![period]);
        let mut laid: Vec<Row> = Vec::new();
        for known in timeline.rows.drain(..) {
            let Some(common) = period.common(Period::of(&known)) else {
                rows.push(known);
                continue;
            };
            uncovered = uncovered.into_iter().flat_map(|part| part.without(common)).collect();
            let combined = self.combined(&known, row);
            if combined.charges_like(&known) {
                rows.push(known);
                continue;
            }
            laid.push(Row { from: common.from, until: common.until, ..combined });
            rows.extend(Period::of(&known).without(common).map(|part| part.of_row(&known)));
        }
        laid.extend(uncovered.into_iter().map(|part| part.of_row(&self.with_source(row.clone()))));
        rows.extend(join(laid));
        rows.sort_by_key(|row| row.from);
        timeline.rows = rows;
    }

    /// When the row is to be believed. An undated one says what holds now, not since when; and one without an end
    /// does not deny a change that is already announced.
    fn period_of(&self, row: &Row, timeline: &Timeline) -> Period {
        let from = if row.until.is_some() { row.from } else { row.from.or(Some(self.effective_at)) };
        let announced = timeline.rows.iter().filter_map(|known| known.from);
        let announced = announced.filter(|start| *start > self.effective_at && Some(*start) > from).min();
        Period { from, until: row.until.or(announced) }
    }

    /// A list from another source adds to a row what it knows, and does not take away what it does not.
    fn combined(&self, known: &Row, row: &Row) -> Row {
        let mut combined = self.with_source(row.clone());
        if self.is_same_source(known) || !self.is_same_model && !agree(known, row) {
            return combined;
        }
        for (unit, rates) in &known.rates {
            let same = combined.rates.get(unit).is_none_or(|other| is_as_good_as(rates, other));
            if same {
                combined.rates.insert(*unit, rates.clone());
            }
        }
        for (unit, count) in &known.minimum {
            combined.minimum.entry(*unit).or_insert(*count);
        }
        if !combined.charges_like(row) {
            combined.source = Some(self.both_sources(known));
        }
        combined
    }

    fn both_sources(&self, known: &Row) -> PriceSource {
        let known = &known.source.as_ref().unwrap_or(self.known_source).name;
        let prefix = format!("{} over ", self.source.name);
        let name = if known.starts_with(&prefix) { known.clone() } else { prefix + known };
        PriceSource { name, ..self.source.clone() }
    }

    fn with_source(&self, row: Row) -> Row {
        let source = row.source.clone().or_else(|| Some(self.source.clone()));
        Row { source: source.filter(|source| source != self.known_source), ..row }
    }

    fn is_same_source(&self, known: &Row) -> bool {
        known.source.as_ref().unwrap_or(self.known_source).name == self.source.name
    }
}

/// Whether they charge the same for what both name.
fn agree(a: &Row, b: &Row) -> bool {
    a.rates.iter().all(|(unit, rates)| b.rates.get(unit).is_none_or(|other| is_as_good_as(rates, other)))
}

/// Whether two lists say the same of a unit: one may have rounded a price for an hour to one for a second, and one may
/// write "more than 200,000" where the other writes "from 200,000".
fn is_as_good_as(known: &Rates, other: &Rates) -> bool {
    let close =
        |a: Rate, b: Rate| a.per == b.per && a.nanos.abs_diff(b.nanos) <= a.nanos.max(b.nanos) / 5_000;
    let (known, other) = (known.tiers(), other.tiers());
    known.len() == other.len()
        && known.iter().zip(&other).all(|(a, b)| a.0.abs_diff(b.0) <= 1 && close(a.1, b.1))
}

/// Rows that follow each other and are alike but for their periods are one.
fn join(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| row.from);
    let mut joined: Vec<Row> = Vec::new();
    for row in rows {
        let follows = |last: &Row| last.until == row.from && last.until.is_some() && last.charges_like(&row);
        match joined.last_mut().filter(|last| follows(last)) {
            Some(last) => last.until = row.until,
            None => joined.push(row),
        }
    }
    joined
}

impl Period {
    fn of(row: &Row) -> Self {
        Self { from: row.from, until: row.until }
    }

    fn of_row(self, row: &Row) -> Row {
        Row { from: self.from, until: self.until, ..row.clone() }
    }

    fn is_empty(self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if from >= until)
    }

    fn common(self, other: Self) -> Option<Self> {
        // `None` sorts first, which is right for beginnings.
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Some(Self { from, until }).filter(|common| !common.is_empty())
    }

    /// What of it is before and what is after `part`.
    fn without(self, part: Self) -> impl Iterator<Item = Self> {
        let before = part.from.and_then(|until| self.common(Self { from: None, until: Some(until) }));
        let after = part.until.and_then(|from| self.common(Self { from: Some(from), until: None }));
        before.into_iter().chain(after)
    }
}
