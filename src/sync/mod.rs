//! Locks, atomics, threads and lock-free lists, for what threads share: those of std and crossbeam, or, under
//! `cfg(loom)`, those of the model checker.
//!
//! Always true here: nothing but names, so that what ships and what is modelled (`docs/models.md`) is the same code.

#[cfg(loom)]
mod model;

#[cfg(loom)]
pub(crate) use model::{ArrayQueue, Mutex, MutexGuard, atomic, mpsc, thread};
#[cfg(all(test, loom))]
pub(crate) use model::{explore, join, spawn};

#[cfg(not(loom))]
pub(crate) use {
    crossbeam_queue::ArrayQueue,
    std::sync::{Mutex, MutexGuard, atomic, mpsc},
    std::thread,
};
