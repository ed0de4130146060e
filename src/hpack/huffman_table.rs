//! The Huffman code of RFC 7541 Appendix B, and what the decoder needs of it, computed at compile time.
//!
//! Always true here: the code is canonical (§5.2): within one length the codes follow each other in the
//! order of their symbols, and each length begins where the shorter ones end.

/// The code of each octet: its bits, aligned right, and how many there are.
pub(super) static CODES: [(u32, u8); 256] = RAW;

/// The symbol that ends a string; it must never appear in one (§5.2).
pub(super) const EOS: u16 = 256;
/// The longest code, that of EOS among others, in bits.
pub(super) const LONGEST: u32 = 30;
/// Codes of up to this many bits are found by one look into [`SHORT`]; all common octets have one.
pub(super) const SHORT_BITS: u32 = 8;

/// By the next eight bits: the octet and its code's length, or length 0 if the code is longer.
pub(super) static SHORT: [(u8, u8); 1 << SHORT_BITS] = short_codes();

/// The code lengths above [`SHORT_BITS`], ascending.
pub(super) static LONG: [Length; LONG_LENGTHS] = long_codes().0;
/// The symbols of [`LONG`], sorted by code.
pub(super) static LONG_SYMBOLS: [u16; LONG_CODES] = long_codes().1;

const LONG_LENGTHS: usize = 17;
const LONG_CODES: usize = 257 - 74;

/// The codes of one length.
#[derive(Clone, Copy)]
pub(super) struct Length {
    /// How many bits.
    pub(super) bits: u32,
    /// The first code, aligned to the left of 32 bits.
    pub(super) first: u32,
    /// The last 32-bit window that begins with a code of this length.
    pub(super) last: u32,
    /// Where the symbol of the first code stands in [`LONG_SYMBOLS`].
    pub(super) offset: usize,
}

const fn short_codes() -> [(u8, u8); 1 << SHORT_BITS] {
    let mut table = [(0, 0); 1 << SHORT_BITS];
    let mut octet = 0;
    while octet < 256 {
        let (code, bits) = RAW[octet];
        if bits as u32 <= SHORT_BITS {
            let spare = SHORT_BITS - bits as u32;
            let mut window = (code as usize) << spare;
            let end = window + (1 << spare);
            while window < end {
                table[window] = (octet as u8, bits);
                window += 1;
            }
        }
        octet += 1;
    }
    table
}

const fn long_codes() -> ([Length; LONG_LENGTHS], [u16; LONG_CODES]) {
    let mut lengths = [Length { bits: 0, first: 0, last: 0, offset: 0 }; LONG_LENGTHS];
    let mut symbols = [0; LONG_CODES];
    let (mut length, mut symbol) = (0, 0);
    let mut bits = SHORT_BITS + 1;
    while bits <= LONGEST {
        let offset = symbol;
        let mut octet = 0;
        while octet <= EOS {
            let (code, code_bits) = if octet == EOS { EOS_CODE } else { RAW[octet as usize] };
            if code_bits as u32 == bits {
                let left = code << (32 - bits);
                if symbol == offset {
                    lengths[length].first = left;
                }
                lengths[length].last = left | (u32::MAX >> bits);
                symbols[symbol] = octet;
                symbol += 1;
            }
            octet += 1;
        }
        if symbol > offset {
            lengths[length].bits = bits;
            lengths[length].offset = offset;
            length += 1;
        }
        bits += 1;
    }
    assert!(length == LONG_LENGTHS && symbol == LONG_CODES);
    (lengths, symbols)
}

const EOS_CODE: (u32, u8) = (0x3fff_ffff, 30);

