//! From the units of line items to those of summaries (spec, notation; § 5).

use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Error, ErrorKind, Result};

const SECONDS_PER_HOUR: f64 = 3600.0;
/// 2^-30: GiB per byte.
const GIB_PER_BYTE: f64 = 1.0 / (1u64 << 30) as f64;
/// A `numeric(33,15)` has 18 digits before the point.
const TOO_LARGE: f64 = 1e18;

/// Core-hours of a sum of core-seconds.
pub fn core_hours(core_seconds: ExactSum) -> f64 {
    Resolution::CORE_SECONDS.value(core_seconds.0) / SECONDS_PER_HOUR
}

/// GiB-hours of a sum of byte-seconds.
pub fn gibibyte_hours(byte_seconds: ExactSum) -> f64 {
    Resolution::BYTE_SECONDS.value(byte_seconds.0) / SECONDS_PER_HOUR * GIB_PER_BYTE
}

/// GiB-months of a sum of byte-seconds, in a month of `days` days (spec § 7).
pub fn gibibyte_months(byte_seconds: ExactSum, days: u32) -> f64 {
    const SECONDS_PER_DAY: f64 = 86_400.0;
    Resolution::BYTE_SECONDS.value(byte_seconds.0) / (SECONDS_PER_DAY * f64::from(days)) * GIB_PER_BYTE
}

/// Decimal GB of MiB (vm-gpu-summary § 1).
pub fn decimal_gigabytes(mebibytes: f64) -> f64 {
    // Exact but for the last division.
    mebibytes * f64::from(1 << 20) / 1e9
}

/// GiB of bytes.
pub fn gibibytes(bytes: f64) -> f64 {
    bytes * GIB_PER_BYTE
}

/// `value` if the destination can store it (spec § 10, Numbers), under any sink.
///
/// # Errors
/// `Type`, with the output column.
pub fn storable(column: &'static str, value: f64) -> Result<f64> {
    if value.abs() < TOO_LARGE {
        return Ok(value);
    }
    Err(Error::new(ErrorKind::Type, format!("{value:e} does not fit numeric(33,15)")).column(column))
}
