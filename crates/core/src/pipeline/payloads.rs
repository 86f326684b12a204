//! Of several payloads for one day, the one with more hours counts.
//!
//! An operator that reports by day sends the day again as it grows. Two such payloads that are processed at once leave
//! the files of both, and every hour that both have would be counted twice. What came with which payload, the writer of
//! the files noted with them; files of which nothing is noted all count (spec § 1).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};

use super::recall::splits::Splits;
use super::stage::Work;
use crate::catalog::DataFile;
use crate::error::Result;
use crate::finding::{Amount, Finding};
use crate::input::TableName;
use crate::payload::PayloadOfDay;

/// Takes the splits of superseded files out of `works`, which has a list for each stage. The answer says which files
/// these are, and by what they are superseded.
///
/// # Errors
/// The first in the order of tables and files.
pub(super) async fn supersede<'a>(
    works: impl Iterator<Item = &'a mut Vec<Work>>,
    splits: &Splits<'_>,
) -> Result<BTreeMap<String, Finding>> {
    let works: Vec<_> = works.collect();
    let mut superseded = BTreeMap::new();
    for files in tables(&works) {
        let payloads = payloads(sharing_days(files), splits).await?;
        let mut best: BTreeMap<NaiveDate, &PayloadOfDay> = BTreeMap::new();
        for (_, payload) in &payloads {
            let known = best.entry(payload.day).or_insert(payload);
            if payload.rank() > known.rank() {
                *known = payload;
            }
        }
        for (file, payload) in &payloads {
            let winner = best[&payload.day];
            if winner.manifest != payload.manifest {
                superseded.insert(file.file.path.clone(), finding(file, payload, winner));
            }
        }
    }
    for works in works {
        works.retain(|work| !superseded.contains_key(&work.split.file.path));
    }
    Ok(superseded)
}

/// A file with its rows and first and last instant, if they are known.
struct Extent {
    file: DataFile,
    rows: u64,
    instants: Option<(i64, i64)>,
}

/// The files of each table of a source, each once.
fn tables(works: &[&mut Vec<Work>]) -> Vec<Vec<Extent>> {
    /// A split of each row group of a file.
    type Splits<'a> = BTreeMap<(&'a str, usize), &'a Work>;
    let mut tables: BTreeMap<(&Option<String>, &TableName), Splits<'_>> = BTreeMap::new();
    for work in works.iter().flat_map(|works| works.iter()) {
        let of_table = tables.entry((&work.of, &work.table)).or_default();
        of_table.entry((&work.split.file.path, work.split.row_group)).or_insert(work);
    }
    let extents = |splits: Splits<'_>| {
        let mut files: Vec<Extent> = Vec::new();
        for work in splits.into_values() {
            let split = &work.split;
            match files.last_mut().filter(|last| last.file.path == split.file.path) {
                Some(last) => {
                    last.rows += split.rows;
                    last.instants = last.instants.zip(split.instants).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
                }
                None => files.push(Extent { file: split.file.clone(), rows: split.rows, instants: split.instants }),
            }
        }
        files
    };
    tables.into_values().map(extents).collect()
}

/// Files that may have a day in common with another one.
fn sharing_days(mut files: Vec<Extent>) -> Vec<Extent> {
    use crate::scope::day_of_instant;
    let days = |file: &Extent| {
        let (least, greatest) = file.instants.unwrap_or((i64::MIN, i64::MAX));
        (day_of_instant(least), day_of_instant(greatest))
    };
    files.sort_by_key(days);
    let mut shares = vec![false; files.len()];
    // The file that reaches furthest among those that begin earlier.
    let mut furthest: Option<usize> = None;
    for index in 0..files.len() {
        let (first, last) = days(&files[index]);
        if let Some(before) = furthest.filter(|before| days(&files[*before]).1 >= first) {
            (shares[before], shares[index]) = (true, true);
        }
        if furthest.is_none_or(|before| days(&files[before]).1 < last) {
            furthest = Some(index);
        }
    }
    files.into_iter().zip(shares).filter_map(|(file, shares)| shares.then_some(file)).collect()
}

/// Those of `files` of which it was noted what they came with.
async fn payloads(files: Vec<Extent>, splits: &Splits<'_>) -> Result<Vec<(Extent, PayloadOfDay)>> {
    /// Files asked for at once.
    const AT_ONCE: usize = 8;
    let asked = files.into_iter().map(|file| async move {
        let payload = splits.payload(&file.file).await?;
        Ok::<_, crate::Error>(payload.map(|payload| (file, payload)))
    });
    let known: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    Ok(known.into_iter().flatten().collect())
}

fn finding(file: &Extent, payload: &PayloadOfDay, winner: &PayloadOfDay) -> Finding {
    let PayloadOfDay { day, hours, manifest } = payload;
    Finding {
        what: "superseded: another payload has more hours of the day".into(),
        subject: format!(
            "{day}: {} ({hours} h of manifest {manifest}; {} h of manifest {})",
            file.file.shown, winner.hours, winner.manifest
        ),
        amounts: vec![Amount { measure: "rows".into(), value: file.rows as f64 }],
    }
}
