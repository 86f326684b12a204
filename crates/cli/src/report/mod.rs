//! What the command says: data and the summary on stdout; progress, logs and errors on stderr.

pub(crate) mod columns;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod plan;
mod progress;
pub(crate) mod summary;

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::HumanCount;
use tokaki_core::pipeline::{Event, Observer, Plan};

use crate::config::settings::{LogFormat, LogLevel, LogSettings};

/// Writes data. A reader that has seen enough and closed the pipe is no error.
pub(crate) fn stdout(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

/// A number of files, in words.
fn files(number: usize) -> String {
    format!("{} {}", HumanCount(number as u64), if number == 1 { "file" } else { "files" })
}

/// Writes what is not data.
fn stderr(text: &str) {
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Follows a run: passes events to the voice that fits, and keeps what the summary needs.
pub(crate) struct Reporter {
    voice: Box<dyn Voice>,
    plan: OnceLock<Plan>,
    committing: AtomicBool,
}

/// One way to tell a run.
trait Voice: Observer {
    /// The run is over, well or not: whatever is still on the screen goes.
    fn end(&self) {}
}

struct Silence;

impl Observer for Silence {
    fn event(&self, _: &Event<'_>) {}
}

impl Voice for Silence {}

impl Reporter {
    /// The reporter for these settings: JSON lines, a progress bar on a terminal, log lines elsewhere.
    pub(crate) fn new(log: &LogSettings, quiet: bool) -> Self {
        let voice: Box<dyn Voice> = match log.format {
            _ if quiet || log.level < LogLevel::Info => Box::new(Silence),
            LogFormat::Json => Box::new(json::Lines),
            LogFormat::Text if std::io::stderr().is_terminal() => Box::new(progress::Progress::new()),
            LogFormat::Text => Box::new(log::Lines),
        };
        Self { voice, plan: OnceLock::new(), committing: AtomicBool::new(false) }
    }

    /// The plan, once it stands.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.get()
    }

    /// Whether the rows may be visible already.
    pub(crate) fn is_committing(&self) -> bool {
        self.committing.load(Ordering::Relaxed)
    }

    /// Clears what is still on the screen.
    pub(crate) fn end(&self) {
        self.voice.end();
    }
}

impl Observer for Reporter {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { plan } => {
                self.plan.set((*plan).clone()).ok();
            }
            Event::Committing => self.committing.store(true, Ordering::Relaxed),
            _ => {}
        }
        self.voice.event(event);
    }
}
