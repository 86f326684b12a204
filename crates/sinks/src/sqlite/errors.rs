//! What SQLite says, in our words.

use std::path::Path;

use sea_orm::{DbErr, RuntimeErr};
use tokaki_core::{Error, ErrorKind};

use crate::disk::place_of;

/// An error of sea-orm about `file`.
pub(super) fn sqlite_error(file: &Path, error: &DbErr) -> Error {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => sqlx_error(file, error),
        other => Error::new(ErrorKind::Database, other.to_string()).at(&place_of(file)),
    }
}

/// An error of the driver about `file`.
pub(super) fn sqlx_error(file: &Path, error: &sqlx::Error) -> Error {
    let Some(database) = error.as_database_error() else {
        return Error::new(ErrorKind::Database, error.to_string()).at(&place_of(file));
    };
    // The low byte is the primary result code (<https://www.sqlite.org/rescode.html>).
    let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default() & 0xff;
    let (kind, help) = match code {
        5 | 6 => (
            ErrorKind::Held,
            Some("another program is writing; run again when it has finished, or set sink.lock_wait_seconds"),
        ),
        3 | 8 | 23 => (ErrorKind::Access, Some("the database file and its folder must be writable")),
        10 | 13 | 14 => (ErrorKind::Store, Some("look whether the disk is full or read-only")),
        11 | 26 => (ErrorKind::Destination, Some("name another file, or move this one away")),
        _ => (ErrorKind::Database, None),
    };
    let error = Error::new(kind, database.message()).at(&place_of(file));
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}
