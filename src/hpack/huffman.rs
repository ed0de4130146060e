//! Huffman-coded strings (RFC 7541 §5.2, Appendix B).
//!
//! Always true here: a string is accepted only if its padding is shorter than an octet and all ones, and EOS
//! does not occur in it; decoding takes time linear in the coded octets, whatever they are.

use super::huffman_table::{CODES, EOS, LONG, LONG_SYMBOLS, LONGEST, SHORT, SHORT_BITS};

/// The string is not a valid Huffman coding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid;

/// How many octets `octets` take when Huffman-coded.
pub(super) fn encoded_len(octets: &[u8]) -> usize {
    let bits: usize = octets.iter().map(|&octet| usize::from(CODES[usize::from(octet)].1)).sum();
    bits.div_ceil(8)
}

/// Writes `octets`, Huffman-coded, to the front of `out`, which has room for [`encoded_len`] of them.
pub(super) fn encode(octets: &[u8], out: &mut [u8]) {
    let mut at = 0;
    // The last `bits` bits of `queue` (at most 31 between two octets) are not written yet.
    let mut queue = 0_u64;
    let mut bits = 0;
    for &octet in octets {
        let (code, code_bits) = CODES[usize::from(octet)];
        queue = queue << code_bits | u64::from(code);
        bits += u32::from(code_bits);
        if bits >= 32 {
            bits -= 32;
            out[at..at + 4].copy_from_slice(&((queue >> bits) as u32).to_be_bytes());
            at += 4;
        }
    }
    // Padding is the beginning of EOS: ones.
    let padded = (queue << 32 | u64::from(u32::MAX)) >> bits;
    let rest = bits.div_ceil(8) as usize;
    out[at..at + rest].copy_from_slice(&(padded as u32).to_be_bytes()[..rest]);
}

/// The most octets that a string of so many coded octets has: the shortest code has five bits.
pub(super) fn longest(coded_octets: usize) -> usize {
    coded_octets * 8 / 5
}

/// Decodes `coded` to the front of `out`, which has room for the [`longest`] string; returns how many octets it took.
pub(super) fn decode(coded: &[u8], out: &mut [u8]) -> Result<usize, Invalid> {
    let mut at = 0;
    let mut put = |octet| {
        out[at] = octet;
        at += 1;
    };
    let mut rest = coded;
    // The first `bits` bits of `window` are the next of the input; after them come bits of `rest`, or zeros.
    let mut window = 0_u64;
    let mut bits = 0;
    loop {
        if let Some(chunk) = rest.first_chunk::<8>() {
            window |= u64::from_be_bytes(*chunk) >> bits;
            let taken = (63 - bits) / 8;
            // Bits beyond the octets taken are in the window too; they will be set again, to the same.
            rest = &rest[taken as usize..];
            bits += taken * 8;
        } else {
            while bits <= 56
                && let Some((&octet, after)) = rest.split_first()
            {
                window |= u64::from(octet) << (56 - bits);
                bits += 8;
                rest = after;
            }
        }
        while bits >= SHORT_BITS {
            let (octet, length) = SHORT[(window >> (64 - SHORT_BITS)) as usize];
            if length == 0 {
                break;
            }
            put(octet);
            window <<= length;
            bits -= u32::from(length);
        }
        if bits >= LONGEST || (rest.is_empty() && bits >= SHORT_BITS) {
            let (octet, length) = long_symbol(window)?;
            if length > bits {
                return Err(Invalid);
            }
            put(octet);
            window <<= length;
            bits -= length;
        } else if rest.is_empty() {
            last_symbol(window, bits)?.into_iter().for_each(put);
            return Ok(at);
        }
    }
}

