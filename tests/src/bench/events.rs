//! What tokaki tells of a run with `--log-format json`: how it was cut into pieces, and in which order they ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The pieces of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pieces {
    /// Row groups that were folded.
    pub splits: usize,
    /// Chunks in them, if no row is outside of the scope.
    pub chunks: u64,
    /// Row groups that ended after one that stands behind them in the plan: windows of days go through all tables
    /// beside each other, and in a window row groups end as they end.
    pub out_of_order: usize,
}

/// The events that matter here; others, and further fields, are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Planned {
        plan: Plan,
    },
    SplitFolded {
        file: String,
        row_group: usize,
        rows: u64,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Plan {
    stages: Vec<Stage>,
}

#[derive(Debug, Deserialize)]
struct Stage {
    scans: Vec<Scan>,
}

#[derive(Debug, Deserialize)]
struct Scan {
    files: Vec<File>,
    selection: Selection,
}

#[derive(Debug, Deserialize)]
struct File {
    shown: String,
}

#[derive(Debug, Deserialize)]
struct Selection {
    chunk_rows: u64,
}

/// What the lines of standard error tell; nothing if they are not events.
pub(super) fn pieces(lines: &str) -> Pieces {
    let mut pieces = Pieces::default();
    // Stage, place in it and rows of a chunk, by file.
    let mut planned: BTreeMap<String, (usize, usize, u64)> = BTreeMap::new();
    // The hindmost row group that has ended, by stage.
    let mut hindmost: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for event in lines.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match event {
            Event::Planned { plan } => {
                for (stage, scans) in plan.stages.into_iter().map(|stage| stage.scans).enumerate() {
                    let files = scans.into_iter().flat_map(|scan| {
                        let chunk_rows = scan.selection.chunk_rows;
                        scan.files.into_iter().map(move |file| (file.shown, chunk_rows))
                    });
                    let places = files.enumerate().map(|(place, (file, rows))| (file, (stage, place, rows)));
                    planned.extend(places);
                }
            }
            Event::SplitFolded { file, row_group, rows } => {
                let (stage, place, chunk_rows) = planned.get(&file).copied().unwrap_or_default();
                pieces.splits += 1;
                pieces.chunks += if chunk_rows == 0 { 1 } else { rows.div_ceil(chunk_rows) };
                let ended = (place, row_group);
                let hindmost = hindmost.entry(stage).or_insert(ended);
                pieces.out_of_order += usize::from(ended < *hindmost);
                *hindmost = ended.max(*hindmost);
            }
            Event::Other => {}
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(file: &str, row_group: usize) -> String {
        format!(r#"{{"ts":"t","event":"split_folded","file":"{file}","row_group":{row_group},"rows":20000}}"#)
    }

    #[test]
    fn a_row_group_that_ends_after_a_later_one_is_out_of_order() {
        let plan = r#"{"event":"planned","plan":{"stages":[{"scans":[
            {"files":[{"shown":"a"},{"shown":"b"}],"selection":{"chunk_rows":8192}}]}],"choices":[]}}"#;
        let plan = plan.replace('\n', "");
        let ordered = [plan.clone(), folded("a", 0), folded("a", 1), folded("b", 0)].join("\n");
        assert_eq!(pieces(&ordered), Pieces { splits: 3, chunks: 9, out_of_order: 0 });
        let mixed = [plan, folded("b", 0), folded("a", 1), folded("a", 0)].join("\n");
        assert_eq!(pieces(&mixed).out_of_order, 2);
    }

    #[test]
    fn lines_that_are_no_events_are_passed_over() {
        assert_eq!(pieces("INFO run of org\n{\"event\":\"committing\"}\n{\"event\":\"new\"}"), Pieces::default());
    }
}
