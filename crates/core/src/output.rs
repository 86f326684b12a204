//! What an aggregator yields: the destination table, the columns written, and the rows it owns there.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use serde::Serialize;

/// What a destination column holds, and so how each sink stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A uuid in its 36-character form; `Utf8` in a batch, `uuid` in PostgreSQL.
    Uuid,
    /// Text of at most this many characters, any length if 0; `varchar(n)` or `text`.
    Text(u16),
    /// A list of texts, each of at most this many characters, any length if 0, some of them null; a JSON array as `Utf8`
    /// in a batch, `varchar(n)[]` or `text[]` in PostgreSQL.
    Texts(u16),
    /// 32-bit integer.
    Integer,
    /// Calendar day; `Date32` in a batch.
    Date,
    /// UTC instant; `Timestamp(Nanosecond, None)` in a batch. In handovers only: no destination has one.
    Instant,
    /// A measure: `Float64` in a batch, `numeric(33,15)` in PostgreSQL.
    Measure,
    /// JSON text; `Utf8` in a batch, `jsonb` in PostgreSQL.
    Json,
}

/// A column of a destination table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Column name.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it may be null.
    pub nullable: bool,
}

/// An index of a destination table, made when a sink creates the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Ordered index over one column.
    Ordered(&'static str),
    /// Ordered index over one text column that also serves prefix searches.
    TextPrefix(&'static str),
    /// Inverted index over one JSON column.
    Json(&'static str),
}

/// A destination table as Koku defines it, with the columns that tokaki never writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Table name.
    pub name: &'static str,
    /// All columns in definition order.
    pub fields: &'static [Field],
    /// Column that dates a row; the table is partitioned by its month. `None` if rows have no day: they are then united
    /// with those that are there, see [`Union`].
    pub day_field: Option<&'static str>,
    /// Primary key. Includes `day_field`, as a partitioned table must.
    pub primary_key: &'static [&'static str],
    /// Indexes.
    pub indexes: &'static [Index],
    /// The few columns that a person looks at first.
    pub headline: &'static [&'static str],
}

impl Table {
    /// The uuid column of the primary key.
    pub fn id_field(&self) -> Option<&'static str> {
        let ids = self.fields.iter().filter(|field| field.kind == FieldKind::Uuid);
        ids.map(|field| field.name).find(|name| self.primary_key.contains(name))
    }
}

/// A condition on a row of a destination table. Conditions of a list hold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The text column has this value.
    TextEquals(&'static str, Cow<'static, str>),
    /// The text column is null or has another value.
    TextDiffers(&'static str, Cow<'static, str>),
    /// The integer column has this value.
    IntegerEquals(&'static str, i32),
    /// The uuid column has this value, in lower case.
    UuidEquals(&'static str, String),
    /// The column is null.
    IsNull(&'static str),
    /// The column is not null.
    IsNotNull(&'static str),
    /// The measure is null or 0.
    NullOrZero(&'static str),
}

impl Condition {
    /// Whether no row can satisfy both.
    fn excludes(&self, other: &Self) -> bool {
        use Condition::{IntegerEquals, IsNotNull, IsNull, TextDiffers, TextEquals, UuidEquals};
        match (self, other) {
            (TextEquals(field, value), TextEquals(other_field, other_value)) => {
                field == other_field && value != other_value
            }
            (TextEquals(field, value), TextDiffers(other_field, other_value))
            | (TextDiffers(other_field, other_value), TextEquals(field, value)) => {
                field == other_field && value == other_value
            }
            (IntegerEquals(field, value), IntegerEquals(other_field, other_value)) => {
                field == other_field && value != other_value
            }
            (UuidEquals(field, value), UuidEquals(other_field, other_value)) => {
                field == other_field && value != other_value
            }
            (IsNull(field), IsNotNull(other_field) | TextEquals(other_field, _) | IntegerEquals(other_field, _))
            | (IsNotNull(other_field) | TextEquals(other_field, _) | IntegerEquals(other_field, _), IsNull(field)) => {
                field == other_field
            }
            _ => false,
        }
    }
}

/// How rows that have no day come together with those that are there: rows of one key become one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union {
    /// Columns that tell rows apart; nulls are equal.
    pub key: &'static [&'static str],
    /// Columns of lists, which in the end hold the texts of all rows of the key. Of the other columns those of the run count.
    pub lists: &'static [&'static str],
    /// Rows that are there stay only if this column has one of these texts.
    pub only: (&'static str, Vec<String>),
}

/// Where an output's rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The table.
    pub table: &'static Table,
    /// Rows of the table that are this output's own. A sink deletes the scope's days of these and nothing else.
    pub owned: Vec<Condition>,
    /// Whether the table is left alone, old rows and all, if there are no new rows.
    pub left_alone_if_empty: bool,
    /// How rows without a day come together with those that are there. The table then has no other output.
    pub union: Option<Union>,
    /// Uuid of a further source whose writers are kept out meanwhile, where the destination can do that.
    pub also_of: Option<String>,
}

impl Destination {
    /// Whether some row could belong to both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.table.name == other.table.name
            && !self.owned.iter().any(|own| other.owned.iter().any(|foreign| own.excludes(foreign)))
    }
}

