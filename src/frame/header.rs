//! The nine octets before every payload (RFC 9113 §4.1).
//!
//! ```text
//! +-----------------------------------------------+
//! |                 Length (24)                   |
//! +---------------+---------------+---------------+
//! |   Type (8)    |   Flags (8)   |
//! +-+-------------+---------------+-------------------------------+
//! |R|                 Stream Identifier (31)                      |
//! +=+=============================================================+
//! ```
//!
//! Always true here: any nine octets are a header. An unknown type is a value like any other (§5.5), unknown
//! flags are kept and mean nothing, the reserved bit is dropped.

use std::{fmt, ops::BitOr};

use crate::stream_id::StreamId;

/// The initial SETTINGS_MAX_FRAME_SIZE, and the least it may be, in octets (RFC 9113 §6.5.2).
pub const MIN_MAX_FRAME_SIZE: u32 = 1 << 14;

/// The most that SETTINGS_MAX_FRAME_SIZE may be, in octets (RFC 9113 §6.5.2).
pub const MAX_FRAME_SIZE: u32 = (1 << 24) - 1;

/// A frame header (RFC 9113 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Octets of payload that follow; 24 bits on the wire.
    pub length: u32,
    /// What the payload means.
    pub kind: FrameType,
    /// Flags, whose meaning depends on `kind`.
    pub flags: Flags,
    /// The stream, or stream 0 for the connection.
    pub stream: StreamId,
}

impl FrameHeader {
    /// Octets of a header on the wire.
    pub const OCTETS: usize = 9;

    /// Reads a header; the reserved bit is dropped.
    pub const fn parse(octets: &[u8; Self::OCTETS]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *octets;
        FrameHeader {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind: FrameType(kind),
            flags: Flags(flags),
            stream: StreamId::new(u32::from_be_bytes([s0, s1, s2, s3])),
        }
    }

    /// Writes a header. Only the low 24 bits of the length go on the wire.
    pub const fn encode(&self) -> [u8; Self::OCTETS] {
        debug_assert!(self.length <= MAX_FRAME_SIZE);
        let [_, l0, l1, l2] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.value().to_be_bytes();
        [l0, l1, l2, self.kind.0, self.flags.0, s0, s1, s2, s3]
    }
}

/// A frame type, any eight bits (RFC 9113 §6, RFC 9218 §7.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameType(u8);

macro_rules! frame_types {
    ($($value:literal $name:ident $section:literal;)*) => {
        impl FrameType {
            $(
                #[doc = concat!(stringify!($name), " (", $section, ").")]
                pub const $name: FrameType = FrameType($value);
            )*

            fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

frame_types! {
    0x00 DATA "RFC 9113 §6.1";
    0x01 HEADERS "RFC 9113 §6.2";
    0x02 PRIORITY "RFC 9113 §6.3";
    0x03 RST_STREAM "RFC 9113 §6.4";
    0x04 SETTINGS "RFC 9113 §6.5";
    0x05 PUSH_PROMISE "RFC 9113 §6.6";
    0x06 PING "RFC 9113 §6.7";
    0x07 GOAWAY "RFC 9113 §6.8";
    0x08 WINDOW_UPDATE "RFC 9113 §6.9";
    0x09 CONTINUATION "RFC 9113 §6.10";
    0x10 PRIORITY_UPDATE "RFC 9218 §7.1";
}

impl FrameType {
    /// Whether this is one of the types above; others are to be ignored (RFC 9113 §5.5).
    pub fn is_known(self) -> bool {
        self.name().is_some()
    }

    /// The type as a number.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl From<u8> for FrameType {
    fn from(value: u8) -> Self {
        FrameType(value)
    }
}

impl fmt::Debug for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "frame type {:#x}", self.0),
        }
    }
}

/// Flags of a frame header, any eight bits (RFC 9113 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// SETTINGS and PING: this is an answer.
    pub const ACK: Flags = Flags(0x01);
    /// DATA and HEADERS: the sender ends its side of the stream.
    pub const END_STREAM: Flags = Flags(0x01);
    /// HEADERS and CONTINUATION: the field block is complete.
    pub const END_HEADERS: Flags = Flags(0x04);
    /// DATA and HEADERS: a Pad Length octet and padding are there.
    pub const PADDED: Flags = Flags(0x08);
    /// HEADERS: the deprecated priority fields are there.
    pub const PRIORITY: Flags = Flags(0x20);

    /// The eight bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags if `set`, none otherwise.
    pub const fn when(self, set: bool) -> Flags {
        if set { self } else { Flags::NONE }
    }
}

impl From<u8> for Flags {
    fn from(bits: u8) -> Self {
        Flags(bits)
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_goes_there_and_back() {
        let octets = [0x01, 0x02, 0x03, 0x01, 0x25, 0x7f, 0xff, 0xff, 0xff];
        let header = FrameHeader::parse(&octets);
        assert_eq!(header.length, 0x01_0203);
        assert_eq!(header.kind, FrameType::HEADERS);
        assert!(header.flags.contains(Flags::END_STREAM | Flags::END_HEADERS | Flags::PRIORITY));
        assert!(!header.flags.contains(Flags::PADDED));
        assert_eq!(header.stream, StreamId::MAX);
        assert_eq!(header.encode(), octets);
    }

    #[test]
    fn the_reserved_bit_is_dropped_and_all_else_kept() {
        let header = FrameHeader::parse(&[0xff; 9]);
        assert_eq!(header.length, MAX_FRAME_SIZE);
        assert_eq!(header.encode(), [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn types_have_names_and_unknown_ones_a_number() {
        assert_eq!(format!("{:?}", FrameType::from(0x10)), "PRIORITY_UPDATE");
        assert_eq!(format!("{:?}", FrameType::from(0x0b)), "frame type 0xb");
    }
}
