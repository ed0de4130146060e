//! The idle blocks of one size class, and the counters of that class.
//!
//! Always true here: taking and putting back are lock-free and never wait; the hit path writes one counter
//! besides the free list. What is out is not counted but known: blocks held less blocks idle. So is the high
//! water: a class holds more blocks than ever before only when it has just made a new one.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use crossbeam_queue::ArrayQueue;

use super::{memory::Memory, stats::ClassStats};

/// Slots of the near list: few, so that a steady load goes round in memory that is still in the cache, and a
/// process with little traffic has a small free list.
const NEAR_SLOTS: usize = 16;

/// Slots of the far list at most.
const FAR_SLOTS: usize = 4096;

/// The idle blocks of one class. The capacity of the class is an argument where it is needed.
pub(super) struct Shelf {
    /// Tried first, both ways.
    near: List,
    /// What the near list has no room for.
    far: List,
    /// Takes that found an idle block.
    hits: AtomicU64,
    /// Fewest idle blocks seen since the last trim: so many were not needed.
    low_water: AtomicUsize,
    /// Takes that found none.
    misses: AtomicU64,
    /// Blocks that exist, out and idle.
    held: AtomicUsize,
    /// Most blocks that ever existed at once.
    high_water: AtomicUsize,
}

impl Shelf {
    pub(super) const fn new() -> Self {
        Self {
            near: OnceLock::new(),
            far: OnceLock::new(),
            hits: AtomicU64::new(0),
            low_water: AtomicUsize::new(0),
            misses: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
        }
    }

    /// The memory of an idle block.
    #[inline]
    pub(super) fn take(&self) -> Option<Memory> {
        let memory = pop(&self.near).or_else(|| pop(&self.far))?;
        self.hits.fetch_add(1, Relaxed);
        let idle = self.idle();
        if idle < self.low_water.load(Relaxed) {
            self.low_water.fetch_min(idle, Relaxed);
        }
        Some(memory)
    }

    /// New memory, for a take that found no idle block.
    pub(super) fn make(&self, capacity: usize) -> Memory {
        self.misses.fetch_add(1, Relaxed);
        self.low_water.store(0, Relaxed);
        let held = self.held.fetch_add(1, Relaxed) + 1;
        self.high_water.fetch_max(held, Relaxed);
        Memory::zeroed(capacity)
    }

    /// Keeps `memory` for a later take, or returns it if `slots` blocks are already idle.
    #[inline]
    pub(super) fn put(&self, memory: Memory, slots: usize) -> Result<(), Memory> {
        match list(&self.near, slots.min(NEAR_SLOTS)) {
            Some(near) => near.push(memory).or_else(|memory| self.put_far(memory, slots)),
            None => Err(memory),
        }
    }

    fn put_far(&self, memory: Memory, slots: usize) -> Result<(), Memory> {
        match list(&self.far, slots.saturating_sub(NEAR_SLOTS).min(FAR_SLOTS)) {
            Some(far) => far.push(memory),
            None => Err(memory),
        }
    }

    /// Frees the memory of a block of this class.
    pub(super) fn free(&self, memory: Memory) {
        self.held.fetch_sub(1, Relaxed);
        drop(memory);
    }

    /// Frees the idle block that was not used for longest. True if there was one.
    pub(super) fn free_coldest(&self) -> bool {
        let coldest = pop(&self.far).or_else(|| pop(&self.near));
        coldest.map(|memory| self.free(memory)).is_some()
    }

    /// Frees the idle blocks that no take has needed since the last trim; returns how many.
    pub(super) fn trim(&self) -> usize {
        let surplus = self.low_water.load(Relaxed);
        let freed = (0..surplus).take_while(|_| self.free_coldest()).count();
        self.low_water.store(self.idle(), Relaxed);
        freed
    }

    /// Idle blocks now.
    pub(super) fn idle(&self) -> usize {
        [&self.near, &self.far].iter().filter_map(|list| list.get()).map(ArrayQueue::len).sum()
    }

    pub(super) fn stats(&self, capacity: usize) -> ClassStats {
        let held = self.held.load(Relaxed);
        let idle = self.idle().min(held);
        ClassStats {
            capacity,
            blocks_out: held - idle,
            blocks_idle: idle,
            high_water: self.high_water.load(Relaxed),
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
        }
    }
}

type List = OnceLock<ArrayQueue<Memory>>;

#[inline]
fn pop(list: &List) -> Option<Memory> {
    list.get()?.pop()
}

/// The list, made now if it has never been used; none if it is to have no slot.
#[inline]
fn list(list: &List, slots: usize) -> Option<&ArrayQueue<Memory>> {
    match list.get() {
        Some(list) => Some(list),
        None if slots == 0 => None,
        None => Some(list.get_or_init(|| ArrayQueue::new(slots))),
    }
}
