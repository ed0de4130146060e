//! The letterbox between one stream's handles and the driver.
//!
//! Handles put wishes and octets in and take messages out; the driver does the reverse. Always true here: the
//! lock is held for a few moves of memory and never while a waker is called; a mailbox with unheard wishes
//! stands in its connection's ready queue, exactly once; octets that were delivered are either unread here, or
//! were released.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::{
    buffer::{BufferPool, Piece, PieceQueue},
    connection::StreamKey,
    error::{Error, ErrorCode},
    memory::{Account, Charge},
    stream::{SendQueue, of_trailers},
    stream_id::StreamId,
    sync::{Mutex, MutexGuard},
};

use super::{answer::Answer, shared::Shared};

/// One stream's letterbox.
pub(crate) struct Mailbox {
    pub(super) shared: Arc<Shared>,
    state: Mutex<State>,
}

/// What lies in it.
pub(crate) struct State {
    /// Where the connection keeps the stream, once it was opened.
    pub(crate) key: Option<StreamKey>,
    pub(crate) id: StreamId,
    /// Whether it stands in the ready queue.
    pub(crate) queued: bool,
    /// Whether the stream counts against the slots for requests.
    pub(crate) local: bool,
    /// Whether the request has left the queue for MAX_CONCURRENT_STREAMS.
    pub(crate) opened: bool,
    /// Whether the connection has forgotten the stream: no wish will be heard.
    pub(crate) closed: bool,
    /// How many handles there are.
    pub(crate) handles: u32,
    /// Whether anyone will read what comes.
    pub(crate) reading: bool,
    /// The `SendRequest` that waits for this request to be opened.
    pub(crate) sender: Option<Waker>,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
}

/// What came for the application.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) answer: Answer,
    #[expect(clippy::box_collection, reason = "rare, and a mailbox is to stay small")]
    pub(crate) informational: Option<Box<VecDeque<Response<()>>>>,
    pub(crate) pieces: PieceQueue,
    /// What is charged for the mailbox and what lies unread in it.
    pub(crate) charge: Charge,
    /// The peer has ended its side.
    pub(crate) ended: bool,
    /// The stream failed; what came before it may still be read.
    // Boxed: rare, and a mailbox is to stay small.
    pub(crate) error: Option<Box<Error>>,
    pub(crate) waker: Option<Waker>,
    /// Octets delivered and not yet released.
    pub(crate) unreleased: usize,
    /// Octets released that the stream's window has not heard of.
    pub(crate) released: u32,
}

/// What the application wants.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) queue: SendQueue,
    /// The end, a reset or an error: nothing may follow.
    pub(crate) ended: bool,
    /// Octets of DATA handed over and not yet sent, as far as is known here.
    pub(crate) buffered: usize,
    /// Connection credit set aside and not used yet.
    pub(crate) capacity: u32,
    /// Capacity that came since `poll_capacity` last said so.
    pub(crate) capacity_grew: bool,
    /// A wish for capacity.
    pub(crate) reserve: Option<u32>,
    pub(crate) give_back: u32,
    pub(crate) reset: Option<ErrorCode>,
    /// One for capacity, room and reset, as in h2.
    pub(crate) waker: Option<Waker>,
}

impl Mailbox {
    /// Of a stream that the peer opened.
    pub(crate) fn new(shared: Arc<Shared>, id: StreamId, local: bool) -> Self {
        Self::with(shared, id, local, Outbox::default(), 0)
    }

    /// Of a request that is to go out, and that has so many handles.
    pub(super) fn of_request(shared: Arc<Shared>, queue: SendQueue, handles: u32) -> Self {
        let (buffered, ended) = (queue.data_octets(), queue.is_ended());
        let mut outbox = Outbox { queue, buffered, ended, ..Outbox::default() };
        outbox.charge(shared.account.as_ref());
        Self::with(shared, StreamId::CONNECTION, true, outbox, handles)
    }

