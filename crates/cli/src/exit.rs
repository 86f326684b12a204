//! Exit codes. Scripts and schedulers act on them, so a code never changes its meaning.
//!
//! | Code | Meaning | Error kinds |
//! |---|---|---|
//! | 0 | done | |
//! | 1 | tokaki broke one of its own invariants | `bug` |
//! | 2 | the command line is malformed | |
//! | 3 | done without the files that `--quarantine` left out | |
//! | 10 | the configuration, the asked days or the destination table must be corrected | `config`, `absent`, `range`, `destination` |
//! | 11 | there are no line items, or so few that a day would shrink by more than is allowed | `empty`, `shrunk` |
//! | 12 | the input is broken | `parquet`, `column`, `type`, `label`, `pattern`, `reference` |
//! | 13 | another run holds the rows that are to be replaced | `held` |
//! | 20 | the object store or disk failed, or a file changed while it was read | `store`, `changed` |
//! | 21 | the database failed | `database` |
//! | 22 | the run may not have the memory, or the open files, that it needs | `limit` |
//! | 30 | access was refused | `access` |
//! | 130 | interrupted by SIGINT | `cancelled` |
//! | 143 | terminated by SIGTERM | `cancelled` |
//!
//! 4 is reserved. Whatever the code but 0 and 3, the destination holds what it held before, unless the message says that
//! the result was being written.

use std::process::ExitCode;

use tokaki_core::ErrorKind;

/// The table of this module, as `tokaki --help` shows it.
pub const HELP: &str = "\
Exit codes:
    0  done
    1  a bug in tokaki
    2  wrong usage of the command line
    3  done, without the files that --quarantine left out
   10  configuration, asked days or destination table must be corrected
   11  no line items, or so few that a day would shrink by more than is allowed
   12  the input is broken
   13  another run holds the rows that are to be replaced
   20  object store or disk failed, or a file changed meanwhile
   21  database failed
   22  not enough memory, or too few open files
   30  access refused
  130  interrupted (SIGINT), 143 terminated (SIGTERM)";

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A bug in tokaki.
    Bug = 1,
    /// The command line is malformed.
    Usage = 2,
    /// Done, without the files that were left out.
    Quarantined = 3,
    /// Configuration, asked days or destination table must be corrected.
    Configuration = 10,
    /// There are no line items, or far fewer than before.
    Empty = 11,
    /// The input is broken.
    Input = 12,
    /// Another run holds the rows.
    Held = 13,
    /// The object store or disk failed.
    Store = 20,
    /// The database failed.
    Database = 21,
    /// Not enough memory, or too few open files.
    Limit = 22,
    /// Access was refused.
    Access = 30,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Terminated by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The code for an error of `kind`.
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Bug => Self::Bug,
            ErrorKind::Config | ErrorKind::Absent | ErrorKind::Range | ErrorKind::Destination => Self::Configuration,
            ErrorKind::Empty | ErrorKind::Shrunk => Self::Empty,
            ErrorKind::Parquet
            | ErrorKind::Column
            | ErrorKind::Type
            | ErrorKind::Label
            | ErrorKind::Pattern
            | ErrorKind::Reference => Self::Input,
            ErrorKind::Held => Self::Held,
            ErrorKind::Limit => Self::Limit,
            ErrorKind::Store | ErrorKind::Changed => Self::Store,
            ErrorKind::Database => Self::Database,
            ErrorKind::Access => Self::Access,
            ErrorKind::Cancelled => Self::Interrupted,
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_meaning() {
        let codes = [
            (ErrorKind::Bug, 1),
            (ErrorKind::Config, 10),
            (ErrorKind::Absent, 10),
            (ErrorKind::Range, 10),
            (ErrorKind::Destination, 10),
            (ErrorKind::Empty, 11),
            (ErrorKind::Shrunk, 11),
            (ErrorKind::Parquet, 12),
            (ErrorKind::Column, 12),
            (ErrorKind::Type, 12),
            (ErrorKind::Label, 12),
            (ErrorKind::Pattern, 12),
            (ErrorKind::Reference, 12),
            (ErrorKind::Held, 13),
            (ErrorKind::Limit, 22),
            (ErrorKind::Store, 20),
            (ErrorKind::Changed, 20),
            (ErrorKind::Database, 21),
            (ErrorKind::Access, 30),
            (ErrorKind::Cancelled, 130),
        ];
        for (kind, code) in codes {
            assert_eq!(Exit::of(kind).code(), code, "{}", kind.name());
            assert!(HELP.contains(&format!(" {code} ")), "{code} is not in the help");
        }
    }
}
