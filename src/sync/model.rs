//! What stands in for std and crossbeam under the model checker.
//!
//! loom's own types where they will do. They cannot be made in constants and statics, so these here are made at
//! their first use; a model must use what it shares once before it spawns, or the making itself would seem to
//! order the threads. Always true here: nothing is ordered more strongly than what it stands for, but for
//! [`ArrayQueue`], whose lists are behind a lock (its length is not).

use std::{
    collections::VecDeque,
    sync::{LockResult, OnceLock},
};

pub(crate) use loom::sync::MutexGuard;

use self::atomic::{AtomicUsize, Ordering::SeqCst};

/// loom's mutex, made when it is first locked.
pub(crate) struct Mutex<T> {
    first: std::sync::Mutex<Option<T>>,
    made: OnceLock<loom::sync::Mutex<T>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { first: std::sync::Mutex::new(Some(value)), made: OnceLock::new() }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let make = || {
            let mut first = self.first.lock().expect("nothing panics in here");
            loom::sync::Mutex::new(first.take().expect("made once"))
        };
        self.made.get_or_init(make).lock()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Atomics that are made when they are first used.
pub(crate) mod atomic {
    use std::{cell::Cell, sync::OnceLock};

    pub(crate) use std::sync::atomic::Ordering;

    loom::thread_local! {
        /// Whether this thread has written with `SeqCst` since it last read so.
        static WROTE: Cell<bool> = Cell::new(false);
    }

    /// loom takes `SeqCst` for acquire and release, which lets a read overtake an earlier write to another place.
    /// A real one does not, if both are `SeqCst`: that, and no more, is what this adds.
    fn before_read(order: Ordering) {
        if order == Ordering::SeqCst && WROTE.with(|wrote| wrote.replace(false)) {
            loom::sync::atomic::fence(Ordering::SeqCst);
        }
    }

    fn after_write(order: Ordering) {
        if order == Ordering::SeqCst {
            WROTE.with(|wrote| wrote.set(true));
        }
    }

    macro_rules! atomic {
        ($name:ident, $value:ty $(, $update:ident)*) => {
            pub(crate) struct $name {
                first: $value,
                made: OnceLock<loom::sync::atomic::$name>,
            }

            // One macro for all: not every method of each type is in use.
            #[allow(dead_code)]
            impl $name {
                pub(crate) const fn new(value: $value) -> Self {
                    Self { first: value, made: OnceLock::new() }
                }

                fn made(&self) -> &loom::sync::atomic::$name {
                    self.made.get_or_init(|| loom::sync::atomic::$name::new(self.first))
                }

                pub(crate) fn load(&self, order: Ordering) -> $value {
                    before_read(order);
                    self.made().load(order)
                }

                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    self.made().store(value, order);
                    after_write(order);
                }

                pub(crate) fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    let result = self.made().compare_exchange(current, new, success, failure);
                    if result.is_ok() {
                        after_write(success);
                    }
                    result
                }

                /// Never fails for no reason: the loops around it would be endless to loom.
                pub(crate) fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    self.compare_exchange(current, new, success, failure)
                }

                pub(crate) fn fetch_update(
                    &self,
                    set: Ordering,
                    fetch: Ordering,
                    mut update: impl FnMut($value) -> Option<$value>,
                ) -> Result<$value, $value> {
                    let mut before = self.load(fetch);
                    while let Some(after) = update(before) {
                        match self.compare_exchange(before, after, set, fetch) {
                            Ok(before) => return Ok(before),
                            Err(now) => before = now,
                        }
                    }
                    Err(before)
                }

                $(pub(crate) fn $update(&self, value: $value, order: Ordering) -> $value {
                    let before = self.made().$update(value, order);
                    after_write(order);
                    before
                })*
            }
        };
    }

    atomic!(AtomicBool, bool, swap);
    atomic!(AtomicU8, u8, swap);
    atomic!(AtomicU32, u32, swap, fetch_min);
    atomic!(AtomicU64, u64, swap, fetch_add);
    atomic!(AtomicUsize, usize, swap, fetch_add, fetch_sub, fetch_max, fetch_min);
}

/// crossbeam's bounded list. Its length can be read while others work on it, as there.
pub(crate) struct ArrayQueue<T> {
    slots: usize,
    items: Mutex<VecDeque<T>>,
    len: AtomicUsize,
}

impl<T> ArrayQueue<T> {
    pub(crate) fn new(slots: usize) -> Self {
        Self { slots, items: Mutex::new(VecDeque::new()), len: AtomicUsize::new(0) }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut items = self.items.lock().expect("nothing panics in here");
        if items.len() == self.slots {
            return Err(item);
        }
        items.push_back(item);
        self.len.fetch_add(1, SeqCst);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let mut items = self.items.lock().expect("nothing panics in here");
        let item = items.pop_front()?;
        self.len.fetch_sub(1, SeqCst);
        Some(item)
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(SeqCst)
    }
}

/// loom's threads.
pub(crate) mod thread {
    pub(crate) use loom::thread::Builder;
}

/// A channel through which nothing is sent: it tells the receiver that the sender is gone.
pub(crate) mod mpsc {
    use std::{marker::PhantomData, sync::Arc, time::Duration};

    pub(crate) use std::sync::mpsc::RecvTimeoutError;

    use super::atomic::{AtomicBool, Ordering};

    pub(crate) struct Sender<T>(Arc<AtomicBool>, PhantomData<T>);

    pub(crate) struct Receiver<T>(Arc<AtomicBool>, PhantomData<T>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let gone = Arc::new(AtomicBool::new(false));
        gone.load(Ordering::Relaxed);
        (Sender(gone.clone(), PhantomData), Receiver(gone, PhantomData))
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    impl<T> Receiver<T> {
        /// Time passes whenever somebody else has worked.
        pub(crate) fn recv_timeout(&self, _timeout: Duration) -> Result<T, RecvTimeoutError> {
            loom::thread::yield_now();
            match self.0.load(Ordering::Acquire) {
                true => Err(RecvTimeoutError::Disconnected),
                false => Err(RecvTimeoutError::Timeout),
            }
        }
    }
}

/// Steps of one run. More mean that a thread waits in a circle.
#[cfg(test)]
const STEPS: usize = 20_000;

/// Runs `model` in every order of its threads' steps in which at most so many of the switches from one thread to
/// another come where the first could have gone on. `LOOM_MAX_PREEMPTIONS` wins.
#[cfg(test)]
pub(crate) fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = STEPS;
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    println!("{} orders", runs.load(std::sync::atomic::Ordering::Relaxed));
}

/// A thread of a model, with a stack for a driver.
#[cfg(test)]
pub(crate) fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> loom::thread::JoinHandle<T> {
    let thread = loom::thread::Builder::new().stack_size(STACK);
    thread.spawn(run).expect("a model has no more than four threads beside its own")
}

/// In words.
#[cfg(test)]
const STACK: usize = 64 * 1024;

/// Waits until all of them have ended.
#[cfg(test)]
pub(crate) fn join<const N: usize>(threads: [loom::thread::JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().expect("a panic ends the model");
    }
}
