//! `scenario.md` of a new scenario.

use crate::cases::Case;
use crate::iqe::totals;
use crate::rows::Row;

/// The text, with the totals that are to be checked.
pub(super) fn template(case: &Case, rows: &[Row]) -> String {
    let totals = totals::compare(rows, rows, None);
    let totals = totals.iter().map(|total| format!("| {} | {} | {} |\n", total.kind, total.measure, total.expected));
    format!(
        "# {name}\n\n\
         What happens in this scenario, and which rule of the spec it shows.\n\n\
         ## To be checked\n\n\
         These totals are what tokaki wrote when the scenario was made. Calculate those that matter by hand, show how, \
         put them into\n`expected/summary.json`, and remove the rest and this paragraph.\n\n\
         | rows | measure | total |\n|---|---|---|\n{totals}",
        name = case.name(),
        totals = totals.collect::<String>(),
    )
}
