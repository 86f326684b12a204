//! A panic is a bug, and is reported like any other error.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use tokaki_core::Error;

use crate::failure::Failure;

/// The last panic, in Rust's own words and with its place.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// From now on panics are kept instead of printed: the runner turns some into errors of a file, and those must not
/// look like a crash.
pub(crate) fn remember() {
    panic::set_hook(Box::new(|panic| {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic.to_string().replace('\n', " "));
    }));
}

/// Does the work; a panic becomes a failure.
///
/// # Errors
/// Those of the work, or `Bug`.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(Error::bug(last.unwrap_or_else(|| "panicked".to_owned())).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_panic_is_a_bug_and_not_a_crash() {
        let failure = caught::<()>(|| panic!("an invariant broke")).expect_err("it panicked");
        assert_eq!(failure.exit, Exit::Bug);
        assert!(failure.error.help_text().is_some_and(|help| help.contains("please report this")));
    }
}
