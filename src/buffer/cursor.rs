//! Reads through one filled block, front to back.
//!
//! Always true here: the read position never passes the filled end; no piece shares a block that it would hold
//! for a crumb, so every block whose pieces are all small can be used again at once.

use std::{fmt, mem};

use bytes::Bytes;

use super::{
    block::Block,
    piece::{Origin, Piece},
};

/// Pieces below this are copied: sharing costs as much and holds the block.
const SHARED_FROM: usize = 2 * 1024;

/// A piece that is less than this part of its block's capacity is copied too.
const SHARED_PART: usize = 8;

/// Reads through one filled block.
pub struct Cursor {
    source: Source,
    /// Octets already read.
    read: usize,
}

enum Source {
    /// No piece shares the block.
    Whole(Block),
    /// Some piece does, or did.
    Shared { octets: Bytes, origin: Origin },
}

impl Cursor {
    /// Reads what is filled in `block`.
    pub fn new(block: Block) -> Self {
        Self { source: Source::Whole(block), read: 0 }
    }

    /// Octets not read yet.
    pub fn remaining(&self) -> usize {
        self.rest().len()
    }

    /// The octets not read yet.
    pub fn rest(&self) -> &[u8] {
        &self.source.octets()[self.read..]
    }

    /// Moves past the next `octets`, or to the end if there are fewer.
    pub fn skip(&mut self, octets: usize) {
        debug_assert!(octets <= self.remaining(), "skipped past the end");
        self.read += octets.min(self.remaining());
    }

    /// The next `octets`, or all that are left if there are fewer, and moves past them.
    pub fn take_slice(&mut self, octets: usize) -> &[u8] {
        let from = self.read;
        self.skip(octets);
        &self.source.octets()[from..self.read]
    }

    /// The next `octets`, or all that are left if there are fewer, as a piece, and moves past them.
    ///
    /// A large piece of a pooled and well filled block shares the block; any other is copied.
    pub fn take_piece(&mut self, octets: usize) -> Piece {
        let from = self.read;
        self.skip(octets);
        self.source.piece(from, self.read)
    }

    /// The block, cleared, unless a piece has shared it.
    pub fn into_block(self) -> Option<Block> {
        match self.source {
            Source::Whole(mut block) => {
                block.clear();
                Some(block)
            }
            Source::Shared { .. } => None,
        }
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("read", &self.read)
            .field("remaining", &self.remaining())
            .field("shared", &matches!(self.source, Source::Shared { .. }))
            .finish()
    }
}

impl Source {
    fn octets(&self) -> &[u8] {
        match self {
            Self::Whole(block) => block.filled(),
            Self::Shared { octets, .. } => octets,
        }
    }

    fn piece(&mut self, from: usize, to: usize) -> Piece {
        if !self.is_worth_sharing(to - from) {
            return Piece::copied(&self.octets()[from..to]);
        }
        if let Self::Whole(block) = self {
            let block = mem::replace(block, Block::owned(0));
            let origin = Origin { address: block.filled().as_ptr().addr(), capacity: block.capacity() };
            *self = Self::Shared { octets: block.into_bytes(), origin };
        }
        match self {
            Self::Shared { octets, origin } => Piece { bytes: octets.slice(from..to), origin: Some(*origin) },
            Self::Whole(_) => unreachable!("was shared just now"),
        }
    }

    fn is_worth_sharing(&self, octets: usize) -> bool {
        let capacity = match self {
            Self::Whole(block) if block.is_pooled() && is_well_filled(block.len(), block.capacity()) => {
                block.capacity()
            }
            Self::Whole(_) => return false,
            Self::Shared { origin, .. } => origin.capacity,
        };
        octets >= SHARED_FROM.max(capacity / SHARED_PART)
    }
}

/// Whether at most a third of `capacity` is wasted on `octets`.
pub(super) const fn is_well_filled(octets: usize, capacity: usize) -> bool {
    octets >= capacity - capacity / 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::{BufferPool, PoolOptions};

    fn pool() -> BufferPool {
        BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
    }

    fn filled(mut block: Block, octets: usize) -> Cursor {
        for (at, octet) in block.spare_mut()[..octets].iter_mut().enumerate() {
            *octet = at as u8;
        }
        block.commit(octets);
        Cursor::new(block)
    }

    #[test]
    fn octets_are_read_in_order() {
        let mut cursor = filled(pool().take(256), 20);
        assert_eq!(cursor.take_slice(3), [0, 1, 2]);
        cursor.skip(2);
        assert_eq!(cursor.remaining(), 15);
        assert_eq!(&cursor.take_piece(2).into_bytes()[..], [5, 6]);
        assert_eq!(cursor.rest()[..2], [7, 8]);
        assert_eq!(cursor.take_slice(13).len(), 13);
        assert_eq!((cursor.remaining(), cursor.rest()), (0, &[][..]));
        assert!(cursor.take_piece(0).is_empty());
    }

    #[test]
    fn crumbs_leave_the_block_whole() {
        let pool = pool();
        let mut cursor = filled(pool.take(16 * 1024), 16 * 1024);
        let crumb = cursor.take_piece(SHARED_FROM - 1);
        let block = cursor.into_block().expect("nothing shares it");
        assert_eq!((block.len(), block.capacity()), (0, 16 * 1024));
        drop(block);
        assert_eq!((crumb.len(), pool.stats().octets_out), (SHARED_FROM - 1, 0));
    }

    #[test]
    fn a_large_piece_shares_the_block() {
        let pool = pool();
        let mut cursor = filled(pool.take(16 * 1024), 16 * 1024);
        let start = cursor.rest().as_ptr();
        cursor.skip(9);
        let piece = cursor.take_piece(SHARED_FROM);
        assert_eq!(piece.origin, Some(Origin { address: start.addr(), capacity: 16 * 1024 }));
        assert_eq!(piece.bytes.as_ptr(), start.wrapping_add(9));
        assert_eq!(cursor.take_piece(4000).origin, piece.origin);
        assert!(cursor.take_piece(100).origin.is_none(), "a crumb is copied still");
        assert_eq!(cursor.rest()[0], (9 + SHARED_FROM + 4100) as u8);
        assert!(cursor.into_block().is_none());
        assert_eq!(pool.stats().octets_out, 16 * 1024);
        drop(piece);
        assert_eq!(pool.stats().octets_out, 0);
    }

    #[test]
    fn an_eighth_of_a_large_block_is_a_crumb() {
        let pool = pool();
        let mut cursor = filled(pool.take(64 * 1024), 64 * 1024);
        assert!(cursor.take_piece(8 * 1024 - 1).origin.is_none());
        assert!(cursor.take_piece(8 * 1024).origin.is_some());
    }

    #[test]
    fn ill_filled_and_unpooled_blocks_are_never_shared() {
        let pool = pool();
        for mut cursor in [filled(pool.take(16 * 1024), 10_000), filled(Block::owned(16 * 1024), 16 * 1024)] {
            assert!(cursor.take_piece(10_000).origin.is_none());
            assert!(cursor.into_block().is_some());
        }
    }

    #[test]
    fn well_filled_wastes_at_most_a_third() {
        assert!(is_well_filled(2, 3) && !is_well_filled(1, 3));
        assert!(is_well_filled(171, 256) && !is_well_filled(170, 256));
        assert!(is_well_filled(0, 0));
    }
}
