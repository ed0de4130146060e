//! A global allocator that counts, for tests that bound the heap and benches that report it.
//!
//! ```
//! use millpond_testkit::heap::CountingAllocator;
//!
//! #[global_allocator]
//! static HEAP: CountingAllocator = CountingAllocator::new();
//!
//! HEAP.reset();
//! let block = vec![0_u8; 4096];
//! assert!(HEAP.usage().live >= 4096);
//! # drop(block);
//! ```
//!
//! It sees what goes through the Rust allocator and nothing else: anonymous mappings, thread stacks and the
//! allocator's own slack show only in [`rss`](crate::rss). The counters are shared by all threads, so a process that
//! takes times should not install it, or have it [stop](CountingAllocator::stop).
#![expect(
    unsafe_code,
    reason = "`GlobalAlloc` is an unsafe trait, and `malloc_trim` a C function; there is no other way to either"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

thread_local! {
    // Without a destructor, so it may be asked while the thread ends.
    static ACCOUNT: Cell<Option<&'static CountingAllocator>> = const { Cell::new(None) };
}

/// The system allocator with counters.
#[derive(Debug)]
pub struct CountingAllocator {
    live: AtomicUsize,
    peak: AtomicUsize,
    allocations: AtomicUsize,
    stopped: AtomicBool,
}

/// What a [`CountingAllocator`] has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Octets allocated and not yet freed.
    pub live: usize,
    /// The most octets that were live at once since the last reset.
    pub peak: usize,
    /// Allocations and reallocations since the last reset.
    pub allocations: usize,
}

