//! What the dictionary's numbers stand for.

use std::{collections::HashMap, sync::Arc};

use domain::{Id, allocation::Tags};
use pricing::{Adjustment, Price};
use rusqlite::{Connection, OptionalExtension as _};

use super::dictionary::make_room;
use crate::StoreError;

const VALUE: &str = "select value from dimension_value where id = ?1";
const TAGS: &str = "select tags from tag_set where id = ?1";
const PRICE: &str = "select json from price_row where id = ?1";
const ADJUSTMENTS: &str = "select json from adjustment_set where id = ?1";

/// A connection's memory of what numbers stand for. Committed numbers change their meaning
/// only when a person is taken out of the records; then it is forgotten.
#[derive(Debug, Default)]
pub(super) struct Names {
    values: HashMap<i64, Arc<str>>,
    tag_sets: HashMap<i64, Tags>,
    prices: HashMap<i64, Arc<Price>>,
    adjustment_sets: HashMap<i64, Vec<Arc<Adjustment>>>,
}

impl Names {
    /// The value that `id` stands for.
    pub(super) fn value(&mut self, connection: &Connection, id: i64) -> Result<Arc<str>, StoreError> {
        if let Some(value) = self.values.get(&id) {
            return Ok(Arc::clone(value));
        }
        let value: Arc<str> =
            find(connection, VALUE, id)?.ok_or_else(|| missing("dimension value", id))?.into();
        make_room(&mut self.values);
        self.values.insert(id, Arc::clone(&value));
        Ok(value)
    }

    /// The id of a project or user that `id` stands for.
    pub(super) fn id<K>(&mut self, connection: &Connection, id: i64) -> Result<Id<K>, StoreError> {
        self.value(connection, id)?
            .parse()
            .map_err(|_| StoreError::Damaged(format!("dimension value {id} is not an id")))
    }

    /// The tags of a set.
    pub(super) fn tags(&mut self, connection: &Connection, id: i64) -> Result<Tags, StoreError> {
        if let Some(tags) = self.tag_sets.get(&id) {
            return Ok(tags.clone());
        }
        let tags = read_tags(&find(connection, TAGS, id)?.ok_or_else(|| missing("tag set", id))?)?;
        make_room(&mut self.tag_sets);
        self.tag_sets.insert(id, tags.clone());
        Ok(tags)
    }

    /// A price row.
    pub(super) fn price(&mut self, connection: &Connection, id: i64) -> Result<Arc<Price>, StoreError> {
        if let Some(price) = self.prices.get(&id) {
            return Ok(Arc::clone(price));
        }
        let price = Arc::new(snapshot(connection, PRICE, "price", id)?);
        make_room(&mut self.prices);
        self.prices.insert(id, Arc::clone(&price));
        Ok(price)
    }

    /// The operator's own rules of a set.
    pub(super) fn adjustments(
        &mut self,
        connection: &Connection,
        id: i64,
    ) -> Result<Vec<Arc<Adjustment>>, StoreError> {
        if let Some(adjustments) = self.adjustment_sets.get(&id) {
            return Ok(adjustments.clone());
        }
        let rules: Vec<Adjustment> = snapshot(connection, ADJUSTMENTS, "adjustment set", id)?;
        let adjustments: Vec<_> = rules.into_iter().map(Arc::new).collect();
        make_room(&mut self.adjustment_sets);
        self.adjustment_sets.insert(id, adjustments.clone());
        Ok(adjustments)
    }
}

/// What was kept as JSON under `id`.
fn snapshot<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    what: &str,
    id: i64,
) -> Result<T, StoreError> {
    let json = find(connection, sql, id)?.ok_or_else(|| missing(what, id))?;
    serde_json::from_str(&json).map_err(|error| StoreError::Damaged(format!("{what} {id}: {error}")))
}

/// Tags from their JSON array.
pub(super) fn read_tags(json: &str) -> Result<Tags, StoreError> {
    let list: Vec<String> =
        serde_json::from_str(json).map_err(|error| StoreError::Damaged(format!("tags: {error}")))?;
    Tags::new("tags", list.iter().map(String::as_str)).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn find(connection: &Connection, sql: &str, id: i64) -> Result<Option<String>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?)
}

fn missing(what: &str, id: i64) -> StoreError {
    StoreError::Damaged(format!("{what} {id} is missing"))
}
