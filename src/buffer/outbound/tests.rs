//! What `Outbound` writes, and what it holds meanwhile.

use std::io::IoSlice;

use proptest::prelude::*;

use super::*;
use crate::buffer::PoolOptions;

fn lasting_pool() -> BufferPool {
    BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
}

/// What a writer would be given now, slice by slice.
fn next_slices(out: &Outbound, most: usize) -> Vec<Vec<u8>> {
    let mut slices = vec![IoSlice::new(&[]); most];
    let filled = out.slices(&mut slices);
    slices[..filled].iter().map(|slice| slice.to_vec()).collect()
}

/// All that waits, slice by slice.
fn waiting(out: &Outbound) -> Vec<Vec<u8>> {
    next_slices(out, out.segments.len())
}

#[test]
fn an_empty_outbound_is_small_and_holds_nothing() {
    assert!(size_of::<Outbound>() <= 72);
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    out.put(b"hello");
    assert_eq!((out.octets(), pool.stats().blocks_out), (5, 1));
    out.advance(5);
    assert!(out.is_empty());
    assert_eq!(pool.stats().blocks_out, 0);
    assert!(out.segments.capacity() <= PLACES);
    out.shed();
    assert_eq!(out.segments.capacity(), 0);
}

#[test]
fn headers_around_shared_payload_go_to_one_block() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    let payload = Bytes::from(vec![1; 5000]);
    for _ in 0..3 {
        out.put(b"header");
        out.put_bytes(payload.clone());
    }
    out.put(b"trailer");
    assert_eq!(pool.stats().blocks_out, 1);
    let slices = waiting(&out);
    assert_eq!(slices.len(), 7);
    assert_eq!((slices[2].as_slice(), slices[6].as_slice()), (&b"header"[..], &b"trailer"[..]));
    assert_eq!(slices[1].len(), 5000);
    out.advance(3 * 5006);
    assert_eq!((waiting(&out), pool.stats().blocks_out), (vec![b"trailer".to_vec()], 1));
    assert!(payload.is_unique(), "written payload is dropped at once");
}

#[test]
fn small_payload_is_copied_and_large_payload_is_not() {
    let mut out = Outbound::new(lasting_pool());
    out.put_bytes(Bytes::from(vec![1; COPIED_TO]));
    assert_eq!(out.segments.len(), 1);
    let payload = Bytes::from(vec![2; COPIED_TO + 1]);
    out.put_bytes(payload.clone());
    let mut slices = [IoSlice::new(&[]); 4];
    assert_eq!(out.slices(&mut slices), 2);
    assert_eq!(slices[1].as_ptr(), payload.as_ptr());
}

#[test]
fn without_vectored_writes_each_slice_is_large() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    out.set_vectored(false);
    for _ in 0..10 {
        out.put(&[0; 9]);
        out.put_bytes(Bytes::from(vec![1; 16 * 1024]));
    }
    let slices = waiting(&out);
    assert_eq!(slices.iter().map(Vec::len).sum::<usize>(), 10 * (9 + 16 * 1024));
    let in_between = &slices[1..slices.len() - 1];
    assert!(in_between.iter().all(|slice| slice.len() == LAST_BLOCK), "filled to the end");
    assert_eq!(pool.stats().blocks_out, slices.len());
}

#[test]
fn a_block_goes_home_as_soon_as_it_is_written() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    out.put(&[0; 40_000]);
    let mut last = pool.stats().octets_out;
    while !out.is_empty() {
        let first = waiting(&out)[0].len();
        out.advance(first);
        assert!(pool.stats().octets_out < last);
        last = pool.stats().octets_out;
    }
    assert_eq!(last, 0);
}

#[test]
fn room_that_is_never_used_is_not_kept() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    assert!(out.spare(100).len() >= 100);
    assert!(out.spare(5000).len() >= 5000);
    assert_eq!(pool.stats().blocks_out, 1, "the first was too small");
    out.settle();
    assert_eq!(pool.stats().blocks_out, 0);
    out.put(b"some");
    out.spare(50_000);
    out.settle();
    assert_eq!((out.octets(), pool.stats().octets_out), (4, 256));
    out.spare(50_000);
    out.advance(4);
    assert_eq!(pool.stats().blocks_out, 0);
}

