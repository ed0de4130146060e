//! A block: memory on loan, exclusive and writable, filled from the front.
//!
//! Always true here: the filled part never exceeds the capacity, and a pooled block's memory goes home exactly
//! once: when the block is dropped, or when the last [`Bytes`] made of it is.

use std::{fmt, mem};

use bytes::Bytes;

use super::{memory::Memory, pool::BufferPool};

/// Memory of a fixed capacity, of which a front part is filled.
pub struct Block {
    memory: Memory,
    /// Where the memory goes when the block is dropped; none if it is simply freed.
    home: Option<BufferPool>,
    filled: usize,
}

impl Block {
    #[inline]
    pub(super) fn pooled(memory: Memory, home: BufferPool) -> Self {
        Self { memory, home: Some(home), filled: 0 }
    }

    /// An empty block of exactly `octets` that belongs to no pool.
    pub fn owned(octets: usize) -> Self {
        Self { memory: Memory::zeroed(octets), home: None, filled: 0 }
    }

    /// Whether the memory goes home to a pool.
    pub fn is_pooled(&self) -> bool {
        self.home.is_some()
    }

    /// Octets of memory.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Octets filled.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing is filled.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The filled part.
    pub fn filled(&self) -> &[u8] {
        &self.memory.as_slice()[..self.filled]
    }

    /// The filled part, to be changed in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.memory.as_mut_slice()[..self.filled]
    }

    /// The rest, to be filled. Initialised, but with whatever an earlier user left in it.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        &mut self.memory.as_mut_slice()[self.filled..]
    }

    /// Octets that can still be filled.
    pub fn spare_len(&self) -> usize {
        self.capacity() - self.filled
    }

    /// Declares the first `octets` of the spare part filled. At most all of it is.
    pub fn commit(&mut self, octets: usize) {
        debug_assert!(octets <= self.spare_len(), "committed more than there is room for");
        self.filled += octets.min(self.spare_len());
    }

    /// Copies as much of `from` as fits; returns how much that was.
    pub fn append(&mut self, from: &[u8]) -> usize {
        let octets = from.len().min(self.spare_len());
        self.spare_mut()[..octets].copy_from_slice(&from[..octets]);
        self.filled += octets;
        octets
    }

    /// Forgets what is filled.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// The filled part to be shared. The memory goes home when the last clone or slice of it is dropped, on
    /// whatever thread that is. If nothing is filled it goes home now.
    pub fn into_bytes(self) -> Bytes {
        if self.is_empty() { Bytes::new() } else { Bytes::from_owner(Shared(self)) }
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            home.give_back(mem::take(&mut self.memory));
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("pooled", &self.is_pooled())
            .finish()
    }
}

/// What owns the memory of shared octets.
struct Shared(Block);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.filled()
    }
}
