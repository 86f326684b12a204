//! A double as `numeric(33,15)` in PostgreSQL's binary form.
//!
//! The form is a list of digits of base 10000, counted from the point, so the digits before the point and those behind it
//! are two integers of 64 bits each. A detour over one decimal of 128 bits would divide 128-bit numbers, which is most of
//! what sending a row costs.

use tokaki_core::{Error, ErrorKind, Result};

/// Digits after the point.
const SCALE: u16 = 15;
/// Units of the last place in a whole.
const UNITS: u64 = 10_u64.pow(SCALE as u32);
/// Bits of a double's fraction.
const FRACTION_BITS: u32 = 52;

/// Digits of base 10000 before the point: room for the 18 decimal ones.
const WHOLE_DIGITS: usize = 5;
/// Digits of base 10000 after the point: room for the 15 decimal ones.
const FRACTION_DIGITS: usize = 4;
const DIGITS: usize = WHOLE_DIGITS + FRACTION_DIGITS;

/// Appends `value`, rounded once, half away from zero, behind its length.
///
/// # Errors
/// `Type` if it has more than 18 digits before the point or is no number.
pub(super) fn write(value: f64, to: &mut Vec<u8>) -> Result<()> {
    let Some((whole, units)) = split(value) else {
        return Err(Error::new(ErrorKind::Type, format!("{value} does not fit numeric(33,15)")));
    };
    let digits = digits(whole, units);
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(DIGITS);
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(first, |last| last + 1);
    let written = &digits[first..end];
    // Zero has no digits, no weight and no sign.
    let weight = if written.is_empty() { 0 } else { WHOLE_DIGITS as i16 - 1 - first as i16 };
    let sign: u16 = if value.is_sign_negative() && !written.is_empty() { 0x4000 } else { 0 };
    to.extend_from_slice(&(8 + 2 * written.len() as i32).to_be_bytes());
    to.extend_from_slice(&(written.len() as i16).to_be_bytes());
    to.extend_from_slice(&weight.to_be_bytes());
    to.extend_from_slice(&sign.to_be_bytes());
    to.extend_from_slice(&SCALE.to_be_bytes());
    for digit in written {
        to.extend_from_slice(&digit.to_be_bytes());
    }
    Ok(())
}

/// The magnitude of `value`: its whole part, and the rest in units of 10⁻¹⁵.
///
/// A double is a whole number times a power of two, so the rounding is integer arithmetic: multiplying doubles would
/// round twice.
fn split(value: f64) -> Option<(u64, u64)> {
    let magnitude = value.abs();
    if magnitude.is_nan() || magnitude >= 1e18 {
        return None;
    }
    // Both are exact: the bits before and behind the point are doubles themselves.
    let whole = magnitude.trunc();
    let rest = magnitude - whole;
    let bits = rest.to_bits();
    let (fraction, exponent) = (bits & ((1 << FRACTION_BITS) - 1), (bits >> FRACTION_BITS) as u32);
    let mantissa = if exponent == 0 { fraction } else { fraction | (1 << FRACTION_BITS) };
    // rest = mantissa · 2^(exponent - 1075), and 1075 is the bias 1023 and the 52 bits of the fraction. What lies behind
    // 2⁻¹²⁷ is less than half a unit, for mantissa · 10¹⁵ is below 2¹⁰³.
    let units = match 1075 - exponent {
        right @ 1..128 => (u128::from(mantissa) * u128::from(UNITS) + (1 << (right - 1))) >> right,
        _ => 0,
    };
    // A rest of almost one may have become a whole.
    let units = units as u64;
    Some((whole as u64 + units / UNITS, units % UNITS))
}

