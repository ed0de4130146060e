//! The idle blocks of one size class, and the counters of that class.
//!
//! A few blocks lie near: in racks that few threads share, so that threads seldom meet and a steady load goes
//! round in memory that is still in the cache. The others lie far, in one rack for all threads.
//!
//! Always true here: what can lie near is bounded by design, what lies far by an [`Allowance`]. What is out is
//! not counted but known: blocks held less blocks idle. So is the high water: a class holds more blocks than
//! ever before only when it has just made a new one.

use std::sync::OnceLock;

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::{
    class::{self, CLASSES},
    memory::Memory,
    rack::Rack,
    stats::ClassStats,
};

/// Near racks of a class. A power of two.
pub(super) const STRIPES: usize = 16;

/// Slots of a near rack at most, in blocks and in octets.
const NEAR_SLOTS: usize = 16;
const NEAR_OCTETS: usize = 64 * 1024;

/// Slots of a far rack at most.
const FAR_SLOTS: usize = 4096;

/// Octets that can lie near in one stripe of all classes.
pub(super) const OCTETS_PER_STRIPE: usize = {
    let (mut octets, mut class) = (0, 0);
    while class < CLASSES {
        octets += near_slots(class::capacity(class)) * class::capacity(class);
        class += 1;
    }
    octets
};

const fn near_slots(capacity: usize) -> usize {
    let slots = NEAR_OCTETS / capacity;
    if slots < NEAR_SLOTS { slots } else { NEAR_SLOTS }
}

/// The idle blocks of one class.
pub(super) struct Shelf {
    near: [OnceLock<Box<Rack>>; STRIPES],
    far: OnceLock<Box<Rack>>,
    /// Takes that found no idle block.
    misses: AtomicU64,
    /// Blocks that exist, out and idle.
    held: AtomicUsize,
    /// Most blocks that ever existed at once.
    high_water: AtomicUsize,
}

/// How a shelf is to be used: the pool's part of its knowledge.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    /// Octets in a block of the shelf's class.
    pub(super) capacity: usize,
    /// Near racks in use: a power of two up to [`STRIPES`], or none.
    pub(super) stripes: usize,
    pub(super) allowance: &'a Allowance,
}

impl Shelf {
    pub(super) const fn new() -> Self {
        Self {
            near: [const { OnceLock::new() }; STRIPES],
            far: OnceLock::new(),
            misses: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
        }
    }

    /// The memory of an idle block.
    #[inline]
    pub(super) fn take(&self, how: Use<'_>) -> Option<Memory> {
        let near = stripe_of_thread(how.stripes).and_then(|stripe| self.near[stripe].get());
        near.and_then(|near| near.take()).or_else(|| self.take_elsewhere(how))
    }

    /// From the far rack, or from near another thread.
    fn take_elsewhere(&self, how: Use<'_>) -> Option<Memory> {
        if let Some(memory) = self.far.get().and_then(|far| far.take()) {
            how.allowance.give_back(how.capacity);
            return Some(memory);
        }
        self.near.iter().filter_map(OnceLock::get).find_map(|near| near.take())
    }

    /// New memory, for a take that found no idle block.
    pub(super) fn make(&self, capacity: usize) -> Memory {
        self.misses.fetch_add(1, Relaxed);
        let held = self.held.fetch_add(1, Relaxed) + 1;
        self.high_water.fetch_max(held, Relaxed);
        Memory::zeroed(capacity)
    }

    /// Keeps `memory` for a later take, or frees it if there is no room. True if it was kept.
    #[inline]
    pub(super) fn put(&self, memory: Memory, how: Use<'_>) -> bool {
        let slots = near_slots(how.capacity);
        let not_near = match stripe_of_thread(how.stripes) {
            Some(stripe) if slots > 0 => {
                self.near[stripe].get_or_init(|| Box::new(Rack::new(slots))).put(memory).err()
            }
            _ => Some(memory),
        };
        not_near.is_none_or(|memory| self.put_far(memory, how))
    }

    fn put_far(&self, memory: Memory, how: Use<'_>) -> bool {
        let slots = how.allowance.limit / how.capacity;
        if how.allowance.take(how.capacity) {
            let far = self.far.get_or_init(|| Box::new(Rack::new(slots.clamp(1, FAR_SLOTS))));
            match far.put(memory) {
                Ok(()) => return true,
                Err(memory) => drop(memory),
            }
            how.allowance.give_back(how.capacity);
        }
        self.held.fetch_sub(1, Relaxed);
        false
    }

    /// Frees the idle blocks that no take has needed since the last trim; returns how many.
    pub(super) fn trim(&self, how: Use<'_>) -> usize {
        let far = self.far.get().map_or(0, |far| far.trim());
        how.allowance.give_back(far * how.capacity);
        let near: usize = self.near.iter().filter_map(OnceLock::get).map(|near| near.trim()).sum();
        self.held.fetch_sub(far + near, Relaxed);
        far + near
    }

    /// Idle blocks now.
    pub(super) fn idle(&self) -> usize {
        self.racks().map(Rack::idle).sum()
    }

    pub(super) fn stats(&self, capacity: usize) -> ClassStats {
        let held = self.held.load(Relaxed);
        let idle = self.idle().min(held);
        ClassStats {
            capacity,
            blocks_out: held - idle,
            blocks_idle: idle,
            high_water: self.high_water.load(Relaxed),
            hits: self.racks().map(Rack::hits).sum(),
            misses: self.misses.load(Relaxed),
        }
    }

    fn racks(&self) -> impl Iterator<Item = &Rack> {
        self.near.iter().chain([&self.far]).filter_map(OnceLock::get).map(|rack| &**rack)
    }
}

/// Octets that may lie far, in all classes of a pool together.
pub(super) struct Allowance {
    limit: usize,
    taken: AtomicUsize,
}

impl Allowance {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, taken: AtomicUsize::new(0) }
    }

    fn take(&self, octets: usize) -> bool {
        let taken = self.taken.fetch_add(octets, Relaxed);
        let within = taken.saturating_add(octets) <= self.limit;
        if !within {
            self.give_back(octets);
        }
        within
    }

    #[cfg(all(test, loom))]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Relaxed)
    }

    fn give_back(&self, octets: usize) {
        self.taken.fetch_sub(octets, Relaxed);
    }
}

/// Which of `stripes` near racks this thread uses; none if there are none.
#[inline]
fn stripe_of_thread(stripes: usize) -> Option<usize> {
    /// Threads counted so far.
    static THREADS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    thread_local! {
        static THREAD: usize = THREADS.fetch_add(1, Relaxed);
    }
    let mask = stripes.checked_sub(1)?;
    // A thread whose locals are gone already may still drop blocks.
    Some(THREAD.try_with(|thread| *thread).unwrap_or(0) & mask)
}
