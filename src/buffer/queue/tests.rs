//! The bound on what a `PieceQueue` holds, for pieces of any size.

use proptest::prelude::*;

use super::*;
use crate::buffer::{Cursor, PoolOptions};

fn lasting_pool() -> BufferPool {
    BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
}

fn crumb(octets: &[u8]) -> Piece {
    Piece::copied(octets)
}

/// A full block of `capacity`, cut into pieces of `octets` that share it.
fn shared(pool: &BufferPool, capacity: usize, octets: usize) -> Vec<Piece> {
    let mut block = pool.take(capacity);
    let room = block.capacity();
    block.commit(room);
    let mut cursor = Cursor::new(block);
    let pieces: Vec<_> = (0..room / octets).map(|_| cursor.take_piece(octets)).collect();
    assert!(pieces.iter().all(|piece| piece.origin.is_some()));
    pieces
}

#[test]
fn an_empty_queue_is_small_and_holds_nothing() {
    assert!(size_of::<PieceQueue>() <= 40);
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    assert!(queue.pop().is_none());
    queue.push(crumb(b""), &pool);
    assert!(queue.is_empty());
    queue.push(crumb(b"one"), &pool);
    assert_eq!(queue.pop().as_deref(), Some(&b"one"[..]));
    assert!(queue.unread.is_none(), "the allocation is given back");
    assert_eq!((queue.unread(), queue.held()), (0, 0));
}

#[test]
fn a_first_crumb_is_kept_as_it_is() {
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    queue.push(crumb(b"alone"), &pool);
    assert_eq!((queue.unread(), queue.held()), (5, 5));
    assert_eq!(pool.stats().misses, 0);
}

#[test]
fn crumbs_are_gathered_in_a_growing_block() {
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    for round in 0..65_535usize {
        queue.push(crumb(&[round as u8]), &pool);
    }
    assert_eq!(queue.unread(), 65_535);
    assert!(queue.held() <= 4 * GATHERED_MAX, "{} held", queue.held());
    assert_eq!(pool.stats().octets_out, queue.held());
    let octets: Vec<u8> = std::iter::from_fn(|| queue.pop()).flatten().collect();
    assert!(octets.iter().enumerate().all(|(at, &octet)| octet == at as u8));
    assert_eq!((octets.len(), pool.stats().octets_out), (65_535, 0));
}

#[test]
fn pieces_of_one_block_are_counted_once() {
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    for piece in shared(&pool, 16 * 1024, 4096) {
        queue.push(piece, &pool);
        assert_eq!(queue.held(), 16 * 1024);
    }
    assert_eq!(queue.pop().map(|octets| octets.len()), Some(4096), "not copied together");
    assert_eq!((queue.unread(), queue.held()), (12 * 1024, 16 * 1024));
    queue.clear();
    assert_eq!((queue.held(), pool.stats().octets_out), (0, 0));
}

#[test]
fn a_run_that_wastes_its_block_is_copied_when_the_next_begins() {
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    queue.push(shared(&pool, 64 * 1024, 8 * 1024).swap_remove(0), &pool);
    assert_eq!(queue.held(), 64 * 1024);
    queue.push(shared(&pool, 64 * 1024, 8 * 1024).swap_remove(0), &pool);
    assert_eq!(queue.held(), 8 * 1024 + 64 * 1024);
    assert_eq!(pool.stats().octets_out, queue.held());
}

#[test]
fn a_first_run_that_is_almost_popped_lets_go_of_its_block() {
    let pool = lasting_pool();
    let mut queue = PieceQueue::new();
    for piece in shared(&pool, 32 * 1024, 4096) {
        queue.push(piece, &pool);
    }
    queue.push(shared(&pool, 64 * 1024, 8 * 1024).swap_remove(0), &pool);
    assert_eq!(queue.held(), 96 * 1024);
    for _ in 0..4 {
        assert_eq!(queue.pop().map(|octets| octets.len()), Some(4096));
    }
    assert_eq!((queue.unread(), queue.held()), (24 * 1024, 96 * 1024), "within the bound");
    queue.pop();
    assert_eq!((queue.unread(), queue.held()), (20 * 1024, 12 * 1024 + 64 * 1024));
    assert_eq!(pool.stats().octets_out, queue.held());
}

