//! Integers with a prefix of N bits (RFC 7541 §5.1).
//!
//! Always true here: an accepted value fits 32 bits and took at most five octets after its prefix, so no
//! input can overflow or be read without end.

/// The most octets an encoded 32-bit value takes.
pub(super) const LONGEST: usize = 6;

/// Reads a value with a prefix of `prefix` bits (1 to 8) from the front of `octets`; returns it and how many
/// octets it took. `None` if `octets` ends too early or the value exceeds 32 bits.
pub(super) fn decode(octets: &[u8], prefix: u32) -> Option<(u32, usize)> {
    let (&first, rest) = octets.split_first()?;
    let full = u8::MAX >> (8 - prefix);
    let mut value = u64::from(first & full);
    if first & full < full {
        return Some((value as u32, 1));
    }
    for (i, &octet) in rest.iter().take(LONGEST - 1).enumerate() {
        value += u64::from(octet & 0x7f) << (7 * i);
        if octet & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, i + 2));
        }
    }
    None
}

/// Writes `value` with a prefix of `prefix` bits to the front of `out`, the bits of `flags` above the prefix;
/// returns how many octets it took.
pub(super) fn encode(value: u32, prefix: u32, flags: u8, out: &mut [u8]) -> usize {
    let full = u8::MAX >> (8 - prefix);
    if value < u32::from(full) {
        out[0] = flags | value as u8;
        return 1;
    }
    out[0] = flags | full;
    let mut rest = value - u32::from(full);
    let mut at = 1;
    while rest >= 0x80 {
        out[at] = rest as u8 | 0x80;
        rest >>= 7;
        at += 1;
    }
    out[at] = rest as u8;
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_appendix_c_1() {
        for (value, prefix, wire) in
            [(10, 5, &[0x0a][..]), (1337, 5, &[0x1f, 0x9a, 0x0a]), (42, 8, &[0x2a]), (31, 5, &[0x1f, 0])]
        {
            let mut out = [0; LONGEST];
            let octets = encode(value, prefix, 0, &mut out);
            assert_eq!(&out[..octets], wire);
            assert_eq!(decode(wire, prefix), Some((value, wire.len())));
        }
    }

    #[test]
    fn every_prefix_and_size_survives_and_cannot_be_cut() {
        for prefix in 1..=8 {
            for value in (0..32).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u32::MAX])
            {
                let mut out = [0; LONGEST];
                let octets = encode(value, prefix, 0, &mut out);
                assert_eq!(decode(&out, prefix), Some((value, octets)));
                assert!((0..octets).all(|cut| decode(&out[..cut], prefix).is_none()));
            }
        }
    }

    #[test]
    fn flags_stay_above_the_prefix() {
        let mut out = [0; LONGEST];
        encode(3, 4, 0x10, &mut out);
        assert_eq!(out[0], 0x13);
        assert_eq!(decode(&[0x13], 4), Some((3, 1)));
    }

    #[test]
    fn too_large_or_too_long_is_refused() {
        assert_eq!(decode(&[0xff, 0x80, 0xfe, 0xff, 0xff, 0x0f], 8), Some((u32::MAX, 6)));
        assert_eq!(decode(&[0xff, 0x81, 0xfe, 0xff, 0xff, 0x0f], 8), None);
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], 8), None);
        assert_eq!(decode(&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 5), None);
        assert_eq!(decode(&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x00], 5), Some((31, 6)));
    }
}
