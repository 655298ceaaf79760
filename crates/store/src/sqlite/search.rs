//! Searching for words anywhere in a record.

use rusqlite::{Connection, types::Value};

use super::{
    condition::{Conditions, numbers},
    dictionary::Kind,
};
use crate::StoreError;

const FIND_VALUES: &str = "select id from dimension_value where kind = ?1 and contains_text(?2, value)";

/// Interned values that are searched, and where a record has them.
const VALUES: &[(Kind, &str)] = &[
    (Kind::Provider, "+r.provider in (select value from json_each(?))"),
    (Kind::Model, "+r.model in (select value from json_each(?))"),
    (Kind::Department, "+r.department in (select value from json_each(?))"),
    (Kind::Team, "+r.team in (select value from json_each(?))"),
    (Kind::Purpose, "+r.purpose in (select value from json_each(?))"),
    (Kind::Client, "+r.client in (select value from json_each(?))"),
    (Kind::Campaign, "+r.campaign in (select value from json_each(?))"),
    (Kind::UserEmail, "+r.user_email in (select value from json_each(?))"),
    (Kind::CustomerEmail, "+r.customer_email in (select value from json_each(?))"),
    (
        Kind::Tag,
        "+r.tag_set in (select set_id from tag_set_member where tag_id in (select value from json_each(?)))",
    ),
];

/// Texts of a record's own that are searched.
const TEXTS: &[&str] = &[
    "contains_text(?, r.request_id, r.session_id, r.trace_id, r.error_message)",
    "r.other_keys is not null
     and exists (select 1 from json_each(r.other_keys) where contains_text(?, value))",
    "r.allocation_other is not null
     and exists (select 1 from json_each(r.allocation_other) where contains_text(?, value))",
];

/// Adds the condition that a record contains `words` somewhere, in any case.
pub(super) fn condition(
    connection: &Connection,
    conditions: &mut Conditions,
    words: &str,
) -> Result<(), StoreError> {
    let words = words.to_lowercase();
    let mut any = Vec::new();
    let mut parameters = Vec::new();
    for (kind, is_one_of) in VALUES {
        let found = find_values(connection, *kind, &words)?;
        if !found.is_empty() {
            any.push(*is_one_of);
            parameters.push(numbers(&found));
        }
    }
    for contains in TEXTS {
        any.push(contains);
        parameters.push(Value::Text(words.clone()));
    }
    if words.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        any.push("contains_text(?, hex(r.id))");
        parameters.push(Value::Text(words));
    }
    conditions.and(&format!("({})", any.join(" or ")), parameters);
    Ok(())
}

fn find_values(connection: &Connection, kind: Kind, words: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_VALUES)?;
    let found = statement.query_map((kind.code(), words), |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}
