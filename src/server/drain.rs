//! The connections of one server, so that they can be asked to end, and awaited.
//!
//! Always true here: a connection is listed from its making to its end.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use slab::Slab;

use crate::{error::ErrorCode, handle::Shared};

/// The list.
pub(super) struct Drain(Mutex<State>);

#[derive(Default)]
struct State {
    live: Slab<Arc<Shared>>,
    ending: bool,
    waiter: Option<Waker>,
}

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
        let key = state.live.insert(connection.clone());
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
            self.lock().live.iter().map(|(_, connection)| connection.clone()).collect();
        live.iter().for_each(ask);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.drain.lock();
        state.live.try_remove(self.key);
        let waiter = if state.live.is_empty() { state.waiter.take() } else { None };
        drop(state);
        waiter.into_iter().for_each(Waker::wake);
    }
}
