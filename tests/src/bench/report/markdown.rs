//! Markdown, for people: all scales in one table, then each in full.

use std::fmt::Write;

use super::{Measurements, Race, Report};
use crate::bench::spread::Spread;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::from("# Benchmark\n\n");
    let verdict = if report.right { "Every result is right." } else { "**Not every result is right.**" };
    let commit = report.commit.as_ref().map(|commit| format!(" at {commit}")).unwrap_or_default();
    let duckdb = report.duckdb.as_ref().map(|version| format!(", DuckDB {version}")).unwrap_or_default();
    line(&mut text, format_args!("{}{commit}{duckdb}, {}. {verdict}\n", report.tokaki, report.started));
    let machine = &report.machine;
    line(
        &mut text,
        format_args!("{}, {} cores, {} of memory, {}.\n", machine.cpu, machine.cores, machine.memory, machine.kernel),
    );
    line(&mut text, format_args!("CPU seconds (user + system), medians; ratios are tokaki's share of the other.\n"));
    overview(&mut text, &report.races);
    report.races.iter().for_each(|race| in_full(&mut text, race));
    text
}

fn overview(text: &mut String, races: &[Race]) {
    line(
        text,
        format_args!(
            "| scale | form | contender | CPU s | wall s | peak MiB | CPU ratio | wall ratio | memory ratio |"
        ),
    );
    line(text, format_args!("|---|---|---|--:|--:|--:|--:|--:|--:|"));
    for race in races {
        for contender in &race.contenders {
            let tokaki = race.contenders.first();
            let ratio = |of: fn(&Measurements) -> Option<Spread>| {
                let both = tokaki.and_then(of).zip(of(contender));
                both.map_or("–".to_owned(), |(own, other)| format!("{:.2}", own.median / other.median))
            };
            let cells = [
                race.scale.clone(),
                race.form.to_owned(),
                contender.name.to_owned(),
                median(contender.cpu(), 3),
                median(contender.wall(), 3),
                median(contender.memory(), 0),
                ratio(Measurements::cpu),
                ratio(Measurements::wall),
                ratio(Measurements::memory),
            ];
            line(text, format_args!("| {} |", cells.join(" | ")));
        }
    }
}

fn in_full(text: &mut String, race: &Race) {
    line(text, format_args!("\n## {}, {}\n", race.scale, race.form));
    line(
        text,
        format_args!(
            "{} hourly pod rows in, {} rows out to {}, result `{}`.\n",
            race.pod_rows, race.rows_out, race.sink, race.digest
        ),
    );
    line(text, format_args!("| | CPU s | min–max | wall s | min–max | peak MiB | min–max | pod rows/s | cores used |"));
    line(text, format_args!("|---|--:|--:|--:|--:|--:|--:|--:|--:|"));
    for contender in &race.contenders {
        let rate = contender.wall().map_or(0.0, |wall| race.pod_rows as f64 / wall.median);
        let cells = [
            contender.name.to_owned(),
            median(contender.cpu(), 4),
            ends(contender.cpu(), 4),
            median(contender.wall(), 4),
            ends(contender.wall(), 4),
            median(contender.memory(), 1),
            ends(contender.memory(), 1),
            format!("{rate:.0}"),
            median(contender.cores(), 2),
        ];
        line(text, format_args!("| {} |", cells.join(" | ")));
    }
    let pieces = race.pieces;
    line(
        text,
        format_args!(
            "\nThe first run of tokaki folded {} row groups in {} chunks; {} row groups ended after one that stands behind \
             them.\n",
            pieces.splits, pieces.chunks, pieces.out_of_order
        ),
    );
    for check in &race.checks {
        let mark = if check.passed { "ok" } else { "**wrong**" };
        line(text, format_args!("* {mark}: {}: {}", check.name, check.found));
    }
    line(text, format_args!("\n```sh"));
    race.contenders.iter().for_each(|contender| line(text, format_args!("{}", contender.command)));
    line(text, format_args!("```"));
}

fn median(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".to_owned(), |spread| format!("{:.digits$}", spread.median))
}

fn ends(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".to_owned(), |spread| format!("{:.digits$}–{:.digits$}", spread.min, spread.max))
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::events::Pieces;
    use crate::bench::machine::Machine;
    use crate::bench::measure::Cost;
    use crate::bench::report::{Check, VERSION};

    fn contender(name: &'static str, times: &[f64], peak: Option<u64>) -> Measurements {
        let cost = |user_seconds: &f64| Cost {
            wall_seconds: user_seconds / 2.0,
            user_seconds: *user_seconds,
            system_seconds: 0.25,
            peak_memory_bytes: peak,
        };
        Measurements { name, command: format!("{name} --case DIR"), runs: times.iter().map(cost).collect() }
    }

    #[test]
    fn a_report_says_what_was_measured_how_and_whether_it_is_right() {
        let race = Race {
            scale: "small".to_owned(),
            form: "hourly",
            pod_rows: 22_008,
            sink: "parquet".to_owned(),
            rows_out: 813,
            digest: "0123".to_owned(),
            pieces: Pieces { splits: 12, chunks: 20, out_of_order: 3 },
            contenders: vec![
                contender("tokaki", &[1.0, 2.0, 4.0], Some(10 << 20)),
                contender("duckdb", &[4.0, 4.0, 5.0], None),
            ],
            checks: vec![
                Check::new("scope", true, "all rows are", ""),
                Check::new("run.workers=8", false, "", "other bytes"),
            ],
        };
        let text = |text: &str| text.to_owned();
        let report = Report {
            version: VERSION,
            started: text("2025-11-01T12:00:00Z"),
            tokaki: text("tokaki 0.1.0"),
            commit: Some(text("abc1234")),
            duckdb: Some(text("2.0.0")),
            machine: Machine { cpu: text("Fast"), cores: 2, memory: text("1 kB"), kernel: text("linux 6") },
            right: false,
            races: vec![race],
        };
        insta::assert_snapshot!(render(&report));
    }
}
