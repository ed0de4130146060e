//! Attacks and accidents: what a peer does to us, over real sockets, and what it costs.
//!
//! The attacker writes its own octets; nothing of ours speaks for it. Each victim lives on a thread of its own whose
//! allocations are counted apart (`world.rs`), so that tests run side by side, and has a pool of its own. Each test
//! says what the peer does, what becomes of the connection, and bounds for memory and work as formulas in the options;
//! honest calls go on beside it. `docs/limits.md` has the figures, which the tests print:
//! `cargo test --test hostile -- --nocapture | grep '^figure'`.

use millpond_testkit::heap::CountingAllocator;

mod attacker;
mod budgets;
mod cancels;
mod client;
mod crowds;
mod cuts;
mod deaf;
mod figures;
mod floods;
mod headers;
mod ledger;
mod malformed;
#[path = "../common/raw.rs"]
mod raw;
mod resets;
mod site;
mod stalls;
mod unread;
mod windows;
mod world;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();
