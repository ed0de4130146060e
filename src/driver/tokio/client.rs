//! A client's connection on tokio (RFC 9113 §3.4).

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    config::Config,
    connection::Side,
    error::{Error, ErrorCode},
    handle::{PingPong, SendRequest},
    readiness::{ReadReady, Source},
};

use super::{Driver, Progress};

/// Begins an HTTP/2 connection over `io` with prior knowledge: the way to send requests, and the future that
/// moves the octets, to be spawned.
///
/// Nothing is awaited: the first request may be sent at once (RFC 9113 §3.4). TCP and Unix sockets of tokio are
/// asked whether they are readable before a buffer is taken; any other IO is lent one.
pub fn handshake<T>(io: T, config: Config) -> (SendRequest, ClientConnection<Source<T>>)
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    handshake_with(Source::new(io), config)
}

/// As [`handshake`], with a configuration that many connections share.
pub(crate) fn handshake_shared<T>(io: T, config: Arc<Config>) -> (SendRequest, ClientConnection<Source<T>>)
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let driver = Driver::new(Source::new(io), Side::Client, config);
    (SendRequest::new(driver.shared().clone()), ClientConnection(driver))
}

/// As [`handshake`], for IO that has its own way to say whether it is readable.
pub fn handshake_with<T>(io: T, config: Config) -> (SendRequest, ClientConnection<T>)
where
    T: ReadReady + AsyncWrite + Unpin,
{
    let driver = Driver::new(io, Side::Client, config.shared());
    (SendRequest::new(driver.shared().clone()), ClientConnection(driver))
}

/// The future that moves the octets of a client's connection. Nothing happens unless it is polled: spawn it.
///
/// It ends when the last [`SendRequest`] was dropped and every stream has ended, when the peer has gone away,
/// or with the error that ended the connection. Dropping it closes the socket at once.
#[must_use = "futures do nothing unless polled"]
pub struct ClientConnection<T>(Driver<T>);

impl<T: ReadReady + AsyncWrite + Unpin> ClientConnection<T> {
    /// To send PINGs.
    pub fn ping_pong(&mut self) -> PingPong {
        PingPong::new(self.0.shared().clone())
    }

    /// The window of the connection to keep from now on: at most 2^31 - 1 octets.
    pub fn set_target_window_size(&mut self, octets: u32) {
        self.0.post().connection.set_target_window_size(octets);
    }

    /// The window of each stream, from the peer's acknowledgement on: at most 2^31 - 1 octets.
    pub fn set_initial_window_size(&mut self, octets: u32) {
        self.0.post().set_initial_window_size(octets);
    }

    /// Figures of the connection.
    pub fn stats(&mut self) -> crate::connection::ConnectionStats {
        self.0.post().connection.stats()
    }

    /// Ends the connection at once, with this code.
    pub fn abrupt_shutdown(&mut self, code: ErrorCode) {
        self.0.post().connection.abort(code);
    }
}

impl<T: ReadReady + AsyncWrite + Unpin> Future for ClientConnection<T> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Progress::Requests = ready!(self.0.poll_drive(cx)) {}
        Poll::Ready(self.0.post().outcome().map_or(Ok(()), Err))
    }
}

impl<T> std::fmt::Debug for ClientConnection<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConnection").finish_non_exhaustive()
    }
}
