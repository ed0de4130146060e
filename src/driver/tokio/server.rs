//! A server's connection on tokio (RFC 9113 §3.4, §6.8).

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    config::Config,
    connection::Side,
    error::{Error, ErrorCode},
    handle::{PingPong, RecvStream, SendResponse},
    readiness::{ReadReady, Source},
};

use super::{super::Incoming, Driver, Progress};

/// Takes an HTTP/2 connection over `io` from a client with prior knowledge.
///
/// Nothing is awaited: the preface and the first SETTINGS go out with the first poll of
/// [`ServerConnection::poll_accept`]. TCP and Unix sockets of tokio are asked whether they are readable before a
/// buffer is taken; any other IO is lent one.
pub fn handshake<T>(io: T, config: Config) -> ServerConnection<Source<T>>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    handshake_with(Source::new(io), config)
}

/// As [`handshake`], for IO that has its own way to say whether it is readable.
pub fn handshake_with<T>(io: T, config: Config) -> ServerConnection<T>
where
    T: ReadReady + AsyncWrite + Unpin,
{
    ServerConnection { driver: Driver::new(io, Side::Server, config.shared()), reported: false }
}

/// A server's connection: gives requests, and moves the octets while it is asked for the next one.
pub struct ServerConnection<T> {
    driver: Driver<T>,
    /// Whether the error that ended the connection was given out.
    reported: bool,
}

impl<T: ReadReady + AsyncWrite + Unpin> ServerConnection<T> {
    /// The next request; `None` when the connection is over, after one `Err` if it did not end well. Must be
    /// awaited until then, for nothing moves otherwise. Dropping the future loses nothing.
    pub async fn accept(&mut self) -> Option<Result<(Request<RecvStream>, SendResponse), Error>> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// The next request; `None` when the connection is over. Moves the octets.
    #[expect(clippy::type_complexity, reason = "written out, it reads best in the documentation")]
    pub fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Request<RecvStream>, SendResponse), Error>>> {
        loop {
            if let Some(Incoming { head, body, respond }) = self.driver.next_request() {
                return Poll::Ready(Some(Ok((head.map(|()| body), respond))));
            }
            if let Progress::Over = ready!(self.driver.poll_drive(cx)) {
                break;
            }
        }
        let error = self.driver.post().outcome().filter(|_| !std::mem::replace(&mut self.reported, true));
        Poll::Ready(error.map(Err))
    }

    /// Waits until the connection is over; requests that still come are refused.
    ///
    /// # Errors
    ///
    /// Why it ended, if not well.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match ready!(self.poll_accept(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok((_, mut respond))) => respond.send_reset(ErrorCode::REFUSED_STREAM),
            }
        }
    }

    /// A graceful end (RFC 9113 §6.8): GOAWAY with the highest identifier, a PING, GOAWAY with the real one;
    /// what is open is finished.
    pub fn graceful_shutdown(&mut self) {
        self.driver.post().connection.shutdown();
    }

    /// Ends the connection at once, with this code.
    pub fn abrupt_shutdown(&mut self, code: ErrorCode) {
        self.driver.post().connection.abort(code);
    }

    /// To send PINGs.
    pub fn ping_pong(&mut self) -> PingPong {
        PingPong::new(self.driver.shared().clone())
    }

    /// The window of the connection to keep from now on: at most 2^31 - 1 octets.
    pub fn set_target_window_size(&mut self, octets: u32) {
        self.driver.post().connection.set_target_window_size(octets);
    }

    /// The window of each stream, from the peer's acknowledgement on: at most 2^31 - 1 octets.
    pub fn set_initial_window_size(&mut self, octets: u32) {
        self.driver.post().set_initial_window_size(octets);
    }

    /// Figures of the connection.
    pub fn stats(&mut self) -> crate::connection::ConnectionStats {
        self.driver.post().connection.stats()
    }
}

impl<T> std::fmt::Debug for ServerConnection<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConnection").finish_non_exhaustive()
    }
}
