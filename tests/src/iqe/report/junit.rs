//! JUnit XML: a test suite for each scenario, a test case for each of its checks.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{Check, Outcome, Report};
use crate::Result;

/// Differences that a test case shows; all of them are in the JSON report.
const SHOWN: usize = 20;

pub(super) fn render(report: &Report) -> Result<String> {
    let mut junit = Junit::new("tokaki iqe");
    for scenario in &report.scenarios {
        let label = scenario.label();
        let mut suite = TestSuite::new(&label);
        suite.set_time(Duration::from_secs_f64(scenario.seconds));
        for check in &scenario.checks {
            let mut case = TestCase::new(&check.id, status(check));
            case.set_classname(&label);
            suite.add_test_case(case);
        }
        junit.add_test_suite(suite);
    }
    Ok(junit.to_string()?)
}

fn status(check: &Check) -> TestCaseStatus {
    match check.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{}: {} differences", check.about, check.differences.len()));
            status.set_description(describe(check));
            status
        }
    }
}

fn describe(check: &Check) -> String {
    let mut lines: Vec<String> = check.message.iter().cloned().collect();
    lines.extend(check.differences.iter().take(SHOWN).map(|difference| {
        let column = difference.column();
        format!("{}: {column}: expected {}, found {}", difference.row, difference.expected, difference.actual)
    }));
    if check.differences.len() > SHOWN {
        lines.push(format!("and {} more", check.differences.len() - SHOWN));
    }
    lines.join("\n")
}
