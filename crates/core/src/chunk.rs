//! A piece of a table on its way from a reader to the folds, and typed access to its columns.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray, StringViewArray,
    TimestampNanosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Float64Type, Int32Type, TimestampNanosecondType, UInt32Type};

use crate::error::{Error, Place, Result};
use crate::input::TableName;
use crate::rollup::{ExactSum, LabelColumn, LabelTexts, NULL_TEXT};
use crate::scope::DateRange;

/// Rows of one table with the columns of a [`crate::Selection`], and where they came from.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The rows. The column types are those that [`crate::ColumnKind`] promises.
    pub batch: RecordBatch,
    /// Column that dates a row.
    pub time_column: &'static str,
    /// The table; its grain tells a fold whether to derive days.
    pub table: TableName,
    /// Table, file and row group.
    pub place: Place,
    /// The texts of label columns, which come as their numbers.
    pub label_texts: Arc<LabelTexts>,
}

impl Chunk {
    /// The column `name`, of whatever kind.
    ///
    /// # Errors
    /// `Bug` if the selection did not ask for it.
    pub fn column(&self, name: &str) -> Result<&ArrayRef> {
        self.batch
            .column_by_name(name)
            .ok_or_else(|| Error::bug("a column was folded that the selection did not ask for").column(name))
    }

    /// Instants of the rows, nanoseconds since 1970 UTC.
    ///
    /// # Errors
    /// `Bug` if the reader broke its promise.
    pub fn instants(&self) -> Result<&TimestampNanosecondArray> {
        self.column(self.time_column)?
            .as_primitive_opt::<TimestampNanosecondType>()
            .ok_or_else(|| Error::bug("an instant column is not in nanoseconds").column(self.time_column))
    }

    /// The number column `name`.
    ///
    /// # Errors
    /// `Bug` if the reader broke its promise.
    pub fn numbers(&self, name: &'static str) -> Result<Numbers<'_>> {
        let column = self.column(name)?;
        let values = match column.data_type() {
            DataType::Null => None,
            _ => Some(
                column
                    .as_primitive_opt::<Float64Type>()
                    .ok_or_else(|| Error::bug("a number column is not Float64").column(name))?,
            ),
        };
        Ok(Numbers { name, values })
    }

    /// The column `name` of kind `Text`, row by row. Labels come with their numbers from [`crate::rollup::TextIds`].
    ///
    /// # Errors
    /// `Bug` if it is of another kind, or if the reader broke its promise.
    pub fn texts(&self, name: &'static str) -> Result<Texts<'_>> {
        let column = self.column(name)?;
        match column.data_type() {
            DataType::Null => Ok(Texts::Absent),
            DataType::Utf8View => Ok(Texts::Views(column.as_string_view())),
            DataType::Dictionary(key, _) if key.as_ref() == &DataType::Int32 => {
                let dictionary = column.as_dictionary::<Int32Type>();
                let values = dictionary.values().as_string_opt::<i32>();
                let values = values.ok_or_else(|| Error::bug("a dictionary of texts has other values than Utf8"))?;
                Ok(Texts::Dictionary(dictionary.keys(), values))
            }
            other => Err(Error::bug(format!("a text column arrived as {other}")).column(name)),
        }
    }

    /// The labels in the column `name` of kind `Labels`.
    ///
    /// # Errors
    /// `Bug` if it is of another kind, or if the reader broke its promise.
    pub fn labels(&self, name: &str) -> Result<Labels<'_>> {
        let column = self.column(name)?;
        let numbers = match column.data_type() {
            DataType::Null => Cow::Owned(vec![NULL_TEXT; column.len()]),
            DataType::UInt32 => Cow::Borrowed(&column.as_primitive::<UInt32Type>().values()[..]),
            other => return Err(Error::bug(format!("a column of labels arrived as {other}")).column(name)),
        };
        Ok(Labels { numbers, column: self.label_texts.column(name) })
    }

    /// This chunk without the rows whose instant is null or, if `days` are given, outside them (spec § 2). Cheap where all
    /// rows are inside.
    ///
    /// # Errors
    /// `Bug` if the reader broke its promise.
    pub fn within(self, days: Option<&DateRange>) -> Result<Self> {
        let bounds = days.map_or(i64::MIN..i64::MAX, DateRange::nanoseconds);
        let instants = self.instants()?;
        let inside = instants.values().iter().all(|instant| bounds.contains(instant));
        if inside && instants.null_count() == 0 {
            return Ok(self);
        }
        let keep: BooleanArray =
            instants.iter().map(|instant| Some(instant.is_some_and(|instant| bounds.contains(&instant)))).collect();
        let batch = filter_record_batch(&self.batch, &keep).map_err(|error| Error::bug(error.to_string()))?;
        Ok(Self { batch, ..self })
    }
}

/// A column of labels, as numbers of texts; 0 is null.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    numbers: Cow<'a, [u32]>,
    column: Option<&'a LabelColumn>,
}

