//! The transport as its users meet it: two endpoints over real sockets and in-memory pipes.
//!
//! Each test owns the pools of its endpoints and ends with no block out.

use millpond_testkit::heap::CountingAllocator;

mod cancel;
mod child;
mod flood;
mod flow;
mod idle;
mod interop;
mod lifecycle;
mod messages;
#[path = "../common/raw.rs"]
mod raw;
mod slots;
mod stalls;
mod timers;
mod turns;
mod world;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();