#[rustfmt::skip]
const RAW: [(u32, u8); 256] = [
    (0x1ff8, 13), (0x7fffd8, 23), (0xfffffe2, 28), (0xfffffe3, 28), (0xfffffe4, 28), (0xfffffe5, 28), (0xfffffe6, 28), (0xfffffe7, 28),
    (0xfffffe8, 28), (0xffffea, 24), (0x3ffffffc, 30), (0xfffffe9, 28), (0xfffffea, 28), (0x3ffffffd, 30), (0xfffffeb, 28), (0xfffffec, 28),
    (0xfffffed, 28), (0xfffffee, 28), (0xfffffef, 28), (0xffffff0, 28), (0xffffff1, 28), (0xffffff2, 28), (0x3ffffffe, 30), (0xffffff3, 28),
    (0xffffff4, 28), (0xffffff5, 28), (0xffffff6, 28), (0xffffff7, 28), (0xffffff8, 28), (0xffffff9, 28), (0xffffffa, 28), (0xffffffb, 28),
    (0x14, 6), (0x3f8, 10), (0x3f9, 10), (0xffa, 12), (0x1ff9, 13), (0x15, 6), (0xf8, 8), (0x7fa, 11),
    (0x3fa, 10), (0x3fb, 10), (0xf9, 8), (0x7fb, 11), (0xfa, 8), (0x16, 6), (0x17, 6), (0x18, 6),
    (0x0, 5), (0x1, 5), (0x2, 5), (0x19, 6), (0x1a, 6), (0x1b, 6), (0x1c, 6), (0x1d, 6),
    (0x1e, 6), (0x1f, 6), (0x5c, 7), (0xfb, 8), (0x7ffc, 15), (0x20, 6), (0xffb, 12), (0x3fc, 10),
    (0x1ffa, 13), (0x21, 6), (0x5d, 7), (0x5e, 7), (0x5f, 7), (0x60, 7), (0x61, 7), (0x62, 7),
    (0x63, 7), (0x64, 7), (0x65, 7), (0x66, 7), (0x67, 7), (0x68, 7), (0x69, 7), (0x6a, 7),
    (0x6b, 7), (0x6c, 7), (0x6d, 7), (0x6e, 7), (0x6f, 7), (0x70, 7), (0x71, 7), (0x72, 7),
    (0xfc, 8), (0x73, 7), (0xfd, 8), (0x1ffb, 13), (0x7fff0, 19), (0x1ffc, 13), (0x3ffc, 14), (0x22, 6),
    (0x7ffd, 15), (0x3, 5), (0x23, 6), (0x4, 5), (0x24, 6), (0x5, 5), (0x25, 6), (0x26, 6),
    (0x27, 6), (0x6, 5), (0x74, 7), (0x75, 7), (0x28, 6), (0x29, 6), (0x2a, 6), (0x7, 5),
    (0x2b, 6), (0x76, 7), (0x2c, 6), (0x8, 5), (0x9, 5), (0x2d, 6), (0x77, 7), (0x78, 7),
    (0x79, 7), (0x7a, 7), (0x7b, 7), (0x7ffe, 15), (0x7fc, 11), (0x3ffd, 14), (0x1ffd, 13), (0xffffffc, 28),
    (0xfffe6, 20), (0x3fffd2, 22), (0xfffe7, 20), (0xfffe8, 20), (0x3fffd3, 22), (0x3fffd4, 22), (0x3fffd5, 22), (0x7fffd9, 23),
    (0x3fffd6, 22), (0x7fffda, 23), (0x7fffdb, 23), (0x7fffdc, 23), (0x7fffdd, 23), (0x7fffde, 23), (0xffffeb, 24), (0x7fffdf, 23),
    (0xffffec, 24), (0xffffed, 24), (0x3fffd7, 22), (0x7fffe0, 23), (0xffffee, 24), (0x7fffe1, 23), (0x7fffe2, 23), (0x7fffe3, 23),
    (0x7fffe4, 23), (0x1fffdc, 21), (0x3fffd8, 22), (0x7fffe5, 23), (0x3fffd9, 22), (0x7fffe6, 23), (0x7fffe7, 23), (0xffffef, 24),
    (0x3fffda, 22), (0x1fffdd, 21), (0xfffe9, 20), (0x3fffdb, 22), (0x3fffdc, 22), (0x7fffe8, 23), (0x7fffe9, 23), (0x1fffde, 21),
    (0x7fffea, 23), (0x3fffdd, 22), (0x3fffde, 22), (0xfffff0, 24), (0x1fffdf, 21), (0x3fffdf, 22), (0x7fffeb, 23), (0x7fffec, 23),
    (0x1fffe0, 21), (0x1fffe1, 21), (0x3fffe0, 22), (0x1fffe2, 21), (0x7fffed, 23), (0x3fffe1, 22), (0x7fffee, 23), (0x7fffef, 23),
    (0xfffea, 20), (0x3fffe2, 22), (0x3fffe3, 22), (0x3fffe4, 22), (0x7ffff0, 23), (0x3fffe5, 22), (0x3fffe6, 22), (0x7ffff1, 23),
    (0x3ffffe0, 26), (0x3ffffe1, 26), (0xfffeb, 20), (0x7fff1, 19), (0x3fffe7, 22), (0x7ffff2, 23), (0x3fffe8, 22), (0x1ffffec, 25),
    (0x3ffffe2, 26), (0x3ffffe3, 26), (0x3ffffe4, 26), (0x7ffffde, 27), (0x7ffffdf, 27), (0x3ffffe5, 26), (0xfffff1, 24), (0x1ffffed, 25),
    (0x7fff2, 19), (0x1fffe3, 21), (0x3ffffe6, 26), (0x7ffffe0, 27), (0x7ffffe1, 27), (0x3ffffe7, 26), (0x7ffffe2, 27), (0xfffff2, 24),
    (0x1fffe4, 21), (0x1fffe5, 21), (0x3ffffe8, 26), (0x3ffffe9, 26), (0xffffffd, 28), (0x7ffffe3, 27), (0x7ffffe4, 27), (0x7ffffe5, 27),
    (0xfffec, 20), (0xfffff3, 24), (0xfffed, 20), (0x1fffe6, 21), (0x3fffe9, 22), (0x1fffe7, 21), (0x1fffe8, 21), (0x7ffff3, 23),
    (0x3fffea, 22), (0x3fffeb, 22), (0x1ffffee, 25), (0x1ffffef, 25), (0xfffff4, 24), (0xfffff5, 24), (0x3ffffea, 26), (0x7ffff4, 23),
    (0x3ffffeb, 26), (0x7ffffe6, 27), (0x3ffffec, 26), (0x3ffffed, 26), (0x7ffffe7, 27), (0x7ffffe8, 27), (0x7ffffe9, 27), (0x7ffffea, 27),
    (0x7ffffeb, 27), (0xffffffe, 28), (0x7ffffec, 27), (0x7ffffed, 27), (0x7ffffee, 27), (0x7ffffef, 27), (0x7fffff0, 27), (0x3ffffee, 26),
];
