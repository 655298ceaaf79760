//! Numbers for the values of dimensions, for sets of tags and for prices: what repeats in millions of records is kept
//! once.

use std::{collections::HashMap, sync::Arc};

use domain::allocation::Tags;
use pricing::{Adjustment, Price};
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, limits};

const FIND_VALUE: &str = "select id from dimension_value where kind = ?1 and value = ?2";
const INSERT_VALUE: &str = "insert into dimension_value (kind, value) values (?1, ?2) returning id";
const FIND_TAG_SET: &str = "select id from tag_set where tags = ?1";
const INSERT_TAG_SET: &str = "insert into tag_set (tags) values (?1) returning id";
const INSERT_TAG_SET_MEMBER: &str = "insert into tag_set_member (set_id, tag_id) values (?1, ?2)";
const FIND_ADJUSTMENTS: &str = "select id from adjustment_set where digest = ?1";
const INSERT_ADJUSTMENTS: &str = "insert into adjustment_set (digest, json) values (?1, ?2) returning id";
const FIND_PRICE: &str = "select id from price_row where digest = ?1";
const INSERT_PRICE: &str = "insert into price_row (digest, json) values (?1, ?2) returning id";

/// What a value of the dictionary is of. The numbers are stored for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Provider = 1,
    Model = 2,
    ResponseModel = 3,
    Operation = 4,
    ServiceTier = 5,
    Region = 6,
    Project = 7,
    User = 8,
    Department = 9,
    Team = 10,
    Purpose = 11,
    Client = 12,
    Campaign = 13,
    Tag = 14,
    UserEmail = 15,
    CustomerEmail = 16,
    ErrorCode = 17,
    UnpricedReason = 18,
    SearchType = 19,
    TrackerKey = 20,
}

impl Kind {
    /// Its number in the database.
    pub(super) const fn code(self) -> u8 {
        self as u8
    }
}

/// The number of `value`, if a record ever had it.
pub(super) fn find(connection: &Connection, kind: Kind, value: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_VALUE)?;
    Ok(statement.query_row((kind.code(), value), |row| row.get(0)).optional()?)
}

/// The numbers of those `values` that a record ever had, each once.
pub(super) fn find_all(
    connection: &Connection,
    kind: Kind,
    values: &[String],
) -> Result<Vec<i64>, StoreError> {
    let found = values.iter().filter(|value| !value.is_empty()).map(|value| find(connection, kind, value));
    let mut numbers = found.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The writer's memory of numbers it has given.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    values: HashMap<u8, HashMap<Box<str>, i64>>,
    values_count: usize,
    tag_sets: HashMap<Tags, i64>,
    /// By id of the price. Rows that differ in notes only share an id, so the last one is compared.
    prices: HashMap<String, (Arc<Price>, i64)>,
    adjustment_sets: HashMap<[u8; 32], i64>,
    has_new: bool,
}

impl Dictionary {
    /// Starts a write: from here on it is noted whether a number is new.
    pub(super) fn start(&mut self) {
        self.has_new = false;
    }

    /// Forgets numbers if the write, which has been undone, gave new ones; whether it did.
    pub(super) fn undo(&mut self) -> bool {
        let had_new = self.has_new;
        if had_new {
            *self = Self::default();
        }
        had_new
    }

    /// The number of `value`; a new one if it is the first time.
    pub(super) fn intern(
        &mut self,
        connection: &Connection,
        kind: Kind,
        value: &str,
    ) -> Result<i64, StoreError> {
        if let Some(id) = self.values.get(&kind.code()).and_then(|values| values.get(value)) {
            return Ok(*id);
        }
        let id = if let Some(id) = find(connection, kind, value)? {
            id
        } else {
            self.has_new = true;
            connection.prepare_cached(INSERT_VALUE)?.query_row((kind.code(), value), |row| row.get(0))?
        };
        self.remember_value(kind, value, id);
        Ok(id)
    }

