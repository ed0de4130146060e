//! What a client holds: the way to send requests, and the response to come (RFC 9113 §5.1.2, §8.1).
//!
//! Always true here: a request that must wait for a slot is seen to wait, by `poll_ready`; slots that are taken
//! are used or given back.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};

use crate::{
    connection::ConnectionStats,
    error::{Error, Mistake},
    stream::{Head, Protocol, SendQueue},
    stream_id::StreamId,
};

use super::{
    mailbox::{Mailbox, register},
    recv_stream::RecvStream,
    send_stream::{Handle, SendStream},
    shared::Shared,
};

/// Sends requests on one connection. Clone it freely; when the last one is dropped and every stream has ended,
/// the connection closes.
pub struct SendRequest {
    shared: Arc<Shared>,
    /// Whether `poll_ready` took a slot that no request has used yet.
    has_slot: bool,
    /// The place in the queue for slots; 0 unless waiting.
    ticket: u64,
    /// The last request, sent without a slot: until it is on its way no other may follow. Not a handle of the
    /// stream, which must not be kept alive by it.
    waiting: Option<Arc<Mailbox>>,
}

impl SendRequest {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.lock().senders += 1;
        SendRequest { shared, has_slot: false, ticket: 0, waiting: None }
    }

    /// Another one, with the slot that this one took; `None` if it has none.
    #[cfg(feature = "tokio")]
    pub(crate) fn hand_over(&mut self) -> Option<SendRequest> {
        let slot = std::mem::take(&mut self.has_slot);
        slot.then(|| {
            let mut other = self.clone();
            other.has_slot = true;
            other
        })
    }

    /// Waits until a request may be sent: until the peer takes another stream (SETTINGS_MAX_CONCURRENT_STREAMS).
    /// The slot is kept for this `SendRequest` until it sends a request or is dropped; one
    /// that is ready and is then neither used nor dropped keeps it from others, as with every tower service.
    ///
    /// # Errors
    ///
    /// Why no request can be sent any more.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(mailbox) = &self.waiting {
            let mut state = mailbox.lock();
            if state.is_waiting() {
                register(&mut state.sender, cx);
                return Poll::Pending;
            }
            drop(state);
            self.waiting = None;
        }
        if self.has_slot {
            return match self.shared.over() {
                Some(over) => Poll::Ready(Err(over)),
                None => Poll::Ready(Ok(())),
            };
        }
        let ready = self.shared.poll_slot(cx, &mut self.ticket);
        self.has_slot = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    ///
    /// Why no request can be sent any more.
    pub async fn ready(mut self) -> Result<SendRequest, Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(self)
    }

    /// Sends a request head; `end_of_stream` says that there is no body. Without a slot taken by
    /// [`poll_ready`](Self::poll_ready) one request may wait for it.
    ///
    /// # Errors
    ///
    /// [`Mistake::NotReady`] while another request of this `SendRequest` waits, [`Mistake::BadHead`] if HTTP/2
    /// cannot carry the head or if it has a [`Protocol`] although
    /// [extended CONNECT](Self::is_extended_connect_protocol_enabled) was not offered, or why no request can be sent
    /// any more.
    pub fn send_request(
        &mut self,
        request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendStream), Error> {
        let mut queue = SendQueue::new();
        queue.push_head(Head::of_request(request)?);
        if end_of_stream {
            queue.push_end();
        }
        let (response, handle) = self.open(queue, 2)?;
        Ok((response, SendStream::of(Handle::counted(handle))))
    }

    /// Opens a stream with a queue that begins with a request head that was checked. The way to send what follows,
    /// unless the queue has ended.
    pub(crate) fn send_queue(
        &mut self,
        queue: SendQueue,
    ) -> Result<(ResponseFuture, Option<SendStream>), Error> {
        let more = !queue.is_ended();
        let (response, mailbox) = self.open(queue, 1 + u32::from(more))?;
        Ok((response, more.then(|| SendStream::of(Handle::counted(mailbox)))))
    }

    /// A stream with so many handles, of which the response has one.
    fn open(&mut self, queue: SendQueue, handles: u32) -> Result<(ResponseFuture, Arc<Mailbox>), Error> {
        if self.waiting.as_ref().is_some_and(|mailbox| mailbox.lock().is_waiting()) {
            return Err(Mistake::NotReady.into());
        }
        // RFC 8441 §3: only once the peer has offered it.
        if is_extended_connect(&queue) && !self.is_extended_connect_protocol_enabled() {
            return Err(Mistake::BadHead("extended CONNECT was not offered (RFC 8441 §3)").into());
        }
        // Counted before the driver sees it: a stream without handles is given up.
        let mailbox = Arc::new(Mailbox::of_request(self.shared.clone(), queue, handles));
        // On failure nobody has seen it: there is nothing to be told.
        let id = self.shared.open(&mailbox, self.has_slot)?;
        self.waiting = (!std::mem::take(&mut self.has_slot)).then(|| mailbox.clone());
        Ok((ResponseFuture(Some(Handle::counted(mailbox.clone()).that_reads()), id), mailbox))
    }

    /// How many octets of a body may be queued with its request now.
    pub(crate) fn max_send_buffer(&self) -> usize {
        self.shared.max_send_buffer()
    }

    /// Whether the peer takes extended CONNECT (RFC 8441); known once its SETTINGS have come.
    pub fn is_extended_connect_protocol_enabled(&self) -> bool {
        self.shared.lock().extended_connect
    }

    /// How many streams the peer lets us have open at once, as far as is known.
    pub fn current_max_send_streams(&self) -> usize {
        self.shared.lock().max_streams as usize
    }

    /// How many streams we let the peer have open at once: none, since push is off.
    pub fn current_max_recv_streams(&self) -> usize {
        0
    }

    /// Figures of the connection as its driver last saw them.
    pub fn stats(&self) -> ConnectionStats {
        self.shared.stats()
    }

    /// Whether requests can still be sent.
    pub fn is_closed(&self) -> bool {
        self.shared.over().is_some()
    }
}

