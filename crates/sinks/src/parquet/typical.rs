//! What the footer of a file says of whole row groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::{Field, Schema};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::Result;
use parquet::file::metadata::RowGroupMetaData;

/// For each row group a row that stands for all of its rows, if one can: each of `columns` has one value in all of them,
/// or is null in all or none of them where nothing else matters. A column that the file lacks is left out.
///
/// For statistics of our own files. Others may be silent on values that are no numbers.
pub(super) fn rows(
    footer: &ArrowReaderMetadata,
    columns: &BTreeMap<&'static str, bool>,
) -> Result<Vec<Option<RecordBatch>>> {
    let row_groups = footer.metadata().row_groups();
    let mut stands_for_all = vec![true; row_groups.len()];
    let (mut fields, mut values) = (Vec::new(), Vec::new());
    for (name, value_matters) in columns.iter().filter(|(name, _)| footer.schema().column_with_name(name).is_some()) {
        let column = Column::new(footer, name)?;
        for (index, row_group) in row_groups.iter().enumerate() {
            stands_for_all[index] &= column.is_alike(index, row_group, *value_matters);
        }
        fields.push(Field::new(*name, column.least.data_type().clone(), true));
        values.push(column.least);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(row_groups.len()));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), values, &options)?;
    Ok(stands_for_all.into_iter().enumerate().map(|(index, stands)| stands.then(|| rows.slice(index, 1))).collect())
}

/// Statistics of a column, by row group.
struct Column {
    least: ArrayRef,
    /// Whether no value is greater, as far as the two are exact.
    is_greatest: BooleanArray,
    least_is_exact: BooleanArray,
    greatest_is_exact: BooleanArray,
    nulls: UInt64Array,
}

impl Column {
    fn new(footer: &ArrowReaderMetadata, name: &str) -> Result<Self> {
        let row_groups = || footer.metadata().row_groups().iter();
        let statistics = StatisticsConverter::try_new(name, footer.schema(), footer.parquet_schema())?
            .with_missing_null_counts_as_zero(false);
        let least = statistics.row_group_mins(row_groups())?;
        Ok(Self {
            is_greatest: not_distinct(&least, &statistics.row_group_maxes(row_groups())?)?,
            least,
            least_is_exact: statistics.row_group_is_min_value_exact(row_groups())?,
            greatest_is_exact: statistics.row_group_is_max_value_exact(row_groups())?,
            nulls: statistics.row_group_null_counts(row_groups())?,
        })
    }

    /// Whether the least value, or null, stands for all of a row group.
    fn is_alike(&self, index: usize, row_group: &RowGroupMetaData, value_matters: bool) -> bool {
        let holds = |mask: &BooleanArray| mask.is_valid(index) && mask.value(index);
        let is_one_value = || holds(&self.is_greatest) && holds(&self.least_is_exact) && holds(&self.greatest_is_exact);
        match self.nulls.is_valid(index).then(|| self.nulls.value(index)) {
            Some(0) => self.least.is_valid(index) && (!value_matters || is_one_value()),
            Some(nulls) => nulls == row_group.num_rows().unsigned_abs() && self.least.is_null(index),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Float64Array, StringArray};
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ArrowReaderOptions;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    use super::*;

    const COLUMNS: [(&str, bool); 5] =
        [("day", true), ("source", true), ("labels", false), ("cost", true), ("not_in_the_file", true)];

    type Row<'a> = (i32, Option<&'a str>, Option<&'a str>, Option<f64>);
    /// Whether a row that stands for all has labels and a cost.
    type Typical = Option<(bool, bool)>;

    fn batch(rows: &[Row<'_>]) -> RecordBatch {
        let day: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Date32Array>());
        let source: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
        let labels: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>());
        let cost: ArrayRef = Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>());
        let columns = [("day", day, true), ("source", source, true), ("labels", labels, true), ("cost", cost, true)];
        RecordBatch::try_from_iter_with_nullable(columns).expect("rows")
    }

    fn typical(row_groups: &[&[Row<'_>]], statistics: EnabledStatistics) -> Vec<Typical> {
        let properties = WriterProperties::builder().set_statistics_enabled(statistics).build();
        let schema = batch(&[]).schema();
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).expect("a writer");
        for rows in row_groups {
            writer.write(&batch(rows)).and_then(|()| writer.flush()).expect("written");
        }
        let file = Bytes::from(writer.into_inner().expect("a file"));
        let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).expect("a footer");
        let typical = rows(&footer, &BTreeMap::from(COLUMNS)).expect("statistics that can be read");
        let has = |row: &RecordBatch, column: &str| row.column_by_name(column).expect("a column").is_valid(0);
        typical.iter().map(|row| row.as_ref().map(|row| (has(row, "labels"), has(row, "cost")))).collect()
    }

    #[test]
    fn a_row_stands_for_others_only_if_nothing_tells_them_apart() {
        let (long, longer) = ("l".repeat(100), "l".repeat(101));
        let row_groups: [(&[Row<'_>], Typical); 9] = [
            (&[(1, Some("Pod"), Some("x"), None), (1, Some("Pod"), Some("y"), None)], Some((true, false))),
            (&[(1, Some("Pod"), None, Some(2.5)), (1, Some("Pod"), None, Some(2.5))], Some((false, true))),
            (&[(1, None, None, None)], Some((false, false))),
            (&[(1, Some("Pod"), None, None), (2, Some("Pod"), None, None)], None),
            (&[(1, Some("Pod"), None, None), (1, None, None, None)], None),
            (&[(1, Some("Pod"), None, None), (1, Some("Pod"), Some("x"), None)], None),
            (&[(1, Some(&long), None, None), (1, Some(&longer), None, None)], None),
            // To the file a zero may have either sign.
            (&[(1, Some("Pod"), None, Some(0.0))], None),
            (&[(1, Some("Pod"), None, Some(f64::NAN))], None),
        ];
        let (rows, expected): (Vec<_>, Vec<_>) = row_groups.into_iter().unzip();
        assert_eq!(typical(&rows, EnabledStatistics::Chunk), expected);
        assert_eq!(typical(&rows[..3], EnabledStatistics::None), [None; 3]);
    }
}