impl CountingAllocator {
    /// An allocator that has counted nothing yet.
    pub const fn new() -> Self {
        Self {
            live: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            allocations: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// From now on what this thread allocates and frees is counted in books of its own as well, which any thread may
    /// read: so what one endpoint does is told apart from its neighbours in the process. Memory that another thread
    /// frees stays on these books, and memory that this thread frees for another makes them too low, so little of it
    /// should change hands. The books are never freed.
    pub fn keep_account_of_this_thread() -> &'static CountingAllocator {
        let account: &'static CountingAllocator = Box::leak(Box::default());
        ACCOUNT.set(Some(account));
        account
    }

    /// The counters now. While other threads allocate, the three are not one instant's.
    pub fn usage(&self) -> Usage {
        Usage {
            live: self.live.load(Relaxed),
            peak: self.peak.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    /// Begins a new measurement: no allocations, and the peak is what is live now.
    pub fn reset(&self) {
        self.allocations.store(0, Relaxed);
        self.peak.store(self.live.load(Relaxed), Relaxed);
    }

    /// Counts no more from now on: what follows is timed. What was counted is worth nothing then.
    pub fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    /// These books and those of the thread.
    fn each(&self, write: impl Fn(&CountingAllocator)) {
        if self.stopped.load(Relaxed) {
            return;
        }
        write(self);
        if let Some(account) = ACCOUNT.get() {
            write(account);
        }
    }

    fn allocated(&self, octets: usize) {
        self.each(|books| {
            books.allocations.fetch_add(1, Relaxed);
            books.grow(octets);
        });
    }

    fn freed(&self, octets: usize) {
        self.each(|books| books.shrink(octets));
    }

    fn resized(&self, old: usize, new: usize) {
        self.each(|books| {
            books.allocations.fetch_add(1, Relaxed);
            match new.checked_sub(old) {
                Some(more) => books.grow(more),
                None => books.shrink(old - new),
            }
        });
    }

    fn grow(&self, octets: usize) {
        let live = self.live.fetch_add(octets, Relaxed).wrapping_add(octets);
        self.peak.fetch_max(live, Relaxed);
    }

    fn shrink(&self, octets: usize) {
        self.live.fetch_sub(octets, Relaxed);
    }
}

impl Default for CountingAllocator {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: every method hands its arguments, unchanged, to the method of the same name of `System` and returns what that
// returns, so the contract of `GlobalAlloc` holds because it holds for `System` and the caller keeps its part towards
// us. The counters are atomics: they neither allocate nor unwind (atomic addition wraps).
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        let memory = unsafe { System.alloc(layout) };
        self.count(memory, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let memory = unsafe { System.alloc_zeroed(layout) };
        self.count(memory, layout)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from our `alloc`, that is from `System`, with this `layout`.
        unsafe { System.dealloc(memory, layout) };
        self.freed(layout.size());
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `memory` came from `System` with this `layout`; the caller vouches for `new_size`.
        let moved = unsafe { System.realloc(memory, layout, new_size) };
        if !moved.is_null() {
            self.resized(layout.size(), new_size);
        }
        moved
    }
}

impl CountingAllocator {
    fn count(&self, memory: *mut u8, layout: Layout) -> *mut u8 {
        if !memory.is_null() {
            self.allocated(layout.size());
        }
        memory
    }
}

/// Has the C library give all pages back to the system on which nothing lives, as other allocators do by themselves. Whether
/// there is a way to.
pub fn give_back_free_pages() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it only asks the allocator to look at what is free; glibc locks each arena that it looks at.
        unsafe { libc::malloc_trim(0) };
        true
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_books_of_its_own() {
        let heap = CountingAllocator::new();
        let layout = Layout::from_size_align(100, 8).expect("a valid layout");
        std::thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                let account = CountingAllocator::keep_account_of_this_thread();
                // SAFETY: `layout` is not empty; freed once, with the layout it was made with.
                unsafe { heap.dealloc(heap.alloc(layout), layout) };
                account.usage()
            });
            let theirs = theirs.join().expect("no panic there");
            assert_eq!(theirs, Usage { live: 0, peak: 100, allocations: 1 });
        });
        // SAFETY: as above.
        unsafe { heap.dealloc(heap.alloc(layout), layout) };
        assert_eq!(heap.usage(), Usage { live: 0, peak: 100, allocations: 2 });
    }

    #[test]
    fn one_that_was_stopped_counts_nothing() {
        let heap = CountingAllocator::new();
        heap.stop();
        let layout = Layout::from_size_align(100, 8).expect("a valid layout");
        // SAFETY: `layout` is not empty; freed once, with the layout it was made with.
        unsafe { heap.dealloc(heap.alloc(layout), layout) };
        assert_eq!(heap.usage(), Usage::default());
    }

    #[test]
    fn the_books_follow_one_allocation_through_its_life() {
        let heap = CountingAllocator::new();
        let layout = Layout::from_size_align(100, 8).expect("a valid layout");
        // SAFETY: `layout` is not empty, each pointer is used with the layout it was made with and freed once.
        unsafe {
            let memory = heap.alloc(layout);
            assert_eq!(heap.usage(), Usage { live: 100, peak: 100, allocations: 1 });
            let memory = heap.realloc(memory, layout, 300);
            assert_eq!(heap.usage(), Usage { live: 300, peak: 300, allocations: 2 });
            let large = Layout::from_size_align(300, 8).expect("a valid layout");
            let memory = heap.realloc(memory, large, 50);
            assert_eq!(heap.usage(), Usage { live: 50, peak: 300, allocations: 3 });
            heap.reset();
            assert_eq!(heap.usage(), Usage { live: 50, peak: 50, allocations: 0 });
            heap.dealloc(memory, Layout::from_size_align(50, 8).expect("a valid layout"));
        }
        assert_eq!(heap.usage(), Usage { live: 0, peak: 50, allocations: 0 });
    }

    /// How many of these pages, of 4,096 octets, are resident.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn resident(pages: &[u64]) -> usize {
        use std::os::unix::fs::FileExt;
        let map = std::fs::File::open("/proc/self/pagemap").expect("Linux has /proc");
        let is_there = |page: &&u64| {
            let mut entry = [0; 8];
            map.read_exact_at(&mut entry, **page * 8).expect("an entry for each page");
            u64::from_le_bytes(entry) >> 63 == 1
        };
        pages.iter().filter(is_there).count()
    }

    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    #[test]
    fn free_pages_go_back_from_between_those_in_use() {
        const OCTETS: usize = 100_000;
        // Below the size from which each is a mapping of its own.
        let held: Vec<Vec<u8>> = (0..64).map(|_| std::hint::black_box(vec![1; OCTETS])).collect();
        let (mut kept, mut freed, mut pages) = (Vec::new(), Vec::new(), Vec::new());
        for (n, octets) in held.into_iter().enumerate() {
            if n % 2 == 0 {
                kept.push(octets);
                continue;
            }
            // Those that have no octet of another.
            let first = octets.as_ptr() as u64 / 4096 + 2;
            pages.extend(first..first + OCTETS as u64 / 4096 - 4);
            freed.push(octets);
        }
        assert!(resident(&pages) > pages.len() * 9 / 10);
        drop(freed);
        assert!(give_back_free_pages());
        // Others may have come to lie there meanwhile.
        assert!(resident(&pages) < pages.len() / 2, "{} of {}", resident(&pages), pages.len());
        drop(kept);
    }
}
