//! The options of a server's connection, and the handshake (RFC 9113 §3.4).

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::{Buf, Bytes};
use millpond::{buffer::Block, connection::Side};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Connection;
use crate::{
    Error, StreamId,
    config::{Options, common_setters},
    drive::Driver,
    error::Cause,
    shared::Shared,
};

/// The options of a server's connection.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// The defaults of h2.
    pub fn new() -> Builder {
        Builder::default()
    }

    common_setters!();

    /// Offers extended CONNECT (RFC 8441).
    pub fn enable_connect_protocol(&mut self) -> &mut Self {
        self.options.settings.enable_connect_protocol = Some(true);
        self
    }

    /// Takes a connection: sends the SETTINGS and waits for the client's preface. Nothing happens before it is
    /// polled.
    pub fn handshake<T, B>(&self, io: T) -> Handshake<T, B>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        B: Buf,
    {
        let config = self.options.build();
        let shared = Shared::new(Side::Server, config.clone(), &self.options);
        let connection = Some(Connection::new(Driver::new(io, config, shared)));
        Handshake { connection, window: self.options.connection_window, flushed: false }
    }
}

/// Takes a connection with the defaults.
pub fn handshake<T>(io: T) -> Handshake<T, Bytes>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    Builder::new().handshake(io)
}

/// A connection to come.
#[must_use = "futures do nothing unless polled"]
pub struct Handshake<T, B: Buf = Bytes> {
    connection: Option<Connection<T, B>>,
    window: Option<u32>,
    /// Whether the SETTINGS are on their way.
    flushed: bool,
}

/// Octets of a client's preface.
const PREFACE: usize = 24;

impl<T, B> Future for Handshake<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Output = Result<Connection<T, B>, Error>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let driver = &mut this.connection.as_mut().expect("polled after it was ready").driver;
        if !this.flushed {
            ready!(driver.poll_say(cx, |shared, writer| {
                shared.look(|inner| inner.connection.poll_transmit(Instant::now(), writer.outbound()));
            }))?;
            this.flushed = true;
        }
        let mut octets = [0; PREFACE];
        loop {
            let missing = driver.shared.look(|inner| inner.connection.preface_missing());
            if missing == 0 {
                break;
            }
            let read = ready!(driver.poll_read_exact(cx, &mut octets[..missing]))?;
            if read == 0 {
                let error = "connection closed before reading preface";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, error).into()));
            }
            let mut block = Block::owned(read);
            block.append(&octets[..read]);
            driver.shared.with(|inner| inner.connection.handle_read(Instant::now(), block));
            let failure = driver.shared.look(|inner| inner.connection.failure().cloned());
            if let Some(failure) = failure {
                return Poll::Ready(Err(Cause::new(&failure, StreamId::ZERO, false).into()));
            }
        }
        let mut connection = this.connection.take().expect("was there above");
        if let Some(octets) = this.window {
            connection.set_target_window_size(octets);
        }
        Poll::Ready(Ok(connection))
    }
}

impl<T, B: Buf> fmt::Debug for Handshake<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("server::Handshake")
    }
}
