//! The budget of a process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::sync::{
    Mutex, MutexGuard,
    atomic::{
        AtomicBool, AtomicU64, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use super::Pressure;

/// A limit for the memory that connections hold together, and its books. Give clones of one to every
/// [`Server`](crate::Server) and [`Channel`](crate::Channel) that shall share it
/// ([`ConfigBuilder::memory_budget`](crate::ConfigBuilder::memory_budget)).
///
/// Counted are: what pins memory until it is read (whole blocks, not octets of DATA), frames that came in part, field
/// sections, what waits to be sent and to be written, and flat sums for streams and connections. Not counted are blocks
/// that the pool keeps idle, and what was handed to the application.
///
/// [`Pressure`] says what is done as the limit comes near.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Books>);

impl PartialEq for MemoryBudget {
    /// Whether they are the same budget.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for MemoryBudget {}

struct Books {
    limit: usize,
    held: AtomicUsize,
    high_water: AtomicUsize,
    refused_streams: AtomicU64,
    dropped_streams: AtomicU64,
    /// The pressure is another than when those who wait were last told.
    changed: AtomicBool,
    waiting: Mutex<Waiting>,
}

/// Those who wait, by a number that is theirs alone.
#[derive(Default)]
struct Waiting {
    list: BTreeMap<u64, (Wish, Waker)>,
    next: u64,
}

/// The books of a [`MemoryBudget`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetStats {
    /// Octets that may be held.
    pub limit: usize,
    /// Octets held, or set aside for connections in steps of 8 KiB: never above the limit.
    pub held: usize,
    /// The most that was ever held.
    pub high_water: usize,
    /// New streams that were refused.
    pub refused_streams: u64,
    /// Streams that were reset because what came for them did not fit.
    pub dropped_streams: u64,
}

/// What one who waits wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Below(Pressure),
    Reached(Pressure),
}

impl MemoryBudget {
    /// A budget of so many octets. Little is possible below a megabyte.
    pub fn new(octets: usize) -> Self {
        MemoryBudget(Arc::new(Books {
            limit: octets,
            held: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
            refused_streams: AtomicU64::new(0),
            dropped_streams: AtomicU64::new(0),
            changed: AtomicBool::new(false),
            waiting: Mutex::default(),
        }))
    }

    /// The budget of this process, as the environment has set it: the first call says how much that is.
    pub(crate) fn of_process(octets: usize) -> Self {
        static BUDGET: OnceLock<MemoryBudget> = OnceLock::new();
        BUDGET.get_or_init(|| MemoryBudget::new(octets)).clone()
    }

    /// Its books. While others charge and release, the figures are not one instant's.
    pub fn stats(&self) -> BudgetStats {
        BudgetStats {
            limit: self.0.limit,
            held: self.0.held.load(SeqCst),
            high_water: self.0.high_water.load(Relaxed),
            refused_streams: self.0.refused_streams.load(Relaxed),
            dropped_streams: self.0.dropped_streams.load(Relaxed),
        }
    }

    /// What is to be done now.
    pub fn pressure(&self) -> Pressure {
        Pressure::of(self.0.held.load(SeqCst), self.0.limit)
    }

    /// Takes so much, or nothing.
    pub(super) fn take(&self, octets: usize) -> bool {
        let fits = |held: usize| held.checked_add(octets).filter(|sum| *sum <= self.0.limit);
        let Ok(before) = self.0.held.fetch_update(SeqCst, SeqCst, fits) else { return false };
        let held = before + octets;
        self.0.high_water.fetch_max(held, Relaxed);
        if self.is_other_pressure(before, held) {
            self.0.changed.store(true, SeqCst);
        }
        true
    }

    /// Gives back what was taken. Not to be called under a lock.
    pub(super) fn give(&self, octets: usize) {
        let before = self.0.held.fetch_sub(octets, SeqCst);
        debug_assert!(octets <= before, "more given back than was taken");
        if self.is_other_pressure(before, before - octets) {
            self.tell();
        }
    }

    /// The same under a lock.
    pub(super) fn give_silently(&self, octets: usize) {
        let before = self.0.held.fetch_sub(octets, SeqCst);
        if self.is_other_pressure(before, before - octets) {
            self.0.changed.store(true, SeqCst);
        }
    }

    /// Tells those who wait that the pressure is another. Charges are made under locks, so whoever made one has to call
    /// this soon after.
    pub(crate) fn tell_of_charges(&self) {
        if self.0.changed.load(Relaxed) && self.0.changed.swap(false, SeqCst) {
            self.tell();
        }
    }

    pub(super) fn count_refused_stream(&self) {
        self.0.refused_streams.fetch_add(1, Relaxed);
    }

    pub(super) fn count_dropped_stream(&self) {
        self.0.dropped_streams.fetch_add(1, Relaxed);
    }

    fn is_other_pressure(&self, before: usize, after: usize) -> bool {
        Pressure::of(before, self.0.limit) != Pressure::of(after, self.0.limit)
    }

    /// Wakes those whose wish has come true.
    fn tell(&self) {
        let pressure = self.pressure();
        let mut woken = Vec::new();
        {
            let mut waiting = self.lock();
            waiting.list.retain(|_, (wish, waker)| {
                let waits = !wish.is_true(pressure);
                if !waits {
                    woken.push(waker.clone());
                }
                waits
            });
        }
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wish {
    fn is_true(self, pressure: Pressure) -> bool {
        match self {
            Wish::Below(bound) => pressure < bound,
            Wish::Reached(bound) => pressure >= bound,
        }
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryBudget").field(&self.stats()).finish()
    }
}

/// One who waits for the pressure to change.
pub(crate) struct Waiter {
    budget: MemoryBudget,
    /// Its number, if it stands in the list or stood there until its wish came true.
    number: Option<u64>,
}

impl Waiter {
    pub(crate) fn new(budget: MemoryBudget) -> Self {
        Waiter { budget, number: None }
    }

    pub(crate) fn poll_below(&mut self, pressure: Pressure, cx: &Context<'_>) -> Poll<()> {
        self.poll(Wish::Below(pressure), cx)
    }

    pub(crate) fn poll_reached(&mut self, pressure: Pressure, cx: &Context<'_>) -> Poll<()> {
        self.poll(Wish::Reached(pressure), cx)
    }

    fn poll(&mut self, wish: Wish, cx: &Context<'_>) -> Poll<()> {
        if wish.is_true(self.budget.pressure()) {
            self.leave();
            return Poll::Ready(());
        }
        {
            let mut waiting = self.budget.lock();
            let number = *self.number.get_or_insert_with(|| {
                waiting.next += 1;
                waiting.next
            });
            waiting.list.insert(number, (wish, cx.waker().clone()));
        }
        // It may have come true just before we stood in the list.
        if wish.is_true(self.budget.pressure()) {
            self.leave();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    pub(crate) fn leave(&mut self) {
        if let Some(number) = self.number.take() {
            // Dropped after the lock.
            let _waker = self.budget.lock().list.remove(&number);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.leave();
    }
}
