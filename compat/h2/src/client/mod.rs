//! The client's side: requests, responses, the connection (RFC 9113 §8.1).
//!
//! Always true here: a request never waits to be queued; the connection's future moves everything and must be spawned.

mod builder;
mod push;

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Error, PingPong, RecvStream, SendStream, StreamId, config::MAX_WINDOW, drive::Driver, error::UserError,
    share::StreamRef, shared::Shared,
};

pub use builder::{Builder, handshake};
pub use push::{PushPromise, PushPromises, PushedResponseFuture};

/// Sends requests on one connection. Clone it freely.
pub struct SendRequest<B: Buf> {
    shared: Arc<Shared>,
    /// The last request, while there may be no room for another behind it.
    pending: Option<StreamRef>,
    _data: PhantomData<fn(B)>,
}

impl<B: Buf> SendRequest<B> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.look(|inner| inner.add_ref(None));
        SendRequest { shared, pending: None, _data: PhantomData }
    }

    /// Waits until a request may be sent: until the last one of this handle has its place among the streams that the
    /// peer takes.
    ///
    /// # Errors
    ///
    /// Why no request can be sent any more.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let pending = self.pending.as_ref().map(|stream| stream.place);
        ready!(self.shared.look(|inner| {
            inner.check_open()?;
            pending.map_or(Poll::Ready(Ok(())), |place| inner.poll_opened(cx, place).map(Ok))
        }) as Poll<Result<(), Error>>)?;
        self.pending = None;
        Poll::Ready(Ok(()))
    }

    /// As [`poll_ready`](Self::poll_ready).
    pub fn ready(self) -> ReadySendRequest<B> {
        ReadySendRequest { inner: Some(self) }
    }

    /// Sends a request head; `end_of_stream` says that there is no body.
    ///
    /// # Errors
    ///
    /// If the last request of this handle still waits for its place, if HTTP/2 cannot carry the head, or why no
    /// request can be sent any more.
    pub fn send_request(
        &mut self,
        mut request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendStream<B>), Error> {
        // What else is in there may hold handles of this connection: dropped before the lock is taken.
        let protocol = request.extensions_mut().remove::<crate::ext::Protocol>();
        request.extensions_mut().clear();
        if let Some(protocol) = protocol {
            request.extensions_mut().insert(protocol);
        }
        let pending = self.pending.as_ref().map(|stream| stream.place);
        let (place, full) = self.shared.with(|inner| {
            inner.check_open()?;
            if pending.is_some_and(|place| !inner.is_opened(place)) {
                return Err(UserError::Rejected.into());
            }
            let (place, full) = inner.send_request(request, end_of_stream)?;
            // One for the response, one for the body.
            inner.add_ref(Some(place));
            inner.add_ref(Some(place));
            Ok::<_, Error>((place, full))
        })?;
        let stream = StreamRef::counted(&self.shared, place);
        // As in h2 an earlier one stays until `poll_ready` lets go of it.
        if full {
            self.pending = Some(stream.clone());
        }
        let response =
            ResponseFuture { stream: StreamRef::counted(&self.shared, place), promises_taken: false };
        Ok((response, SendStream::new(stream)))
    }

    /// How many streams the connection knows.
    #[cfg(feature = "unstable")]
    pub fn num_active_streams(&self) -> usize {
        self.shared.look(|inner| inner.connection.stats().streams)
    }

    /// How many streams the connection or a handle knows.
    #[cfg(feature = "unstable")]
    pub fn num_wired_streams(&self) -> usize {
        self.shared.look(|inner| inner.wired_streams())
    }

    /// Whether the peer takes extended CONNECT (RFC 8441); known once its SETTINGS have come.
    pub fn is_extended_connect_protocol_enabled(&self) -> bool {
        self.shared.look(|inner| inner.extended_connect)
    }

    /// How many streams the peer lets us have open at once, as far as is known.
    pub fn current_max_send_streams(&self) -> usize {
        self.shared.look(|inner| inner.max_send_streams)
    }

    /// How many streams we let the peer have open at once.
    pub fn current_max_recv_streams(&self) -> usize {
        self.shared.look(|inner| inner.max_recv_streams())
    }
}

impl<B: Buf> Clone for SendRequest<B> {
    fn clone(&self) -> Self {
        SendRequest::new(self.shared.clone())
    }
}

impl<B: Buf> Drop for SendRequest<B> {
    fn drop(&mut self) {
        self.shared.with(|inner| inner.drop_sender());
    }
}

