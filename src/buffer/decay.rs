//! The housekeeper: a thread that trims a pool once in each period, while there is something idle to trim.
//!
//! Always true here: at most one thread serves a pool; it does not keep the pool alive, ends when nothing is
//! idle, and ends at once when the pool is gone. A pool without a housekeeper (the thread could not be
//! spawned) works as well, it only keeps more.

use std::{sync::PoisonError, time::Duration};

use crate::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering::SeqCst},
    mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
};

use super::pool::{BufferPool, WeakPool};

/// Nobody to wake: the pool does not decay.
const NONE: u8 = 0;
/// No thread runs; whoever leaves a block idle starts one.
const ASLEEP: u8 = 1;
/// A thread runs.
const AWAKE: u8 = 2;
/// No thread could be spawned. Tried again after new memory was made, not at every block that comes home.
const FAILED: u8 = 3;

/// Shorter periods would only burn time.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// It only calls `trim`, which needs little.
const STACK: usize = 64 * 1024;

/// The seat of one pool's housekeeper.
pub(super) struct Housekeeper {
    period: Duration,
    state: AtomicU8,
    /// Nothing is ever sent: the thread sleeps on the other end, which closes when the pool is dropped.
    lifeline: Mutex<Option<Sender<()>>>,
}

impl Housekeeper {
    pub(super) const fn new(period: Option<Duration>) -> Self {
        let (period, state) = match period {
            Some(period) => (period, ASLEEP),
            None => (Duration::MAX, NONE),
        };
        Self { period, state: AtomicU8::new(state), lifeline: Mutex::new(None) }
    }

    /// Called after a block was left idle in `pool`, whose housekeeper this is.
    ///
    /// Sequentially consistent, as are the free lists: either this call sees that the thread has lain down, or
    /// the thread, which looks once more after lying down, sees the block.
    #[inline]
    pub(super) fn wake(&self, pool: &BufferPool) {
        if self.state.load(SeqCst) == ASLEEP {
            self.start(pool.downgrade());
        }
    }

    #[cold]
    fn start(&self, pool: WeakPool) {
        if !self.claim() {
            return;
        }
        let (lifeline, end_of_pool) = channel();
        *self.lifeline.lock().unwrap_or_else(PoisonError::into_inner) = Some(lifeline);
        let period = self.period.max(SHORTEST_PERIOD);
        // Without a thread there is no decay, and `max_idle` alone bounds what is idle: no reason to fail.
        let spawned = thread::Builder::new()
            .name("millpond-decay".into())
            .stack_size(STACK)
            .spawn(move || keep_house(&pool, &end_of_pool, period));
        if spawned.is_err() {
            self.state.store(FAILED, SeqCst);
        }
    }

    /// Lets the next block that is left idle try to start a thread again.
    pub(super) fn forgive(&self) {
        if self.state.load(SeqCst) == FAILED {
            let _ = self.state.compare_exchange(FAILED, ASLEEP, SeqCst, SeqCst);
        }
    }

    fn claim(&self) -> bool {
        self.state.compare_exchange(ASLEEP, AWAKE, SeqCst, SeqCst).is_ok()
    }

    /// Called by the thread when it found nothing idle. True if it may end.
    fn lie_down(&self, pool: &BufferPool) -> bool {
        self.state.store(ASLEEP, SeqCst);
        pool.has_nothing_idle() || !self.claim()
    }
}

fn keep_house(pool: &WeakPool, end_of_pool: &Receiver<()>, period: Duration) {
    while end_of_pool.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        let Some(pool) = pool.upgrade() else { return };
        pool.trim();
        if pool.has_nothing_idle() && pool.housekeeper().lie_down(&pool) {
            return;
        }
    }
}

#[cfg(all(test, loom))]
mod model;
