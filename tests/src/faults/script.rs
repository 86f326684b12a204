//! Which request goes wrong, and how.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A listing.
    List,
    /// Bytes of an object.
    Get,
    /// Anything else.
    Other,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it asked for.
    pub operation: Operation,
    /// Path and query.
    pub target: String,
    /// Its `Range`.
    pub range: Option<String>,
}

/// How a request goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// An error answer.
    Status {
        /// HTTP status.
        status: u16,
        /// S3's code.
        code: &'static str,
        /// Seconds to wait, as the server wishes.
        retry_after: Option<u32>,
    },
    /// Status 200 with an error in the body.
    ErrorPage,
    /// The answer comes later.
    Delay(Duration),
    /// No answer comes.
    Silence,
    /// The connection ends after so many bytes of the body.
    CutAfter(usize),
    /// The body ends so many bytes before its announced length.
    ShortBy(usize),
    /// Nothing comes after so many bytes of the body.
    StallAfter(usize),
    /// A byte of the body is another one.
    Garble {
        /// Which one.
        seed: u64,
    },
    /// Something happens just before the request is answered.
    Before(Arc<dyn Fn() + Send + Sync>),
}

impl Fault {
    /// The store is too busy.
    pub fn slow_down(retry_after: Option<u32>) -> Self {
        Self::Status { status: 503, code: "SlowDown", retry_after }
    }

    /// The store broke.
    pub fn internal_error() -> Self {
        Self::Status { status: 500, code: "InternalError", retry_after: None }
    }

    /// Access is refused.
    pub fn denied() -> Self {
        Self::Status { status: 403, code: "AccessDenied", retry_after: None }
    }

    /// `action` happens just before the request is answered.
    pub fn before(action: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(action))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { status, code, retry_after } => write!(f, "{status} {code} {retry_after:?}"),
            Self::ErrorPage => f.write_str("200 with an error"),
            Self::Delay(delay) => write!(f, "delay of {delay:?}"),
            Self::Silence => f.write_str("silence"),
            Self::CutAfter(bytes) => write!(f, "cut after {bytes} bytes"),
            Self::ShortBy(bytes) => write!(f, "short by {bytes} bytes"),
            Self::StallAfter(bytes) => write!(f, "stall after {bytes} bytes"),
            Self::Garble { seed } => write!(f, "garbled by {seed}"),
            Self::Before(_) => f.write_str("an action before"),
        }
    }
}

/// A fault, and the requests that it happens to.
#[derive(Debug, Clone)]
pub struct Rule {
    operation: Option<Operation>,
    target: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

impl Rule {
    /// `fault` happens to every request.
    pub fn always(fault: Fault) -> Self {
        Self { operation: None, target: String::new(), skip: 0, times: usize::MAX, fault }
    }

    /// Only to requests of this kind.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only to requests whose path or query holds `text`.
    #[must_use]
    pub fn to(mut self, text: &str) -> Self {
        self.target = text.to_owned();
        self
    }

    /// Not to the first `requests` of them.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Only to so many of them.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn applies(&mut self, seen: &Seen) -> bool {
        if self.operation.is_some_and(|operation| operation != seen.operation) || !seen.target.contains(&self.target) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let applies = self.times > 0;
        self.times = self.times.saturating_sub(1);
        applies
    }
}

/// What goes wrong, in the order of requests.
#[derive(Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
    chance: Option<fastrand::Rng>,
}

impl Script {
    /// These rules; of several for a request the first one counts.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), chance: None }
    }

    /// Every third request goes wrong, in a way that a second try may survive.
    pub fn random(seed: u64) -> Self {
        Self { rules: Vec::new(), chance: Some(fastrand::Rng::with_seed(seed)) }
    }

    /// The fault of the next request.
    pub fn next(&mut self, seen: &Seen) -> Option<Fault> {
        if let Some(chance) = self.chance.as_mut() {
            return (chance.u8(..3) == 0).then(|| match chance.u8(..6) {
                0 => Fault::slow_down(None),
                1 => Fault::internal_error(),
                2 => Fault::ErrorPage,
                3 => Fault::CutAfter(chance.usize(..8192)),
                4 => Fault::Status { status: 502, code: "BadGateway", retry_after: None },
                _ => Fault::Delay(Duration::from_millis(chance.u64(..30))),
            });
        }
        self.rules.iter_mut().find_map(|rule| rule.applies(seen).then(|| rule.fault.clone()))
    }
}
