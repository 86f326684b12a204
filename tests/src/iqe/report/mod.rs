//! What a validation has found. Its JSON form is stable: fields are added, never changed, as long as `version` stays.

mod junit;
mod markdown;

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::totals::Total;
use crate::Result;
use crate::command::Tokaki;

/// Version of the JSON report.
const VERSION: u32 = 1;

/// A whole validation.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this structure.
    pub version: u32,
    /// What `tokaki --version` says.
    pub tokaki: String,
    /// The sink that was written to.
    pub sink: String,
    /// Whether every check of every scenario passed.
    pub agrees: bool,
    /// Numbers over all scenarios.
    pub counts: Counts,
    /// What was validated.
    pub scenarios: Vec<Scenario>,
}

/// Numbers over all scenarios.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Scenarios.
    pub scenarios: usize,
    /// Scenarios with a check that did not pass.
    pub scenarios_failed: usize,
    /// Checks.
    pub checks: usize,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed.
    pub failed: usize,
    /// Checks that could not be made.
    pub skipped: usize,
    /// Differences of all checks.
    pub differences: usize,
}

/// A scenario in one semantics.
#[derive(Debug, Clone, Serialize)]
pub struct Scenario {
    /// Name of its folder.
    pub name: String,
    /// `koku` or `conserving`.
    pub semantics: String,
    /// How long it took.
    pub seconds: f64,
    /// Its checks, always in the same order.
    pub checks: Vec<Check>,
    /// Sums of all measures.
    pub totals: Vec<Total>,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Could not be made, because the run failed.
    Skipped,
}

/// One check of a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Stable id.
    pub id: String,
    /// What is checked.
    pub about: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// Why it failed, if not for differences.
    pub message: Option<String>,
    /// In what the rows differ.
    pub differences: Vec<Difference>,
}

/// One value that is not as expected.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Table.
    pub table: String,
    /// Which row, in short.
    pub row: String,
    /// Column; `None` if the row as a whole is meant.
    pub column: Option<String>,
    /// The expected value.
    pub expected: serde_json::Value,
    /// The value that was written.
    pub actual: serde_json::Value,
}

impl Report {
    /// The report on these scenarios.
    ///
    /// # Errors
    /// tokaki cannot be asked for its version.
    pub(super) fn new(tokaki: &Tokaki, sink: String, scenarios: Vec<Scenario>) -> Result<Self> {
        let version = tokaki.run(["--version"])?.require_success()?.stdout.trim_end().to_owned();
        let counts = Counts::of(&scenarios);
        let agrees = counts.passed == counts.checks;
        Ok(Self { version: VERSION, tokaki: version, sink, agrees, counts, scenarios })
    }

    /// Writes `report.md`, `junit.xml` and `report.json`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        for (name, text) in
            [("report.md", markdown::render(self)), ("junit.xml", junit::render(self)?), ("report.json", json)]
        {
            let file = folder.join(name);
            fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        Ok(())
    }

    /// The outcome in a few lines, for a terminal.
    pub fn in_short(&self) -> String {
        let failed = self.scenarios.iter().filter(|scenario| !scenario.agrees()).map(|scenario| {
            let checks = scenario.checks.iter().filter(|check| check.outcome == Outcome::Failed);
            let ids: Vec<_> = checks.map(|check| check.id.as_str()).collect();
            format!("not as expected: {}: {}\n", scenario.label(), ids.join(", "))
        });
        format!("{}{}", failed.collect::<String>(), self.counts.in_words())
    }
}

impl Counts {
    fn of(scenarios: &[Scenario]) -> Self {
        let mut counts = Self { scenarios: scenarios.len(), ..Self::default() };
        for scenario in scenarios {
            counts.scenarios_failed += usize::from(!scenario.agrees());
            counts.checks += scenario.checks.len();
            for check in &scenario.checks {
                counts.differences += check.differences.len();
                match check.outcome {
                    Outcome::Passed => counts.passed += 1,
                    Outcome::Failed => counts.failed += 1,
                    Outcome::Skipped => counts.skipped += 1,
                }
            }
        }
        counts
    }

    fn in_words(self) -> String {
        let Self { scenarios, checks, passed, failed, skipped, differences, .. } = self;
        format!(
            "{scenarios} scenarios, {checks} checks: {passed} passed, {failed} failed, {skipped} skipped; \
             {differences} differences"
        )
    }
}

impl Scenario {
    fn agrees(&self) -> bool {
        self.checks.iter().all(|check| check.outcome == Outcome::Passed)
    }

    /// Its name, and its semantics unless that is the usual one.
    fn label(&self) -> String {
        if self.semantics == "koku" { self.name.clone() } else { format!("{} ({})", self.name, self.semantics) }
    }
}

impl Check {
    /// A check that passed, by id and subject.
    pub(super) fn passed((id, about): (&str, &'static str)) -> Self {
        Self::of_differences(id.to_owned(), about, Vec::new())
    }

    /// A check that passed if there is no difference.
    pub(super) fn of_differences(id: String, about: &'static str, differences: Vec<Difference>) -> Self {
        let outcome = if differences.is_empty() { Outcome::Passed } else { Outcome::Failed };
        Self { id, about, outcome, message: None, differences }
    }

    /// A check that failed for another reason than differences.
    pub(super) fn failed((id, about): (&str, &'static str), message: &str) -> Self {
        let message = Some(message.to_owned());
        Self { id: id.to_owned(), about, outcome: Outcome::Failed, message, differences: Vec::new() }
    }

    /// A check that could not be made.
    pub(super) fn skipped(id: String, about: &'static str) -> Self {
        Self { id, about, outcome: Outcome::Skipped, message: None, differences: Vec::new() }
    }
}

impl Difference {
    /// The column, or what stands for it where the row as a whole is meant.
    fn column(&self) -> &str {
        self.column.as_deref().unwrap_or("(row)")
    }
}