    fn with(shared: Arc<Shared>, id: StreamId, local: bool, outbox: Outbox, handles: u32) -> Self {
        let inbox = Inbox { charge: Charge::new(shared.account.clone()), ..Inbox::default() };
        let state = State {
            key: None,
            id,
            queued: false,
            local,
            opened: false,
            closed: false,
            handles,
            reading: true,
            sender: None,
            inbox,
            outbox,
        };
        Mailbox { shared, state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // No code of the application runs under the lock, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and, if the change is a wish, sees to it that the driver hears of it.
    pub(super) fn tell<R>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> (R, Hear)) -> R {
        let mut state = self.lock();
        let (result, hear) = change(&mut state);
        let queue = hear == Hear::Wish && !state.closed && !std::mem::replace(&mut state.queued, true);
        let surplus = state.inbox.surplus();
        drop(state);
        drop(surplus);
        if queue {
            self.shared.push(self.clone());
        }
        result
    }

    /// Takes something out of it; what that held is released when nothing is locked.
    pub(super) fn take<R>(&self, take: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let taken = take(&mut state);
        let surplus = state.inbox.surplus();
        drop(state);
        drop(surplus);
        taken
    }

    pub(super) fn add_handles(&self, count: u32) {
        self.lock().handles += count;
    }

    /// A handle is dropped; with the last one the stream is let go. With the reader, or the last, nobody will read
    /// any more; what is unread is dropped and its credit returns.
    pub(super) fn drop_handle(self: &Arc<Self>, reads: bool) {
        let (returned, _waker) = self.tell(|state| {
            state.handles -= 1;
            let last = state.handles == 0;
            if !last && !reads {
                return ((0, None), Hear::Nothing);
            }
            let returned = state.stop_reading();
            // The peer may be waiting for window: the driver must discard in our stead.
            (returned, if last || !state.inbox.ended { Hear::Wish } else { Hear::Nothing })
        });
        self.shared.give_back(returned);
    }

    /// The stream is lost with what is unread of it: how many octets come back.
    pub(crate) fn discard_unread(&self) -> usize {
        self.take(State::discard_unread)
    }
}

impl Outbox {
    /// Charges what was queued as far as it fits, before the driver hears of it: others who are about to queue something
    /// shall see it. The driver, which is to be woken for it, tells those who wait for that.
    pub(super) fn charge(&mut self, account: Option<&Arc<Account>>) {
        account.into_iter().for_each(|account| self.queue.charge(account));
    }

    /// Octets that may be sent at once: set aside, and with room in a queue of `max_buffered`.
    pub(super) fn usable(&self, max_buffered: usize) -> usize {
        (self.capacity as usize).min(max_buffered.saturating_sub(self.buffered))
    }

    /// DATA went out: there is room again, and capacity that had none is of use now.
    pub(crate) fn sent(&mut self, octets: usize, max_buffered: usize) {
        let before = self.usable(max_buffered);
        self.buffered = self.buffered.saturating_sub(octets);
        self.capacity_grew |= self.usable(max_buffered) > before;
    }
}

/// Whether a change concerns the driver.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hear {
    Wish,
    Nothing,
}

impl Inbox {
    /// Octets of memory that the mailbox takes with what lies in it.
    fn footprint(&self) -> usize {
        let head = |head: &Response<()>| MESSAGE + of_trailers(head.headers()).memory();
        MAILBOX
            + self.pieces.footprint()
            + self.answer.footprint()
            + self.informational.iter().flat_map(|heads| heads.iter()).map(head).sum::<usize>()
    }

    /// Charges what was put in. `false`: it does not fit.
    pub(crate) fn charge(&mut self) -> bool {
        !self.charge.is_counted() || self.charge.grow_to(self.footprint())
    }

    /// What is charged and not in it any more, to be dropped when nothing is locked.
    fn surplus(&mut self) -> Charge {
        if !self.charge.is_counted() {
            return Charge::default();
        }
        self.charge.split_off(self.footprint())
    }
}

/// What a mailbox counts for, with its places in the tables.
const MAILBOX: usize = size_of::<Mailbox>() + 64;

/// What an informational head counts for, apart from its fields.
const MESSAGE: usize = 128;

