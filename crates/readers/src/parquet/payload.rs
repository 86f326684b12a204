//! What a file's writer noted of the payload that it came with.
//!
//! Koku notes it as metadata of the object, `tokaki convert` in the footer. The names are Koku's.

use chrono::NaiveDate;
use tokaki_core::PayloadOfDay;

/// Identity of the payload.
const MANIFEST: &str = "ManifestId";
/// The day that it reports.
const DAY: &str = "ReportDateStart";
/// Hours of the day that it has.
const HOURS: &str = "ReportNumHours";

/// The notes about `payload`, by name.
pub fn notes(payload: &PayloadOfDay) -> [(&'static str, String); 3] {
    let PayloadOfDay { day, hours, manifest } = payload;
    [(MANIFEST, manifest.clone()), (DAY, day.to_string()), (HOURS, hours.to_string())]
}

/// The payload that `notes` tell of; `None` if they do not, or not in full. `shown` names the file when a note is one
/// that nobody can use.
pub(super) fn of_notes<'a>(
    notes: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    shown: &str,
) -> Option<PayloadOfDay> {
    // An object's metadata are headers, which have no upper and lower case.
    let note =
        |wanted: &str| notes.clone().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim());
    let (manifest, day, hours) = (note(MANIFEST)?, note(DAY)?, note(HOURS)?);
    // A time of day may follow.
    let payload = day.get(..10).and_then(|day| day.parse::<NaiveDate>().ok()).zip(hours.parse().ok());
    let Some((day, hours)) = payload.filter(|_| !manifest.is_empty()) else {
        tracing::warn!("{shown}: its payload is taken as unknown: {MANIFEST}, {DAY} or {HOURS} cannot be understood");
        return None;
    };
    Some(PayloadOfDay { day, hours, manifest: manifest.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(notes: &[(&str, &str)]) -> Option<PayloadOfDay> {
        of_notes(notes.iter().copied(), "a.parquet")
    }

    #[test]
    fn notes_are_koku_s_in_any_case() {
        let payload = of(&[("manifestid", "12"), ("ReportDateStart", "2025-10-01 00:00:00"), ("REPORTNUMHOURS", "17")]);
        let payload = payload.expect("a payload");
        assert_eq!(
            (payload.hours, payload.manifest.as_str(), payload.day.to_string().as_str()),
            (17, "12", "2025-10-01")
        );
    }

    #[test]
    fn what_is_noted_is_understood() {
        let payload = PayloadOfDay { day: NaiveDate::default(), hours: 24, manifest: "m".into() };
        let notes = notes(&payload);
        assert_eq!(of_notes(notes.iter().map(|(name, value)| (*name, value.as_str())), ""), Some(payload));
    }

    #[test]
    fn s17_notes_that_cannot_be_understood_are_none() {
        for hours in ["", "many", "-3", "1.5", "99999999999"] {
            assert_eq!(of(&[(MANIFEST, "1"), (DAY, "2025-10-01"), (HOURS, hours)]), None, "{hours}");
        }
        assert_eq!(of(&[(MANIFEST, "1"), (DAY, "October"), (HOURS, "3")]), None);
        assert_eq!(of(&[(MANIFEST, ""), (DAY, "2025-10-01"), (HOURS, "3")]), None);
        assert_eq!(of(&[(MANIFEST, "1"), (DAY, "2025-10-01")]), None);
        assert_eq!(of(&[]), None);
    }
}
