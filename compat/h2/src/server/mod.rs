//! The server's side: requests to accept, responses to send, the connection (RFC 9113 §8.1).
//!
//! Always true here: accepting is what moves the octets, so it must go on until the connection is over.

mod builder;

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    task::{Context, Poll},
};

use bytes::Buf;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Error, PingPong, Reason, RecvStream, SendStream, StreamId, config::MAX_WINDOW, drive::Driver,
    error::UserError, share::StreamRef, slot::PollReset,
};

pub use builder::{Builder, Handshake, handshake};

/// A server's connection.
#[must_use = "streams do nothing unless polled"]
pub struct Connection<T, B: Buf> {
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
    pub(crate) fn new(driver: Driver<T>) -> Self {
        Connection { driver: Box::new(driver), ping_taken: false, _data: PhantomData }
    }

    /// The next request; `None` when the connection is over.
    pub async fn accept(&mut self) -> Option<Result<(Request<RecvStream>, SendResponse<B>), Error>> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// As [`accept`](Self::accept). Moves the octets.
    #[expect(clippy::type_complexity, reason = "as in h2")]
    pub fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Request<RecvStream>, SendResponse<B>), Error>>> {
        match self.driver.poll(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(None),
            Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            Poll::Pending => {}
        }
        let shared = &self.driver.shared;
        let Some((place, head)) = shared.look(|inner| {
            let (place, head) = inner.next_request()?;
            // One for the body, one for the response.
            inner.add_ref(Some(place));
            inner.add_ref(Some(place));
            Some((place, head))
        }) else {
            return Poll::Pending;
        };
        let request = head.map(|()| RecvStream::new(StreamRef::counted(shared, place)));
        let respond = SendResponse { stream: StreamRef::counted(shared, place), _data: PhantomData };
        Poll::Ready(Some(Ok((request, respond))))
    }

    /// Waits until the connection is over. Moves the octets.
    ///
    /// # Errors
    ///
    /// Why it ended, if not well.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll(cx)
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

    /// Offers extended CONNECT (RFC 8441), from the peer's acknowledgement on.
    ///
    /// # Errors
    ///
    /// If the peer has not acknowledged the SETTINGS before.
    pub fn enable_connect_protocol(&mut self) -> Result<(), Error> {
        Ok(self.driver.shared.with(|inner| inner.enable_connect_protocol())?)
    }

    /// Ends the connection at once: GOAWAY with this reason.
    pub fn abrupt_shutdown(&mut self, reason: Reason) {
        self.driver.shared.with(|inner| inner.abort(reason));
    }

    /// A graceful end (RFC 9113 §6.8): GOAWAY with the highest identifier, a PING, GOAWAY with the real one; what is
    /// open is finished.
    pub fn graceful_shutdown(&mut self) {
        self.driver.shared.with(|inner| inner.connection.shutdown());
    }

    /// To send PINGs: `Some` once.
    pub fn ping_pong(&mut self) -> Option<PingPong> {
        let taken = std::mem::replace(&mut self.ping_taken, true);
        (!taken).then(|| PingPong::new(self.driver.shared.clone()))
    }

    /// Whether any stream is open.
    pub fn has_streams(&self) -> bool {
        self.driver.shared.look(|inner| inner.has_streams())
    }

    /// How many streams the connection or a handle knows.
    #[cfg(feature = "unstable")]
    pub fn num_wired_streams(&self) -> usize {
        self.driver.shared.look(|inner| inner.wired_streams())
    }

    /// How many streams the peer lets us open: of no use without push.
    pub fn max_concurrent_send_streams(&self) -> usize {
        self.driver.shared.look(|inner| inner.max_send_streams)
    }

    /// How many streams the peer may have open at once.
    pub fn max_concurrent_recv_streams(&self) -> usize {
        self.driver.shared.look(|inner| inner.max_recv_streams())
    }
}

#[cfg(feature = "stream")]
impl<T, B> futures_core::Stream for Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Item = Result<(Request<RecvStream>, SendResponse<B>), Error>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_accept(cx)
    }
}

impl<T, B: Buf> fmt::Debug for Connection<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.driver.fmt(f)
    }
}

/// Answers one request.
pub struct SendResponse<B: Buf> {
    stream: StreamRef,
    _data: PhantomData<fn(B)>,
}

impl<B: Buf> SendResponse<B> {
    /// Sends an informational (1xx) response; the final one is still to come.
    ///
    /// # Errors
    ///
    /// If it has another status, or a field that HTTP/2 has no place for.
    pub fn send_informational(&mut self, mut response: Response<()>) -> Result<(), Error> {
        if !response.status().is_informational() {
            return Err(UserError::InvalidInformationalStatusCode.into());
        }
        response.extensions_mut().clear();
        let StreamRef { shared, place } = &self.stream;
        Ok(shared.with(|inner| inner.send_informational(*place, response))?)
    }

    /// Sends the response head; `end_of_stream` says that there is no body.
    ///
    /// # Errors
    ///
    /// If a response was sent, or the stream was reset, or HTTP/2 has no place for one of the fields.
    pub fn send_response(
        &mut self,
        mut response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendStream<B>, Error> {
        // What is in there may hold handles of this connection: dropped before the lock is taken.
        response.extensions_mut().clear();
        let StreamRef { shared, place } = &self.stream;
        shared.with(|inner| {
            inner.send_response(*place, response, end_of_stream)?;
            inner.add_ref(Some(*place));
            Ok::<_, UserError>(())
        })?;
        Ok(SendStream::new(StreamRef::counted(shared, *place)))
    }

    /// Server push is left out.
    ///
    /// # Errors
    ///
    /// Always: what h2 says when the peer has disabled push.
    pub fn push_request(&mut self, request: Request<()>) -> Result<SendPushedResponse<B>, Error> {
        drop(request);
        Err(UserError::PeerDisabledServerPush.into())
    }

    /// Ends the stream with RST_STREAM.
    pub fn send_reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// Waits until the stream is reset.
    ///
    /// # Errors
    ///
    /// If the response was sent (its [`SendStream`] is to be asked then), or the socket failed.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        self.stream.poll_reset(cx, PollReset::AwaitingHead)
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id()
    }
}

impl<B: Buf> fmt::Debug for SendResponse<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendResponse").field("stream", &self.stream).finish()
    }
}

/// Answers a pushed request. None is ever made.
pub struct SendPushedResponse<B: Buf> {
    response: SendResponse<B>,
}

impl<B: Buf> SendPushedResponse<B> {
    /// As [`SendResponse::send_response`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_response(
        &mut self,
        response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendStream<B>, Error> {
        self.response.send_response(response, end_of_stream)
    }

    /// Ends the stream with RST_STREAM.
    pub fn send_reset(&mut self, reason: Reason) {
        self.response.send_reset(reason);
    }

    /// As [`SendResponse::poll_reset`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        self.response.poll_reset(cx)
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.response.stream_id()
    }
}

impl<B: Buf> fmt::Debug for SendPushedResponse<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendPushedResponse").field("response", &self.response).finish()
    }
}
