//! Damage to files, seeded.

/// The end of a Parquet file: the footer's length, and the magic word.
const TAIL: usize = 8;

/// `bytes` with one bit turned over.
pub fn flip(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let mut chance = fastrand::Rng::with_seed(seed);
    if !damaged.is_empty() {
        damaged[chance.usize(..bytes.len())] ^= 1 << chance.u8(..8);
    }
    damaged
}

/// A Parquet file, of at least a tail, with some damage, and what it is.
pub fn parquet(bytes: &[u8], seed: u64) -> (Vec<u8>, &'static str) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut damaged = bytes.to_vec();
    let footer = footer_start(bytes);
    let kind = match chance.u8(..8) {
        0 => {
            damaged.truncate(chance.usize(..bytes.len()));
            "cut off"
        }
        1 => {
            damaged = flip(bytes, chance.u64(..));
            "a bit anywhere"
        }
        2 => {
            damaged[footer..].copy_from_slice(&flip(&bytes[footer..], chance.u64(..)));
            "a bit of the footer"
        }
        3 => {
            for _ in 0..chance.usize(1..64) {
                let at = chance.usize(footer..(bytes.len() - TAIL).max(footer + 1));
                damaged[at] = chance.u8(..);
            }
            "bytes of the footer"
        }
        4 => {
            damaged[..footer].copy_from_slice(&flip(&bytes[..footer], chance.u64(..)));
            "a bit of a page"
        }
        5 => {
            // Page headers hold sizes; large ones ask for memory that nobody has.
            let at = chance.usize(4..footer.max(5));
            let end = (at + chance.usize(1..10)).min(footer);
            damaged[at.min(end)..end].fill(0xff);
            "large numbers in a page"
        }
        6 => {
            let length = bytes.len() - TAIL;
            damaged[length..length + 4].copy_from_slice(&chance.u32(..).to_le_bytes());
            "another footer length"
        }
        _ => {
            let (from, to) = (chance.usize(..footer.max(1)), chance.usize(..footer.max(1)));
            let count = chance.usize(1..256).min(footer - from.max(to));
            damaged.copy_within(from..from + count, to);
            "bytes of another place"
        }
    };
    (damaged, kind)
}

/// Every length at which something of a Parquet file ends: nothing, the magic word, pages, the footer, its length.
pub fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let footer = footer_start(bytes);
    vec![0, 3, 4, footer / 2, footer - 1, footer, footer + 1, bytes.len() - TAIL, bytes.len() - 4, bytes.len() - 1]
}

fn footer_start(bytes: &[u8]) -> usize {
    let length = bytes.len().checked_sub(TAIL).and_then(|at| bytes.get(at..at + 4)).and_then(|at| at.try_into().ok());
    let length = length.map_or(0, |length| u32::from_le_bytes(length) as usize);
    bytes.len().saturating_sub(TAIL + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_damage_again() {
        let file: Vec<u8> = (0..=255).cycle().take(4096).chain([16, 0, 0, 0]).chain(*b"PAR1").collect();
        for seed in 0..1000 {
            assert_eq!(parquet(&file, seed), parquet(&file, seed));
        }
        let damaged = (0..1000).filter(|seed| parquet(&file, *seed).0 != file).count();
        assert!(damaged > 900, "{damaged} of 1000");
    }
}
