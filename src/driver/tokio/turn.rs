//! Turns of other tasks: before a small write, so that one call to the system serves many of them, and after a large one.
//!
//! Always true here: nobody gets a turn twice between two looks at the socket, so what is to be written waits for one at
//! most; where a turn ended on another thread, small crowds go without for a while.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll},
    thread::{self, ThreadId},
};

use tokio::{runtime::Handle, task::yield_now};

/// With so many streams there is a good chance that others are about to send as well.
const CROWD: usize = 4;

/// So many are worth a turn, whatever it costs.
const LARGE_CROWD: usize = 32;

/// So many turns are left out after one that ended on another thread. That thread had nothing to do and was woken for it,
/// which takes longer than many small writes; threads that are busy let a task stay where it is.
const LEFT_OUT: u8 = 32;

/// The turns that a connection has given.
#[derive(Default)]
pub(super) struct Turns {
    /// On which thread others were given the turn that they may still have.
    given: Option<ThreadId>,
    /// How many are to be left out.
    left_out: u8,
}

impl Turns {
    /// Begins a turn of others, if one is of use to `open` streams. Whether it did: then the driver returns.
    pub(super) fn begin(&mut self, open: usize) -> bool {
        if open < CROWD {
            return false;
        }
        if open < LARGE_CROWD && self.left_out > 0 {
            self.left_out -= 1;
            return false;
        }
        self.given = Some(thread::current().id());
        true
    }

    /// The driver is at work: a turn that was given is over. Whether one was.
    pub(super) fn end(&mut self) -> bool {
        let Some(thread) = self.given.take() else { return false };
        if thread != thread::current().id() {
            self.left_out = LEFT_OUT;
        }
        true
    }
}

/// Whether all tasks share one thread, as far as is known: then nobody reads what one of them writes until it returns. Also
/// where a runtime of several threads has one of them.
pub(super) fn is_for_all() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.metrics().num_workers() == 1)
}

/// Returns from a poll for a turn of all others, those as well whose sockets have become ready meanwhile.
pub(super) fn of_all<T>(cx: &mut Context<'_>) -> Poll<T> {
    // Polled once it has the runtime wake this task, when it has looked at its sockets; that outlives it.
    let _pending = pin!(yield_now()).poll(cx);
    Poll::Pending
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A turn of others, after which the driver is at work here or on another thread.
    fn turn(turns: &mut Turns, open: usize, moves: bool) -> bool {
        let begun = turns.begin(open);
        let ended = match moves {
            true => thread::scope(|scope| scope.spawn(|| turns.end()).join()).expect("nothing in it panics"),
            false => turns.end(),
        };
        assert_eq!(begun, ended);
        assert!(!turns.end(), "it is over");
        begun
    }

    #[test]
    fn a_few_streams_are_no_crowd() {
        assert!(!turn(&mut Turns::default(), CROWD - 1, false));
    }

    #[test]
    fn turns_on_one_thread_are_given_again_and_again() {
        let mut turns = Turns::default();
        assert!((0..100).all(|_| turn(&mut turns, CROWD, false)));
    }

    #[test]
    fn a_turn_that_ended_elsewhere_is_not_given_again_soon() {
        let mut turns = Turns::default();
        for _ in 0..3 {
            assert!(turn(&mut turns, CROWD, true));
            assert!((0..LEFT_OUT).all(|_| !turn(&mut turns, LARGE_CROWD - 1, false)));
        }
    }

    #[test]
    fn a_large_crowd_always_has_its_turn() {
        let mut turns = Turns::default();
        assert!((0..100).all(|_| turn(&mut turns, LARGE_CROWD, true)));
    }
}
