//! `tokaki run --plan`: what a run would read, compute and write.

use std::fmt::Write;

use bytesize::ByteSize;
use indicatif::HumanCount;
use serde_json::{Value, json};
use tokaki_core::pipeline::{Estimate, Forecast, Plan, QuarantinedFile, Scan, Wiring};
use tokaki_core::{Condition, Destination, member};

use super::columns::aligned;
use super::stdout;
use crate::config::settings::LogFormat;

/// Writes the plan to stdout. `known` are the files that the cache knows, and all of them; `None` without a cache.
pub(crate) fn print(forecast: &Forecast, wiring: &Wiring, known: Option<(usize, usize)>, format: LogFormat) {
    stdout(&match format {
        LogFormat::Text => {
            let cache = known.map(cache_text).unwrap_or_default();
            let left_out = left_out_text(&forecast.quarantined);
            text(&forecast.plan, wiring) + &left_out + &estimate_text(&forecast.estimate) + &cache
        }
        LogFormat::Json => super::json::line("info", fields(forecast, wiring, known)),
    });
}

fn left_out_text(quarantined: &[QuarantinedFile]) -> String {
    let line = |left_out: &QuarantinedFile| format!("  {}\n    {}\n", left_out.file, left_out.reason);
    let lines: String = quarantined.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\nleft out\n{lines}") }
}

fn estimate_text(estimate: &Estimate) -> String {
    let Estimate { rows, windows, workers, memory_bytes, cpu_seconds, .. } = estimate;
    let rows = HumanCount(*rows);
    let (memory, days) = (ByteSize(*memory_bytes).display().iec(), if *windows == 1 { "window" } else { "windows" });
    format!(
        "\nabout\n  {rows} rows in {windows} {days} of days, {workers} worker(s), {memory} of memory, \
         {cpu_seconds:.2} s of CPU time\n"
    )
}

fn text(plan: &Plan, wiring: &Wiring) -> String {
    let scope = &plan.scope;
    let mut text = format!("scope  {} · {} · {}\n", scope.org, scope.source_uuid, scope.days);
    for (index, stage) in plan.all_stages().enumerate() {
        let _ = writeln!(text, "\nstage {}  {}", index + 1, stage.aggregators.join(", "));
        for scan in &stage.scans {
            text.push_str(&scan_text(scan));
        }
    }
    if !plan.choices.is_empty() {
        let choice = |choice: &tokaki_core::pipeline::TableChoice| {
            [member::name(&choice.taken.to_string(), choice.of.as_deref()), choice.reason.clone()]
        };
        let _ = write!(text, "\ndaily rows\n{}", aligned(&plan.choices.iter().map(choice).collect::<Vec<_>>(), "  "));
    }
    text.push_str("\nwritten\n");
    for (name, destination) in destinations(plan, wiring) {
        let _ = writeln!(text, "  {name} owns the rows of {}{}", destination.table.name, owned(&destination));
    }
    text
}

fn cache_text((known, all): (usize, usize)) -> String {
    format!("\ncache\n  {known} of {} are known, {} will be opened\n", super::files(all), super::files(all - known))
}

fn scan_text(scan: &Scan) -> String {
    let bytes = ByteSize(scan.files.iter().map(|file| file.bytes).sum()).display().iec();
    let mut columns = vec![scan.selection.time_column];
    columns.extend(scan.selection.columns.iter().map(|column| column.name));
    let mut feeds: Vec<_> = scan.feeds.iter().map(|(name, _)| name.as_str()).collect();
    feeds.dedup();
    let mut rows = vec![["columns".to_owned(), columns.join(", ")], ["feeds".to_owned(), feeds.join(", ")]];
    for (index, file) in scan.files.iter().enumerate() {
        let name = if index == 0 { "files" } else { "" };
        rows.push([name.to_owned(), format!("{} ({})", file.shown, ByteSize(file.bytes).display().iec())]);
    }
    let table = member::name(&scan.table.to_string(), scan.of.as_deref());
    format!("  {table}: {}, {bytes}\n{}", super::files(scan.files.len()), aligned(&rows, "    "))
}