impl<B: Buf> fmt::Debug for SendRequest<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRequest").finish()
    }
}

/// A [`SendRequest`] to come, when it is ready.
#[derive(Debug)]
pub struct ReadySendRequest<B: Buf> {
    inner: Option<SendRequest<B>>,
}

impl<B: Buf> Future for ReadySendRequest<B> {
    type Output = Result<SendRequest<B>, Error>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sender = self.inner.as_mut().expect("polled after it was ready");
        ready!(sender.poll_ready(cx))?;
        Poll::Ready(Ok(self.inner.take().expect("was there a line above")))
    }
}

/// The response to come.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    stream: StreamRef,
    promises_taken: bool,
}

impl ResponseFuture {
    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id()
    }

    /// The next informational (1xx) response; `None` once the final one has come.
    pub fn poll_informational(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<()>, Error>>> {
        self.stream.shared.look(|inner| inner.at(self.stream.place).poll_informational(cx))
    }

    /// The promises of this request: none ever come.
    ///
    /// # Panics
    ///
    /// If they were taken before, as in h2.
    pub fn push_promises(&mut self) -> PushPromises {
        assert!(!std::mem::replace(&mut self.promises_taken, true), "push promises were taken before");
        PushPromises::new(self.stream.clone())
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let head = ready!(self.stream.shared.look(|inner| inner.at(self.stream.place).poll_response(cx)))?;
        Poll::Ready(Ok(head.map(|()| RecvStream::new(self.stream.clone()))))
    }
}

/// The future that moves the octets of a connection: spawn it.
#[must_use = "futures do nothing unless polled"]
pub struct Connection<T, B: Buf = Bytes> {
    /// Boxed, for hyper keeps a connection inside of futures that it has one of for each call.
    driver: Box<Driver<T>>,
    ping_taken: bool,
    _data: PhantomData<fn(B)>,
}

impl<T, B> Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    pub(crate) fn new(driver: Driver<T>, window: Option<u32>) -> Self {
        let mut connection = Connection { driver: Box::new(driver), ping_taken: false, _data: PhantomData };
        if let Some(octets) = window {
            connection.set_target_window_size(octets);
        }
        connection
    }

    /// How many octets of DATA the peer may send on the connection before some are released.
    ///
    /// # Panics
    ///
    /// If it is above 2^31 - 1, as in h2.
    pub fn set_target_window_size(&mut self, octets: u32) {
        assert!(octets <= MAX_WINDOW, "a window is at most 2^31 - 1");
        self.driver.shared.with(|inner| inner.set_target_window_size(octets));
    }

    /// How many octets of DATA the peer may send on each stream, once it has acknowledged that.
    ///
    /// # Errors
    ///
    /// If the peer has not acknowledged the SETTINGS before.
    ///
    /// # Panics
    ///
    /// If it is above 2^31 - 1, as in h2.
    pub fn set_initial_window_size(&mut self, octets: u32) -> Result<(), Error> {
        assert!(octets <= MAX_WINDOW, "a window is at most 2^31 - 1");
        Ok(self.driver.shared.with(|inner| inner.set_initial_window_size(octets))?)
    }

    /// To send PINGs: `Some` once.
    pub fn ping_pong(&mut self) -> Option<PingPong> {
        let taken = std::mem::replace(&mut self.ping_taken, true);
        (!taken).then(|| PingPong::new(self.driver.shared.clone()))
    }

    /// How many streams the peer lets us have open at once, as far as is known.
    pub fn max_concurrent_send_streams(&self) -> usize {
        self.driver.shared.look(|inner| inner.max_send_streams)
    }

    /// How many streams we let the peer have open at once.
    pub fn max_concurrent_recv_streams(&self) -> usize {
        self.driver.shared.look(|inner| inner.max_recv_streams())
    }
}

impl<T, B> Future for Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let was_used = self.driver.shared.with(|inner| {
            let used = inner.is_used();
            if !used && inner.connection.failure().is_none() {
                inner.close();
            }
            used
        });
        let polled = self.driver.poll(cx);
        // The last of its users may have gone meanwhile.
        if polled.is_pending() && was_used && !self.driver.shared.look(|inner| inner.is_used()) {
            cx.waker().wake_by_ref();
        }
        polled
    }
}

impl<T, B: Buf> fmt::Debug for Connection<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.driver.fmt(f)
    }
}
