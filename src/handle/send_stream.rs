//! The sending half of a stream: DATA, trailers, capacity, reset (RFC 9113 §5.2, §6.1, §8.1).
//!
//! Always true here: nothing follows the end; capacity that was granted and used, given back or lost with the
//! stream is counted once.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderMap;

use crate::{
    error::{Error, ErrorCode, Mistake, Origin},
    stream::{SendQueue, check_headers},
    stream_id::StreamId,
};

use super::mailbox::{Hear, Mailbox, State, register};

/// Sends the body of a request or a response.
///
/// DATA may be sent without asking: it waits in the send queue until flow control lets it go. To keep the queue
/// small either wait with [`poll_room`](Self::poll_room), or reserve capacity as in h2.
///
/// Dropping the last handle of a stream that has not ended cancels it (RST_STREAM with CANCEL).
#[derive(Debug)]
pub struct SendStream(Handle);

/// A counted handle of a stream; the flag says that nobody reads once it is dropped.
pub(super) struct Handle(pub(super) Arc<Mailbox>, bool);

impl Handle {
    /// One that was counted already: the handles that a stream begins with are, all at once.
    pub(super) fn counted(mailbox: Arc<Mailbox>) -> Self {
        Handle(mailbox, false)
    }

    /// The same, as the one of the reader.
    pub(super) fn that_reads(mut self) -> Self {
        self.1 = true;
        self
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        self.0.add_handles(1);
        Handle::counted(self.0.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.drop_handle(self.1);
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("id", &self.0.lock().id).finish_non_exhaustive()
    }
}

impl SendStream {
    #[cfg(all(test, not(loom)))]
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        mailbox.add_handles(1);
        SendStream::of(Handle::counted(mailbox))
    }

    pub(super) fn of(handle: Handle) -> Self {
        SendStream(handle)
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.0.0.lock().id
    }

    /// Queues DATA; `end_of_stream` ends our side.
    ///
    /// # Errors
    ///
    /// [`Mistake::AfterEnd`] after the end, or why the stream failed.
    pub fn send_data(&mut self, data: Bytes, end_of_stream: bool) -> Result<(), Error> {
        self.send(|state| {
            let octets = data.len();
            let capacity = &mut state.outbox.capacity;
            *capacity -= (*capacity).min(octets as u32);
            state.outbox.buffered += octets;
            state.outbox.queue.push_data(data);
            if end_of_stream {
                state.outbox.queue.push_end();
            }
            end_of_stream
        })
    }

    /// Queues trailers, which end our side (RFC 9113 §8.1).
    ///
    /// # Errors
    ///
    /// [`Mistake::BadHead`] for fields that HTTP/2 forbids, [`Mistake::AfterEnd`] after the end, or why the
    /// stream failed.
    pub fn send_trailers(&mut self, trailers: HeaderMap) -> Result<(), Error> {
        check_headers(&trailers)?;
        self.send(|state| {
            state.outbox.queue.push_trailers(trailers);
            true
        })
    }

    /// Ends the stream with RST_STREAM; what was not sent is dropped. Does nothing on a stream that is gone.
    pub fn send_reset(&mut self, code: ErrorCode) {
        reset(&self.0.0, code);
    }

    /// Asks for connection credit for `octets` beyond what is queued, set aside for this stream. Replaces an
    /// earlier wish; less than what is set aside gives the rest back.
    pub fn reserve_capacity(&mut self, octets: usize) {
        self.0.0.tell(|state| {
            let wanted = u32::try_from(octets).unwrap_or(u32::MAX);
            let outbox = &mut state.outbox;
            if outbox.ended {
                return ((), Hear::Nothing);
            }
            let surplus = outbox.capacity.saturating_sub(wanted);
            outbox.capacity -= surplus;
            outbox.give_back += surplus;
            outbox.reserve = Some(wanted - outbox.capacity);
            ((), Hear::Wish)
        });
    }

    /// Octets that may be sent at once: set aside and not used.
    pub fn capacity(&self) -> usize {
        self.0.0.lock().outbox.usable(self.0.0.shared.config.max_send_buffer_size)
    }

    /// Waits until capacity has grown; gives the octets that may be sent at once. `None` once nothing more can
    /// be sent; an `Err` says why the stream failed.
    pub fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<usize, Error>>> {
        let max = self.0.0.shared.config.max_send_buffer_size;
        let mut state = self.0.0.lock();
        if let Some(error) = &state.inbox.error {
            return Poll::Ready(Some(Err(Error::clone(error))));
        }
        if state.outbox.ended {
            return Poll::Ready(None);
        }
        let capacity = state.outbox.usable(max);
        if state.outbox.capacity_grew && capacity > 0 {
            state.outbox.capacity_grew = false;
            return Poll::Ready(Some(Ok(capacity)));
        }
        register(&mut state.outbox.waker, cx);
        Poll::Pending
    }

