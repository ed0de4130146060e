//! A piece: part of a payload, either a copy of its own or a slice of the block it arrived in.
//!
//! Always true here: a copied piece holds no more memory than its octets; a shared piece names the block it
//! holds, so that a queue can account the block's whole capacity and count it once.

use bytes::Bytes;

/// A piece of DATA payload.
#[derive(Clone, Debug)]
pub struct Piece {
    pub(super) bytes: Bytes,
    /// The block that the octets share, none if they are a copy.
    pub(super) origin: Option<Origin>,
}

impl Piece {
    /// A copy of `octets` that shares no block.
    pub fn copied(octets: &[u8]) -> Self {
        Self { bytes: Bytes::copy_from_slice(octets), origin: None }
    }

    /// Octets of payload.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no payload.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The payload.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// The block that a shared piece keeps from going home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Address of its first octet: no two blocks that live at the same time have the same.
    pub(super) address: usize,
    /// Octets of memory.
    pub(super) capacity: usize,
}
