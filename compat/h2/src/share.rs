//! What both sides hold: the two halves of a stream, flow control, pings (RFC 9113 §5.2, §6.7).
//!
//! Always true here: a handle counts; when the last one of a stream is dropped, the stream is let go.

use std::{
    any::type_name,
    fmt,
    future::poll_fn,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use millpond::{buffer::BufferPool, connection::SendQueue};

use crate::{
    Error, Reason,
    config::MAX_WINDOW,
    error::UserError,
    shared::{Inner, Shared},
    slot::PollReset,
};

/// The identifier of a stream (RFC 9113 §5.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StreamId(u32);

impl StreamId {
    pub(crate) const ZERO: StreamId = StreamId(0);

    /// As a number.
    pub fn as_u32(&self) -> u32 {
        self.0
    }
}

impl From<StreamId> for u32 {
    fn from(id: StreamId) -> Self {
        id.0
    }
}

impl From<millpond::StreamId> for StreamId {
    fn from(id: millpond::StreamId) -> Self {
        StreamId(id.value())
    }
}

/// A counted handle of a stream.
pub(crate) struct StreamRef {
    pub(crate) shared: Arc<Shared>,
    /// Its slot; [`RELEASED`] when it counts no more.
    pub(crate) place: u32,
}

const RELEASED: u32 = u32::MAX;

impl StreamRef {
    /// A handle that was counted before.
    pub(crate) fn counted(shared: &Arc<Shared>, place: u32) -> Self {
        StreamRef { shared: shared.clone(), place }
    }

    /// Lets go of the stream, and does `last` before under the same lock.
    fn release(&mut self, last: impl FnOnce(&mut Inner)) {
        let place = std::mem::replace(&mut self.place, RELEASED);
        if place != RELEASED {
            self.shared.with(|inner| {
                last(inner);
                inner.drop_handle(place);
            });
        }
    }

    pub(crate) fn id(&self) -> StreamId {
        self.shared.look(|inner| inner.at(self.place).id)
    }

    pub(crate) fn send_reset(&self, reason: Reason) {
        self.shared.with(|inner| inner.send_reset(self.place, reason));
    }

    pub(crate) fn poll_reset(&self, cx: &Context<'_>, mode: PollReset) -> Poll<Result<Reason, Error>> {
        self.shared.look(|inner| inner.at(self.place).poll_reset(cx, mode))
    }
}

impl Clone for StreamRef {
    fn clone(&self) -> Self {
        self.shared.look(|inner| inner.add_ref(Some(self.place)));
        StreamRef::counted(&self.shared, self.place)
    }
}

impl Drop for StreamRef {
    fn drop(&mut self) {
        self.release(|_| ());
    }
}

impl fmt::Debug for StreamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Sends the body of a request or a response.
pub struct SendStream<B> {
    stream: StreamRef,
    _data: PhantomData<fn(B)>,
}

impl<B> fmt::Debug for SendStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendStream").field("stream", &self.stream).finish()
    }
}

impl<B: Buf> SendStream<B> {
    pub(crate) fn new(stream: StreamRef) -> Self {
        SendStream { stream, _data: PhantomData }
    }

    /// Asks for capacity for `octets` on top of the data that is queued. Replaces an earlier wish; what is more than
    /// that goes back to the connection.
    pub fn reserve_capacity(&mut self, octets: usize) {
        self.stream.shared.with(|inner| inner.reserve_capacity(self.stream.place, octets));
    }

    /// Octets that may be sent at once.
    pub fn capacity(&self) -> usize {
        self.stream.shared.look(|inner| inner.capacity(self.stream.place)) as usize
    }

    /// Waits until capacity has grown, and gives all of it; `None` when nothing more can be sent.
    pub fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<usize, Error>>> {
        let capacity = self.stream.shared.look(|inner| inner.poll_capacity(cx, self.stream.place));
        capacity.map(|capacity| capacity.map(|octets| Ok(octets as usize)))
    }

    /// Queues DATA, whatever the capacity.
    ///
    /// # Errors
    ///
    /// If the stream has ended, or was reset, or `data` is larger than 2^31 - 1 octets.
    pub fn send_data(&mut self, data: B, end_of_stream: bool) -> Result<(), Error> {
        if data.remaining() > MAX_WINDOW as usize {
            return Err(UserError::PayloadTooBig.into());
        }
        let shared = &self.stream.shared;
        let mut queue = SendQueue::new();
        queue_data(data, &mut queue, &shared.pool);
        if end_of_stream {
            queue.push_end();
        }
        Ok(shared.with(|inner| inner.send_data(self.stream.place, &mut queue))?)
    }

    /// Queues trailers, which end our side.
    ///
    /// # Errors
    ///
    /// If the stream has ended, or was reset, or HTTP/2 has no place for one of the fields.
    pub fn send_trailers(&mut self, trailers: HeaderMap) -> Result<(), Error> {
        Ok(self.stream.shared.with(|inner| inner.send_trailers(self.stream.place, trailers))?)
    }

    /// Ends the stream with RST_STREAM; what was not sent is dropped.
    pub fn send_reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// Waits until the stream is reset; gives the reason.
    ///
    /// # Errors
    ///
    /// If the socket failed.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        self.stream.poll_reset(cx, PollReset::Streaming)
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id()
    }
}