/// The digits of base 10000, the largest first.
fn digits(mut whole: u64, units: u64) -> [u16; DIGITS] {
    const BASE: u64 = 10_000;
    let mut digits = [0; DIGITS];
    for digit in digits[..WHOLE_DIGITS].iter_mut().rev() {
        *digit = (whole % BASE) as u16;
        whole /= BASE;
    }
    // Fifteen decimal digits fill three and three quarters of the four.
    let mut fraction = units * 10;
    for digit in digits[WHOLE_DIGITS..].iter_mut().rev() {
        *digit = (fraction % BASE) as u16;
        fraction /= BASE;
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is written, as units of 10⁻¹⁵.
    fn written(value: f64) -> Option<i128> {
        let mut bytes = Vec::new();
        write(value, &mut bytes).ok()?;
        let field = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
        assert_eq!(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize, bytes.len() - 4);
        let (count, weight, sign, scale) = (field(4) as usize, field(6), field(8), field(10));
        assert_eq!((bytes.len(), scale), (12 + 2 * count, 15));
        let digits: Vec<_> = (0..count).map(|index| i128::from(field(12 + 2 * index))).collect();
        assert!(digits.iter().all(|digit| (0..10_000).contains(digit)), "{digits:?}");
        assert!(digits.first() != Some(&0) && digits.last() != Some(&0), "{digits:?} has zeros around it");
        // In units of 10⁻¹⁶, as the digits have it.
        let worth = |index: usize| 10_000_i128.pow((i32::from(weight) - index as i32 + 4) as u32);
        let magnitude: i128 = digits.iter().enumerate().map(|(index, digit)| digit * worth(index)).sum();
        assert_eq!(magnitude % 10, 0);
        assert!(sign == 0 || (sign == 0x4000 && magnitude > 0), "sign {sign:#x} of {magnitude}");
        Some(if sign == 0 { magnitude / 10 } else { -magnitude / 10 })
    }

    /// The same in one integer of 128 bits: slower, and plain to see.
    fn rounded(value: f64) -> Option<i128> {
        if value.is_nan() || value.abs() >= 1e18 {
            return None;
        }
        let bits = value.abs().to_bits();
        let (fraction, exponent) = (bits & ((1 << FRACTION_BITS) - 1), (bits >> FRACTION_BITS) as u32);
        let mantissa = if exponent == 0 { fraction } else { fraction | (1 << FRACTION_BITS) };
        let units = u128::from(mantissa) * u128::from(UNITS);
        let magnitude = match exponent.checked_sub(1075) {
            Some(left) => units << left,
            None => match 1075 - exponent {
                right @ 1..128 => (units + (1 << (right - 1))) >> right,
                _ => 0,
            },
        } as i128;
        Some(if value.is_sign_negative() { -magnitude } else { magnitude })
    }

    #[test]
    fn doubles_are_rounded_once() {
        for (value, units) in [
            (0.1, 100_000_000_000_000),
            (-1.5, -1_500_000_000_000_000),
            (1e-15, 1),
            (0.499e-15, 0),
            (-0.499e-15, 0),
            (f64::MIN_POSITIVE, 0),
            (-0.0, 0),
            (5e-324, 0),
            (10_000.0, 10_000_000_000_000_000_000),
            // The largest double below one becomes a whole.
            (1.0 - f64::EPSILON / 2.0, 1_000_000_000_000_000),
            (9_999.999_999_999_999_9, 10_000_000_000_000_000_000),
            // The double next to 1234.1 is 1234.099999999999909050529822707176208496.
            (1234.1, 1_234_099_999_999_999_909),
            (9_007_199_254_740_993.0, 9_007_199_254_740_992_000_000_000_000_000),
            (999_999_999_999_999_872.0, 999_999_999_999_999_872_000_000_000_000_000),
        ] {
            assert_eq!((written(value), rounded(value)), (Some(units), Some(units)), "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for value in [1e18, -1e18, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(written(value), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_double_is_written_as_it_rounds(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assert_eq!(written(value), rounded(value));
        }

        #[test]
        fn usual_doubles_are_written_as_they_round(value in -1e6..1e6_f64, shift in 0..60_i32) {
            let value = value * 2_f64.powi(-shift);
            prop_assert_eq!(written(value), rounded(value));
        }
    }
}
