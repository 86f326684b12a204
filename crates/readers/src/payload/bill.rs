//! The columns of an AWS bill under the names that Koku gives them (ocp-on-aws § 2.1).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use serde_json::{Map, Value};

use super::labels::spelled_as_by_koku;
use super::line_items::Table;

/// What the header of a bill has and no operator's.
const USAGE_START: [&str; 2] = ["lineItem/UsageStartDate", "lineitem_usagestartdate"];

/// Columns of one tag each, and the column of JSON objects that they become.
const TAGS: (&str, &str) = ("resourceTags/", "resourcetags");
/// Tags of the user; AWS has some of its own.
const USER: &str = "user:";
/// Likewise for cost categories.
const CATEGORIES: (&str, &str) = ("costCategory/", "costcategory");

/// The names of a file's columns: those of a bill as Koku spells them, all others as they are.
pub(super) fn names(header: Vec<String>) -> Vec<String> {
    if !header.iter().any(|name| USAGE_START.contains(&name.as_str())) {
        return header;
    }
    let is_merged = |name: &str| name.starts_with(TAGS.0) || name.starts_with(CATEGORIES.0);
    let name = |name: String| if is_merged(&name) { name } else { name.to_lowercase().replace('/', "_") };
    header.into_iter().map(name).collect()
}

/// Makes one column of all tags, and one of all categories.
pub(super) fn merge(table: &mut Table) {
    for ((prefix, name), of_user) in [(TAGS, USER), (CATEGORIES, "")] {
        if table.get(name).is_none() {
            let columns = table.take(prefix);
            table.set(name, objects(&columns, of_user, table.rows()));
        }
    }
}

/// An object of each row's values. Empty ones are left out, and so are columns without `prefix`.
fn objects(columns: &[(String, ArrayRef)], prefix: &str, rows: usize) -> ArrayRef {
    let texts: Vec<_> = columns
        .iter()
        .filter_map(|(name, array)| Some((name.strip_prefix(prefix)?, array.as_string_opt::<i32>()?)))
        .collect();
    let mut objects = StringBuilder::new();
    for row in 0..rows {
        let values = texts.iter().filter(|(_, texts)| texts.is_valid(row) && !texts.value(row).is_empty());
        let object: Map<String, Value> =
            values.map(|(key, texts)| ((*key).to_owned(), Value::from(texts.value(row)))).collect();
        objects.append_value(spelled_as_by_koku(&object));
    }
    Arc::new(objects.finish())
}
