//! That the patch took: Cargo warns when it did not, and builds on the real h2 without a sound from any test.

use crate::support::bodies::full;
use crate::support::hyper_pair::echo_pair;
use crate::support::{pattern, show};

#[test]
fn the_h2_of_this_build_is_millpond() {
    assert!(h2::is_millpond());
}

#[test]
fn stock_hyper_takes_its_buffers_from_the_pool() {
    let takes = || {
        let stats = millpond::buffer::BufferPool::global().stats();
        stats.hits + stats.misses
    };
    show(async {
        let mut pair = echo_pair().await;
        let before = takes();
        pair.post(full(pattern(1 << 20))).await;
        // 16 KiB at most in each frame, both ways.
        assert!(takes() - before >= 16, "{} blocks for 2 MiB", takes() - before);
        pair
    });
}
