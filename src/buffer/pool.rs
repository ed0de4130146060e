//! The pool: where blocks come from and where their memory goes home.
//!
//! Always true here: a take never waits and never fails; what is idle stays within `max_idle` octets; the
//! counters balance whatever thread a block comes home from. The process-wide pool is a static: cloning it
//! touches no counter.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::{
    block::Block,
    class::{self, CLASSES},
    decay::Housekeeper,
    memory::Memory,
    shelf::{Allowance, OCTETS_PER_STRIPE, STRIPES, Shelf, Use},
    stats::{LargeStats, PoolStats},
};

/// How a [`BufferPool`] keeps idle memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Octets kept idle at most. Default: 256 MiB: what a burst leaves goes back within seconds by decay; this is
    /// for the steady flow, where blocks that do not fit are mapped and unmapped again and again.
    pub max_idle: usize,
    /// How often idle blocks that were not needed are given back to the operating system; `None` keeps them.
    /// Default: every 2 seconds.
    pub decay: Option<Duration>,
}

impl PoolOptions {
    const DEFAULT: Self = Self { max_idle: 256 * 1024 * 1024, decay: Some(Duration::from_secs(2)) };
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A pool of blocks in size classes from 256 octets to 1 MiB.
///
/// A cheap handle: clones share the same pool. [`BufferPool::global`] is the process-wide one.
#[derive(Clone, Default)]
pub struct BufferPool {
    /// `None` is the process-wide pool.
    own: Option<Arc<Core>>,
}

impl PartialEq for BufferPool {
    /// Whether they are handles of the same pool.
    fn eq(&self, other: &Self) -> bool {
        self.own.as_ref().map(Arc::as_ptr) == other.own.as_ref().map(Arc::as_ptr)
    }
}

impl Eq for BufferPool {}

impl BufferPool {
    /// A pool of its own, which shares nothing with any other.
    pub fn new(options: PoolOptions) -> Self {
        Self { own: Some(Arc::new(Core::new(options))) }
    }

    /// The process-wide pool, with the default options.
    pub const fn global() -> Self {
        Self { own: None }
    }

    /// An empty block of the smallest class that holds `octets`.
    ///
    /// Larger than 1 MiB: a block of exactly `octets`, which is counted but not kept when it comes home.
    /// The spare memory may show what an earlier user wrote there.
    #[inline]
    pub fn take(&self, octets: usize) -> Block {
        Block::pooled(self.core().take(octets), self.clone())
    }

    /// The capacity that [`take`](Self::take) would give for `octets`.
    pub const fn class_capacity(octets: usize) -> usize {
        match class::holding(octets) {
            Some(class) => class::capacity(class),
            None => octets,
        }
    }

    /// What is out and idle now, and what happened so far.
    pub fn stats(&self) -> PoolStats {
        self.core().stats()
    }

    /// One decay step now: frees the idle blocks that no take has needed since the step before.
    ///
    /// Two calls with no use in between free everything that is idle.
    pub fn trim(&self) {
        self.core().trim();
    }

    /// Brings a block's memory home.
    #[inline]
    pub(super) fn give_back(&self, memory: Memory) {
        let core = self.core();
        if core.give_back(memory) {
            core.housekeeper.wake(self);
        }
    }

    #[inline]
    fn core(&self) -> &Core {
        static GLOBAL: Core = Core::new(PoolOptions::DEFAULT);
        match &self.own {
            None => &GLOBAL,
            Some(core) => core,
        }
    }

    /// A handle that does not keep the pool alive.
    pub(super) fn downgrade(&self) -> WeakPool {
        WeakPool { own: self.own.as_ref().map(Arc::downgrade) }
    }

    /// True if nothing is idle; the housekeeper's reason to leave.
    pub(super) fn has_nothing_idle(&self) -> bool {
        self.core().octets_idle() == 0
    }

    /// Octets that exist, as counted for the high water.
    #[cfg(all(test, loom))]
    pub(crate) fn octets_held(&self) -> usize {
        self.core().held.load(Relaxed)
    }

    /// Octets of the allowance that are taken.
    #[cfg(all(test, loom))]
    pub(crate) fn octets_far(&self) -> usize {
        self.core().allowance.taken()
    }