/// Written destinations with the aggregator that owns the rows.
fn destinations(plan: &Plan, wiring: &Wiring) -> Vec<(String, Destination)> {
    let of = |name: &String| {
        let outputs = wiring.aggregators.get(name).map(|aggregator| aggregator.outputs()).unwrap_or_default();
        let name = name.clone();
        outputs.into_iter().filter_map(move |output| Some((name.clone(), output.destination?)))
    };
    plan.written.iter().flat_map(of).collect()
}

/// Which rows of its table are a destination's own, and what becomes of those that are there.
fn owned(destination: &Destination) -> String {
    let day = destination.table.day_field.map(|day| format!("{day} is in scope"));
    let mut conditions: Vec<String> = day.into_iter().collect();
    conditions.extend(destination.owned.iter().map(|condition| match condition {
        Condition::TextEquals(field, value) => format!("{field} = '{value}'"),
        Condition::TextDiffers(field, value) => format!("{field} is not '{value}'"),
        Condition::IntegerEquals(field, value) => format!("{field} = {value}"),
        Condition::UuidEquals(field, value) => format!("{field} = '{value}'"),
        Condition::IsNull(field) => format!("{field} is null"),
        Condition::IsNotNull(field) => format!("{field} is not null"),
        Condition::NullOrZero(field) => format!("{field} is null or 0"),
    }));
    let conditions = conditions.join(" and ");
    let conditions = if conditions.is_empty() { conditions } else { format!(" where {conditions}") };
    let union = destination.union.as_ref().map(|union| format!(" and unites them by {}", union.key.join(", ")));
    conditions + &union.unwrap_or_default()
}

fn fields(forecast: &Forecast, wiring: &Wiring, known: Option<(usize, usize)>) -> Value {
    let Forecast { plan, estimate, quarantined } = forecast;
    let outputs: Vec<_> = destinations(plan, wiring)
        .into_iter()
        .map(|(aggregator, to)| json!({"aggregator": aggregator, "table": to.table.name, "owned": to.owned}))
        .collect();
    let cache = known.map(|(known, all)| json!({"files_known": known, "files": all}));
    json!({
        "event": "planned", "plan": plan, "outputs": outputs, "cache": cache, "estimate": estimate, "left_out": quarantined
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokaki_core::pipeline::{Event, Observer, local};

    use super::*;
    use crate::fake;
    use crate::wire::Parts;

    struct Unheard;

    impl Observer for Unheard {
        fn event(&self, _: &Event<'_>) {}
    }

    #[test]
    fn a_plan_names_stages_tables_files_and_reasons() {
        let config = fake::config(&[]).expect("a good configuration");
        let scope = config.settings.scope().expect("a scope");
        let wiring = Parts::build(&config, &scope)
            .and_then(|parts| parts.wire(&config, &scope, &Arc::default()))
            .expect("wiring");
        let options = config.settings.options().expect("options");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let forecast = local::forecast(&scope, &wiring, &options, &Unheard);
        let mut forecast = runtime.block_on(forecast).expect("a forecast");
        let text = text(&forecast.plan, &wiring);
        for part in [
            "stage 1  fake-side",
            "stage 2  fake\n",
            "openshift_pod_usage_line_items_daily: 1 file, 2.0 KiB",
            "/data/a.parquet",
            "reader.pods = auto",
            "interval_start",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        let about = estimate_text(&forecast.estimate);
        assert!(about.contains("0 rows in 1 window of days"), "{about}");
        assert_eq!(fields(&forecast, &wiring, None)["event"], "planned");
        assert_eq!(fields(&forecast, &wiring, Some((1, 2)))["cache"]["files_known"], 1);
        assert_eq!(left_out_text(&forecast.quarantined), "");
        forecast.quarantined.push(QuarantinedFile { file: "a.parquet".into(), reason: "it is broken".into() });
        assert_eq!(left_out_text(&forecast.quarantined), "\nleft out\n  a.parquet\n    it is broken\n");
        assert!(cache_text((1, 2)).contains("1 of 2 files are known, 1 file will be opened"));
    }
}
