//! A global allocator that tells its [`Book`] of every allocation and every release.
//!
//! The book may allocate: what is allocated while a thread is inside the book goes past it.
#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; there is no other way to see allocations")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use super::Book;

/// The system allocator with a book.
#[derive(Debug, Default)]
pub struct TracingAllocator {
    /// What is kept of it.
    pub book: Book,
}

impl TracingAllocator {
    /// One that remembers nothing until it is told to.
    pub const fn new() -> Self {
        Self { book: Book::new() }
    }
}

thread_local! {
    /// This thread is inside the book. It is made without allocating and never dropped.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `entry`, unless this thread is in one already. Nothing that it allocates is entered.
pub(super) fn enter<T>(entry: impl FnOnce() -> T) -> Option<T> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }
    if INSIDE.replace(true) {
        return None;
    }
    let _leave = Leave;
    Some(entry())
}

// SAFETY: every method hands its arguments, unchanged, to the method of the same name of `System` and returns what that
// returns, so the contract of `GlobalAlloc` holds because it holds for `System` and the caller keeps its part towards
// us. The book sees addresses as numbers, and only while the memory is the caller's: after an allocation, before a
// release. What the book allocates meanwhile comes here again, and `enter` lets it pass. The book does not unwind: its
// lock is never poisoned, for nothing inside panics.
unsafe impl GlobalAlloc for TracingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        let memory = unsafe { System.alloc(layout) };
        self.book.allocated(memory.addr(), layout.size());
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let memory = unsafe { System.alloc_zeroed(layout) };
        self.book.allocated(memory.addr(), layout.size());
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.book.released(memory.addr());
        // SAFETY: `memory` came from our `alloc`, that is from `System`, with this `layout`.
        unsafe { System.dealloc(memory, layout) };
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Before, so that no other thread is given the address while it is still entered.
        let before = self.book.released(memory.addr());
        // SAFETY: `memory` came from `System` with this `layout`; the caller vouches for `new_size`.
        let moved = unsafe { System.realloc(memory, layout, new_size) };
        match (moved.is_null(), before) {
            (true, Some(entry)) => self.book.restore(memory.addr(), entry),
            _ => self.book.allocated(moved.addr(), new_size),
        }
        moved
    }
}