/// Queues the octets as they will wait. [`Bytes`] are shared; of any other buffer nothing is known but how to read it, so
/// its octets are copied, into blocks that go home one by one when they are written.
fn queue_data<B: Buf>(mut data: B, queue: &mut SendQueue, pool: &BufferPool) {
    let octets = data.remaining();
    // Only a hint: `copy_to_bytes` is right for every buffer, and free for this one.
    if octets < COPIED_TO_HEAP || type_name::<B>() == type_name::<Bytes>() {
        return queue.push_frame(data.copy_to_bytes(octets));
    }
    while data.has_remaining() {
        let mut block = pool.take(data.remaining().min(COPIED_AT_ONCE));
        let end = block.capacity().min(COPIED_AT_ONCE);
        while data.has_remaining() && block.len() < end {
            let chunk = data.chunk();
            let part = block.append(&chunk[..chunk.len().min(end - block.len())]);
            data.advance(part);
        }
        queue.push_frame(block.into_bytes());
    }
}

/// Fewer octets than this are not worth a block of the pool.
const COPIED_TO_HEAP: usize = 1_024;

/// The octets of one block: whole frames of any usual size.
const COPIED_AT_ONCE: usize = 64 << 10;

/// Receives the body of a request or a response.
#[must_use = "streams do nothing unless polled"]
pub struct RecvStream {
    flow: FlowControl,
}

impl RecvStream {
    pub(crate) fn new(stream: StreamRef) -> Self {
        RecvStream { flow: FlowControl { stream } }
    }

    /// The payload of the next DATA frame; `None` at the end, or before trailers.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// The trailers, once the body has been read; `None` if there are none.
    ///
    /// # Errors
    ///
    /// Why the stream failed.
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        poll_fn(|cx| self.poll_trailers(cx)).await
    }

    /// As [`data`](Self::data).
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let StreamRef { shared, place } = &self.flow.stream;
        let (data, waiter) = shared.look(|inner| {
            let slot = inner.at(*place);
            let mut cost = 0;
            let data = slot.poll_data(cx, &shared.pool).map_ok(|(chunk, paid)| {
                cost = paid;
                chunk
            });
            // Whoever waits for the trailers may have them now.
            let waiter = if data.is_ready() && slot.chunks.is_empty() { slot.reader.take() } else { None };
            inner.budget.pay_back(cost);
            (data, waiter)
        });
        waiter.into_iter().for_each(std::task::Waker::wake);
        data
    }

    /// As [`trailers`](Self::trailers).
    ///
    /// # Errors
    ///
    /// Why the stream failed.
    pub fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        let StreamRef { shared, place } = &self.flow.stream;
        shared.look(|inner| inner.at(*place).poll_trailers(cx))
    }

    /// Whether everything was taken and the peer has ended its side.
    pub fn is_end_stream(&self) -> bool {
        let StreamRef { shared, place } = &self.flow.stream;
        shared.look(|inner| inner.at(*place).is_end_stream())
    }

    /// To release what was taken.
    pub fn flow_control(&mut self) -> &mut FlowControl {
        &mut self.flow
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.flow.stream_id()
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        let place = self.flow.stream.place;
        self.flow.stream.release(|inner| inner.stop_reading(place));
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream").field("stream", &self.flow.stream).finish()
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for RecvStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_data(cx)
    }
}

/// Says how much of a body was dealt with, so that the peer may send more. A clone keeps the stream alive.
#[derive(Clone, Debug)]
pub struct FlowControl {
    stream: StreamRef,
}

impl FlowControl {
    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id()
    }

    /// Octets that the peer may have in flight on this stream beyond those that are not released; negative after the
    /// window was lowered.
    pub fn available_capacity(&self) -> isize {
        self.stream.shared.look(|inner| inner.available_capacity(self.stream.place))
    }

    /// Octets that came and were not released.
    pub fn used_capacity(&self) -> usize {
        self.stream.shared.look(|inner| inner.at(self.stream.place).unreleased) as usize
    }

    /// `octets` of the body were dealt with: the peer may send as many more.
    ///
    /// # Errors
    ///
    /// If it is more than what came and was not released.
    pub fn release_capacity(&mut self, octets: usize) -> Result<(), Error> {
        Ok(self.stream.shared.with(|inner| inner.release_capacity(self.stream.place, octets))?)
    }
}

/// Sends PINGs and waits for their answers, one at a time.
pub struct PingPong {
    shared: Arc<Shared>,
}

/// A PING to send.
pub struct Ping {
    _private: (),
}

/// The answer to one.
pub struct Pong {
    _private: (),
}

impl PingPong {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        PingPong { shared }
    }

    /// Sends a PING and waits for the answer.
    ///
    /// # Errors
    ///
    /// If one is in flight, or the connection is gone.
    pub async fn ping(&mut self, ping: Ping) -> Result<Pong, Error> {
        self.send_ping(ping)?;
        poll_fn(|cx| self.poll_pong(cx)).await
    }

    /// Sends a PING.
    ///
    /// # Errors
    ///
    /// If one is in flight, or the connection is gone.
    pub fn send_ping(&mut self, ping: Ping) -> Result<(), Error> {
        let Ping { _private: () } = ping;
        self.shared.with(|inner| inner.send_ping())
    }

    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub fn poll_pong(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pong, Error>> {
        self.shared.look(|inner| inner.poll_pong(cx)).map_ok(|()| Pong { _private: () })
    }
}

impl Ping {
    /// A PING whose payload the connection chooses.
    pub fn opaque() -> Ping {
        Ping { _private: () }
    }
}

impl fmt::Debug for PingPong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PingPong").finish()
    }
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ping").finish()
    }
}

impl fmt::Debug for Pong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pong").finish()
    }
}