    pub(super) fn housekeeper(&self) -> &Housekeeper {
        &self.core().housekeeper
    }
}

/// A [`BufferPool`] that may be gone.
pub(super) struct WeakPool {
    own: Option<Weak<Core>>,
}

impl WeakPool {
    /// The pool, if it still exists.
    pub(super) fn upgrade(&self) -> Option<BufferPool> {
        match &self.own {
            None => Some(BufferPool::global()),
            Some(core) => Some(BufferPool { own: Some(core.upgrade()?) }),
        }
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("BufferPool")
            .field("global", &self.own.is_none())
            .field("octets_out", &stats.octets_out)
            .field("octets_idle", &stats.octets_idle)
            .finish()
    }
}

/// What the handles of one pool share.
struct Core {
    shelves: [Shelf; CLASSES],
    /// Near racks in use in each shelf.
    stripes: usize,
    /// For what does not lie near.
    allowance: Allowance,
    housekeeper: Housekeeper,
    /// Octets that exist, out and idle. Like what follows it, changes only when memory is made or freed.
    held: AtomicUsize,
    high_water: AtomicUsize,
    large_blocks: AtomicUsize,
    large_octets: AtomicUsize,
    large_misses: AtomicU64,
}

impl Core {
    const fn new(options: PoolOptions) -> Self {
        let stripes = stripes_within(options.max_idle / 2);
        Self {
            shelves: [const { Shelf::new() }; CLASSES],
            stripes,
            allowance: Allowance::new(options.max_idle - stripes * OCTETS_PER_STRIPE),
            housekeeper: Housekeeper::new(options.decay),
            held: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
            large_blocks: AtomicUsize::new(0),
            large_octets: AtomicUsize::new(0),
            large_misses: AtomicU64::new(0),
        }
    }

    #[inline]
    fn take(&self, octets: usize) -> Memory {
        match class::holding(octets) {
            Some(class) => self.shelves[class].take(self.how(class)).unwrap_or_else(|| self.make(class)),
            None => self.make_large(octets),
        }
    }

    #[cold]
    fn make(&self, class: usize) -> Memory {
        self.count_made(class::capacity(class));
        self.shelves[class].make(class::capacity(class))
    }

    #[cold]
    fn make_large(&self, octets: usize) -> Memory {
        self.count_made(octets);
        self.large_misses.fetch_add(1, Relaxed);
        self.large_blocks.fetch_add(1, Relaxed);
        self.large_octets.fetch_add(octets, Relaxed);
        Memory::zeroed(octets)
    }

    fn count_made(&self, octets: usize) {
        self.housekeeper.forgive();
        let held = self.held.fetch_add(octets, Relaxed) + octets;
        self.high_water.fetch_max(held, Relaxed);
    }

    /// True if the memory was kept.
    #[inline]
    fn give_back(&self, memory: Memory) -> bool {
        let octets = memory.len();
        let Some(class) = class::exactly(octets) else {
            self.free_large(memory);
            return false;
        };
        let kept = self.shelves[class].put(memory, self.how(class));
        if !kept {
            self.held.fetch_sub(octets, Relaxed);
        }
        kept
    }

    #[cold]
    fn free_large(&self, memory: Memory) {
        self.held.fetch_sub(memory.len(), Relaxed);
        self.large_blocks.fetch_sub(1, Relaxed);
        self.large_octets.fetch_sub(memory.len(), Relaxed);
    }

    #[inline]
    fn how(&self, class: usize) -> Use<'_> {
        Use { capacity: class::capacity(class), stripes: self.stripes, allowance: &self.allowance }
    }

    fn trim(&self) {
        for (class, shelf) in self.shelves.iter().enumerate() {
            self.held.fetch_sub(shelf.trim(self.how(class)) * class::capacity(class), Relaxed);
        }
    }

    fn octets_idle(&self) -> usize {
        self.shelves.iter().enumerate().map(|(class, shelf)| shelf.idle() * class::capacity(class)).sum()
    }

    fn stats(&self) -> PoolStats {
        let large = LargeStats {
            blocks_out: self.large_blocks.load(Relaxed),
            octets_out: self.large_octets.load(Relaxed),
            misses: self.large_misses.load(Relaxed),
        };
        let mut stats = PoolStats {
            blocks_out: large.blocks_out,
            octets_out: large.octets_out,
            octets_high_water: self.high_water.load(Relaxed),
            misses: large.misses,
            large,
            ..PoolStats::default()
        };
        for (class, shelf) in self.shelves.iter().enumerate() {
            let of_class = shelf.stats(class::capacity(class));
            if of_class.misses == 0 {
                continue;
            }
            stats.blocks_out += of_class.blocks_out;
            stats.octets_out += of_class.blocks_out * of_class.capacity;
            stats.blocks_idle += of_class.blocks_idle;
            stats.octets_idle += of_class.blocks_idle * of_class.capacity;
            stats.hits += of_class.hits;
            stats.misses += of_class.misses;
            stats.classes.push(of_class);
        }
        stats
    }
}

/// How many stripes of near racks fit into `octets`: a power of two, or none.
const fn stripes_within(octets: usize) -> usize {
    let mut stripes = STRIPES;
    while stripes * OCTETS_PER_STRIPE > octets {
        stripes /= 2;
    }
    stripes
}

#[cfg(test)]
mod tests;
