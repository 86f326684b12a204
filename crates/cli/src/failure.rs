//! An error, and what only the command line knows about it.

use tokaki_core::{Error, ErrorKind};

use crate::exit::Exit;

/// Aftermath of a run that did not get far enough to touch anything.
pub(crate) const NOTHING_CHANGED: &str = "nothing was changed";

/// Why the command ends early. Rendered once, by [`crate::report::error`].
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong; free of secrets.
    pub(crate) error: Error,
    /// The code that the command ends with.
    pub(crate) exit: Exit,
    /// Where the setting at fault was given, for instance `tokaki.toml:6`.
    pub(crate) origin: Option<String>,
    /// What the failure left behind, if the command could have changed anything.
    pub(crate) aftermath: Option<&'static str>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let error = match error.kind() {
            ErrorKind::Bug => error.help("please report this, with the command line and the version"),
            _ => error,
        };
        Self { exit: Exit::of(error.kind()), error, origin: None, aftermath: None }
    }
}

impl Failure {
    /// Says that a run never began.
    #[must_use]
    pub(crate) fn before_the_run(mut self) -> Self {
        self.aftermath = Some(NOTHING_CHANGED);
        self
    }

    /// Says where the setting at fault was given, unless that is known already.
    #[must_use]
    pub(crate) fn given_at(mut self, origin: Option<String>) -> Self {
        self.origin = self.origin.or(origin);
        self
    }
}
