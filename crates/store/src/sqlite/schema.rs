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
    include_str!("schema/0007_tracker_key.sql"),
    include_str!("schema/0008_budgets.sql"),
    include_str!("schema/0009_live.sql"),
    include_str!("schema/0010_password_reset.sql"),
    include_str!("schema/0011_retention.sql"),
    include_str!("schema/0012_anomalies.sql"),
    include_str!("schema/0013_aggregates.sql"),
    include_str!("schema/0014_cache_writes.sql"),
    include_str!("schema/0015_annotations.sql"),
    include_str!("schema/0016_cost_source_sums.sql"),
    include_str!("schema/0017_other_keys.sql"),
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

    #[test]
    fn sums_learn_what_was_written_to_caches() {
        let mut connection = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().position(|sql| sql.contains("add column cache_write_tokens")).unwrap();
        for migration in &MIGRATIONS[..before] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
        let rows = "
            insert into usage_record (id, user, project, provider, model, origin, status, cost_source, flags,
                                      occurred_at_ms, recorded_at_ms, cache_write_tokens)
            values (x'000000000000000000000001', 1, null, 2, 3, 1, 0, 3, 0, 86399999, 10, 7),
                   (x'000000000000000000000002', 1, null, 2, 3, 1, 0, 3, 0, 10, 10, 5),
                   (x'000000000000000000000003', 1, 9, 2, 3, 1, 0, 3, 0, 86400000, 10, 11),
                   (x'000000000000000000000004', 1, 9, 2, 4, 1, 0, 3, 0, -1, 10, 13),
                   (x'000000000000000000000005', 1, 9, 2, 3, 1, 0, 3, 0, 86400001, 10, null);
            insert into usage_rollup
            values (0, 0, 1, 2, 3, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0), (1, 9, 1, 2, 3, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
                   (-1, 9, 1, 2, 4, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), (2, 9, 1, 2, 4, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection).unwrap();
        let mut statement =
            connection.prepare("select day, cache_write_tokens from usage_rollup order by day").unwrap();
        let sums = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let sums: Vec<(i64, i64)> = sums.map(Result::unwrap).collect();
        assert_eq!(sums, [(-1, 13), (0, 12), (1, 11), (2, 0)]);
    }

    #[test]
    fn sums_learn_where_costs_come_from_and_keep_what_was_deleted() {
        let mut connection = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().position(|sql| sql.contains("usage_rollup_by_source")).unwrap();
        for migration in &MIGRATIONS[..before] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
        let rows = "
            insert into usage_record (id, user, project, provider, model, origin, status, cost_source, flags,
                                      occurred_at_ms, recorded_at_ms, input_tokens, output_tokens, total_tokens,
                                      cost_nanos, list_cost_nanos)
            values (x'000000000000000000000001', 1, null, 2, 3, 1, 0, 3, 0, -1, 10, 7, 2, null, 50, 50),
                   (x'000000000000000000000002', 1, null, 2, 3, 1, 1, 6, 0, -86400000, 10, null, null, 4, null, null),
                   (x'000000000000000000000003', 1, 9, 2, 3, 1, 0, 1, 0, 86399999, 10, 1, null, null, 8, null);
            insert into usage_rollup
            values (-1, 0, 1, 2, 3, 2, 1, 1, 50, 50, 0, 13, 9, 7, 2, 0, 0),
                   (0, 9, 1, 2, 3, 3, 1, 1, 20, 5, 4, 11, 6, 5, 3, 2, 1),
                   (0, 9, 1, 2, 4, 1, 0, 0, 30, 30, 0, 5, 5, 4, 1, 0, 0);";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection).unwrap();
        let mut statement = connection
            .prepare(
                "select day, project, model, cost_source, requests, errors, unpriced, cost_nanos, list_cost_nanos,
                        cache_savings_nanos, tokens, priced_tokens, input_tokens, output_tokens,
                        cache_read_tokens, cache_write_tokens
                   from usage_rollup order by day, model, cost_source",
            )
            .unwrap();
        let sums = statement
            .query_map([], |row| (0..16).map(|column| row.get(column)).collect::<Result<Vec<i64>, _>>())
            .unwrap();
        let sums: Vec<Vec<i64>> = sums.map(Result::unwrap).collect();
        let expected: [&[i64]; 5] = [
            &[-1, 0, 3, 3, 1, 0, 0, 50, 50, 0, 9, 9, 7, 2, 0, 0],
            &[-1, 0, 3, 6, 1, 1, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0],
            &[0, 9, 3, 0, 2, 1, 1, 12, 5, 4, 10, 5, 4, 3, 2, 1],
            &[0, 9, 3, 1, 1, 0, 0, 8, 0, 0, 1, 1, 1, 0, 0, 0],
            &[0, 9, 4, 0, 1, 0, 0, 30, 30, 0, 5, 5, 4, 1, 0, 0],
        ];
        assert_eq!(sums, expected);
    }

    #[test]
    fn alerts_of_projects_become_alerts_of_budgets_with_what_people_did_with_them() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("pragma foreign_keys = on").unwrap();
        let before = MIGRATIONS.iter().position(|sql| sql.contains("create table budget (")).unwrap();
        for migration in &MIGRATIONS[..before] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
        let rows = "
            insert into user values (x'000000000000000000000001', 'a@example.com', 'A', 'owner', '{}', 0, '', 1);
            insert into project values (x'000000000000000000000002', 'P', '', null, '[]', '{}', 1, 0, 1, 1, null);
            insert into alert values (7, x'000000000000000000000003', x'000000000000000000000002', 1, null, 50,
                                      x'07', 0, 'email', 10, 5, x'000000000000000000000004', 1);
            insert into alert_mark values (x'000000000000000000000001', 7, 9, null, 0);";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection).unwrap();
        let kept = "
            select budget_id, threshold, conversion, read_at_ms from alert join alert_mark on alert = seq";
        let kept: ([u8; 12], i64, Option<String>, i64) = connection
            .query_row(kept, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap();
        assert_eq!(kept, ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 50, None, 9));
        connection.execute_batch("delete from project").unwrap();
        let left: i64 = connection
            .query_row("select (select count(*) from alert) + (select count(*) from alert_mark)", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(left, 0);
    }
}