impl State {
    /// Takes the next piece of the body, or the end of it.
    pub(super) fn poll_piece(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(octets) = self.inbox.pieces.pop() {
            return Poll::Ready(Some(Ok(octets)));
        }
        if self.inbox.ended {
            return Poll::Ready(None);
        }
        if let Some(error) = &self.inbox.error {
            return Poll::Ready(Some(Err(Error::clone(error))));
        }
        register(&mut self.inbox.waker, cx);
        Poll::Pending
    }

    /// Takes the trailers, once the body was taken.
    pub(super) fn poll_trailers(&mut self, cx: &Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        if self.inbox.pieces.is_empty() {
            if self.inbox.ended {
                return Poll::Ready(Ok(self.inbox.answer.take_trailers()));
            }
            if let Some(error) = &self.inbox.error {
                return Poll::Ready(Err(Error::clone(error)));
            }
        }
        register(&mut self.inbox.waker, cx);
        Poll::Pending
    }

    /// Whether everything of the body was taken and the peer has ended its side.
    pub(super) fn is_end_stream(&self) -> bool {
        self.inbox.ended && self.inbox.pieces.is_empty() && self.inbox.answer.trailers().is_none()
    }

    /// The application has released `octets`: how many count, and whether the stream's window must hear of it
    /// now. Half a window is worth a WINDOW_UPDATE; the rest is gathered.
    /// `at_once`: the driver must hear of all that moves.
    pub(super) fn release(&mut self, octets: usize, window: u32, at_once: bool) -> Option<Hear> {
        self.inbox.unreleased = self.inbox.unreleased.checked_sub(octets)?;
        if self.inbox.error.is_some() || (self.inbox.ended && !at_once) {
            return Some(Hear::Nothing);
        }
        self.inbox.released = self.inbox.released.saturating_add(octets as u32);
        Some(if at_once || self.inbox.released >= window / 2 { Hear::Wish } else { Hear::Nothing })
    }

    /// How many octets come back, and the waker of the reader, to be dropped when nothing is locked.
    fn stop_reading(&mut self) -> (usize, Option<Waker>) {
        self.reading = false;
        self.inbox.pieces.clear();
        let unreleased = std::mem::take(&mut self.inbox.unreleased);
        self.inbox.released = self.inbox.released.saturating_add(unreleased as u32);
        (unreleased, self.inbox.waker.take())
    }

    /// The driver delivers a piece; what nobody reads counts as released at once.
    pub(crate) fn deliver(&mut self, piece: Piece, pool: &BufferPool) -> Delivered {
        let octets = piece.len();
        if !self.reading {
            return Delivered::Discarded { octets };
        }
        self.inbox.unreleased += octets;
        self.inbox.pieces.push(piece, pool);
        Delivered::Queued
    }

    /// The stream has failed. What was not sent comes back, to be dropped when nothing is locked: it is the
    /// application's, and so is the code that runs then.
    pub(crate) fn fail(&mut self, error: Error) -> SendQueue {
        self.inbox.error.get_or_insert_with(|| Box::new(error));
        self.outbox.ended = true;
        self.outbox.capacity = 0;
        self.outbox.buffered = 0;
        std::mem::take(&mut self.outbox.queue)
    }

    /// Drops what was not read, so that it cannot be taken for the whole: how many octets come back.
    fn discard_unread(&mut self) -> usize {
        let inbox = &mut self.inbox;
        // Some of it may have been released before anybody took it.
        let unread = inbox.pieces.unread().min(inbox.unreleased);
        inbox.pieces.clear();
        inbox.unreleased -= unread;
        (inbox.answer, inbox.informational) = (Answer::default(), None);
        inbox.ended = false;
        unread
    }

    /// Whether the request still waits for a slot.
    pub(super) fn is_waiting(&self) -> bool {
        !(self.opened || self.closed || self.inbox.error.is_some())
    }

    /// Wakes whoever waits: for what comes, for what may be sent, and for the request to be opened.
    pub(crate) fn take_wakers(&mut self) -> [Option<Waker>; 3] {
        [self.inbox.waker.take(), self.outbox.waker.take(), self.sender.take()]
    }
}

/// What became of a delivered piece.
pub(crate) enum Delivered {
    Queued,
    Discarded { octets: usize },
}

/// Keeps the waker of this task, without a clone where it is the same as before.
pub(super) fn register(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
