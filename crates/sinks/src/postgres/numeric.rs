//! A double as `numeric(33,15)`.

/// Digits after the point.
pub(super) const SCALE: i8 = 15;
/// Digits in all.
pub(super) const PRECISION: u8 = 33;

/// Bits of a double's fraction.
const FRACTION_BITS: u32 = 52;

/// `value` in units of 10⁻¹⁵, rounded once, half away from zero; `None` if it has more than 18 digits before the point
/// or is no number.
///
/// A double is a whole number times a power of two, so this is integer arithmetic: multiplying doubles would round
/// twice.
pub(super) fn numeric(value: f64) -> Option<i128> {
    if value.is_nan() || value.abs() >= 1e18 {
        return None;
    }
    let bits = value.abs().to_bits();
    let (fraction, exponent) = (bits & ((1 << FRACTION_BITS) - 1), (bits >> FRACTION_BITS) as u32);
    let mantissa = if exponent == 0 { fraction } else { fraction | (1 << FRACTION_BITS) };
    // Below 2⁵³ · 10¹⁵ < 2¹⁰³.
    let units = u128::from(mantissa) * 10_u128.pow(SCALE.unsigned_abs().into());
    // value = mantissa · 2^(exponent - 1075), and 1075 is the bias 1023 and the 52 bits of the fraction.
    let rounded = match exponent.checked_sub(1075) {
        Some(left) => units << left,
        None => match 1075 - exponent {
            right @ 1..128 => (units + (1 << (right - 1))) >> right,
            _ => 0,
        },
    };
    let magnitude = i128::try_from(rounded).ok()?;
    Some(if value.is_sign_negative() { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_rounded_once() {
        assert_eq!(numeric(0.1), Some(100_000_000_000_000));
        assert_eq!(numeric(-1.5), Some(-1_500_000_000_000_000));
        assert_eq!(numeric(1e-15), Some(1));
        assert_eq!(numeric(0.499e-15), Some(0));
        assert_eq!(numeric(f64::MIN_POSITIVE), Some(0));
        assert_eq!(numeric(-0.0), Some(0));
        assert_eq!(numeric(5e-324), Some(0));
        // The double next to 1234.1 is 1234.099999999999909050529822707176208496.
        assert_eq!(numeric(1234.1), Some(1_234_099_999_999_999_909));
        assert_eq!(numeric(9_007_199_254_740_993.0), Some(9_007_199_254_740_992_000_000_000_000_000));
        assert_eq!(numeric(999_999_999_999_999_872.0), Some(999_999_999_999_999_872_000_000_000_000_000));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for value in [1e18, -1e18, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(numeric(value), None);
        }
    }
}
