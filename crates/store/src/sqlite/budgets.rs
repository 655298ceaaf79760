//! Budgets that are not a project's, increases, and exchange rates, on SQLite.

use async_trait::async_trait;
use domain::{
    BudgetId, IncreaseId,
    budget::{Increase, Scope, ScopedBudget},
    fx::FxRate,
};
use jiff::Timestamp;
use pricing::Money;
use rusqlite::{Connection, Params, Row, params};
use serde::de::DeserializeOwned;

use super::{
    Sqlite,
    columns::{Columns, damaged},
    failure::taken,
};
use crate::{BudgetStore, StoreError, limits::SMALL_WRITE_BYTES};

macro_rules! budget_columns {
    () => {
        "id, name, scope, key_id, terms, created_by, created_at_ms, updated_at_ms"
    };
}

macro_rules! increase_columns {
    () => {
        "id, budget_id, amount_nanos, reason, created_by, created_at_ms, until_ms, withdrawn_at_ms"
    };
}

const INSERT: &str =
    concat!("insert into budget (", budget_columns!(), ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
const FIND: &str = concat!("select ", budget_columns!(), " from budget where id = ?1");
const LIST: &str = concat!("select ", budget_columns!(), " from budget order by name, id");
const UPDATE: &str = "update budget set name = ?2, terms = ?3, updated_at_ms = ?4 where id = ?1";
const DELETE: &str = "delete from budget where id = ?1";
const INSERT_INCREASE: &str = concat!(
    "insert into budget_increase (",
    increase_columns!(),
    ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
);
const LIST_INCREASES: &str = concat!(
    "select ",
    increase_columns!(),
    " from budget_increase where budget_id = ?1 order by created_at_ms desc, id desc"
);
const LIST_ENDING_AFTER: &str = concat!(
    "select ",
    increase_columns!(),
    " from budget_increase where min(until_ms, coalesce(withdrawn_at_ms, until_ms)) > ?1 order by until_ms, id"
);
const WITHDRAW: &str = "
    update budget_increase set withdrawn_at_ms = ?3
     where id = ?1 and budget_id = ?2 and withdrawn_at_ms is null and until_ms > ?3";
const LIST_RATES: &str =
    "select currency, rate, effective_date, source from fx_rate order by currency, effective_date";
const INSERT_RATE: &str =
    "insert into fx_rate (currency, rate, effective_date, source) values (?1, ?2, ?3, ?4)";

#[async_trait]
impl BudgetStore for Sqlite {
    async fn insert_budget(&self, budget: &ScopedBudget) -> Result<(), StoreError> {
        let budget = budget.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| insert(tx.connection, &budget)).await
    }

    async fn find_budget(&self, id: BudgetId) -> Result<Option<ScopedBudget>, StoreError> {
        self.read(move |tx| Ok(list(tx.connection, FIND, [id.bytes()], read)?.pop())).await
    }

    async fn list_budgets(&self) -> Result<Vec<ScopedBudget>, StoreError> {
        self.read(|tx| list(tx.connection, LIST, [], read)).await
    }

    async fn update_budget(&self, budget: &ScopedBudget) -> Result<bool, StoreError> {
        let budget = budget.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            let terms = to_json(&budget.terms)?;
            let row = params![budget.id.bytes(), budget.name, terms, budget.updated_at.as_millisecond()];
            Ok(tx.connection.prepare_cached(UPDATE)?.execute(row)? > 0)
        })
        .await
    }

    async fn delete_budget(&self, id: BudgetId) -> Result<bool, StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| {
            Ok(tx.connection.prepare_cached(DELETE)?.execute([id.bytes()])? > 0)
        })
        .await
    }

    async fn insert_increase(&self, increase: &Increase) -> Result<(), StoreError> {
        let increase = increase.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| insert_increase(tx.connection, &increase)).await
    }

    async fn list_increases(&self, budget: BudgetId) -> Result<Vec<Increase>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST_INCREASES, [budget.bytes()], read_increase)).await
    }

    async fn list_increases_ending_after(&self, after: Timestamp) -> Result<Vec<Increase>, StoreError> {
        let after = after.as_millisecond();
        self.read(move |tx| list(tx.connection, LIST_ENDING_AFTER, [after], read_increase)).await
    }

    async fn withdraw_increase(
        &self,
        budget: BudgetId,
        id: IncreaseId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| {
            let row = (id.bytes(), budget.bytes(), at.as_millisecond());
            Ok(tx.connection.prepare_cached(WITHDRAW)?.execute(row)? > 0)
        })
        .await
    }

    async fn list_fx_rates(&self) -> Result<Vec<FxRate>, StoreError> {
        self.read(|tx| list(tx.connection, LIST_RATES, [], read_rate)).await
    }

    async fn replace_fx_rates(&self, rates: &[FxRate]) -> Result<(), StoreError> {
        let rates = rates.to_vec();
        self.change(SMALL_WRITE_BYTES * (1 + rates.len()), move |tx| {
            tx.connection.execute("delete from fx_rate", [])?;
            let mut insert = tx.connection.prepare_cached(INSERT_RATE)?;
            for FxRate { currency, rate, effective_date, source } in &rates {
                insert.execute((currency, rate.to_string(), effective_date.to_string(), source))?;
            }
            Ok(())
        })
        .await
    }
}

