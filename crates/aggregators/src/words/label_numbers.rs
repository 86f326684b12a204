//! JSON numbers as PostgreSQL's `numeric` prints them, since Koku keeps labels in `jsonb` (spec § 4).
//!
//! No exponent, no minus on zero, trailing zeros kept: `1e2` is `100`, `12.50e1` is `125.0`, `-0.0` is `0.0`.

/// `numeric` holds this many digits before the point and this many behind it.
const DIGITS_BEFORE_POINT: i64 = 131_072;
const DIGITS_BEHIND_POINT: i64 = 16_383;

/// The text of `json`, which is a number by JSON's grammar; `None` if `numeric` cannot hold it.
pub fn numeric_text(json: &str) -> Option<String> {
    let (sign, unsigned) = match json.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", json),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let is_zero = digits.bytes().all(|digit| digit == b'0');

    let behind_point = (fraction.len() as i64).checked_sub(exponent)?.max(0);
    let before_point = if is_zero { 1 } else { (whole.len() as i64).checked_add(exponent)? };
    if behind_point > DIGITS_BEHIND_POINT || before_point > DIGITS_BEFORE_POINT {
        return None;
    }
    let behind_point = behind_point as usize;
    if is_zero {
        return Some(with_point("0", &"0".repeat(behind_point)));
    }
    let (before, behind) = if before_point <= 0 {
        let zeros = usize::try_from(-before_point).ok()?;
        ("0".to_owned(), "0".repeat(zeros) + &digits)
    } else {
        let before_point = before_point as usize;
        let padded = digits.clone() + &"0".repeat(before_point.saturating_sub(digits.len()));
        let (before, behind) = padded.split_at(before_point);
        (before.to_owned(), behind.to_owned())
    };
    let before = match before.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    Some(format!("{sign}{}", with_point(before, &behind)))
}

fn with_point(before: &str, behind: &str) -> String {
    if behind.is_empty() { before.to_owned() } else { format!("{before}.{behind}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_postgresql_prints_them() {
        for (json, text) in [
            ("5", "5"),
            ("1.50", "1.50"),
            ("1e2", "100"),
            ("12.50e1", "125.0"),
            ("1.0e-3", "0.0010"),
            ("-0.0", "0.0"),
            ("-0", "0"),
            ("-1.5E+1", "-15"),
            ("0.001e2", "0.1"),
            ("0e5", "0"),
            ("0.000e1", "0.00"),
            ("0e-3", "0.000"),
            ("0e999999", "0"),
            ("1e-5", "0.00001"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
            ("0.5e-1", "0.05"),
            ("100e-1", "10.0"),
        ] {
            assert_eq!(numeric_text(json).as_deref(), Some(text), "{json}");
        }
    }

    #[test]
    fn what_numeric_cannot_hold_is_refused() {
        for json in ["1e131072", "1e-16384", "1e999999999999999999999", "1e-999999999999", "1e9223372036854775807"] {
            assert_eq!(numeric_text(json), None, "{json}");
        }
        assert_eq!(numeric_text("1e131071").map(|text| text.len()), Some(131_072));
    }
}