/// Ends a string: at most one symbol is left in the `bits` (below eight) of `window`, then padding.
fn last_symbol(window: u64, bits: u32) -> Result<Option<u8>, Invalid> {
    let mut window = (window >> (64 - SHORT_BITS)) as u8;
    let mut bits = bits;
    let (octet, length) = SHORT[usize::from(window)];
    let symbol = (length > 0 && u32::from(length) <= bits).then_some(octet);
    if symbol.is_some() {
        window <<= length;
        bits -= u32::from(length);
    }
    // Zeros follow the last bit.
    if window.leading_ones() == bits { Ok(symbol) } else { Err(Invalid) }
}

/// The symbol of more than eight bits that `window` begins with, and its length.
fn long_symbol(window: u64) -> Result<(u8, u32), Invalid> {
    let window = (window >> 32) as u32;
    let length = LONG.iter().find(|length| window <= length.last).ok_or(Invalid)?;
    let symbol = LONG_SYMBOLS[length.offset + ((window - length.first) >> (32 - length.bits)) as usize];
    // EOS inside a string is an error (§5.2).
    if symbol == EOS { Err(Invalid) } else { Ok((symbol as u8, length.bits)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn coded(octets: &[u8]) -> Vec<u8> {
        let mut out = vec![0; encoded_len(octets)];
        encode(octets, &mut out);
        out
    }

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, Invalid> {
        let mut out = vec![b'x'; longest(coded.len())];
        let octets = decode(coded, &mut out)?;
        out.truncate(octets);
        Ok(out)
    }

    #[test]
    fn example_of_appendix_c_4() {
        let wire = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(coded(b"www.example.com"), wire);
        assert_eq!(decoded(&wire).as_deref(), Ok(&b"www.example.com"[..]));
    }

    #[test]
    fn the_code_is_complete_and_canonical() {
        let mut codes: Vec<(u8, u32)> = CODES.iter().map(|&(code, bits)| (bits, code)).collect();
        codes.push((30, 0x3fff_ffff));
        assert_eq!(codes.iter().map(|(bits, _)| (1_u64 << 30) >> bits).sum::<u64>(), 1 << 30);
        codes.sort_unstable();
        for pair in codes.windows(2) {
            assert_eq!(pair[1].1, (pair[0].1 + 1) << (pair[1].0 - pair[0].0), "{pair:?}");
        }
    }

    #[test]
    fn every_octet_survives_at_every_bit_offset() {
        for octet in 0..=u8::MAX {
            for before in 0..16 {
                let mut octets = vec![b'0'; before];
                octets.extend([octet, b'a', octet]);
                assert_eq!(decoded(&coded(&octets)), Ok(octets));
            }
        }
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        assert_eq!(decoded(&[]), Ok(vec![]));
        // '0' is 00000: three bits of padding.
        assert_eq!(decoded(&[0b0000_0111]).as_deref(), Ok(&b"0"[..]));
        for wrong in [0b0000_0110, 0b0000_0101, 0b0000_0011] {
            assert_eq!(decoded(&[wrong]), Err(Invalid));
        }
        // A whole octet of padding, with and without a string before it.
        assert_eq!(decoded(&[0xff]), Err(Invalid));
        assert_eq!(decoded(&[0b0000_0111, 0xff]), Err(Invalid));
        // '&' is 11111000: no padding at all.
        assert_eq!(decoded(&[0xf8]).as_deref(), Ok(&b"&"[..]));
    }

    #[test]
    fn eos_is_refused() {
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), Err(Invalid));
        assert_eq!(decoded(&[0x07, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(Invalid));
    }

    #[test]
    fn a_long_code_cut_anywhere_is_refused() {
        // Octet 10 has 30 bits: 0x3ffffffc.
        let wire = coded(&[10]);
        for cut in 1..wire.len() {
            assert_eq!(decoded(&wire[..cut]), Err(Invalid));
        }
    }

    proptest! {
        #[test]
        fn any_string_survives(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decoded(&coded(&octets)), Ok(octets));
        }

        #[test]
        fn an_accepted_coding_is_the_only_one(wire in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(octets) = decoded(&wire) {
                prop_assert_eq!(coded(&octets), wire);
            }
        }
    }
}