fn insert(connection: &Connection, budget: &ScopedBudget) -> Result<(), StoreError> {
    let key = match budget.scope {
        Scope::Key { key_id } => Some(*key_id.bytes()),
        Scope::Project { .. } | Scope::Tag { .. } | Scope::Account => None,
    };
    let row = params![
        budget.id.bytes(),
        budget.name,
        to_json(&budget.scope)?,
        key,
        to_json(&budget.terms)?,
        budget.created_by.map(|user| *user.bytes()),
        budget.created_at.as_millisecond(),
        budget.updated_at.as_millisecond(),
    ];
    connection.prepare_cached(INSERT)?.execute(row).map(drop).map_err(taken("budget"))
}

fn insert_increase(connection: &Connection, increase: &Increase) -> Result<(), StoreError> {
    let row = params![
        increase.id.bytes(),
        increase.budget_id.bytes(),
        increase.amount.nanos(),
        increase.reason,
        increase.created_by.bytes(),
        increase.created_at.as_millisecond(),
        increase.until.as_millisecond(),
        increase.withdrawn_at.map(Timestamp::as_millisecond),
    ];
    connection.prepare_cached(INSERT_INCREASE)?.execute(row).map(drop).map_err(taken("increase"))
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    connection.prepare_cached(sql)?.query_and_then(parameters, read)?.collect()
}

fn read(row: &Row<'_>) -> Result<ScopedBudget, StoreError> {
    let mut columns = Columns::of(row);
    let (id, name) = (columns.next_id()?, columns.next()?);
    let scope = columns.next::<String>().and_then(|json| of_json(&json))?;
    let _key: Option<[u8; 12]> = columns.next()?;
    Ok(ScopedBudget {
        id,
        name,
        scope,
        terms: columns.next::<String>().and_then(|json| of_json(&json))?,
        created_by: columns.next_id_option()?,
        created_at: columns.next_instant()?,
        updated_at: columns.next_instant()?,
    })
}

fn read_increase(row: &Row<'_>) -> Result<Increase, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Increase {
        id: columns.next_id()?,
        budget_id: columns.next_id()?,
        amount: columns.next().map(Money::from_nanos)?,
        reason: columns.next()?,
        created_by: columns.next_id()?,
        created_at: columns.next_instant()?,
        until: columns.next_instant()?,
        withdrawn_at: columns.next_instant_option()?,
    })
}

fn read_rate(row: &Row<'_>) -> Result<FxRate, StoreError> {
    let mut columns = Columns::of(row);
    Ok(FxRate {
        currency: columns.next()?,
        rate: columns.next_word(|rate| rate.parse().ok())?,
        effective_date: columns.next_word(|day| day.parse().ok())?,
        source: columns.next()?,
    })
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn of_json<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))
}
