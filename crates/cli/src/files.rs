//! How many files the process may have open, and what follows from that.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokaki_core::{Error, ErrorKind, Result};

/// Open besides what is fetched: standard streams, the runtime's own, the database, a draft for each table, footers.
const BESIDES: u64 = 48;
/// A row group of a bucket is fetched in so many pieces at once.
const OF_A_FETCH: u64 = 8;
/// One is fetched while another one waits to be folded.
const LEAST_FETCHES: u64 = 2;

/// The most files that the system lets the process have open. Shells give less at first, for programs of old that cannot
/// deal with more, and let each process take the rest; that is done here.
pub(crate) fn take_what_is_allowed() -> u64 {
    let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    if now < most && setrlimit(Resource::RLIMIT_NOFILE, most, most).is_ok() { most } else { now }
}

/// So many row groups can be fetched at once by a process that may have so many files open.
///
/// # Errors
/// `Limit`, with what is needed.
pub(crate) fn fetches(allowed: u64) -> Result<usize> {
    let least = BESIDES + LEAST_FETCHES * OF_A_FETCH;
    if allowed < least {
        let message = format!("the process may have {allowed} files open, and needs {least}");
        return Err(
            Error::new(ErrorKind::Limit, message).help(format!("allow more, for instance with ulimit -n {least}"))
        );
    }
    Ok(usize::try_from((allowed - BESIDES) / OF_A_FETCH).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_open_more_fetches_more_at_once() {
        assert_eq!(fetches(64).expect("the least"), 2);
        assert_eq!(fetches(1024).expect("what is usual"), 122);
        assert!(fetches(u64::MAX).expect("no limit") > 1_000_000);
        let error = fetches(63).expect_err("too few");
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.message().contains("63 files open, and needs 64"), "{error}");
    }
}
