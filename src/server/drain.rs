//! The connections of one server, so that they can be asked to end, and awaited: all of them when the server ends, idle
//! ones when memory is short.
//!
//! Always true here: a connection is listed from its making to its end; one that sleeps holds nothing to hear of it.

use std::{
    future::poll_fn,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use slab::Slab;

use crate::{
    error::ErrorCode,
    handle::Shared,
    memory::{MemoryBudget, Pressure, Waiter},
    sync::{Mutex, MutexGuard},
};

/// The list.
pub(super) struct Drain(Mutex<State>);

#[derive(Default)]
struct State {
    live: Slab<Listed>,
    /// How many of them were asked to end for want of memory.
    asked: usize,
    ending: bool,
    waiter: Option<Waker>,
}

struct Listed {
    connection: Arc<Shared>,
    asked: bool,
}

/// How many idle connections are asked to end at once; more are asked when half of them have.
const ASKED_AT_ONCE: usize = 64;

/// A connection's entry.
pub(super) struct Entry {
    drain: Arc<Drain>,
    key: usize,
}

impl Drain {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Drain(Mutex::default()))
    }

    pub(super) fn enter(self: &Arc<Self>, connection: &Arc<Shared>) -> Entry {
        let mut state = self.lock();
        if state.ending {
            connection.wish(|ready| ready.wishes.shutdown = true);
        }
        let key = state.live.insert(Listed { connection: connection.clone(), asked: false });
        Entry { drain: self.clone(), key }
    }

    /// Asks every connection to end and waits for the last; after `grace` those that are left are cut.
    pub(super) async fn finish(&self, grace: Option<Duration>) {
        self.lock().ending = true;
        self.each(|connection| connection.wish(|ready| ready.wishes.shutdown = true));
        let Some(grace) = grace else { return self.wait().await };
        if tokio::time::timeout(grace, self.wait()).await.is_err() {
            self.each(|connection| connection.wish(|ready| ready.wishes.abort = Some(ErrorCode::NO_ERROR)));
            self.wait().await;
        }
    }

    /// Memory is short: asks idle connections to end, those with the least work behind them first. Wakes the task when
    /// more are to be asked.
    fn relieve(&self, cx: &Context<'_>) {
        let mut state = self.lock();
        state.waiter = Some(cx.waker().clone());
        if state.asked > ASKED_AT_ONCE / 2 {
            return;
        }
        let candidates = state.live.iter().filter(|(_, listed)| !listed.asked);
        let mut idle: Vec<(u64, usize)> =
            candidates.filter_map(|(key, listed)| Some((listed.connection.idle_work()?, key))).collect();
        let count = ASKED_AT_ONCE - state.asked;
        if idle.len() > count {
            idle.select_nth_unstable(count);
            idle.truncate(count);
        }
        state.asked += idle.len();
        let asked: Vec<Arc<Shared>> = idle
            .iter()
            .filter_map(|(_, key)| {
                let listed = state.live.get_mut(*key)?;
                listed.asked = true;
                Some(listed.connection.clone())
            })
            .collect();
        drop(state);
        if !asked.is_empty() {
            tracing::debug!(connections = asked.len(), "memory is short: idle connections are asked to end");
        }
        asked.iter().for_each(|connection| connection.wish(|ready| ready.wishes.shutdown = true));
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.live.is_empty() {
                return Poll::Ready(());
            }
            state.waiter = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn each(&self, ask: impl Fn(&Arc<Shared>)) {
        // Asked outside the lock: a connection that is woken may end and leave the list.
        let live: Vec<Arc<Shared>> =
            self.lock().live.iter().map(|(_, listed)| listed.connection.clone()).collect();
        live.iter().for_each(ask);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.drain.lock();
        let asked = state.live.try_remove(self.key).is_some_and(|listed| listed.asked);
        state.asked -= usize::from(asked);
        let enough = state.live.is_empty() || (asked && state.asked <= ASKED_AT_ONCE / 2);
        let waiter = if enough { state.waiter.take() } else { None };
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// The door of a server: shut while memory is short.
pub(super) struct Gate {
    budget: MemoryBudget,
    waiter: Waiter,
}

impl Gate {
    pub(super) fn new(budget: MemoryBudget) -> Self {
        Gate { waiter: Waiter::new(budget.clone()), budget }
    }

    /// Ready while connections may come in; the task is woken when that changes, and meanwhile idle ones are asked to
    /// end.
    pub(super) fn poll_open(&mut self, drain: &Drain, cx: &Context<'_>) -> Poll<()> {
        loop {
            if self.budget.pressure() < Pressure::Connections {
                if self.waiter.poll_reached(Pressure::Connections, cx).is_pending() {
                    return Poll::Ready(());
                }
            } else if self.waiter.poll_below(Pressure::Connections, cx).is_pending() {
                drain.relieve(cx);
                return Poll::Pending;
            }
        }
    }
}

#[cfg(all(test, loom))]
mod model;
