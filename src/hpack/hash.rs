//! A small, fast hash of names and values, also computed at compile time.
//!
//! Always true here: it only speeds up searches. Whoever finds equal hashes compares the octets, and a table
//! is so small that even chosen collisions cost little; so it needs no secret.

/// The hash of `octets`.
pub(super) const fn of(octets: &[u8]) -> u32 {
    let mut hash = mix(0x9e37_79b9_7f4a_7c15, octets.len() as u64);
    let mut rest = octets;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        rest = after;
    }
    let tail = if rest.is_empty() {
        0
    } else if let Some(last) = octets.last_chunk::<8>() {
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        (u32::from_le_bytes(*first) as u64) << 32 | u32::from_le_bytes(*last) as u64
    } else {
        // One to three octets: each of them at least once.
        (octets[0] as u64) << 16 | (octets[octets.len() / 2] as u64) << 8 | octets[octets.len() - 1] as u64
    };
    let hash = mix(hash, tail);
    (hash ^ (hash >> 32)) as u32
}

const fn mix(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_octet_of_every_length_counts() {
        for len in 1..40 {
            let octets = vec![b'a'; len];
            let mut seen = HashSet::from([of(&octets)]);
            for at in 0..len {
                let mut other = octets.clone();
                other[at] = b'b';
                assert!(seen.insert(of(&other)), "octet {at} of {len}");
            }
        }
    }
}
