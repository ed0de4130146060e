//! Tasks that are polled when they were woken, and only then.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

/// Whether a task was woken.
#[derive(Debug)]
pub struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One task's waker, set from the start.
#[derive(Clone, Debug)]
pub struct Task {
    flag: Arc<Flag>,
    waker: Waker,
}

impl Default for Task {
    fn default() -> Self {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        Task { waker: flag.clone().into(), flag }
    }
}

impl Task {
    pub fn wake(&self) {
        self.waker.wake_by_ref();
    }

    pub fn is_woken(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }

    /// Polls if it was woken; says whether it was.
    pub fn run(&self, poll: impl FnOnce(&mut Context<'_>)) -> bool {
        let woken = self.flag.0.swap(false, Ordering::Relaxed);
        if woken {
            poll(&mut Context::from_waker(&self.waker));
        }
        woken
    }
}
