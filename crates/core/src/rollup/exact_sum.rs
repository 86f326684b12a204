//! Sums whose bits do not depend on the order of the summands.
//!
//! Adding floats in another order gives another answer. A value is therefore rounded once, to a fixed binary
//! resolution, and from then on integers are added, which is associative. 128 bits hold every sum that
//! `numeric(33,15)` can store.

use crate::error::{Error, ErrorKind, Result};

/// The parts of a double: sign, exponent, fraction.
const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// Of a magnitude: a double does not store it.
const FIRST_BIT: u64 = 1 << FRACTION_BITS;
const EXPONENT: u64 = 0x7ff;
/// Of the exponent of a value's last bit.
const EXPONENT_BIAS: i32 = 1075;

/// The unit of an [`ExactSum`]: 2 to the power of minus this many bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resolution(u32);

impl Resolution {
    /// For core-seconds: rounds at 2^-54 core-seconds, 2e-20 core-hours, and holds 9e21 core-seconds, more than the
    /// 3.6e21 (1e18 core-hours) that fit the destination.
    pub const CORE_SECONDS: Self = Self(54);
    /// For byte-seconds: rounds at 2^-24 byte-seconds, 2e-20 GiB-hours, and holds 1e31 byte-seconds, more than the
    /// 3.9e30 (1e18 GiB-hours) that fit the destination.
    pub const BYTE_SECONDS: Self = Self(24);

    /// For amounts of a bill: rounds at 2^-54, 6e-17 of a unit of currency, and holds 9e21.
    pub const AMOUNTS: Self = Self(54);

    /// `value` in whole units, rounded to the nearest, ties away from zero.
    ///
    /// # Errors
    /// `Type` if the value is not finite or too large for any sum.
    #[inline]
    pub fn units(self, value: f64) -> Result<i128> {
        let bits = value.to_bits();
        let magnitude = (bits & FRACTION | FIRST_BIT) as i64;
        let sign = (bits as i64) >> 63;
        // value = ± magnitude × 2^shift units, unless it is extraordinary
        let shift = ((bits >> FRACTION_BITS) & EXPONENT) as i32 - EXPONENT_BIAS + self.0 as i32;
        if (0..64).contains(&shift) {
            // Nothing is rounded: what is measured in whole seconds or bytes, and most that is not.
            return Ok(i128::from((magnitude ^ sign) - sign) << shift);
        }
        if (-62..0).contains(&shift) {
            let rounded = (magnitude + (1 << (-shift - 1))) >> -shift;
            return Ok(i128::from((rounded ^ sign) - sign));
        }
        if bits << 1 == 0 { Ok(0) } else { self.units_of_extraordinary(value) }
    }

    /// The same for values that are very small or very large.
    #[cold]
    fn units_of_extraordinary(self, value: f64) -> Result<i128> {
        let bits = value.to_bits();
        let exponent = ((bits >> FRACTION_BITS) & EXPONENT) as i32;
        let shift = exponent - EXPONENT_BIAS + self.0 as i32;
        if shift < 0 {
            return Ok(0);
        }
        // A magnitude of 53 bits shifted by 73 still leaves the sign bit alone.
        if shift > 73 {
            return Err(Self::too_large(value));
        }
        let magnitude = i128::from(bits & FRACTION | FIRST_BIT) << shift;
        Ok(if value < 0.0 { -magnitude } else { magnitude })
    }

    /// What `units` are worth, rounded to the nearest double.
    #[inline]
    pub fn value(self, units: i128) -> f64 {
        // Scaling by a power of two is exact.
        units as f64 * (-f64::from(self.0)).exp2()
    }

    #[cold]
    fn too_large(value: f64) -> Error {
        let message = if value.is_finite() {
            format!("the value {value:e} is too large for any sum that can be stored")
        } else {
            return ExactSum::infinite();
        };
        Error::new(ErrorKind::Type, message)
    }
}

/// A sum in units of a [`Resolution`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExactSum(pub i128);

impl ExactSum {
    /// What is said of a value without end.
    #[cold]
    pub(crate) fn infinite() -> Error {
        Error::new(ErrorKind::Type, "a value is infinite, expected a finite number")
    }

