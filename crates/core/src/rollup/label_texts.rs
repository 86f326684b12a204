//! The texts of label columns, numbered once for all who fold them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};

use super::interner::{Interner, TextIds};
use crate::error::{Error, Result};
use crate::input::{ColumnKind, WantedColumn};

/// The distinct texts of label columns, for as long as chunks are folded into the same states.
///
/// Labels are most of a file's bytes, and the same from hour to hour. A decoder that numbers them as they leave their pages
/// reads them while they are in the processor's caches. What decoders left is numbered before it is folded, so that each
/// text is looked up once, however many aggregators want it.
#[derive(Debug, Clone, Default)]
pub struct LabelTexts {
    columns: BTreeMap<String, LabelColumn>,
}

/// The distinct texts of a column.
#[derive(Debug, Clone)]
pub struct LabelColumn {
    identity: u64,
    texts: Interner,
    ids: TextIds,
}

impl LabelColumn {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let identity = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { identity, texts: Interner::default(), ids: TextIds::default() }
    }

    /// Another one for each column that began empty: its numbers mean nothing elsewhere.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// The texts by their numbers.
    pub fn texts(&self) -> &Interner {
        &self.texts
    }
}

impl LabelTexts {
    /// Numbers of the texts in a column, of a type that [`TextIds::of_column`] knows; 0 for null.
    ///
    /// # Errors
    /// `Type`, with the column, if bytes are not UTF-8.
    pub fn number(&mut self, name: &str, column: &ArrayRef) -> Result<&[u32]> {
        if !self.columns.contains_key(name) {
            self.columns.insert(name.to_owned(), LabelColumn::new());
        }
        let LabelColumn { texts, ids, .. } = self.columns.get_mut(name).expect("it was made if it was missing");
        ids.of_column(texts, column).map_err(|error| error.column(name))
    }

    /// The rows with numbers in all label columns among `wanted`, except in those that the file lacks.
    ///
    /// # Errors
    /// As for [`LabelTexts::number`].
    pub fn number_all(&mut self, batch: RecordBatch, wanted: &[WantedColumn]) -> Result<RecordBatch> {
        let is_label =
            |name: &str| wanted.iter().any(|column| column.kind == ColumnKind::Labels && column.name == name);
        let is_left =
            |field: &Field| is_label(field.name()) && !matches!(field.data_type(), DataType::UInt32 | DataType::Null);
        let (schema, mut columns, _) = batch.into_parts();
        let mut fields = schema.fields().to_vec();
        for (field, column) in fields.iter_mut().zip(&mut columns).filter(|(field, _)| is_left(field)) {
            let numbers = self.number(field.name(), column)?.to_vec();
            *column = Arc::new(UInt32Array::from(numbers));
            *field = Arc::new(Field::new(field.name(), DataType::UInt32, true));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| Error::bug(error.to_string()))
    }

    /// A column, if any of its texts was numbered.
    pub fn column(&self, name: &str) -> Option<&LabelColumn> {
        self.columns.get(name)
    }

    /// The texts of a numbered column, row by row. For those who look at rows one by one.
    pub fn texts(&self, name: &str, numbers: &UInt32Array) -> StringViewArray {
        let texts = self.column(name);
        numbers.values().iter().map(|number| texts.and_then(|column| column.texts.text(*number))).collect()
    }
}
