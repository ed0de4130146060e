//! The books of a pool, as a snapshot for whoever watches the process.
//!
//! Always true here: counters are read one after another while others take and give back, so a snapshot is
//! exact when the pool is quiet and close otherwise.

/// What a pool has out, keeps idle, and has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Blocks in use.
    pub blocks_out: usize,
    /// Capacity of the blocks in use, in octets.
    pub octets_out: usize,
    /// Blocks kept for the next take.
    pub blocks_idle: usize,
    /// Capacity of the idle blocks, in octets.
    pub octets_idle: usize,
    /// Most octets ever held at once, in use and idle.
    pub octets_high_water: usize,
    /// Takes served by an idle block.
    pub hits: u64,
    /// Takes that needed new memory.
    pub misses: u64,
    /// The size classes that were ever used, smallest first.
    pub classes: Vec<ClassStats>,
    /// Blocks larger than the largest class, which are never kept.
    pub large: LargeStats,
}

/// One size class of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// Octets in a block of this class.
    pub capacity: usize,
    /// Blocks in use.
    pub blocks_out: usize,
    /// Blocks kept for the next take.
    pub blocks_idle: usize,
    /// Most blocks ever held at once, which is also the most that were ever in use at once.
    pub high_water: usize,
    /// Takes served by an idle block.
    pub hits: u64,
    /// Takes that needed new memory.
    pub misses: u64,
}

/// Blocks of a pool that are larger than its largest class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LargeStats {
    /// Blocks in use.
    pub blocks_out: usize,
    /// Their octets.
    pub octets_out: usize,
    /// Takes, all of which needed new memory.
    pub misses: u64,
}