    /// Adds units.
    ///
    /// # Errors
    /// `Type` if the sum leaves 128 bits.
    #[inline]
    pub fn add(&mut self, units: i128) -> Result<()> {
        self.0 =
            self.0.checked_add(units).ok_or_else(|| Error::new(ErrorKind::Type, "a sum is too large to be stored"))?;
        Ok(())
    }

    /// The sum taken `times` over (a join that matches several times, spec § 9).
    ///
    /// # Errors
    /// `Type` if the product leaves 128 bits.
    pub fn times(self, times: u32) -> Result<Self> {
        self.0
            .checked_mul(i128::from(times))
            .map(Self)
            .ok_or_else(|| Error::new(ErrorKind::Type, "a sum is too large to be stored"))
    }

    /// The sum's share for one of `parts` equal parts, rounded to the nearest unit. No parts count as one.
    pub fn shared_by(self, parts: u32) -> Self {
        let parts = i128::from(parts.max(1));
        let half = if self.0 < 0 { -(parts / 2) } else { parts / 2 };
        Self((self.0.saturating_add(half)) / parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_and_halves_are_exact() {
        for value in [0.0, -0.0, 1.0, -1.5, 3600.0, 1e15, 0.1, 2f64.powi(-54), -2f64.powi(60)] {
            let units = Resolution::CORE_SECONDS.units(value).expect("in range");
            let rounded = Resolution::CORE_SECONDS.value(units);
            assert!((rounded - value).abs() <= 2f64.powi(-55), "{value} became {rounded}");
        }
        assert_eq!(Resolution::BYTE_SECONDS.units(2f64.powi(-25)).expect("in range"), 1);
        assert_eq!(Resolution::BYTE_SECONDS.units(2f64.powi(-26)).expect("in range"), 0);
        assert_eq!(Resolution::BYTE_SECONDS.units(f64::MIN_POSITIVE).expect("in range"), 0);
    }

    #[test]
    fn what_cannot_be_stored_is_an_error() {
        assert!(Resolution::BYTE_SECONDS.units(1e32).is_err());
        assert!(Resolution::BYTE_SECONDS.units(3.9e30).is_ok());
        assert!(Resolution::CORE_SECONDS.units(3.6e21).is_ok());
        assert!(Resolution::CORE_SECONDS.units(f64::INFINITY).is_err());
        assert!(Resolution::CORE_SECONDS.units(f64::NAN).is_err());
        let mut sum = ExactSum(i128::MAX);
        assert!(sum.add(1).is_err());
    }

    #[test]
    fn shares_are_rounded_to_the_nearest_unit() {
        assert_eq!([7, -7, 8, 1, 0].map(|units| ExactSum(units).shared_by(3).0), [2, -2, 3, 0, 0]);
        assert_eq!(ExactSum(5).shared_by(0), ExactSum(5));
    }

    proptest! {
        #[test]
        fn units_are_the_nearest(value in -1e12_f64..1e12) {
            let units = Resolution::BYTE_SECONDS.units(value).expect("in range");
            let exact = value * 2f64.powi(24); // exact: a power of two
            prop_assert!((units as f64 - exact).abs() <= 0.5);
        }

        #[test]
        fn values_of_any_size_are_rounded_as_doubles_are(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            for (resolution, bits) in [(Resolution::CORE_SECONDS, 54), (Resolution::BYTE_SECONDS, 24)] {
                for value in [value, value % 1.0, value % 1e6, (value % 1e15).round() + 0.5, value % 1e-12] {
                    // Exact, since it is a power of two, but for what is refused.
                    let scaled = (value * 2f64.powi(bits)).round();
                    match resolution.units(value) {
                        Ok(units) => prop_assert_eq!(units, scaled as i128, "{}", value),
                        Err(_) => prop_assert!(scaled.abs() >= 2f64.powi(126), "{}", value),
                    }
                }
            }
        }

        #[test]
        fn any_order_gives_the_same_sum(mut values in proptest::collection::vec(-1e9_f64..1e9, 1..50)) {
            let total = |values: &[f64]| {
                let mut sum = ExactSum::default();
                for value in values {
                    sum.add(Resolution::CORE_SECONDS.units(*value).expect("in range")).expect("no overflow");
                }
                sum
            };
            let forwards = total(&values);
            values.reverse();
            prop_assert_eq!(forwards, total(&values));
        }
    }
}
