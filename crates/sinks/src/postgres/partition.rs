//! Month partitions.

use chrono::NaiveDate;
use sea_orm::sea_query::{PostgresQueryBuilder, Table as Statement};
use sqlx::{AssertSqlSafe, PgConnection};
use tokaki_core::{DateRange, Table};

use super::catalog::is_table;

/// Koku's table of partitions.
pub(super) const TRACKING: &str = "partitioned_tables";

/// Koku's name of a month partition, for instance `reporting_ocpusagelineitem_daily_summary_2025_09`.
pub(super) fn name(table: &str, days: DateRange) -> String {
    format!("{table}_{:04}_{:02}", days.year(), days.month())
}

/// Whether some partition takes the whole month.
pub(super) async fn exists(connection: &mut PgConnection, table: i64, days: DateRange) -> sqlx::Result<bool> {
    let query = "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = $1::oid";
    let bounds: Vec<Option<String>> =
        sqlx::query_scalar(query).bind(table).persistent(false).fetch_all(connection).await?;
    Ok(bounds.iter().flatten().any(|bound| takes(bound, days.month_bounds())))
}

/// Whether the bound holds all days from `first` to before `next`. The default partition does not count: rows there
/// would stand in the way of the month's own.
fn takes(bound: &str, (first, next): (NaiveDate, NaiveDate)) -> bool {
    let inner = bound.strip_prefix("FOR VALUES FROM (").and_then(|rest| rest.strip_suffix(')'));
    let Some((from, to)) = inner.and_then(|inner| inner.split_once(") TO (")) else { return false };
    // The driver asks the server for ISO dates.
    let day = |text: &str| text.trim_matches('\'').parse::<NaiveDate>();
    (from == "MINVALUE" || day(from).is_ok_and(|from| from <= first))
        && (to == "MAXVALUE" || day(to).is_ok_and(|to| to >= next))
}

/// Creates the partition of the days' month.
pub(super) async fn create(
    connection: &mut PgConnection,
    schema: &str,
    table: &Table,
    days: DateRange,
) -> sqlx::Result<()> {
    let (first, next) = days.month_bounds();
    let statement = Statement::create()
        .table((schema.to_owned(), name(table.name, days)))
        .partition_of((schema.to_owned(), table.name))
        .values_from_to([first], [next])
        .to_string(PostgresQueryBuilder);
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

/// Asks Koku to create the partition: a row in its table of partitions, of which a trigger makes the partition. Koku
/// later drops old partitions by the same rows. Does nothing where Koku has no such table.
pub(super) async fn request(
    connection: &mut PgConnection,
    schema: &str,
    table: &Table,
    days: DateRange,
) -> sqlx::Result<()> {
    if !is_table(connection, schema, TRACKING).await? {
        return Ok(());
    }
    let schema_name = quoted(schema);
    let insert = format!(
        "INSERT INTO {schema_name}.{TRACKING} (schema_name, table_name, partition_of_table_name, \
         partition_type, partition_col, partition_parameters, active) VALUES ($1, $2, $3, 'range', $4, \
         jsonb_build_object('default', false, 'from', $5, 'to', $6), true) ON CONFLICT DO NOTHING"
    );
    let (first, next) = days.month_bounds();
    sqlx::query(AssertSqlSafe(insert))
        .bind(schema)
        .bind(name(table.name, days))
        .bind(table.name)
        .bind(table.day_field.unwrap_or_default())
        .bind(first.to_string())
        .bind(next.to_string())
        .persistent(false)
        .execute(connection)
        .await
        .map(drop)
}

/// `name` as an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_takes_the_month_or_not() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let month = (day("2025-09-01"), day("2025-10-01"));
        for bound in [
            "FOR VALUES FROM ('2025-09-01') TO ('2025-10-01')",
            "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
            "FOR VALUES FROM (MINVALUE) TO ('2025-10-01')",
            "FOR VALUES FROM ('2025-09-01') TO (MAXVALUE)",
        ] {
            assert!(takes(bound, month), "{bound}");
        }
        for bound in ["DEFAULT", "FOR VALUES FROM ('2025-09-01') TO ('2025-09-08')", "FOR VALUES IN ('2025-09-01')"] {
            assert!(!takes(bound, month), "{bound}");
        }
    }
}
