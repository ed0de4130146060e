//! The IO that a [`Connector`](super::Connector) gives to hyper.
//!
//! Always true here: octets pass straight to the socket, or to the IO of the connector inside; nothing is kept.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::{Connected, Connection};

use crate::adapter::ConnectInfo;

use ::hyper::rt::{Read, ReadBufCursor, Write};

/// IO for hyper: a TCP socket or the IO of the connector inside, both as `T`, or a Unix socket.
pub struct Io<T>(Kind<T>);

enum Kind<T> {
    /// And who is at its other end, if we can tell.
    Inner(T, fn(&T) -> Option<ConnectInfo>),
    #[cfg(unix)]
    Unix(hyper_util::rt::TokioIo<tokio::net::UnixStream>),
}

impl<T> Io<T> {
    pub(super) fn new(io: T, info: fn(&T) -> Option<ConnectInfo>) -> Self {
        Io(Kind::Inner(io, info))
    }

    #[cfg(unix)]
    pub(super) fn unix(socket: tokio::net::UnixStream) -> Self {
        Io(Kind::Unix(hyper_util::rt::TokioIo::new(socket)))
    }

    /// The TCP socket, or the IO of the connector inside.
    pub fn get_ref(&self) -> Option<&T> {
        match &self.0 {
            Kind::Inner(io, _) => Some(io),
            #[cfg(unix)]
            Kind::Unix(_) => None,
        }
    }

    /// The Unix socket.
    #[cfg(unix)]
    pub fn get_unix(&self) -> Option<&tokio::net::UnixStream> {
        match &self.0 {
            Kind::Inner(..) => None,
            Kind::Unix(io) => Some(io.inner()),
        }
    }
}

impl<T: Connection> Connection for Io<T> {
    fn connected(&self) -> Connected {
        match &self.0 {
            Kind::Inner(io, info) => match info(io) {
                Some(info) => io.connected().extra(info),
                None => io.connected(),
            },
            #[cfg(unix)]
            Kind::Unix(io) => Connected::new().extra(ConnectInfo::of_unix(io.inner().peer_cred().ok())),
        }
    }
}

/// Calls the same method of whichever it is.
macro_rules! pass {
    ($io:expr, $method:ident($($argument:expr),*)) => {
        match $io {
            Kind::Inner(io, _) => Pin::new(io).$method($($argument),*),
            #[cfg(unix)]
            Kind::Unix(io) => Pin::new(io).$method($($argument),*),
        }
    };
}

impl<T: Read + Unpin> Read for Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        pass!(&mut self.0, poll_read(cx, into))
    }
}

impl<T: Write + Unpin> Write for Io<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        pass!(&mut self.0, poll_write(cx, octets))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        pass!(&mut self.0, poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        pass!(&self.0, is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pass!(&mut self.0, poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pass!(&mut self.0, poll_shutdown(cx))
    }
}

impl<T: fmt::Debug> fmt::Debug for Io<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Inner(io, _) => f.debug_tuple("Io").field(io).finish(),
            #[cfg(unix)]
            Kind::Unix(io) => f.debug_tuple("Io").field(io).finish(),
        }
    }
}
