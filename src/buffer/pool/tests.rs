//! The pool: its books from one thread and from many, its bounds, and its decay.

use std::{
    sync::{Barrier, mpsc},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::*;

/// A pool that keeps everything until it is trimmed.
fn lasting(max_idle: usize) -> BufferPool {
    BufferPool::new(PoolOptions { max_idle, decay: None })
}

fn roomy() -> BufferPool {
    lasting(64 << 20)
}

/// Waits, for at most a minute, until `done` holds.
fn eventually(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "never came true: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_block_comes_home_and_is_taken_again() {
    let pool = roomy();
    let mut block = pool.take(1000);
    assert_eq!(block.capacity(), 1024);
    block.append(b"left over");
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.octets_out, stats.blocks_idle), (1, 1024, 0));
    drop(block);
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.blocks_idle, stats.octets_idle), (0, 1, 1024));
    assert!(pool.take(1024).is_empty(), "a block must be taken empty");
    let stats = pool.stats();
    assert_eq!((stats.hits, stats.misses, stats.octets_high_water), (1, 1, 1024));
}

#[test]
fn the_books_are_kept_by_class() {
    let pool = roomy();
    let _small = [pool.take(1), pool.take(256), pool.take(0)];
    drop(pool.take(257));
    let classes = pool.stats().classes;
    assert_eq!(classes.len(), 2);
    assert_eq!((classes[0].capacity, classes[0].blocks_out, classes[0].high_water), (256, 3, 3));
    assert_eq!((classes[1].capacity, classes[1].blocks_out, classes[1].blocks_idle), (384, 0, 1));
}

#[test]
fn a_block_beyond_the_largest_class_is_exact_and_not_kept() {
    let pool = roomy();
    let octets = (1 << 20) + 1;
    assert_eq!(BufferPool::class_capacity(octets), octets);
    let block = pool.take(octets);
    assert!(block.is_pooled());
    assert_eq!(block.capacity(), octets);
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.octets_out, stats.large.octets_out), (1, octets, octets));
    drop(block);
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.octets_out, stats.octets_idle), (0, 0, 0));
    assert_eq!((stats.large.misses, stats.octets_high_water), (1, octets));
}

#[test]
fn an_owned_block_is_in_nobodys_books() {
    let block = Block::owned(1000);
    assert!(!block.is_pooled());
    assert_eq!((block.capacity(), block.len()), (1000, 0));
}

#[test]
fn pools_share_nothing() {
    let (one, other) = (roomy(), roomy());
    drop(one.take(300));
    let out = one.take(5000);
    assert_eq!(other.stats(), PoolStats::default());
    drop(out);
    assert_eq!(one.stats().blocks_idle, 2);
    assert_eq!(other.stats(), PoolStats::default());
}

#[test]
fn clones_share_one_pool() {
    let pool = roomy();
    let block = pool.clone().take(300);
    assert_eq!(pool.stats().blocks_out, 1);
    drop(block);
    assert_eq!(pool.clone().stats().blocks_idle, 1);
}

#[test]
fn the_default_pool_is_the_global_one() {
    // A size that no other test takes from the global pool.
    let octets = 700 * 1024;
    let out = || {
        let classes = BufferPool::global().stats().classes;
        classes.iter().find(|class| class.capacity == 768 * 1024).map_or(0, |class| class.blocks_out)
    };
    let block = BufferPool::default().take(octets);
    assert_eq!(out(), 1);
    drop(block);
    assert_eq!(out(), 0);
}

#[test]
fn a_block_may_outlive_every_handle_of_its_pool() {
    let pool = roomy();
    let mut block = pool.take(5000);
    drop(pool);
    block.append(b"still here");
    assert_eq!(&block.into_bytes()[..], b"still here");
}