impl<'a> Labels<'a> {
    /// The number of each row's text; [`NULL_TEXT`] where there is none.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// What the numbers stand for; `None` if there is no text so far.
    pub fn column(&self) -> Option<&'a LabelColumn> {
        self.column
    }
}

/// A column of texts, or of nothing where the file has no such column.
#[derive(Debug, Clone, Copy)]
pub enum Texts<'a> {
    /// The file has no such column.
    Absent,
    /// A text for each row.
    Views(&'a StringViewArray),
    /// The position of each row's text among the distinct ones.
    Dictionary(&'a Int32Array, &'a StringArray),
}

impl<'a> Texts<'a> {
    /// Whether the file has the column at all.
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// The text in `row`.
    #[inline]
    pub fn text(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::Views(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Dictionary(keys, texts) => {
                let key = keys.is_valid(row).then(|| keys.value(row) as usize)?;
                texts.is_valid(key).then(|| texts.value(key))
            }
        }
    }
}

/// A column of numbers, or of nothing where the file has no such column.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    name: &'static str,
    values: Option<&'a Float64Array>,
}

impl<'a> Numbers<'a> {
    /// Whether the file has the column at all.
    pub fn exists(&self) -> bool {
        self.values.is_some()
    }

    /// Name of the column.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value in `row`, NaN where there is none: the form for inner loops. May be infinite, which
    /// [`crate::rollup::Resolution::units`] refuses.
    #[inline]
    pub fn number(&self, row: usize) -> f64 {
        match self.values {
            Some(values) if values.is_valid(row) => values.value(row),
            _ => f64::NAN,
        }
    }

    /// The value in `row` as it counts in a daily row. Where the daily row is derived, a null counts as 0 if the column
    /// exists at all (spec § 12).
    #[inline]
    pub fn daily(&self, row: usize, derived: bool) -> f64 {
        let number = self.number(row);
        if derived && number.is_nan() && self.exists() { 0.0 } else { number }
    }

    /// The values of all `rows` as [`Numbers::daily`] gives them. Borrowed if that is what the column holds, which is the
    /// rule.
    pub fn all(&self, rows: usize, derived: bool) -> Cow<'a, [f64]> {
        let Some(values) = self.values else { return Cow::Owned(vec![f64::NAN; rows]) };
        let is_none = |value: &f64| value.is_nan();
        if values.null_count() == 0 && !(derived && values.values().iter().any(is_none)) {
            return Cow::Borrowed(values.values());
        }
        Cow::Owned((0..values.len()).map(|row| self.daily(row, derived)).collect())
    }

    /// The value in `row`; null and NaN are `None` (spec § 2).
    ///
    /// # Errors
    /// `Type` for an infinite value, with the column.
    #[inline]
    pub fn value(&self, row: usize) -> Result<Option<f64>> {
        let Some(values) = self.values else { return Ok(None) };
        if values.is_null(row) {
            return Ok(None);
        }
        let value = values.value(row);
        if value.is_finite() {
            Ok(Some(value))
        } else if value.is_nan() {
            Ok(None)
        } else {
            Err(ExactSum::infinite().column(self.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Grain, OPENSHIFT};

    fn chunk(instants: &[Option<i64>]) -> Chunk {
        let instants: TimestampNanosecondArray = instants.iter().copied().collect();
        let batch = RecordBatch::try_from_iter([("interval_start", Arc::new(instants) as ArrayRef)]);
        Chunk {
            batch: batch.expect("a batch"),
            time_column: "interval_start",
            table: TableName { provider: OPENSHIFT, report_type: "pod_usage", grain: Grain::Hourly },
            place: Place::default(),
            label_texts: Arc::default(),
        }
    }

    #[test]
    fn rows_of_other_days_and_rows_without_instant_are_left_out() {
        let day = "2025-10-01".parse().expect("a date");
        let days = DateRange::new(day, day).expect("one day");
        let std::ops::Range { start, end } = days.nanoseconds();
        let rows = chunk(&[Some(start - 1), Some(start), None, Some(end - 1), Some(end)]);
        let kept = rows.clone().within(Some(&days)).expect("filters");
        assert_eq!(kept.instants().expect("instants").values(), &[start, end - 1]);
        // Whoever wants the whole partition gets every dated row.
        assert_eq!(rows.within(None).expect("filters").batch.num_rows(), 4);
    }
}