fn is_extended_connect(queue: &SendQueue) -> bool {
    matches!(
        queue.first_head(),
        Some(Head::Request(request)) if request.extensions().get::<Protocol>().is_some()
    )
}

impl Clone for SendRequest {
    /// The clone waits for slots on its own.
    fn clone(&self) -> Self {
        SendRequest::new(self.shared.clone())
    }
}

impl Drop for SendRequest {
    fn drop(&mut self) {
        self.shared.leave_slots(self.has_slot, self.ticket);
        let last = {
            let mut ready = self.shared.lock();
            ready.senders -= 1;
            ready.senders == 0
        };
        if last {
            // The driver looks whether the connection is of any use. Said in so many words: it may be awake and
            // have looked just before.
            self.shared.wish(|ready| ready.wishes.unused = true);
        }
    }
}

impl std::fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendRequest").field("has_slot", &self.has_slot).finish_non_exhaustive()
    }
}

/// The response to come. Dropping it (and the request's [`SendStream`]) cancels the stream.
// Its handle is the reader's: nobody will ask for the body either, however long the request's `SendStream` lives.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(Option<Handle>, StreamId);

impl ResponseFuture {
    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.1
    }

    /// The next informational (1xx) response; `None` once the final one has come.
    ///
    /// # Errors
    ///
    /// Why the stream failed.
    pub fn poll_informational(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<()>, Error>>> {
        let Some(handle) = &self.0 else { return Poll::Ready(None) };
        handle.0.take(|state| {
            if let Some(heads) = &mut state.inbox.informational {
                let head = heads.pop_front();
                if heads.is_empty() {
                    state.inbox.informational = None;
                }
                if let Some(head) = head {
                    return Poll::Ready(Some(Ok(head)));
                }
            }
            if state.inbox.answer.head().is_some() {
                return Poll::Ready(None);
            }
            if let Some(error) = &state.inbox.error {
                return Poll::Ready(Some(Err(Error::clone(error))));
            }
            register(&mut state.inbox.waker, cx);
            Poll::Pending
        })
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    /// # Panics
    ///
    /// Never: polled again after the response it says [`Mistake::Inactive`].
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = &self.0 else { return Poll::Ready(Err(Mistake::Inactive.into())) };
        let head = handle.0.take(|state| {
            if let Some(head) = state.inbox.answer.take_head() {
                state.inbox.informational = None;
                return Poll::Ready(Ok::<_, Error>(head));
            }
            if let Some(error) = &state.inbox.error {
                return Poll::Ready(Err(Error::clone(error)));
            }
            register(&mut state.inbox.waker, cx);
            Poll::Pending
        });
        let head = std::task::ready!(head)?;
        let Some(handle) = self.0.take() else { return Poll::Ready(Err(Mistake::Inactive.into())) };
        Poll::Ready(Ok(head.map(|()| RecvStream::of(handle))))
    }
}
