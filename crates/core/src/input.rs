//! What an aggregator wants to read: tables, columns and their kinds, or another aggregator's rows.

use std::fmt;

use serde::Serialize;

use crate::member;
use crate::scope::DateRange;

/// Position of an input in [`crate::Aggregator::inputs`].
pub type InputId = usize;

/// Whether a table has a row per hour or per day (spec § 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// One row per object and hour.
    Hourly,
    /// The hourly rows of a day, grouped.
    Daily,
}

impl Grain {
    /// Both grains, in the order of [`Grain::index`].
    pub const ALL: [Self; 2] = [Self::Hourly, Self::Daily];

    /// Position in an array that holds something for each grain.
    pub fn index(self) -> usize {
        match self {
            Self::Hourly => 0,
            Self::Daily => 1,
        }
    }
}

/// Provider of line items whose tables are called `openshift_…`.
pub const OPENSHIFT: &str = "OCP";

/// A table of line items: what it reports, and how finely.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TableName {
    /// Kind of the source as paths name it, for instance [`OPENSHIFT`].
    pub provider: &'static str,
    /// Report type of the path, for instance `pod_usage`. A provider with one report type calls it `line_items`.
    pub report_type: &'static str,
    /// Hourly or daily.
    pub grain: Grain,
}

impl fmt::Display for TableName {
    /// Koku's name of the table, for instance `openshift_pod_usage_line_items_daily`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.grain == Grain::Daily { "_daily" } else { "" };
        match self.provider {
            OPENSHIFT => write!(f, "openshift_{}_line_items{suffix}", self.report_type),
            provider => write!(f, "{}_{}{suffix}", provider.to_ascii_lowercase(), self.report_type),
        }
    }
}

/// A table of one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TableOf {
    /// Uuid of the source, if it is another one than the run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The table.
    #[serde(flatten)]
    pub table: TableName,
}

/// What a reader makes of a column, whatever the file holds (reader rules of spec § 2).
///
/// A column that a file lacks arrives as an all-null array of type `Null`, so that a fold can tell "no such column"
/// from "no value".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// `Timestamp(Nanosecond, None)`, UTC.
    Instant,
    /// `Float64`; may hold NaN, which counts as null, and infinities, which are errors.
    Number,
    /// `Utf8View` or `Dictionary(Int32, Utf8)`.
    Text,
    /// JSON text, also where the file holds a map. From a decoder like [`ColumnKind::Text`], or `UInt32` with the numbers of
    /// texts in the [`crate::rollup::LabelTexts`] that it was given; in a chunk always these: see [`crate::Chunk::labels`].
    Labels,
}

/// A column and what it is wanted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct WantedColumn {
    /// Name in the file.
    pub name: &'static str,
    /// Wanted kind.
    pub kind: ColumnKind,
    /// If there are any: the column is wanted only from files that lack one of these columns. From other files it
    /// arrives as if it were missing, and is not read.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub only_without: &'static [&'static str],
}

impl WantedColumn {
    /// The column from every file.
    pub const fn new(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, only_without: &[] }
    }

    /// The column from files that lack one of `columns`.
    #[must_use]
    pub const fn only_without(self, columns: &'static [&'static str]) -> Self {
        Self { only_without: columns, ..self }
    }
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The table of this report type with a row per hour.
    Hourly(&'static str),
    /// The daily table, or the hourly one where the daily is to be derived (spec § 12, `reader.pods`).
    DailyOrDerived(&'static str),
    /// The daily table, if there is one.
    Daily(&'static str),
    /// The rows that another aggregator finished, whole, before the first chunk.
    OutputOf(&'static str),
}

/// One thing that an aggregator reads.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where it comes from.
    pub source: Source,
    /// Kind of the source whose table it is.
    pub provider: &'static str,
    /// Uuid of the source whose table or aggregator is meant, if it is another one than the run's own.
    pub of: Option<String>,
    /// Which output is taken of [`Source::OutputOf`].
    pub output: usize,
    /// Column that dates a row; empty for [`Source::OutputOf`].
    pub time_column: &'static str,
    /// Further columns, in the aggregator's own order; empty for [`Source::OutputOf`].
    pub columns: Vec<WantedColumn>,
    /// Whether all rows of the month's partition are wanted, whatever their day.
    pub whole_partition: bool,
}

impl Input {
    /// Rows of a table dated by `interval_start`, with these columns beside it, of the asked days.
    pub fn table(source: Source, columns: Vec<WantedColumn>) -> Self {
        Self {
            source,
            provider: OPENSHIFT,
            of: None,
            output: 0,
            time_column: "interval_start",
            columns,
            whole_partition: false,
        }
    }

    /// The same table of another kind of source, whose rows are dated by `time_column`.
    #[must_use]
    pub fn of_provider(self, provider: &'static str, time_column: &'static str) -> Self {
        Self { provider, time_column, ..self }
    }

    /// The same of the source with this uuid, whatever the run's own source is.
    #[must_use]
    pub fn of_source(self, uuid: &str) -> Self {
        Self { of: Some(uuid.to_owned()), ..self }
    }

    /// The same of all days in the month's partition.
    #[must_use]
    pub fn of_whole_partition(self) -> Self {
        Self { whole_partition: true, ..self }
    }

    /// Another aggregator's finished rows.
    pub fn output_of(aggregator: &'static str) -> Self {
        Self { time_column: "", ..Self::table(Source::OutputOf(aggregator), Vec::new()) }
    }

    /// The output at this position instead of the first.
    #[must_use]
    pub fn at_position(self, output: usize) -> Self {
        Self { output, ..self }
    }

    /// Name of the aggregator in the run whose output is taken, if one is.
    pub fn giver(&self) -> Option<String> {
        match self.source {
            Source::OutputOf(aggregator) => Some(member::name(aggregator, self.of.as_deref())),
            _ => None,
        }
    }

    /// The table of this grain that the input is about.
    pub fn table_of(&self, report_type: &'static str, grain: Grain) -> TableOf {
        TableOf { of: self.of.clone(), table: TableName { provider: self.provider, report_type, grain } }
    }
}

/// What one scan of a table must deliver.
#[derive(Debug, Clone, Serialize)]
pub struct Selection {
    /// Column that dates a row. Must exist in every file that has rows.
    pub time_column: &'static str,
    /// Columns beside it, each once, sorted by name.
    pub columns: Vec<WantedColumn>,
    /// Rows outside these days may be left out; they are never counted. `None` wants all dated rows.
    pub days: Option<DateRange>,
    /// Rows per chunk at most.
    pub chunk_rows: usize,
}
