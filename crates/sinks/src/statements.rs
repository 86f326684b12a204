//! Statements that SQLite and PostgreSQL share.

use sea_orm::sea_query::{
    ColumnDef, ColumnType, DeleteStatement, Expr, ExprTrait, Index, Order, Query, SelectStatement, Table as Statement,
    TableCreateStatement, TableRef,
};
use tokaki_core::{Condition, DateRange, Field, FieldKind, Table};

/// Deletes the rows of `days` that meet all `conditions`.
pub(crate) fn delete(
    from: impl Into<TableRef>,
    table: &Table,
    days: DateRange,
    conditions: &[Condition],
) -> DeleteStatement {
    let mut statement = Query::delete();
    statement.from_table(from.into());
    if let Some(day) = table.day_field {
        statement.and_where(Expr::col(day).between(days.start(), days.end()));
    }
    for condition in conditions {
        statement.and_where(holds(condition));
    }
    statement
}

/// Selects `fields` of the rows of a `table` without days, which is called `from` here, that meet all `conditions`, each as
/// a batch holds it: an integer, or a text, which `list_as_json` makes of a list. In the order of the primary key, so that
/// the same rows come the same way twice.
pub(crate) fn select_undated(
    from: impl Into<TableRef>,
    table: &Table,
    fields: &[Field],
    conditions: &[Condition],
    list_as_json: fn(Expr) -> Expr,
) -> SelectStatement {
    let mut statement = Query::select();
    for field in fields {
        let column = Expr::col(field.name);
        statement.expr(match field.kind {
            FieldKind::Integer => column,
            FieldKind::Texts(_) => list_as_json(column),
            _ => column.cast_as("text"),
        });
    }
    statement.from(from.into());
    for condition in conditions {
        statement.and_where(holds(condition));
    }
    for column in table.primary_key {
        statement.order_by(*column, Order::Asc);
    }
    statement
}

/// Counts, by day, the rows that [`delete`] with the same arguments deletes: the day and a 64-bit integer. `None` where
/// rows have no day.
pub(crate) fn count_by_day(
    from: impl Into<TableRef>,
    table: &Table,
    days: DateRange,
    conditions: &[Condition],
) -> Option<SelectStatement> {
    let day = table.day_field?;
    let mut statement = Query::select();
    statement.column(day).expr(Expr::cust("count(*)")).from(from.into());
    statement.and_where(Expr::col(day).between(days.start(), days.end()));
    for condition in conditions {
        statement.and_where(holds(condition));
    }
    statement.add_group_by([Expr::col(day)]).order_by(day, Order::Asc);
    Some(statement)
}

/// Selects the ids of rows that a delete with the same conditions leaves because of their cost. `None` where the table
/// has no ids or the conditions spare nothing.
pub(crate) fn spared_ids(
    from: impl Into<TableRef>,
    table: &Table,
    days: DateRange,
    conditions: &[Condition],
) -> Option<SelectStatement> {
    let id = table.id_field()?;
    let is_guard = |condition: &&Condition| matches!(condition, Condition::NullOrZero(_));
    conditions.iter().find(is_guard)?;
    let mut statement = Query::select();
    statement.expr(Expr::col(id).cast_as("text")).from(from.into());
    statement.and_where(Expr::col(table.day_field?).between(days.start(), days.end()));
    for condition in conditions.iter().filter(|condition| !is_guard(condition)) {
        statement.and_where(holds(condition));
    }
    Some(statement)
}

/// SQL has a third truth value beside true and false; here a row meets a condition or does not.
fn holds(condition: &Condition) -> Expr {
    match condition {
        Condition::TextEquals(field, value) => Expr::col(*field).eq(value.as_ref()),
        Condition::TextDiffers(field, value) => Expr::col(*field).is_null().or(Expr::col(*field).ne(value.as_ref())),
        Condition::IntegerEquals(field, value) => Expr::col(*field).eq(*value),
        // SQLite keeps uuids as text; as text PostgreSQL's are equal to it.
        Condition::UuidEquals(field, value) => Expr::col(*field).cast_as("text").eq(value.as_str()),
        Condition::IsNull(field) => Expr::col(*field).is_null(),
        Condition::IsNotNull(field) => Expr::col(*field).is_not_null(),
        Condition::NullOrZero(field) => Expr::col(*field).is_null().or(Expr::col(*field).eq(0)),
    }
}

/// Creates `table` with all its columns and its primary key.
pub(crate) fn create_table(
    name: impl Into<TableRef>,
    table: &Table,
    type_of: fn(FieldKind) -> ColumnType,
) -> TableCreateStatement {
    let mut statement = Statement::create();
    statement.table(name.into());
    for field in table.fields {
        let mut column = ColumnDef::new_with_type(field.name, type_of(field.kind));
        if !field.nullable {
            column.not_null();
        }
        statement.col(column);
    }
    let mut key = Index::create();
    for field in table.primary_key {
        key.col(*field);
    }
    statement.primary_key(&mut key);
    statement
}
