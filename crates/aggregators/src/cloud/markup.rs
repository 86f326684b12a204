//! What is added to a cost (ocp-on-aws § 2.3).

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use tokaki_core::{Error, ErrorKind, Result};

/// The factor that `percent`, a decimal text, stands for: with nine fraction digits, rounded half away from zero.
///
/// # Errors
/// `Reference` if it is no decimal number.
pub fn factor(percent: &str) -> Result<f64> {
    const DIGITS: u32 = 9;
    let parsed: Decimal = percent.trim().parse().map_err(|_| {
        Error::new(ErrorKind::Reference, format!("expected a decimal number, found {percent:?}")).column("markup")
    })?;
    let factor = (parsed / Decimal::ONE_HUNDRED).round_dp_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero);
    factor.to_f64().ok_or_else(|| Error::bug("a decimal number is no double"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_become_a_factor_of_nine_digits() {
        let factor = |percent: &str| factor(percent).expect("a number");
        assert_eq!(["10", "12.5", "-3.5", "0"].map(factor), [0.1, 0.125, -0.035, 0.0]);
        assert_eq!(factor("0.00000005"), 0.000_000_001);
        assert_eq!(factor("-0.00000005"), -0.000_000_001);
        assert!(super::factor("ten").is_err());
    }
}
