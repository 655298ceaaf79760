//! Values of columns.

use domain::{Id, totals::TotalsOverflow};
use jiff::Timestamp;
use pricing::Money;
use rusqlite::{Row, types::FromSql};

use crate::StoreError;

/// Milliseconds of a UTC day.
pub(super) const DAY_MS: i64 = 24 * 3600 * 1000;

/// Reads the columns of a row from left to right.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    /// The columns of `row`.
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let index = self.next;
        self.next += 1;
        Ok(self.row.get(index)?)
    }

    /// The next column, an id.
    pub(super) fn next_id<K>(&mut self) -> Result<Id<K>, StoreError> {
        self.next().map(Id::from_bytes)
    }

    /// The next column, an id or null.
    pub(super) fn next_id_option<K>(&mut self) -> Result<Option<Id<K>>, StoreError> {
        Ok(self.next::<Option<[u8; 12]>>()?.map(Id::from_bytes))
    }

    /// The next column, an instant.
    pub(super) fn next_instant(&mut self) -> Result<Timestamp, StoreError> {
        self.next().and_then(instant)
    }

    /// The next column, an instant or null.
    pub(super) fn next_instant_option(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.next::<Option<i64>>()?.map(instant).transpose()
    }

    /// The next column, a count or null.
    pub(super) fn next_count(&mut self) -> Result<Option<u64>, StoreError> {
        let count = self.next::<Option<i64>>()?;
        count.map(|count| u64::try_from(count).map_err(|_| damaged("a count is negative"))).transpose()
    }

    /// The next column, an amount or null.
    pub(super) fn next_money(&mut self) -> Result<Option<Money>, StoreError> {
        Ok(self.next::<Option<i64>>()?.map(Money::from_nanos))
    }

    /// The next column, a word that `parse` knows.
    pub(super) fn next_word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let word: String = self.next()?;
        parse(&word).ok_or_else(|| damaged("a word is unknown"))
    }
}

/// `count` as a column. Half of the range is kept free, so that the sum of two never overflows.
pub(super) fn count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count)
        .ok()
        .filter(|count| *count <= i64::MAX / 2)
        .ok_or(StoreError::Overflow(TotalsOverflow))
}

/// The instant `at_ms` milliseconds after the epoch.
pub(super) fn instant(at_ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at_ms).map_err(|_| damaged("an instant is out of range"))
}

/// The first millisecond at or after `at`: what is kept to the millisecond is before `at` exactly if it is before this.
pub(super) fn first_ms_from(at: Timestamp) -> i64 {
    let at_ms = at.as_millisecond();
    let is_cut = Timestamp::from_millisecond(at_ms).is_ok_and(|cut| cut < at);
    at_ms + i64::from(is_cut)
}

pub(super) fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(why.to_owned())
}
