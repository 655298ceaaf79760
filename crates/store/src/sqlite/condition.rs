//! Conditions of a query and their parameters, in order.

use rusqlite::types::Value;

/// Conditions that all hold, with their parameters. The SQL is made of constants; values are parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    sql: String,
    parameters: Vec<Value>,
}

impl Conditions {
    /// Adds a condition with its parameters.
    pub(super) fn and(&mut self, sql: &str, parameters: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.sql.is_empty() { "where " } else { " and " });
        self.sql.push_str(sql);
        self.parameters.extend(parameters);
    }

    /// Adds all conditions of `others`.
    pub(super) fn and_all(&mut self, others: &Self) {
        if let Some(sql) = others.sql.strip_prefix("where ") {
            self.and(sql, others.parameters.iter().cloned());
        }
    }

    /// The `where` clause, or nothing.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The parameters of [`Self::sql`].
    pub(super) fn parameters(&self) -> impl Iterator<Item = Value> + '_ {
        self.parameters.iter().cloned()
    }
}

/// A list of numbers as one parameter, for `in (select value from json_each(?))`.
pub(super) fn numbers(list: &[i64]) -> Value {
    let digits: Vec<String> = list.iter().map(i64::to_string).collect();
    Value::Text(format!("[{}]", digits.join(",")))
}
