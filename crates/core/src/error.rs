//! One error type: what went wrong, where, and what to do about it.
//!
//! Whoever knows a part of the place adds it once, on the way up: the fold knows the column, the runner the file and
//! the row group. The command line renders an error once and turns its [`ErrorKind`] into an exit code.

use std::fmt;

/// A result whose error has a place.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What callers act on. Everything else about an error is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A setting is unknown, of a wrong type, or contradicts another one.
    Config,
    /// The folder or file that a setting names is not there.
    Absent,
    /// Nothing was found where line items were expected.
    Empty,
    /// Far fewer rows than before would be written.
    Shrunk,
    /// The asked days do not lie in one month (spec § 11).
    Range,
    /// A file cannot be read as Parquet.
    Parquet,
    /// A required column is missing.
    Column,
    /// A column or value has a type that does not belong there.
    Type,
    /// Label text is not a flat JSON object (spec § 4).
    Label,
    /// A cost-category pattern is malformed (spec § 6).
    Pattern,
    /// Reference data is incomplete or malformed.
    Reference,
    /// The object store or disk did not answer as it should.
    Store,
    /// A file was replaced, changed or removed while it was read.
    Changed,
    /// The database did not answer as it should.
    Database,
    /// Access was refused.
    Access,
    /// Another run holds the rows that are to be replaced.
    Held,
    /// The run may not have the memory or disk that it needs.
    Limit,
    /// The destination exists but is not what its definition says.
    Destination,
    /// The run was cancelled from outside.
    Cancelled,
    /// tokaki broke one of its own invariants.
    Bug,
}

impl ErrorKind {
    /// The kind's stable name, as logs and scripts see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Absent => "absent",
            Self::Empty => "empty",
            Self::Shrunk => "shrunk",
            Self::Range => "range",
            Self::Parquet => "parquet",
            Self::Column => "column",
            Self::Type => "type",
            Self::Label => "label",
            Self::Pattern => "pattern",
            Self::Reference => "reference",
            Self::Store => "store",
            Self::Changed => "changed",
            Self::Database => "database",
            Self::Access => "access",
            Self::Held => "held",
            Self::Limit => "limit",
            Self::Destination => "destination",
            Self::Cancelled => "cancelled",
            Self::Bug => "bug",
        }
    }
}

/// Where in the data something is. Every part is optional; what is known is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Source table, for instance `openshift_pod_usage_line_items_daily`.
    pub table: Option<String>,
    /// File as the user would name it.
    pub file: Option<String>,
    /// Row group inside the file, counted from 0.
    pub row_group: Option<usize>,
    /// Column inside the table.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row_group = self.row_group.map(|n| n.to_string());
        let parts = [
            ("table", self.table.as_deref()),
            ("file", self.file.as_deref()),
            ("row group", row_group.as_deref()),
            ("column", self.column.as_deref()),
        ];
        let mut separator = "";
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, "{separator}{name} {value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Something failed. The message is a lowercase fragment without the place; `help` says what to do.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Place,
    key: Option<String>,
    help: Option<String>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), place: Place::default(), key: None, help: None }))
    }

    /// A setting that cannot be used; `key` is its dotted path.
    pub fn config(key: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Config, message);
        error.0.key = Some(key.into());
        error
    }

    /// A broken invariant of tokaki itself.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// Names the column, unless it is named already.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.0.place.column.get_or_insert_with(|| column.into());
        self
    }

    /// Fills the parts of the place that are not known yet.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        let own = &mut self.0.place;
        if own.table.is_none() {
            own.table.clone_from(&place.table);
        }
        if own.file.is_none() {
            own.file.clone_from(&place.file);
        }
        if own.row_group.is_none() {
            own.row_group = place.row_group;
        }
        if own.column.is_none() {
            own.column.clone_from(&place.column);
        }
        self
    }

    /// Says what the user can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
        self
    }

    /// What callers act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What failed, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it failed.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The dotted path of the setting at fault, if a setting is at fault.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What to do about it, where something can be said.
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.kind.name())?;
        if let Some(key) = &self.0.key {
            write!(f, "`{key}`: ")?;
        }
        f.write_str(&self.0.message)?;
        if self.0.place != Place::default() {
            write!(f, " ({})", self.0.place)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_added_on_the_way_up_and_never_overwritten() {
        let chunk = Place {
            table: Some("t".into()),
            file: Some("f.parquet".into()),
            row_group: Some(2),
            column: Some("other".into()),
        };
        let error = Error::new(ErrorKind::Type, "expected a number").column("cpu").at(&chunk);
        assert_eq!(error.to_string(), "type: expected a number (table t, file f.parquet, row group 2, column cpu)");
    }
}