/// One table's worth of rows that an aggregator yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Columns of the finished batch, in its order.
    pub fields: Vec<Field>,
    /// Where the rows go; `None` if only other aggregators use them.
    pub destination: Option<Destination>,
}

impl Output {
    /// Rows for other aggregators only.
    pub fn handover(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), destination: None }
    }

    /// Rows for the `written` columns of `table`; `owned` says which rows there are this output's own.
    pub fn to_table(table: &'static Table, written: &[&str], owned: Vec<Condition>) -> Self {
        let fields = table.fields.iter().filter(|field| written.contains(&field.name)).copied().collect();
        let destination = Destination { table, owned, left_alone_if_empty: false, union: None, also_of: None };
        Self { fields, destination: Some(destination) }
    }

    /// The same output, which is about the source with this uuid as well.
    #[must_use]
    pub fn also_of(mut self, source_uuid: &str) -> Self {
        if let Some(destination) = &mut self.destination {
            destination.also_of = Some(source_uuid.to_owned());
        }
        self
    }

    /// The same output, whose rows are united with those that are there instead of replacing those of some days.
    #[must_use]
    pub fn united(mut self, union: Union) -> Self {
        if let Some(destination) = &mut self.destination {
            destination.union = Some(union);
        }
        self
    }

    /// The same output, whose table is left alone if there are no rows.
    #[must_use]
    pub fn left_alone_if_empty(mut self) -> Self {
        if let Some(destination) = &mut self.destination {
            destination.left_alone_if_empty = true;
        }
        self
    }

    /// The Arrow schema of the finished batch.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|field| {
                let data_type = match field.kind {
                    FieldKind::Uuid | FieldKind::Text(_) | FieldKind::Texts(_) | FieldKind::Json => DataType::Utf8,
                    FieldKind::Integer => DataType::Int32,
                    FieldKind::Date => DataType::Date32,
                    FieldKind::Instant => DataType::Timestamp(TimeUnit::Nanosecond, None),
                    FieldKind::Measure => DataType::Float64,
                };
                ArrowField::new(field.name, data_type, field.nullable)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::Condition::{IntegerEquals, IsNotNull, IsNull, TextDiffers, TextEquals};
    use super::*;

    static TABLE: Table =
        Table { name: "t", fields: &[], day_field: Some("d"), primary_key: &[], indexes: &[], headline: &[] };

    fn owns(conditions: &[Condition]) -> Destination {
        let owned = conditions.to_vec();
        Destination { table: &TABLE, owned, left_alone_if_empty: false, union: None, also_of: None }
    }

    #[test]
    fn owned_rows_overlap_unless_two_conditions_exclude_each_other() {
        let storage = owns(&[TextEquals("data_source", "Storage".into())]);
        let pod = owns(&[TextDiffers("data_source", "Storage".into()), IsNotNull("pod_labels")]);
        let unallocated = owns(&[TextDiffers("data_source", "Storage".into()), IsNull("pod_labels")]);
        assert!(!storage.overlaps(&pod) && !pod.overlaps(&storage));
        assert!(!pod.overlaps(&unallocated));
        assert!(pod.overlaps(&owns(&[IntegerEquals("report_period_id", 1)])));
        assert!(!owns(&[IntegerEquals("id", 1)]).overlaps(&owns(&[IntegerEquals("id", 2)])));
    }
}
