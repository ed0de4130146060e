//! The stream identifier of RFC 9113 §5.1.1: 31 bits, odd when the client opened the stream, even when the
//! server did, zero for the connection itself.
//!
//! Always true here: the reserved high bit is never set (§4.1 says to ignore it on receipt).

use std::fmt;

/// A stream identifier (RFC 9113 §5.1.1), 0 to 2^31 - 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId(u32);

impl StreamId {
    /// The identifier that stands for the connection as a whole.
    pub const CONNECTION: StreamId = StreamId(0);
    /// The largest identifier there is; a first, graceful GOAWAY names it (RFC 9113 §6.8).
    pub const MAX: StreamId = StreamId(0x7fff_ffff);

    /// Makes an identifier of the low 31 bits of `value`; the reserved bit is dropped (RFC 9113 §4.1).
    pub const fn new(value: u32) -> Self {
        StreamId(value & 0x7fff_ffff)
    }

    /// The identifier as a number.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether this is stream 0, the connection.
    pub const fn is_connection(self) -> bool {
        self.0 == 0
    }

    /// Whether a client opens streams with this identifier: odd ones (RFC 9113 §5.1.1).
    pub const fn is_client_initiated(self) -> bool {
        self.0 & 1 == 1
    }

    /// The next identifier the same side may use, or `None` when they are used up (RFC 9113 §5.1.1: then a
    /// new connection is needed).
    pub const fn next(self) -> Option<StreamId> {
        if self.0 > Self::MAX.0 - 2 { None } else { Some(StreamId(self.0 + 2)) }
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({})", self.0)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<StreamId> for u32 {
    fn from(id: StreamId) -> u32 {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_bit_is_ignored() {
        assert_eq!(StreamId::new(0x8000_0001), StreamId::new(1));
        assert_eq!(StreamId::new(u32::MAX), StreamId::MAX);
    }

    #[test]
    fn identifiers_run_out() {
        assert_eq!(StreamId::new(1).next(), Some(StreamId::new(3)));
        assert_eq!(StreamId::new(0x7fff_fffd).next(), Some(StreamId::MAX));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::new(0x7fff_fffe).next(), None);
    }

    #[test]
    fn parity_names_the_opener() {
        assert!(StreamId::new(7).is_client_initiated());
        assert!(!StreamId::new(8).is_client_initiated());
        assert!(StreamId::CONNECTION.is_connection());
    }
}
