//! The pool in every order of its threads' steps (`docs/models.md`).
//!
//! Always true here: whatever the order, what was taken is home or freed in the end, each octet is counted once,
//! and nothing idle is forgotten.

use crate::sync::{explore, join, spawn};

use super::{Block, BufferPool, PoolOptions, shelf::OCTETS_PER_STRIPE};

pub(super) const SMALLEST: usize = 256;

/// A pool with room for two idle blocks of the smallest class, and no near racks.
fn for_two() -> BufferPool {
    let pool = BufferPool::new(PoolOptions { max_idle: 2 * SMALLEST, decay: None });
    warm(&pool, SMALLEST);
    pool
}

/// Uses everything of a class once, so that no thread is the first, and leaves it empty.
pub(super) fn warm(pool: &BufferPool, octets: usize) {
    for _ in 0..2 {
        drop((pool.take(octets), pool.take(octets)));
    }
    pool.trim();
    pool.trim();
    assert_eq!((pool.octets_held(), pool.octets_far()), (0, 0));
}

/// How often that took a block.
const WARMING: u64 = 4;

/// A block as the application gets it.
fn shared(pool: &BufferPool, octets: usize) -> bytes::Bytes {
    let mut block = pool.take(octets);
    block.append(b"x");
    block.into_bytes()
}

/// Nothing is out, `takes` were counted, what is idle is within `max_idle`, and two trims free it.
#[track_caller]
fn assert_balanced(pool: &BufferPool, takes: u64, max_idle: usize) {
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.octets_out), (0, 0), "not home: {stats:?}");
    assert_eq!(stats.hits + stats.misses, takes + WARMING * stats.classes.len() as u64, "{stats:?}");
    assert!(stats.octets_idle <= max_idle, "{stats:?}");
    assert_eq!(pool.octets_held(), stats.octets_idle, "counted otherwise: {stats:?}");
    pool.trim();
    pool.trim();
    assert_eq!(pool.stats().octets_idle, 0);
    assert_eq!((pool.octets_held(), pool.octets_far()), (0, 0));
}

#[test]
fn a_block_comes_home_from_another_thread_while_one_is_taken() {
    explore(2, || {
        let pool = for_two();
        let octets = shared(&pool, SMALLEST);
        let dropper = spawn(move || drop(octets));
        let first = pool.take(SMALLEST);
        let second = pool.take(SMALLEST);
        dropper.join().unwrap();
        drop((first, second));
        assert_balanced(&pool, 3, 2 * SMALLEST);
    });
}

#[test]
fn two_threads_take_and_give_while_a_third_trims() {
    explore(2, || {
        let pool = for_two();
        drop((pool.take(SMALLEST), pool.take(SMALLEST)));
        let users = [0, 1].map(|_| {
            let pool = pool.clone();
            spawn(move || drop(pool.take(SMALLEST)))
        });
        pool.trim();
        join(users);
        assert_balanced(&pool, 4, 2 * SMALLEST);
    });
}

#[test]
fn two_trims_at_once_free_a_block_once() {
    explore(2, || {
        let pool = for_two();
        drop((pool.take(SMALLEST), pool.take(SMALLEST)));
        pool.trim();
        let trimmer = {
            let pool = pool.clone();
            spawn(move || pool.trim())
        };
        pool.trim();
        drop(pool.take(SMALLEST));
        trimmer.join().unwrap();
        assert_balanced(&pool, 3, 2 * SMALLEST);
    });
}

#[test]
fn what_is_idle_stays_within_its_bound_at_any_time() {
    explore(2, || {
        let pool = for_two();
        warm(&pool, 2 * SMALLEST);
        let blocks: [Block; 2] = [0, 1].map(|_| pool.take(SMALLEST));
        let large = pool.take(2 * SMALLEST);
        let droppers = blocks.map(|block| spawn(move || drop(block)));
        drop(large);
        let idle = pool.stats().octets_idle;
        assert!(idle <= 2 * SMALLEST, "{idle} octets are idle");
        join(droppers);
        assert_balanced(&pool, 3, 2 * SMALLEST);
    });
}

#[test]
fn blocks_that_do_not_fit_near_lie_far() {
    // Of this class one block lies near.
    const OCTETS: usize = 64 * 1024;
    explore(2, || {
        let pool = BufferPool::new(PoolOptions { max_idle: 2 * OCTETS_PER_STRIPE, decay: None });
        warm(&pool, OCTETS);
        let blocks = [0, 1].map(|_| shared(&pool, OCTETS));
        let droppers = blocks.map(|octets| spawn(move || drop(octets)));
        drop(pool.take(OCTETS));
        join(droppers);
        assert_balanced(&pool, 3, 2 * OCTETS_PER_STRIPE);
    });
}
