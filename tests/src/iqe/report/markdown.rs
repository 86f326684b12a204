//! Markdown, for people: first what passed, then what did not, then the totals.

use std::fmt::Write;

use super::{Check, Outcome, Report, Scenario};

/// Differences that are shown of one check; all of them are in the JSON report.
const SHOWN: usize = 20;

pub(super) fn render(report: &Report) -> String {
    let verdict = if report.agrees { "Everything is as expected." } else { "**Not everything is as expected.**" };
    let mut text = format!("# IQE report\n\n{} with sink {}. {verdict}\n\n", report.tokaki, report.sink);
    line(&mut text, format_args!("{}.\n", report.counts.in_words()));
    matrix(&mut text, report);
    if !report.agrees {
        line(&mut text, format_args!("\n## Not as expected"));
        for scenario in &report.scenarios {
            let failed = scenario.checks.iter().filter(|check| check.outcome == Outcome::Failed);
            failed.for_each(|check| failure(&mut text, scenario, check));
        }
    }
    line(&mut text, format_args!("\n## Totals"));
    report.scenarios.iter().for_each(|scenario| totals(&mut text, scenario));
    text
}

/// A row for each scenario, a column for each check that any of them has.
fn matrix(text: &mut String, report: &Report) {
    let mut ids: Vec<&str> = Vec::new();
    for check in report.scenarios.iter().flat_map(|scenario| &scenario.checks) {
        if !ids.contains(&check.id.as_str()) {
            ids.push(&check.id);
        }
    }
    line(text, format_args!("| scenario | {} |", ids.join(" | ")));
    line(text, format_args!("|---|{}", "---|".repeat(ids.len())));
    for scenario in &report.scenarios {
        let mark = |id: &&str| match scenario.checks.iter().find(|check| check.id == *id).map(|check| check.outcome) {
            Some(Outcome::Passed) => "ok",
            Some(Outcome::Failed) => "**failed**",
            Some(Outcome::Skipped) => "skipped",
            None => "",
        };
        let marks: Vec<_> = ids.iter().map(mark).collect();
        line(text, format_args!("| {} | {} |", scenario.label(), marks.join(" | ")));
    }
}

fn failure(text: &mut String, scenario: &Scenario, check: &Check) {
    line(text, format_args!("\n### {}: {}\n\nChecked: {}.", scenario.label(), check.id, check.about));
    if let Some(message) = &check.message {
        line(text, format_args!("\n```text\n{}\n```", message.trim_end()));
    }
    if !check.differences.is_empty() {
        line(text, format_args!("\n| row | column | expected | found |\n|---|---|---|---|"));
    }
    for difference in check.differences.iter().take(SHOWN) {
        let cells = [
            difference.row.as_str(),
            difference.column(),
            &difference.expected.to_string(),
            &difference.actual.to_string(),
        ];
        line(text, format_args!("| {} |", cells.map(cell).join(" | ")));
    }
    if check.differences.len() > SHOWN {
        line(text, format_args!("\nAnd {} more, which are in `report.json`.", check.differences.len() - SHOWN));
    }
}

fn totals(text: &mut String, scenario: &Scenario) {
    if scenario.totals.is_empty() {
        return;
    }
    line(text, format_args!("\n<details><summary>{}</summary>\n", scenario.label()));
    line(text, format_args!("| rows | measure | expected | found |\n|---|---|---|---|"));
    for total in &scenario.totals {
        let mark = if total.agrees { "" } else { " **differs**" };
        line(
            text,
            format_args!("| {} | {} | {} | {}{mark} |", total.kind, total.measure, total.expected, total.actual),
        );
    }
    line(text, format_args!("\n</details>"));
}

/// A text that cannot end its table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', "<br>")
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes any text");
}
