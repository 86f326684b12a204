//! What opendal says, in our words.

use std::error::Error as StdError;

use opendal::layers::RetryEvent;
use tokaki_core::{Error, ErrorKind};

/// Adds the file to an error.
pub(crate) trait AtFile {
    /// Names the file as the user would.
    fn at_file(self, shown: &str) -> Self;
}

impl AtFile for Error {
    fn at_file(self, shown: &str) -> Self {
        self.at(&tokaki_core::Place { file: Some(shown.to_owned()), ..Default::default() })
    }
}

/// An error of the store, by what the user can do about it.
pub(crate) fn store_error(error: opendal::Error) -> Error {
    let said = said(&error);
    match error.kind() {
        _ if code(&error) == Some("RequestTimeTooSkewed") => {
            Error::new(ErrorKind::Access, format!("the store refused the time of the request: {said}"))
                .help("set the clock of this machine, or that of the store")
        }
        opendal::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::Access, format!("the store refused access: {said}"))
                .help("check the credentials and what they may read")
        }
        _ if is_about_credentials(&error) => {
            Error::new(ErrorKind::Access, format!("the store refused the credentials: {said}"))
                .help("set store.access_key_id and store.secret_access_key, or AWS's own variables or files")
        }
        opendal::ErrorKind::ConditionNotMatch => changed(),
        opendal::ErrorKind::ConfigInvalid if code(&error) == Some("NoSuchBucket") => {
            Error::new(ErrorKind::Absent, "there is no such bucket").help("store.url names the bucket")
        }
        opendal::ErrorKind::ConfigInvalid => Error::config("store.url", said),
        _ => Error::new(ErrorKind::Store, format!("the store did not answer as it should: {said}")),
    }
}

/// A file that is not what was listed any more.
pub(super) fn changed() -> Error {
    Error::new(ErrorKind::Changed, "the file was replaced or changed after it was listed")
        .help("run again: a run reads either the old or the new file, never parts of both")
}

/// Whether reading the credentials anew may help: they were refused, or were none.
pub(super) fn is_about_credentials(error: &opendal::Error) -> bool {
    /// S3 answers these with status 400, which says nothing.
    const CODES: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];
    error.kind() == opendal::ErrorKind::PermissionDenied
        || code(error).is_some_and(|code| CODES.contains(&code))
        || said(error).contains("signing credential")
}

/// Tells about a retry in one line.
pub(super) fn tell_retry(event: RetryEvent<'_>) {
    let seconds = event.retry_after.as_secs_f64();
    tracing::warn!("the store did not answer ({}): trying again in {seconds:.1} s", said(event.err));
}

/// What went wrong and why at bottom, in one line. opendal's own text adds urls, layers and backtraces.
pub(crate) fn said(error: &opendal::Error) -> String {
    /// An error page of a proxy is longer than anybody reads.
    const LONGEST: usize = 300;
    let text = match (code(error), field(error, "message"), root(error)) {
        (Some(code), Some(message), _) => format!("{message} ({code})"),
        (_, _, Some(root)) => format!("{}: {root}", error.message()),
        _ => error.message().to_owned(),
    };
    // What a server says may hold anything, also what would forge a line of the log.
    text.chars().take(LONGEST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The error at the bottom of `error`.
pub(super) fn root(error: &dyn StdError) -> Option<&(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source()).last()
}

/// The code of an S3 error, for instance `AccessDenied`.
fn code(error: &opendal::Error) -> Option<&str> {
    field(error, "code").filter(|code| !code.is_empty())
}

/// opendal hands S3's answer over as the debug text of its fields.
fn field<'a>(error: &'a opendal::Error, name: &str) -> Option<&'a str> {
    let fields = error.message().strip_prefix("S3Error {")?;
    let (_, value) = fields.split_once(&format!(" {name}: \""))?;
    value.split_once("\",").map(|(value, _)| value)
}
