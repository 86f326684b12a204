//! What a run needs, made of the settings.

use std::num::NonZeroUsize;

use bytesize::ByteSize;
use tokaki_core::pipeline::{EmptyInput, RunOptions};
use tokaki_core::{DateRange, Error, Result, Scope};
use uuid::Uuid;

use super::environment::variable_of;
use super::settings::Settings;
use crate::{files, memory};

impl Settings {
    /// What the run covers.
    ///
    /// # Errors
    /// `Config` for what is not set, `Range` for days that do not lie in one month.
    pub(crate) fn scope(&self) -> Result<Scope> {
        fn set<T: Clone>(value: Option<&T>, name: &str, flag: &str) -> Result<T> {
            value.cloned().ok_or_else(|| {
                let key = format!("scope.{name}");
                let variable = variable_of(&key);
                Error::config(&key, format!("`{key}` is not set"))
                    .help(format!("set it in the configuration file, as {variable}, with {flag}, or use --case DIR"))
            })
        }
        let scope = &self.scope;
        Ok(Scope {
            org: org(set(scope.org.as_ref(), "org", "--org")?)?,
            source_uuid: source_uuid(&set(scope.source_uuid.as_ref(), "source_uuid", "--source")?)?,
            days: DateRange::new(
                set(scope.start_date.as_ref(), "start_date", "--start-date")?,
                set(scope.end_date.as_ref(), "end_date", "--end-date")?,
            )?,
        })
    }

    /// How the run goes about it, with 0 replaced by what it stands for.
    ///
    /// # Errors
    /// `Config` for more workers than make sense and for what is no part of a day.
    pub(crate) fn options(&self) -> Result<RunOptions> {
        /// Far above any machine's cores; more threads would only fail to start.
        const MOST_WORKERS: usize = 1024;
        /// A row group of the size that Koku's files have.
        const BYTES_IN_FLIGHT_PER_WORKER: u64 = 8 << 20;
        /// What a worker needs for a cluster of 10,000 pods, fetched bytes and all (docs/performance.md).
        const MEMORY_PER_WORKER: u64 = 48 << 20;
        let budget = self.memory_budget()?;
        let all_cores = || {
            let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            let affordable = budget.map_or(u64::MAX, |bytes| bytes / MEMORY_PER_WORKER);
            cores.min(usize::try_from(affordable).unwrap_or(usize::MAX)).max(1)
        };
        let workers = match self.run.workers {
            0 => all_cores(),
            workers if workers <= MOST_WORKERS => workers,
            workers => {
                return Err(Error::config("run.workers", format!("expected at most {MOST_WORKERS}, found {workers}")));
            }
        };
        /// Of the budget, fetched bytes may take the part of one in so many.
        const PART_IN_FLIGHT: u64 = 8;
        let chunk_rows = if self.run.chunk_rows == 0 { usize::MAX } else { self.run.chunk_rows };
        Ok(RunOptions {
            mode: self.run.mode,
            workers,
            chunk_rows,
            window_rows: self.run.window_rows,
            bytes_in_flight: (workers as u64 * BYTES_IN_FLIGHT_PER_WORKER)
                .min(budget.map_or(u64::MAX, |bytes| bytes / PART_IN_FLIGHT)),
            fetches_at_once: files::fetches(files::take_what_is_allowed())?,
            frugal: false,
            daily_tables: self.reader.pods,
            empty_input: if self.run.allow_empty { EmptyInput::Allow } else { EmptyInput::Refuse },
            quarantine: self.run.quarantine,
            shrink_limit: self.shrink_limit()?,
        })
    }
}

impl Settings {
    fn shrink_limit(&self) -> Result<f64> {
        let limit = self.run.shrink_limit;
        if (0.0..=1.0).contains(&limit) {
            return Ok(limit);
        }
        Err(Error::config("run.shrink_limit", format!("expected a number from 0 to 1, found {limit}"))
            .help("0.5 lets a day lose half of its rows, 1 all of them"))
    }

    /// The memory to make do with, as far as anybody set a limit.
    ///
    /// # Errors
    /// `Config` for what is no size.
    pub(crate) fn memory_budget(&self) -> Result<Option<u64>> {
        let Some(text) = &self.run.memory_budget else { return Ok(memory::least_limit()) };
        let size: ByteSize = text.parse().map_err(|_| {
            Error::config("run.memory_budget", format!("expected a size, found {text:?}")).help("for instance 256MiB")
        })?;
        if size.as_u64() == 0 {
            return Err(
                Error::config("run.memory_budget", "nothing runs without memory").help("leave it unset for no limit")
            );
        }
        Ok(Some(size.as_u64()))
    }
}

/// A customer schema names a folder and a database schema, so it is a plain word.
fn org(org: String) -> Result<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !org.is_empty() && org.chars().all(plain) {
        return Ok(org);
    }
    Err(Error::config("scope.org", format!("expected letters, digits, `_` and `-`, found {org:?}"))
        .help("the customer schema, for instance org1234567"))
}

/// In the spelling that Koku's paths have: lower case, with dashes.
fn source_uuid(text: &str) -> Result<String> {
    let uuid = Uuid::parse_str(text).map_err(|_| {
        Error::config("scope.source_uuid", format!("expected a uuid, found {text:?}"))
            .help("the source's provider uuid")
    })?;
    Ok(uuid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stands_for_as_much_as_there_is() {
        let mut settings = Settings::default();
        settings.run.chunk_rows = 0;
        let options = settings.options().expect("good options");
        assert!(options.workers >= 1);
        assert_eq!(options.chunk_rows, usize::MAX);
        settings.run.workers = 1_000_000;
        assert_eq!(settings.options().expect_err("too many").key(), Some("run.workers"));
    }

    #[test]
    fn a_scope_has_all_its_parts() {
        let error = Settings::default().scope().expect_err("nothing is set");
        assert_eq!(error.key(), Some("scope.org"));
    }
}
