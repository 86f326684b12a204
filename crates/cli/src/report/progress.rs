//! A bar on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use tokaki_core::pipeline::{Event, Observer};

use super::Voice;

/// One bar that counts rows.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that is not drawn before the plan stands.
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::no_length() }
    }

    fn style(&self, template: &str) {
        // The templates are constants below; one that does not parse would leave indicatif's own bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
    }
}

const WAITING: &str = "{spinner} {msg}";
const READING: &str = "{spinner} {msg} {bar:20} {human_pos}/{human_len} rows, {eta} left";

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { plan } => {
                self.style(WAITING);
                self.bar.enable_steady_tick(std::time::Duration::from_millis(100));
                self.bar.set_message(super::files(plan.files()));
            }
            Event::Started { rows, .. } => {
                self.style(READING);
                self.bar.reset();
                self.bar.set_length(*rows);
                self.bar.set_message("reading");
            }
            Event::SplitFolded { rows, .. } | Event::Recalled { rows, .. } => self.bar.inc(*rows),
            Event::BeganAnew { reason } => self.bar.println(format!("begun anew, more slowly: {reason}")),
            Event::FewerThreads { workers, reason } => {
                self.bar.println(format!("only {workers} worker(s): the system gives no more threads: {reason}"));
            }
            Event::Quarantined { file } => self.bar.println(format!("left out: {}", file.reason)),
            // Other windows are still being read.
            Event::Finished { .. } | Event::EntryIgnored { .. } => {}
            Event::Committing => {
                self.style(WAITING);
                self.bar.set_message("committing");
            }
            Event::Committed { .. } => self.bar.finish_and_clear(),
        }
    }
}

impl Voice for Progress {
    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
