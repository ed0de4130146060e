//! The housekeeper's coming and going in every order of steps (`docs/models.md`).
//!
//! Always true here: what lies idle is trimmed by somebody, and nobody is left when the pool is gone.

use crate::{
    buffer::{
        PoolOptions,
        model::{SMALLEST, warm},
    },
    sync::{explore, join, spawn},
};

use super::*;

/// A pool that was used, with its seat empty.
fn pool() -> BufferPool {
    let pool = BufferPool::new(PoolOptions { max_idle: 2 * SMALLEST, decay: Some(Duration::from_secs(1)) });
    assert!(pool.housekeeper().claim());
    warm(&pool, SMALLEST);
    pool.housekeeper().state.store(ASLEEP, SeqCst);
    pool
}

/// Waits until nothing is idle: for ever, if nobody trims, and then the model has too many steps.
fn wait_for_trim(pool: &BufferPool) {
    while !pool.has_nothing_idle() {
        loom::thread::yield_now();
    }
}

#[test]
fn a_block_left_idle_finds_a_housekeeper() {
    explore(2, || {
        let pool = pool();
        let [first, second] = [0, 1].map(|_| pool.take(SMALLEST));
        drop(first);
        let dropper = spawn(move || drop(second));
        // The second block comes when it likes: while the first is trimmed, or when the housekeeper lies down.
        wait_for_trim(&pool);
        join([dropper]);
        wait_for_trim(&pool);
    });
}

#[test]
fn two_who_leave_blocks_at_once_find_a_housekeeper() {
    explore(3, || {
        let pool = pool();
        let blocks = [0, 1].map(|_| pool.take(SMALLEST));
        let droppers = blocks.map(|block| spawn(move || drop(block)));
        join(droppers);
        wait_for_trim(&pool);
    });
}

#[test]
fn the_housekeeper_does_not_outlive_the_pool() {
    explore(2, || {
        let pool = pool();
        let (block, weak) = (pool.take(SMALLEST), pool.downgrade());
        let dropper = spawn(move || drop(block));
        drop(pool);
        join([dropper]);
        while weak.upgrade().is_some() {
            loom::thread::yield_now();
        }
    });
}