#[test]
fn settle_moves_a_small_rest_to_a_small_block() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    out.spare(16_000)[..3000].fill(5);
    out.commit(3000);
    out.put_bytes(Bytes::from(vec![6; 4000]));
    out.put(b"after");
    out.advance(2900);
    let before = waiting(&out).concat();
    assert_eq!(pool.stats().octets_out, 16 * 1024);
    out.settle();
    assert_eq!(waiting(&out).concat(), before);
    assert_eq!(pool.stats().octets_out, 256);
}

#[test]
fn settle_lets_go_of_payload_of_which_little_is_left() {
    let pool = lasting_pool();
    let mut out = Outbound::new(pool.clone());
    let payload = Bytes::from(vec![6; 100_000]);
    out.put_bytes(payload.clone());
    out.put(b"after");
    out.advance(99_990);
    out.settle();
    assert!(payload.is_unique());
    assert_eq!(waiting(&out).concat(), [&[6; 10][..], b"after"].concat());
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    PutBytes(usize),
    /// Room for the first, of which the second part (in 64ths of what is given) is used.
    Spare(usize, usize),
    /// So many 64ths of what is waiting are written, in one call.
    Write(usize, usize),
    Settle,
    Vectored(bool),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![4 => 0..40usize, 2 => 0..3000usize, 1 => 0..40_000usize];
    prop_oneof![
        6 => size().prop_map(Step::Put),
        6 => size().prop_map(Step::PutBytes),
        4 => (size(), 0..65usize).prop_map(|(at_least, used)| Step::Spare(at_least, used)),
        5 => (0..65usize, 1..8usize).prop_map(|(part, slices)| Step::Write(part, slices)),
        2 => Just(Step::Settle),
        1 => any::<bool>().prop_map(Step::Vectored),
    ]
    .prop_flat_map(|step| prop_oneof![40 => Just(step), 1 => Just(Step::Clear)])
}

/// The octets put so far, each different from its neighbours.
struct Source(u8);

impl Source {
    fn octets(&mut self, octets: usize) -> Vec<u8> {
        (0..octets)
            .map(|_| {
                self.0 = self.0.wrapping_add(37);
                self.0
            })
            .collect()
    }
}

proptest! {
    #[test]
    fn octets_leave_as_they_were_put(steps in prop::collection::vec(step(), 1..100)) {
        let pool = lasting_pool();
        let mut out = Outbound::new(pool.clone());
        let (mut source, mut model) = (Source(0), Vec::<u8>::new());
        for step in &steps {
            match *step {
                Step::Put(octets) => {
                    let octets = source.octets(octets);
                    out.put(&octets);
                    model.extend(octets);
                }
                Step::PutBytes(octets) => {
                    let octets = source.octets(octets);
                    out.put_bytes(Bytes::from(octets.clone()));
                    model.extend(octets);
                }
                Step::Spare(at_least, used) => {
                    let spare = out.spare(at_least);
                    prop_assert!(spare.len() >= at_least);
                    let octets = source.octets(spare.len() * used / 64);
                    spare[..octets.len()].copy_from_slice(&octets);
                    out.commit(octets.len());
                    model.extend(octets);
                }
                Step::Write(part, slices) => {
                    let slices = next_slices(&out, slices);
                    prop_assert!(slices.iter().all(|slice| !slice.is_empty()));
                    let mut written = slices.concat();
                    prop_assert!(model.starts_with(&written));
                    prop_assert_eq!(written.is_empty(), model.is_empty());
                    written.truncate(written.len() * part / 64);
                    out.advance(written.len());
                    model.drain(..written.len());
                }
                Step::Settle => {
                    let before = pool.stats().octets_out;
                    out.settle();
                    // The rest of a shared payload may have moved to a block of the pool.
                    prop_assert!(pool.stats().octets_out <= before + 1024);
                }
                Step::Vectored(vectored) => out.set_vectored(vectored),
                Step::Clear => {
                    out.clear();
                    model.clear();
                    prop_assert_eq!(pool.stats().blocks_out, 0);
                }
            }
            prop_assert_eq!(out.octets(), model.len());
            prop_assert_eq!(out.is_empty(), model.is_empty());
        }
        prop_assert_eq!(waiting(&out).concat(), model);
        out.advance(out.octets());
        prop_assert_eq!(pool.stats().blocks_out, 0);
        out.shed();
        prop_assert_eq!(out.segments.capacity(), 0);
    }
}
