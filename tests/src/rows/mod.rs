//! Rows in one comparable form, wherever they were written.

pub mod files;
pub mod sql;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use value::Value;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, also that of a uuid.
    Text,
    /// Integer of any width.
    Integer,
    /// A measure.
    Number,
    /// Calendar day.
    Date,
    /// JSON in a text.
    Json,
}

/// A column that is to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: Kind,
}

/// Cells by column name.
pub type Row = BTreeMap<Arc<str>, Value>;

impl Column {
    /// The column `name` of `kind`, or of what its name says where text may stand for more.
    fn new(name: &str, kind: Kind) -> Self {
        let is_json =
            name.ends_with("_labels") || ["infrastructure_usage_cost", "tags", "aws_cost_category"].contains(&name);
        let kind = match kind {
            Kind::Text if is_json => Kind::Json,
            Kind::Text if ["usage_start", "usage_end"].contains(&name) => Kind::Date,
            kind => kind,
        };
        Self { name: name.into(), kind }
    }
}
