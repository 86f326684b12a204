//! Rows without a day: those of all windows, and those of the destination, by their key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

use crate::error::{Error, ErrorKind, Result};
use crate::output::{Output, Union};

/// Rows of the windows so far, by aggregator and output.
#[derive(Default)]
pub(super) struct United(Vec<(String, Output, RecordBatch)>);

impl United {
    /// Adds the rows of a window.
    ///
    /// # Errors
    /// `Bug` only.
    pub(super) fn add(&mut self, name: &str, output: Output, rows: RecordBatch) -> Result<()> {
        match self.0.iter_mut().find(|(known, to, _)| known == name && *to == output) {
            Some((.., known)) => *known = united(union_of(&output)?, known, &rows)?,
            None => self.0.push((name.to_owned(), output, rows)),
        }
        Ok(())
    }

    /// All rows, in the order of the outputs.
    pub(super) fn into_rows(self) -> Vec<(String, Output, RecordBatch)> {
        self.0
    }
}

/// The rows of a run with those that are there.
///
/// # Errors
/// `Bug`, or a list in the destination that is none.
pub(super) fn with_stored(output: &Output, stored: &RecordBatch, rows: &RecordBatch) -> Result<RecordBatch> {
    let union = union_of(output)?;
    let (column, texts) = &union.only;
    let stays = |text: Option<&str>| text.is_some_and(|text| texts.iter().any(|known| known == text));
    let stays: BooleanArray = texts_of(stored, column)?.iter().map(|text| Some(stays(text))).collect();
    united(union, &filter_record_batch(stored, &stays).map_err(|error| bug(&error))?, rows)
}

fn union_of(output: &Output) -> Result<&Union> {
    let union = output.destination.as_ref().and_then(|to| to.union.as_ref());
    union.ok_or_else(|| Error::bug("rows are united that have a day"))
}

/// One row for each key, in the order of keys. The later rows count.
fn united(union: &Union, earlier: &RecordBatch, later: &RecordBatch) -> Result<RecordBatch> {
    let rows = concat_batches(&later.schema(), [earlier, later]).map_err(|error| bug(&error))?;
    let mut keys = Vec::with_capacity(union.key.len());
    for name in union.key {
        keys.push(rows.column_by_name(name).cloned().ok_or_else(|| Error::bug("a key has no column").column(*name))?);
    }
    let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
    let keys = RowConverter::new(fields).and_then(|converter| converter.convert_columns(&keys));
    let keys = keys.map_err(|error| bug(&error))?;
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (row, key) in keys.iter().enumerate() {
        groups.entry(key).or_default().push(row);
    }
    let last: UInt32Array = groups.values().filter_map(|rows| rows.last()).map(|row| Some(*row as u32)).collect();
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| -> Result<ArrayRef> {
        if !union.lists.contains(&field.name().as_str()) {
            return take(column, &last, None).map_err(|error| bug(&error));
        }
        let lists = texts_of(&rows, field.name())?;
        let lists: Result<Vec<String>> = groups.values().map(|rows| list_of(lists, rows)).collect();
        Ok(Arc::new(StringArray::from(lists.map_err(|error| error.column(field.name()))?)))
    });
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_>>()?).map_err(|error| bug(&error))
}

/// The texts of some lists, each once, in byte order and null last.
fn list_of(lists: &StringArray, rows: &[usize]) -> Result<String> {
    let mut texts: BTreeSet<(bool, Option<String>)> = BTreeSet::new();
    for list in rows.iter().filter(|row| lists.is_valid(**row)).map(|row| lists.value(*row)) {
        let list: Vec<Option<String>> = serde_json::from_str(list).map_err(|error| {
            Error::new(ErrorKind::Destination, format!("a list in the destination is no list of texts: {error}"))
        })?;
        texts.extend(list.into_iter().map(|text| (text.is_none(), text)));
    }
    let texts: Vec<&Option<String>> = texts.iter().map(|(_, text)| text).collect();
    serde_json::to_string(&texts).map_err(|error| Error::bug(error.to_string()))
}

fn texts_of<'a>(rows: &'a RecordBatch, column: &str) -> Result<&'a StringArray> {
    let texts = rows.column_by_name(column).and_then(|column| column.as_string_opt());
    texts.ok_or_else(|| Error::bug("a column is no text").column(column))
}

fn bug(error: &ArrowError) -> Error {
    Error::bug(format!("rows cannot be united: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Field, FieldKind, Table};

    static TABLE: Table = Table {
        name: "tags",
        fields: &[
            Field { name: "id", kind: FieldKind::Text(0), nullable: false },
            Field { name: "key", kind: FieldKind::Text(0), nullable: false },
            Field { name: "node", kind: FieldKind::Text(0), nullable: true },
            Field { name: "values", kind: FieldKind::Texts(0), nullable: false },
        ],
        day_field: None,
        primary_key: &["id"],
        indexes: &[],
        headline: &[],
    };

    fn output() -> Output {
        let union = Union { key: &["key", "node"], lists: &["values"], only: ("key", vec!["app".to_owned()]) };
        Output::to_table(&TABLE, &["id", "key", "node", "values"], Vec::new()).united(union)
    }

    fn rows(rows: &[[Option<&str>; 4]]) -> RecordBatch {
        let column =
            |index: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| row[index]).collect::<StringArray>()) };
        RecordBatch::try_new(output().schema(), (0..4).map(column).collect()).expect("rows")
    }

    #[test]
    fn rows_of_one_key_are_one_and_what_is_no_longer_enabled_goes() {
        let stored = rows(&[
            [Some("old-1"), Some("app"), None, Some(r#"["web",null]"#)],
            [Some("old-2"), Some("app"), Some("n1"), Some(r#"["db"]"#)],
            [Some("old-3"), Some("owner"), None, Some(r#"["me"]"#)],
        ]);
        let window = |id: &'static str, list: &'static str| rows(&[[Some(id), Some("app"), None, Some(list)]]);
        let mut united = United::default();
        united.add("bill", output(), window("new-1", r#"["db","web"]"#)).expect("a window");
        united.add("bill", output(), window("new-2", r#"["api"]"#)).expect("another");
        let all = united.into_rows();
        assert_eq!(all.len(), 1);
        let expected = rows(&[
            [Some("new-2"), Some("app"), None, Some(r#"["api","db","web",null]"#)],
            [Some("old-2"), Some("app"), Some("n1"), Some(r#"["db"]"#)],
        ]);
        assert_eq!(with_stored(&output(), &stored, &all[0].2).expect("rows"), expected);
        // What comes out again is what was there.
        assert_eq!(with_stored(&output(), &expected, &all[0].2).expect("rows"), expected);
    }
}
