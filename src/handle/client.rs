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
    stream::{self, Head, SendQueue},
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
    /// cannot carry the head, or why no request can be sent any more.
    pub fn send_request(
        &mut self,
        request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendStream), Error> {
        let mut queue = SendQueue::new();
        let head = Head::Request(request);
        stream::check(&head)?;
        queue.push_head(Box::new(head));
        if end_of_stream {
            queue.push_end();
        }
        self.send_queue(queue)
    }

    /// Opens a stream with a queue that begins with a request head that was checked.
    pub(crate) fn send_queue(&mut self, queue: SendQueue) -> Result<(ResponseFuture, SendStream), Error> {
        let handle = self.open(queue)?;
        let send = SendStream::new(handle.0.clone());
        Ok((ResponseFuture::new(handle), send))
    }

    fn open(&mut self, queue: SendQueue) -> Result<Handle, Error> {
        if self.waiting.as_ref().is_some_and(|mailbox| mailbox.lock().is_waiting()) {
            return Err(Mistake::NotReady.into());
        }
        let mailbox = Arc::new(Mailbox::new(self.shared.clone(), StreamId::CONNECTION, true));
        {
            let mut state = mailbox.lock();
            state.outbox.buffered = queue.data_octets();
            state.outbox.ended = queue.is_ended();
            state.outbox.queue = queue;
        }
        // Counted before the driver sees it: a stream without handles is given up.
        let handle = Handle::new(mailbox);
        if let Err(error) = self.shared.open(&handle.0, self.has_slot) {
            handle.0.lock().closed = true;
            return Err(error);
        }
        self.waiting = (!std::mem::take(&mut self.has_slot)).then(|| handle.0.clone());
        Ok(handle)
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
        self.shared.lock().stats
    }

    /// Whether requests can still be sent.
    pub fn is_closed(&self) -> bool {
        self.shared.over().is_some()
    }
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
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(Option<Handle>, StreamId);

impl ResponseFuture {
    fn new(handle: Handle) -> Self {
        let id = handle.0.lock().id;
        ResponseFuture(Some(handle), id)
    }

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
        let mut state = handle.0.lock();
        if let Some(heads) = &mut state.inbox.informational {
            let head = heads.pop_front();
            if heads.is_empty() {
                state.inbox.informational = None;
            }
            if let Some(head) = head {
                return Poll::Ready(Some(Ok(head)));
            }
        }
        if state.inbox.head.is_some() {
            return Poll::Ready(None);
        }
        if let Some(error) = &state.inbox.error {
            return Poll::Ready(Some(Err(error.clone())));
        }
        register(&mut state.inbox.waker, cx);
        Poll::Pending
    }
}

impl Drop for ResponseFuture {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            // Nobody will ask for the body either, however long the request's `SendStream` lives.
            handle.0.stop_reading();
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    /// # Panics
    ///
    /// Never: polled again after the response it says [`Mistake::Inactive`].
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = &self.0 else { return Poll::Ready(Err(Mistake::Inactive.into())) };
        let mut state = handle.0.lock();
        if let Some(head) = state.inbox.head.take() {
            state.inbox.informational = None;
            drop(state);
            let body = RecvStream::new(handle.0.clone());
            self.0 = None;
            return Poll::Ready(Ok(head.map(|()| body)));
        }
        if let Some(error) = &state.inbox.error {
            return Poll::Ready(Err(error.clone()));
        }
        register(&mut state.inbox.waker, cx);
        Poll::Pending
    }
}