#[test]
fn shared_octets_come_home_with_the_last_slice_on_any_thread() {
    let pool = roomy();
    let mut block = pool.take(20_000);
    block.append(&[7; 18_000]);
    let bytes = block.into_bytes();
    let (to_thread, from_test) = mpsc::channel::<Bytes>();
    let (to_test, from_thread) = mpsc::channel::<()>();
    let slice = bytes.slice(17_000..);
    let other = thread::spawn(move || {
        let slice = from_test.recv().expect("the test sends a slice");
        from_thread.recv().expect("the test says when");
        assert!(slice.iter().all(|&octet| octet == 7));
    });
    to_thread.send(slice).expect("the thread lives");
    drop(bytes);
    assert_eq!(pool.stats().octets_out, 24 * 1024, "a slice still holds the block");
    to_test.send(()).expect("the thread lives");
    other.join().expect("the thread does not panic");
    assert_eq!((pool.stats().octets_out, pool.stats().octets_idle), (0, 24 * 1024));
}

#[test]
fn octets_of_an_empty_block_hold_nothing() {
    let pool = roomy();
    let bytes = pool.take(5000).into_bytes();
    assert!(bytes.is_empty());
    assert_eq!(pool.stats().blocks_out, 0);
}

#[test]
fn the_books_balance_after_many_threads() {
    let pool = lasting(1 << 20);
    let (send, receive) = mpsc::sync_channel::<Bytes>(64);
    let drain = thread::spawn(move || receive.iter().map(|bytes| bytes.len()).sum::<usize>());
    let workers: Vec<_> = (0..4usize)
        .map(|worker| {
            let (pool, send) = (pool.clone(), send.clone());
            thread::spawn(move || {
                let mut kept = Vec::new();
                for round in 0..4000usize {
                    let mut block = pool.take((round * 7919 + worker * 104_729) % 40_000);
                    block.append(&[worker as u8; 100]);
                    match round % 3 {
                        0 => send.send(block.into_bytes()).expect("the drain lives"),
                        1 => kept.push(block),
                        _ => drop(block),
                    }
                    if kept.len() > 20 {
                        kept.clear();
                    }
                }
            })
        })
        .collect();
    drop(send);
    for worker in workers {
        worker.join().expect("no worker panics");
    }
    assert!(drain.join().expect("the drain does not panic") > 0);
    let stats = pool.stats();
    assert_eq!((stats.blocks_out, stats.octets_out), (0, 0));
    assert_eq!(stats.hits + stats.misses, 4 * 4000);
    assert!(stats.octets_idle <= 1 << 20, "{} idle", stats.octets_idle);
    pool.trim();
    pool.trim();
    assert_eq!(pool.stats().octets_idle, 0);
    assert_eq!(pool.core().held.load(Relaxed), 0);
}

#[test]
fn what_is_idle_stays_within_the_cap() {
    for max_idle in [0, 255, 256, 10_000, 100_000, 5 << 20] {
        let pool = lasting(max_idle);
        // Each thread leaves some blocks near itself and the others far.
        let all_have_taken = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let classes = [256, 384, 4096, 6144, 24_576, 65_536, 1 << 20];
                    let sizes = classes.iter().flat_map(|&octets| [octets; 20]);
                    let blocks: Vec<_> = sizes.map(|octets| pool.take(octets)).collect();
                    all_have_taken.wait();
                    drop(blocks);
                });
            }
        });
        let stats = pool.stats();
        assert!(stats.octets_idle <= max_idle, "{stats:?}");
        assert!(max_idle < 256 || stats.octets_idle > 0, "{max_idle} should keep something");
        assert_eq!(stats.octets_out, 0);
        assert_eq!(pool.core().held.load(Relaxed), stats.octets_idle);
    }
}

#[test]
fn a_block_that_another_thread_keeps_near_is_found() {
    let pool = roomy();
    let home = pool.clone();
    thread::spawn(move || drop(home.take(300))).join().expect("the thread does not panic");
    drop(pool.take(300));
    assert_eq!((pool.stats().hits, pool.stats().misses), (1, 1));
}

