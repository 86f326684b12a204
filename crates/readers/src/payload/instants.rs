//! The operator's times, `2025-10-01 00:00:00 +0000 UTC`.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};

/// Milliseconds since 1970 UTC; what is finer is cut off. ISO 8601 is understood as well; without a zone it is UTC.
///
/// `None` if the text is no time, or one that no later step can hold.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let without_zone = text.strip_suffix(" +0000").unwrap_or(text);
    let naive = |format| NaiveDateTime::parse_from_str(without_zone, format).ok().map(|time| time.and_utc());
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc));
    let time = naive("%Y-%m-%d %H:%M:%S%.f").or_else(|| naive("%Y-%m-%dT%H:%M:%S%.f")).or_else(zoned)?;
    (1700..=2200).contains(&time.year()).then(|| time.timestamp_millis())
}
