//! Listeners as streams of connections.
//!
//! Always true here: an error that concerns one connection, or passes (no file descriptors left), does not end
//! the listener.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Sleep,
};

use crate::adapter::SocketOptions;

/// How long to wait when the system has no file descriptor or memory left for another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections from a TCP listener.
#[derive(Debug)]
pub struct TcpIncoming {
    listener: TcpListener,
    options: SocketOptions,
    pause: Option<Pin<Box<Sleep>>>,
}

impl TcpIncoming {
    /// Binds a TCP socket.
    ///
    /// # Errors
    ///
    /// The system's, when the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::from)
    }

    /// Options for accepted sockets.
    pub fn with_options(mut self, options: SocketOptions) -> Self {
        self.options = options;
        self
    }

    /// The address bound: with the port that the system chose, if 0 was asked for.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl From<TcpListener> for TcpIncoming {
    fn from(listener: TcpListener) -> Self {
        TcpIncoming { listener, options: SocketOptions::default(), pause: None }
    }
}

impl Stream for TcpIncoming {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let socket = ready!(poll_accept(&mut this.pause, cx, |cx| this.listener.poll_accept(cx)));
        this.options.apply(&socket.0);
        Poll::Ready(Some(Ok(socket.0)))
    }
}

/// Connections from a Unix listener.
#[cfg(unix)]
#[derive(Debug)]
pub struct UnixIncoming {
    listener: tokio::net::UnixListener,
    pause: Option<Pin<Box<Sleep>>>,
}

#[cfg(unix)]
impl UnixIncoming {
    /// Binds a Unix socket at a path that does not exist yet.
    ///
    /// # Errors
    ///
    /// The system's, when the path cannot be bound.
    pub fn bind(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        tokio::net::UnixListener::bind(path).map(Self::from)
    }
}

#[cfg(unix)]
impl From<tokio::net::UnixListener> for UnixIncoming {
    fn from(listener: tokio::net::UnixListener) -> Self {
        UnixIncoming { listener, pause: None }
    }
}

#[cfg(unix)]
impl Stream for UnixIncoming {
    type Item = io::Result<tokio::net::UnixStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let socket = ready!(poll_accept(&mut this.pause, cx, |cx| this.listener.poll_accept(cx)));
        Poll::Ready(Some(Ok(socket.0)))
    }
}

/// The next connection. Errors are met with patience: one connection's at once, the system's after a pause.
fn poll_accept<T>(
    pause: &mut Option<Pin<Box<Sleep>>>,
    cx: &mut Context<'_>,
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> Poll<T> {
    loop {
        if let Some(sleep) = pause {
            ready!(sleep.as_mut().poll(cx));
            *pause = None;
        }
        match ready!(accept(cx)) {
            Ok(socket) => return Poll::Ready(socket),
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "connection lost in the queue")
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for now");
                *pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
            }
        }
    }
}

/// Whether an error is that of one connection which did not come about, and the next may well do.
pub(super) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        BrokenPipe
            | ConnectionAborted
            | ConnectionReset
            | ConnectionRefused
            | Interrupted
            | NetworkUnreachable
            | HostUnreachable
            | TimedOut
            | UnexpectedEof
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn errors_do_not_end_the_listener() {
        let mut pause = None;
        let mut answers = vec![
            Ok(7),
            Err(io::Error::from(io::ErrorKind::OutOfMemory)),
            Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        ];
        let accepted = std::future::poll_fn(|cx| {
            poll_accept(&mut pause, cx, |_| Poll::Ready(answers.pop().unwrap_or(Ok(0))))
        });
        let before = std::time::Instant::now();
        assert_eq!(accepted.await, 7);
        assert!(before.elapsed() >= PAUSE);
    }
}
