//! Memory budgets over real sockets: whatever peers send and readers leave, the process stays within its limit, and
//! nothing hangs.
//!
//! A binary of its own, so that the allocator counts nothing else: each test has the heap to itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use millpond_testkit::heap::CountingAllocator;

#[path = "../transport/child.rs"]
mod child;
mod measures;
mod peer;
#[path = "../common/raw.rs"]
mod raw;
mod sleepers;
mod world;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
