//! GPU rows as Koku keeps them: names in one spelling, and what a MIG profile means (GPU spec § 1).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, new_null_array};
use arrow::datatypes::{DataType, Int64Type};

use super::line_items::Table;

/// Into how many slices a GPU can be cut at most, by a word of its model's name.
const MAX_SLICES: [(&str, i64); 7] =
    [("A30", 4), ("A100", 7), ("H100", 7), ("H200", 7), ("B200", 7), ("RTX PRO 6000", 4), ("RTX PRO 5000", 2)];

/// Columns that belong to a part of a GPU.
const TEXTS: [&str; 3] = ["mig_profile", "mig_strategy", "mig_instance_id"];
const COUNTS: [&str; 3] = ["mig_slice_count", "mig_memory_capacity_mib", "gpu_max_slices"];

/// The columns that [`normalise`] adds to a file that `has` these.
pub(super) fn added(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    if has("mig_profile") { COUNTS.to_vec() } else { Vec::new() }
}

/// Brings vendor and model into one spelling, and adds what follows from the MIG profile.
pub(super) fn normalise(table: &mut Table) {
    map_texts(table, "gpu_vendor_name", |vendor| match vendor {
        "nvidia_com_gpu" => "nvidia".to_owned(),
        other => other.to_owned(),
    });
    map_texts(table, "gpu_model_name", |model| {
        let words = model.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    });
    if table.get("mig_profile").is_some() {
        read_profiles(table);
    }
}

fn map_texts(table: &mut Table, name: &str, map: impl Fn(&str) -> String) {
    if let Some(column) = table.get(name) {
        let mapped: StringArray = column.as_string::<i32>().iter().map(|text| text.map(&map)).collect();
        table.set(name, Arc::new(mapped));
    }
}

/// The columns are there even if no row has a profile, so that all batches of a file have the same columns.
fn read_profiles(table: &mut Table) {
    let texts = |name: &str| table.get(name).map(|column| column.as_string::<i32>().clone());
    let counts = |name: &str| -> Vec<Option<i64>> {
        let missing = || new_null_array(&DataType::Int64, table.rows());
        table.get(name).cloned().unwrap_or_else(missing).as_primitive::<Int64Type>().iter().collect()
    };
    let (Some(profiles), models) = (texts("mig_profile"), texts("gpu_model_name")) else { return };
    let [mut slices, mut memory, mut max_slices] = COUNTS.map(counts);
    let mut dedicated = vec![false; table.rows()];
    for row in (0..table.rows()).filter(|row| !profiles.value(*row).is_empty()) {
        if let Some((own_slices, own_memory)) = parse_profile(profiles.value(row)) {
            (slices[row], memory[row]) = (Some(own_slices), Some(own_memory));
        }
        max_slices[row] = max_slices[row].or_else(|| models.as_ref().and_then(|models| slices_of(models.value(row))));
        // Koku takes a GPU that it does not know for an undivided one.
        dedicated[row] = max_slices[row].is_none();
    }
    for (name, counts) in COUNTS.into_iter().zip([slices, memory, max_slices]) {
        let counts = counts.into_iter().zip(&dedicated).map(|(count, dedicated)| count.filter(|_| !dedicated));
        let counts: Int64Array = counts.collect();
        table.set(name, Arc::new(counts));
    }
    for name in TEXTS {
        let column: Option<ArrayRef> = table.get(name).cloned();
        let texts = match column {
            Some(column) => {
                let texts = column.as_string::<i32>().iter().zip(&dedicated);
                Arc::new(texts.map(|(text, dedicated)| text.filter(|_| !dedicated)).collect::<StringArray>())
            }
            None if name == "mig_strategy" => new_null_array(&DataType::Utf8, table.rows()),
            None => continue,
        };
        table.set(name, texts);
    }
}

/// Slices and MiB of a profile such as `2g.10gb`.
fn parse_profile(profile: &str) -> Option<(i64, i64)> {
    let profile = profile.trim().to_ascii_lowercase();
    let (compute, memory) = profile.split_once('.')?;
    let slices = compute.strip_suffix('g')?.parse().ok()?;
    let gibibytes: i64 = memory.strip_suffix("gb")?.parse().ok()?;
    Some((slices, gibibytes.checked_mul(1024)?))
}

fn slices_of(model: &str) -> Option<i64> {
    let model = model.trim().to_ascii_uppercase();
    let exact = MAX_SLICES.iter().find(|(known, _)| model == *known);
    let close = || MAX_SLICES.iter().find(|(known, _)| model.contains(known));
    exact.or_else(close).map(|(_, slices)| *slices)
}
