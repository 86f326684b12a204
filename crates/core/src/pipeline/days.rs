//! Takes a window of days through all stages, or recalls what that came to before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::parts::WindowDone;
use super::plan::{Plan, Stage};
use super::recall::entry::{Key, hexadecimal};
use super::recall::kept::Window;
use super::recall::{Recall, kept};
use super::stage::{self, Folded, Folds, States, Work, Workshop};
use crate::catalog::DataFile;
use crate::error::{Error, Result};
use crate::finding::Finished;
use crate::input::{InputId, TableName, WantedColumn};
use crate::scope::DateRange;

/// What is known of all days before the first window.
#[derive(Default)]
pub(super) struct Survey {
    /// By aggregator.
    finished: BTreeMap<String, Finished>,
    /// Of everything in it, where it matters to what is remembered.
    digest: Option<String>,
}

impl Workshop<'_> {
    /// Computes the surveys of the plan. `works` are the splits of each of their stages.
    ///
    /// # Errors
    /// The first in the order of stages and splits, whatever the number of workers.
    pub(super) async fn survey(&self, plan: &Plan, works: Vec<Vec<Work>>) -> Result<Survey> {
        let mut survey = Survey::default();
        for (stage, works) in plan.surveys.iter().zip(works) {
            let of_stage = self.run_stage(stage, works, plan.scope.days, &survey.finished).await?;
            survey.finished.extend(of_stage.finished);
        }
        if self.recall.is_some() && !survey.finished.is_empty() {
            let rows: Vec<_> = survey.finished.values().flat_map(|finished| finished.outputs.clone()).collect();
            survey.digest = Some(digest(&rows)?);
        }
        Ok(survey)
    }

    /// The rows of `days`. `works` are the splits of each stage for all days.
    ///
    /// # Errors
    /// The first in the order of stages and splits, whatever the number of workers.
    pub(super) async fn days(
        &self,
        plan: &Plan,
        works: &[Vec<Work>],
        days: DateRange,
        survey: &Survey,
    ) -> Result<WindowDone> {
        let works: Vec<Vec<Work>> = works.iter().map(|works| stage::of_window(works, days)).collect();
        let keys = self.recall.and_then(|recall| Some((recall, uses_of_window(plan, &works)?)));
        // Rows that are kept in a sink's own form are no rows to another one.
        let form = self.wiring.sink.encoder().map(|encoder| encoder.form());
        let keys = keys
            .map(|(recall, uses)| Ok::<_, Error>((recall, recall.key("window", days, &(&uses, &survey.digest, form))?)))
            .transpose()?;
        if let Some((recall, key)) = &keys
            && let Some(done) = self.recall_days(recall, key).await?
        {
            let rows = works.iter().flatten().map(|work| work.split.rows).sum();
            recall.recalled(days, None, rows);
            return Ok(done);
        }
        let (mut rows_in, mut finished) = (0, survey.finished.clone());
        for (stage, works) in plan.stages.iter().zip(works) {
            let of_stage = self.run_stage(stage, works, days, &finished).await?;
            rows_in += of_stage.rows_in;
            finished.extend(of_stage.finished);
        }
        let done = self.window_done(rows_in, &plan.written, finished).await?;
        if let Some((recall, key)) = keys {
            self.keep_days(recall, key, days, &done).await?;
        }
        Ok(done)
    }

    async fn recall_days(&self, recall: &Recall<'_>, key: &Key) -> Result<Option<WindowDone>> {
        let Some(bytes) = recall.get(key).await else { return Ok(None) };
        let (key_there, aggregators) = (key.clone(), self.wiring.aggregators.clone());
        match self.on_pool(move || Ok(kept::read_window(&key_there, &bytes, &aggregators))).await? {
            Ok(Window { done, states }) => {
                recall.still_hold(states);
                Ok(Some(done))
            }
            Err(reason) => {
                recall.ignore(key, reason);
                Ok(None)
            }
        }
    }

    async fn keep_days(&self, recall: &Recall<'_>, key: Key, days: DateRange, done: &WindowDone) -> Result<()> {
        let window = Window { done: done.clone(), states: recall.states_of(days) };
        let (key, bytes) = self
            .on_pool(move || {
                let bytes = kept::write_window(&key, &window)?;
                Ok((key, bytes))
            })
            .await?;
        recall.put(&key, bytes).await;
        Ok(())
    }

    /// The states of splits of one file: recalled, or folded now and kept.
    ///
    /// # Errors
    /// As for [`Workshop::fold_all`].
    pub(super) async fn states_of_file(
        &self,
        recall: &Recall<'_>,
        stage: &Stage,
        works: Vec<Work>,
        folds: &Folds,
        days: DateRange,
        handovers: &str,
    ) -> Result<Folded> {
        let Some(used) = works.first().and_then(|work| FileUse::of(stage, work)) else {
            return self.fold_all(works, folds).await;
        };
        let key = recall.key("state", days, &(&used, handovers))?;
        let fed: Vec<usize> = works[0].fed();
        if let Some(bytes) = recall.get(&key).await {
            let (key_there, folds, fed) = (key.clone(), folds.clone(), fed.clone());
            match self.on_pool(move || Ok(kept::read_states(&key_there, &bytes, &folds, &fed))).await? {
                Ok((rows_in, states)) => {
                    let rows = works.iter().map(|work| work.split.rows).sum();
                    recall.recalled(days, Some(&works[0].split.file.shown), rows);
                    return Ok(Folded { rows_in, states });
                }
                Err(reason) => recall.ignore(&key, reason),
            }
        }
        let Folded { rows_in, states } = self.fold_all(works, folds).await?;
        recall.count(|counts| counts.states_computed += 1);
        let folds = folds.clone();
        let write = move || -> Result<(States, Key, Vec<u8>)> {
            let bytes = kept::write_states(&key, rows_in, &folds, &fed, &states)?;
            Ok((states, key, bytes))
        };
        let (states, key, bytes) = self.on_pool(write).await?;
        recall.put(&key, bytes).await;
        Ok(Folded { rows_in, states })
    }
}

