//! The versions of the schema. Forward only: a migration that was released is never edited.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// Each brings the schema from the version of its index to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_price_revision.sql"),
    include_str!("schema/0003_adjustments.sql"),
    include_str!("schema/0004_search_type.sql"),
    include_str!("schema/0005_notifications.sql"),
    include_str!("schema/0006_key_limits.sql"),
    include_str!("schema/0008_tracker_key.sql"),
    include_str!("schema/0009_budgets.sql"),
    include_str!("schema/0010_live.sql"),
    include_str!("schema/0011_password_reset.sql"),
    include_str!("schema/0013_anomalies.sql"),
];

/// Brings the database to the version that this program knows.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let missing = usize::try_from(found)
        .ok()
        .and_then(|found| MIGRATIONS.get(found..))
        .ok_or_else(|| too_new(found))?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known())?;
    Ok(transaction.commit()?)
}

/// Whether the database has the version that this program knows.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    match version(connection)? {
        found if found > known() => Err(too_new(found)),
        found if found < known() => Err(StoreError::Unavailable(format!(
            "the data was written by an older version of the program (schema {found}); \
             start the server once to bring it up to date"
        ))),
        _ => Ok(()),
    }
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn too_new(found: i64) -> StoreError {
    StoreError::TooNew { found, known: known() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_every_earlier_version_is_brought_up_to_date_with_its_records() {
        for version in 1..MIGRATIONS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            for migration in &MIGRATIONS[..version] {
                connection.execute_batch(migration).unwrap();
            }
            connection.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
            let record = "
                insert into usage_record (id, user, provider, model, origin, status, cost_source, flags,
                                          occurred_at_ms, recorded_at_ms, cost_nanos)
                values (x'000000000000000000000001', 1, 2, 3, 1, 0, 3, 0, 10, 10, 435000)";
            connection.execute_batch(record).unwrap();
            migrate(&mut connection).unwrap();
            check(&connection).unwrap();
            let kept = "select cost_nanos, adjustments from usage_record";
            let kept: (i64, Option<i64>) =
                connection.query_row(kept, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            assert_eq!(kept, (435_000, None), "from version {version}");
        }
    }
}
