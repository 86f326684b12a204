//! Shorthand for the definitions of destination tables, and columns that are built the same way everywhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder};
use tokaki_core::{Field, FieldKind};

/// A column that may be null.
pub(crate) const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind, nullable: true }
}

/// A column that may not be null.
pub(crate) const fn required(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind, nullable: false }
}

/// A text of each row.
pub(crate) fn texts<R>(rows: &[R], of: impl Fn(&R) -> Option<&str>) -> ArrayRef {
    let mut texts = StringBuilder::with_capacity(rows.len(), rows.len() * 16);
    rows.iter().for_each(|row| texts.append_option(of(row)));
    Arc::new(texts.finish())
}

/// The same text in `rows` rows.
pub(crate) fn constant(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

/// Which text it is, without reading it: rows have most of their texts from one table of distinct ones. Two that differ may
/// still be alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seen(Option<(*const u8, usize)>);

impl Seen {
    /// The text, or null.
    pub(crate) fn of(text: Option<&str>) -> Self {
        Self(text.map(|text| (text.as_ptr(), text.len())))
    }
}