    /// The number of a set of tags; `None` for the empty one.
    pub(super) fn intern_tags(
        &mut self,
        connection: &Connection,
        tags: &Tags,
    ) -> Result<Option<i64>, StoreError> {
        if tags.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.tag_sets.get(tags) {
            return Ok(Some(*id));
        }
        let json = serde_json::to_string(tags).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let found =
            connection.prepare_cached(FIND_TAG_SET)?.query_row([&json], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => self.insert_tags(connection, tags, &json)?,
        };
        make_room(&mut self.tag_sets);
        self.tag_sets.insert(tags.clone(), id);
        Ok(Some(id))
    }

    /// The number of a price, which is kept as it is now.
    pub(super) fn intern_price(
        &mut self,
        connection: &Connection,
        price: &Arc<Price>,
    ) -> Result<i64, StoreError> {
        if let Some((known, id)) = self.prices.get(&price.id)
            && (Arc::ptr_eq(known, price) || known == price)
        {
            return Ok(*id);
        }
        let (digest, json) = snapshot(&**price)?;
        let id = self.intern_snapshot(connection, [FIND_PRICE, INSERT_PRICE], &digest, &json)?;
        make_room(&mut self.prices);
        self.prices.insert(price.id.clone(), (Arc::clone(price), id));
        Ok(id)
    }

    /// The number of a list of rules, which are kept as they are now; `None` for no rules.
    pub(super) fn intern_adjustments(
        &mut self,
        connection: &Connection,
        adjustments: &[Arc<Adjustment>],
    ) -> Result<Option<i64>, StoreError> {
        if adjustments.is_empty() {
            return Ok(None);
        }
        let rules: Vec<&Adjustment> = adjustments.iter().map(|rule| &**rule).collect();
        let (digest, json) = snapshot(&rules)?;
        if let Some(id) = self.adjustment_sets.get(&digest) {
            return Ok(Some(*id));
        }
        let id = self.intern_snapshot(connection, [FIND_ADJUSTMENTS, INSERT_ADJUSTMENTS], &digest, &json)?;
        make_room(&mut self.adjustment_sets);
        self.adjustment_sets.insert(digest, id);
        Ok(Some(id))
    }

    fn intern_snapshot(
        &mut self,
        connection: &Connection,
        [find, insert]: [&str; 2],
        digest: &[u8; 32],
        json: &str,
    ) -> Result<i64, StoreError> {
        if let Some(id) = connection.prepare_cached(find)?.query_row([digest], |row| row.get(0)).optional()? {
            return Ok(id);
        }
        self.has_new = true;
        Ok(connection.prepare_cached(insert)?.query_row((digest, json), |row| row.get(0))?)
    }

    fn insert_tags(&mut self, connection: &Connection, tags: &Tags, json: &str) -> Result<i64, StoreError> {
        self.has_new = true;
        let set_id: i64 = connection.prepare_cached(INSERT_TAG_SET)?.query_row([json], |row| row.get(0))?;
        for tag in tags.iter() {
            let tag_id = self.intern(connection, Kind::Tag, tag)?;
            connection.prepare_cached(INSERT_TAG_SET_MEMBER)?.execute((set_id, tag_id))?;
        }
        Ok(set_id)
    }

    fn remember_value(&mut self, kind: Kind, value: &str, id: i64) {
        if self.values_count >= limits::CACHED_VALUES {
            self.values.clear();
            self.values_count = 0;
        }
        self.values_count += 1;
        self.values.entry(kind.code()).or_default().insert(value.into(), id);
    }
}

/// Something as JSON, and the digest by which it is found again.
fn snapshot(value: &impl serde::Serialize) -> Result<([u8; 32], String), StoreError> {
    let json = serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok((Sha256::digest(json.as_bytes()).into(), json))
}

/// Forgets everything once the bound is reached: simpler than ageing, and as rare.
pub(super) fn make_room<K, V>(cache: &mut HashMap<K, V>) {
    if cache.len() >= limits::CACHED_VALUES {
        cache.clear();
    }
}
