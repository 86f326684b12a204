//! An instant as two columns of a rollup's key.

/// The upper and the lower half of nanoseconds since 1970.
pub fn halves(instant: i64) -> [u32; 2] {
    [(instant >> 32) as u32, instant as u32]
}

/// The instant of [`halves`].
pub fn whole([high, low]: [u32; 2]) -> i64 {
    i64::from(high as i32) << 32 | i64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_whole_again() {
        for instant in [0, -1, 1, i64::MAX, i64::MIN, 1_759_276_800_000_000_000] {
            assert_eq!(whole(halves(instant)), instant);
        }
    }
}
