//! A small table with every kind of column, and rows for it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::output::{Condition, Field, FieldKind, Index, Output, Table};
use crate::scope::{DateRange, Scope};

const fn field(name: &'static str, kind: FieldKind, nullable: bool) -> Field {
    Field { name, kind, nullable }
}

/// `infrastructure_raw_cost` stands for the many columns that tokaki does not write.
pub static USAGE: Table = Table {
    name: "usage_daily_summary",
    fields: &[
        field("uuid", FieldKind::Uuid, false),
        field("report_period_id", FieldKind::Integer, true),
        field("data_source", FieldKind::Text(64), true),
        field("usage_start", FieldKind::Date, false),
        field("namespace", FieldKind::Text(20), true),
        field("pod_labels", FieldKind::Json, true),
        field("nodes", FieldKind::Texts(20), true),
        field("cpu_hours", FieldKind::Measure, true),
        field("infrastructure_raw_cost", FieldKind::Measure, true),
        field("source_uuid", FieldKind::Uuid, true),
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "uuid"],
    indexes: &[Index::Ordered("usage_start"), Index::TextPrefix("namespace"), Index::Json("pod_labels")],
    headline: &["usage_start", "cpu_hours"],
};

fn owned(data_source: &'static str) -> Vec<Condition> {
    vec![
        Condition::TextEquals("data_source", data_source.into()),
        Condition::IntegerEquals("report_period_id", 7),
        Condition::NullOrZero("infrastructure_raw_cost"),
    ]
}

/// Rows whose `data_source` is `Pod`.
pub fn pods() -> Output {
    let written =
        ["uuid", "report_period_id", "data_source", "usage_start", "namespace", "pod_labels", "nodes", "cpu_hours"];
    Output::to_table(&USAGE, &[&written[..], &["source_uuid"]].concat(), owned("Pod"))
}

/// Rows whose `data_source` is `Storage`; they have no pod labels.
pub fn volumes() -> Output {
    let written = ["uuid", "report_period_id", "data_source", "usage_start", "namespace", "cpu_hours", "source_uuid"];
    Output::to_table(&USAGE, &written, owned("Storage"))
}

/// The day that a text names.
///
/// # Panics
/// If it names none.
pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// A scope of these days, both inclusive.
///
/// # Panics
/// If the two are no days of one month.
pub fn scope(start: &str, end: &str) -> Scope {
    let days = DateRange::new(day(start), day(end)).expect("days of one month");
    Scope { org: "org1234567".into(), source_uuid: "5d6f8e9a-0000-4000-8000-000000000001".into(), days }
}

/// A row: day, namespace, hours.
pub type Row<'a> = (&'a str, Option<&'a str>, Option<f64>);

/// `rows` as a batch of `output`, which is [`pods`] or [`volumes`].
///
/// # Panics
/// If a row names no day.
pub fn batch(output: &Output, rows: &[Row]) -> RecordBatch {
    let pods = output.fields.iter().any(|field| field.name == "pod_labels");
    let texts = |text: &dyn Fn(&Row) -> Option<String>| Arc::new(rows.iter().map(text).collect::<StringArray>());
    let columns = output.fields.iter().map(|field| -> ArrayRef {
        match field.name {
            "uuid" => texts(&|row| Some(uuid_of(&format!("{pods} {row:?}")))),
            "report_period_id" => Arc::new(Int32Array::from(vec![7; rows.len()])),
            "data_source" => texts(&|_| Some(if pods { "Pod" } else { "Storage" }.into())),
            "usage_start" => {
                Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| Date32Type::from_naive_date(day(row.0)))))
            }
            "namespace" => texts(&|row| row.1.map(Into::into)),
            "pod_labels" => texts(&|row| row.1.map(|namespace| format!("{{\"app\": \"{namespace}\"}}"))),
            "nodes" => texts(&|row| row.1.map(|namespace| format!("[\"{namespace}\",null]"))),
            "cpu_hours" => Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
            "source_uuid" => texts(&|_| None),
            other => unreachable!("nobody writes {other}"),
        }
    });
    RecordBatch::try_new(output.schema(), columns.collect()).expect("rows of the output's schema")
}

/// The same text has the same uuid, and no other text has it.
fn uuid_of(text: &str) -> String {
    let hash: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-5{}-8{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}