#[derive(Clone, Debug)]
enum Step {
    /// A block arrives, filled to so many 64ths, and is read in pieces of these sizes; a piece marked false is
    /// another stream's.
    Block {
        filled: usize,
        pieces: Vec<(usize, bool)>,
    },
    Pop(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let piece = (prop_oneof![1..20usize, 1..3000usize, 1..20_000usize], prop::bool::weighted(0.6));
    let block = (1..65usize, prop::collection::vec(piece, 1..40))
        .prop_map(|(filled, pieces)| Step::Block { filled, pieces });
    prop_oneof![12 => block, 8 => (1..30usize).prop_map(Step::Pop), 1 => Just(Step::Clear)]
}

/// Capacities of the blocks that arrive: all the same in one run, so that the bound is as tight as can be.
fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![256..2000usize, 2000..20_000usize, 20_000..200_000usize]
}

/// A queue beside a plain list of the octets that should be in it.
struct Model {
    pool: BufferPool,
    queue: PieceQueue,
    expected: VecDeque<u8>,
    /// Capacity of the blocks that arrive.
    capacity: usize,
    next: u8,
}

impl Model {
    fn read_block(&mut self, filled: usize, pieces: &[(usize, bool)]) {
        let mut block = self.pool.take(self.capacity);
        let filled = block.capacity() * filled / 64;
        for octet in &mut block.spare_mut()[..filled] {
            self.next = self.next.wrapping_add(41);
            *octet = self.next;
        }
        block.commit(filled);
        let mut cursor = Cursor::new(block);
        for &(octets, ours) in pieces {
            let octets = octets.min(cursor.remaining());
            let piece = cursor.take_piece(octets);
            if ours {
                self.expected.extend(&piece.bytes);
                self.queue.push(piece, &self.pool);
            }
            self.check();
        }
    }

    fn pop(&mut self) {
        match self.queue.pop() {
            None => assert!(self.expected.is_empty()),
            Some(octets) => assert!(octets.iter().copied().eq(self.expected.drain(..octets.len()))),
        }
    }

    /// What may be held: the largest block is one that arrived, or one of crumbs.
    fn bound(&self) -> usize {
        self.queue.unread() * 3 / 2 + BufferPool::class_capacity(self.capacity).max(GATHERED_MAX)
    }

    fn check(&self) {
        assert_eq!(self.queue.unread(), self.expected.len());
        assert_eq!(self.queue.is_empty(), self.expected.is_empty());
        let held = self.queue.held();
        assert!(held <= self.bound(), "{held} held for {} unread", self.queue.unread());
    }

    /// With no cursor left, nothing but the queue may keep a block from home.
    fn check_pool(&self) {
        let out = self.pool.stats().octets_out;
        assert!(out <= self.bound(), "{out} out for {} unread", self.queue.unread());
        assert!(out <= self.queue.held(), "{out} out, but {} said to be held", self.queue.held());
    }
}

proptest! {
    #[test]
    fn memory_held_is_bounded_whatever_comes(
        capacity in capacity(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut model = Model {
            pool: lasting_pool(),
            queue: PieceQueue::new(),
            expected: VecDeque::new(),
            capacity,
            next: 0,
        };
        for step in &steps {
            match step {
                Step::Block { filled, pieces } => model.read_block(*filled, pieces),
                Step::Pop(times) => (0..*times).for_each(|_| {
                    model.pop();
                    model.check();
                    model.check_pool();
                }),
                Step::Clear => {
                    model.queue.clear();
                    model.expected.clear();
                }
            }
            model.check();
            model.check_pool();
        }
        while !model.expected.is_empty() {
            model.pop();
            model.check_pool();
        }
        prop_assert_eq!(model.pool.stats().blocks_out, 0);
        prop_assert!(model.queue.unread.is_none());
    }
}
