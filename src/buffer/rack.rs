//! One lock-free list of idle blocks.
//!
//! Always true here: nothing waits; each rack knows how many of its blocks were never needed since the last
//! trim, and writes to no memory but its own.

use crate::sync::{
    ArrayQueue,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use super::memory::Memory;

/// Idle blocks of one class.
pub(super) struct Rack {
    idle: ArrayQueue<Memory>,
    /// Takes that found a block here.
    hits: AtomicU64,
    /// Fewest blocks seen here since the last trim.
    low_water: AtomicUsize,
}

impl Rack {
    /// An empty rack with room for `slots`, of which there must be at least one.
    pub(super) fn new(slots: usize) -> Self {
        Self { idle: ArrayQueue::new(slots), hits: AtomicU64::new(0), low_water: AtomicUsize::new(0) }
    }

    #[inline]
    pub(super) fn take(&self) -> Option<Memory> {
        let memory = self.idle.pop()?;
        self.hits.fetch_add(1, Relaxed);
        let idle = self.idle.len();
        if idle < self.low_water.load(Relaxed) {
            self.low_water.fetch_min(idle, Relaxed);
        }
        Some(memory)
    }

    /// Returns the memory if all slots are taken.
    #[inline]
    pub(super) fn put(&self, memory: Memory) -> Result<(), Memory> {
        self.idle.push(memory)
    }

    /// Drops the blocks that no take has needed since the last trim; returns how many.
    pub(super) fn trim(&self) -> usize {
        let surplus = self.low_water.load(Relaxed);
        let dropped = (0..surplus).map_while(|_| self.idle.pop()).map(drop).count();
        self.low_water.store(self.idle(), Relaxed);
        dropped
    }

    /// Blocks here now.
    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Relaxed)
    }
}