    /// Waits until less than `max_send_buffer_size` octets are queued, whatever flow control says; while memory is
    /// short ([`Pressure::Windows`](crate::memory::Pressure::Windows)), until none are.
    ///
    /// # Errors
    ///
    /// Why the stream failed: sending is of no use any more.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let max = self.max_send_buffer();
        let mut state = self.0.0.lock();
        if let Some(error) = &state.inbox.error {
            return Poll::Ready(Err(Error::clone(error)));
        }
        if state.outbox.buffered < max {
            return Poll::Ready(Ok(()));
        }
        register(&mut state.outbox.waker, cx);
        Poll::Pending
    }

    /// Waits until the peer resets the stream; gives its code. A stream that ended well never does.
    ///
    /// # Errors
    ///
    /// Why the connection failed.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<ErrorCode, Error>> {
        poll_reset(&self.0.0, cx)
    }

    /// Waits until the stream fails.
    pub(crate) fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let mut state = self.0.0.lock();
        if let Some(error) = &state.inbox.error {
            return Poll::Ready(Error::clone(error));
        }
        register(&mut state.outbox.waker, cx);
        Poll::Pending
    }

    /// Hands over a whole queue.
    pub(crate) fn send_queue(&mut self, queue: SendQueue) -> Result<(), Error> {
        self.send(|state| append(state, queue))
    }

    /// How many octets may be queued now.
    pub(crate) fn max_send_buffer(&self) -> usize {
        self.0.0.shared.max_send_buffer()
    }

    /// How many more octets may be queued once [`poll_room`](Self::poll_room) is ready: at least one.
    pub(crate) fn room(&self) -> usize {
        let buffered = self.0.0.lock().outbox.buffered;
        self.max_send_buffer().saturating_sub(buffered).max(1)
    }

    /// Puts something in the send queue; says whether it was the end.
    fn send(&mut self, put: impl FnOnce(&mut State) -> bool) -> Result<(), Error> {
        send(&self.0.0, put)
    }
}

/// Puts something in the send queue; `put` says whether it was the end.
pub(super) fn send(mailbox: &Arc<Mailbox>, put: impl FnOnce(&mut State) -> bool) -> Result<(), Error> {
    let account = mailbox.shared.account.as_ref();
    mailbox.tell(|state| match sendable(state) {
        Ok(()) => {
            state.outbox.ended = put(state);
            state.outbox.charge(account);
            (Ok(()), Hear::Wish)
        }
        Err(error) => (Err(error), Hear::Nothing),
    })
}

/// Puts a whole queue in the send queue; says whether it was the end.
pub(super) fn append(state: &mut State, mut queue: SendQueue) -> bool {
    state.outbox.buffered += queue.data_octets();
    state.outbox.queue.append(&mut queue);
    state.outbox.queue.is_ended()
}

/// Whether anything may still be sent.
pub(super) fn sendable(state: &State) -> Result<(), Error> {
    match &state.inbox.error {
        Some(error) => Err(Error::clone(error)),
        None if state.outbox.ended => Err(Mistake::AfterEnd.into()),
        None if state.closed => Err(Mistake::Inactive.into()),
        None => Ok(()),
    }
}

/// RST_STREAM of ours. Whoever waits on another handle of the stream hears of it.
pub(super) fn reset(mailbox: &Arc<Mailbox>, code: ErrorCode) {
    let (wakers, _unsent) = mailbox.tell(|state| {
        if state.closed || state.inbox.error.is_some() {
            return ((Default::default(), SendQueue::new()), Hear::Nothing);
        }
        state.outbox.reset = Some(code);
        let unsent = state.fail(Error::reset(Origin::Caller, code));
        ((state.take_wakers(), unsent), Hear::Wish)
    });
    wakers.into_iter().flatten().for_each(Waker::wake);
}

pub(super) fn poll_reset(mailbox: &Arc<Mailbox>, cx: &mut Context<'_>) -> Poll<Result<ErrorCode, Error>> {
    let mut state = mailbox.lock();
    match &state.inbox.error {
        Some(error) if error.is_reset() => Poll::Ready(Ok(error.code())),
        Some(error) => Poll::Ready(Err(Error::clone(error))),
        None => {
            register(&mut state.outbox.waker, cx);
            Poll::Pending
        }
    }
}
