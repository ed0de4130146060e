//! Wakers noted under the lock and called outside.
//!
//! Always true here: a few take no memory.

use std::task::Waker;

/// Who is to be woken.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    few: [Option<Waker>; 3],
    more: Vec<Waker>,
}

impl Wakers {
    /// Takes them out, if there are any.
    pub(crate) fn take(&mut self) -> Option<Wakers> {
        self.few[0].is_some().then(|| std::mem::take(self))
    }

    pub(crate) fn wake(self) {
        self.few.into_iter().flatten().chain(self.more).for_each(Waker::wake);
    }
}

impl Extend<Waker> for Wakers {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        for waker in wakers {
            match self.few.iter_mut().find(|place| place.is_none()) {
                Some(place) => *place = Some(waker),
                None => self.more.push(waker),
            }
        }
    }
}