#[test]
fn near_racks_take_at_most_half_of_what_may_be_idle() {
    assert_eq!(stripes_within(PoolOptions::DEFAULT.max_idle / 2), STRIPES);
    assert_eq!(stripes_within(OCTETS_PER_STRIPE), 1);
    assert_eq!(stripes_within(OCTETS_PER_STRIPE - 1), 0);
    assert_eq!(stripes_within(usize::MAX), STRIPES);
}

#[test]
fn trim_frees_what_was_not_needed_since_the_trim_before() {
    let pool = roomy();
    drop((0..30).map(|_| pool.take(4096)).collect::<Vec<_>>());
    pool.trim();
    assert_eq!(pool.stats().blocks_idle, 30, "all were in use since the start");
    drop((0..10).map(|_| pool.take(4096)).collect::<Vec<_>>());
    pool.trim();
    assert_eq!(pool.stats().blocks_idle, 10, "only ten were needed");
    pool.trim();
    assert_eq!((pool.stats().blocks_idle, pool.stats().octets_out), (0, 0));
}

#[test]
fn the_housekeeper_frees_what_is_idle_and_comes_again() {
    let pool =
        BufferPool::new(PoolOptions { decay: Some(Duration::from_millis(5)), ..PoolOptions::default() });
    for _ in 0..3 {
        drop((0..20).map(|_| pool.take(20_000)).collect::<Vec<_>>());
        eventually("nothing idle", || pool.stats().octets_idle == 0);
        // It lies down once it has found nothing idle, or is caught before it does: both must work.
        thread::sleep(Duration::from_millis(7));
    }
    assert_eq!(pool.stats().octets_out, 0);
}

#[test]
fn the_housekeeper_does_not_keep_the_pool_alive() {
    let pool =
        BufferPool::new(PoolOptions { decay: Some(Duration::from_secs(3600)), ..PoolOptions::default() });
    drop(pool.take(1000));
    let weak = pool.downgrade();
    drop(pool);
    assert!(weak.upgrade().is_none());
}

#[test]
#[cfg(target_os = "linux")]
fn freed_mappings_leave_the_process() {
    /// Octets of this process that are resident.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has it");
        let kilo: usize = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        kilo * 1024
    }
    // In a process of its own: other tests come and go in this one.
    const MARK: &str = "MILLPOND_TEST_CHILD";
    if std::env::var_os(MARK).is_none() {
        let name = "buffer::pool::tests::freed_mappings_leave_the_process";
        let mut child = std::process::Command::new(std::env::current_exe().expect("a test has a file"));
        let output = child.args(["--exact", name]).env(MARK, "1").output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    const LOAD: usize = 48 << 20;
    let pool = roomy();
    let before = resident();
    let blocks: Vec<_> = (0..LOAD / (64 * 1024))
        .map(|_| {
            let mut block = pool.take(64 * 1024);
            block.spare_mut().fill(1);
            block
        })
        .collect();
    drop(blocks);
    assert!(resident() > before + LOAD / 2, "idle blocks are resident");
    pool.trim();
    pool.trim();
    assert!(resident() < before + LOAD / 2, "freed blocks are not");
}

#[test]
fn blocks_and_pools_go_from_thread_to_thread() {
    fn crosses_threads<T: Send + Sync + 'static>() {}
    crosses_threads::<Block>();
    crosses_threads::<BufferPool>();
}

#[test]
fn a_block_is_small() {
    assert!(size_of::<Block>() <= 5 * size_of::<usize>());
    assert_eq!(size_of::<BufferPool>(), size_of::<usize>());
}

#[test]
fn a_block_fills_from_the_front_and_no_further_than_its_end() {
    let mut block = Block::owned(10);
    assert_eq!(block.append(b"abcdef"), 6);
    block.filled_mut()[0] = b'A';
    block.spare_mut()[0] = b'g';
    block.commit(1);
    assert_eq!(block.filled(), b"Abcdefg");
    assert_eq!(block.append(b"hijkl"), 3);
    assert_eq!((block.filled(), block.spare_len()), (&b"Abcdefghij"[..], 0));
    block.clear();
    assert!(block.is_empty());
    assert_eq!(block.spare_len(), 10);
}