/// A file, what is read of it and for whom: everything that its states depend on besides days, settings and handovers.
#[derive(Serialize)]
struct FileUse<'a> {
    table: &'a TableName,
    time_column: &'static str,
    columns: &'a [WantedColumn],
    whole_partition: bool,
    feeds: Vec<(&'a str, InputId)>,
    path: &'a str,
    bytes: u64,
    version: &'a str,
}

impl<'a> FileUse<'a> {
    /// `None` for a file without version: it might become another one unnoticed.
    fn of(stage: &'a Stage, work: &'a Work) -> Option<Self> {
        let DataFile { path, bytes, version, .. } = &work.split.file;
        Some(Self {
            table: &work.table,
            time_column: work.selection.time_column,
            columns: &work.selection.columns,
            whole_partition: work.selection.days.is_none(),
            feeds: work.feeds.iter().map(|(position, input)| (stage.aggregators[*position].as_str(), *input)).collect(),
            path,
            bytes: *bytes,
            version: version.as_deref()?,
        })
    }
}

/// All files of a window, by stage. `None` if there are none or if one of them has no version.
fn uses_of_window<'a>(plan: &'a Plan, works: &'a [Vec<Work>]) -> Option<Vec<Vec<FileUse<'a>>>> {
    let of_stage = |(stage, works): (&'a Stage, &'a Vec<Work>)| {
        works.chunk_by(Work::is_of_same_file).map(|of_file| FileUse::of(stage, of_file.first()?)).collect()
    };
    let uses: Vec<Vec<FileUse<'_>>> = plan.stages.iter().zip(works).map(of_stage).collect::<Option<_>>()?;
    uses.iter().any(|files| !files.is_empty()).then_some(uses)
}

/// What was handed over to a stage, as its keys know it.
pub(super) fn digest(handovers: &[arrow::array::RecordBatch]) -> Result<String> {
    super::recall::entry::digest_of(handovers).map(|digest| hexadecimal(&digest))
}
